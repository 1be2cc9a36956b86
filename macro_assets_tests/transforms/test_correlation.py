"""Correlations: against NumPy on what each pair has, in windows, and where there is none."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from macro_assets.transforms.correlation import correlations, rolling

SERIES = ["A", "B", "C"]


def panel(rows: int = 40) -> pl.DataFrame:
    values = np.random.default_rng(3).normal(size=(40, 3)) @ [[1, 0.5, 0], [0, 1, -0.8], [0, 0, 1]] + 1e6
    values[[2, 7], 0] = np.nan
    values[11, 2] = np.nan
    dates = pl.date_range(date(2020, 1, 1), date(2020, 12, 31), "1d", eager=True)[:40]
    return pl.DataFrame(values, SERIES).fill_nan(None).select(dates.alias("observation_date"), *SERIES).head(rows)


def of(found: pl.DataFrame, first: str, second: str) -> list[tuple[float | None, int]]:
    return found.filter(first=first, second=second).select("correlation", "observations").rows()


def by_numpy(rows: pl.DataFrame, first: str, second: str) -> float:
    both = rows.drop_nulls([first, second])
    return float(np.corrcoef(both[first], both[second])[0, 1])


def test_each_pair_is_over_the_rows_it_has() -> None:
    rows, found = panel(), correlations(panel(), SERIES)
    assert found.height == 9
    for first in SERIES:
        for second in SERIES:
            ((value, count),) = of(found, first, second)
            assert value == pytest.approx(by_numpy(rows, first, second), abs=1e-9)
            assert count == rows.drop_nulls([first, second]).height
    assert of(found, "A", "C")[0][1] == 37


def test_windows_end_at_their_date_and_use_no_later_row() -> None:
    rows = panel()
    found = rolling(rows, SERIES, 10, 5)
    assert found.height == 31 * 3
    assert found["observation_date"][0] == rows["observation_date"][9]
    for end in (10, 17, 40):
        window = rows[end - 10 : end]
        here = found.filter(observation_date=rows["observation_date"][end - 1])
        assert of(here, "A", "C")[0][0] == pytest.approx(by_numpy(window, "A", "C"), abs=1e-9)
    spoiled = rows.with_columns(
        pl.when(pl.col("observation_date") >= rows["observation_date"][25]).then(-1e6 * pl.col(s)).otherwise(s).alias(s)
        for s in SERIES
    )
    assert rolling(spoiled, SERIES, 10, 5)[: 16 * 3].equals(found[: 16 * 3])


def test_a_pair_needs_its_rows_and_all_of_a_window_by_default() -> None:
    assert of(rolling(panel(), SERIES, 10), "A", "B")[0] == (None, 8)
    assert of(correlations(panel(), SERIES, 38), "A", "C") == [(None, 37)]


def test_what_does_not_move_correlates_with_nothing() -> None:
    wide = pl.DataFrame(
        {"A": [0.1] * 5, "B": [1.0, 2.0, 4.0, 3.0, None], "C": [None] * 5, "D": [2.0, 4.0, 8.0, 6.0, 9.9]}
    )
    found = correlations(wide, ["A", "B", "C", "D"])
    assert of(found, "A", "B") == of(found, "B", "A") == [(None, 4)]
    assert of(found, "A", "A") == [(None, 5)]
    assert of(found, "C", "B") == [(None, 0)]
    assert of(found, "B", "D") == [(pytest.approx(1.0), 4)]
    partly = pl.DataFrame({"A": [1.0, 5.3, 5.3, 5.3], "B": [None, 1.0, 2.0, 3.0]})
    assert of(correlations(partly, ["A", "B"]), "A", "B") == [(None, 3)], "it moves, but not where both are known"


def test_nothing_infinite_comes_of_awkward_numbers() -> None:
    wide = pl.DataFrame({"A": [1e300, -1e300, 1e-300, float("inf"), 0.0], "B": [0.0, 1.0, float("nan"), 2.0, 1e308]})
    values = correlations(wide, ["A", "B"])["correlation"].drop_nulls()
    assert values.is_finite().all()
    empty = panel(0)
    assert correlations(empty, SERIES)["correlation"].null_count() == 9
    assert rolling(empty, SERIES, 5).is_empty()
    assert rolling(panel(3), SERIES, 5).schema == rolling(panel(), SERIES, 5).schema


@pytest.mark.parametrize(("window", "min_obs"), [(1, None), (5, 1), (5, 6)])
def test_a_window_that_cannot_be_is_refused(window: int, min_obs: int | None) -> None:
    with pytest.raises(ValueError, match="expected a window of two rows or more"):
        rolling(panel(), SERIES, window, min_obs)
