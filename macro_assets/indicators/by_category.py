"""A composite by category: what the components of each category contribute to it, added up."""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.expected import expect_used
from macro_assets.indicators.indices import table_of
from macro_assets.indicators.protocol import Given

SHAPE = "category_contributions"

EXAMPLE = {
    "inputs": ["indicators/economic_stress_index"],
    "parameters": {"of": "indicators/economic_stress_index"},
}

_NO_CATEGORY = "other"


class Parameters(Declaration):
    """The composite."""

    of: str = Field(description="Table of contributions among the inputs, as `indicators/economic_stress_index`")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse series among the inputs, of which nothing is made.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_used(facts, {parameters.of}, "composite")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """Contributions and weights by month and category; those of a month add up to the index, and to one.

    Returns
    -------
    DataFrame
        `observation_date`, `category` ('other' of components without one), `weight`, `contribution`, `index_value`.
    """
    return (
        table_of(given, parameters.of)
        .with_columns(pl.col("category").fill_null(_NO_CATEGORY))
        .group_by("observation_date", "category")
        .agg(pl.col("weight").sum(), pl.col("contribution").sum(), pl.col("index_value").first())
        .sort("observation_date", "category")
    )
