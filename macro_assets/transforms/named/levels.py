"""The series itself, at another time or on another scale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import polars as pl
from pydantic import AfterValidator, Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.transforms.registry import Calendar, NoParameters, equal, ratio, same, transform


class Lag(Declaration, strict=True):
    """How many periods ago."""

    periods: int = Field(default=1, gt=0)


@transform(same, name="lin")
@transform(same)
def level(series: Sequence[pl.Expr], parameters: NoParameters, calendar: Calendar) -> pl.Expr:
    """The series as it is, x(t), in its own unit. FRED: lin. FRED-MD: 1."""
    return series[0]


@transform(ratio("log_{}"))
def log(series: Sequence[pl.Expr], parameters: NoParameters, calendar: Calendar) -> pl.Expr:
    """Natural logarithm, ln x(t); missing where x is not positive. FRED: log. FRED-MD: 4."""
    return series[0].log()


@transform(same, parameters=Lag)
def lag(series: Sequence[pl.Expr], parameters: Lag, calendar: Calendar) -> pl.Expr:
    """The value some periods before, x(t-n); missing where the period itself has no value."""
    (x,) = series
    return pl.when(x.is_not_null()).then(x.shift(parameters.periods))


@transform(equal, takes=2)
def spread(series: Sequence[pl.Expr], parameters: NoParameters, calendar: Calendar) -> pl.Expr:
    """The first series minus the second, in their unit; percentage points of percents."""
    first, second = series
    return first - second


def _day(written: str) -> str:
    return date.fromisoformat(written).isoformat()


class Base(Declaration, strict=True):
    """Where the series is 100: at its first value on or after a day, such as 2019-12-31; by default at its first."""

    at: Annotated[str, AfterValidator(_day)] | None = None


@transform(ratio("index"), parameters=Base)
def base_100(series: Sequence[pl.Expr], parameters: Base, calendar: Calendar) -> pl.Expr:
    """In percent of a base, 100 x(t) / x(base); missing before the base, and throughout if that is not positive."""
    (x,) = series
    if parameters.at is not None:
        x = pl.when(calendar.dates >= date.fromisoformat(parameters.at)).then(x)
    is_first = x.is_not_null() & (x.is_not_null().cum_sum() == 1)
    base = pl.when(is_first).then(x).forward_fill()
    return pl.when(base > 0).then(100 * x / base)
