"""The one vocabulary of transforms: what is done to a series before it is used, each a named Polars expression.

An expression sees one series (or as many as it takes) in order of time on a regular calendar, on which a gap is a row
without value. It uses no later row, never makes a value where there was none, and gives nothing infinite. So it may
stand `.over("series_id")` in a long frame and on a column of a wide panel. Chains of them are in `steps.py`.

References: FRED-MD codes are those of McCracken and Ng (2016, Journal of Business & Economic Statistics 34), `lin`,
`chg`, `pch` and `pca` the units of FRED (fred.stlouisfed.org/docs/api/fred/series_observations.html).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration

Function = Callable[[Sequence[pl.Expr], Any, int | None], pl.Expr]
"""Series, parameters and periods per year (None: daily or weekly) -> what becomes of them."""

Units = Callable[[Sequence[str], Any], str]
"""Units of the series and parameters -> unit of what becomes of them; a ValueError says what is admitted."""


class NoParameters(Declaration, strict=True):
    """Of a transform without parameters."""


@dataclass(frozen=True)
class Transform:
    """A transform: its name, what it takes, and the expression that it is."""

    name: str
    description: str
    function: Function
    unit: Units
    parameters: type[Declaration] = NoParameters
    takes: int = 1
    frequencies: str = "DWMQA"
    example: Mapping[str, Any] = field(default_factory=dict)


_KNOWN: dict[str, Transform] = {}
TRANSFORMS: Mapping[str, Transform] = MappingProxyType(_KNOWN)
"""Every transform by name."""


def transform(unit: Units, *, name: str | None = None, **fields: Any) -> Callable[[Function], Function]:
    """Enter a function into the vocabulary, under its own name by default. What it gives that is not finite is null."""

    def enter(function: Function) -> Function:
        def finite(series: Sequence[pl.Expr], parameters: Any, per_year: int | None) -> pl.Expr:
            value = function(series, parameters, per_year).cast(pl.Float64)
            return value.map_batches(_finite, return_dtype=pl.Float64, is_elementwise=True)

        called, description = name or function.__name__, (function.__doc__ or "").partition("\n")[0]
        _KNOWN[called] = Transform(called, description, finite, unit, **fields)
        return function

    return enter


def _finite(values: pl.Series) -> pl.Series:
    """Null where a value is not finite. As an expression it would compute the value twice, in a chain 2^steps times."""
    finite = values.is_finite()
    return values if finite.all() else values.set(~finite, None)


# --- units ---------------------------------------------------------------------------------------------------------


def same(units: Sequence[str], parameters: Any) -> str:
    """The unit of the series."""
    return units[0]


def difference(units: Sequence[str], parameters: Any) -> str:
    """The unit of a difference: that of the series; of percents it is percentage points."""
    if units[0].startswith("log_"):
        return "log_points"
    return "_".join("percentage_points" if word == "percent" else word for word in units[0].split("_"))


def positive(unit: str) -> str:
    """The unit, if numbers in it have a ratio: not what is itself a ratio, a rate, a balance or a score."""
    words = {"percent", "percentage", "log", "fraction", "deviations"} & set(unit.split("_"))
    if words or unit == "index_0_average":
        raise ValueError(f"expected a unit in which a ratio has a meaning, such as usd, persons or index, got {unit!r}")
    return unit


def ratio(result: str) -> Units:
    """The rule of what divides or takes logs: only of units in which a ratio has a meaning."""

    def unit(units: Sequence[str], parameters: Any) -> str:
        return result.format(positive(units[0]))

    return unit


def equal(units: Sequence[str], parameters: Any) -> str:
    """The unit of a difference of two series, which have one unit."""
    if len(set(units)) > 1:
        raise ValueError(f"expected series of one unit, got {' and '.join(map(repr, units))}")
    return difference(units, parameters)


def standard_deviations(units: Sequence[str], parameters: Any) -> str:
    """The unit of a z-score."""
    return "standard_deviations"


# --- levels and changes --------------------------------------------------------------------------------------------


class Periods(Declaration, strict=True):
    """Of a change: over how many periods."""

    periods: int = Field(default=1, gt=0)


@transform(same, name="lin")
@transform(same)
def level(series: Sequence[pl.Expr], parameters: NoParameters, per_year: int | None) -> pl.Expr:
    """The series as it is, x(t), in its own unit. FRED: lin. FRED-MD: 1."""
    return series[0]


@transform(ratio("log_{}"))
def log(series: Sequence[pl.Expr], parameters: NoParameters, per_year: int | None) -> pl.Expr:
    """Natural logarithm, ln x(t); missing where x is not positive. FRED: log. FRED-MD: 4."""
    return series[0].log()


@transform(difference, parameters=Periods)
def chg(series: Sequence[pl.Expr], parameters: Periods, per_year: int | None) -> pl.Expr:
    """Change over some periods, x(t) - x(t-n), in the unit of the series. FRED: chg; over a year ch1. FRED-MD: 2."""
    return series[0].diff(parameters.periods)


@transform(ratio("percent"), parameters=Periods)
def pch(series: Sequence[pl.Expr], parameters: Periods, per_year: int | None) -> pl.Expr:
    """Percent change over some periods, 100 (x(t) / x(t-n) - 1). FRED: pch; over a year pc1."""
    return 100 * _growth(series[0], parameters.periods)


@transform(ratio("percent"), parameters=Periods, frequencies="MQA")
def pca(series: Sequence[pl.Expr], parameters: Periods, per_year: int | None) -> pl.Expr:
    """Percent change at annual rate, 100 ((x(t) / x(t-n))^(p/n) - 1) with p periods in a year. FRED: pca."""
    if per_year is None:
        raise ValueError("an annual rate needs a number of periods in a year")
    (x,), n = series, parameters.periods
    power = partial(_power, exponent=per_year / n)
    return 100 * ((x / x.shift(n)).map_batches(power, return_dtype=pl.Float64, is_elementwise=True) - 1)


def _power(ratio: pl.Series, exponent: float) -> pl.Series:
    """NumPy's power: that of Polars differs from it in the last digit, and estimates then by a thousand times that."""
    import numpy as np

    with np.errstate(all="ignore"):
        return pl.Series(np.power(ratio.to_numpy(), exponent))


@transform(ratio("fraction"), parameters=Periods)
def growth(series: Sequence[pl.Expr], parameters: Periods, per_year: int | None) -> pl.Expr:
    """Growth over some periods as a fraction, x(t) / x(t-n) - 1; FRED-MD's code 7 is the change of it."""
    return _growth(series[0], parameters.periods)


def _growth(x: pl.Expr, periods: int) -> pl.Expr:
    return x / x.shift(periods) - 1


# --- FRED-MD -------------------------------------------------------------------------------------------------------


class Code(Declaration, strict=True):
    """A FRED-MD transformation code."""

    code: int = Field(ge=1, le=7)


_CODES = {
    1: ("level",),
    2: ("chg",),
    3: ("chg", "chg"),
    4: ("log",),
    5: ("log", "chg"),
    6: ("log", "chg", "chg"),
    7: ("growth", "chg"),
}


def _unit_of_code(units: Sequence[str], parameters: Code) -> str:
    for name in _CODES[parameters.code]:
        known = TRANSFORMS[name]
        units = [known.unit(units, known.parameters())]
    return units[0]


@transform(_unit_of_code, parameters=Code, example={"code": 5})
def fred_md(series: Sequence[pl.Expr], parameters: Code, per_year: int | None) -> pl.Expr:
    """Made stationary by a FRED-MD code: 1 level, 2 chg, 3 chg twice, 4 log, 5 log chg, 6 log chg twice, 7 growth chg.

    McCracken and Ng (2016), appendix. Each step's unit is that of the transform of this name.
    """
    for name in _CODES[parameters.code]:
        known = TRANSFORMS[name]
        series = [known.function(series, known.parameters(), per_year)]
    return series[0]


# --- against others, and against its own past -----------------------------------------------------------------------


@transform(equal, takes=2)
def spread(series: Sequence[pl.Expr], parameters: NoParameters, per_year: int | None) -> pl.Expr:
    """The first series minus the second, in their unit; percentage points of percents."""
    first, second = series
    return first - second


@transform(ratio("percent"))
def drawdown(series: Sequence[pl.Expr], parameters: NoParameters, per_year: int | None) -> pl.Expr:
    """Percent below the highest value so far, 100 (1 - x(t) / max x(..t)), as a positive number."""
    (x,) = series
    return 100 * (1 - x / x.cum_max())


class Window(Declaration, strict=True):
    """A trailing window, which ends at the period itself, and how many periods of it must be known: all by default."""

    window: int = Field(gt=1)
    min_obs: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.min_obs is not None and self.min_obs > self.window:
            raise ValueError(f"min_obs ({self.min_obs}) must not be above window ({self.window})")
        return self


@transform(difference, parameters=Window, example={"window": 4, "min_obs": 3})
def gap(series: Sequence[pl.Expr], parameters: Window, per_year: int | None) -> pl.Expr:
    """The series minus its mean over the trailing window, in its unit; percentage points of percents."""
    (x,) = series
    return x - x.rolling_mean(parameters.window, min_samples=parameters.min_obs)


class History(Declaration, strict=True):
    """Of a z-score: values before the first one."""

    min_obs: int = Field(gt=1)


@transform(standard_deviations, parameters=History, example={"min_obs": 3})
def zscore(series: Sequence[pl.Expr], parameters: History, per_year: int | None) -> pl.Expr:
    """Standard deviations (n - 1) from the mean, both of the values up to t; missing while all of them are equal."""
    return _zscore(series[0], parameters.min_obs)


def _zscore(x: pl.Expr, min_obs: int | pl.Expr) -> pl.Expr:
    centred = x - x.drop_nulls().first()  # keeps the running sums of squares accurate
    n = x.is_not_null().cum_sum()
    mean = centred.cum_sum() / n
    variance = (centred.pow(2).cum_sum() - n * mean.pow(2)) / (n - 1)
    constant = x.cum_max() == x.cum_min()
    return pl.when((n >= min_obs) & (n > 1) & ~constant).then((centred - mean) / variance.sqrt())


def expanding_zscore(value: pl.Expr, group: str, min_history: int | pl.Expr) -> pl.Expr:
    """Z-score of each value against the values of its group up to and including it: no later value is used.

    The mean and standard deviation (n - 1) run from the group's first value on. Missing before `min_history` values,
    and where all values so far are equal. Rows must be sorted by date; missing values are skipped.
    """
    return _zscore(value, min_history).over(group)
