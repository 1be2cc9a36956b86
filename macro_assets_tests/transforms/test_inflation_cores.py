"""Trimmed means and medians: a case by hand, with components that the boundary splits."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from macro_assets.transforms.inflation_cores import TRIMS, Trim, cores

DAY = date(2020, 1, 1)
CHANGES, WEIGHTS = [-2.0, 0.1, 0.2, 0.3, 3.0], [10.0, 30.0, 30.0, 20.0, 10.0]


def components(changes: list[float | None], weights: list[float | None], day: date = DAY) -> pl.DataFrame:
    columns = {"component": [f"c{i}" for i in range(len(changes))], "change": changes, "weight": weights}
    return pl.DataFrame(columns, {"component": pl.String, "change": pl.Float64, "weight": pl.Float64}).select(
        pl.lit(day).alias("observation_date"), "component", "change", "weight"
    )


@pytest.mark.parametrize(("trim", "mean"), [(TRIMS["dallas"], 0.1644444), (TRIMS["cleveland"], 0.2023810)])
def test_by_hand(trim: Trim, mean: float) -> None:
    """Of weights 10 30 30 20 10 the trim of 24 and 31 % leaves 0 16 29 0 0; that of 8 and 8 %: 2 30 30 20 2."""
    shuffled = components(CHANGES, WEIGHTS).sample(fraction=1, shuffle=True, seed=1)
    assert cores(shuffled, trim).rows() == [(DAY, pytest.approx(mean, abs=5e-8), pytest.approx(0.2))]


def test_nothing_trimmed_is_the_mean_and_the_unit_of_weights_is_no_matter() -> None:
    mean = sum(c * w for c, w in zip(CHANGES, WEIGHTS, strict=True)) / 100
    for unit in (1, 1e-9, 12345.678):
        found = cores(components(CHANGES, [w * unit for w in WEIGHTS]), Trim(0, 0))
        assert found.row(0) == (DAY, pytest.approx(mean), pytest.approx(0.2))


def test_half_the_weight_that_ends_with_a_component_gives_the_mean_of_two() -> None:
    found = cores(components([1.0, 2.0, 9.0, 5.0], [0.1, 0.4, 0.3, 0.2]), Trim(20, 20))
    assert found["weighted_median"].to_list() == [3.5]


def test_a_component_without_weight_is_none() -> None:
    with_one = components([*CHANGES, 0.25], [*WEIGHTS, 0.0])
    assert cores(with_one, TRIMS["bcb"]).equals(cores(components(CHANGES, WEIGHTS), TRIMS["bcb"]))


@pytest.mark.parametrize(
    ("changes", "weights"),
    [
        ([1.0, None], [50.0, 50.0]),
        ([1.0, 2.0], [None, 50.0]),
        ([1.0, 2.0], [-1.0, 50.0]),
        ([1.0, 2.0], [0.0, 0.0]),
        ([1.0, float("nan")], [50.0, 50.0]),
        ([1.0, 2.0], [50.0, float("inf")]),
        ([], []),
    ],
)
def test_a_date_with_what_is_no_change_or_weight_has_no_row(
    changes: list[float | None], weights: list[float | None]
) -> None:
    later = components(CHANGES, WEIGHTS, date(2020, 2, 1))
    found = cores(pl.concat([later, components(changes, weights)]), TRIMS["bcb"])
    assert found["observation_date"].to_list() == [date(2020, 2, 1)]
    assert cores(components(changes, weights), TRIMS["bcb"]).is_empty()


def test_nothing_infinite_comes_of_huge_changes() -> None:
    found = cores(components([1e308, 1.5e308, 1.7e308], [1.0, 1.0, 1.0]), Trim(0, 0))
    assert found["trimmed_mean"].is_finite().all()
    assert cores(components([1e308, 1.5e308], [1.0, 1.0]), Trim(0, 0))["weighted_median"].to_list() == [1.25e308]


@pytest.mark.parametrize("trim", [Trim(60, 40), Trim(-1, 5), Trim(5, float("nan"))])
def test_a_trim_that_leaves_nothing_is_refused(trim: Trim) -> None:
    with pytest.raises(ValueError, match="that leave something"):
        cores(components(CHANGES, WEIGHTS), trim)
