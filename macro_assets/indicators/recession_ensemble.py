"""The mean of several probabilities of recession, each of the same event, and others of another one beside it.

Where a leg is missing, the weights of the rest are rescaled. Averaged are probabilities of one event alone: a recession
in the same month. What speaks of another, as an index of output does of the quarter that is over, has no weight.
"""

from __future__ import annotations

from typing import Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.expected import expect_tables
from macro_assets.indicators.protocol import Given

SHAPE = "recession_ensemble"

EXAMPLE = {
    "inputs": ["indicators/recession_yield_curve", "indicators/recession_credit"],
    "parameters": {"weights": {"recession_yield_curve": 0.6, "recession_credit": 0.4}, "min_legs": 1},
}

_LEG = ("observation_date", "target_date", "event", "probability")


class Parameters(Declaration):
    """Weights of the legs, and how many of them a month needs."""

    weights: dict[str, float] = Field(min_length=1, description="By indicator, adding up to 1; others stand beside")
    min_legs: int = Field(gt=0, strict=True, description="Weights are rescaled over the legs that a month has")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if min(self.weights.values()) <= 0 or abs(sum(self.weights.values()) - 1) > 1e-9:
            raise ValueError(f"weights: expected numbers above 0 that add up to 1, got {self.weights}")
        if self.min_legs > len(self.weights):
            raise ValueError(f"min_legs is {self.min_legs}, but there are {len(self.weights)} legs")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse series.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_tables(facts, "probabilities")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The legs of each month, and their mean by weight.

    Returns
    -------
    DataFrame
        A row for each month and leg: `observation_date`, `component` (the leg), `event`, `target_date`,
        `leg_probability`, `weight` (0 of what stands beside), `probability` (the mean).

    Raises
    ------
    ValueError
        Where a leg with a weight is no input, or legs tell different events.
    """
    tables = {name.rpartition("/")[2]: rows.select(_LEG) for name, rows in given.tables.items()}
    if unknown := parameters.weights.keys() - tables.keys():
        raise ValueError(f"parameters.weights: expected inputs, got {', '.join(sorted(unknown))}")
    weighed = pl.concat(
        tables[name].with_columns(component=pl.lit(name), weight=pl.lit(weight))
        for name, weight in sorted(parameters.weights.items())
    )
    month = "observation_date"
    if weighed.unique([month, "event", "target_date"]).height > weighed[month].n_unique():
        events = ", ".join(sorted(weighed["event"].unique()))
        raise ValueError(f"inputs: expected legs of one event in the same month, got {events} of several")
    mean = (
        weighed.filter(pl.len().over(month) >= parameters.min_legs)
        .with_columns(weight=pl.col("weight") / pl.col("weight").sum().over(month))
        .with_columns(mean=(pl.col("weight") * pl.col("probability")).sum().over(month).clip(0, 1))
    )
    months = mean.select(month, "mean").unique().sort(month)
    others = [_beside(months, name, rows) for name, rows in tables.items() if name not in parameters.weights]
    columns = [month, "component", "event", "target_date", "probability", "weight", "mean"]
    return (
        pl.concat([mean.select(columns), *(rows.select(columns) for rows in others)])
        .rename({"probability": "leg_probability", "mean": "probability"})
        .sort(month, "component")
    )


def _beside(months: pl.DataFrame, name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """What another indicator said last by the end of each month; that of a quarter ends with the quarter."""
    ends = pl.when(pl.col("event") == "in_quarter").then(pl.col("observation_date").dt.offset_by("2mo"))
    said = rows.with_columns(observation_date=ends.otherwise("observation_date")).sort("observation_date")
    return (
        months.join_asof(said, on="observation_date")
        .drop_nulls("probability")
        .with_columns(component=pl.lit(name), weight=pl.lit(0.0))
    )
