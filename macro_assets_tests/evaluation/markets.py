"""Markets and signals for tests of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from macro_assets.indicators.protocol import Given

SIGNALS = "real_time/macro_bias"
SHARES = {"name": "shares", "series": "SP500"}
FACTS = ("series_id", "frequency", "aggregation", "unit")
Numbers = np.ndarray[Any, Any]


def weekdays(first: date, last: date) -> list[date]:
    """Sessions from a day to another."""
    return [d for n in range((last - first).days + 1) if (d := first + timedelta(days=n)).weekday() < 5]


def walk(moves: Numbers) -> list[float]:
    """Prices by their returns in percent, from 100."""
    return [float(p) for p in 100 * np.cumprod(1 + moves / 100)]


def month_ends(days: Sequence[date]) -> list[datetime]:
    """The as-of instants of all months that end within some days."""
    months = sorted({(d.year, d.month) for d in days})[:-1]
    ends = [date(y + m // 12, m % 12 + 1, 1) - timedelta(days=1) for y, m in months]
    return [datetime(e.year, e.month, e.day, 23, 59, 59, 999999, tzinfo=UTC) for e in ends]


def prices(series: Mapping[str, Sequence[float]], days: Sequence[date]) -> pl.DataFrame:
    """Observations of daily series."""
    rows = [(s, d, v) for s, values in series.items() for d, v in zip(days, values, strict=True)]
    return pl.DataFrame(rows, ["series_id", "observation_date", "value"], orient="row")


def told(signals: Mapping[str, Sequence[float]], instants: Sequence[datetime]) -> pl.DataFrame:
    """A table of signals as of each instant: the month's, and that of the month before, which does not count."""
    rows = [
        {
            "as_of_month": f"{at:%Y-%m}",
            "as_of": at,
            "market": market,
            "observation_date": day,
            "index_value": value if day.month == at.month else -value,
        }
        for market, values in signals.items()
        for at, value in zip(instants, values, strict=True)
        for day in (at.date().replace(day=1), (at.date().replace(day=1) - timedelta(days=1)).replace(day=1))
    ]
    return pl.DataFrame(rows)


def given(observations: pl.DataFrame, signals: pl.DataFrame) -> Given:
    """What a score is computed from."""
    facts = [(s, "D", "last", "index_points") for s in observations["series_id"].unique(maintain_order=True)]
    return Given(observations, pl.DataFrame(facts, FACTS, orient="row"), {SIGNALS: signals})
