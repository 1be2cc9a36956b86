"""By how much a crisis multiplies a forecast of demand for collateral and liquidity: an overlay, no forecast itself.

Three multipliers of a crisis, of margin calls, of delays and of fails in settlement, are scaled by how far volatility
and a credit spread are on their way to those of March 2020 and September 2019, and averaged. A forecast times the
result is the shocked one; its standard deviation is taken as 30 % of it. The numbers are declared and not estimated.
"""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.daily import expect_daily
from macro_assets.indicators.protocol import Given

SHAPE = "crisis_shock"

EXAMPLE = {
    "inputs": ["VIXCLS", "BAMLC0A0CM"],
    "parameters": {
        "margin": 2.5,
        "delay": 1.3,
        "fail": 3.0,
        "fail_factor": 0.5,
        "volatility_scale": 40,
        "volatility_cap": 2,
        "spread_scale_bp": 200,
        "spread_cap": 1.8,
    },
}


class Parameters(Declaration, strict=True):
    """The multipliers, and what their factors are measured by."""

    margin: float = Field(gt=0, description="Multiplier of margin calls, times the factor of volatility")
    delay: float = Field(gt=0, description="Multiplier of delays in settlement, times the factor of the spread")
    fail: float = Field(gt=0, description="Multiplier of fails in settlement, times fail_factor")
    fail_factor: float = Field(gt=0)
    volatility_scale: float = Field(gt=0, description="Volatility of which the factor is one, percent per annum")
    volatility_cap: float = Field(gt=0, description="Highest factor of volatility")
    spread_scale_bp: float = Field(gt=0, description="Spread of which the factor is one, basis points")
    spread_cap: float = Field(gt=0, description="Highest factor of the spread")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but two daily series in percent: a volatility and a spread.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_daily(facts, 2)
    for number, fact in enumerate(facts.to_dicts()):
        if fact["unit"] != "percent":
            raise ValueError(f"inputs.{number}: expected a unit of percent, {fact['series_id']} is in {fact['unit']!r}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The multiplier, of days that have both figures.

    Returns
    -------
    DataFrame
        `observation_date`, `volatility_factor`, `spread_factor`, `shock_multiplier`, by date.
    """
    volatility, spread = (pl.col(s) for s in given.series)
    factors = given.by_date().select(
        "observation_date",
        volatility_factor=(volatility / parameters.volatility_scale).clip(0, parameters.volatility_cap),
        spread_factor=(100 * spread / parameters.spread_scale_bp).clip(0, parameters.spread_cap),
    )
    margin = parameters.margin * pl.col("volatility_factor")
    delay = parameters.delay * pl.col("spread_factor")
    fail = parameters.fail * parameters.fail_factor
    return factors.drop_nulls().with_columns(shock_multiplier=(margin + delay + fail) / 3)
