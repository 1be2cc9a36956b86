"""Backups of the lake: take one, prove one, restore one; a folder or S3 on either side.

A destination holds `objects/<2 hex>/<sha256>`, each the content of one or many files, and one manifest per backup. An
object is named by a manifest only when it is whole and in place, so that a backup that was killed leaves the others as
they were, and running it again copies what is missing. How files are copied is in `copying.py`, which ones in
`snapshot.py`.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from macro_assets.lakehouse.delta import LakeError, open_any, table_versions
from macro_assets.lakehouse.paths import Root, S3Root, filesystem
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
from macro_assets.lakehouse.upkeep.manifests import (
    FOLDER,
    OBJECTS,
    Entry,
    Manifest,
    decode,
    encode,
    object_path,
    objects_of,
    taken_at,
)
from macro_assets.lakehouse.upkeep.snapshot import LOG, Snapshot, take
from macro_assets.lakehouse.vintages import instant

if TYPE_CHECKING:
    import pyarrow.fs

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how many bytes of how many are. Called in the caller's thread."""

_PARTIAL = "partial"
_RESTORING = ".restoring"
_MARKER = f"{_RESTORING}/marker.json"
_CLOSED = b'{"commitInfo":{"operation":"macro restore has not finished here: run it again"}}\n'
_ATTEMPTS = 3


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds, and what it cost. `bytes` = `bytes_copied` + `bytes_reused`; equal files are copied once."""

    manifest: str
    taken_at: datetime
    tables: int
    files: int
    bytes: int
    files_copied: int
    bytes_copied: int
    manifests_pruned: int
    bytes_pruned: int
    seconds: float

    @property
    def bytes_reused(self) -> int:
        """Bytes that the destination had already."""
        return self.bytes - self.bytes_copied


@dataclass(frozen=True)
class VerifyReport:
    """What was read of a backup, and what is wrong, by file of the lake."""

    manifest: str
    taken_at: datetime
    tables: int
    files: int
    bytes: int
    problems: Mapping[str, str]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the backup can be restored."""
        return not self.problems


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


# --- taking a backup -----------------------------------------------------------------------------------------------


@dataclass
class _Destination:
    """What a backup knows of its destination, and has copied there so far."""

    target: Target
    held: dict[str, int]  # sizes of the objects, by path
    known: dict[tuple[str, int, int], str]  # SHA-256 by path, size and time of files that are never written again
    new: set[str] = field(default_factory=set)  # objects copied by this backup, by path


def backup(
    lake: Root, destination: Root, keep_days: int | None = None, progress: Progress | None = None
) -> BackupReport:
    """Copy the lake to a destination, as far as it is not there yet.

    Tables are copied at versions that were current together, whatever is written meanwhile. A file of a table that has
    the path, size and time it had in the latest backup of this lake is not read again.

    Parameters
    ----------
    keep_days
        Remove the backups that are older than that, never the newest, and what only they need. None removes nothing.

    Raises
    ------
    LakeError
        When there is nothing to back up, a table is damaged or half restored, the destination cannot be used or
        another process is writing there. Earlier backups are then as they were.
    """
    began = time.monotonic()
    if keep_days is not None and keep_days < 0:
        raise LakeError(f"backups cannot be kept for {keep_days} days; expected 0 or more")
    _refuse_nested(lake, destination)
    if is_half_restored(lake):
        raise LakeError(f"the lake at {lake} is half restored. Run that `macro restore` again first: it goes on.")
    _refuse_other_content(destination)
    target = open_target(destination, _PARTIAL)
    with alone(target) as prolong:
        latest = _latest(destination)
        there = _Destination(target, _objects(destination), {})
        if latest is not None and latest.lake == str(lake):
            there.known.update({(f.path, f.size, f.mtime_ns): f.sha256 for f in latest.files})
        manifest = _copied(lake, there, _also(prolong, progress))
        if latest is not None and manifest.taken_at <= latest.taken_at:  # a clock that was set back
            manifest = replace(manifest, taken_at=latest.taken_at + timedelta(microseconds=1))
        settle(target, OBJECTS)
        put(target, manifest.path, encode(manifest))
        settle(target, FOLDER)
        pruned = _prune(target, manifest, keep_days, prolong) if keep_days is not None else (0, 0)
    objects = {object_path(f.sha256): f.size for f in manifest.files}
    copied = [size for path, size in objects.items() if path in there.new]
    return BackupReport(
        manifest=manifest.path,
        taken_at=manifest.taken_at,
        tables=len(manifest.tables),
        files=len(manifest.files),
        bytes=manifest.size,
        files_copied=len(copied),
        bytes_copied=sum(copied),
        manifests_pruned=pruned[0],
        bytes_pruned=pruned[1],
        seconds=time.monotonic() - began,
    )


def _copied(lake: Root, there: _Destination, progress: Progress) -> Manifest:
    """Copy the lake; from a fresh look at all of it when a file vanishes, so that the tables still fit together."""
    for _ in range(_ATTEMPTS):
        try:
            snapshot = take(lake)
            entries = _copy(lake, snapshot, there, progress)
        except MissingFileError as error:
            missing = error
            continue
        return Manifest(snapshot.taken_at, str(lake), snapshot.tables, tuple(sorted(entries, key=lambda e: e.path)))
    raise LakeError(
        f"the lake at {lake} cannot be backed up: {missing} is missing or damaged, {_ATTEMPTS} looks found. "
        "`macro doctor` says more, `macro doctor --repair` goes back to the last good version; then back up again. "
        "Earlier backups are as they were."
    )


def _copy(lake: Root, snapshot: Snapshot, there: _Destination, progress: Progress) -> list[Entry]:
    """Copy the files of a snapshot that the destination lacks; all files, as they are copied."""
    files = filesystem(lake)
    total = sum(info.size for info in snapshot.files.values())
    entries: list[Entry] = []
    done_bytes = 0

    def copy(path: str) -> Entry:
        return _copy_file(files, snapshot, path, there)

    def done(entry: Entry) -> None:
        nonlocal done_bytes
        entries.append(entry)
        if entry.path in snapshot.immutable:
            there.known[entry.path, entry.size, entry.mtime_ns] = entry.sha256
        done_bytes += snapshot.files[entry.path].size
        progress("backup", done_bytes, total)

    for_each(snapshot.files, copy, done)
    return entries


def _copy_file(files: pyarrow.fs.FileSystem, snapshot: Snapshot, path: str, there: _Destination) -> Entry:
    """The file, copied unless the destination has its content."""
    info = snapshot.files[path]
    if path in snapshot.immutable:
        sha256 = there.known.get((path, info.size, info.mtime_ns))
        if sha256 is not None and there.held.get(object_path(sha256)) == info.size:
            return Entry(path, info.size, sha256, info.mtime_ns)
    with fetched(files, path, there.target) as content:
        place_of_object = object_path(content.sha256)
        if there.held.get(place_of_object) != content.size:
            place(there.target, content, place_of_object)
            there.held[place_of_object] = content.size
            there.new.add(place_of_object)
        return Entry(path, content.size, content.sha256, info.mtime_ns)


def _prune(target: Target, newest: Manifest, keep_days: int, prolong: Callable[[], None]) -> tuple[int, int]:
    """Remove old manifests and the objects no other names; how many manifests, how many bytes of objects."""
    root = target.root
    until = newest.taken_at - timedelta(days=keep_days)  # the newest itself is never before it
    moments = _manifests(root)
    old = [path for path, moment in moments.items() if moment < until]
    try:
        named = objects_of(_read(root, path) for path in moments if path not in old)
    except LakeError as error:
        raise LakeError(f"the backup {newest.path} is complete, but no older one was removed: {error}") from None
    for path in old:  # before their objects
        remove(target, path)
    settle(target, FOLDER)
    unnamed = {path: size for path, size in _objects(root).items() if path not in named}
    for_each(unnamed, lambda path: remove(target, path), lambda _: prolong())
    return len(old), sum(unnamed.values())


# --- what is there -------------------------------------------------------------------------------------------------


def backups(destination: Root) -> list[datetime]:
    """When the backups at a destination were taken, oldest first."""
    return list(_manifests(destination).values())


def _manifests(root: Root) -> dict[str, datetime]:
    """Instants of the manifests by path, oldest first."""
    moments = {path: taken_at(path) for path in sorted(listing(root, FOLDER))}
    return {path: moment for path, moment in moments.items() if moment is not None}


def _objects(root: Root) -> dict[str, int]:
    """Sizes of the objects by path."""
    sizes = {path: int(info.size) for path, info in listing(root, OBJECTS).items()}
    return {path: size for path, size in sizes.items() if path == object_path(path.rpartition("/")[2])}


def _read(root: Root, path: str) -> Manifest:
    try:
        return decode(path, read_whole(filesystem(root), path))
    except MissingFileError:
        raise LakeError(f"manifest {path} at {root} is missing: that backup was removed. Choose another.") from None


def _latest(root: Root) -> Manifest | None:
    """The newest manifest, to see what need not be read again; a damaged one helps as little as none."""
    moments = _manifests(root)
    if not moments:
        return None
    path, moment = list(moments.items())[-1]
    try:
        return _read(root, path)
    except LakeError:
        return Manifest(moment, "", {}, ())


def _choose(root: Root, at: str | date | datetime | None) -> Manifest:
    """The newest manifest, or the newest at or before an instant."""
    moments = _manifests(root)
    if not moments:
        raise LakeError(f"there is no backup at {root}. `macro backup {root}` makes one, or name the place of yours.")
    wanted = [path for path, moment in moments.items() if at is None or moment <= instant(at)]
    if not wanted:
        oldest = next(iter(moments.values()))
        raise LakeError(f"no backup at {root} is as old as {at}; the oldest is of {oldest.isoformat()}.")
    return _read(root, wanted[-1])


def _refuse_nested(lake: Root, backups_at: Root) -> None:
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


def _refuse_other_content(destination: Root) -> None:
    """Refuse a place that is in use for something else, a lake or a home folder."""
    from pyarrow.fs import FileSelector

    try:
        found = filesystem(destination).get_file_info(FileSelector("", allow_not_found=True))
    except OSError as error:
        raise LakeError(f"{destination} cannot be read: {error}. Name a folder or an S3 prefix of its own.") from None
    names = {info.base_name for info in found}
    if names and not names & {OBJECTS, FOLDER, _PARTIAL}:
        raise LakeError(
            f"{destination} holds something else ({', '.join(sorted(names)[:3])}); backups need an empty place, or one "
            "that has backups already. Nothing was written."
        )


def _also(prolong: Callable[[], None], progress: Progress | None) -> Progress:
    """Prolong the lock whenever progress is told."""

    def tell(what: str, done: int, total: int) -> None:
        prolong()
        if progress is not None:
            progress(what, done, total)

    return tell


# --- proving a backup ----------------------------------------------------------------------------------------------


def verify(
    destination: Root, at: str | date | datetime | None = None, progress: Progress | None = None
) -> VerifyReport:
    """Read every object of a backup and compare its SHA-256.

    Parameters
    ----------
    at
        The newest backup at or before that instant; default the newest. A bare date means its end in UTC.

    Raises
    ------
    LakeError
        When there is no such backup or its manifest is damaged. What is wrong with objects is in the report.
    """
    began = time.monotonic()
    manifest = _choose(destination, at)
    files = filesystem(destination)
    sharing: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in manifest.files:
        sharing[entry.sha256].append(entry)
    total = sum(entries[0].size for entries in sharing.values())
    problems: dict[str, str] = {}
    done_bytes = 0

    def done(result: tuple[str, str | None]) -> None:
        nonlocal done_bytes
        sha256, problem = result
        if problem:
            problems.update({entry.path: problem for entry in sharing[sha256]})
        done_bytes += sharing[sha256][0].size
        if progress is not None:
            progress("verify", done_bytes, total)

    for_each(sharing, lambda sha256: (sha256, _problem(files, sha256)), done)
    return VerifyReport(
        manifest=manifest.path,
        taken_at=manifest.taken_at,
        tables=len(manifest.tables),
        files=len(manifest.files),
        bytes=manifest.size,
        problems=dict(sorted(problems.items())),
        seconds=time.monotonic() - began,
    )


def _problem(files: pyarrow.fs.FileSystem, sha256: str) -> str | None:
    """What is wrong with an object; None when nothing is."""
    path = object_path(sha256)
    try:
        found = digest_of(files, path)
    except MissingFileError:
        return f"object {path} is missing"
    except LakeError as error:
        return str(error)
    return None if found == sha256 else f"object {path} is damaged"


# --- restoring -----------------------------------------------------------------------------------------------------


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
    _refuse_nested(lake, source)
    manifest = _to_restore(source, lake, at)
    _refuse_lacking(source, manifest)
    target = open_target(lake, _RESTORING)
    with alone(target) as prolong:
        put(target, _MARKER, json.dumps({"manifest": manifest.path}).encode())
        present = _present(lake)
        _refuse_strangers(lake, manifest, present)
        for path in _gaps(manifest):
            put(target, path, _CLOSED)
        copied = _place_all(source, target, manifest, present, _also(prolong, progress))
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
        return _choose(source, at)
    manifest = _read(source, begun) if at is None else _choose(source, at)
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
    held = _objects(source)
    bad = [f for f in manifest.files if held.get(object_path(f.sha256)) != f.size]
    if bad:
        raise LakeError(_unusable(manifest, bad[0], "missing or has another size", len(bad) - 1))


def _refuse_strangers(lake: Root, manifest: Manifest, present: Iterable[str]) -> None:
    ours = {f.path for f in manifest.files} | set(_gaps(manifest))
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
