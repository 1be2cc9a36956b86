"""An index among the inputs of a method: a series by month, or the index of another indicator's table."""

from __future__ import annotations

import polars as pl

from macro_assets.indicators.protocol import Given
from macro_assets.transforms.panel import monthly


def expect_index(facts: pl.DataFrame, name: str, field: str) -> None:
    """Refuse an index that is no series of the inputs; of a table :func:`table_of` does, when it is read.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    if "/" not in name and name not in facts["series_id"].to_list():
        raise ValueError(f"{field}: expected one of the inputs, {name} is none")


def index_of(given: Given, name: str) -> pl.DataFrame:
    """The index by month: `observation_date` (first of month), `index_value`, none missing.

    A table's is its `index_value` where it has one, as one with contributions does, or else its `value`.
    """
    if "/" in name:
        rows = table_of(given, name)
        rows = rows.select("observation_date", index_value="index_value" if "index_value" in rows.columns else "value")
        return rows.drop_nulls().unique("observation_date").sort("observation_date")
    own = monthly(given.observations, given.facts).filter(pl.col("series_id") == name)
    return own.select("observation_date", index_value="value").drop_nulls().sort("observation_date")


def table_of(given: Given, name: str) -> pl.DataFrame:
    """A table among the inputs.

    Raises
    ------
    ValueError
        When the parameters name one that is not.
    """
    if name not in given.tables:
        raise ValueError(f"parameters: expected a table of the inputs, {name} is none of {', '.join(given.tables)}")
    return given.tables[name]
