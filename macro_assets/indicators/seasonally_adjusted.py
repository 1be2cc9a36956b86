"""A series without its season: the factor of each date, fitted to what was measured by then, and what it leaves."""

from __future__ import annotations

from datetime import date

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.expected import expect_one
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.seasonal import MIN_YEARS, one_sided_factors, without

SHAPE = "seasonal"

EXAMPLE = {"inputs": ["MCOILWTICO"], "parameters": {"multiplicative": True, "min_years": 2}}

_A_YEAR = {"M": 12, "Q": 4}
_STEP = {"M": "1mo", "Q": "1q"}


class Parameters(Declaration):
    """What a season is, and of which figures."""

    multiplicative: bool = Field(
        strict=True, description="Whether the season is a ratio to the trend, or a number on it"
    )
    each: bool = Field(default=False, strict=True, description="Fit again with each figure, or once a year")
    min_years: int = Field(default=MIN_YEARS, ge=2, strict=True, description="Years of figures before the first factor")
    since: date | None = Field(default=None, description="First date that is fitted; earlier figures are left out")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but one monthly or quarterly series that is not adjusted yet.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    fact = expect_one(facts)
    if fact["frequency"] not in _A_YEAR:
        raise ValueError(
            f"inputs.0: expected a monthly or quarterly series, {fact['series_id']} is {fact['frequency']!r}"
        )
    if fact["seasonal_adjustment"] != "NSA":
        raise ValueError(f"inputs.0: expected a series that is not adjusted, {fact['series_id']} is adjusted already")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """Factors and adjusted figures, by :func:`~macro_assets.transforms.seasonal.one_sided_factors`.

    Returns
    -------
    DataFrame
        `observation_date`, `value` (as it came), `seasonal_factor`, `adjusted`, one row per figure that has a factor.
    """
    (frequency,) = given.facts["frequency"]
    known = given.observations.filter(pl.col("series_id") == given.series[0]).select("observation_date", "value")
    if parameters.since:
        known = known.filter(pl.col("observation_date") >= parameters.since)
    regular = _calendar(known.drop_nulls(), _STEP[frequency])
    factors = one_sided_factors(
        regular["value"],
        _A_YEAR[frequency],
        multiplicative=parameters.multiplicative,
        each=parameters.each,
        min_years=parameters.min_years,
    )
    adjusted = without(regular["value"], factors, multiplicative=parameters.multiplicative)
    return regular.with_columns(seasonal_factor=factors, adjusted=adjusted).drop_nulls()


def _calendar(known: pl.DataFrame, step: str) -> pl.DataFrame:
    """The figures with a row for each period from the first to the last."""
    if known.is_empty():
        return known
    dates = known["observation_date"]
    periods = pl.select(observation_date=pl.date_range(dates.min(), dates.max(), step))  # type: ignore[arg-type]
    return periods.join(known, on="observation_date", how="left", maintain_order="left")
