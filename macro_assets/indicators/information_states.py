"""Information states: each figure of some series when it became known, and by how much it surprised.

What was expected is an autoregression of the figures of the periods before (no lags: their mean). The surprise is
scored by the standard deviation of those that had become known before it: the rows are in order of release, and each
uses nothing that was released later. A figure that was revised stands at the instant of its last revision: what it was
before, and surprised by, is in the table as of an earlier instant, and by month in that of an entry with `real_time`.
"""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.expected import expect_parts
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.expectations import expected_by_itself
from macro_assets.transforms.frequency import EVERY
from macro_assets.transforms.steps import transformed_by
from macro_assets.transforms.surprise import deviation_before
from macro_assets.transforms.windows import LeftOut, in_spans

SHAPE = "information_states"

COLUMNS = ("release_time",)
"""What it reads of the observations beside series, date and value."""

EXAMPLE = {
    "inputs": ["PAYEMS", "UNRATE"],
    "parameters": {
        "lags": 1,
        "min_periods": 12,
        "min_obs": 6,
        "states": [{"series": "PAYEMS", "steps": "pch"}, {"series": "UNRATE", "steps": "chg"}],
    },
}


class State(Declaration):
    """A series and the transforms that make it the news of its period."""

    series: SeriesId
    steps: Steps = Field(min_length=1)


class Parameters(Declaration):
    """The series, the expectation and the deviation."""

    states: tuple[State, ...] = Field(min_length=1)
    lags: int = Field(ge=0, le=24, strict=True, description="Periods that the expectation is on; 0 is their mean")
    min_periods: int = Field(gt=2, strict=True, description="Periods before the first expectation")
    min_obs: int = Field(gt=1, strict=True, description="Surprises before the first deviation")
    leave_out: LeftOut = Field(default=(), description="Spans of months that nothing is estimated on")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse states that are not the inputs, are not periods of a calendar, and steps that cannot be.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    for field, fact, _ in expect_parts(facts, parameters.states, "parameters.states"):
        if fact["frequency"] not in EVERY:
            came = f"{fact['series_id']} is {fact['frequency']!r}"
            raise ValueError(f"{field}: expected a frequency of {', '.join(EVERY)}, {came}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The states.

    Returns
    -------
    DataFrame
        `series_id`, `release_time`, `observation_date`, `actual` (the figure by its steps), `consensus` (what was
        expected of it), `surprise`, `surprise_sd` (of the surprises known before; null while they are too few or
        equal), `zscore`, by release and series. A figure of which nothing was expected has no row.
    """
    frequencies = dict(given.facts.select("series_id", "frequency").iter_rows())
    rows = given.observations.select("series_id", "observation_date", "value", *COLUMNS)
    figures = transformed_by(rows, {s.series: s.steps for s in parameters.states}, frequencies)
    parts = [
        expected_by_itself(
            figures.filter(pl.col("series_id") == s.series),
            frequencies[s.series],
            parameters.lags,
            parameters.min_periods,
            parameters.leave_out,
        )
        for s in parameters.states
    ]
    surprises = (
        pl.concat(parts)
        .rename({"value": "actual", "expected": "consensus"})
        .with_columns(surprise=pl.col("actual") - pl.col("consensus"))
        .filter(pl.col("surprise").is_finite())
        .with_columns(counts=~in_spans(pl.col("observation_date"), parameters.leave_out))
    )
    scored = deviation_before(surprises, parameters.min_obs)
    return scored.sort("release_time", "series_id", "observation_date").select(
        "series_id",
        "release_time",
        "observation_date",
        "actual",
        "consensus",
        "surprise",
        "surprise_sd",
        zscore=pl.col("surprise") / pl.col("surprise_sd"),
    )
