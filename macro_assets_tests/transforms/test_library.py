"""FRED-MD transformation codes, and z-scores against a series' own past."""

from __future__ import annotations

from datetime import date
from math import log

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.transforms.library import expanding_zscore
from macro_assets.transforms.normalize import transformed, zscores
from macro_assets_tests.transforms.synthetic import by_date, concat, facts_of, months, observed

JAN, FEB, MAR, APR, MAY, JUN, JUL = (date(2020, m, 1) for m in range(1, 8))
WITH_GAP = {JAN: 100.0, FEB: 110.0, MAR: 132.0, MAY: 66.0, JUN: 99.0, JUL: 99.0}
"""Growth of 10, 20, then (April is missing) 50 and 0 percent."""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1, WITH_GAP),
        (2, {FEB: 10, MAR: 22, JUN: 33, JUL: 0}),
        (3, {MAR: 12, JUL: -33}),
        (4, {d: log(v) for d, v in WITH_GAP.items()}),
        (5, {FEB: log(1.1), MAR: log(1.2), JUN: log(1.5), JUL: 0}),
        (6, {MAR: log(1.2) - log(1.1), JUL: -log(1.5)}),
        (7, {MAR: 0.1, JUL: -0.5}),
    ],
)
@pytest.mark.parametrize("april", [{}, {APR: None}], ids=["no row", "null"])
def test_codes_and_no_difference_across_a_missing_month(
    code: int, expected: dict[date, float], april: dict[date, None]
) -> None:
    found = transformed(concat([observed("X", {**WITH_GAP, **april})]), facts_of(X={"transform": code}))
    assert by_date(found) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (2, {FEB: -10, MAR: 5, APR: -6, MAY: 21, JUN: 20}),
        (4, {JAN: log(10), MAR: log(5), MAY: log(20), JUN: log(40)}),
        (5, {JUN: log(2)}),
        (6, {}),
        # the growth from 0 is not a number; -1.2 is the growth from 5 to -1, -21 from -1 to 20, 1 from 20 to 40
        (7, {MAY: -21 + 1.2, JUN: 1 + 21}),
    ],
)
def test_numbers_that_are_not_positive_have_no_log(code: int, expected: dict[date, float]) -> None:
    values = months(10.0, 0.0, 5.0, -1.0, 20.0, 40.0)
    found = transformed(observed("X", values), facts_of(X={"transform": code}))
    assert by_date(found) == pytest.approx(expected, abs=1e-12)


Q1, Q2, Q4 = date(2020, 1, 1), date(2020, 4, 1), date(2020, 10, 1)
FRIDAY, MONDAY, TUESDAY = date(2020, 1, 3), date(2020, 1, 6), date(2020, 1, 7)


@pytest.mark.parametrize(
    ("frequency", "values", "expected"),
    [
        ("Q", {Q1: 1.0, Q2: 3.0, Q4: 10.0, date(2021, 1, 1): 11.0}, {Q2: 2, date(2021, 1, 1): 1}),
        ("A", {date(2018, 1, 1): 1.0, date(2019, 1, 1): 3.0, date(2021, 1, 1): 9.0}, {date(2019, 1, 1): 2}),
        # a weekend and a holiday are no gap
        ("D", {FRIDAY: 1.0, MONDAY: 3.0, TUESDAY: None, date(2020, 1, 8): 4.0}, {MONDAY: 2, date(2020, 1, 8): 1}),
        ("W", {date(2020, 1, 3): 1.0, date(2020, 1, 17): 5.0}, {date(2020, 1, 17): 4}),
    ],
)
def test_the_step_is_the_period_before_or_for_days_the_observation_before(
    frequency: str, values: dict[date, float | None], expected: dict[date, float]
) -> None:
    found = transformed(observed("X", values), facts_of(X={"transform": 2, "frequency": frequency}))
    assert by_date(found) == expected


def test_december_is_followed_by_january() -> None:
    found = transformed(observed("X", months(1.0, 3.0, start=date(2019, 12, 1))), facts_of(X={"transform": 2}))
    assert by_date(found) == {JAN: 2}


@pytest.mark.parametrize("frequency", ["M", "D"])
@pytest.mark.parametrize("code", [2, 3, 5, 6, 7])
def test_no_difference_from_one_series_to_the_next(frequency: str, code: int) -> None:
    """A ends in the month before B starts: sorted below each other, they look like one series."""
    facts = facts_of(**{i: {"transform": code, "frequency": frequency} for i in "AB"})
    a, b = observed("A", months(1.0)), observed("B", months(5.0, start=FEB))
    assert transformed(concat([a, b]), facts).is_empty()


def test_each_series_has_its_own_code() -> None:
    facts = facts_of(A={"transform": 1}, B={"transform": 2})
    frames = [observed("A", months(1.0, 2.0)), observed("B", months(1.0, 2.0)), observed("RETIRED", months(1.0))]
    found = transformed(concat(frames), facts)
    assert found.select("source", "series_id", "value").rows() == [
        ("bundled", "A", 1.0),
        ("bundled", "A", 2.0),
        ("bundled", "B", 1.0),
    ]


# --- z-scores ------------------------------------------------------------------------------------------------------

# Hundredths between -10,000 and 10,000: synthetic figures as a provider would print them.
figures = st.integers(-1_000_000, 1_000_000).map(lambda n: n / 100)
histories = st.lists(st.one_of(figures, st.sampled_from([0.0, 1.5])), min_size=1, max_size=40)


def scores(values: list[float], min_history: int, other: list[float] | None = None) -> list[float | None]:
    """Expanding z-scores of one series, with another beside it."""
    frame = pl.DataFrame(
        {
            "series_id": ["X"] * len(values) + ["Y"] * len(other or []),
            "value": [*values, *(other or [])],
        },
        schema={"series_id": pl.String, "value": pl.Float64},
    ).with_columns(z=expanding_zscore(pl.col("value"), "series_id", min_history))
    return frame.filter(pl.col("series_id") == "X")["z"].to_list()


def brute_force(values: list[float], min_history: int) -> list[float | None]:
    found: list[float | None] = []
    for i in range(1, len(values) + 1):
        past = np.array(values[:i])
        if i < max(min_history, 2) or (past == past[0]).all():
            found.append(None)
        else:
            found.append((past[-1] - past.mean()) / past.std(ddof=1))
    return found


@settings(max_examples=150)
@given(values=histories, min_history=st.integers(1, 12), other=histories)
def test_a_score_is_that_of_the_textbook_on_the_past(values: list[float], min_history: int, other: list[float]) -> None:
    found, expected = scores(values, min_history, other), brute_force(values, min_history)
    assert [z is None for z in found] == [z is None for z in expected]
    assert [z for z in found if z is not None] == pytest.approx([z for z in expected if z is not None], abs=1e-7)


@settings(max_examples=100)
@given(values=histories, later=histories, min_history=st.integers(2, 12))
def test_later_values_leave_earlier_scores_bit_for_bit(
    values: list[float], later: list[float], min_history: int
) -> None:
    assert scores([*values, *later], min_history)[: len(values)] == scores(values, min_history)


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_a_high_level_costs_no_digits(offset: float) -> None:
    """Squares of a billion leave no digits for a variance of 1: sums are of differences from the first value."""
    noise = np.random.default_rng(20160629).integers(-4096, 4096, size=500) / 1024  # exact at both levels
    found, expected = scores((noise + offset).tolist(), 24), brute_force(noise.tolist(), 24)
    assert found[:23] == [None] * 23
    assert found[23:] == pytest.approx(expected[23:], abs=1e-9)


def test_a_constant_has_no_score_until_it_moves() -> None:
    assert scores([0.1] * 30, 2) == [None] * 30
    found = scores([0.1, 0.1, 0.1, 0.2], 2)
    assert found[:3] == [None] * 3
    assert found[3] == pytest.approx(1.5)  # 0.075 above the mean of 0.125, in standard deviations of 0.05


MIN_HISTORY = {"D": 5, "W": 4, "M": 3, "Q": 2, "A": 2}


def test_the_history_needed_depends_on_the_frequency() -> None:
    facts = facts_of(MONTH={}, QUARTER={"frequency": "Q"})
    frames = [
        observed("MONTH", months(1.0, 2.0, 3.0, 2.0)),
        observed("QUARTER", {Q1: 1.0, Q2: 3.0, date(2020, 7, 1): 2.0}),
    ]
    found = zscores(concat(frames), facts, MIN_HISTORY)
    assert found.columns == ["source", "series_id", "observation_date", "zscore"]
    assert by_date(found.filter(pl.col("series_id") == "MONTH"), "zscore") == pytest.approx({MAR: 1.0, APR: 0.0})
    assert by_date(found.filter(pl.col("series_id") == "QUARTER"), "zscore") == pytest.approx(
        {Q2: 0.5**0.5, date(2020, 7, 1): 0.0}  # 1 above the mean of 2, in standard deviations of sqrt(2)
    )


def test_a_series_of_a_frequency_without_a_minimum_is_refused() -> None:
    with pytest.raises(KeyError, match="'M'"):
        zscores(observed("MONTH", months(1.0)), facts_of(MONTH={}), {"D": 5})
