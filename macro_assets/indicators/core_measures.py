"""Measures of core inflation side by side, each over twelve months, and their mean."""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.expected import expect_parts
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.steps import expression

SHAPE = "core_measures"

EXAMPLE = {
    "inputs": ["CPILFESL", "PCETRIM12M159SFRBDAL"],
    "parameters": {
        "min_measures": 1,
        "measures": [
            {"name": "cpi_core", "series": "CPILFESL", "steps": "yoy"},
            {"name": "pce_trimmed", "series": "PCETRIM12M159SFRBDAL", "steps": "level"},
        ],
    },
}

_MONTHLY = "M"


class Measure(Declaration):
    """A measure and the transforms that make it a change over twelve months in percent."""

    name: Slug
    series: SeriesId
    steps: Steps = Field(min_length=1)


class Parameters(Declaration):
    """The measures, and how many of them a month needs."""

    measures: tuple[Measure, ...] = Field(min_length=1)
    min_measures: int = Field(gt=0, strict=True, description="Measures of a month that has a mean")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse measures that are not the inputs, not monthly, or not in percent after their steps.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    parts = expect_parts(facts, parameters.measures, "parameters.measures", _MONTHLY)
    if parameters.min_measures > len(parts):
        raise ValueError(f"parameters.min_measures: expected {len(parts)} at most, got {parameters.min_measures}")
    for field, fact, unit in parts:
        if fact["frequency"] != _MONTHLY:
            raise ValueError(f"{field}: expected monthly figures, {fact['series_id']} is {fact['frequency']!r}")
        if unit != "percent":
            raise ValueError(f"{field}.steps: expected steps that give percent, they give {unit!r}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The measures by month.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `component` (measure), `value` (percent over twelve months), `core_mean`
        (mean of the measures that the month has; null of fewer than `min_measures`), by month and measure.
    """
    wide = given.monthly()
    parts = [
        wide.select(
            "observation_date",
            component=pl.lit(m.name),
            value=expression(m.steps, [pl.col(m.series)], _MONTHLY).cast(pl.Float64),
        )
        for m in parameters.measures
    ]
    month = "observation_date"
    enough = pl.len().over(month) >= parameters.min_measures
    return (
        pl.concat(parts)
        .drop_nulls("value")
        .sort(month, "component")
        .with_columns(core_mean=pl.when(enough).then(pl.col("value").mean().over(month)))
    )
