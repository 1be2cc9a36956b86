"""Surprises of an entry: the survey of the period, the forecasts of a model, several releases, and refusals."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from macro_assets.indicators.protocol import Given
from macro_assets.indicators.surprise import Parameters, check, compute
from macro_assets_tests.indicators.toys import FACTS, FIGURES, monthly

CPI = {"name": "cpi", "actual": "CPI", "consensus": "SURVEY", "release_days": 10, "sign": 1}
JOBLESS = {"name": "jobless", "actual": "JOBLESS", "consensus": "POLL", "release_days": 3, "sign": -1}


def parameters(*releases: dict[str, Any], min_obs: int = 2) -> Parameters:
    return Parameters.model_validate({"min_obs": min_obs, "mean_days": 30, "releases": list(releases)})


def test_the_last_survey_of_the_month_counts_and_the_row_stands_on_the_release_day() -> None:
    rows = [
        ("CPI", date(2020, 1, 1), 0.5),
        ("SURVEY", date(2019, 12, 31), 9.0),
        ("SURVEY", date(2020, 1, 15), 0.2),
        ("SURVEY", date(2020, 1, 31), 0.3),
        ("SURVEY", date(2020, 2, 3), 9.0),
    ]
    facts = [("CPI", "M", "compound", "percent"), ("SURVEY", "D", "last", "percent")]
    given = Given(pl.DataFrame(rows, FIGURES, orient="row"), pl.DataFrame(facts, FACTS, orient="row"))
    (row,) = compute(given, parameters(CPI)).rows()
    assert row == (date(2020, 2, 10), "cpi", date(2020, 1, 1), 0.5, 0.3, pytest.approx(0.2), None, None)


def test_two_releases_share_a_mean_in_which_the_sign_counts() -> None:
    given = monthly(CPI=[1, 2, 5], SURVEY=[0, 0, 0], JOBLESS=[1, 3, 4], POLL=[0, 0, 0])
    found = compute(given, parameters(CPI, JOBLESS)).tail(2)
    jobless, cpi = -4 / 2**0.5, 5 / 0.5**0.5
    assert found["component"].to_list() == ["jobless", "cpi"]
    assert found["zscore"].to_list() == [pytest.approx(jobless), pytest.approx(cpi)]
    assert found["mean_score"].to_list() == [pytest.approx(jobless), pytest.approx((jobless + cpi) / 2)]


def test_the_last_forecast_of_a_model_before_the_release_counts() -> None:
    """As of 29 April, the day before: not of the day itself, nor of a scenario, a quantile or another quarter."""
    quarter, known = date(2020, 1, 1), [datetime(2020, 4, d, 12, tzinfo=UTC) for d in (1, 29, 30)]
    told = {"series_id": "GDP", "target_date": quarter, "statistic": "mean", "scenario": None, "is_released": False}
    rows = [{**told, "as_of": as_of, "value": value} for as_of, value in zip(known, (1.0, 2.0, 9.0), strict=True)]
    others: list[dict[str, Any]] = [{"scenario": "x"}, {"statistic": "q50"}, {"target_date": date(2020, 4, 1)}]
    rows += [{**rows[1], **other, "value": 8.0} for other in [*others, {"is_released": True}]]
    levels = {date(2019, 10, 1): 100.0, quarter: 101.0}
    figures = pl.DataFrame([("GDP", d, v) for d, v in levels.items()], FIGURES, orient="row")
    facts = pl.DataFrame([("GDP", "Q", "mean", "usd", "SAAR")], (*FACTS, "seasonal_adjustment"), orient="row")
    table = pl.DataFrame(rows, schema_overrides={"scenario": pl.String})
    gdp = {"name": "gdp", "actual": "GDP", "steps": "pca", "consensus": "forecasts/m", "release_days": 30, "sign": 1}
    asked = parameters(gdp)
    check(asked, facts)
    with pytest.raises(ValueError, match="step 1 'pca': expected seasonally adjusted figures, got 'NSA'"):
        check(asked, facts.with_columns(seasonal_adjustment=pl.lit("NSA")))
    (row,) = compute(Given(figures, facts, {"forecasts/m": table}), asked).rows()
    assert row[:5] == (date(2020, 4, 30), "gdp", quarter, pytest.approx(100 * (1.01**4 - 1)), 2.0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"actual": "CPX"}, r"parameters\.releases\.0\.actual: CPX: expected one of the inputs CPI, SURVEY"),
        ({"steps": "lg"}, r"parameters\.releases\.0\.steps: step 1 'lg' is no transform"),
        ({"steps": "chg"}, r"parameters\.releases\.0\.consensus: expected the unit 'percentage_points'"),
        (
            {"consensus": "POLL"},
            r"parameters\.releases\.0\.consensus: POLL: expected an input, a table of forecasts or 'auto",
        ),
    ],
)
def test_releases_that_cannot_be_are_refused(changed: dict[str, Any], said: str) -> None:
    facts = monthly(CPI=[1.0], SURVEY=[1.0]).facts.with_columns(seasonal_adjustment=pl.lit("NSA"))
    with pytest.raises(ValueError, match=f"^{said}"):
        check(parameters({**CPI, **changed}), facts)
    with pytest.raises(ValueError, match="cpi: expected each name once"):
        check(parameters(CPI, CPI), facts)
    daily = facts.with_columns(frequency=pl.lit("D"))
    with pytest.raises(ValueError, match="expected a frequency of M, Q, A, got 'D'"):
        check(parameters(CPI), daily)


def test_where_nobody_says_so_the_figures_before_are_what_is_expected() -> None:
    """Without lags their mean, of the months that are not left out; it is known the day before the release."""
    own = {**CPI, "consensus": "autoregression"}
    asked = {"min_obs": 2, "mean_days": 30, "releases": [own], "autoregression": {"lags": 0, "min_obs": 3}}
    given = monthly(CPI=[1, 2, 3, 99, 4, 7, 1])
    check(Parameters.model_validate(asked), given.facts.with_columns(seasonal_adjustment=pl.lit("SA")))
    left = Parameters.model_validate({**asked, "leave_out": [["2020-04", "2020-04"]]})
    found = compute(given, left)
    assert found["target_date"].to_list() == [date(2020, m, 1) for m in (4, 5, 6, 7)]
    assert found["consensus"].to_list() == pytest.approx([2, 2, 2.5, 3.4])
    deviation = pl.Series([2.0, 4.5]).std()
    assert found["zscore"].to_list() == [None, None, None, pytest.approx(-2.4 / deviation)]
    assert compute(given, Parameters.model_validate(asked))["consensus"].to_list() == pytest.approx(
        [2, 26.25, 21.8, 116 / 6]
    )
