"""Figures for tests of indicators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from macro_assets.indicators.protocol import Given

FIGURES = {"series_id": pl.String, "observation_date": pl.Date, "value": pl.Float64}
FACTS = ("series_id", "frequency", "aggregation", "unit")


def monthly(first: date = date(2020, 1, 1), **columns: Sequence[float | None]) -> Given:
    """Monthly series in percent from a month on, by their ids; None is a month without a row."""
    rows = [
        (name, date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1), value)
        for name, values in columns.items()
        for n, value in enumerate(values)
        if value is not None
    ]
    facts = [(name, "M", "mean", "percent") for name in columns]
    return Given(pl.DataFrame(rows, FIGURES, orient="row"), pl.DataFrame(facts, FACTS, orient="row"))


def daily(first: date = date(2020, 1, 1), **columns: Sequence[float | None]) -> Given:
    """Daily series in percent from a day on, by their ids; None is a day without a row."""
    rows = [
        (name, first + timedelta(days=n), value)
        for name, values in columns.items()
        for n, value in enumerate(values)
        if value is not None
    ]
    facts = [(name, "D", "mean", "percent") for name in columns]
    return Given(pl.DataFrame(rows, FIGURES, orient="row"), pl.DataFrame(facts, FACTS, orient="row"))
