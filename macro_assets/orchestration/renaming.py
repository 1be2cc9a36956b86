"""Assets of renamed series get their history under the new key: what was materialized stays so, in the UI too.

Plain SQL on the tables of Dagster 1.13's event log, SQLite or Postgres, through the storage's own connection: one
transaction for each database, that of the index last, so that what was interrupted is found again. What runs and
backfills say that they were asked for, what automation noted of its ticks, and cursors stay as they were.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Checks
from dagster._core.storage.event_log.schema import AssetEventTagsTable as Tags
from dagster._core.storage.event_log.schema import AssetKeyTable as Keys
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import Table, bindparam, delete, exists, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from macro_assets.catalog import names
from macro_assets.lakehouse.renames import Place
from macro_assets.orchestration.describe import key

_AT_ONCE = 1000

_OF_CHECKS = ("ASSET_CHECK_EVALUATION_PLANNED", "ASSET_CHECK_EVALUATION")
"""Events of an asset that no column names it for."""

_SPELLED = re.compile(r'\braw(", "|\\", \\"|/| )(\w+)\1(\w+)')
"""The key of a raw series in the text of an event: as JSON, as JSON within a string, as a path, in words."""


def old_assets(instance: dg.DagsterInstance, moved: Mapping[Place, Place]) -> list[Place]:
    """Renamed series whose assets the event log has under the old key."""
    storage: Any = instance.event_log_storage
    with storage.index_connection() as connection:
        known = {row.asset_key for row in connection.execute(select(Keys.c.asset_key))}
    return [place for place in moved if _key(place) in known]


def rename_assets(instance: dg.DagsterInstance, moved: Mapping[Place, Place]) -> list[Place]:
    """Give the history of renamed series to the assets that they are now; gives those that had one.

    Where two series have become one, so have their histories.
    """
    found = old_assets(instance, moved)
    if not found:
        return []
    storage: Any = instance.event_log_storage
    own = [_key(place) for place in found]
    now = [_key(moved[place]) for place in found]
    tables = [key(names.raw(s)).to_string() for s in sorted({p.source for pair in moved.items() for p in pair})]
    of_assets = Events.c.asset_key.in_([*own, *tables])
    said = or_(of_assets, Events.c.dagster_event_type.in_(_OF_CHECKS))

    def renamed(text: str) -> str:
        return _SPELLED.sub(lambda match: _spelled(match, moved), text)

    if isinstance(storage, SqliteEventLogStorage):  # a database for each run, of which the index has a copy
        with storage.index_connection() as connection:
            run_ids = [r.run_id for r in connection.execute(select(Events.c.run_id).where(of_assets).distinct())]
        for run_id in run_ids:
            with storage.run_connection(run_id) as connection:
                _rewrite(connection, Events, said, ("asset_key", "event"), renamed)
    with storage.index_transaction() as connection:
        for old, new in zip(own, now, strict=True):
            _join(connection, old, new)
        _rewrite(connection, Events, said, ("asset_key", "event"), renamed)
        _rewrite(connection, Tags, Tags.c.asset_key.in_([*own, *tables]), ("asset_key", "key"), renamed)
        _rewrite(connection, Checks, Checks.c.asset_key.in_(now), ("evaluation_event",), renamed)
        _rewrite(connection, Keys, Keys.c.asset_key.in_([*now, *tables]), ("last_materialization",), renamed)
    return found


def _key(place: Place) -> str:
    """The key of a series as the event log has it."""
    return key(f"{names.raw(place.source)}/{place.series_id}").to_string()


def _spelled(match: re.Match[str], moved: Mapping[Place, Place]) -> str:
    between, source, series_id = match.groups()
    after = moved.get(Place(source, series_id))
    return match[0] if after is None else between.join(("raw", *after))


def _join(connection: Connection, old: str, new: str) -> None:
    """Give what is told of an asset, and of its checks, the new key; of two that tell, the later, once for each run."""
    rows = connection.execute(select(Keys).where(Keys.c.asset_key.in_([old, new]))).fetchall()
    *earlier, last = sorted(rows, key=_recency)
    connection.execute(delete(Keys).where(Keys.c.id.in_([row.id for row in earlier])))
    # what Dagster worked out of the events of one of them it works out again
    connection.execute(update(Keys).where(Keys.c.id == last.id).values(asset_key=new, cached_status_data=None))
    other = Checks.alias()
    same = (other.c[c] == Checks.c[c] for c in ("check_name", "run_id", "partition"))
    both = exists().where(other.c.asset_key == new, *same)
    connection.execute(delete(Checks).where(Checks.c.asset_key == old, both))
    connection.execute(update(Checks).where(Checks.c.asset_key == old).values(asset_key=new))


def _recency(row: Any) -> tuple[bool, datetime]:
    return row.last_materialization is not None, row.last_materialization_timestamp or datetime.min


def _rewrite(
    connection: Connection,
    table: Table,
    where: ColumnElement[bool],
    columns: Sequence[str],
    renamed: Callable[[str], str],
) -> None:
    """Rename within texts of some rows of a table."""
    ids = [row.id for row in connection.execute(select(table.c.id).where(where))]
    change = update(table).where(table.c.id == bindparam("_id")).values({c: bindparam(f"_{c}") for c in columns})
    texts = select(table.c.id, *(table.c[c] for c in columns))
    for start in range(0, len(ids), _AT_ONCE):
        changed = []
        for row in connection.execute(texts.where(table.c.id.in_(ids[start : start + _AT_ONCE]))):
            before = {f"_{c}": getattr(row, c) for c in columns}
            after = {c: text and renamed(text) for c, text in before.items()}
            if after != before:
                changed.append({"_id": row.id, **after})
        if changed:
            connection.execute(change, changed)
