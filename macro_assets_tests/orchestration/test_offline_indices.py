"""Indices of the offline lake: where stress was highest, and what stands beside the index."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets_tests.conftest import Built

STRESS = "indicators/economic_stress_index"


@pytest.fixture
def lake(built: Built, catalog: Catalog) -> Lakehouse:
    return Lakehouse(built.home.lake, catalog)


def monthly(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unique("observation_date").sort("observation_date").select("observation_date", "index_value")


def test_stress_was_highest_in_the_winter_of_2008(lake: Lakehouse) -> None:
    index = monthly(lake.read(STRESS))
    peak = index.sort("index_value")["observation_date"][-1]
    assert date(2008, 10, 1) <= peak <= date(2009, 3, 1)


def test_the_index_is_the_sum_of_its_categories_and_sentiment_that_is_not_there_moves_nothing(lake: Lakehouse) -> None:
    index = monthly(lake.read(STRESS))
    by = lake.read("indicators/economic_stress_by_category")
    assert set(by["category"]) == {"equities", "credit", "labor"}
    sums = by.group_by("observation_date").agg(pl.col("contribution").sum()).sort("observation_date")
    assert sums["contribution"].to_list() == pytest.approx(index["index_value"].to_list())
    felt = monthly(lake.read("indicators/economic_stress_with_sentiment"))
    assert felt["index_value"].to_list() == pytest.approx(index["index_value"].to_list())


def test_stress_in_real_time_is_of_what_was_known(lake: Lakehouse) -> None:
    """In June of 2016 the unemployment rate ended in May; the table of today goes on to 2018."""
    known = lake.read("real_time/economic_stress_index").filter(pl.col("as_of_month") == "2016-06")
    of_labor = known.filter(pl.col("component") == "unemployment_gap")
    assert of_labor["observation_date"].max() == date(2016, 5, 1)
    assert known["observation_date"].n_unique() == 24
