"""Slopes, carry, roll-down and breakevens: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from macro_assets.transforms.curves import measures, monotone_convex

TENORS = [0.25, 0.5, 1, 2, 5, 10]


def test_slopes_and_butterflies_by_hand() -> None:
    assert measures.slope([4.5, 4.0], [4.0, np.nan])[0] == pytest.approx(-50)
    assert measures.butterfly(4.0, 4.3, 4.4) == pytest.approx(20)
    assert measures.butterfly(4.0, 4.2, 4.4) == pytest.approx(0)
    assert np.isnan(measures.slope([4.0], [np.nan])).all()


@pytest.mark.parametrize("level", [-1.0, 0.0, 4.0, 60.0])
def test_a_flat_curve_has_neither_carry_nor_roll(level: float) -> None:
    flat = monotone_convex.from_zero(TENORS, [level] * 6)
    for paid in measures.carry_and_roll(flat, TENORS[2:], 0.25):
        assert paid == pytest.approx(np.zeros((1, 4)), abs=1e-12)


def test_carry_and_roll_add_up_to_what_the_bond_pays_over_cash() -> None:
    curves = monotone_convex.from_zero(TENORS, [[1, 1.2, 1.5, 2, 3, 3.5], [5, 4.8, 4.5, 4, 3.8, 4]])
    carry, roll = measures.carry_and_roll(curves, TENORS, 0.5)
    bought, sold = curves.discount([2]), curves.discount([1.5])
    earned = 100 * np.log(sold / bought) - 0.5 * curves.zero(0.5)
    assert (carry + roll)[:, [3]] == pytest.approx(earned)
    assert carry[:, 3] == pytest.approx([0.5 * (2 - 1.2), 0.5 * (4 - 4.8)])
    assert roll[0, 3] > 0 > roll[1, 3]  # down a rising curve, and up a falling one
    assert np.isnan(carry[:, :2]).all()  # mature within the half year
    assert np.isnan(roll[:, :2]).all()


def test_a_date_without_a_curve_and_a_tenor_beyond_it_have_none() -> None:
    curves = monotone_convex.from_zero(TENORS, [[np.nan] * 6, [1, 1, 1, 1, np.nan, np.nan]])
    for paid in measures.carry_and_roll(curves, [2, 5], 0.25):
        assert np.isfinite(paid).tolist() == [[False, False], [True, False]]


@pytest.mark.parametrize("horizon", [0, -1, float("nan")])
def test_a_horizon_that_is_none_is_refused(horizon: float) -> None:
    with pytest.raises(ValueError, match="above 0 years"):
        measures.carry_and_roll(monotone_convex.from_zero(TENORS, [4] * 6), TENORS, horizon)


def test_breakeven_by_fisher_is_less_than_the_difference() -> None:
    assert measures.fisher(12, 6) == pytest.approx(5.660, abs=5e-4)
    assert measures.difference(12, 6) == pytest.approx(6)
    assert measures.fisher(-0.5, -2) == pytest.approx(100 * (0.995 / 0.98 - 1))
    assert np.isnan(measures.fisher([5, 5, np.nan], [-100, -150, 1])).all()
