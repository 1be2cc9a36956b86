"""The smile: quotes are met at their strikes, densities are probabilities, and planted arbitrage is found."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest

from macro_assets.transforms.volatility.delta import Convention, Market, delta, price
from macro_assets.transforms.volatility.errors import VolatilityError
from macro_assets.transforms.volatility.smile import (
    Quotes,
    Smile,
    butterfly_arbitrage,
    calendar_arbitrage,
    smile,
    volatility_between,
)

MARKET = Market(1.1, 0.98, 0.99)
QUOTES = Quotes(9.0, {0.25: -0.8, 0.1: -1.5}, {0.25: 0.25, 0.1: 0.8})
VOLATILITIES = {-0.1: 10.55, -0.25: 9.65, 0.25: 8.85, 0.1: 9.05}
"""At the money plus butterfly, less half of the risk reversal for the put and plus half of it for the call."""


def level(volatility: float, years: float = 1.0) -> Smile:
    return smile(MARKET, years, Quotes(volatility), "spot")


@pytest.mark.parametrize("convention", get_args(Convention))
def test_quotes_are_met_at_the_strikes_of_their_deltas(convention: Convention) -> None:
    found = smile(MARKET, 0.5, QUOTES, convention)
    assert QUOTES.by_delta() == pytest.approx(VOLATILITIES)
    assert found.volatilities == pytest.approx((10.55, 9.65, 9.0, 8.85, 9.05))
    for strike, (wanted, volatility) in zip(found.strikes[:2] + found.strikes[3:], VOLATILITIES.items(), strict=True):
        assert float(found.volatility(strike)) == pytest.approx(volatility)
        deviation = volatility / 100 * math.sqrt(0.5)
        assert delta(MARKET, strike, deviation, convention, is_call=wanted > 0) == pytest.approx(wanted)


def test_beyond_the_outermost_strikes_the_smile_is_level() -> None:
    found = smile(MARKET, 0.5, QUOTES, "spot")
    assert found.volatility(np.array([0.1, 9.0])).tolist() == pytest.approx([10.55, 9.05])
    assert level(9.0).volatility(np.array([0.1, 1.1, 9.0])).tolist() == [9.0] * 3


def test_the_density_is_a_probability_and_gives_the_forward_back() -> None:
    """Breeden and Litzenberger's density: second differences of call prices."""
    found = smile(MARKET, 0.5, QUOTES, "spot")
    assert butterfly_arbitrage(found).is_empty()
    strikes = np.linspace(0.6, 1.8, 2401)
    deviations = found.volatility(strikes) / 100 * math.sqrt(0.5)
    calls = np.array([price(MARKET, k, d, is_call=True) for k, d in zip(strikes, deviations, strict=True)])
    step = strikes[1] - strikes[0]
    density = np.diff(calls, 2) / step**2 / MARKET.domestic
    assert density.min() > -1e-6
    assert density.sum() * step == pytest.approx(1, abs=1e-4)
    assert (density * strikes[1:-1]).sum() * step == pytest.approx(MARKET.forward, abs=1e-4)


@pytest.mark.parametrize(
    "quotes",
    [Quotes(9.0, {0.25: 0.0, 0.1: 0.0}, {0.25: 3.0, 0.1: 0.1}), Quotes(9.0, {0.25: 6.0}, {0.25: 0.2})],
    ids=["a wing that falls", "a steep reversal"],
)
def test_a_smile_with_a_probability_below_zero_is_found(quotes: Quotes) -> None:
    """Where call prices, made of the same smile, are not convex in the strike."""
    found = smile(MARKET, 1.0, quotes, "spot")
    bad = butterfly_arbitrage(found)
    assert not bad.is_empty()
    strike = bad.sort("density")["strike"][0]
    h = 1e-3
    left, middle, right = (
        price(MARKET, k, float(found.volatility(k)) / 100, is_call=True) for k in (strike - h, strike, strike + h)
    )
    assert left + right < 2 * middle


def test_less_variance_at_a_later_expiry_is_found() -> None:
    assert calendar_arbitrage(level(10, 0.5), level(9, 1.0)).is_empty()
    bad = calendar_arbitrage(level(10, 0.5), level(7, 1.0))
    assert bad.height == 1001
    assert bad.row(0)[1:] == pytest.approx((0.005, 0.0049))
    wing = smile(MARKET, 0.9, QUOTES, "spot")
    assert 0 < calendar_arbitrage(wing, level(9.4, 1.0)).height < 1001, "in the wing of the put alone"
    with pytest.raises(VolatilityError, match="expected a later expiry than 1 years, got 1"):
        calendar_arbitrage(level(9), level(9))


def test_between_two_expiries_total_variance_is_linear_in_time() -> None:
    """10 % at half a year and 12 % at one: at .75 the mean of .005 and .0144."""
    near, far = level(10, 0.5), level(12, 1.0)
    assert float(volatility_between(near, far, 0.75, 0.0)) == pytest.approx(100 * math.sqrt(0.0097 / 0.75))
    assert float(volatility_between(near, far, 0.5, 0.1)) == pytest.approx(10)
    for years in (0.4, 1.1, math.nan):
        with pytest.raises(VolatilityError, match="expected one from 0.5 to 1"):
            volatility_between(near, far, years, 0.0)


@pytest.mark.parametrize(
    ("quotes", "years", "said"),
    [
        (Quotes(9.0, {0.25: -0.8}, {0.1: 0.8}), 1.0, "a risk reversal and a butterfly of each delta"),
        (Quotes(9.0, {0.6: -0.8}, {0.6: 0.8}), 1.0, "expected deltas between 0 and 0.5, got 0.6"),
        (Quotes(0.0), 1.0, "expected a number above zero, got 0"),
        (Quotes(9.0, {0.25: 30.0}, {0.25: 0.0}), 1.0, "expected a number above zero, got -0.06"),
        (Quotes(math.nan), 1.0, "expected a number above zero, got nan"),
        (Quotes(9.0), 0.0, "expected a number above zero"),
        (Quotes(9.0), -1.0, "expected a number above zero"),
        (Quotes(20.0, {0.25: 0.0, 0.1: 0.0}, {0.25: 20.0, 0.1: -15.0}), 1.0, "expected strikes that rise with delta"),
    ],
)
def test_quotes_that_make_no_smile_are_refused(quotes: Quotes, years: float, said: str) -> None:
    with pytest.raises(VolatilityError, match=said):
        smile(MARKET, years, quotes, "spot")
