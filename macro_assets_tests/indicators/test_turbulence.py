"""Turbulence and absorption of an entry: the days they take, and what they refuse."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from macro_assets.indicators import absorption_ratio, turbulence
from macro_assets_tests.indicators.toys import daily

MOVES = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]] * 8) / 100
PRICES = {s: [100.0, *(100 * np.exp(MOVES[:, i].cumsum()))] for i, s in enumerate("AB")}


def parameters(**more: Any) -> turbulence.Parameters:
    return turbulence.Parameters.model_validate({"min_obs": 10, **more})


def test_a_day_is_measured_by_the_days_before_its_month() -> None:
    """28 returns of 1 and -1 % that are independent, of variance 28/27: each of the four days is 2 * 27/28 away."""
    found = turbulence.compute(daily(date(2020, 1, 3), **PRICES), parameters())
    assert found["observation_date"].to_list() == [date(2020, 2, 1) + timedelta(days=n) for n in range(4)]
    assert found["turbulence"].to_list() == pytest.approx([2 * 27 / 28] * 4)
    assert found["estimated_through"].unique().to_list() == [date(2020, 1, 31)]
    halved = turbulence.compute(daily(date(2020, 1, 3), **PRICES), parameters(per_series=True))
    assert halved["turbulence"].to_list() == pytest.approx([27 / 28] * 4)


def test_a_day_that_a_market_lacks_or_on_which_its_price_is_not_above_zero_has_no_row() -> None:
    """Of the second of February the price, so that its return is lost and the next is over two days."""
    lacking = {**PRICES, "B": [None if n == 30 else v for n, v in enumerate(PRICES["B"])]}
    days = turbulence.compute(daily(date(2020, 1, 3), **lacking), parameters())["observation_date"].to_list()
    assert date(2020, 2, 2) not in days
    assert date(2020, 2, 3) in days
    below = {**PRICES, "B": [-37.0 if n == 30 else v for n, v in enumerate(PRICES["B"])]}
    days = turbulence.compute(daily(date(2020, 1, 3), **below), parameters())["observation_date"].to_list()
    assert days == [date(2020, 2, 1), date(2020, 2, 4)]


def test_the_absorption_of_one_market_twice_is_one_and_shifts_nowhere() -> None:
    asked = absorption_ratio.Parameters.model_validate({"window": 8, "half_life": 4, "short_days": 2, "long_days": 5})
    found = absorption_ratio.compute(daily(A=PRICES["A"], B=PRICES["A"]), asked)
    assert found["absorption_ratio"].to_list() == pytest.approx([1.0] * 25)
    assert found["absorption_shift"].to_list() == [None] * 25
    two = absorption_ratio.compute(daily(**PRICES), asked)
    ratio = two["absorption_ratio"].to_numpy()
    year = ratio[-5:]
    assert two["absorption_shift"][-1] == pytest.approx((year[-2:].mean() - year.mean()) / year.std(ddof=1))


FACTS = daily(A=[1.0], B=[1.0], C=[1.0]).facts.with_columns(unit=pl.lit("index_points"))


@pytest.mark.parametrize(
    ("asked", "rows", "said"),
    [
        ({"min_obs": 3}, 3, "parameters.min_obs: expected more days than series"),
        ({"window": 5}, 3, "parameters.window: expected min_obs"),
    ],
)
def test_windows_of_turbulence_that_cannot_be_are_refused(asked: dict[str, int], rows: int, said: str) -> None:
    turbulence.check(parameters(), FACTS)
    with pytest.raises(ValueError, match=f"^{said}"):
        turbulence.check(parameters(**asked), FACTS.head(rows))
    with pytest.raises(ValueError, match=r"^inputs\.0: expected a series of frequency D"):
        turbulence.check(parameters(), FACTS.with_columns(frequency=pl.lit("M")))


@pytest.mark.parametrize(
    ("asked", "rows", "said"),
    [
        ({}, 1, "inputs: expected two series or more"),
        ({"factors": 3}, 3, "parameters.factors: expected fewer than the series"),
        ({"short_days": 300}, 3, "parameters.short_days: expected fewer than long_days"),
    ],
)
def test_markets_that_nothing_absorbs_are_refused(asked: dict[str, int], rows: int, said: str) -> None:
    absorption_ratio.check(absorption_ratio.Parameters(), FACTS)
    with pytest.raises(ValueError, match=f"^{said}"):
        absorption_ratio.check(absorption_ratio.Parameters.model_validate(asked), FACTS.head(rows))
