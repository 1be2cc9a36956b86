"""Volatility of a price by its open, high, low and close: four estimates, and whether each day's range counts."""

from __future__ import annotations

from typing import Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.daily import expect_daily_prices
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.volatility.prices import TRADING_DAYS
from macro_assets.transforms.volatility.ranges import PRICES, range_volatility

SHAPE = "range_volatility"

EXAMPLE = {
    "inputs": ["SP500_OPEN", "SP500_HIGH", "SP500_LOW", "SP500"],
    "parameters": {"window": 21, "min_obs": 15},
}


class Parameters(Declaration, strict=True):
    """The trailing window, and how many of its days must count."""

    window: int = Field(gt=1, description="Trading days of the window, which ends with the day itself")
    min_obs: int = Field(gt=1, description="Days of it that must count")
    days: int = Field(default=TRADING_DAYS, gt=0, description="Trading days of a year")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.min_obs > self.window:
            raise ValueError(f"min_obs ({self.min_obs}) must not be above window ({self.window})")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but open, high, low and close of a price.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_daily_prices(facts, len(PRICES))
    if facts["unit"].n_unique() > 1:
        raise ValueError(f"inputs: expected open, high, low and close in one unit, got {', '.join(facts['unit'])}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The estimates, a row for each day with a price. Inputs are the open, high, low and close, in this order.

    Returns
    -------
    DataFrame
        As :func:`macro_assets.transforms.volatility.ranges.range_volatility` says.
    """
    prices = given.by_date().rename(dict(zip(given.series, PRICES, strict=True)))
    return range_volatility(prices, parameters.window, parameters.min_obs, parameters.days)
