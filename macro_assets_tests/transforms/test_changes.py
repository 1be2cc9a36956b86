"""What changed from the period before and over a year, by hand."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from macro_assets.catalog import Catalog
from macro_assets.transforms.changes import unit_over_year, with_changes

Told = dict[str, float | None]


def changes(values: Told, frequency: str, percent: bool) -> dict[str, tuple[float | None, float | None]]:
    """Change and change over a year, rounded, by date."""
    days = [date.fromisoformat(day) for day in values]
    schema = {"observation_date": pl.Date, "value": pl.Float64}
    told = pl.DataFrame(list(zip(days, values.values(), strict=True)), schema, orient="row")
    made = with_changes(told, frequency, percent=percent)
    assert made["observation_date"].to_list() == sorted(days)
    rows = made.with_columns(pl.col("change", "over_year").round(6)).select("observation_date", "change", "over_year")
    return {str(day): (change, over_year) for day, change, over_year in rows.iter_rows()}


def test_months_in_percent_and_in_points() -> None:
    values = {"2020-01-01": 100.0, "2020-12-01": 104.0, "2021-01-01": 105.0, "2021-02-01": 106.0}
    assert changes(values, "M", percent=True)["2021-01-01"] == (1.0, 5.0)
    assert changes(values, "M", percent=False)["2021-01-01"] == (1.0, 5.0)
    assert changes({d: v / 10 for d, v in values.items()}, "M", percent=False)["2021-01-01"] == (0.1, 0.5)


def test_across_a_gap_there_is_no_change() -> None:
    """No February of the year before, and no January of 2021: not the change over two months."""
    values = {"2020-01-01": 1.0, "2020-12-01": 2.0, "2021-02-01": 4.0, "2021-03-01": 5.0}
    assert changes(values, "M", percent=True)["2021-02-01"] == (None, None)
    assert changes({**values, "2021-01-01": None}, "M", percent=True) == {
        "2020-01-01": (None, None),
        "2020-12-01": (None, None),
        "2021-01-01": (None, None),
        "2021-02-01": (None, None),
        "2021-03-01": (1.0, None),
    }


def test_quarters_and_years() -> None:
    quarters = {"2019-04-01": 50.0, "2020-01-01": 80.0, "2020-04-01": 40.0}
    assert changes(quarters, "Q", percent=True)["2020-04-01"] == (-40.0, -20.0)
    assert changes({"2019-01-01": 4.0, "2020-01-01": 5.0}, "A", percent=True)["2020-01-01"] == (1.0, 25.0)


def test_days_and_weeks_look_back_to_the_figure_just_before_the_day_a_year_ago() -> None:
    days = {"2019-02-22": 10.0, "2019-02-27": 20.0, "2020-02-28": 25.0, "2020-02-29": 30.0}
    assert changes(days, "D", percent=True)["2020-02-29"] == (5.0, 50.0)
    too_long_ago = {"2019-02-21": 10.0, "2020-02-28": 25.0}
    assert changes(too_long_ago, "D", percent=True)["2020-02-28"] == (15.0, None)
    weeks = {"2019-07-06": 200.0, "2019-07-13": 210.0, "2020-07-04": 230.0, "2020-07-11": 220.0}
    assert changes(weeks, "W", percent=True)["2020-07-11"] == (-10.0, 10.0)


@pytest.mark.parametrize("then", [0.0, -5.0])
def test_no_percentage_of_what_is_not_positive(then: float) -> None:
    values = {"2020-01-01": then, "2021-01-01": 5.0}
    assert changes(values, "A", percent=True)["2021-01-01"] == (5.0 - then, None)
    assert changes(values, "A", percent=False)["2021-01-01"] == (5.0 - then, 5.0 - then)


def test_nothing_and_one_figure() -> None:
    assert changes({}, "M", percent=True) == {}
    assert changes({"2020-01-01": 1.0}, "D", percent=False) == {"2020-01-01": (None, None)}
    assert changes({"2020-01-01": None}, "Q", percent=True) == {"2020-01-01": (None, None)}


@pytest.mark.parametrize(
    ("series", "unit"),
    [
        ("PAYEMS", "percent"),
        ("GDPC1", "percent"),
        ("SP500", "percent"),
        ("UNRATE", "percentage_points"),
        ("BAA", "percentage_points"),
        ("CBOE_SKEW", "index"),  # its code is 1: a level without a trend
    ],
)
def test_the_unit_is_by_the_facts_of_the_catalog(catalog: Catalog, series: str, unit: str) -> None:
    told = catalog.series[series]
    assert unit_over_year(told.unit, told.transform) == unit


def test_a_code_that_takes_logarithms_of_a_rate_gives_points() -> None:
    assert unit_over_year("percent", 5) == "percentage_points"
