"""Upkeep: delete rows past their retention, merge small files, remove files of versions nobody can read any more.

Writing steps keep tables in shape themselves (`write.compact`); this does the rest, for every table of the catalog.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from macro_assets.catalog import Table
from macro_assets.lakehouse.delta import LakeError, open_any, open_table, reading, reason, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import MOVES, RETIRED, SCHEMA_VERSION, Move, Step, steps_due, written_version
from macro_assets.lakehouse.paths import Root, filesystem
from macro_assets.lakehouse.upkeep.copying import listing, open_target, remove, remove_folder
from macro_assets.lakehouse.upkeep.damage import LOG
from macro_assets.lakehouse.write import append_computed, compact, conform, overwrite_computed, replace_rows

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
        overwrite_computed(lake, name, _kept(table, now), {"purpose": "retention"})
    target = open_table(root, name)
    if target is not None:
        with _keeping_up(root, name):
            compact(target, max_files=1, target_bytes=LARGE_BYTES)
            # full: also what killed writers left, which no version ever named
            target.vacuum(retention_hours=VACUUM_HOURS, dry_run=False, enforce_retention_duration=True, full=True)
            _remove_half_written(root, name)
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


def _kept(table: Table, now: datetime) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The rows within a table's retention, as a function of its rows. A row without a time is kept."""

    def kept(stored: pl.DataFrame) -> pl.DataFrame:
        if table.retention is None:
            return stored
        clock = pl.col(table.retention.column)
        first = pl.lit(now).dt.offset_by(f"-{table.retention.years}y")
        return stored.filter(clock.is_null() | (clock.cast(pl.Datetime("us", "UTC")) >= first))

    return kept


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


@dataclass(frozen=True)
class Migration:
    """A table of an older layout, the version it was written with, and its rows."""

    table_name: str
    written: int
    rows: int


def migrations_due(lake: Lakehouse) -> list[Migration]:
    """The tables that must be migrated before this macro_assets reads them, those first that get rows of others.

    Raises
    ------
    LakeError
        When a table cannot be opened.
    """
    moved = [
        Migration(name, written_version(source), rows.height)
        for name, move in MOVES.items()
        for source, rows in _to_be_moved(lake, name, move)
    ]
    due = []
    for name in lake.catalog.tables:
        stored = open_any(lake.root, name)
        if stored is not None and steps_due(name, written_version(stored)):
            due.append(Migration(name, written_version(stored), int(stored.count())))
    return moved + due


def _to_be_moved(lake: Lakehouse, name: str, move: Move) -> list[tuple[DeltaTable, pl.DataFrame]]:
    """The table that rows are moved from, if it is older than the move, with those of months that the other lacks."""
    source, target = open_any(lake.root, move.source), open_any(lake.root, name)
    if source is None or written_version(source) >= move.version:
        return []
    rows = _all_rows(move.source, source)
    if target is not None:
        rows = _of_other_months(rows, _all_rows(name, target))
    return [(source, rows)] if rows.height else []


def _of_other_months(rows: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    return rows.join(stored, on="as_of_month", how="anti")


def migrate(lake: Lakehouse, name: str) -> None:
    """Bring one table to the present layout, in one commit; the version before stays in its history.

    Of one that gets rows which stood in another so far, the other stays as it is, and so do months that it has already.

    Raises
    ------
    LakeError
        When there is no such table, or the step does not give what the catalog says; the table is then as it was.
    """
    if (move := MOVES.get(name)) and (moved := _to_be_moved(lake, name, move)):
        ((source, rows),) = moved
        written = written_version(source)
        new = _after(rows, [*steps_due(move.source, written, move.version), move.step])
        conform(new, lake.table(name))  # before a table is made that would stay empty
        append_computed(lake, name, lambda stored: _of_other_months(new, stored.collect()), _migrated(written))
        return
    stored = open_any(lake.root, name)
    if stored is None:
        raise LakeError(f"there is no table {name} at {lake.root / name} to migrate")
    written = written_version(stored)
    frame = _after(_all_rows(name, stored), steps_due(name, written))
    replace_rows(lake, name, stored, frame, _migrated(written))


def _migrated(written: int) -> dict[str, str]:
    return {"purpose": f"migration {written} to {SCHEMA_VERSION}"}


def _all_rows(name: str, stored: DeltaTable) -> pl.DataFrame:
    """The rows of a table in whatever columns it was written with."""
    with reading(name, stored.version()):
        return pl.DataFrame(pl.from_arrow(stored.to_pyarrow_table()))


def _after(frame: pl.DataFrame, steps: Sequence[Step]) -> pl.DataFrame:
    """Rows after the steps of a migration."""
    for step in steps:
        frame = step(frame)
    return frame


def retired_tables(lake: Lakehouse) -> list[str]:
    """The tables of earlier versions that the lake still has: computed ones, in whose place there are others."""
    return sorted(table_versions(lake.root).keys() & RETIRED.keys())


def remove_retired(lake: Lakehouse, name: str) -> None:
    """Remove a table of an earlier version with its history; what was taken in, from which it was computed, stays.

    Its log goes last: a removal that is interrupted is found again and goes on.

    Raises
    ------
    LakeError
        When it is not retired, has rows that are still to be moved, or its files cannot be removed.
    """
    if name not in RETIRED:
        raise LakeError(f"table {name} is not retired; it was left as it is")
    if waiting := [n for n, move in MOVES.items() if move.source == name and _to_be_moved(lake, n, move)]:
        raise LakeError(f"table {name} has rows that {waiting[0]} does not have yet; it was left as it is")
    place = open_target(lake.root, "")
    for file in listing(lake.root, name):
        if not file.startswith(f"{name}/{LOG}/"):
            remove(place, file)
    remove_folder(place, name)
