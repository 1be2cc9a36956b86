"""HOW to fetch: one module per provider, from (client, series, window) to observations. No Dagster, no disk.

A connector is a module named as its source with one function,
`fetch(client, series, window) -> Fetched`, which never raises for the sake of one series: what cannot be had of a
series is named in :attr:`Fetched.failures`, the rest is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from importlib import import_module
from typing import Protocol
from zoneinfo import ZoneInfo

import polars as pl

from macro_assets.catalog import Series


@dataclass(frozen=True)
class Request:
    """What is asked of a provider, without any key: it is stored beside the answer."""

    text: str


@dataclass(frozen=True)
class Response:
    """The bytes a provider answered, and when; `http_status` is None where it was no HTTP answer."""

    request: Request
    body: bytes
    fetched_at: datetime
    http_status: int | None = None

    @property
    def sha256(self) -> str:
        return sha256(self.body).hexdigest()


class Client(Protocol):
    """Turns a request into a response: HTTP for live providers, package files for bundled ones."""

    def get(self, request: Request) -> Response: ...


@dataclass(frozen=True)
class Window:
    """Observation dates that are asked for, both ends included. None = open."""

    first: date | None = None
    last: date | None = None

    def contains(self, column: pl.Expr) -> pl.Expr:
        """Whether a date column lies in the window."""
        after = pl.lit(True) if self.first is None else column >= self.first
        before = pl.lit(True) if self.last is None else column <= self.last
        return after & before


OBSERVATION_SCHEMA: dict[str, pl.DataType] = {
    "series_id": pl.String(),
    "observation_date": pl.Date(),
    "value": pl.Float64(),
    "release_time": pl.Datetime("us", "UTC"),
    "release_basis": pl.String(),
    "provider": pl.String(),
    "ingested_at": pl.Datetime("us", "UTC"),
    "payload_sha256": pl.String(),
}
"""Columns of :attr:`Fetched.observations`: those of the raw table but the run."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought: observations (see `OBSERVATION_SCHEMA`), the responses, and series that failed with why."""

    observations: pl.DataFrame
    responses: tuple[Response, ...]
    failures: Mapping[str, str] = field(default_factory=dict)


Fetch = Callable[[Client, Sequence[Series], Window], Fetched]


def connector(source: str) -> tuple[Fetch, Callable[[], Client]]:
    """The `fetch` function of a source and the maker of its client."""
    module = import_module(f"macro_assets.sources.{source}")
    return module.fetch, module.client


def period_end(start: date, frequency: str) -> date:
    """Last day of the period that starts at `start`."""
    months = {"M": 1, "Q": 3, "A": 12}.get(frequency)
    if months is None:
        return start + timedelta(days={"D": 0, "W": 6}[frequency])
    month = start.month - 1 + months
    return date(start.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def estimated_release(series: Series, start: date) -> datetime:
    """When an observation was probably published (UTC): the period's end plus the series' publication lag."""
    lag = series.publication_lag
    day = period_end(start, series.frequency) + timedelta(days=lag.days)
    return datetime.combine(day, lag.time, tzinfo=ZoneInfo(lag.time_zone)).astimezone(UTC)
