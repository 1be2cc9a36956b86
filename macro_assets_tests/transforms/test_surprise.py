"""Surprises: the consensus known before, scores of what came before, and the mean of days."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from macro_assets.transforms.surprise import expected_before, standardized, trailing_mean

DAY = date(2020, 2, 10)


def releases(*actuals: float | None, component: str = "x") -> pl.DataFrame:
    """A release every ten days."""
    rows = [
        (component, DAY - timedelta(40 - 10 * n), DAY + timedelta(10 * n), actual) for n, actual in enumerate(actuals)
    ]
    schema = {"component": pl.String, "target_date": pl.Date, "release_time": pl.Date, "actual": pl.Float64}
    return pl.DataFrame(rows, schema, orient="row")


def told(rows: pl.DataFrame, value: float | None = 0.0, days: int = 1) -> pl.DataFrame:
    """The same consensus of all, so many days before each release."""
    known = pl.col("release_time") - pl.duration(days=days)
    return rows.select("component", "target_date", known_time=known, consensus=pl.lit(value, dtype=pl.Float64))


def scores(*actuals: float | None, min_obs: int = 3) -> list[float | None]:
    rows = releases(*actuals)
    return standardized(expected_before(rows, told(rows)), min_obs)["zscore"].to_list()


def test_the_consensus_is_the_last_known_before_the_release() -> None:
    rows = releases(5.0)
    consensus = pl.concat([told(rows, 1.0, 9), told(rows, 3.0, 1), told(rows, 7.0, 0), told(rows, 8.0, -1)])
    for order in (consensus, consensus.reverse()):
        assert expected_before(rows, order)["consensus"].to_list() == [3.0]
    assert expected_before(rows, told(rows, 7.0, 0))["consensus"].to_list() == [None]
    assert expected_before(rows, told(releases(5.0, component="y")))["consensus"].to_list() == [None]
    assert expected_before(rows, told(rows, None))["consensus"].to_list() == [None]


def test_by_hand() -> None:
    """Of 1, 2, 3 the standard deviation is 1; of 1, 2, 3, 4 it is the root of 5/3."""
    assert scores(1, 2, 3, 4, 4) == [None, None, None, 4.0, pytest.approx(4 / (5 / 3) ** 0.5)]


def test_no_later_release_changes_a_score_and_its_own_size_is_not_in_it() -> None:
    assert scores(1, 2, 3, 4, 1e6)[:4] == scores(1, 2, 3, 4, -7)[:4]
    assert scores(1, 2, 3, 1e6)[3] == 1e6


def test_surprises_that_were_all_equal_or_too_few_give_no_score() -> None:
    assert scores(0.1, 0.1, 0.1, 0.1, 5) == [None] * 5
    assert scores(1, 2, 3) == [None] * 3
    assert scores(1, None, 2, 3, 4) == [None, None, None, 4.0]
    assert scores() == []


def test_nothing_infinite_comes_of_huge_or_infinite_figures() -> None:
    rows = releases(1e308, -1e308, float("inf"), 1e-300, 1e308, float("nan"), 2.0)
    found = standardized(expected_before(rows, told(rows, -1e308)), 2)
    assert found["surprise"].is_finite().all()
    assert found["zscore"].drop_nulls().is_finite().all()


def test_the_mean_is_of_the_scores_of_the_days_up_to_each_release() -> None:
    days = [0, 10, 29, 30, 100]
    values = [1.0, 3.0, None, 5.0, None]
    rows = pl.DataFrame({"release_time": [DAY + timedelta(d) for d in days], "zscore": values})
    found = trailing_mean(rows.sample(fraction=1, shuffle=True, seed=1))
    assert found["trailing_mean"].to_list() == [1.0, 2.0, 2.0, 4.0, None]
    assert trailing_mean(rows, 31)["trailing_mean"].to_list() == [1.0, 2.0, 2.0, 3.0, None]
    assert trailing_mean(rows.clear()).is_empty()
