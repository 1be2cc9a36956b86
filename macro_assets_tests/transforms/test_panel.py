"""Monthly figures, and the panel of them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from macro_assets.transforms.panel import monthly, panel
from macro_assets_tests.transforms.synthetic import by_date, concat, facts_of, months, observed

JAN, FEB, MAR, APR = (date(2020, m, 1) for m in range(1, 5))
DAILY = {date(2020, 1, 2): 1.0, date(2020, 1, 3): 4.0, date(2020, 1, 31): 1.0, date(2020, 2, 3): 7.0}


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("mean", {JAN: 2.0, FEB: 7.0}),
        ("last", {JAN: 1.0, FEB: 7.0}),
        ("sum", {JAN: 6.0, FEB: 7.0}),
        ("compound", {JAN: pytest.approx(6.0904), FEB: 7.0}),  # 1.01 * 1.04 * 1.01
    ],
)
@pytest.mark.parametrize("frequency", ["D", "W"])
def test_a_month_of_days_becomes_one_number(frequency: str, aggregation: str, expected: dict[date, float]) -> None:
    facts = facts_of(DAYS={"frequency": frequency, "aggregation": aggregation})
    assert by_date(monthly(concat([observed("DAYS", DAILY)]), facts)) == expected


def test_missing_days_are_not_counted() -> None:
    days = {**DAILY, date(2020, 1, 20): None, date(2020, 1, 21): None}
    facts = facts_of(MEAN={"frequency": "D", "aggregation": "mean"}, LAST={"frequency": "D", "aggregation": "last"})
    trailing = {**DAILY, date(2020, 2, 28): None}
    found = monthly(concat([observed("MEAN", days), observed("LAST", trailing)]), facts)
    assert by_date(found.filter(series_id="MEAN")) == {JAN: 2.0, FEB: 7.0}
    assert by_date(found.filter(series_id="LAST")) == {JAN: 1.0, FEB: 7.0}


def test_a_quarter_stands_in_its_last_month_and_a_year_in_december() -> None:
    facts = facts_of(QUARTER={"frequency": "Q"}, YEAR={"frequency": "A"}, MONTH={})
    frames = [
        observed("QUARTER", {date(2019, 10, 1): 4.0, date(2020, 1, 1): 1.0}),
        observed("YEAR", {date(2019, 1, 1): 100.0}),
        observed("MONTH", months(0.1, 0.2, start=date(2019, 11, 1))),
    ]
    found = monthly(concat(frames), facts)
    assert found.rows() == [
        ("MONTH", date(2019, 11, 1), 0.1),
        ("MONTH", date(2019, 12, 1), 0.2),
        ("QUARTER", date(2019, 12, 1), 4.0),
        ("QUARTER", MAR, 1.0),
        ("YEAR", date(2019, 12, 1), 100.0),
    ]


def test_a_series_nobody_asked_about_has_no_months() -> None:
    assert monthly(concat([observed("OTHER", months(1.0))]), facts_of(MONTH={})).is_empty()


def test_later_data_leave_earlier_months_alone() -> None:
    facts = facts_of(DAYS={"frequency": "D", "aggregation": "mean"})
    before = monthly(observed("DAYS", DAILY), facts)
    after = monthly(observed("DAYS", {**DAILY, date(2020, 3, 2): -1e9}), facts)
    assert after.filter(pl.col("observation_date") < MAR).equals(before)


# --- side by side --------------------------------------------------------------------------------------------------


def test_series_stand_side_by_side_in_the_order_asked_under_their_ids() -> None:
    frames = [observed("B", months(0.1, 0.2)), observed("A", months(4.0, start=FEB)), observed("OTHER", months(9.0))]
    found = panel(concat(frames), ["B", "NOTHING", "A"])
    assert found.to_dict(as_series=False) == {
        "observation_date": [JAN, FEB],
        "B": [0.1, 0.2],
        "NOTHING": [None, None],
        "A": [None, 4.0],
    }
    assert set(found.dtypes[1:]) == {pl.Float64}


def test_a_month_without_any_figure_is_a_row_of_nulls_and_others_months_are_no_rows() -> None:
    frames = [observed("MONTH", {JAN: 1.0, APR: 4.0}), observed("OTHER", months(*[9.0] * 12, start=date(2019, 8, 1)))]
    found = panel(concat(frames), ["MONTH"])
    assert found.rows() == [(JAN, 1.0), (FEB, None), (MAR, None), (APR, 4.0)]


def test_nothing_observed_is_an_empty_panel_with_all_columns() -> None:
    found = panel(observed("UNRATE", {}), ["UNRATE", "BAA"])
    assert found.is_empty()
    assert found.schema == {"observation_date": pl.Date, "UNRATE": pl.Float64, "BAA": pl.Float64}


def test_two_figures_of_one_month_are_refused() -> None:
    with pytest.raises(pl.exceptions.ComputeError, match="single value, got 2"):
        panel(pl.concat([observed("A", months(1.0)), observed("A", months(2.0), "another")]), ["A"])
