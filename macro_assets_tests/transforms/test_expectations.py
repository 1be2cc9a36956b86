"""What figures let one expect of the next: by hand, as of each period, and where nothing can be expected."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from macro_assets.transforms.expectations import autoregressive, expected_by_itself

NONE = float("nan")


def test_without_lags_it_is_the_mean_of_those_before() -> None:
    found = autoregressive(np.array([1.0, 2.0, 6.0, 7.0]), 0, 2)
    assert found == pytest.approx([NONE, NONE, NONE, 3.0], nan_ok=True)


def test_an_exact_autoregression_is_found() -> None:
    x = [5.0]
    for _ in range(8):
        x.append(1 + 0.5 * x[-1])
    found = autoregressive(np.array(x), 1, 3)
    assert np.isnan(found[:5]).all()
    assert found[5:] == pytest.approx(x[5:])


def test_it_is_least_squares_of_the_periods_before() -> None:
    x = np.random.default_rng(7).normal(size=60)
    found = autoregressive(x, 2, 10)
    for t in (20, 59):
        design = np.column_stack([np.ones(t - 2), x[1 : t - 1], x[: t - 2]])
        beta = np.linalg.lstsq(design, x[2:t], rcond=None)[0]
        assert found[t] == pytest.approx(beta @ [1, x[t - 1], x[t - 2]])


def test_what_comes_later_changes_nothing() -> None:
    x = np.random.default_rng(7).normal(size=40)
    later = np.where(np.arange(40) >= 30, 1e6 * x, x)
    assert autoregressive(later, 2, 5)[:31].tobytes() == autoregressive(x, 2, 5)[:31].tobytes()


def test_a_period_left_out_is_expected_but_not_learned_from() -> None:
    x, left = np.array([1.0, 2.0, 3.0, 99.0, 2.0]), np.array([False, False, False, True, False])
    assert autoregressive(x, 0, 3, left)[3:] == pytest.approx([2.0, 2.0])


@pytest.mark.parametrize("x", [[5.0] * 12, [0.0] * 12, []])
def test_of_what_does_not_move_nothing_is_expected(x: list[float]) -> None:
    assert np.isnan(autoregressive(np.array(x), 1, 3)).all()


def test_across_a_missing_period_nothing_is_expected() -> None:
    """June 2020 lacks its figure, so July lacks its lag; August has both."""
    months = [date(2020, m, 1) for m in (1, 2, 3, 4, 5, 7, 8)]
    figures = pl.DataFrame({"observation_date": months, "value": [1.0, 3.0, 2.0, 4.0, 1.0, 2.0, 3.0]})
    found = expected_by_itself(figures, "M", 1, 4)["expected"]
    assert found.is_not_null().to_list() == [False] * 6 + [True]
    assert expected_by_itself(figures.clear(), "M", 1, 4)["expected"].to_list() == []
