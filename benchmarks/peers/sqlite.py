"""SQLite: one clustered table (WITHOUT ROWID), so that its primary key is the covering index of the as-of query.

Dates and instants are integers, as compact as SQLite stores them. Of the two ways to write the query the faster is
used. A refresh is one transaction that inserts what changed; rows come back through the driver's tuples, the only
way the standard library has, and end in a Polars frame.
"""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from peers import COLUMNS, fastest, in_common_form

_TABLE = """
CREATE TABLE vintages (
    series_id TEXT NOT NULL, observation_date INTEGER NOT NULL, release_time INTEGER NOT NULL, value REAL,
    PRIMARY KEY (series_id, observation_date, release_time)
) WITHOUT ROWID
"""

# `value` of the row that has max(release_time): SQLite documents this meaning of a bare column.
_BARE_COLUMN = """
SELECT series_id, observation_date, value, max(release_time) FROM vintages
WHERE release_time <= :moment {and_series} GROUP BY series_id, observation_date
"""

_WINDOW = """
SELECT series_id, observation_date, value, release_time FROM (
    SELECT *, row_number() OVER (PARTITION BY series_id, observation_date ORDER BY release_time DESC) AS newest
    FROM vintages WHERE release_time <= :moment {and_series}
) WHERE newest = 1
"""

_INSERT_IF_CHANGED = """
INSERT INTO vintages SELECT :series_id, :observation_date, :release_time, :value
WHERE :value IS NOT (
    SELECT value FROM vintages WHERE series_id = :series_id AND observation_date = :observation_date
    AND release_time < :release_time ORDER BY release_time DESC LIMIT 1
)
ON CONFLICT DO UPDATE SET value = excluded.value
"""

_ROW = {"series_id": pl.String, "observation_date": pl.Int64, "value": pl.Float64, "release_time": pl.Int64}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sqlite:
    """One database file.

    Parameters
    ----------
    synchronous
        'OFF' (nothing is synced) or 'FULL' (the log is synced at each commit).
    """

    version = f"sqlite {sqlite3.sqlite_version}"

    def __init__(self, file: Path, frame: pl.DataFrame | None, synchronous: str) -> None:
        self.name = f"SQLite, synchronous {synchronous}"
        self.durability = {"OFF": "no sync, atomic", "FULL": "fsync per commit, atomic"}[synchronous]
        self.file = file
        self._con = sqlite3.connect(file, isolation_level=None)
        settings = {"journal_mode": "WAL", "cache_size": -1_000_000, "mmap_size": 4 << 30, "temp_store": "MEMORY"}
        for setting, value in {**settings, "synchronous": synchronous, "threads": 2}.items():
            self._con.execute(f"PRAGMA {setting} = {value}")
        if frame is not None:
            self._load(frame)
        moment = self._con.execute("SELECT max(release_time) FROM vintages").fetchone()[0]
        self._query = fastest((_BARE_COLUMN, _WINDOW), lambda q: self._ask(q.format(and_series=""), moment=moment))

    def _load(self, frame: pl.DataFrame) -> None:
        self._con.execute(_TABLE)
        self._con.execute("BEGIN")
        self._con.executemany("INSERT INTO vintages VALUES (?, ?, ?, ?)", _integers(frame).iter_rows())
        self._con.execute("COMMIT")
        self._con.execute("ANALYZE")
        self._con.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy(self, file: Path, synchronous: str) -> Sqlite:
        """Another database with the same rows. Nothing may be written meanwhile."""
        self._con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self.file, file)
        return Sqlite(file, None, synchronous)

    def _ask(self, query: str, **parameters: Any) -> pl.DataFrame:
        rows = self._con.execute(query, parameters).fetchall()
        return pl.DataFrame(rows, schema=_ROW, orient="row")

    def series(self, series_id: str, moment: datetime) -> pl.DataFrame:
        query = self._query.format(and_series="AND series_id = :series_id")
        return self._ask(query, series_id=series_id, moment=_microseconds(moment))

    def panel(self, moment: datetime) -> pl.DataFrame:
        return self._ask(self._query.format(and_series=""), moment=_microseconds(moment))

    def rows(self, answer: pl.DataFrame) -> pl.DataFrame:
        return in_common_form(answer.with_columns(pl.from_epoch("observation_date", "d")))

    def refresh(self, batch: pl.DataFrame) -> None:
        self._con.execute("BEGIN IMMEDIATE")
        self._con.executemany(_INSERT_IF_CHANGED, _integers(batch).iter_rows(named=True))
        self._con.execute("COMMIT")

    def close(self) -> None:
        self._con.close()


def _integers(frame: pl.DataFrame) -> pl.DataFrame:
    """Days and microseconds since 1970."""
    return frame.select(COLUMNS).with_columns(
        pl.col("observation_date").cast(pl.Int32), pl.col("release_time").cast(pl.Int64)
    )


def _microseconds(moment: date) -> int:
    return int((moment - _EPOCH).total_seconds() * 1_000_000)
