"""Of trailing windows and of all so far: averages, extremes, volatility, drawdowns."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.transforms.registry import (
    OBSERVATIONS_PER_YEAR,
    Calendar,
    NoParameters,
    always,
    difference,
    ratio,
    same,
    transform,
)
from macro_assets.transforms.windows import Moment, Window, rolled

_EXAMPLE = {"window": 4, "min_obs": 3}


@transform(difference, parameters=Window, example=_EXAMPLE)
def gap(series: Sequence[pl.Expr], parameters: Window, calendar: Calendar) -> pl.Expr:
    """The series minus its mean over the trailing window, in its unit; percentage points of percents."""
    (x,) = series
    return x - rolled(x, "mean", parameters.window, parameters.min_obs, calendar)


@transform(same, parameters=Window, example=_EXAMPLE)
def moving_average(series: Sequence[pl.Expr], parameters: Window, calendar: Calendar) -> pl.Expr:
    """Mean over the trailing window."""
    return _over_window(series[0], "mean", parameters, calendar)


@transform(difference, parameters=Window, example=_EXAMPLE)
def rolling_sd(series: Sequence[pl.Expr], parameters: Window, calendar: Calendar) -> pl.Expr:
    """Standard deviation (n - 1) over the trailing window."""
    return _over_window(series[0], "std", parameters, calendar)


@transform(same, parameters=Window, example=_EXAMPLE)
def rolling_max(series: Sequence[pl.Expr], parameters: Window, calendar: Calendar) -> pl.Expr:
    """Highest value of the trailing window."""
    return _over_window(series[0], "max", parameters, calendar)


@transform(same, parameters=Window, example=_EXAMPLE)
def rolling_min(series: Sequence[pl.Expr], parameters: Window, calendar: Calendar) -> pl.Expr:
    """Lowest value of the trailing window."""
    return _over_window(series[0], "min", parameters, calendar)


def _over_window(x: pl.Expr, moment: Moment, parameters: Window, calendar: Calendar) -> pl.Expr:
    return pl.when(x.is_not_null()).then(rolled(x, moment, parameters.window, parameters.min_obs, calendar))


class Spanned(Declaration, strict=True):
    """Of an exponential average: its span n; the newest value weighs 2 / (n + 1)."""

    span: int = Field(gt=0)


@transform(same, parameters=Spanned, example={"span": 4})
def ewma(series: Sequence[pl.Expr], parameters: Spanned, calendar: Calendar) -> pl.Expr:
    """Exponential moving average, y(t) = y(t-1) + 2/(n+1) (x(t) - y(t-1)) from the first value on; gaps are skipped."""
    return exponential(series[0], 2 / (parameters.span + 1))


def exponential(x: pl.Expr, alpha: float) -> pl.Expr:
    """An exponential average that starts at the first value."""
    return pl.when(x.is_not_null()).then(x.ewm_mean(alpha=alpha, adjust=False, ignore_nulls=True))


class Volatility(Declaration, strict=True):
    """Over how many returns, and whether at annual rate: times the root of 252 days, 52 weeks or the periods a year."""

    window: int = Field(default=21, gt=1)
    annualized: bool = True


@transform(ratio("percent"), parameters=Volatility)
def rolling_volatility(series: Sequence[pl.Expr], parameters: Volatility, calendar: Calendar) -> pl.Expr:
    """Standard deviation (n - 1) of logarithmic returns over the trailing window, in percent; all must be known."""
    returns = series[0].log().diff()
    scale = sqrt(OBSERVATIONS_PER_YEAR[calendar.frequency]) if parameters.annualized else 1
    return 100 * scale * returns.rolling_std(parameters.window)


@transform(ratio("percent"))
def drawdown(series: Sequence[pl.Expr], parameters: NoParameters, calendar: Calendar) -> pl.Expr:
    """Percent below the highest value so far, 100 (1 - x(t) / max x(..t)), as a positive number."""
    (x,) = series
    return 100 * (1 - x / x.cum_max())


@transform(always("periods"))
def drawdown_duration(series: Sequence[pl.Expr], parameters: NoParameters, calendar: Calendar) -> pl.Expr:
    """Periods since the series last stood at its highest value so far; of days and weeks, observations."""
    (x,) = series
    row = pl.int_range(pl.len())
    at_high = pl.when(x == x.cum_max()).then(row).forward_fill()
    return pl.when(x.is_not_null()).then(row - at_high)
