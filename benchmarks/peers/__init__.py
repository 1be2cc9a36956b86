"""The other stores of the vintage races, one module each, and what a race asks of them.

Every peer holds the four columns an as-of answer needs (`COLUMNS`) and not the five of provenance that ours keeps
beside them. None is a dependency of the project: `pip install .[bench]`, and a PostgreSQL server on the machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

import polars as pl

COLUMNS = ["series_id", "observation_date", "release_time", "value"]

SCHEMA = {
    "series_id": pl.String(),
    "observation_date": pl.Date(),
    "release_time": pl.Datetime("us", "UTC"),
    "value": pl.Float64(),
}

ANSWER = {name: SCHEMA[name] for name in ("series_id", "observation_date", "value")}
"""Columns of an as-of answer."""


class NotInstalledError(Exception):
    """The peer cannot run here; the message says what is missing."""


class Peer(Protocol):
    """A store of vintages. Reads answer with the frame it makes fastest; `rows` is not timed."""

    name: str
    version: str
    durability: str

    def series(self, series_id: str, moment: datetime) -> Any:
        """What was known of one series at an instant."""

    def panel(self, moment: datetime) -> Any:
        """What was known of all series at an instant."""

    def rows(self, answer: Any) -> pl.DataFrame:
        """An answer in the common form: columns `ANSWER`, sorted by series and date."""

    def refresh(self, batch: pl.DataFrame) -> None:
        """Store one refresh, all or nothing per series, and keep what it replaces. The batch has `COLUMNS`."""

    def close(self) -> None:
        """Stop what was started."""


def in_common_form(answer: pl.DataFrame) -> pl.DataFrame:
    """Columns, types and order of an answer."""
    return answer.select(pl.col(n).cast(t) for n, t in ANSWER.items()).sort("series_id", "observation_date")


def fastest(ways: Iterable[Any], work: Any) -> Any:
    """The way that `work(way)` takes the least time with, the second time it is tried."""
    from measure import timed

    return min(ways, key=lambda way: (work(way), timed(lambda: work(way)))[1])
