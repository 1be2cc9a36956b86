"""Missing values: what stands in their place, that it is flagged, and that no later value is used unawares."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest
import statsmodels.datasets

from macro_assets.transforms.gaps import carried, filtered, interpolated, level, on_calendar
from macro_assets_tests.transforms.synthetic import by_date, concat, months, observed

Fill = Callable[[pl.DataFrame], pl.DataFrame]
WAYS: list[Fill] = [
    lambda rows: carried(rows, 2),
    lambda rows: interpolated(rows, two_sided=True),
    lambda rows: filtered(rows, 2),
]


def of(fill: Fill, *values: float | None) -> list[tuple[float | None, bool]]:
    return fill(observed("X", months(*values))).select("value", "is_filled").rows()


def test_a_value_is_carried_as_far_as_the_limit() -> None:
    expected = [(None, False), (1.0, False), (1.0, True), (1.0, True), (None, False), (2.0, False), (2.0, True)]
    assert of(WAYS[0], None, 1.0, None, None, None, 2.0, None) == expected


def test_a_line_is_drawn_between_two_values_where_that_is_declared() -> None:
    expected = [(None, False), (1.0, False), (2.0, True), (3.0, False), (None, False)]
    assert of(WAYS[1], None, 1.0, None, 3.0, None) == expected
    with pytest.raises(ValueError, match="uses later values"):
        interpolated(observed("X", months(1.0, None, 3.0)))


def test_the_filter_fills_with_the_level_it_has() -> None:
    """Of a level that does not move it is about the mean, of a random walk about the last value."""
    noise = np.random.default_rng(5).normal(size=200)
    still, walk = 100 + noise, 100 + noise.cumsum()
    assert level(np.append(still, math.nan))[-1] == pytest.approx(100, abs=0.4)
    assert level(np.append(walk, math.nan))[-1] == pytest.approx(walk[-1], abs=0.4)


def test_the_level_of_the_nile() -> None:
    """Durbin and Koopman: the filtered level of 1970 is 798.37 at a ratio of .0973; the grid has .1."""
    nile = statsmodels.datasets.nile.load_pandas().data["volume"].to_numpy()
    assert level(np.append(nile, [math.nan] * 3))[-3:] == pytest.approx([798.37] * 3, abs=2)


@pytest.mark.parametrize("fill", [WAYS[0], WAYS[2]])
def test_no_later_value_changes_what_was_filled(fill: Fill) -> None:
    values: list[float | None] = [1.0, 3.0, 2.0, None, 5.0, None, None, 4.0]
    for cut in range(1, len(values)):
        later = [None if v is None else -1e6 * v for v in values[cut:]]
        assert of(fill, *values[:cut], *later)[:cut] == of(fill, *values)[:cut]
        assert of(fill, *values[:cut]) == of(fill, *values)[:cut]


@pytest.mark.parametrize("fill", WAYS)
def test_series_do_not_mix_and_nothing_comes_of_nothing(fill: Fill) -> None:
    frames = [observed("A", months(1.0, 2.0, None)), observed("B", months(None, 9.0, 9.0, 9.0, None))]
    found = fill(concat(frames))
    assert found.filter(series_id="B")["value"][0] is None
    assert found["series_id"].to_list() == ["A"] * 3 + ["B"] * 5
    assert of(fill, None, None) == [(None, False)] * 2
    assert of(fill, 5.0) == [(5.0, False)]
    assert set(of(fill, *[5.0, None, 5.0] * 5)) <= {(5.0, False), (5.0, True), (None, False)}
    empty = fill(observed("X", {}))
    assert empty.is_empty()
    assert empty.schema["is_filled"] == pl.Boolean


def test_nothing_infinite_is_filled() -> None:
    for awkward in ([1e308, -1e308, 1e308, None, -1e308, None], [0.0, 0.0, None, 1e-300, None]):
        filled = [v for v, is_filled in of(WAYS[2], *awkward) if is_filled]
        assert all(v is not None and math.isfinite(v) for v in filled)


def test_too_few_values_fill_nothing() -> None:
    assert of(lambda rows: filtered(rows, 3), 1.0, 2.0, None, 3.0, None)[2] == (None, False)
    assert of(lambda rows: filtered(rows, 3), 1.0, 2.0, None, 3.0, None)[4][1]


def test_a_missed_period_becomes_a_row() -> None:
    rows = concat([observed("X", {date(2020, 1, 1): 1.0, date(2020, 7, 1): 2.0}), observed("Y", months(1.0))])
    found = on_calendar(rows, "Q")
    assert by_date(found.filter(series_id="X")) == {
        date(2020, 1, 1): 1.0,
        date(2020, 4, 1): None,
        date(2020, 7, 1): 2.0,
    }
    assert found.filter(series_id="Y").height == 1
    assert on_calendar(observed("X", {}), "M").is_empty()
    with pytest.raises(ValueError, match="expected a frequency of W, M, Q, A, got 'D'"):
        on_calendar(rows, "D")
