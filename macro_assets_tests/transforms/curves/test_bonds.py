"""Bonds: a bond by hand, central differences, and what has no price or yield."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from macro_assets.transforms.curves import bonds

PRICE, MACAULAY, MODIFIED = 104.37603196548545, 4.40840759049256, 4.30088545413908
CONVEXITY, DV01 = 22.07904326352239, 0.04489093576411

CASES = list(product([0.0, 3.0, 14.0], [-0.5, 0.0, 5.0, 60.0], [0.25, 0.8, 1.0, 5.0, 30.0], [1, 2, 4]))


def test_five_years_of_six_percent_at_five_are_as_by_hand() -> None:
    """Sums of 3 / 1.025^k and 100 / 1.025^10, in forty decimal digits."""
    found = bonds.risk(6, 5, 5)
    assert found.price == pytest.approx(PRICE, abs=1e-8)
    assert found.macaulay == pytest.approx(MACAULAY, abs=1e-8)
    assert found.modified == pytest.approx(MODIFIED, abs=1e-8)
    assert found.convexity == pytest.approx(CONVEXITY, abs=1e-8)
    assert found.dv01 == pytest.approx(DV01, abs=1e-8)


@pytest.mark.parametrize(("coupon", "at", "years", "frequency"), CASES)
def test_sensitivities_are_central_differences_and_the_yield_is_found_again(
    coupon: float, at: float, years: float, frequency: int
) -> None:
    found = bonds.risk(coupon, at, years, frequency=frequency)
    step = 0.01
    below, above = (bonds.price(coupon, at + side * step, years, frequency=frequency) for side in (-1, 1))
    assert found.dv01 == pytest.approx((below - above) / 2, rel=1e-5)
    assert found.modified == pytest.approx((below - above) / (2 * step / 100) / found.price, rel=1e-5)
    assert found.convexity == pytest.approx(
        (below - 2 * found.price + above) / (step / 100) ** 2 / found.price, rel=1e-4
    )
    assert bonds.yield_of(coupon, found.price, years, frequency=frequency) == pytest.approx(at, abs=1e-9)


def test_at_par_the_yield_is_the_coupon_and_a_zero_lasts_its_maturity() -> None:
    assert bonds.price([2, 9], [2, 9], 10) == pytest.approx([100, 100])
    assert bonds.risk(0, 4, [0.5, 10]).macaulay == pytest.approx([0.5, 10])


def test_high_rates_have_yields_and_impossible_bonds_have_none() -> None:
    assert bonds.yield_of(500, bonds.price(500, 450, 5), 5) == pytest.approx(450)
    assert np.isnan(bonds.price(6, [5, 5, 5, -200, np.nan, np.inf], [0, -1, np.nan, 5, 5, 5])).all()
    found = bonds.risk(6, [5, -200], [0, 5])
    assert np.isnan([found.macaulay, found.modified, found.convexity, found.dv01]).all()
    assert np.isnan(bonds.yield_of(6, [0, -5, np.nan, 100, np.inf], [5, 5, 5, 0, 5])).all()
    assert np.isnan(bonds.yield_of(0, 1e-300, 1 / 365))
