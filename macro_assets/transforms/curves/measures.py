"""What is read off a curve: slopes and butterflies, carry and roll-down, breakeven inflation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from macro_assets.transforms.curves.arrays import Array, grid
from macro_assets.transforms.curves.monotone_convex import Curves


def slope(short: ArrayLike, long: ArrayLike) -> Array:
    """How much the long yield is above the short, in basis points."""
    found: Array = 100 * (np.asarray(long, dtype=float) - np.asarray(short, dtype=float))
    return found


def butterfly(short: ArrayLike, middle: ArrayLike, long: ArrayLike) -> Array:
    """How much the middle yield is above the mean of the wings, twice: 2 middle - short - long, in basis points."""
    return slope(short, middle) - slope(middle, long)


def carry_and_roll(curves: Curves, maturities: ArrayLike, horizon_years: float) -> tuple[Array, Array]:
    """What zero-coupon bonds pay more than cash over a horizon while the curve stays as it is.

    With z the zero rate, T the maturity and h the horizon, carry is `h (z(T) - z(h))`: the bond's own rate, less what
    the money costs until then. Roll-down is `(T - h) (z(T) - z(T - h))`: the bond has grown younger and is discounted
    at the rate of its new age. On a flat curve both are 0. Their sum is the logarithmic excess return.

    Parameters
    ----------
    curves
        Zero curves.
    maturities
        Years.
    horizon_years
        How long the bonds are held.

    Returns
    -------
    tuple
        Carry and roll-down in percent of the price: a row a date, a column a maturity; NaN where the curve does not
        reach and for bonds that mature within the horizon.

    Raises
    ------
    ValueError
        Where the horizon is not positive.
    """
    times = grid(maturities)
    if not horizon_years > 0:
        raise ValueError(f"the horizon must be above 0 years, not {horizon_years}")
    now, younger = curves.zero(times), curves.zero(np.maximum(times - horizon_years, 0))
    alive = times > horizon_years
    carry = horizon_years * (now - curves.zero(horizon_years))
    roll = (times - horizon_years) * (now - younger)
    return np.where(alive, carry, np.nan), np.where(alive, roll, np.nan)


def fisher(nominal: ArrayLike, real: ArrayLike) -> Array:
    """Inflation at which a nominal and a real yield pay the same, both compounded once a year, in percent.

    12 % and 6 % are 5.660 %, not 6 %. NaN for a real yield of -100 % or less.
    """
    low = np.asarray(real, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 100 * ((1 + np.asarray(nominal, dtype=float) / 100) / (1 + low / 100) - 1)
    return np.where(low > -100, found, np.nan)


def difference(nominal: ArrayLike, real: ArrayLike) -> Array:
    """Breakeven inflation as the market quotes it for par yields: nominal less real, in percentage points."""
    found: Array = np.asarray(nominal, dtype=float) - np.asarray(real, dtype=float)
    return found


RULES = {"difference": difference, "fisher": fisher}
"""How a real rate, or inflation, is taken off a nominal rate."""
