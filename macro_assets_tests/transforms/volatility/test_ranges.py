"""Volatility of open, high, low and close: a simulated truth, cases by hand, and days whose range does not count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from macro_assets.transforms.volatility.ranges import PRICES, range_volatility, realized_volatility
from macro_assets_tests.sources.wire import RECORDINGS

ESTIMATES = ("close_to_close", "parkinson", "garman_klass", "yang_zhang")
VIX = RECORDINGS.parent / "data/vix/vix-daily.csv"


def of(rows: Sequence[Sequence[float | None]]) -> pl.DataFrame:
    """Days of open, high, low and close."""
    frame = pl.DataFrame(rows, dict.fromkeys(PRICES, pl.Float64), orient="row")
    days = [date(2020, 1, 1) + timedelta(n) for n in range(frame.height)]
    return frame.insert_column(0, pl.Series("observation_date", days, dtype=pl.Date))


def simulated(volatility: float, drift: float = 0.0, night: float = 0.0, days: int = 1000) -> pl.DataFrame:
    """Days of a price that moves at random 1,000 times a session, and once a night; annual figures as fractions."""
    draw, steps = np.random.default_rng(7), 1000
    moves = draw.normal(drift / 252 / steps, volatility / math.sqrt(252 * steps), (days, steps))
    gaps = draw.normal(0, night / math.sqrt(252), days)
    session = np.cumsum(moves, axis=1)
    opened = np.cumsum(gaps + np.concatenate(([0], session[:-1, -1])))
    high, low = np.maximum(session.max(axis=1), 0), np.minimum(session.min(axis=1), 0)
    return of(np.exp(opened[:, None] + np.column_stack((0 * high, high, low, session[:, -1]))).tolist())


def last(frame: pl.DataFrame, window: int) -> dict[str, float]:
    return range_volatility(frame, window).select(ESTIMATES).row(-1, named=True)


def test_all_find_the_volatility_of_a_price_that_sleeps_at_night() -> None:
    """Ranges are those of 1,000 steps, which are some 2 % narrower than those of a path without steps."""
    found = last(simulated(0.20), 990)
    assert found == {name: pytest.approx(20, rel=0.04) for name in ESTIMATES}


def test_a_night_is_in_two_of_them_and_not_in_the_session_s() -> None:
    found = last(simulated(0.20, night=0.15), 990)
    assert found["close_to_close"] == pytest.approx(25, rel=0.05)
    assert found["yang_zhang"] == pytest.approx(25, rel=0.05)
    assert found["parkinson"] == pytest.approx(20, rel=0.04)
    assert found["garman_klass"] == pytest.approx(20, rel=0.04)


def test_a_drift_does_not_mislead_yang_zhang_as_it_does_parkinson() -> None:
    found = last(simulated(0.20, drift=6.0), 990)
    assert found["yang_zhang"] == pytest.approx(20, rel=0.05)
    assert found["parkinson"] > 25


def test_the_range_says_more_than_the_close() -> None:
    """Of windows of ten days, Garman-Klass and Yang-Zhang scatter by less than half of what close to close does."""
    spread = range_volatility(simulated(0.20), 10).select(pl.col(ESTIMATES).std()).row(0, named=True)
    assert max(spread["garman_klass"], spread["yang_zhang"]) < spread["close_to_close"] / 2


def test_by_hand() -> None:
    """Three days, of which the last two have a night; logarithms written out."""
    rows = [(100, 102, 99, 101), (101, 103, 100, 102), (103, 104, 101, 101)]
    ln, year = math.log, 252
    squared = [ln(102 / 99) ** 2, ln(103 / 100) ** 2, ln(104 / 101) ** 2]
    session = [ln(101 / 100), ln(102 / 101), ln(101 / 103)]
    returns, nights = [ln(102 / 101), ln(101 / 102)], [ln(101 / 101), ln(103 / 102)]
    satchell = [
        ln(103 / 101) * ln(103 / 102) + ln(100 / 101) * ln(100 / 102),
        ln(104 / 103) * ln(104 / 101) + ln(101 / 103) * ln(101 / 101),
    ]
    k = 0.34 / (1.34 + 3 / 1)

    def variance(values: Sequence[float]) -> float:
        return sum((v - sum(values) / len(values)) ** 2 for v in values) / (len(values) - 1)

    garman = sum(0.5 * s - (2 * ln(2) - 1) * c**2 for s, c in zip(squared, session, strict=True)) / 3
    expected = {
        "close_to_close": variance(returns),
        "parkinson": sum(squared) / 3 / (4 * ln(2)),
        "garman_klass": garman,
        "yang_zhang": variance(nights) + k * variance(session[1:]) + (1 - k) * sum(satchell) / 2,
    }
    found = range_volatility(of(rows), 3, 2).select(ESTIMATES).row(-1, named=True)
    assert found == {name: pytest.approx(100 * math.sqrt(year * v), rel=1e-12) for name, v in expected.items()}


GOOD = [(100.0 + n % 3, 103.0 + n % 2, 98.0, 101.0 - n % 2) for n in range(12)]


@pytest.mark.parametrize(
    ("bad", "state"),
    [
        ((100, 99, 95, 98), "refused"),  # high below the open
        ((100, 102, 95, 103), "refused"),  # below the close
        ((100, 102, 101, 102), "refused"),  # low above the open
        ((101, 102, 100.5, 100), "refused"),  # above the close
        ((100, 100, 100, 100), "no_range"),
        ((100, None, 99, 100), "incomplete"),
        ((100, 101, 0, 100), "incomplete"),
        ((100, 101, -1, 100), "incomplete"),
        ((100, math.inf, 99, 100), "incomplete"),
        ((math.nan, 101, 99, 100), "incomplete"),
        ((100, 101, 99, None), "incomplete"),
    ],
)
def test_a_bad_day_is_flagged_and_its_range_is_not_used(bad: tuple[float | None, ...], state: str) -> None:
    rows = [*GOOD[:5], bad, *GOOD[6:]]
    found = range_volatility(of(rows), 4, 2)
    assert found["day_state"].to_list() == ["whole"] * 5 + [state] + ["whole"] * 6
    left_out = range_volatility(of([*GOOD[:5], (None, None, None, bad[3]), *GOOD[6:]]), 4, 2)
    assert found.drop("day_state").equals(left_out.drop("day_state"))
    assert range_volatility(of(rows), 4)["parkinson"].null_count() == 3 + 4, "no window has a bad day, unless it may"


def test_a_high_that_is_rounded_below_the_close_is_no_contradiction() -> None:
    assert range_volatility(of([(100, 101.0000001, 99, 101.0000002)]), 2)["day_state"].to_list() == ["whole"]


@pytest.mark.parametrize(
    "rows", [[], GOOD[:1], [(5.0, 5.0, 5.0, 5.0)] * 6, [(0.0, 0.0, 0.0, 0.0)] * 6, [(None,) * 4] * 6, [(-5.0,) * 4] * 6]
)
def test_nothing_is_said_of_prices_that_say_nothing(rows: list[tuple[float | None, ...]]) -> None:
    """Constant closes have a volatility of zero; nothing is infinite, and nothing fails."""
    found = range_volatility(of(rows), 3)
    assert found.height == len(rows)
    assert found["close_to_close"].drop_nulls().to_list() in ([], [0.0] * 3)
    assert found.select(ESTIMATES[1:]).null_count().row(0) == (len(rows),) * 3


def test_realized_volatility_by_hand() -> None:
    """A price that rises and falls by 1 % a day is one of 1 % a day; a price below zero has no return."""
    prices = pl.DataFrame({"x": [100 * math.exp(0.01 * (n % 2)) for n in range(6)]})
    value = realized_volatility(pl.col("x"), 3)
    expected = pytest.approx(math.sqrt(252))
    assert prices.select(value)["x"].to_list() == [None] * 3 + [expected] * 3
    fallen = prices.with_columns(x=pl.when(pl.int_range(6) == 3).then(-1.0).otherwise("x"))
    assert fallen.select(value)["x"].to_list() == [None] * 6
    assert fallen.select(realized_volatility(pl.col("x"), 3, 1))["x"].to_list()[1:] == [expected] * 5


@pytest.mark.skipif(not VIX.is_file(), reason="needs ../shared/data/vix, which is not part of the project")
def test_the_days_of_the_vix_whose_range_does_not_count_are_found() -> None:
    """506 days with one price for all four, 20 with a high and 27 with a low that contradict open or close."""
    prices = pl.read_csv(VIX, try_parse_dates=True).rename(str.lower).rename({"date": "observation_date"})
    found = range_volatility(prices, 21, 15)
    assert dict(found["day_state"].value_counts().iter_rows()) == {"whole": 9235 - 553, "no_range": 506, "refused": 47}
    bad = found["day_state"] == "refused"
    high, low = prices["high"], prices["low"]
    assert (bad & ((high < prices["open"]) | (high < prices["close"]))).sum() == 20
    assert (bad & ((low > prices["open"]) | (low > prices["close"]))).sum() == 27
