"""Dagster's SQLite storage with its connections kept open, and a batch of events in one transaction.

Dagster opens and closes a database, or two, for every event, and each close of the last connection writes the log of
the database back. An event costs four times as much by it, and events are what fetches and backfills spend most of
their time on (docs/decisions/011-event-log.md has the figures). The rows are the same as the stock storage writes,
which a test compares.

It leans on three internals of Dagster 1.13 (`_connect`, `_initdb`, `_initialized_dbs`); where they are not there, the
stock storage is used.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from sqlalchemy import create_engine, event
from sqlalchemy.pool import StaticPool

if TYPE_CHECKING:
    from dagster._core.events.log import EventLogEntry
    from sqlalchemy.engine import Connection, Engine

_INTERNALS = ("_connect", "_initdb", "conn_string_for_shard", "path_for_shard", "run_connection", "index_connection")
_OPEN_SHARDS = 8
_BUSY_SECONDS = 60


class KeptOpenEventLog(SqliteEventLogStorage):
    """The event log with one connection for each of the shards used last."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._in_use: dict[str, Connection] = {}
        self._own_lock = threading.RLock()
        self._process = os.getpid()
        self._tables_seen: set[str] = set()
        self._has_index_cols = False
        self._outdone: set[int] = set()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """A connection in a transaction; within another of the same shard and thread, that one."""
        with self._own_lock:
            if shard in self._in_use:
                yield self._in_use[shard]
                return
            engine = self._engine(shard)
            with engine.connect() as connection, connection.begin():
                self._in_use[shard] = connection
                try:
                    yield connection
                finally:
                    del self._in_use[shard]

    def _engine(self, shard: str) -> Engine:
        if self._process != os.getpid():  # a fork must not use the connections of its parent
            self._engines.clear()
            self._process = os.getpid()
        is_new = not os.path.exists(self.path_for_shard(shard))
        if is_new and shard in self._engines:
            self._engines.pop(shard).dispose()
            self._initialized_dbs.discard(shard)
        if shard not in self._engines:
            self._engines[shard] = self._opened(shard)
        self._engines.move_to_end(shard)
        for idle in [s for s in self._engines if s not in self._in_use and s != shard][: -_OPEN_SHARDS or None]:
            self._engines.pop(idle).dispose()
        return self._engines[shard]

    def _opened(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
        # with a write-ahead log this loses no consistency; the last events before a power cut may be lost
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=NORMAL"))
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        return engine

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events in one transaction for each shard they are of, with what is stored for each by itself.

        But the row of an asset, which tells of its last event of a kind, is written for that one alone: a series has a
        materialization for each of its years, and sixteen of seventeen writes of the row were lost time.
        """
        keys = {id(e): (e.dagster_event.asset_key, e.dagster_event_type) for e in events if e.dagster_event}
        last = {key: event for event, key in keys.items()}
        outdone = {event for event, key in keys.items() if last[key] != event}
        with ExitStack() as held, self._own_lock:
            self._outdone |= outdone
            held.callback(self._outdone.difference_update, outdone)
            for run_id in dict.fromkeys(e.run_id for e in events):
                held.enter_context(self.run_connection(run_id))
            held.enter_context(self.index_connection())
            for one in events:
                self.store_event(one)

    def store_asset_event(self, event: EventLogEntry, event_id: int) -> None:
        """Store what an event says of its asset, unless a later event of the batch says it anew."""
        if id(event) not in self._outdone:
            super().store_asset_event(event, event_id)

    def _has_asset_key_index_cols_on_connection(self, conn: Connection) -> bool:
        """Whether the table of assets has the columns of later versions: asked of every event, and always the same."""
        if not self._has_index_cols:
            self._has_index_cols = super()._has_asset_key_index_cols_on_connection(conn)
        return self._has_index_cols

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; once it has, it stays."""
        if table_name not in self._tables_seen and super().has_table(table_name):
            self._tables_seen.add(table_name)
        return table_name in self._tables_seen

    def dispose(self) -> None:
        """Close the connections."""
        with self._own_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()
        super().dispose()


class SqliteStorage(DagsterSqliteStorage):
    """Dagster's SQLite storage with :class:`KeptOpenEventLog`; named in `dagster.yaml`."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        super().__init__(base_dir, inst_data)
        if all(hasattr(SqliteEventLogStorage, name) for name in _INTERNALS):
            stock = self._event_log_storage
            self._event_log_storage = KeptOpenEventLog(stock._base_dir)
            stock.dispose()

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> SqliteStorage:
        """The storage of a `dagster.yaml`; the stock one would return its base class."""
        return cls.from_local(inst_data=inst_data, **config_value)
