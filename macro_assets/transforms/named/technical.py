"""Indicators of technical analysis, as they are told by those who made them.

Wilder (1978), New Concepts in Technical Trading Systems; Appel (1979), The Moving Average Convergence-Divergence
Trading Method; Bollinger (2001), Bollinger on Bollinger Bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.transforms.named.averages import exponential
from macro_assets.transforms.registry import Calendar, always, difference, same, transform


class Rsi(Declaration, strict=True):
    """Of the relative strength index: over how many changes."""

    window: int = Field(default=14, gt=1)


@transform(always("index"), parameters=Rsi)
def rsi(series: Sequence[pl.Expr], parameters: Rsi, calendar: Calendar) -> pl.Expr:
    """Wilder's relative strength index: 100 rises / (rises + falls), averaged; missing where nothing has moved.

    The first averages are the means of the first n changes, from then on y(t) = y(t-1) + (x(t) - y(t-1)) / n.
    """
    change = series[0].diff()
    up, down = (_wilder(c.clip(lower_bound=0), parameters.window) for c in (change, -change))
    return 100 * up / (up + down)


def _wilder(moves: pl.Expr, n: int) -> pl.Expr:
    """Wilder's average, which starts with a mean."""
    known = moves.is_not_null()
    count = known.cum_sum()
    started = pl.when(known & (count == n)).then(moves.cum_sum() / n).when(count > n).then(moves)
    return exponential(started, 1 / n)


class Macd(Declaration, strict=True):
    """Spans of the two averages and of the signal, and which line."""

    fast: int = Field(default=12, gt=0)
    slow: int = Field(default=26, gt=0)
    signal: int = Field(default=9, gt=0)
    line: Literal["macd", "signal", "histogram"] = "macd"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        return self


@transform(difference, parameters=Macd)
def macd(series: Sequence[pl.Expr], parameters: Macd, calendar: Calendar) -> pl.Expr:
    """Fast less slow exponential average; or the average of that, its signal; or the line less its signal.

    The averages start at the first value; the line is missing before `slow` values, the signal before `signal` of it.
    """
    (x,) = series
    fast, slow = (exponential(x, 2 / (span + 1)) for span in (parameters.fast, parameters.slow))
    line = pl.when(_count(x) >= parameters.slow).then(fast - slow)
    if parameters.line == "macd":
        return line
    signal = pl.when(_count(line) >= parameters.signal).then(exponential(line, 2 / (parameters.signal + 1)))
    return signal if parameters.line == "signal" else line - signal


def _count(x: pl.Expr) -> pl.Expr:
    return x.is_not_null().cum_sum()


class Bands(Declaration, strict=True):
    """Over how many values, how many standard deviations (n) wide, and what is told of the bands."""

    window: int = Field(default=20, gt=1)
    deviations: float = Field(default=2.0, gt=0)
    line: Literal["position", "upper", "lower", "width"] = "position"


def _unit_of_bands(units: Sequence[str], parameters: Bands) -> str:
    match parameters.line:
        case "position":
            return "fraction"
        case "width":
            return difference(units, parameters)
    return same(units, parameters)


@transform(_unit_of_bands, parameters=Bands)
def bollinger(series: Sequence[pl.Expr], parameters: Bands, calendar: Calendar) -> pl.Expr:
    """Where the value is between Bollinger's bands, 0 at the lower and 1 at the upper; or a band, or their width.

    The bands are the mean of the trailing window, all of which must be known, and some standard deviations from it.
    The position is missing where all values of the window are equal.
    """
    (x,) = series
    mean = x.rolling_mean(parameters.window)
    reach = parameters.deviations * x.rolling_std(parameters.window, ddof=0)
    match parameters.line:
        case "upper":
            return mean + reach
        case "lower":
            return mean - reach
        case "width":
            return 2 * reach
    varies = x.rolling_max(parameters.window) > x.rolling_min(parameters.window)
    return pl.when(varies).then((x - mean + reach) / (2 * reach))
