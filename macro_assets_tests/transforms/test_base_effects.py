"""Base effects, paths and carry-over, by hand."""

from __future__ import annotations

import math
from datetime import date

import polars as pl
import pytest

from macro_assets.transforms.base_effects import base_effect, carry_over, over_year, over_year_if, own_effect

QUARTERS = pl.DataFrame({"rate": [1.0, 2.0, 0.0, 1.0, 3.0, 0.5]})


def test_by_hand_of_quarters() -> None:
    """1.01 x 1.02 x 1.01 = 1.040502; then 3 % comes and 1 % falls out; without it 1.02 x 1.01 = 1.0302."""
    rate = pl.col("rate")
    found = QUARTERS.select(over_year(rate, 4), base=base_effect(rate, 4), own=own_effect(rate, 4))
    assert found["rate"].to_list() == [None, None, None, *(pytest.approx(x) for x in (4.0502, 6.1106, 4.55015))]
    assert found["base"][4] == pytest.approx(103.02 - 104.0502)
    assert found["own"][4] == pytest.approx(106.1106 - 103.02)
    assert found["base"][5] == pytest.approx(106.1106 / 1.02 - 106.1106)
    changes = (found["rate"] - found["rate"].shift(1))[4:]
    assert (found["base"] + found["own"])[4:].to_list() == pytest.approx(changes.to_list())


def test_what_the_next_months_would_print() -> None:
    """A year of 0.5 % is 6.1678 %; a month of 0 then leaves 1.005^11, two 1.005^10, and one of 1 % 1.005^10 x 1.01."""
    found = over_year_if([9.0, *[0.5] * 12], [0.0, 0.0, 1.0])
    assert found == pytest.approx([100 * (x - 1) for x in (1.005**11, 1.005**10, 1.005**9 * 1.01)])
    assert over_year_if([0.5] * 12, [0.5] * 24) == pytest.approx([100 * (1.005**12 - 1)] * 24)
    assert over_year_if([1.0] * 12, []) == []


def test_carry_over_of_a_year_that_rose() -> None:
    """Levels 100 to 103, mean 101.5: standing at 103 the next year grows by 1.4778 %. 104 twice: 103.75 and 104."""
    days = [date(2020 + n // 4, 3 * (n % 4) + 1, 1) for n in range(6)]
    levels = pl.DataFrame({"observation_date": days, "value": [100.0, 101, 102, 103, 103, 104]})
    found = carry_over(levels.reverse(), 4)
    assert found["observation_date"].to_list() == days
    assert found["this_year"].to_list()[:4] == [None] * 4
    assert found["this_year"].to_list()[4:] == pytest.approx([100 * (x / 101.5 - 1) for x in (103, 103.75)])
    expected = [0.0, 100 * (101 / 100.75 - 1), 100 * (102 / 101.25 - 1), 100 * (103 / 101.5 - 1)]
    assert found["next_year"].to_list()[:4] == pytest.approx(expected)
    assert expected[3] == pytest.approx(1.4778325)
    assert found["next_year"][5] == pytest.approx(100 * (104 / 103.75 - 1))


def test_a_missing_month_leaves_its_year_out() -> None:
    days = pl.date_range(date(2020, 1, 1), date(2022, 12, 1), "1mo", eager=True).alias("observation_date")
    levels = days.to_frame().with_columns(value=pl.int_range(1, pl.len() + 1).cast(pl.Float64))
    for holed in (levels.filter(pl.int_range(pl.len()) != 14), levels.with_columns(
        value=pl.when(pl.int_range(pl.len()) != 14).then("value")
    )):  # fmt: skip
        found = carry_over(holed).filter(pl.col("observation_date").dt.year() >= 2021)
        known = found.filter(pl.col("this_year").is_not_null())["observation_date"].to_list()
        assert known == [date(2021, 1, 1), date(2021, 2, 1)]


@pytest.mark.parametrize(
    "rates", [[], [1.0], [None] * 30, [0.0] * 30, [5.0] * 30, [-100.0, 3.0] * 15, [500.0, -99.0] * 15, [-250.0] * 30]
)
def test_nothing_is_infinite(rates: list[float | None]) -> None:
    frame = pl.DataFrame({"rate": rates}, {"rate": pl.Float64})
    rate = pl.col("rate")
    found = frame.select(a=over_year(rate), b=base_effect(rate), c=own_effect(rate))
    assert all(found[c].drop_nulls().is_finite().all() for c in "abc")
    days = [date(2000 + n // 12, n % 12 + 1, 1) for n in range(len(rates))]
    levels = pl.DataFrame(
        {"observation_date": days, "value": rates}, {"observation_date": pl.Date, "value": pl.Float64}
    )
    told = carry_over(levels)
    assert all(told[c].drop_nulls().is_finite().all() for c in ("this_year", "next_year"))


@pytest.mark.parametrize(
    ("rates", "ahead", "said"),
    [
        ([1.0] * 11, [1.0], "at least 12, got 11"),
        ([1.0] * 12, [-100.0], "above -100, got -100.0"),
        ([math.nan] * 12, [1.0], "above -100, got nan"),
    ],
)
def test_a_path_from_less_than_a_year_is_refused(rates: list[float], ahead: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        over_year_if(rates, ahead)
