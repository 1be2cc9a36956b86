"""What a place of backups holds: its manifests and objects, and which places are none.

A destination holds `objects/<2 hex>/<sha256>`, each the content of one or many files, and one manifest per backup.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.paths import Root, S3Root, filesystem
from macro_assets.lakehouse.upkeep.copying import MissingFileError, listing, read_whole
from macro_assets.lakehouse.upkeep.manifests import FOLDER, OBJECTS, Manifest, decode, object_path, taken_at
from macro_assets.lakehouse.vintages import instant

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how many bytes of how many are. Called in the caller's thread."""

PARTIAL = "partial"
"""Folder of a destination for files that are not whole yet."""


def backups(destination: Root) -> list[datetime]:
    """When the backups at a destination were taken, oldest first."""
    return list(manifests_at(destination).values())


def manifests_at(root: Root) -> dict[str, datetime]:
    """Instants of the manifests by path, oldest first."""
    moments = {path: taken_at(path) for path in sorted(listing(root, FOLDER))}
    return {path: moment for path, moment in moments.items() if moment is not None}


def objects_at(root: Root) -> dict[str, int]:
    """Sizes of the objects by path."""
    sizes = {path: int(info.size) for path, info in listing(root, OBJECTS).items()}
    return {path: size for path, size in sizes.items() if path == object_path(path.rpartition("/")[2])}


def read_manifest(root: Root, path: str) -> Manifest:
    """One manifest, or a :class:`LakeError` where it is missing or damaged."""
    try:
        return decode(path, read_whole(filesystem(root), path))
    except MissingFileError:
        raise LakeError(f"manifest {path} at {root} is missing: that backup was removed. Choose another.") from None


def latest(root: Root) -> Manifest | None:
    """The newest manifest, to see what need not be read again; a damaged one helps as little as none."""
    moments = manifests_at(root)
    if not moments:
        return None
    path, moment = list(moments.items())[-1]
    try:
        return read_manifest(root, path)
    except LakeError:
        return Manifest(moment, "", {}, ())


def choose(root: Root, at: str | date | datetime | None) -> Manifest:
    """The newest manifest, or the newest at or before an instant."""
    moments = manifests_at(root)
    if not moments:
        raise LakeError(f"there is no backup at {root}. `macro backup {root}` makes one, or name the place of yours.")
    wanted = [path for path, moment in moments.items() if at is None or moment <= instant(at)]
    if not wanted:
        oldest = next(iter(moments.values()))
        raise LakeError(f"no backup at {root} is as old as {at}; the oldest is of {oldest.isoformat()}.")
    return read_manifest(root, wanted[-1])


def refuse_nested(lake: Root, backups_at: Root) -> None:
    """Refuse a lake inside its backups, or backups inside the lake."""
    if _is_within(lake, backups_at) or _is_within(backups_at, lake):
        raise LakeError(
            f"the backups at {backups_at} and the lake at {lake} must be apart, neither inside the other. Choose "
            "another place, better on another disk."
        )


def _is_within(inner: Root, outer: Root) -> bool:
    if isinstance(inner, Path) and isinstance(outer, Path):
        return inner.resolve().is_relative_to(outer.resolve())
    if isinstance(inner, S3Root) and isinstance(outer, S3Root):
        return inner.bucket == outer.bucket and f"{inner.prefix}/".startswith(f"{outer.prefix}/".lstrip("/"))
    return False


def refuse_other_content(destination: Root) -> None:
    """Refuse a place that is in use for something else, a lake or a home folder."""
    from pyarrow.fs import FileSelector

    try:
        found = filesystem(destination).get_file_info(FileSelector("", allow_not_found=True))
    except OSError as error:
        raise LakeError(f"{destination} cannot be read: {error}. Name a folder or an S3 prefix of its own.") from None
    names = {info.base_name for info in found}
    if names and not names & {OBJECTS, FOLDER, PARTIAL}:
        raise LakeError(
            f"{destination} holds something else ({', '.join(sorted(names)[:3])}); backups need an empty place, or one "
            "that has backups already. Nothing was written."
        )


def prolonging(prolong: Callable[[], None], progress: Progress | None) -> Progress:
    """Prolong the lock whenever progress is told."""

    def tell(what: str, done: int, total: int) -> None:
        prolong()
        if progress is not None:
            progress(what, done, total)

    return tell
