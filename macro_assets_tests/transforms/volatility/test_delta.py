"""Strikes of deltas: the published ones of four conventions, and back; parity of put and call; what has no strike."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from macro_assets.transforms.volatility.delta import Convention, Market, at_the_money, delta, price, strike_of
from macro_assets.transforms.volatility.errors import VolatilityError

CONVENTIONS: tuple[Convention, ...] = get_args(Convention)
EURO, YEN = Market(1.421, 0.997306, 0.992266), Market(122.121, 0.9695434, 0.9872347)


@pytest.mark.parametrize(
    ("market", "deviation", "wanted", "convention", "strike"),
    [
        (EURO, 0.1180654, 0.15, "spot", 1.608080),
        (EURO, 0.1180654, 0.15, "spot_premium_adjusted", 1.600545),
        (EURO, 0.1180654, 0.15, "forward", 1.609029),
        (EURO, 0.1180654, 0.15, "forward_premium_adjusted", 1.601550),
        (YEN, 0.0887676, 0.67, "spot", 119.8031),
        (YEN, 0.0887676, 0.67, "spot_premium_adjusted", 117.7096),
        (YEN, 0.0887676, 0.67, "forward", 120.0592),
        (YEN, 0.0887676, 0.67, "forward_premium_adjusted", 118.0532),
    ],
)
def test_published_strikes(
    market: Market, deviation: float, wanted: float, convention: Convention, strike: float
) -> None:
    """QuantLib's tests of Castagna's conventions."""
    assert strike_of(market, wanted, deviation, convention) == pytest.approx(strike, rel=3e-5)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("wanted", [0.1, 0.25, 0.45, -0.1, -0.25, -0.45, -0.8])
@pytest.mark.parametrize("market", [EURO, Market(5.2, 0.9, 1.01)], ids=["euro", "negative foreign rate"])
def test_a_strike_has_the_delta_that_it_stands_for(market: Market, wanted: float, convention: Convention) -> None:
    for deviation in (0.01, 0.12, 0.4, *([2.5] if wanted < 0 else [])):
        strike = strike_of(market, wanted, deviation, convention)
        assert delta(market, strike, deviation, convention, is_call=wanted > 0) == pytest.approx(wanted, abs=1e-12)


def test_of_the_two_strikes_of_an_adjusted_call_the_higher_one_is_meant() -> None:
    strike = strike_of(EURO, 0.25, 0.2, "forward_premium_adjusted")
    higher = delta(EURO, strike * 1.01, 0.2, "forward_premium_adjusted", is_call=True)
    assert higher < 0.25


@pytest.mark.parametrize(
    ("wanted", "convention", "deviation"),
    [
        (0.995, "spot", 0.1),
        (1.0, "forward", 0.1),
        (-1.0, "forward", 0.1),
        (0.0, "spot", 0.1),
        (0.99, "forward_premium_adjusted", 0.1),
        (0.25, "spot_premium_adjusted", 2.5),  # at such volatilities the premium eats every delta above 0.15
    ],
)
def test_a_delta_that_no_strike_has_is_refused(wanted: float, convention: Convention, deviation: float) -> None:
    with pytest.raises(VolatilityError, match="delta: "):
        strike_of(EURO, wanted, deviation, convention)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_markets_strikes_and_deviations_are_above_zero(bad: float) -> None:
    for broken in (
        lambda: Market(bad, 1, 1),
        lambda: Market(1, 1, bad),
        lambda: price(EURO, bad, 0.1, is_call=True),
        lambda: delta(EURO, 1.4, bad, "spot", is_call=True),
        lambda: strike_of(EURO, 0.25, bad, "spot"),
        lambda: at_the_money(EURO, bad, "spot"),
    ):
        with pytest.raises(VolatilityError, match="expected a number above zero"):
            broken()


@pytest.mark.parametrize("strike", [0.7, 1.4, 2.5])
def test_put_and_call_are_at_parity(strike: float) -> None:
    call, put = (price(EURO, strike, 0.12, is_call=c) for c in (True, False))
    assert call - put == pytest.approx(EURO.domestic * (EURO.forward - strike), abs=1e-12)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_delta_is_the_change_of_the_price_and_less_the_premium_where_it_is_adjusted(convention: Convention) -> None:
    """By central differences: of spot delta directly; a forward delta is that over the foreign discount factor."""
    up, down = (
        price(Market(EURO.spot + h, EURO.domestic, EURO.foreign), 1.45, 0.12, is_call=True) for h in (1e-5, -1e-5)
    )
    change = (up - down) / 2e-5
    if convention.endswith("adjusted"):
        change -= price(EURO, 1.45, 0.12, is_call=True) / EURO.spot
    if convention.startswith("forward"):
        change /= EURO.foreign
    assert delta(EURO, 1.45, 0.12, convention, is_call=True) == pytest.approx(change, abs=1e-8)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_straddle_at_the_money_has_no_delta(convention: Convention) -> None:
    strike = at_the_money(EURO, 0.12, convention)
    call, put = (delta(EURO, strike, 0.12, convention, is_call=c) for c in (True, False))
    assert call + put == pytest.approx(0, abs=1e-14)
    assert at_the_money(EURO, 0.12, convention, "forward") == EURO.forward
    assert at_the_money(EURO, 0.12, convention, "spot") == EURO.spot
