"""The term structure of implied volatility: indices of one underlying by the days that they look ahead.

Variances add up over time, so that two of them say the volatility that is expected between their ends.
"""

from __future__ import annotations

from typing import Annotated, Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.daily import expect_daily
from macro_assets.indicators.expected import expect_same, expect_unit
from macro_assets.indicators.protocol import Given

SHAPE = "volatility_term_structure"

EXAMPLE = {
    "inputs": ["CBOE_VIX9D", "VIXCLS", "CBOE_VIX3M"],
    "parameters": {"tenors": {"CBOE_VIX9D": 9, "VIXCLS": 30, "CBOE_VIX3M": 93}, "anchor": 30},
}


class Parameters(Declaration):
    """How far ahead each index looks, and which one the others are compared with."""

    tenors: dict[SeriesId, Annotated[int, Field(gt=0, strict=True)]] = Field(
        min_length=2, description="Calendar days that each index looks ahead"
    )
    anchor: int = Field(strict=True, description="Days of the index that the others are divided by")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.tenors.values())) != len(self.tenors):
            raise ValueError("tenors: two indices look ahead as many days")
        if self.anchor not in self.tenors.values():
            raise ValueError(f"anchor: no index looks {self.anchor} days ahead")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse other than the series that have a tenor, and those that are not daily volatilities in percent.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_same(facts, parameters.tenors, "parameters.tenors")
    expect_daily(facts)
    expect_unit(facts, "percent")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The structure, a row for each day and tenor that has a volatility above zero.

    Returns
    -------
    DataFrame
        `observation_date`, `tenor_days`, `volatility`, `forward_volatility` (expected between the next shorter tenor of
        the day and this one; null for the shortest, and where the variances would give one below zero), all in percent
        per annum; `anchor_ratio` (the volatility over that of the anchor; null on a day without it): that of a longer
        tenor is below one when the structure is inverted.
    """
    day, tenor, volatility = "observation_date", pl.col("tenor_days"), pl.col("volatility")
    told = pl.DataFrame(
        {"series_id": list(parameters.tenors), "tenor_days": list(parameters.tenors.values())},
        schema_overrides={"tenor_days": pl.Int64},
    )
    rows = (
        given.observations.filter(pl.col("value") > 0)
        .join(told, on="series_id")
        .select(day, "tenor_days", volatility="value")
        .sort(day, "tenor_days")
    )
    total = volatility.pow(2) * tenor
    forward = (total.diff() / tenor.diff()).over(day)
    anchor = pl.when(tenor == parameters.anchor).then(volatility).max().over(day)
    return rows.with_columns(
        forward_volatility=pl.when(forward >= 0).then(forward.sqrt()), anchor_ratio=volatility / anchor
    )
