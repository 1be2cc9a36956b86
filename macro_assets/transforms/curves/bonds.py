"""Bonds: price, yield, duration, convexity and the value of a basis point, of many bonds at once.

A bond pays its coupon `frequency` times a year, counted back from its maturity, and 100 at the end. Its price is what
is paid for 100, interest accrued included; yields are in percent, compounded `frequency` times a year. Coupon, yield
(or price) and maturity are numbers or arrays that go together. What has no answer is NaN: a maturity that is not
positive, a yield of -100 % a period or less, a price that is not positive, an infinity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from macro_assets.transforms.curves.arrays import Array

_STEPS = 100
_LOWEST = -0.99
"""Least yield a period that is looked for, as a fraction."""


@dataclass(frozen=True)
class Risk:
    """What a bond is worth and how that moves with its yield.

    Attributes
    ----------
    price
        For 100, interest accrued included.
    macaulay, modified
        Durations in years: the mean time of payments by present value; the percentage the price loses when the yield
        rises by a percentage point.
    convexity
        The second derivative of the price by the yield (a fraction), over the price: years squared.
    dv01
        What the price loses when the yield rises by a basis point, by the first derivative.
    """

    price: Array
    macaulay: Array
    modified: Array
    convexity: Array
    dv01: Array


def risk(coupon: ArrayLike, yield_: ArrayLike, years: ArrayLike, *, frequency: int = 2) -> Risk:
    """Price and sensitivities of bonds at their yields.

    Parameters
    ----------
    coupon
        Percent a year; 0 for a bond without.
    yield_
        Percent a year.
    years
        To maturity.
    frequency
        Coupons a year.
    """
    rates, bond_yield, maturity = _numbers(coupon, yield_, years)
    times, paid = _payments(rates, maturity, frequency)
    base = 1 + bond_yield / 100 / frequency
    base = np.where(base > 0, base, np.nan)[..., None]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        worth = paid * base ** (-frequency * times)
        price = _known(worth.sum(axis=-1), maturity)
        macaulay = (times * worth).sum(axis=-1) / price
        modified = macaulay / base[..., 0]
        convexity = (times * (times + 1 / frequency) * worth).sum(axis=-1) / base[..., 0] ** 2 / price
    return Risk(price, macaulay, modified, convexity, modified * price / 10_000)


def price(coupon: ArrayLike, yield_: ArrayLike, years: ArrayLike, *, frequency: int = 2) -> Array:
    """Prices of bonds at their yields, interest accrued included."""
    return risk(coupon, yield_, years, frequency=frequency).price


def yield_of(coupon: ArrayLike, price: ArrayLike, years: ArrayLike, *, frequency: int = 2) -> Array:
    """Yields of bonds at their prices, by Newton's method from the coupon."""
    rates, paid_for, maturity = _numbers(coupon, price, years)
    times, paid = _payments(rates, maturity, frequency)
    target = np.where(paid_for > 0, paid_for, np.nan)
    times = frequency * times
    # In the logarithm of price and of growth a bond is nearly a straight line, and Newton's steps cannot overshoot far.
    lowest = np.log1p(_LOWEST)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        growth = np.log1p(rates / 100 / frequency)
        for _ in range(_STEPS):
            worth = paid * np.exp(-times * growth[..., None])
            total = worth.sum(axis=-1)
            step = np.log(total / target) * total / (times * worth).sum(axis=-1)
            growth = np.maximum(growth + step, lowest)
            if not (np.abs(step) > 1e-15).any():
                break
        found = 100 * frequency * np.expm1(growth)
        return _known(np.where((np.abs(step) < 1e-12) & (growth > lowest), found, np.nan), maturity)


def _numbers(*given: ArrayLike) -> list[Array]:
    arrays = (np.asarray(a, dtype=float) for a in np.broadcast_arrays(*given))
    return [np.where(np.isfinite(a), a, np.nan) for a in arrays]


def _known(found: Array, maturity: Array) -> Array:
    return np.where((maturity > 0) & np.isfinite(found), found, np.nan)


def _payments(coupon: Array, maturity: Array, frequency: int) -> tuple[Array, Array]:
    """Times in years and what is paid then, in the last dimension; what is no payment is 0 at time 0."""
    whole = np.where(np.isfinite(maturity), maturity, 0) * frequency
    back = np.arange(max(int(np.ceil(whole.max(initial=1) - 1e-9)), 1)) / frequency
    times = maturity[..., None] - back
    due = times > 1e-9
    paid = np.where(due, coupon[..., None] / frequency, 0.0)
    paid[..., 0] += 100
    return np.where(due, times, 0.0), paid
