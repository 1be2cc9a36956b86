"""Upkeep: delete rows past their retention, merge small files, remove files of versions nobody can read any more.

Writing steps keep tables in shape themselves (`write.compact`); this does the rest, for every table of the catalog.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
from deltalake.exceptions import DeltaError

from macro_assets.catalog import Table
from macro_assets.lakehouse import fingerprints
from macro_assets.lakehouse.delta import LakeError, logged_files, open_table, reason
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.paths import Root, filesystem
from macro_assets.lakehouse.upkeep.copying import listing, open_target, remove
from macro_assets.lakehouse.write import compact, overwrite_computed

VACUUM_HOURS = 30 * 24
"""Age of a data file that no version newer than that needs, after which it is removed: no reader is older."""

LARGE_BYTES = 128 * 2**20
"""Files are merged up to this size."""


@dataclass(frozen=True)
class Upkeep:
    """What was done to one table. Files and bytes count every data file on the disk, those of old versions included."""

    table_name: str
    started_at: datetime
    rows_before: int
    rows_after: int
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    seconds: float


def maintain(lake: Lakehouse, now: datetime) -> Iterator[Upkeep]:
    """Keep up every table of the catalog that is in the lake, one after the other.

    Raises
    ------
    LakeError
        When a table cannot be read or written; those before it are done.
    """
    for name in lake.catalog.tables:
        if open_table(lake.root, name) is not None:
            yield maintain_table(lake, name, now)


def maintain_table(lake: Lakehouse, name: str, now: datetime) -> Upkeep:
    """Keep up one table."""
    started = time.perf_counter()
    root, table = lake.root, lake.table(name)
    rows, (files, size) = _rows(root, name), _on_disk(root, name)
    if table.retention is not None:
        fingerprints.refuse_changed(root, name, _files(root, name))
        overwrite_computed(lake, name, _kept(table, now), {"purpose": "retention"})
    target = open_table(root, name)
    if target is not None:
        with _keeping_up(root, name):
            compact(root, name, target, max_files=1, target_bytes=LARGE_BYTES)
            # full: also what killed writers left, which no version ever named
            target.vacuum(retention_hours=VACUUM_HOURS, dry_run=False, enforce_retention_duration=True, full=True)
            _remove_half_written(root, name)
            _remove_old_records(root, name)
    files_after, size_after = _on_disk(root, name)
    return Upkeep(
        table_name=name,
        started_at=now,
        rows_before=rows,
        rows_after=_rows(root, name),
        files_before=files,
        files_after=files_after,
        bytes_before=size,
        bytes_after=size_after,
        seconds=time.perf_counter() - started,
    )


@contextmanager
def _keeping_up(root: Root, name: str) -> Iterator[None]:
    """Errors of the store (no space, no permission) become one that names the table."""
    try:
        yield
    except (DeltaError, OSError) as error:
        raise LakeError(
            f"table {name} at {root / name} cannot be compacted and cleaned: {reason(error)}. Its rows are "
            "as they were. Make room or change the permissions, then run it again."
        ) from error


def _remove_half_written(root: Root, name: str) -> None:
    """Remove files that killed writers did not finish: `...#1`, which the object store shows to no vacuum."""
    if not isinstance(root, Path):
        return
    oldest = time.time() - VACUUM_HOURS * 3600
    for file in (root / name).rglob("*#*"):
        if file.stat().st_mtime < oldest:
            file.unlink()


def _remove_old_records(root: Root, name: str) -> None:
    """Remove what is on record of data files that are no more. A file is removed only long after it was recorded."""
    place, oldest = open_target(root, ""), time.time() - VACUUM_HOURS * 3600
    found = listing(root, name)
    for path in [p for p, info in found.items() if info.mtime_ns < oldest * 1e9]:
        file = fingerprints.told_by([path])
        if file and not found.keys() & file.keys():
            remove(place, path)


def _kept(table: Table, now: datetime) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The rows within a table's retention, as a function of its rows. A row without a time is kept."""

    def kept(stored: pl.DataFrame) -> pl.DataFrame:
        if table.retention is None:
            return stored
        clock = pl.col(table.retention.column)
        first = pl.lit(now).dt.offset_by(f"-{table.retention.years}y")
        return stored.filter(clock.is_null() | (clock.cast(pl.Datetime("us", "UTC")) >= first))

    return kept


def _files(root: Root, name: str) -> list[str]:
    stored = open_table(root, name)
    return [*logged_files(stored)] if stored is not None else []


def _rows(root: Root, name: str) -> int:
    stored = open_table(root, name)
    return int(stored.count()) if stored is not None else 0


def _on_disk(root: Root, name: str) -> tuple[int, int]:
    """Data files of a table and their bytes, whether the current version needs them or not."""
    from pyarrow.fs import FileSelector

    files = [
        f
        for f in filesystem(root).get_file_info(FileSelector(name, allow_not_found=True, recursive=True))
        if f.path.endswith(".parquet") and "/_delta_log/" not in f.path
    ]
    return len(files), sum(f.size for f in files)
