"""Options on currencies: prices, deltas by the market's conventions, and the strikes that deltas stand for.

Volatility enters as total standard deviation: a fraction times the root of the years to expiry. Garman and Kohlhagen
(1983, Journal of International Money and Finance 2); conventions: Reiswich and Wystup (2010), A guide to FX options
quoting conventions, Journal of Derivatives 18; Castagna (2010), FX Options and Smile Risk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from macro_assets.transforms.volatility.errors import VolatilityError

Convention = Literal["spot", "forward", "spot_premium_adjusted", "forward_premium_adjusted"]
"""Of which the delta is a share: of the spot or the forward amount; premium-adjusted where the premium is paid in the
foreign currency."""

AtTheMoney = Literal["straddle", "forward", "spot"]
"""Which strike is at the money: where the deltas of call and put cancel, the forward, or the spot."""

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Market:
    """Spot in domestic per foreign currency, and discount factors to the expiry.

    Raises
    ------
    VolatilityError
        Where one is not a number above zero. Discount factors above one (negative rates) are none of these.
    """

    spot: float
    domestic: float
    foreign: float

    def __post_init__(self) -> None:
        for name in ("spot", "domestic", "foreign"):
            _expect_positive(name, getattr(self, name))

    @property
    def forward(self) -> float:
        """Price agreed today for the expiry."""
        return self.spot * self.foreign / self.domestic


def _expect_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise VolatilityError(f"{name}: expected a number above zero, got {value:g}")


def price(market: Market, strike: float, deviation: float, *, is_call: bool) -> float:
    """Price of an option on one unit of the foreign currency, in domestic currency."""
    sign, first, second = _arguments(market, strike, deviation, is_call)
    return sign * market.domestic * (market.forward * _share(sign * first) - strike * _share(sign * second))


def delta(market: Market, strike: float, deviation: float, convention: Convention, *, is_call: bool) -> float:
    """Delta of an option: above zero of a call, below of a put."""
    sign, first, second = _arguments(market, strike, deviation, is_call)
    of = market.foreign if convention.startswith("spot") else 1.0
    if convention.endswith("adjusted"):
        return sign * of * strike / market.forward * _share(sign * second)
    return sign * of * _share(sign * first)


def _share(x: float) -> float:
    """Normal distribution, exact far below zero, where that of `statistics` is zero."""
    return math.erfc(-x / math.sqrt(2)) / 2


def _arguments(market: Market, strike: float, deviation: float, is_call: bool) -> tuple[int, float, float]:
    _expect_positive("strike", strike)
    _expect_positive("deviation", deviation)
    first = math.log(market.forward / strike) / deviation + deviation / 2
    return (1 if is_call else -1), first, first - deviation


def strike_of(market: Market, wanted: float, deviation: float, convention: Convention) -> float:
    """The strike of a delta: of a call if it is above zero, of a put if it is below.

    A premium-adjusted delta of a call is the same at two strikes; the higher one is meant.

    Raises
    ------
    VolatilityError
        Where no strike has this delta.
    """
    _expect_positive("deviation", deviation)
    is_call = wanted > 0
    of = market.foreign if convention.startswith("spot") else 1.0
    share = abs(wanted) / of
    if convention.endswith("adjusted"):
        return _adjusted_strike(market, share, deviation, is_call=is_call)
    if not 0 < share < 1:
        raise VolatilityError(f"delta: expected one between 0 and {of:g} in size, got {wanted:g}")
    first = _NORMAL.inv_cdf(share) * (1 if is_call else -1)
    return market.forward * math.exp(deviation * (deviation / 2 - first))


def _adjusted_strike(market: Market, share: float, deviation: float, *, is_call: bool) -> float:
    """The strike at which a premium-adjusted forward delta has a size."""

    def size(moneyness: float) -> float:
        strike = market.forward * math.exp(moneyness)
        return abs(delta(market, strike, deviation, "forward_premium_adjusted", is_call=is_call))

    wide = 20 * deviation + deviation**2
    if not is_call:
        low, high = -wide, max(wide, math.log1p(share) + 1)
        return market.forward * math.exp(_root(lambda m: size(m) - share, low, high, wanted=share))
    # The delta of a call rises up to the strike where N(d2) is n(d2) / deviation, and falls from there on.
    peak = _root(lambda m: _NORMAL.pdf(_second(m, deviation)) - deviation * _share(_second(m, deviation)), -wide, wide)
    return market.forward * math.exp(_root(lambda m: share - size(m), peak, wide, wanted=share))


def _second(moneyness: float, deviation: float) -> float:
    return -moneyness / deviation - deviation / 2


def _root(function: Callable[[float], float], low: float, high: float, wanted: float | None = None) -> float:
    """Where a function that rises from below zero to above is zero, by bisection."""
    if not function(low) < 0 < function(high):
        raise VolatilityError(f"delta: no strike has one of {wanted:g} in size" if wanted else "no root")
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return (low + high) / 2


def at_the_money(market: Market, deviation: float, convention: Convention, kind: AtTheMoney = "straddle") -> float:
    """The strike that is at the money; of a straddle that has no delta it depends on whether deltas are adjusted."""
    _expect_positive("deviation", deviation)
    if kind == "spot":
        return market.spot
    if kind == "forward":
        return market.forward
    half = deviation**2 / 2
    return market.forward * math.exp(-half if convention.endswith("adjusted") else half)
