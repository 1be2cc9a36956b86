"""The monthly panel."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from macro_assets.catalog import Catalog
from macro_assets.transforms.panel import monthly
from macro_assets_tests.transforms.synthetic import by_date, catalog_of, concat, months, observed

JAN, FEB, MAR = date(2020, 1, 1), date(2020, 2, 1), date(2020, 3, 1)
DAILY = {date(2020, 1, 2): 1.0, date(2020, 1, 3): 4.0, date(2020, 1, 31): 1.0, date(2020, 2, 3): 7.0}


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("mean", {JAN: 2.0, FEB: 7.0}), ("last", {JAN: 1.0, FEB: 7.0}), ("sum", {JAN: 6.0, FEB: 7.0})],
)
@pytest.mark.parametrize("frequency", ["D", "W"])
def test_a_month_of_days_becomes_one_number(frequency: str, aggregation: str, expected: dict[date, float]) -> None:
    catalog = catalog_of(DAYS={"frequency": frequency, "aggregation": aggregation})
    panel = monthly(concat([observed("DAYS", DAILY)]), catalog)
    assert by_date(panel, "days") == expected


def test_missing_days_are_not_counted() -> None:
    days = {**DAILY, date(2020, 1, 20): None, date(2020, 1, 21): None}
    catalog = catalog_of(MEAN={"frequency": "D", "aggregation": "mean"}, LAST={"frequency": "D", "aggregation": "last"})
    trailing = {**DAILY, date(2020, 2, 28): None}
    panel = monthly(concat([observed("MEAN", days), observed("LAST", trailing)]), catalog)
    assert by_date(panel, "mean") == {JAN: 2.0, FEB: 7.0}
    assert by_date(panel, "last") == {JAN: 1.0, FEB: 7.0}


def test_a_quarter_stands_in_its_last_month_and_a_year_in_december() -> None:
    catalog = catalog_of(QUARTER={"frequency": "Q"}, YEAR={"frequency": "A"}, MONTH={})
    frames = [
        observed("QUARTER", {date(2019, 10, 1): 4.0, date(2020, 1, 1): 1.0}),
        observed("YEAR", {date(2019, 1, 1): 100.0}),
        observed("MONTH", months(0.1, 0.2, start=date(2019, 11, 1))),
    ]
    panel = monthly(concat(frames), catalog)
    assert panel["observation_date"].to_list() == [date(2019, 11, 1), date(2019, 12, 1), JAN, FEB, MAR]
    assert panel["quarter"].to_list() == [None, 4.0, None, None, 1.0]
    assert panel["year"].to_list() == [None, 100.0, None, None, None]
    assert panel["month"].to_list() == [0.1, 0.2, None, None, None]


def test_a_month_without_any_figure_is_a_row_of_nulls() -> None:
    panel = monthly(concat([observed("MONTH", {JAN: 1.0, FEB: None, date(2020, 4, 1): 4.0})]), catalog_of(MONTH={}))
    assert panel["observation_date"].to_list() == [JAN, FEB, MAR, date(2020, 4, 1)]
    assert panel["month"].to_list() == [1.0, None, None, 4.0]


def test_every_series_of_the_catalog_has_its_column_in_the_catalog_s_order(catalog: Catalog) -> None:
    panel = monthly(concat([observed("UNRATE", months(5.0)), observed("RETIRED", months(1.0))]), catalog)
    assert panel.schema == {"observation_date": pl.Date, **{s.lower(): pl.Float64 for s in catalog.series}}
    present = [c for c in panel.columns if panel[c].null_count() == 0]
    assert present == ["observation_date", "unrate"]


def test_nothing_observed_is_an_empty_panel_with_all_columns(catalog: Catalog) -> None:
    panel = monthly(observed("UNRATE", {}), catalog)
    assert panel.is_empty()
    assert panel.schema == {"observation_date": pl.Date, **{s.lower(): pl.Float64 for s in catalog.series}}


def test_later_data_leave_earlier_rows_alone() -> None:
    catalog = catalog_of(DAYS={"frequency": "D", "aggregation": "mean"})
    before = monthly(observed("DAYS", DAILY), catalog)
    after = monthly(observed("DAYS", {**DAILY, date(2020, 3, 2): -1e9}), catalog)
    assert after.filter(pl.col("observation_date") < MAR).equals(before)
