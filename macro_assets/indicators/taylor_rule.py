"""What a Taylor rule prescribes for the policy rate, and how far the rate is from it."""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.protocol import Given

SHAPE = "policy_rule"

EXAMPLE = {
    "inputs": ["FEDFUNDS", "PCEPILFE", "GDPC1", "GDPPOT"],
    "parameters": {"neutral_rate": 2.0, "target": 2.0, "on_inflation": 0.5, "on_gap": 0.5},
}

_ROLES = (("policy rate", "M"), ("price index", "M"), ("output", "Q"), ("potential output", "Q"))
"""What the inputs are, in order, and the frequency of each."""

_YEAR = 4
"""Quarters."""


class Parameters(Declaration, strict=True):
    """The neutral real rate, the target of inflation, and what the rate does of a gap of one percentage point."""

    neutral_rate: float = Field(description="Real rate at which neither gap is fed, percent")
    target: float = Field(description="Target of inflation, percent a year")
    on_inflation: float = Field(
        ge=0, description="Points of rate for a point of inflation over target, beside that point"
    )
    on_gap: float = Field(ge=0, description="Points of rate for a percent of output over potential")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but a rate, prices, output and potential output in this order.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    if facts.height != len(_ROLES):
        raise ValueError(f"inputs: expected {', '.join(r for r, _ in _ROLES)}, got {', '.join(facts['series_id'])}")
    told = facts.to_dicts()
    for number, ((role, frequency), fact) in enumerate(zip(_ROLES, told, strict=True)):
        if fact["frequency"] != frequency:
            came = f"{fact['series_id']} has {fact['frequency']}"
            raise ValueError(f"inputs.{number}: expected the {role} at frequency {frequency}, {came}")
    if told[0]["unit"] != "percent":
        raise ValueError(f"inputs.0: expected the policy rate in percent, it is in {told[0]['unit']!r}")
    if told[2]["unit"] != told[3]["unit"]:
        raise ValueError(f"inputs.3: expected the unit of output, {told[2]['unit']!r}, got {told[3]['unit']!r}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The rate that the rule prescribes: r* + p + a (p - p*) + b gap.

    Inflation p is the change of the quarter's mean price level over four quarters, the gap is output over potential in
    percent. The policy rate is the quarter's mean; a quarter that lacks a month of rate or prices, output or potential
    has no row, and none whose divisor is zero or below.

    Returns
    -------
    DataFrame
        `observation_date` (first of quarter), `policy_rate`, `inflation_rate`, `output_gap`, `prescribed_rate`,
        `rate_gap` (policy less prescribed), by quarter, in percent and percentage points.
    """
    policy, prices, output, potential = given.series
    quarter = pl.col("observation_date").dt.truncate("1q")
    quarters = (
        given.monthly()
        .group_by(observation_date=quarter, maintain_order=True)
        .agg(
            *(_mean_of_three(s) for s in (policy, prices)),
            *(pl.col(s).drop_nulls().last() for s in (output, potential)),
        )
    )
    before, whole = pl.col(prices).shift(_YEAR), pl.col(potential)
    inflation, gap = pl.col("inflation_rate"), pl.col("output_gap")
    p = parameters
    return (
        quarters.select(
            "observation_date",
            policy_rate=pl.col(policy),
            inflation_rate=pl.when(before > 0).then(100 * (pl.col(prices) / before - 1)),
            output_gap=pl.when(whole > 0).then(100 * (pl.col(output) / whole - 1)),
        )
        .drop_nulls()
        .with_columns(
            prescribed_rate=p.neutral_rate + inflation + p.on_inflation * (inflation - p.target) + p.on_gap * gap
        )
        .with_columns(rate_gap=pl.col("policy_rate") - pl.col("prescribed_rate"))
    )


def _mean_of_three(series: str) -> pl.Expr:
    """Mean of a quarter's months, where all three have a figure."""
    return pl.when(pl.col(series).count() == 3).then(pl.col(series).mean()).alias(series)
