"""Changes, growth and returns, at the rate of a period or of a year."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.transforms.registry import Calendar, NoParameters, difference, rate, ratio, transform
from macro_assets.transforms.year_ago import year_before


class Periods(Declaration, strict=True):
    """Of a change: over how many periods."""

    periods: int = Field(default=1, gt=0)


@transform(difference, parameters=Periods)
def chg(series: Sequence[pl.Expr], parameters: Periods, calendar: Calendar) -> pl.Expr:
    """Change over some periods, x(t) - x(t-n), in the unit of the series. FRED: chg; over a year ch1. FRED-MD: 2."""
    return series[0].diff(parameters.periods)


@transform(ratio("percent"), parameters=Periods)
def pch(series: Sequence[pl.Expr], parameters: Periods, calendar: Calendar) -> pl.Expr:
    """Percent change over some periods, 100 (x(t) / x(t-n) - 1). FRED: pch; over a year pc1."""
    return 100 * _growth(series[0], parameters.periods)


@transform(ratio("percent"), parameters=Periods, frequencies="MQA", adjusted_only=True)
def pca(series: Sequence[pl.Expr], parameters: Periods, calendar: Calendar) -> pl.Expr:
    """Percent change at annual rate, 100 ((x(t) / x(t-n))^(p/n) - 1) with p periods in a year. FRED: pca."""
    return _annual(series[0], parameters.periods, calendar)


@transform(ratio("fraction"), parameters=Periods)
def growth(series: Sequence[pl.Expr], parameters: Periods, calendar: Calendar) -> pl.Expr:
    """Growth over some periods as a fraction, x(t) / x(t-n) - 1; FRED-MD's code 7 is the change of it."""
    return _growth(series[0], parameters.periods)


@transform(ratio("percent"), frequencies="M", adjusted_only=True)
def mom(series: Sequence[pl.Expr], parameters: NoParameters, calendar: Calendar) -> pl.Expr:
    """Percent change from the month before, 100 (x(t) / x(t-1) - 1), missing unless that was positive."""
    return _percent(series[0], series[0].shift(1))


@transform(ratio("percent"))
def yoy(series: Sequence[pl.Expr], parameters: NoParameters, calendar: Calendar) -> pl.Expr:
    """Percent change over a year, missing unless the figure then was positive.

    Of days and weeks against the last figure on or before the same day a year ago, at most six days before it.
    """
    (x,) = series
    if calendar.per_year is not None:
        return _percent(x, x.shift(calendar.per_year))
    return _percent(x, pl.map_batches([calendar.dates, x], lambda told: year_before(*told), return_dtype=pl.Float64))


class AtAnnualRate(Declaration, strict=True):
    """Whether the change is at annual rate."""

    annualized: bool = False


@transform(ratio("percent"), parameters=AtAnnualRate, frequencies="M", adjusted_only=True)
def qoq_of_months(series: Sequence[pl.Expr], parameters: AtAnnualRate, calendar: Calendar) -> pl.Expr:
    """Three months on three months: percent change of the mean of three from that of the three before (3m/3m)."""
    mean = series[0].rolling_mean(3)
    if parameters.annualized:
        return pl.when(mean.shift(3) > 0).then(_annual(mean, 3, calendar))
    return _percent(mean, mean.shift(3))


@transform(rate, frequencies="MQ")
def yoy_of_rates(series: Sequence[pl.Expr], parameters: NoParameters, calendar: Calendar) -> pl.Expr:
    """Change over a year chained from the rates of its periods, 100 (prod (1 + r/100) - 1); each must be above -100."""
    (r,) = series
    per_year = calendar.per_year
    assert per_year is not None, "its frequencies have a calendar"
    product = (1 + r / 100).log().rolling_sum(per_year).exp()
    return pl.when(r.rolling_min(per_year) > -100).then(100 * (product - 1))


@transform(ratio("percent"), parameters=Periods)
def simple_return(series: Sequence[pl.Expr], parameters: Periods, calendar: Calendar) -> pl.Expr:
    """Return over some periods in percent, 100 (x(t) / x(t-n) - 1), missing unless the price then was positive."""
    return _percent(series[0], series[0].shift(parameters.periods))


@transform(ratio("percent"), parameters=Periods)
def log_return(series: Sequence[pl.Expr], parameters: Periods, calendar: Calendar) -> pl.Expr:
    """Logarithmic return over some periods in percent, 100 ln(x(t) / x(t-n)), missing unless both are positive."""
    return 100 * series[0].log().diff(parameters.periods)


class Momentum(Declaration, strict=True):
    """Of momentum: over how many periods."""

    periods: int = Field(default=12, gt=0)


@transform(difference, parameters=Momentum)
def momentum(series: Sequence[pl.Expr], parameters: Momentum, calendar: Calendar) -> pl.Expr:
    """Change over twelve periods, or others, x(t) - x(t-n), in the unit of the series."""
    return series[0].diff(parameters.periods)


def _growth(x: pl.Expr, periods: int) -> pl.Expr:
    return x / x.shift(periods) - 1


def _percent(x: pl.Expr, before: pl.Expr) -> pl.Expr:
    """Percent change of what was positive: of a negative base the sign would be wrong."""
    return pl.when(before > 0).then(100 * (x / before - 1))


def _annual(x: pl.Expr, periods: int, calendar: Calendar) -> pl.Expr:
    if calendar.per_year is None:
        raise ValueError("an annual rate needs a number of periods in a year")
    power = partial(_power, exponent=calendar.per_year / periods)
    return 100 * ((x / x.shift(periods)).map_batches(power, return_dtype=pl.Float64, is_elementwise=True) - 1)


def _power(ratio: pl.Series, exponent: float) -> pl.Series:
    """NumPy's power: that of Polars differs from it in the last digit, and estimates then by a thousand times that."""
    import numpy as np

    with np.errstate(all="ignore"):
        return pl.Series(np.power(ratio.to_numpy(), exponent))
