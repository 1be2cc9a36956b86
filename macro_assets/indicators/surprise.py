"""Surprises: releases minus what was expected of them, as scores by those before, and their mean over days.

What was expected is a series that says so for its own period, such as a survey's median for the month that is under
way (the last survey of the period counts), or the forecasts of a model, of which the last before the release counts, or
an autoregression of the figures themselves, estimated as of each period on those before.
"""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.expectations import expected_by_itself
from macro_assets.transforms.frequency import EVERY
from macro_assets.transforms.steps import check as check_steps
from macro_assets.transforms.steps import transformed_by
from macro_assets.transforms.surprise import expected_before, standardized, trailing_mean
from macro_assets.transforms.windows import LeftOut

SHAPE = "surprises"

AUTOREGRESSION = "autoregression"
"""The consensus of a release of which nobody says what is expected."""

EXAMPLE = {
    "inputs": ["BR_IPCA_MOM", "BR_FOCUS_IPCA_M0", "BR_IBC_BR_SA"],
    "parameters": {
        "min_obs": 6,
        "mean_days": 30,
        "autoregression": {"lags": 2, "min_obs": 12},
        "releases": [
            {
                "name": "inflation",
                "actual": "BR_IPCA_MOM",
                "consensus": "BR_FOCUS_IPCA_M0",
                "release_days": 10,
                "sign": 1,
            },
            {
                "name": "activity",
                "actual": "BR_IBC_BR_SA",
                "steps": "pch",
                "consensus": "autoregression",
                "release_days": 46,
                "sign": 1,
            },
        ],
    },
}


class Release(Declaration):
    """A release: its series, what is expected of it, and when it comes out."""

    name: Slug
    actual: SeriesId
    steps: Steps = Field(default=(), description="Transforms of the actual that make it what is expected")
    consensus: str = Field(
        description="A series of the inputs, a model's table of forecasts among them, or 'autoregression'"
    )
    release_days: int = Field(ge=0, lt=100, strict=True, description="Days from the end of the period to the release")
    sign: Literal[-1, 1] = Field(description="-1 where more than expected is bad for the index")


class Autoregression(Declaration, strict=True):
    """What is expected where nobody else says: a regression on the figures of the periods before."""

    lags: int = Field(default=3, ge=0, le=24, description="Periods before that it is on; 0 is their mean")
    min_obs: int = Field(default=36, gt=2, description="Periods before the first expectation")


class Parameters(Declaration):
    """The releases, what is expected of them, the surprises before the first score, and the days of the mean."""

    min_obs: int = Field(gt=1, strict=True, description="Surprises of a release before its first score")
    mean_days: int = Field(default=30, gt=0, strict=True, description="Days of the mean over all releases")
    autoregression: Autoregression = Autoregression()
    leave_out: LeftOut = Field(default=(), description="Spans of months that nothing is estimated on")
    releases: tuple[Release, ...] = Field(min_length=1)


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse releases that are no inputs, are not periods of a calendar, or are not in the unit of what is expected.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    known = {fact["series_id"]: fact for fact in facts.to_dicts()}
    names = [r.name for r in parameters.releases]
    if repeated := sorted({n for n in names if names.count(n) > 1}):
        raise ValueError(f"parameters.releases: {', '.join(repeated)}: expected each name once")
    for number, release in enumerate(parameters.releases):
        field = f"parameters.releases.{number}"
        if release.actual not in known:
            raise ValueError(f"{field}.actual: {release.actual}: expected one of the inputs {', '.join(known)}")
        frequency, unit = known[release.actual]["frequency"], known[release.actual]["unit"]
        if frequency not in EVERY:
            raise ValueError(f"{field}.actual: expected a frequency of {', '.join(EVERY)}, got {frequency!r}")
        if release.steps:
            try:
                unit = check_steps(release.steps, [unit], frequency, [known[release.actual]["seasonal_adjustment"]])
            except ValueError as error:
                raise ValueError(f"{field}.steps: {error}") from None
        if release.consensus in known:
            if (other := known[release.consensus]["unit"]) != unit:
                raise ValueError(f"{field}.consensus: expected the unit {unit!r}, {release.consensus} has {other!r}")
        elif release.consensus != AUTOREGRESSION and not release.consensus.startswith("forecasts/"):
            raise ValueError(
                f"{field}.consensus: {release.consensus}: expected an input, a table of forecasts or {AUTOREGRESSION!r}"
            )


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The surprises of all releases.

    A row stands on the day of its release, which is `release_days` after the end of its period: figures come without
    the day they came out. A consensus dated on that day or later is not asked. The actual is the figure in force, of
    which revisions are part; as of the day of the release it is the first.

    Returns
    -------
    DataFrame
        `observation_date` (day of the release), `component`, `target_date` (its period), `actual`, `consensus`,
        `surprise`, `zscore` (signed), `mean_score` (of the scores of `mean_days` up to the day), by day and component.
    """
    released = _released(given, parameters)
    releases = pl.concat(released)
    consensus = pl.concat(
        _expected_by_itself(given, r, rows, parameters) if r.consensus == AUTOREGRESSION else _expected(given, r)
        for r, rows in zip(parameters.releases, released, strict=True)
    )
    signs = {r.name: r.sign for r in parameters.releases}
    expected = expected_before(releases, consensus)
    scored = standardized(expected, parameters.min_obs, parameters.leave_out).with_columns(
        zscore=pl.col("zscore") * pl.col("component").replace_strict(signs, default=1, return_dtype=pl.Int64)
    )
    return (
        trailing_mean(scored, parameters.mean_days)
        .select(
            pl.col("release_time").alias("observation_date"),
            "component",
            "target_date",
            "actual",
            "consensus",
            "surprise",
            "zscore",
            mean_score="trailing_mean",
        )
        .sort("observation_date", "component", "target_date")
    )


def _released(given: Given, parameters: Parameters) -> list[pl.DataFrame]:
    """Of each release `component`, `target_date`, `release_time` (a day), `actual`, by period."""
    frequencies = dict(given.facts.select("series_id", "frequency").iter_rows())
    known = given.observations.select("series_id", "observation_date", "value").sort("series_id", "observation_date")
    figures = {
        r.name: known.filter(pl.col("series_id") == r.actual).with_columns(series_id=pl.lit(r.name))
        for r in parameters.releases
    }
    steps = {r.name: r.steps for r in parameters.releases if r.steps}
    if steps:
        every = {r.name: frequencies[r.actual] for r in parameters.releases}
        made = transformed_by(pl.concat([figures[name] for name in steps]), steps, every)
        figures |= {name: made.filter(pl.col("series_id") == name) for name in steps}
    period = pl.col("observation_date")
    return [
        figures[r.name].select(
            component="series_id",
            target_date=period,
            release_time=period.dt.offset_by(EVERY[frequencies[r.actual]]).dt.offset_by(f"{r.release_days - 1}d"),
            actual=pl.col("value").cast(pl.Float64),
        )
        for r in parameters.releases
    ]


def _expected_by_itself(given: Given, release: Release, released: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """As :func:`_expected`, of the figures of the periods before, on the day before the release."""
    (frequency,) = given.facts.filter(series_id=release.actual)["frequency"]
    figures = released.rename({"target_date": "observation_date", "actual": "value"})
    known, own = figures.filter(pl.col("value").is_finite()), parameters.autoregression
    found = expected_by_itself(known, frequency, own.lags, own.min_obs, parameters.leave_out)
    return found.select(
        "component",
        target_date="observation_date",
        known_time=pl.col("release_time").dt.offset_by("-1d"),
        consensus="expected",
    )


def _expected(given: Given, release: Release) -> pl.DataFrame:
    """`component`, `target_date`, `known_time` (a day), `consensus`."""
    (frequency,) = given.facts.filter(series_id=release.actual)["frequency"]
    if release.consensus in given.series:
        rows = given.observations.filter(series_id=release.consensus)
        target, known = pl.col("observation_date").dt.truncate(EVERY[frequency]), pl.col("observation_date")
    else:
        table = given.tables[release.consensus]
        mean = (pl.col("statistic") == "mean") & pl.col("scenario").is_null() & ~pl.col("is_released")
        rows = table.filter(mean, pl.col("series_id") == release.actual)
        target, known = pl.col("target_date"), pl.col("as_of").dt.date()
    return rows.select(
        component=pl.lit(release.name), target_date=target, known_time=known, consensus=pl.col("value").cast(pl.Float64)
    )
