"""A yield split in two: what a model says that short rates are expected to be, and the premium for the term."""

from __future__ import annotations

import polars as pl

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.expected import expect_unit
from macro_assets.indicators.protocol import Given

SHAPE = "term_premia"

EXAMPLE = {"inputs": ["THREEFY10", "THREEFYTP10"], "parameters": {}}


class Parameters(Declaration, strict=True):
    """Nothing: the first input is the model's yield, the second its premium."""


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but a yield and a premium in percent.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    if facts.height != 2:
        raise ValueError(f"inputs: expected a yield and its term premium, got {', '.join(facts['series_id'])}")
    expect_unit(facts, "percent")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """Both parts of each day that has yield and premium.

    Yield and premium are of one model: of the yield of another curve the rest would be no expectation. A model is
    estimated of its whole sample, and its past moves when it is estimated anew: `read(..., as_of=)` has what it said.

    Returns
    -------
    DataFrame
        `observation_date`, `zero_rate` (fitted), `term_premium`, `expected_short_rate` (the rest), in percent, by date.
    """
    fitted, premium = given.series
    rows = given.by_date().select("observation_date", zero_rate=pl.col(fitted), term_premium=pl.col(premium))
    rest = pl.col("zero_rate") - pl.col("term_premium")
    return rows.drop_nulls().with_columns(expected_short_rate=rest)
