"""What is counted of regimes, by hand and without later rows; what came after a date, and when it is known."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from macro_assets.transforms.regimes.outcomes import forward_drawdown, hit_rates
from macro_assets.transforms.regimes.spells import counted, in_force, with_probabilities

FIRST = date(2020, 1, 1)


def days(count: int) -> list[date]:
    return [FIRST + timedelta(n) for n in range(count)]


def of(regimes: str) -> pl.DataFrame:
    """A letter a day."""
    return pl.DataFrame({"observation_date": days(len(regimes)), "regime": list(regimes)})


def test_spells_switches_and_persistence_by_hand() -> None:
    """a a b a a a: on the fourth day one of two days of a was followed by another, on the last three of four."""
    found = counted(of("aabaaa"))
    assert found["spell_periods"].to_list() == [1, 2, 1, 1, 2, 3]
    assert found["switches"].to_list() == [0, 0, 1, 2, 2, 2]
    assert found["previous_regime"].to_list() == [None, "a", "a", "b", "a", "a"]
    assert found["staying_probability"].to_list() == [None, 1, None, 0.5, pytest.approx(2 / 3), 0.75]


def test_later_rows_change_nothing_that_was_counted() -> None:
    whole = counted(of("abbaaacbbcca"))
    assert all(counted(of("abbaaacbbcca"[:n])).equals(whole.head(n)) for n in range(13))


def test_the_most_probable_regime_is_in_force_and_of_equal_ones_the_first() -> None:
    told = np.array([[0.2, 0.8], [0.5, 0.5], [np.nan, np.nan], [0.9, 0.1]])
    rows = with_probabilities(pl.Series(days(4)), ("low", "high"), told, (0.7, None), FIRST)
    force = in_force(rows)
    assert force.rows() == [(FIRST, "high", 0.8), (days(2)[1], "low", 0.5), (days(4)[3], "low", 0.9)]
    assert rows.filter(regime="low")["staying_probability"].to_list() == [0.7] * 3
    assert in_force(of("ab")).rows() == [(FIRST, "a", None), (days(2)[1], "b", None)]


def test_the_fall_ahead_is_below_the_days_price_and_known_when_the_days_are_over() -> None:
    prices = pl.DataFrame({"observation_date": days(5), "value": [100.0, 90.0, 95.0, 96.0, 48.0]})
    assert forward_drawdown(prices, 2).rows() == [
        (days(5)[0], pytest.approx(-10), days(5)[2]),
        (days(5)[1], 0, days(5)[3]),
        (days(5)[2], pytest.approx(100 * (48 / 95 - 1)), days(5)[4]),
    ]
    assert forward_drawdown(prices, 5).is_empty()


def test_a_hit_rate_counts_what_had_come_to_its_end() -> None:
    """Outcomes of days 0, 1 and 2 are known two days later: on day 3 both of a, of which one came true."""
    told = of("aabaaa")
    outcomes = pl.DataFrame(
        {"observation_date": days(3), "realized_on": days(5)[2:], "is_hit": [True, False, True]},
    )
    assert hit_rates(told, outcomes, 1)["confidence"].to_list() == [None, None, None, 0.5, 0.5, 0.5]
    assert hit_rates(told, outcomes, 2)["confidence"].to_list() == [None, None, None, 0.5, 0.5, 0.5]
    assert hit_rates(of("abbabb"), outcomes, 1)["confidence"].to_list() == [None, None, None, 1, 0.5, 0.5]
    assert hit_rates(told, outcomes, 3)["confidence"].to_list() == [None] * 6
