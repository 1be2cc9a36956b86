"""A value against what was usual until then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.transforms.registry import Calendar, always, same, transform
from macro_assets.transforms.windows import Sample, median_of, ordered, quantile_of, rank_of, rolled

EVERY = {"month": "1mo", "quarter": "1q", "year": "1y"}


class Scored(Sample, strict=True):
    """Of a z-score: what it is estimated on and when, and the level that is zero."""

    neutral: Literal["mean", "median", "zero"] = "mean"
    reestimated: Literal["always", "month", "quarter", "year"] = "always"


@transform(always("standard_deviations"), parameters=Scored, example={"min_obs": 3})
def zscore(series: Sequence[pl.Expr], parameters: Scored, calendar: Calendar) -> pl.Expr:
    """Standard deviations (n - 1) from the mean, both of the values up to t; missing while all of them are equal.

    Also from the median or from zero, and of a window. Estimated once a month, quarter or year, it is on the values
    before its first day.
    """
    (x,) = series
    origin, mean, deviation = _estimates(x, parameters, calendar)
    if parameters.neutral == "median":
        mean = ordered(x, parameters, calendar, median_of) - origin
    elif parameters.neutral == "zero":
        mean = -origin
    if parameters.reestimated != "always":
        every, known = EVERY[parameters.reestimated], deviation.is_not_null()
        mean, deviation = (_kept(pl.when(known).then(e), every, calendar) for e in (mean, deviation))
    return (x - origin - mean) / deviation


def _estimates(x: pl.Expr, parameters: Sample, calendar: Calendar) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """An origin, the mean from there, and the standard deviation, missing while the values are too few or equal."""
    sample, window, last = parameters.of(x, calendar), parameters.window, parameters.include_current
    if window is not None:
        own = (window, parameters.min_obs, calendar, last)
        mean, deviation = rolled(sample, "mean", *own), rolled(sample, "std", *own)
        return pl.lit(0.0), mean, deviation.replace(0.0, None)  # of equal values it is 0 to the last bit
    origin = sample.drop_nulls().first()
    mean, deviation = _expanding(sample - origin, parameters.min_obs)
    if parameters.leave_out or not last:
        mean, deviation = mean.forward_fill(), deviation.forward_fill()
    return (origin, mean, deviation) if last else (origin, mean.shift(1), deviation.shift(1))


def _expanding(centred: pl.Expr, min_obs: int | pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Mean and standard deviation of all so far; the latter missing while they are too few or equal.

    Of values less the first of them, which keeps the running sums of squares accurate.
    """
    n = centred.is_not_null().cum_sum()
    mean = centred.cum_sum() / n
    variance = (centred.pow(2).cum_sum() - n * mean.pow(2)) / (n - 1)
    constant = centred.cum_max() == centred.cum_min()
    return mean, pl.when((n >= min_obs) & (n > 1) & ~constant).then(variance.sqrt())


def _kept(estimate: pl.Expr, every: str, calendar: Calendar) -> pl.Expr:
    """An estimate as it stood before the first row of each month, quarter or year, throughout it."""
    begins = calendar.dates.dt.truncate(every).diff().dt.total_days() > 0
    return pl.when(begins).then(estimate.forward_fill().shift(1)).forward_fill()


def expanding_zscore(value: pl.Expr, group: str, min_history: int | pl.Expr) -> pl.Expr:
    """Z-score of each value against the values of its group up to and including it: no later value is used.

    The mean and standard deviation (n - 1) run from the group's first value on. Missing before `min_history` values,
    and where all values so far are equal. Rows must be sorted by date; missing values are skipped.
    """
    centred = value - value.drop_nulls().first()
    mean, deviation = _expanding(centred, min_history)
    return ((centred - mean) / deviation).over(group)


@transform(always("percent"), parameters=Sample, example={"min_obs": 3})
def percentile_rank(series: Sequence[pl.Expr], parameters: Sample, calendar: Calendar) -> pl.Expr:
    """Percent of the values so far, or of a window, that are below x(t); equal ones count half."""
    (x,) = series
    return pl.when(x.is_finite()).then(ordered(x, parameters, calendar, rank_of))


class Bounds(Sample, strict=True):
    """Of winsorizing: a share of values at each end, or a number of standard deviations from the mean.

    A value does not move its own bounds, unless it is included.
    """

    include_current: bool = False
    tail: float | None = Field(default=None, gt=0, lt=0.5)
    deviations: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.tail is None) == (self.deviations is None):
            raise ValueError("expected one of tail and deviations")
        return self


@transform(same, parameters=Bounds, example={"min_obs": 3, "tail": 0.05})
def winsorize(series: Sequence[pl.Expr], parameters: Bounds, calendar: Calendar) -> pl.Expr:
    """Brought to the nearer of two bounds that are known from the values before; missing while these are too few."""
    (x,) = series
    if parameters.tail is not None:
        low, high = (ordered(x, parameters, calendar, quantile_of(p)) for p in (parameters.tail, 1 - parameters.tail))
    else:
        origin, mean, deviation = _estimates(x, parameters, calendar)
        reach = (parameters.deviations or 0) * deviation
        low, high = origin + mean - reach, origin + mean + reach
    return pl.when(x < low).then(low).when(x > high).then(high).when(low.is_not_null()).then(x)
