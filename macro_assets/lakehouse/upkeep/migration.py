"""Tables of an older layout are brought to the present one: each in one commit, in an order that loses nothing.

What changes from version to version is declared in `layout.py` and `renames.py`. The version before stays in a table's
history; a migration that was interrupted goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl
from deltalake import DeltaTable

from macro_assets.lakehouse import fingerprints
from macro_assets.lakehouse.delta import LakeError, logged_files, open_any, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import (
    MOVES,
    RETIRED,
    SCHEMA_VERSION,
    Move,
    Step,
    is_due,
    steps_due,
    written_version,
)
from macro_assets.lakehouse.renames import is_concerned
from macro_assets.lakehouse.upkeep.copying import listing, open_target, remove, remove_folder
from macro_assets.lakehouse.upkeep.damage import LOG
from macro_assets.lakehouse.upkeep.renaming import all_rows, belonging, has_old_ids, present_rows, tables_before
from macro_assets.lakehouse.write import append_computed, conform, replace_rows


@dataclass(frozen=True)
class Migration:
    """A table of an older layout, the version it was written with, and its rows; or those that come from another."""

    table_name: str
    written: int
    rows: int


def migrations_due(lake: Lakehouse) -> list[Migration]:
    """What must be migrated before this macro_assets reads it, tables first that get rows of others.

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
        if stored is not None and _is_due(name, stored):
            due.append(Migration(name, written_version(stored), int(stored.count())))
        elif coming := _coming(lake, name):
            due.append(Migration(name, min(v for v, _ in coming), sum(rows.height for _, rows in coming)))
    return moved + due


def _is_due(name: str, stored: DeltaTable) -> bool:
    return is_due(name, written_version(stored)) or has_old_ids(name, stored)


def _to_be_moved(lake: Lakehouse, name: str, move: Move) -> list[tuple[DeltaTable, pl.DataFrame]]:
    """The table that rows are moved from, if it is older than the move, with those of months that the other lacks."""
    source, target = open_any(lake.root, move.source), open_any(lake.root, name)
    if source is None or written_version(source) >= move.version:
        return []
    rows = all_rows(move.source, source)
    if target is not None:
        rows = _of_other_months(rows, all_rows(name, target))
    return [(source, rows)] if rows.height else []


def _of_other_months(rows: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    return rows.join(stored, on="as_of_month", how="anti")


def _by_table(lake: Lakehouse, name: str, stored: DeltaTable) -> dict[str, pl.DataFrame]:
    """The rows of a table in the present layout, by the table that they belong to now."""
    return belonging(lake, name, present_rows(name, stored), written_version(stored))


def _coming(lake: Lakehouse, name: str) -> list[tuple[int, pl.DataFrame]]:
    """Rows of other tables that belong to this one now and that it lacks, with the version of the table they are in."""
    before = {n: open_any(lake.root, n) for n in tables_before(name)}
    older = {n: t for n, t in before.items() if t is not None and is_concerned(n, written_version(t))}
    if not older:
        return []
    stored = open_any(lake.root, name)
    found = []
    for other, table in older.items():
        rows = _by_table(lake, other, table).get(name)
        if rows is not None and stored is not None:
            rows = _lacking(lake, name, rows, all_rows(name, stored).lazy())
        if rows is not None and rows.height:
            found.append((written_version(table), rows))
    return found


def _lacking(lake: Lakehouse, name: str, rows: pl.DataFrame, stored: pl.LazyFrame) -> pl.DataFrame:
    """Those of some rows that a table does not have."""
    return rows.lazy().join(stored, on=lake.table(name).key, how="anti", maintain_order="left").collect()


def migrate(lake: Lakehouse, name: str) -> None:
    """Bring one table to the present layout, in one commit; the version before stays in its history.

    Rows that stood in another table so far are added to it. Where rows of it belong to another table now, that one gets
    them before they leave this one.

    Raises
    ------
    LakeError
        When there is no such table, or the step does not give what the catalog says; the table is then as it was.
    """
    if (move := MOVES.get(name)) and (moved := _to_be_moved(lake, name, move)):
        ((source, rows),) = moved
        written = written_version(source)
        new = _after(move.source, rows, [*steps_due(move.source, written, move.version), move.step])
        conform(new, lake.table(name))  # before a table is made that would stay empty
        append_computed(lake, name, lambda stored: _of_other_months(new, stored.collect()), _migrated(written))
        return
    stored, coming = open_any(lake.root, name), _coming(lake, name)
    if stored is None and not coming:
        raise LakeError(f"there is no table {name} at {lake.root / name} to migrate")
    if stored is None or not _is_due(name, stored):
        for written, rows in coming:
            append_computed(lake, name, partial(_lacking, lake, name, rows), _migrated(written))
        return
    fingerprints.refuse_changed(lake.root, name, logged_files(stored))
    by_table = _by_table(lake, name, stored)
    own = by_table.pop(name)
    for other in by_table:
        migrate(lake, other)
    rows = pl.concat([own, *(new for _, new in coming)], how="diagonal")
    replace_rows(lake, name, stored, rows, _migrated(written_version(stored)))


def _migrated(written: int) -> dict[str, str]:
    return {"purpose": f"migration {written} to {SCHEMA_VERSION}"}


def _after(name: str, frame: pl.DataFrame, steps: Sequence[Step]) -> pl.DataFrame:
    """Rows of a table after the steps of a migration."""
    for step in steps:
        frame = step(frame, name)
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
