"""Volatility of a price by a GARCH or GJR model, estimated at the beginning of each period on the returns before it."""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.daily import annual, expect_daily_prices, returns
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.volatility.garch import MIN_OBS, Garch, as_of_each
from macro_assets.transforms.volatility.prices import TRADING_DAYS

SHAPE = "garch"

EXAMPLE = {"inputs": ["SP500"], "parameters": {"min_obs": 1200, "horizon": 21}}


class Parameters(Declaration, strict=True):
    """The model, when it is estimated, and how far ahead is looked."""

    leverage: bool = Field(default=True, description="Whether falls count for more than rises (GJR)")
    distribution: Literal["normal", "t"] = Field(default="normal", description="Of the standardized returns")
    min_obs: int = Field(ge=MIN_OBS, description="Returns before the first estimates")
    every: Literal["1y", "1q", "1mo"] = Field(default="1y", description="Period at whose beginning it is estimated")
    horizon: int = Field(gt=0, description="Trading days of the expected volatility")
    days: int = Field(default=TRADING_DAYS, gt=0, description="Trading days of a year")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but one daily price. Raises as :func:`macro_assets.indicators.daily.expect_daily`."""
    expect_daily_prices(facts, 1)


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """Volatilities by day, from the first estimates on.

    Returns
    -------
    DataFrame
        `observation_date`, `conditional_volatility` (of the day, given those before), `next_volatility` (of the next
        trading day), `expected_volatility` (over the horizon), all in percent per annum; `persistence`,
        `estimated_through`. See :func:`macro_assets.transforms.volatility.garch.as_of_each`.
    """
    model = Garch(leverage=parameters.leverage, distribution=parameters.distribution)
    found = as_of_each(
        returns(given), model, min_obs=parameters.min_obs, every=parameters.every, horizon=parameters.horizon
    )
    return found.with_columns(
        annual(pl.col("conditional_volatility", "next_volatility", "expected_volatility"), parameters.days)
    )
