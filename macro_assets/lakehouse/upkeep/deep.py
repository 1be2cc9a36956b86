"""Reading all data files and comparing them with what was written.

Pages of Parquet have no checksum here: a flipped bit is read as another figure, and nothing else would notice.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from macro_assets.lakehouse.delta import LakeError, logged_files, table_versions
from macro_assets.lakehouse.fingerprints import record, recorded, sha256_of
from macro_assets.lakehouse.paths import Root, filesystem
from macro_assets.lakehouse.upkeep.copying import for_each
from macro_assets.lakehouse.upkeep.damage import CHANGED, UNREADABLE, Fault, is_parquet, opened, readable
from macro_assets.lakehouse.upkeep.destination import Progress

if TYPE_CHECKING:
    import pyarrow.fs


@dataclass(frozen=True)
class Comparison:
    """What was compared, what it cost, and what was found.

    Parameters
    ----------
    faults
        What is wrong, by table.
    new
        Data files that were not on record, by table.
    untaken
        Why those could not be put on record.
    """

    tables: int
    files: int
    bytes: int
    seconds: float
    faults: Mapping[str, Sequence[Fault]]
    new: Mapping[str, Sequence[str]]
    untaken: str | None


@dataclass(frozen=True)
class _File:
    """A data file of a table's version; `written` is the SHA-256 on record."""

    table: str
    version: int
    path: str
    size: int
    written: str | None


@dataclass(frozen=True)
class _Seen:
    """A file that was read: its SHA-256, and what is wrong with it."""

    file: _File
    sha256: str
    problem: str | None


def compare(root: Root, take: bool = True, progress: Progress | None = None) -> Comparison:
    """Read the data files of every table's version and compare their SHA-256 with what is on record.

    Files that are not on record are read as Parquet, and put on record if that goes well. Tables that cannot be opened,
    and files that are missing or have another size than logged, are for `damage.examine` to tell.

    Parameters
    ----------
    take
        Whether files are put on record.

    Raises
    ------
    LakeError
        When the lake cannot be read.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        by_table = pool.map(lambda name: _files(root, name), sorted(table_versions(root)))
        files = [file for found in by_table for file in found]
    total, done_bytes, seen = sum(file.size for file in files), 0, []

    def done(one: _Seen | None) -> None:
        nonlocal done_bytes
        if one is not None:
            seen.append(one)
            done_bytes += one.file.size
            if progress is not None:
                progress("compare", done_bytes, total)

    for_each(files, lambda file: _look(filesystem(root / file.table), file), done)
    seconds = time.monotonic() - began
    faults: defaultdict[str, list[Fault]] = defaultdict(list)
    new: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for one in sorted(seen, key=lambda s: (s.file.table, s.file.path)):
        if one.problem is not None:
            fault = Fault(one.file.table, one.file.version, one.file.path, one.problem, one.file.written)
            faults[one.file.table].append(fault)
        elif one.file.written is None:
            new[one.file.table][one.file.path] = one.sha256
    return Comparison(
        tables=len({one.file.table for one in seen}),
        files=len(seen),
        bytes=done_bytes,
        seconds=seconds,
        faults=dict(faults),
        new={name: list(hashes) for name, hashes in new.items()},
        untaken=_take(root, new) if take else None,
    )


def _take(root: Root, new: Mapping[str, Mapping[str, str]]) -> str | None:
    """Put files on record; why that could not be done."""
    try:
        for name, hashes in new.items():
            record(root, name, hashes)
    except LakeError as error:
        return str(error)
    return None


def _files(root: Root, name: str) -> list[_File]:
    """The data files of a table's version, each with what is on record of it; none of one that cannot be opened."""
    try:
        with readable(name):
            stored, known = opened(root, name), recorded(root, name)
            logged = logged_files(stored)
    except LakeError:
        return []
    return [_File(name, stored.version(), path, size, known.get(path)) for path, size in logged.items()]


def _look(files: pyarrow.fs.FileSystem, file: _File) -> _Seen | None:
    """Read a file; None where it is not what the log says it is."""
    if files.get_file_info(file.path).size != file.size:
        return None
    try:
        sha256 = sha256_of(files, file.path)
    except OSError as error:
        raise LakeError(f"table {file.table}: file {file.path} cannot be read: {error}.") from error
    if sha256 == file.written:
        return _Seen(file, sha256, None)
    if not is_parquet(files, file.path):
        return _Seen(file, sha256, UNREADABLE)
    return _Seen(file, sha256, CHANGED if file.written is not None else None)
