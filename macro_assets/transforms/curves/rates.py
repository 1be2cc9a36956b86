"""One rate in the terms of another: compounding, zero, forward and par rates, bills, and the 252 days of Brazil.

All rates are in percent, times in years. What has no answer is NaN: a rate that loses all or more in a period.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from macro_assets.transforms.curves.arrays import Array, grid

COMPOUNDED = {"annual": 1, "semiannual": 2, "quarterly": 4, "monthly": 12, "daily": 365}
"""Periods a year of the bases that compound; there are 'continuous' and 'simple', too."""

BUSINESS_YEAR = 252
"""Business days a year, by which rates in reais are compounded: an annual rate of that many days."""

Discount: TypeAlias = Callable[[Array], Array]
"""Discount factors at times: a row a date, a column a time, as `Curves.discount` gives them."""


def convert(rate: ArrayLike, of: str, to: str, years: ArrayLike | None = None) -> Array:
    """A rate of one basis in another, at which money grows to the same.

    Parameters
    ----------
    rate
        Percent.
    of, to
        'continuous', 'simple' or one of :data:`COMPOUNDED`.
    years
        How long the money is lent; needed where one of the two is 'simple'.

    Raises
    ------
    ValueError
        Where a basis is none of these, or the years are needed and not given.
    """
    return _of_continuous(_continuous(np.asarray(rate, dtype=float), of, years), to, years)


def _continuous(rate: Array, basis: str, years: ArrayLike | None) -> Array:
    if basis == "continuous":
        return rate
    periods = _periods(basis, years)
    growth = 1 + rate / 100 / periods
    return 100 * periods * np.log(np.where(growth > 0, growth, np.nan))


def _of_continuous(rate: Array, basis: str, years: ArrayLike | None) -> Array:
    if basis == "continuous":
        return rate
    periods = _periods(basis, years)
    return 100 * periods * np.expm1(rate / 100 / periods)


def _periods(basis: str, years: ArrayLike | None) -> Array:
    if basis == "simple":
        if years is None:
            raise ValueError("a simple rate says nothing without the years it is for")
        return 1 / np.asarray(years, dtype=float)
    if basis not in COMPOUNDED:
        raise ValueError(f"no basis {basis!r}: there are {', '.join(['continuous', 'simple', *COMPOUNDED])}")
    return np.asarray(COMPOUNDED[basis], dtype=float)


def forward(discount: Discount, start: ArrayLike, end: ArrayLike) -> Array:
    """Zero-coupon rates from one time to a later, continuously compounded; NaN where the later is not later."""
    first, last = np.broadcast_arrays(np.atleast_1d(np.asarray(start, float)), np.atleast_1d(np.asarray(end, float)))
    length = np.where(last > first, last - first, np.nan)
    return 100 * np.log(discount(first) / discount(last)) / length


def par(discount: Discount, maturities: ArrayLike, *, frequency: int = 2, start: float = 0.0) -> Array:
    """Par yields: coupons at which bonds are worth what they repay.

    Parameters
    ----------
    discount
        The curves.
    maturities
        Years from the start to the last coupon, in whole coupon periods; up to one period the yield is that of a
        single payment.
    frequency
        Coupons a year, and how often the yield is compounded.
    start
        Years until the bond is bought: above 0 these are forward par yields.

    Returns
    -------
    ndarray
        A row a date, a column a maturity; NaN where the curve does not reach.

    Raises
    ------
    ValueError
        Where a maturity is not whole periods.
    """
    times = grid(maturities)
    periods = times * frequency
    if (np.abs(periods - np.round(periods))[periods > 1] > 1e-9).any():
        raise ValueError(
            f"maturities above a coupon period must be whole periods, {frequency} a year: {times.tolist()}"
        )
    coupons = np.arange(1, max(int(np.round(periods[-1])), 1) + 1) / frequency
    annuity = np.cumsum(discount(start + coupons), axis=1) / frequency
    begun, ended = discount(np.array([start])), discount(start + times)
    which = np.maximum(np.round(periods).astype(int), 1) - 1
    of_bonds = (begun - ended) / annuity[:, which]
    return 100 * np.where(periods > 1, of_bonds, (begun - ended) / ended / np.minimum(times, 1 / frequency))


def bond_equivalent(discount_rate: ArrayLike, days: float) -> Array:
    """The bond-equivalent yield of a bill quoted at a bank discount (a year of 360 days).

    Up to half a year the simple yield of 365 days; above it the Treasury's quadratic, which takes a coupon at half a
    year to be reinvested at the yield. NaN where the discount is the whole price.
    """
    price = 1 - np.asarray(discount_rate, dtype=float) / 100 * days / 360
    price = np.where(price > 0, price, np.nan)
    years = days / 365
    if years <= 0.5:
        return 100 * (1 / price - 1) / years
    root = years**2 - (2 * years - 1) * (1 - 1 / price)
    return 100 * 2 * (np.sqrt(np.where(root >= 0, root, np.nan)) - years) / (2 * years - 1)


def growth_252(rate: ArrayLike, business_days: ArrayLike) -> Array:
    """What one real grows to at an annual rate of 252 business days, compound; NaN at -100 % or less."""
    found: Array = np.exp(continuous_252(rate) / 100 * np.asarray(business_days, dtype=float) / BUSINESS_YEAR)
    return found


def forward_252(rate: ArrayLike, days: ArrayLike, later_rate: ArrayLike, later_days: ArrayLike) -> Array:
    """The annual rate of 252 business days between two maturities of a DI curve; NaN where the later is not later."""
    first, last = np.asarray(days, dtype=float), np.asarray(later_days, dtype=float)
    between = np.where(last > first, last - first, np.nan)
    grown = continuous_252(later_rate) * last - continuous_252(rate) * first
    found: Array = 100 * np.expm1(grown / between / 100)
    return found


def continuous_252(rate: ArrayLike) -> Array:
    """The continuously compounded rate of an annual rate of 252 business days: for a curve of `business days / 252`."""
    return convert(rate, "annual", "continuous")
