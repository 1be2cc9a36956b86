"""A real interest rate: a rate of interest less past or expected inflation."""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.kinds.step import Step, Steps
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.curves.measures import RULES
from macro_assets.transforms.steps import check as check_steps
from macro_assets.transforms.steps import expression

SHAPE = "real_rates"

EXAMPLE = {
    "inputs": ["FEDFUNDS", "PCEPILFE"],
    "parameters": {"inflation": [{"pch": {"periods": 12}}], "rule": "difference"},
}

_MONTHLY = "M"


class Parameters(Declaration):
    """How prices become inflation, and how it is taken off the rate."""

    inflation: Steps = Field(
        default=(Step(name="level"),),
        min_length=1,
        description="Transforms of the monthly figures of the second input that give inflation in percent a year",
    )
    rule: Literal["difference", "fisher"] = Field(
        description="difference: i - p; fisher: (1 + i) / (1 + p) - 1, for rates that compound once a year"
    )


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but a rate in percent and a series that the steps make percent.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    if facts.height != 2:
        raise ValueError(f"inputs: expected a rate and inflation or prices, got {', '.join(facts['series_id'])}")
    rate, prices = facts["unit"]
    if rate != "percent":
        raise ValueError(f"inputs.0: expected a rate in percent, {facts['series_id'][0]} is in {rate!r}")
    try:
        made = check_steps(parameters.inflation, [prices], _MONTHLY, [facts["seasonal_adjustment"][1]])
    except ValueError as error:
        raise ValueError(f"parameters.inflation: {error}") from None
    if made != "percent":
        raise ValueError(f"parameters.inflation: expected steps that give percent, they give {made!r}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The rate, inflation and the real rate of each month that has both.

    By Fisher's rule a month with inflation of -100 % or less has no row.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `policy_rate`, `inflation_rate`, `real_rate`, by month, in percent.
    """
    rate, prices = given.series
    rows = given.monthly().select(
        "observation_date",
        policy_rate=pl.col(rate),
        inflation_rate=expression(parameters.inflation, [pl.col(prices)], _MONTHLY),
    )
    rows = rows.drop_nulls()
    real = RULES[parameters.rule](rows["policy_rate"].to_numpy(), rows["inflation_rate"].to_numpy())
    return rows.with_columns(real_rate=pl.Series(real, dtype=pl.Float64, nan_to_null=True)).drop_nulls()
