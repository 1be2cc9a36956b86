"""What a method is given: the series in the order of the entry, side by side by month."""

from __future__ import annotations

from datetime import date

import polars as pl

from macro_assets.indicators.protocol import Given
from macro_assets_tests.indicators.toys import FACTS, FIGURES

FACTS_OF_THREE = pl.DataFrame(
    [("Q", "Q", "mean", "percent"), ("D", "D", "last", "index"), ("GONE", "M", "mean", "percent")], FACTS, orient="row"
)
ROWS = [
    ("D", date(2020, 1, 31), 2.0),
    ("D", date(2020, 1, 2), 1.0),
    ("D", date(2020, 4, 1), 9.0),
    ("D", date(2020, 4, 2), None),
    ("Q", date(2020, 1, 1), 7.0),
    ("OTHER", date(2030, 1, 1), 7.0),
]
GIVEN = Given(pl.DataFrame(ROWS, FIGURES, orient="row"), FACTS_OF_THREE)


def test_series_stand_side_by_side_by_the_entry_s_order_and_no_month_is_skipped() -> None:
    """The last figure of a day's month, a quarter's in its last month; what is no input is left out."""
    assert GIVEN.series == ("Q", "D", "GONE")
    assert GIVEN.monthly().rows() == [
        (date(2020, 1, 1), None, 2.0, None),
        (date(2020, 2, 1), None, None, None),
        (date(2020, 3, 1), 7.0, None, None),
        (date(2020, 4, 1), None, 9.0, None),
    ]
    assert GIVEN.monthly().columns == ["observation_date", *GIVEN.series]


def test_further_columns_do_not_matter() -> None:
    more = GIVEN.observations.with_columns(source=pl.col("series_id") + "_source", release_time=pl.lit(None))
    assert Given(more, FACTS_OF_THREE).monthly().equals(GIVEN.monthly())


def test_nothing_observed_is_a_panel_without_months() -> None:
    nothing = Given(GIVEN.observations.clear(), FACTS_OF_THREE).monthly()
    assert nothing.is_empty()
    assert nothing.schema == GIVEN.monthly().schema
