"""Slopes and butterflies of a curve: weighted sums of its yields in which a parallel shift cancels."""

from __future__ import annotations

from typing import Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug
from macro_assets.indicators.expected import expect_input, expect_used
from macro_assets.indicators.protocol import Given

SHAPE = "curve_spreads"

EXAMPLE = {
    "inputs": ["UST_PAR_2Y", "UST_PAR_5Y", "UST_PAR_10Y"],
    "parameters": {
        "spreads": {
            "slope_2y_10y": {"UST_PAR_10Y": 1.0, "UST_PAR_2Y": -1.0},
            "butterfly_2y_5y_10y": {"UST_PAR_5Y": 2.0, "UST_PAR_2Y": -1.0, "UST_PAR_10Y": -1.0},
        }
    },
}

_BASIS_POINTS = 100
"""Of a percentage point."""


class Parameters(Declaration, strict=True):
    """The spreads by name: the weight of each yield in them."""

    spreads: dict[Slug, dict[SeriesId, float]] = Field(
        min_length=1, description="Weights by series; those of a spread add up to zero"
    )

    @model_validator(mode="after")
    def _no_level(self) -> Self:
        for name, weights in self.spreads.items():
            if len(weights) < 2 or abs(sum(weights.values())) > 1e-9:
                raise ValueError(f"spreads.{name}: expected two weights or more that add up to 0, got {weights}")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse spreads of what is no input, inputs in no spread, and what is not in percent.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    for name, weights in parameters.spreads.items():
        for series in weights:
            expect_input(facts, series, "percent", f"parameters.spreads.{name}")
    expect_used(facts, {s for weights in parameters.spreads.values() for s in weights}, "spread")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The spreads of each day on which all their yields are there.

    Returns
    -------
    DataFrame
        `observation_date`, `spread`, `spread_bp` (basis points), by date and spread.
    """
    wide = given.by_date()
    return (
        pl.concat(
            wide.select(
                "observation_date",
                spread=pl.lit(name),
                spread_bp=_BASIS_POINTS
                * pl.sum_horizontal(*(pl.col(s) * w for s, w in weights.items()), ignore_nulls=False),
            )
            for name, weights in parameters.spreads.items()
        )
        .drop_nulls()
        .sort("observation_date", "spread")
    )
