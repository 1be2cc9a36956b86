"""Least squares as of each period, against numbers worked out by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from macro_assets.transforms.regression import expected_of, least_squares

FIRST = date(2018, 7, 1)


def rows(y: list[float], **on: list[float]) -> pl.DataFrame:
    months = [date(FIRST.year + (6 + n) // 12, (6 + n) % 12 + 1, 1) for n in range(len(y))]
    return pl.DataFrame({"observation_date": months, "y": y, **on})


def expected(frame: pl.DataFrame, *on: str, **asked: Any) -> pl.DataFrame:
    return expected_of(frame, "y", on, **{"min_obs": 3, "every": "12mo", **asked})


def test_a_line_is_found_and_holds_for_the_year() -> None:
    """y = 1 + 2 x until December; 3 more in February is what was not expected."""
    x = [1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 2.0, 7.0]
    y = [1 + 2 * v for v in x]
    y[7] += 3
    found = expected(rows(y, x=x), "x")
    assert found["observation_date"].to_list() == [date(2019, 1, 1), date(2019, 2, 1)]
    assert (found["y"] - found["expected_value"]).to_list() == pytest.approx([0, 3])
    assert found["estimated_through"].unique().to_list() == [date(2018, 12, 1)]


def test_slopes_by_hand() -> None:
    """Regressors in deviations (-1 1; 0 -2; 1 1), y in deviations (-2 0 2): slopes 4/2 and 0/6."""
    constant, slopes = least_squares(np.array([[1.0, 4.0], [2.0, 1.0], [3.0, 4.0]]), np.array([1.0, 3.0, 5.0]))
    assert (constant, *slopes) == pytest.approx((-1, 2, 0))


def test_a_column_that_never_moved_counts_for_nothing() -> None:
    constant, slopes = least_squares(np.array([[1.0, 7.0], [2.0, 7.0], [3.0, 7.0]]), np.array([2.0, 4.0, 6.0]))
    assert (constant, *slopes) == pytest.approx((0, 2, 0))
    assert least_squares(np.full((3, 1), 7.0), np.array([1.0, 2.0, 3.0])) == (2, np.zeros(1))


def test_columns_that_move_as_one_have_each_their_part() -> None:
    x = np.array([1.0, 2.0, 3.0])
    assert least_squares(np.column_stack([x, x]), 2 * x)[1].tolist() == pytest.approx([1, 1])


def test_months_left_out_are_expected_but_not_estimated_on() -> None:
    x = [1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 2.0]
    y = [1 + 2 * v for v in x]
    y[2] = 1e6
    found = expected(rows(y, x=x), "x", leave_out=[("2018-09", "2018-09")])
    assert found["expected_value"].to_list() == pytest.approx([5])
    assert expected(rows(y, x=x), "x")["expected_value"][0] > 100


def test_too_few_months_and_none_expect_nothing() -> None:
    assert expected(rows([1.0] * 7, x=[1.0] * 7), "x", min_obs=7).is_empty()
    nothing = expected(rows([1.0], x=[1.0]).clear(), "x")
    assert nothing.schema == {**rows([1.0], x=[1.0]).schema, "expected_value": pl.Float64, "estimated_through": pl.Date}
