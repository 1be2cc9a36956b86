"""What methods of daily market figures ask of their inputs, and how they take them."""

from __future__ import annotations

import math

import polars as pl

from macro_assets.indicators.protocol import Given
from macro_assets.transforms.library import TRANSFORMS
from macro_assets.transforms.volatility.prices import log_return


def expect_daily(facts: pl.DataFrame, count: int | None = None) -> None:
    """Refuse other than daily series, and another number of them.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    if count is not None and facts.height != count:
        raise ValueError(f"inputs: expected {count} series, got {', '.join(facts['series_id']) or 'none'}")
    for number, fact in enumerate(facts.to_dicts()):
        if fact["frequency"] != "D":
            raise ValueError(
                f"inputs.{number}: expected a series of frequency D, {fact['series_id']} is {fact['frequency']!r}"
            )


def expect_daily_prices(facts: pl.DataFrame, count: int | None = None) -> None:
    """Refuse other than daily series of prices, and another number of them. Raises as :func:`expect_daily`."""
    expect_daily(facts, count)
    log = TRANSFORMS["log"]
    for number, unit in enumerate(facts["unit"]):
        try:
            log.unit([unit], log.parameters())
        except ValueError as error:
            raise ValueError(f"inputs.{number}: {error}") from None


def figures(given: Given) -> pl.DataFrame:
    """The only series: `observation_date`, `value`, none missing, by date."""
    (series,) = given.series
    return given.by_date().rename({series: "value"})


def returns(given: Given) -> pl.DataFrame:
    """Log returns of the only series in percent, from one figure to the next: `observation_date`, `value`, by date."""
    return figures(given).with_columns(value=100 * log_return(pl.col("value"))).drop_nulls("value")


def annual(volatility: pl.Expr, days: int) -> pl.Expr:
    """A daily volatility by the year."""
    return volatility * math.sqrt(days)
