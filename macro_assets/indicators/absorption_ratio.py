"""The absorption ratio: which share of all variance a few factors absorb, and how it shifts.

Where markets are tightly coupled a shock goes from one to all. Kritzman, Li, Page and Rigobon (2011) take as many
eigenvectors as a fifth of the series, a window of 500 days whose weights halve in 250, and measure the shift as the
mean of 15 days less that of a year in standard deviations of the year.
"""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.daily import expect_daily_prices
from macro_assets.indicators.market_returns import common_returns
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.turbulence import absorption

SHAPE = "absorption_ratio"

EXAMPLE = {
    "inputs": ["SP500", "NASDAQCOM", "DCOILWTICO"],
    "parameters": {"window": 120, "half_life": 60, "short_days": 5, "long_days": 60},
}


class Parameters(Declaration, strict=True):
    """The window of the covariance, the factors, and the days of the shift."""

    window: int = Field(default=500, gt=2, description="Days of the covariance")
    half_life: float = Field(default=250, gt=0, strict=False, description="Days after which one counts half")
    factors: int | None = Field(default=None, gt=0, description="Eigenvectors; by default a fifth of the series")
    short_days: int = Field(default=15, gt=0)
    long_days: int = Field(default=252, gt=2)


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse other than daily prices, one of them alone, and as many factors as series.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_daily_prices(facts)
    if facts.height < 2:
        raise ValueError(f"inputs: expected two series or more, got {facts.height}")
    if (parameters.factors or 1) >= facts.height:
        raise ValueError(f"parameters.factors: expected fewer than the series ({facts.height})")
    if parameters.short_days >= parameters.long_days:
        raise ValueError(f"parameters.short_days: expected fewer than long_days ({parameters.long_days})")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The ratio by day.

    Returns are logarithmic, from one day on which all markets have a price to the next.

    Returns
    -------
    DataFrame
        `observation_date`, `absorption_ratio` (0 to 1; 1 where all move as one), `absorption_shift` (standard
        deviations of the year; null before the year is full, and where the ratio did not move), by day.
    """
    days, returns = common_returns(given)
    factors = parameters.factors or max(1, round(len(given.series) / 5))
    found = absorption(returns, parameters.window, parameters.half_life, factors)
    ratio, long = pl.col("absorption_ratio"), parameters.long_days
    shift = (ratio.rolling_mean(parameters.short_days) - ratio.rolling_mean(long)) / ratio.rolling_std(long)
    return (
        pl.DataFrame({"observation_date": days, "absorption_ratio": found})
        .filter(ratio.is_finite())
        .with_columns(absorption_shift=pl.when(shift.is_finite() & (ratio.rolling_std(long) > _STILL)).then(shift))
    )


_STILL = 1e-9
"""A deviation of the ratio that is rounding."""
