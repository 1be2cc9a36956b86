"""Taking a backup of the lake, into a folder or S3.

An object is named by a manifest only when it is whole and in place, so that a backup that was killed leaves the others
as they were, and running it again copies what is missing. Which files are copied is in ``snapshot.py``, how in
``copying.py``, what a destination holds in ``destination.py``; ``verify.py`` proves a backup, ``restore.py`` is the way
back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.paths import Root, filesystem
from macro_assets.lakehouse.upkeep.copying import (
    MissingFileError,
    Target,
    alone,
    fetched,
    for_each,
    open_target,
    place,
    put,
    remove,
    settle,
)
from macro_assets.lakehouse.upkeep.destination import (
    PARTIAL,
    Progress,
    latest,
    manifests_at,
    objects_at,
    prolonging,
    read_manifest,
    refuse_nested,
    refuse_other_content,
)
from macro_assets.lakehouse.upkeep.manifests import (
    FOLDER,
    OBJECTS,
    Entry,
    Manifest,
    encode,
    object_path,
    objects_of,
)
from macro_assets.lakehouse.upkeep.restore import is_half_restored
from macro_assets.lakehouse.upkeep.snapshot import Snapshot, take

if TYPE_CHECKING:
    import pyarrow.fs

_ATTEMPTS = 3
"""Looks at the lake before a backup gives up on files that vanish."""


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


@dataclass
class _Destination:
    """What a backup knows of its destination, and has copied there so far."""

    target: Target
    held: dict[str, int]  # sizes of the objects, by path
    known: dict[tuple[str, int, int], str]  # SHA-256 by path, size and time of files that are never written again
    before: dict[str, str]  # SHA-256 by path, in the latest backup of this lake
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
    refuse_nested(lake, destination)
    if is_half_restored(lake):
        raise LakeError(f"the lake at {lake} is half restored. Run that `macro restore` again first: it goes on.")
    refuse_other_content(destination)
    target = open_target(destination, PARTIAL)
    with alone(target) as prolong:
        before = latest(destination)
        there = _Destination(target, objects_at(destination), {}, {})
        if before is not None and before.lake == str(lake):
            there.known.update({(f.path, f.size, f.mtime_ns): f.sha256 for f in before.files})
            there.before.update({f.path: f.sha256 for f in before.files})
        manifest = _copied(lake, there, prolonging(prolong, progress))
        if before is not None and manifest.taken_at <= before.taken_at:  # a clock that was set back
            manifest = replace(manifest, taken_at=before.taken_at + timedelta(microseconds=1))
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
            _refuse_changed(snapshot, there, path, sha256)
            return Entry(path, info.size, sha256, info.mtime_ns)
    with fetched(files, path, there.target) as content:
        _refuse_changed(snapshot, there, path, content.sha256)
        place_of_object = object_path(content.sha256)
        if there.held.get(place_of_object) != content.size:
            place(there.target, content, place_of_object)
            there.held[place_of_object] = content.size
            there.new.add(place_of_object)
        return Entry(path, content.size, content.sha256, info.mtime_ns)


def _refuse_changed(snapshot: Snapshot, there: _Destination, path: str, sha256: str) -> None:
    """Refuse a data file with other content than when it was written, or than the backup before has under its name."""
    table = snapshot.table_of(path)
    if table is None:
        return
    for told, written in (("was written", snapshot.recorded.get(path)), ("was backed up", there.before.get(path))):
        if written not in (None, sha256):
            raise LakeError(
                f"table {table}, version {snapshot.tables[table]}: file {path} has other content than {told}. It is "
                "damaged, and no backup was taken of it; earlier backups are as they were. `macro doctor --deep` says "
                "what to do; then back up again."
            )


def _prune(target: Target, newest: Manifest, keep_days: int, prolong: Callable[[], None]) -> tuple[int, int]:
    """Remove old manifests and the objects no other names; how many manifests, how many bytes of objects."""
    root = target.root
    until = newest.taken_at - timedelta(days=keep_days)  # the newest itself is never before it
    moments = manifests_at(root)
    old = [path for path, moment in moments.items() if moment < until]
    try:
        named = objects_of(read_manifest(root, path) for path in moments if path not in old)
    except LakeError as error:
        raise LakeError(f"the backup {newest.path} is complete, but no older one was removed: {error}") from None
    for path in old:  # before their objects
        remove(target, path)
    settle(target, FOLDER)
    unnamed = {path: size for path, size in objects_at(root).items() if path not in named}
    for_each(unnamed, lambda path: remove(target, path), lambda _: prolong())
    return len(old), sum(unnamed.values())
