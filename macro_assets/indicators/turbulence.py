"""Market turbulence: how far the returns of a day are from what was usual before, given how markets move together.

The squared Mahalanobis distance of Kritzman and Li (2010): large moves count, and so do small ones in directions that
do not belong together. They do not scale it, so that its mean is about the number of series; `per_series` divides by
that number, for a mean of about one.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.daily import expect_daily_prices
from macro_assets.indicators.market_returns import common_returns
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.turbulence import turbulence

SHAPE = "turbulence"

EXAMPLE = {"inputs": ["SP500", "NASDAQCOM", "DCOILWTICO"], "parameters": {"min_obs": 250}}


class Parameters(Declaration, strict=True):
    """What mean and covariance are estimated on, and when."""

    min_obs: int = Field(gt=2, description="Days before the first estimate")
    window: int | None = Field(default=None, gt=2, description="Days of an estimate; by default all before")
    every: Literal["1mo", "1q", "1y"] = Field(default="1mo", description="Period at whose beginning it is estimated")
    per_series: bool = Field(default=False, description="Whether the squared distance is divided by the series")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse other than daily prices, and windows that are too short.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_daily_prices(facts)
    shortest = min(parameters.min_obs, parameters.window or parameters.min_obs)
    if shortest <= facts.height:
        raise ValueError(f"parameters.min_obs: expected more days than series ({facts.height}), got {shortest}")
    if parameters.window is not None and parameters.window < parameters.min_obs:
        raise ValueError(f"parameters.window: expected min_obs ({parameters.min_obs}) or more, got {parameters.window}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The turbulence by day.

    Returns are logarithmic, from one day on which all markets have a price to the next. Mean and covariance are of the
    days before the period of the day.

    Returns
    -------
    DataFrame
        `observation_date`, `turbulence`, `estimated_through`, by day; none while the covariance has no inverse.
    """
    days, returns = common_returns(given)
    starts = np.flatnonzero(days.dt.truncate(parameters.every).rle_id().diff().fill_null(1).to_numpy() != 0)
    found = turbulence(returns, starts.tolist(), parameters.min_obs, parameters.window)
    through = days.shift(1).gather(np.repeat(starts, np.diff([*starts, len(days)])))
    scale = len(given.series) if parameters.per_series else 1
    return pl.DataFrame({"observation_date": days, "turbulence": found / scale, "estimated_through": through}).filter(
        pl.col("turbulence").is_finite()
    )
