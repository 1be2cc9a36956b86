"""Restoring a backup into an empty place, a folder or S3: whole, or not to be opened."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from macro_assets.lakehouse.delta import LakeError, open_any, table_versions
from macro_assets.lakehouse.fingerprints import record, record_path
from macro_assets.lakehouse.paths import Root, filesystem
from macro_assets.lakehouse.upkeep.copying import (
    MissingFileError,
    Target,
    alone,
    digest_of,
    fetched,
    for_each,
    listing,
    open_target,
    place,
    put,
    read_whole,
    remove,
    remove_folder,
    settle,
)
from macro_assets.lakehouse.upkeep.destination import (
    Progress,
    choose,
    objects_at,
    prolonging,
    read_manifest,
    refuse_nested,
)
from macro_assets.lakehouse.upkeep.manifests import Entry, Manifest, object_path
from macro_assets.lakehouse.upkeep.snapshot import LOG, owner

if TYPE_CHECKING:
    import pyarrow.fs

_RESTORING = ".restoring"
_MARKER = f"{_RESTORING}/marker.json"
_CLOSED = b'{"commitInfo":{"operation":"macro restore has not finished here: run it again"}}\n'


@dataclass(frozen=True)
class RestoreReport:
    """What was restored. `bytes_reused` were there already from a restore that was interrupted."""

    manifest: str
    taken_at: datetime
    tables: int
    files: int
    bytes_copied: int
    bytes_reused: int
    seconds: float


def restore(
    source: Root, lake: Root, at: str | date | datetime | None = None, progress: Progress | None = None
) -> RestoreReport:
    """Restore a backup into an empty root; each file's SHA-256 is checked before it is put in place.

    No table can be opened, by a reader or a writer, before all files of all tables are in place. Run again after an
    interruption, it goes on where it stopped.

    Parameters
    ----------
    at
        The newest backup at or before that instant; default the newest. A bare date means its end in UTC.

    Raises
    ------
    LakeError
        When there is no such backup, it is damaged, the root is not empty, or something else writes there meanwhile.
    """
    began = time.monotonic()
    refuse_nested(lake, source)
    manifest = _to_restore(source, lake, at)
    _refuse_lacking(source, manifest)
    target = open_target(lake, _RESTORING)
    with alone(target) as prolong:
        put(target, _MARKER, json.dumps({"manifest": manifest.path}).encode())
        present = _present(lake)
        _refuse_strangers(lake, manifest, present)
        for path in _gaps(manifest):
            put(target, path, _CLOSED)
        copied = _place_all(source, target, manifest, present, prolonging(prolong, progress))
        for_each(_written(manifest).items(), lambda held: record(lake, *held), lambda _: prolong())
        _open_tables(target, manifest)
        remove_folder(target, _RESTORING)
    return RestoreReport(
        manifest=manifest.path,
        taken_at=manifest.taken_at,
        tables=len(manifest.tables),
        files=len(manifest.files),
        bytes_copied=copied,
        bytes_reused=manifest.size - copied,
        seconds=time.monotonic() - began,
    )


def is_half_restored(lake: Root) -> bool:
    """Whether a restore into this root has begun and not ended. Only running it again mends such a lake."""
    return _MARKER in listing(lake, _RESTORING)


def _gaps(manifest: Manifest) -> list[str]:
    """A file for the log of each table that keeps it closed: one version further on than the next one.

    Delta readers and writers refuse a log with a gap. Without it an interrupted restore would show the table as it
    once was, with no sign of it, and a writer would go on from there.
    """
    return [f"{name}{LOG}{version + 2:020d}.json" for name, version in manifest.tables.items()]


def _written(manifest: Manifest) -> dict[str, dict[str, str]]:
    """What data files hold, by table, as it is put on record in the lake."""
    found: dict[str, dict[str, str]] = {}
    for file in manifest.files:
        name = owner(file.path, manifest.tables)
        if name is not None and LOG not in file.path:
            found.setdefault(name, {})[file.path.removeprefix(f"{name}/")] = file.sha256
    return found


def _to_restore(source: Root, lake: Root, at: str | date | datetime | None) -> Manifest:
    """The manifest asked for, or the one that an interrupted restore into the same root began with."""
    try:
        begun = str(json.loads(read_whole(filesystem(lake), _MARKER))["manifest"])
    except MissingFileError:
        if present := _present(lake):
            raise LakeError(
                f"{lake} is not empty ({next(iter(present))}); a backup is restored into an empty place, and nothing "
                "is ever overwritten or removed. Name an empty one with --to, or move that lake away first."
            ) from None
        return choose(source, at)
    manifest = read_manifest(source, begun) if at is None else choose(source, at)
    if manifest.path != begun:
        raise LakeError(
            f"{lake} is half restored from {begun}, and {manifest.path} was asked for. Run it without --at to finish "
            f"it, or empty {lake} to begin with another."
        )
    return manifest


def _present(lake: Root) -> dict[str, int]:
    """Sizes of the files in a root, without those of the restore itself."""
    return {p: int(info.size) for p, info in listing(lake).items() if not p.startswith(f"{_RESTORING}/")}


def _refuse_lacking(source: Root, manifest: Manifest) -> None:
    """Refuse a backup that lacks an object, before anything is written."""
    held = objects_at(source)
    bad = [f for f in manifest.files if held.get(object_path(f.sha256)) != f.size]
    if bad:
        raise LakeError(_unusable(manifest, bad[0], "missing or has another size", len(bad) - 1))


def _refuse_strangers(lake: Root, manifest: Manifest, present: Iterable[str]) -> None:
    records = {f"{n}/{record_path(*one)}" for n, held in _written(manifest).items() for one in held.items()}
    ours = {f.path for f in manifest.files} | {*_gaps(manifest)} | records
    if strangers := sorted(set(present) - ours):
        raise LakeError(
            f"{lake} holds files that are not of the backup being restored ({strangers[0]}, {len(strangers)} in all): "
            "something else writes there. Stop it (the Dagster daemon?), empty the place and restore again."
        )


def _unusable(manifest: Manifest, entry: Entry, what: str, others: int = 0) -> str:
    more = f" (and {others} more)" if others else ""
    return (
        f"the backup of {manifest.taken_at.isoformat()} cannot be restored: file {entry.path}{more}, object "
        f"{object_path(entry.sha256)} is {what}. `macro backup DEST --verify` names all such files; an earlier backup "
        "may be whole: restore it with --at into an empty place."
    )


def _place_all(source: Root, target: Target, manifest: Manifest, present: Iterable[str], progress: Progress) -> int:
    """Put the files in place that are not there, data first, then the logs; how many bytes were copied."""
    objects, there = filesystem(source), filesystem(target.root)
    copied = done_bytes = 0

    def restored(entry: Entry) -> tuple[int, int]:
        if entry.path in present and _is_whole(there, entry):
            return entry.size, 0
        try:
            with fetched(objects, object_path(entry.sha256), target) as content:
                if content.sha256 != entry.sha256:
                    raise LakeError(_unusable(manifest, entry, "damaged"))
                place(target, content, entry.path, entry.mtime_ns)
        except MissingFileError:
            raise LakeError(_unusable(manifest, entry, "missing")) from None
        return entry.size, entry.size

    def done(sizes: tuple[int, int]) -> None:
        nonlocal copied, done_bytes
        done_bytes += sizes[0]
        copied += sizes[1]
        progress("restore", done_bytes, manifest.size)

    for_each((f for f in manifest.files if LOG not in f.path), restored, done)
    settle(target)
    for_each((f for f in manifest.files if LOG in f.path), restored, done)  # by path: oldest first
    settle(target)
    return copied


def _is_whole(files: pyarrow.fs.FileSystem, entry: Entry) -> bool:
    """Whether a file is in place with the content it should have."""
    try:
        return digest_of(files, entry.path) == entry.sha256
    except MissingFileError:
        return False


def _open_tables(target: Target, manifest: Manifest) -> None:
    """Let the tables be opened, if the root holds what the backup holds and nothing else; and see that they do."""
    lake, present = target.root, _present(target.root)
    _refuse_strangers(lake, manifest, present)
    is_whole = {f.path: f.size for f in manifest.files}.items() <= present.items()
    if is_whole:
        for_each(_gaps(manifest), lambda path: remove(target, path), lambda _: None)
        settle(target)
    if not (is_whole and manifest.tables == _opened(lake, manifest.tables) == table_versions(lake)):
        raise LakeError(
            f"{lake} is not what the backup holds: something else writes there. Stop it (the Dagster daemon?), empty "
            "the place and restore again."
        )


def _opened(lake: Root, names: Iterable[str]) -> dict[str, int | None]:
    """Versions of tables as they open."""

    def version(name: str) -> int | None:
        stored = open_any(lake, name)
        return stored.version() if stored is not None else None

    with ThreadPoolExecutor(8) as pool:
        return dict(pool.map(lambda name: (name, version(name)), names))
