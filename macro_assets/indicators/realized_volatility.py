"""Realized volatility of some prices: the root of the mean squared daily return over a trailing window."""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.daily import expect_daily_prices
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.volatility.prices import TRADING_DAYS
from macro_assets.transforms.volatility.ranges import realized_volatility

SHAPE = "volatility_by_series"

EXAMPLE = {"inputs": ["SP500", "NASDAQCOM"], "parameters": {"window": 21}}


class Parameters(Declaration, strict=True):
    """The trailing window."""

    window: int = Field(gt=1, description="Returns of the window, all of which must be known")
    days: int = Field(default=TRADING_DAYS, gt=0, description="Trading days of a year")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but daily prices. Raises as :func:`macro_assets.indicators.daily.expect_daily`."""
    expect_daily_prices(facts)


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The volatility of each series at its own days; a window with a price that is not above zero has no row.

    Returns
    -------
    DataFrame
        `series_id`, `observation_date`, `volatility` (percent per annum), by series and date.
    """
    value = realized_volatility(pl.col("value"), parameters.window, days=parameters.days)
    return (
        given.observations.drop_nulls("value")
        .sort("series_id", "observation_date")
        .select("series_id", "observation_date", volatility=value.over("series_id"))
        .drop_nulls("volatility")
    )
