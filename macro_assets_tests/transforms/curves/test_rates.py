"""Rates in the terms of others: the parameters of Gurkaynak, Sack and Wright, bills, and 252 business days."""

from __future__ import annotations

import numpy as np
import pytest

from macro_assets.transforms.curves import monotone_convex, nelson_siegel, rates
from macro_assets.transforms.curves.arrays import Array

GSW = nelson_siegel.Fits(
    beta=np.array([[3.91760612208239, -1.2779552459795, -1.94939709504669, 0.0]]),
    tau=np.array([[0.339217585301823, -999.99]]),  # the second is not used
    rmse_bp=np.zeros(1),
    identified=np.ones(1, dtype=bool),
    condition=np.ones(1),
)
"""1961-06-14."""

YEARS = np.arange(1, 8)


def discount(times: Array) -> Array:
    return np.exp(-nelson_siegel.yields(GSW, times) * times / 100)


def printed(values: Array) -> list[float]:
    return [round(float(v), 4) for v in np.ravel(values)]


def test_the_published_curve_of_1961_has_every_printed_digit() -> None:
    zero, forward = nelson_siegel.yields(GSW, YEARS), nelson_siegel.forwards(GSW, YEARS[:4])
    assert printed(zero) == [2.9825, 3.3771, 3.553, 3.6439, 3.6987, 3.7351, 3.7612]
    assert printed(forward) == [3.5492, 3.8825, 3.9149, 3.9174]
    assert printed(rates.par(discount, YEARS)) == [3.0025, 3.3973, 3.5724, 3.6627, 3.7169, 3.753, 3.7787]


def test_the_published_forward_of_a_year_is_a_par_rate() -> None:
    assert printed(rates.par(discount, [1], start=1)) == [3.8067]
    assert printed(rates.par(discount, [1], start=4)) == [3.9562]
    as_zero = rates.convert(rates.forward(discount, 1, 2), "continuous", "semiannual")
    assert printed(as_zero) != [3.8067]


def test_par_yields_of_a_curve_are_those_it_was_made_of() -> None:
    tenors = [1 / 12, 0.25, 0.5, 1, 2, 5, 10, 30]
    given = np.array([[5.5, 5.4, 5.2, 4.8, 4.2, 3.8, 3.9, 4.0], [0.1, 0.1, 0.2, 0.1, -0.1, 0.4, 0.9, 1.5]])
    curves = monotone_convex.par_to_zero(tenors, given)
    assert rates.par(curves.discount, tenors) == pytest.approx(given, abs=1e-8)
    assert np.isnan(rates.par(curves.discount, [40])).all()


@pytest.mark.parametrize("basis", ["continuous", "simple", *rates.COMPOUNDED])
def test_a_rate_comes_back_and_grows_money_to_the_same(basis: str) -> None:
    given = np.array([-0.9, 0.0, 5.0, 500.0])
    continuous = rates.convert(given, basis, "continuous", 2.0)
    assert rates.convert(continuous, "continuous", basis, 2.0) == pytest.approx(given, abs=1e-10)


def test_the_annual_rate_of_ten_percent_by_hand() -> None:
    assert rates.convert(10, "semiannual", "annual") == pytest.approx(10.25)
    assert rates.convert(10.25, "annual", "semiannual") == pytest.approx(10)
    assert rates.convert(21, "simple", "annual", 2) == pytest.approx(100 * (1.42**0.5 - 1))
    assert np.isnan(rates.convert([-100, -300], "annual", "continuous")).all()
    with pytest.raises(ValueError, match="no basis 'weekly'"):
        rates.convert(5, "weekly", "annual")
    with pytest.raises(ValueError, match="without the years"):
        rates.convert(5, "simple", "annual")


def test_a_bill_has_its_bond_equivalent() -> None:
    assert rates.bond_equivalent(2.82, 91) == pytest.approx(2.879694, abs=1e-6)
    year = rates.bond_equivalent(5, 364)
    value = (1 - 0.05 * 364 / 360) * (1 + year / 200) * (1 + (364 / 365 - 0.5) * year / 100)
    assert value == pytest.approx(1)  # half a year, then the days that are left
    assert np.isnan(rates.bond_equivalent([400, 400], 91)).all()


def test_di_rates_compound_over_252_days() -> None:
    """12 % for half a year of 126 days; then what takes it to 13 % for the year: 1.13 / 1.12^.5, annualized."""
    assert rates.growth_252(12, [126, 252, 504]) == pytest.approx([1.12**0.5, 1.12, 1.12**2])
    assert rates.forward_252(12, 126, 13, 252) == pytest.approx(100 * (1.13**2 / 1.12 - 1))
    assert rates.forward_252(12, 126, 12, 252) == pytest.approx(12)
    assert np.isnan(rates.forward_252(12, [252, 252], 12, [252, 126])).all()
    assert np.isnan(rates.growth_252([-100, -101], 252)).all()


def test_a_di_curve_discounts_as_its_rates_say() -> None:
    days, given = np.array([21, 126, 252, 504, 1260]), np.array([[13.65, 13.4, 12.9, 12.0, np.nan]])
    curves = monotone_convex.from_zero(days / 252, rates.continuous_252(given))
    assert curves.discount(days[:4] / 252) == pytest.approx(1 / rates.growth_252(given, days)[:, :4])


def test_rates_to_a_time_that_is_not_later_are_none() -> None:
    assert np.isnan(rates.forward(discount, [2, 2], [2, 1])).all()
    with pytest.raises(ValueError, match="whole periods"):
        rates.par(discount, [1, 2.3])
