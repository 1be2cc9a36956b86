"""Rules on what figures look like: what is planted is found, and real figures raise no alarm."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from macro_assets.catalog import Catalog, RuleCall, default_catalog
from macro_assets.catalog.derive import series_facts
from macro_assets.quality import CheckReport
from macro_assets.quality.rules import apply
from macro_assets.quality.rules.facts import facts_of
from macro_assets.transforms.normalize import transformed
from macro_assets_tests.quality.test_real_vintages import NOT_FREDS, SHARED, table

START = date(1990, 1, 1)


def called(rule: str, frame: pl.DataFrame, facts: pl.DataFrame | None = None, **arguments: Any) -> CheckReport:
    return apply(RuleCall(rule=rule, arguments=arguments), frame, "synthetic", facts)


def months(values: np.ndarray, series_id: str = "a") -> pl.DataFrame:
    days = pl.date_range(START, START + timedelta(days=31 * len(values)), "1mo", eager=True).head(len(values))
    return pl.DataFrame({"series_id": series_id, "observation_date": days, "value": values})


NOISE = np.random.default_rng(5).standard_normal(240)
WALK = np.random.default_rng(18).standard_normal(240).cumsum()
MONTHLY = pl.DataFrame({"series_id": [*"abc"], "frequency": ["M"] * 3})


# --- outliers ------------------------------------------------------------------------------------------------------


def test_fences_are_three_ranges_beyond_the_quartiles() -> None:
    """Of 1 to 41 the quartiles are 11 and 31: fences at -49 and 91."""
    known = [float(n) for n in range(1, 42)]
    for value, is_in in ((91.0, True), (91.5, False), (-49.0, True), (-49.5, False)):
        report = called("no_outliers", months(np.array([*known, value])), column="value", latest=1)
        assert report.passed is is_in, value
    assert report.failed_rows == (41,)
    assert report.sample[0]["value"] == "value 1993-06-01: -49.5, expected -49.0 to 91.0"


def test_what_comes_later_does_not_judge_what_was_before() -> None:
    last = months(np.array([*NOISE, 40.0, 0.0]))
    assert called("no_outliers", last, column="value", latest=1).passed
    assert called("no_outliers", last, column="value", latest=2).failed_rows == (240,)
    assert called("no_outliers", last, column="value").failed_rows == (240,)


def test_series_are_judged_by_themselves_and_few_figures_not_at_all() -> None:
    both = pl.concat([months(NOISE), months(np.append(NOISE * 100, 90.0), "b"), months(np.array([0.0, 900.0]), "c")])
    assert called("no_outliers", both, column="value", by="series_id").passed
    assert not called("no_outliers", months(np.append(NOISE, 90.0)), column="value", by="series_id").passed
    assert called("no_outliers", months(np.array([1.0] * 50 + [2.0])), column="value").passed, "quartiles are equal"


def test_a_share_of_outliers_may_be_admitted() -> None:
    heavy = months(np.where(np.arange(240) % 24 == 0, 30.0, NOISE))
    assert not called("no_outliers", heavy, column="value", share=0.04).passed
    assert called("no_outliers", heavy, column="value", share=0.05).passed


def test_a_row_far_from_all_others_is_isolated_and_one_on_the_edge_is_not() -> None:
    level, slope = NOISE, 0.5 * NOISE + 0.1 * NOISE[::-1]
    frame = months(level).with_columns(slope=slope)

    def ending(value: float, other: float) -> pl.DataFrame:
        return frame.with_columns(value=pl.Series([*level[:-1], value]), slope=pl.Series([*slope[:-1], other]))

    edge, far = ending(1.0, 0.5), ending(9.0, -9.0)
    assert called("no_isolated_rows", edge, columns=["value", "slope"], latest=1).passed
    report = called("no_isolated_rows", far, columns=["value", "slope"], latest=1)
    assert report.failed_rows == (239,)
    assert str(report.sample[0]["value"]).startswith(f"{frame['observation_date'][-1]}: score 0.")
    assert called("no_isolated_rows", far.tail(40), columns=["value"], latest=1).passed, "too few to tell"


# --- unit roots, breaks, drifts ------------------------------------------------------------------------------------


def test_a_walk_is_found_its_changes_are_not() -> None:
    walk = months(WALK)
    report = called("stationary", walk, column="value", by="series_id")
    assert report.failed_rows == (239,)
    assert "a: ADF p 0." in str(report)
    assert called("stationary", months(NOISE), column="value", by="series_id").passed
    changes = walk.with_columns(pl.col("value").diff())
    assert called("stationary", changes, column="value").passed


def test_a_finding_in_few_of_many_series_is_none() -> None:
    both = pl.concat([months(NOISE), months(NOISE[::-1], "b"), months(WALK, "c")])
    assert called("stationary", both, column="value", by="series_id", share=0.3).failures == 1
    assert called("stationary", both, column="value", by="series_id", share=0.34).passed


@pytest.mark.parametrize(("test", "since"), [("cusum", 180), ("chow", 228)])
def test_a_change_over_a_year_that_jumps_is_a_break(test: str, since: int) -> None:
    steady = months(np.arange(240) * 0.5 + NOISE)
    assert called("no_break", steady, MONTHLY, column="value", by="series_id", test=test).passed
    steeper = months(np.arange(240) * 0.5 + NOISE + np.maximum(np.arange(240) - since, 0) * 3)
    found = called("no_break", steeper, MONTHLY, column="value", by="series_id", test=test)
    assert found.failed_rows == (239,)
    assert f"a: {test} p 0.00" in str(found)


def test_days_are_taken_by_the_month() -> None:
    days = pl.date_range(START, date(2009, 12, 31), "1d", eager=True)
    noise = np.random.default_rng(3).standard_normal(len(days))
    frame = pl.DataFrame({"series_id": "a", "observation_date": days, "value": noise.cumsum() / 40})
    daily = pl.DataFrame({"series_id": ["a"], "frequency": ["D"]})
    latest = frame.group_by(pl.col("observation_date").dt.truncate("1mo"), maintain_order=True).last()
    monthly = latest.with_columns(series_id=pl.lit("a"))
    arguments = {"column": "value", "by": "series_id", "alpha": 0.49}
    assert (
        called("no_break", frame, daily, **arguments).failures
        == called("no_break", monthly, MONTHLY, **arguments).failures
    )


def test_a_shift_of_the_last_figures_is_a_drift() -> None:
    assert called("no_drift", months(NOISE), MONTHLY, column="value", by="series_id").passed
    shifted = months(NOISE + np.repeat([0.0, 1.5], [180, 60]))
    report = called("no_drift", shifted, MONTHLY, column="value", by="series_id")
    assert "a: PSI" in str(report)
    assert called("no_drift", shifted.tail(100), MONTHLY, column="value", by="series_id").passed, "too few to tell"


# --- real figures --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fred_md() -> tuple[pl.DataFrame, pl.DataFrame]:
    """FRED-MD of March 2020 as the normalized table has it: each series by the catalog's code, and its facts."""
    catalog: Catalog = default_catalog()
    frame = table(SHARED / "data/fred_md/2020-03.csv", "%m/%d/%Y")
    ids = [c for c in frame.columns if c in catalog.series and c not in NOT_FREDS]
    series = [catalog.series[i] for i in ids]
    long = frame.unpivot(ids, index="date", variable_name="series_id").rename({"date": "observation_date"}).drop_nulls()
    long = long.with_columns(source=pl.lit("fred"))
    facts = series_facts(series, "frequency", "transform")
    monthly = facts.filter(pl.col("frequency") == "M")
    stationary = transformed(long, monthly).rename({"value": "transformed"})
    rows = long.join(stationary, on=["source", "series_id", "observation_date"])
    return rows, facts_of(series)


def test_real_figures_keep_the_rules_of_the_normalized_table(fred_md: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    rows, facts = fred_md
    assert rows["series_id"].n_unique() >= 20
    calls = default_catalog().one_table("normalized/fred").rules
    reports = {c.rule: apply(c, rows, "FRED-MD", facts) for c in calls if c.rule != "identities_hold"}
    assert {name: str(r) for name, r in reports.items() if not r.passed} == {}


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        ("no_outliers", lambda v, n, last: pl.when(n == last).then(v + 0.1).otherwise(v)),
        ("no_drift", lambda v, n, last: pl.when(n > last - 60).then(10 * v).otherwise(v)),
    ],
)
def test_an_error_planted_in_real_figures_is_found(
    fred_md: tuple[pl.DataFrame, pl.DataFrame], rule: str, spoil: Any
) -> None:
    rows, facts = fred_md
    output = rows.filter(pl.col("series_id") == "INDPRO")
    call = next(c for c in default_catalog().one_table("normalized/fred").rules if c.rule == rule)
    assert apply(call, output, "FRED-MD", facts).passed
    n = pl.int_range(pl.len())
    spoiled = output.with_columns(transformed=spoil(pl.col("transformed"), n, output.height - 1))
    assert not apply(call, spoiled, "FRED-MD", facts).passed
