"""The latest figure of each series beside the one before it, and how unusual it is among all so far."""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Country, Declaration, SeriesId
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.expected import expect_parts
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.steps import transformed_by

SHAPE = "latest_readings"

COLUMNS = ("unit", "provider", "release_time")
"""What it reads of the observations beside series, date and value."""

EXAMPLE = {
    "inputs": ["PAYEMS", "UNRATE"],
    "parameters": {
        "min_obs": 24,
        "readings": [
            {"series": "PAYEMS", "country": "US", "steps": "chg"},
            {"series": "UNRATE", "country": "US", "steps": "level"},
        ],
    },
}


class Reading(Declaration):
    """A series, and the transforms of which the score is."""

    series: SeriesId
    country: Country
    steps: Steps = Field(min_length=1, description="Transforms that make it comparable over time")


class Parameters(Declaration):
    """The series, and how many figures a score needs."""

    readings: tuple[Reading, ...] = Field(min_length=1)
    min_obs: int = Field(gt=1, strict=True, description="Transformed figures before there is a score")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse readings that are not the inputs, and steps that cannot be.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_parts(facts, parameters.readings, "parameters.readings")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """A row per series that has a figure, in the order of the entry.

    Score and percentile are of the transformed figure among all up to it, itself included.

    Returns
    -------
    DataFrame
        `series_id`, `country`, `observation_date`, `value`, `unit`, `previous_value` (the figure before), `change`,
        `zscore`, `percentile` (both null where the latest figure has no transformed one, or too few have), `provider`,
        `release_time`.
    """
    readings = parameters.readings
    frequencies = dict(given.facts.select("series_id", "frequency").iter_rows())
    known = given.observations.select("series_id", "observation_date", "value", *COLUMNS).drop_nulls("value")
    latest = (
        known.sort("series_id", "observation_date")
        .with_columns(previous_value=pl.col("value").shift(1).over("series_id"))
        .unique("series_id", keep="last", maintain_order=True)
    )
    transformed = transformed_by(
        known.select("series_id", "observation_date", "value"), {r.series: r.steps for r in readings}, frequencies
    )
    x = pl.col("value")
    moves = (x.max() > x.min()) & (x.len() >= parameters.min_obs) & (x.std() > 0)
    scores = transformed.group_by("series_id").agg(
        pl.col("observation_date").last(),
        zscore=pl.when(moves).then((x.last() - x.mean()) / x.std()),
        percentile=pl.when(x.len() >= parameters.min_obs).then(50 * ((x < x.last()).mean() + (x <= x.last()).mean())),
    )
    order = pl.DataFrame(
        [(r.series, r.country) for r in readings], {"series_id": pl.String, "country": pl.String}, orient="row"
    )
    return (
        order.join(latest, on="series_id", maintain_order="left")
        .join(scores, on=["series_id", "observation_date"], how="left", maintain_order="left")
        .with_columns(pl.col("value", "previous_value").cast(pl.Float64))
        .with_columns(change=pl.col("value") - pl.col("previous_value"))
        .select(
            "series_id",
            "country",
            "observation_date",
            "value",
            "unit",
            "previous_value",
            "change",
            "zscore",
            "percentile",
            "provider",
            "release_time",
        )
    )
