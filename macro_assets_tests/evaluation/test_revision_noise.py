"""The noise of first readings, by hand."""

from __future__ import annotations

from datetime import date
from math import sqrt

import polars as pl
import pytest

from macro_assets.evaluation.revision_noise import Parameters, compute
from macro_assets.indicators.protocol import Given
from macro_assets.quality import check_table
from macro_assets_tests.indicators.contract import table_of

MONTHS = [date(2020, m, 1) for m in range(1, 5)]


def index(values: dict[date, float], **columns: object) -> pl.DataFrame:
    """Two components a date, which have its index in common."""
    days = [d for d in values for _ in range(2)]
    return pl.DataFrame({"observation_date": days, "index_value": [values[d] for d in days]}).with_columns(
        **{name: pl.lit(value) for name, value in columns.items()}
    )


NOW = index(dict(zip(MONTHS, (1.0, 2.0, 3.0, 4.0), strict=True)))
KNOWN = pl.concat(
    [
        index({MONTHS[0]: 0.0}, as_of_month="2020-02"),
        index({MONTHS[0]: 9.0, MONTHS[1]: 2.0}, as_of_month="2020-03"),
        index({MONTHS[1]: 9.0}, as_of_month="2020-04"),  # nothing new: February's first reading stands
        index({MONTHS[1]: 9.0, MONTHS[2]: 2.0}, as_of_month="2020-05"),
    ]
)


def noise(known: pl.DataFrame = KNOWN, now: pl.DataFrame = NOW) -> pl.DataFrame:
    return compute(Given(pl.DataFrame(), pl.DataFrame(), {"indicators/x": now, "real_time/x": known}), Parameters())


def test_hand_computed_noise() -> None:
    """First readings 0, 2, 2 of what is 1, 2, 3: revisions 1, 0, 1 with sd sqrt(1/3), of an index with sd 1."""
    (row,) = noise().rows()
    assert row == pytest.approx(("x", 3, 2 / 3, sqrt(1 / 3), 1.0, sqrt(1 / 3)))
    table = table_of("revision_noise")
    assert check_table(noise(), table).passed


def test_readings_that_stand_have_no_noise_and_their_order_does_not_matter() -> None:
    true = pl.concat([index({d: float(n)}, as_of_month=f"{d:%Y-%m}") for n, d in enumerate(MONTHS, 1)])
    assert noise(true)["noise_ratio"].to_list() == [0.0]
    assert noise(KNOWN.reverse(), NOW.reverse()).equals(noise())


def test_an_index_of_one_value_a_date_is_read_as_well() -> None:
    value = {"index_value": "value"}
    assert noise(KNOWN.rename(value), NOW.rename(value)).equals(noise())


def test_too_little_is_no_ratio_and_nothing_no_row() -> None:
    table = table_of("revision_noise")
    one = noise(KNOWN.filter(as_of_month="2020-02"))
    assert one.select("readings", "noise_ratio").rows() == [(1, None)]
    assert check_table(one, table).passed
    constant = noise(now=NOW.with_columns(index_value=pl.lit(1.0)))
    assert constant["noise_ratio"].to_list() == [None]
    for nothing in (noise(KNOWN.clear()), noise(now=NOW.clear())):
        assert nothing.is_empty()
        assert check_table(nothing, table).passed


def test_a_table_without_its_other_is_refused() -> None:
    with pytest.raises(ValueError, match="inputs: expected each index as of months and as of today, indicators/x"):
        compute(Given(pl.DataFrame(), pl.DataFrame(), {"real_time/x": KNOWN}), Parameters())
