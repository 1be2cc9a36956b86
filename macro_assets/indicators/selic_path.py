"""Where a survey expects the policy rate at the ends of years, beside the rate of the day and that of a curve."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.expected import expect_same, expect_unit
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.curves.rates import BUSINESS_YEAR

SHAPE = "policy_path"

EXAMPLE = {
    "inputs": ["BR_SELIC_TARGET", "BR_FOCUS_SELIC_Y0", "BR_FOCUS_SELIC_Y1", "BR_DI_PRE_126D", "BR_DI_PRE_504D"],
    "parameters": {
        "policy": "BR_SELIC_TARGET",
        "expected": {"BR_FOCUS_SELIC_Y0": 0, "BR_FOCUS_SELIC_Y1": 1},
        "curve": {"BR_DI_PRE_126D": 126, "BR_DI_PRE_504D": 504},
    },
}

_POLICY_DAYS = "7d"
"""How much older than the survey the policy rate may be."""

_DATE, _YEARS = "observation_date", "years"


class Parameters(Declaration, strict=True):
    """Which input is what: the policy rate, the expectations by years ahead, the curve by business days."""

    policy: SeriesId
    expected: dict[SeriesId, int] = Field(min_length=1, description="Years from the survey's to the one that is meant")
    curve: dict[SeriesId, int] = Field(
        default_factory=dict, description="Zero rates, compounded once a year, by maturity in business days"
    )


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse inputs without a role, roles without an input, and what is not in percent.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    named = {parameters.policy, *parameters.expected, *parameters.curve}
    expect_same(facts, named, "parameters")
    expect_unit(facts, "percent")
    for field, told in (("expected", parameters.expected), ("curve", parameters.curve)):
        if len(set(told.values())) != len(told):
            raise ValueError(f"parameters.{field}: two series have one number")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The expected rate of each survey day and year end, its distance from the day's policy rate and from the curve.

    The forward rate of the curve at the end of the year is that of the segment in which the day lies, flat between two
    maturities, as DI futures are read; business days are counted as 252 a year of 365.25 days. Before the first
    maturity it is the first rate; past the last, or on a day without the curve, it is null.

    Returns
    -------
    DataFrame
        `observation_date` (day of the survey), `year_end`, `policy_rate`, `expected_rate`, `expected_change` (expected
        less policy), `forward_rate`, `forward_premium` (forward less expected), in percent and percentage points.
    """
    wide = given.by_date()
    policy = wide.select(_DATE, policy_rate=pl.col(parameters.policy)).drop_nulls()
    surveys = pl.concat(
        wide.select(_DATE, year_end=_year_end(ahead), expected_rate=pl.col(series)).drop_nulls()
        for series, ahead in parameters.expected.items()
    )
    ahead = (pl.col("year_end") - pl.col(_DATE)).dt.total_days() / 365.25
    known = (
        surveys.sort(_DATE, "year_end")
        .join_asof(policy, on=_DATE, tolerance=_POLICY_DAYS)
        .drop_nulls("policy_rate")
        .with_columns(ahead.alias(_YEARS))
        .sort(_YEARS)
        .join_asof(
            flat_forwards(wide, parameters.curve), on=_YEARS, by=_DATE, strategy="forward", check_sortedness=False
        )
    )
    expected = pl.col("expected_rate")
    return known.select(
        _DATE,
        "year_end",
        "policy_rate",
        "expected_rate",
        expected_change=expected - pl.col("policy_rate"),
        forward_rate=pl.col("forward_rate"),
        forward_premium=pl.col("forward_rate") - expected,
    ).sort(_DATE, "year_end")


def flat_forwards(wide: pl.DataFrame, curve: Mapping[str, int]) -> pl.DataFrame:
    """Forward rates between the maturities of a curve: a row per date and the maturity at which a segment ends.

    Parameters
    ----------
    wide
        `observation_date` and a column per series of zero rates in percent, compounded once a year. A rate of -100 % or
        less is left out.
    curve
        Maturity in business days by series.

    Returns
    -------
    DataFrame
        `observation_date`, `years` (end of the segment), `forward_rate` (percent, compounded once a year).
    """
    columns = [
        wide.select(_DATE, (pl.lit(days) / BUSINESS_YEAR).alias(_YEARS), rate=pl.col(series))
        for series, days in curve.items()
    ]
    empty = pl.DataFrame(schema={_DATE: pl.Date, _YEARS: pl.Float64, "rate": pl.Float64})
    grown = pl.col(_YEARS) * (1 + pl.col("rate") / 100).log()
    rise, span = (c.diff().over(_DATE).fill_null(c) for c in (pl.col("grown"), pl.col(_YEARS)))
    return (
        pl.concat([empty, *columns])
        .filter(pl.col("rate") > -100)
        .sort(_DATE, _YEARS)
        .with_columns(grown=grown)
        .select(_DATE, _YEARS, forward_rate=100 * ((rise / span).exp() - 1))
        .sort(_YEARS, _DATE)
    )


def _year_end(ahead: int) -> pl.Expr:
    return pl.date(pl.col(_DATE).dt.year() + ahead, 12, 31)
