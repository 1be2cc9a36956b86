"""One-sided seasonal factors: a season that is known, no look ahead, gaps, and what has none."""

from __future__ import annotations

import math

import polars as pl
import pytest

from macro_assets.transforms.seasonal import one_sided_adjusted, one_sided_factors

SEASON = [3.0, -1.0, 0.5, -2.5]
"""Of four quarters; it adds up to nothing."""

QUARTERS = [50 + 0.5 * n + SEASON[n % 4] for n in range(40)]


def series(values: list[float | None]) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64)


@pytest.mark.parametrize("each", [False, True])
def test_a_known_season_is_found(each: bool) -> None:
    factors = one_sided_factors(series(QUARTERS), 4, each=each)
    assert factors[:11].null_count() == 11
    assert factors[12:].to_list() == pytest.approx([SEASON[n % 4] for n in range(12, 40)], abs=1e-6)
    adjusted = one_sided_adjusted(series(QUARTERS), 4, each=each)
    assert adjusted[12:].to_list() == pytest.approx([50 + 0.5 * n for n in range(12, 40)], abs=1e-6)


def test_a_season_of_ratios() -> None:
    ratios = [math.exp(s / 10) for s in SEASON]
    values = series([100 * 1.01**n * ratios[n % 4] for n in range(40)])
    factors = one_sided_factors(values, 4, multiplicative=True)
    assert factors[12:].to_list() == pytest.approx([ratios[n % 4] for n in range(12, 40)], abs=1e-8)
    adjusted = one_sided_adjusted(values, 4, multiplicative=True)
    assert adjusted[12:].to_list() == pytest.approx([100 * 1.01**n for n in range(12, 40)], rel=1e-8)


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("cut", [13, 24, 30])
def test_no_later_figure_is_used(each: bool, cut: int) -> None:
    noisy = [v + math.sin(7.0 * n * n) for n, v in enumerate(QUARTERS)]
    whole = one_sided_factors(series(noisy), 4, each=each)
    planted = series([*noisy[:cut], *(v * 1e6 for v in noisy[cut:])])
    assert one_sided_factors(planted, 4, each=each)[:cut].equals(whole[:cut], null_equal=True)
    assert one_sided_factors(series(noisy[:cut]), 4, each=each).equals(whole[:cut], null_equal=True)
    assert not one_sided_factors(planted, 4, each=each).equals(whole, null_equal=True)


def test_a_season_that_moves_is_followed_from_the_year_after_on() -> None:
    """From the sixth year on the first quarter is higher by 8: the factors of that year cannot know it."""
    moved = series([v + (8 if n >= 20 and n % 4 == 0 else 0) for n, v in enumerate(QUARTERS)])
    factors = one_sided_factors(moved, 4)
    assert factors[20] == pytest.approx(SEASON[0], abs=1e-6)
    assert factors[36] > SEASON[0] + 3


def test_gaps_have_no_factor_and_do_not_spoil_the_others() -> None:
    holed = [None if n in (0, 9, 21, 22) else v for n, v in enumerate(QUARTERS)]
    factors = one_sided_factors(series(holed), 4)
    assert factors[21] is None
    assert factors[22] is None
    found = [(f, SEASON[n % 4]) for n, f in enumerate(factors) if f is not None]
    assert len(found) == 40 - 17 - 2
    assert [f for f, _ in found] == pytest.approx([s for _, s in found], abs=0.35)


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize(("multiplicative", "neutral"), [(False, 0.0), (True, 1.0)])
def test_constant_figures_have_no_season(each: bool, multiplicative: bool, neutral: float) -> None:
    factors = one_sided_factors(series([5.0] * 20), 4, multiplicative=multiplicative, each=each)
    assert factors.drop_nulls().to_list() == pytest.approx([neutral] * (9 if each else 8), abs=1e-9)


@pytest.mark.parametrize(
    "values", [[], [1.0], [None] * 30, [0.0] * 30, [-1.0, -2.0] * 15, [math.inf] * 30, [math.nan] * 30]
)
def test_what_has_no_logarithm_has_no_factor(values: list[float | None]) -> None:
    factors = one_sided_factors(series(values), 4, multiplicative=True)
    assert factors.to_list() == [None] * len(values)


@pytest.mark.parametrize(
    ("period", "years", "said"), [(1, 3, "period: expected at least two"), (4, 1, "min_years: expected at least 2")]
)
def test_what_has_no_season_is_refused(period: int, years: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        one_sided_factors(series(QUARTERS), period, min_years=years)
