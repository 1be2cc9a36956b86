"""The smile of an option market that is quoted by delta: volatilities at the money, risk reversals and butterflies.

Of no public source are such quotes to be had, so there is no table of it: these are functions for quotes of one's own.
A butterfly is the mean of the two wings less the volatility at the money (the smile strangle), a risk reversal the
call's volatility less the put's. References: Reiswich and Wystup (2010), Journal of Derivatives 18; for what is no
arbitrage Gatheral and Jacquier (2014), Arbitrage-free SVI volatility surfaces, Quantitative Finance 14.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from macro_assets.transforms.volatility.delta import AtTheMoney, Convention, Market, at_the_money, strike_of
from macro_assets.transforms.volatility.errors import VolatilityError

Array = np.ndarray

_REACH = 4.0
"""How far beyond the outermost strikes arbitrage is looked for, in total standard deviations at the money."""


@dataclass(frozen=True)
class Quotes:
    """Volatilities in percent: at the money, and by delta (0.25, 0.1) risk reversals and butterflies."""

    at_the_money: float
    risk_reversals: Mapping[float, float] = field(default_factory=dict)
    butterflies: Mapping[float, float] = field(default_factory=dict)

    def by_delta(self) -> dict[float, float]:
        """Volatilities of the wings: a put's by its delta, which is below zero, a call's by one above.

        Raises
        ------
        VolatilityError
            Where a delta has a risk reversal or a butterfly alone, or is not between 0 and one half.
        """
        if set(self.risk_reversals) != set(self.butterflies):
            raise VolatilityError("expected a risk reversal and a butterfly of each delta")
        if strange := [d for d in self.butterflies if not 0 < d < 0.5]:
            raise VolatilityError(f"expected deltas between 0 and 0.5, got {strange[0]:g}")
        middle = {d: self.at_the_money + b for d, b in self.butterflies.items()}
        puts = {-d: m - self.risk_reversals[d] / 2 for d, m in middle.items()}
        return puts | {d: m + self.risk_reversals[d] / 2 for d, m in middle.items()}


@dataclass(frozen=True)
class Smile:
    """Volatilities of one expiry by strike.

    Between the strikes it is a cubic spline in the logarithm of strike over forward, which is level at both ends;
    beyond them the volatility is that of the outermost strike.
    """

    market: Market
    years: float
    strikes: tuple[float, ...]
    volatilities: tuple[float, ...]

    def __post_init__(self) -> None:
        if not (math.isfinite(self.years) and self.years > 0):
            raise VolatilityError(f"years: expected a number above zero, got {self.years:g}")
        if len(self.strikes) != len(self.volatilities) or not self.strikes:
            raise VolatilityError("expected a volatility for each strike")
        if not all(math.isfinite(v) and v > 0 for v in self.volatilities):
            raise VolatilityError(f"expected volatilities above zero, got {list(self.volatilities)}")
        if any(b <= a for a, b in zip(self.strikes, self.strikes[1:], strict=False)):
            raise VolatilityError(f"expected strikes that rise with delta, got {list(self.strikes)}")

    @cached_property
    def _moneyness(self) -> Array:
        return np.log(np.array(self.strikes) / self.market.forward)

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import CubicSpline

        return CubicSpline(self._moneyness, self.volatilities, bc_type="clamped") if len(self.strikes) > 1 else None

    def volatility(self, strike: float | Array) -> Array:
        """Volatility at strikes, in percent."""
        return self.at(np.log(np.asarray(strike, dtype=float) / self.market.forward))

    def at(self, moneyness: float | Array, order: int = 0) -> Array:
        """Volatility by the logarithm of strike over forward, in percent, or a derivative of it."""
        x = np.asarray(moneyness, dtype=float)
        if self._spline is None:
            return np.full_like(x, self.volatilities[0] if order == 0 else 0.0)
        ends = self._moneyness[[0, -1]]
        inside = np.asarray(self._spline(np.clip(x, *ends), order))
        return inside if order == 0 else np.where((x < ends[0]) | (x > ends[1]), 0.0, inside)

    def variance(self, moneyness: float | Array) -> Array:
        """Total variance up to the expiry, as a fraction."""
        return (self.at(moneyness) / 100) ** 2 * self.years

    def reach(self) -> tuple[float, float]:
        """Logarithms of strike over forward between which arbitrage is looked for."""
        wide = _REACH * math.sqrt(float(self.variance(0.0)))
        return float(self._moneyness[0]) - wide, float(self._moneyness[-1]) + wide


def smile(market: Market, years: float, quotes: Quotes, convention: Convention, kind: AtTheMoney = "straddle") -> Smile:
    """The smile of some quotes: each volatility at the strike that its delta stands for.

    Raises
    ------
    VolatilityError
        Where a volatility is not above zero, no strike has a delta, or strikes do not rise with delta.
    """
    root = math.sqrt(years) / 100 if years > 0 else math.nan
    wings = quotes.by_delta()
    strikes = {d: strike_of(market, d, volatility * root, convention) for d, volatility in wings.items()}
    middle = at_the_money(market, quotes.at_the_money * root, convention, kind)
    puts, calls = (sorted((d for d in wings if (d > 0) is up), reverse=True) for up in (False, True))
    return Smile(
        market,
        years,
        (*(strikes[d] for d in puts), middle, *(strikes[d] for d in calls)),
        (*(wings[d] for d in puts), quotes.at_the_money, *(wings[d] for d in calls)),
    )


def volatility_between(near: Smile, far: Smile, years: float, moneyness: float | Array) -> Array:
    """Volatility of an expiry between two others, in percent: total variance is linear in time at the same moneyness.

    Raises
    ------
    VolatilityError
        Where the expiry is not between the two.
    """
    if not near.years <= years <= far.years or near.years == far.years:
        raise VolatilityError(f"years: expected one from {near.years:g} to {far.years:g}, got {years:g}")
    share = (years - near.years) / (far.years - near.years)
    total = (1 - share) * near.variance(moneyness) + share * far.variance(moneyness)
    return 100 * np.sqrt(total / years)


def butterfly_arbitrage(found: Smile, points: int = 1001) -> pl.DataFrame:
    """Strikes at which the smile gives a probability below zero.

    Returns
    -------
    DataFrame
        `strike`, `density` (Gatheral's g, of which the probability has the sign); no rows where there is no arbitrage.
    """
    x = np.linspace(*found.reach(), points)
    level, slope, bend = (found.at(x, order) / 100 for order in range(3))
    w = level**2 * found.years
    first, second = 2 * level * slope * found.years, 2 * (slope**2 + level * bend) * found.years
    g = (1 - x * first / (2 * w)) ** 2 - first**2 / 4 * (1 / w + 1 / 4) + second / 2
    rows = pl.DataFrame({"strike": found.market.forward * np.exp(x), "density": g})
    return rows.filter(pl.col("density") < -1e-12)


def calendar_arbitrage(near: Smile, far: Smile, points: int = 1001) -> pl.DataFrame:
    """Where a later expiry has less total variance than an earlier one, at the same strike over forward.

    Returns
    -------
    DataFrame
        `moneyness` (logarithm of strike over forward), `near`, `far` (total variances); no rows where there is none.
    """
    if near.years >= far.years:
        raise VolatilityError(f"expected a later expiry than {near.years:g} years, got {far.years:g}")
    (low, high), (lower, higher) = near.reach(), far.reach()
    x = np.linspace(min(low, lower), max(high, higher), points)
    rows = pl.DataFrame({"moneyness": x, "near": near.variance(x), "far": far.variance(x)})
    return rows.filter(pl.col("far") < pl.col("near") * (1 - 1e-12))
