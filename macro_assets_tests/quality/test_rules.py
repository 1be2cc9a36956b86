"""Rules on a table's behaviour: a frame that each must reject."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from macro_assets.catalog import Catalog
from macro_assets.quality import CheckReport, check_table
from macro_assets.quality.rules import RULES, contributions_add_up

JAN, FEB = date(2020, 1, 1), date(2020, 2, 1)


def index() -> pl.DataFrame:
    """Two synthetic months of two components."""
    return pl.DataFrame(
        {
            "observation_date": [JAN, JAN, FEB, FEB],
            "component": ["a", "b", "a", "b"],
            "component_value": [1.0, 2.0, 3.0, 4.0],
            "zscore": [1.0, -2.0, 0.5, 1.5],
            "sign": [1, -1, 1, -1],
            "weight": [0.25, 0.75, 0.25, 0.75],
            "contribution": [0.25, 1.5, 0.125, -1.125],
            "index_value": [1.75, 1.75, -1.0, -1.0],
        }
    )


def off_in_row(row: int, **by: float) -> pl.DataFrame:
    return index().with_columns(
        pl.when(pl.int_range(pl.len()) == row).then(pl.col(c) + d).otherwise(c).alias(c) for c, d in by.items()
    )


def checked(frame: pl.DataFrame, catalog: Catalog) -> CheckReport:
    return check_table(frame, catalog.one_table("indicators/economic_stress_index"))


def test_every_rule_named_in_the_catalog_exists(catalog: Catalog) -> None:
    named = {r for t in catalog.tables.values() for r in t.rules}
    assert named
    assert named <= set(RULES)


def test_contributions_that_add_up_pass(catalog: Catalog) -> None:
    assert checked(index(), catalog).passed
    assert checked(index().sample(fraction=1, shuffle=True, seed=3), catalog).passed
    assert checked(off_in_row(2, contribution=1e-12), catalog).passed, "rounding is no failure"
    assert checked(index().clear(), catalog).passed


@pytest.mark.parametrize(
    ("frame", "month", "rows", "value"),
    [
        (off_in_row(2, contribution=1e-6), FEB, (2, 3), "2020-02-01: 1e-06 off"),
        (off_in_row(0, contribution=-1e-6), JAN, (0, 1), "2020-01-01: -1e-06 off"),
        (off_in_row(1, weight=-0.5), JAN, (0, 1), "weights -0.5 off"),
        (off_in_row(1, weight=1e-6), JAN, (0, 1), "weights 1e-06 off"),
        (off_in_row(3, index_value=1e-6), FEB, (2, 3), "index varies by 1e-06"),
    ],
)
def test_contributions_that_do_not_add_up_fail(
    catalog: Catalog, frame: pl.DataFrame, month: date, rows: tuple[int, ...], value: str
) -> None:
    report = checked(frame, catalog)
    assert not report.passed
    assert (report.failures, report.failed_rows) == (1, rows)
    (case,) = report.sample
    assert (case["column"], case["rule"]) == ("contribution", "contributions add up to index_value, weights to 1")
    assert value in case["value"]
    assert frame["observation_date"][case["row"]] == month
    assert "2 of 4 rows fail" in str(report)


def test_a_rule_is_not_asked_about_a_frame_of_another_shape(catalog: Catalog) -> None:
    report = checked(index().drop("contribution"), catalog)
    assert [c["rule"] for c in report.sample] == ["column_in_dataframe"]


def test_months_are_judged_one_by_one() -> None:
    """Errors of two months that cancel out are two errors."""
    frame = off_in_row(0, contribution=0.1, index_value=0.0).with_columns(
        contribution=pl.when(pl.int_range(pl.len()) == 2).then(pl.col("contribution") - 0.1).otherwise("contribution")
    )
    report = contributions_add_up(frame, "synthetic")
    assert report.failures == 2
    assert report.failed_rows == (0, 1, 2, 3)
