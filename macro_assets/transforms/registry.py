"""What a transform is, how one is entered into the vocabulary, and the rules of units.

The vocabulary itself is in `named/`, all of it behind `library.py`; chains of transforms are in `steps.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from types import MappingProxyType
from typing import Any

import polars as pl

from macro_assets.catalog.kinds.declaration import Declaration

PERIODS_PER_YEAR: Mapping[str, int] = {"M": 12, "Q": 4, "A": 1}
"""Of the frequencies whose periods have a calendar; the step before a daily or weekly figure is the one before it."""

OBSERVATIONS_PER_YEAR: Mapping[str, int] = {"D": 252, "W": 52, **PERIODS_PER_YEAR}
"""What annualizes a volatility: trading days and weeks, else the periods."""


@dataclass(frozen=True)
class Calendar:
    """When the rows of a series are: their frequency, and their dates, which rise with the rows."""

    frequency: str
    dates: pl.Expr = field(default_factory=lambda: pl.col("observation_date"))

    @property
    def per_year(self) -> int | None:
        """Periods of a year; None: daily or weekly."""
        return PERIODS_PER_YEAR.get(self.frequency)


Function = Callable[[Sequence[pl.Expr], Any, Calendar], pl.Expr]
"""Series, parameters and calendar -> what becomes of them."""

Units = Callable[[Sequence[str], Any], str]
"""Units of the series and parameters -> unit of what becomes of them; a ValueError says what is admitted."""


class NoParameters(Declaration, strict=True):
    """Of a transform without parameters."""


@dataclass(frozen=True)
class Transform:
    """A transform: its name, what it takes, and the expression that it is.

    One that is `adjusted_only` compares neighbouring periods of a year: a series with seasons is refused.
    """

    name: str
    description: str
    function: Function
    unit: Units
    parameters: type[Declaration] = NoParameters
    takes: int = 1
    frequencies: str = "DWMQA"
    example: Mapping[str, Any] = field(default_factory=dict)
    adjusted_only: bool = False


KNOWN: dict[str, Transform] = {}
TRANSFORMS: Mapping[str, Transform] = MappingProxyType(KNOWN)
"""Every transform by name."""


_NOT_FINITE = [math.inf, -math.inf, math.nan]
"""Replaced in one pass: as `when(x.is_finite()).then(x)` x would be computed twice, in a chain 2^steps times."""


def transform(unit: Units, *, name: str | None = None, **fields: Any) -> Callable[[Function], Function]:
    """Enter a function into the vocabulary, under its own name by default. What it gives that is not finite is null."""

    def enter(function: Function) -> Function:
        @wraps(function)
        def finite(series: Sequence[pl.Expr], parameters: Any, calendar: Calendar) -> pl.Expr:
            return function(series, parameters, calendar).cast(pl.Float64).replace(_NOT_FINITE, None)

        called, description = name or function.__name__, (function.__doc__ or "").partition("\n")[0]
        KNOWN[called] = Transform(called, description, finite, unit, **fields)
        return function

    return enter


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


def rate(units: Sequence[str], parameters: Any) -> str:
    """The rule of what chains rates: percent of percent."""
    if units[0] != "percent":
        raise ValueError(f"expected rates in percent, got {units[0]!r}")
    return units[0]


def equal(units: Sequence[str], parameters: Any) -> str:
    """The unit of a difference of two series, which have one unit."""
    if len(set(units)) > 1:
        raise ValueError(f"expected series of one unit, got {' and '.join(map(repr, units))}")
    return difference(units, parameters)


def always(unit: str) -> Units:
    """The rule of what has one unit whatever the series has."""
    return lambda units, parameters: unit
