"""Rules on observations: gaps by the calendar, sums by the catalog, and the one real day on which the OFR's is off."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Catalog, RuleCall, default_catalog
from macro_assets.graph.checks import checks_of_stored
from macro_assets.graph.declared import derivations
from macro_assets.graph.inputs import Inputs
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.write import conform, overwrite
from macro_assets.quality import CheckReport, check_table
from macro_assets.quality.rules import apply
from macro_assets.quality.rules.facts import facts_of
from macro_assets_tests.intake.taking import taken
from macro_assets_tests.quality.test_real_vintages import SHARED
from macro_assets_tests.sources.own_files import catalog_of, declare

OFR = SHARED / "data/conditions/OFR_FSI.csv"


def called(rule: str, frame: pl.DataFrame, facts: pl.DataFrame | None = None, **arguments: Any) -> CheckReport:
    return apply(RuleCall(rule=rule, arguments=arguments), frame, "synthetic", facts)


def rows(days: list[date], series_id: str = "a", values: list[float | None] | None = None) -> pl.DataFrame:
    return pl.DataFrame({"series_id": series_id, "observation_date": days, "value": values or [1.0] * len(days)})


def facts(frequency: str, holidays: str | None = None, is_regular: bool = True) -> pl.DataFrame:
    stated = {"series_id": ["a"], "frequency": [frequency], "is_regular": [is_regular], "holidays": [holidays]}
    return pl.DataFrame(stated, schema_overrides={"holidays": pl.String})


# --- gaps ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "days", "lacking"),
    [
        ("D", [date(2024, 11, 27), date(2024, 11, 29), date(2024, 12, 2)], None),  # Thanksgiving, a weekend
        ("D", [date(2024, 11, 27), date(2024, 12, 2)], "1 days lack between 2024-11-27 and 2024-12-02"),
        ("D", [date(2021, 12, 30), date(2022, 1, 3)], None),  # New Year's Day of 2022 was kept on Friday
        ("W", [date(2020, 1, 1), date(2020, 1, 8), date(2020, 1, 14)], None),  # a day early
        ("W", [date(2020, 1, 1), date(2020, 1, 22)], "2 weeks lack between 2020-01-01 and 2020-01-22"),
        ("M", [date(2019, 12, 1), date(2020, 1, 1), date(2020, 2, 1)], None),
        ("M", [date(2025, 9, 1), date(2025, 11, 1)], "1 months lack between 2025-09-01 and 2025-11-01"),
        ("Q", [date(2019, 10, 1), date(2020, 1, 1)], None),
        ("Q", [date(2019, 10, 1), date(2020, 7, 1)], "2 quarters lack"),
        ("A", [date(2019, 1, 1), date(2020, 1, 1)], None),
        ("A", [date(2017, 1, 1), date(2020, 1, 1)], "2 years lack"),
    ],
)
def test_periods_between_two_figures_that_lack_are_counted_by_the_calendar(
    frequency: str, days: list[date], lacking: str | None
) -> None:
    report = called("no_gaps", rows(days), facts(frequency, "US"))
    assert report.passed is (lacking is None)
    assert lacking is None or lacking in str(report)


def test_a_missing_figure_is_a_gap_and_one_where_no_rhythm_is_is_none() -> None:
    days = [date(2020, m, 1) for m in (1, 2, 3)]
    hole = rows(days, values=[1.0, None, 1.0])
    assert called("no_gaps", hole, facts("M")).failed_rows == (2,)
    assert called("no_gaps", hole, facts("M"), admitted={"M": 1}).passed
    assert called("no_gaps", hole, facts("M", is_regular=False)).passed
    assert called("no_gaps", rows(days, values=[None, 1.0, None]), facts("M")).passed, "ends are no gaps"


def test_elsewhere_holidays_are_admitted_and_not_known() -> None:
    thanksgiving = rows([date(2024, 11, 27), date(2024, 11, 29)])
    assert not called("no_gaps", thanksgiving, facts("D")).passed
    assert called("no_gaps", thanksgiving, facts("D"), admitted={"D": 1}).passed


# --- completeness --------------------------------------------------------------------------------------------------


def test_missing_figures_are_counted_series_by_series() -> None:
    days = [date(2020, m, 1) for m in range(1, 11)]
    both = pl.concat([rows(days), rows(days, "b", [*[None] * 2, *[1.0] * 8])])
    report = called("complete", both, column="value", by="series_id", share=0.15)
    assert (report.failures, report.failed_rows) == (1, (10, 11))
    assert "b: 20.0% of 10" in str(report)
    assert called("complete", both, column="value", share=0.15).passed, "a tenth of all"
    assert called("complete", both, column="value", by="series_id", share=0.2).passed


# --- sums ----------------------------------------------------------------------------------------------------------


def test_breakevens_are_nominal_less_real_yields_where_the_catalog_says_so(catalog: Catalog) -> None:
    table = catalog.one_table("indicators/us_breakevens")
    stated = {"observation_date": [date(2020, 1, 1)], "tenor_years": [10.0], "nominal_rate": [4.0], "real_rate": [1.7]}
    assert check_table(pl.DataFrame({**stated, "breakeven_rate": [2.3]}), table).passed
    report = check_table(pl.DataFrame({**stated, "breakeven_rate": [2.26]}), table)  # Fisher's, 1.04 / 1.017
    assert "= nominal_rate - real_rate; off by" in str(report)
    brazil = catalog.one_table("indicators/brazil_breakevens")
    assert check_table(pl.DataFrame({**stated, "breakeven_rate": [2.26]}), brazil).passed


def test_series_that_are_sums_are_those_of_the_catalog(catalog: Catalog) -> None:
    """The ten-year breakeven of a day in February 2020, and one that is a basis point beyond rounding."""
    day = [date(2020, 2, 3)]
    of = facts_of(catalog.series.values())
    for value, is_sum in ((1.67, True), (1.69, False)):
        frame = pl.concat(rows(day, i, [v]) for i, v in (("T10YIE", value), ("DGS10", 1.54), ("DFII10", -0.13)))
        assert called("identities_hold", frame, of).passed is is_sum
    assert called("identities_hold", frame.filter(pl.col("series_id") != "DFII10"), of).passed, "a part lacks"


# --- the stress index of the OFR -----------------------------------------------------------------------------------

CATEGORIES = {
    "FSI_CREDIT": "Credit",
    "FSI_EQUITY": "Equity valuation",
    "FSI_SAFE": "Safe assets",
    "FSI_FUNDING": "Funding",
    "FSI_VOLATILITY": "Volatility",
}
REGIONS = {"FSI_US": "United States", "FSI_ADVANCED": "Other advanced economies", "FSI_EMERGING": "Emerging markets"}


def own_index(own: Path, categories: float = 0.0025) -> Catalog:
    """The published index as files of a user, who says in the entry what it is the sum of."""
    of = [{"plus": list(CATEGORIES), "tolerance": categories}, {"plus": list(REGIONS), "tolerance": 0.005}]
    columns = {"FSI": "OFR FSI", **CATEGORIES, **REGIONS}
    series = [
        {"id": i, "code": c, "title": c, **({"identities": of} if i == "FSI" else {})} for i, c in columns.items()
    ]
    place = declare(
        own, {"files": "ofr.csv"}, series, frequency="D", unit="index", scale=1.0, provider_unit="Index",
        first_year=2000, transform=1, bounds={"low": -20, "high": 40}, staleness_days=14, aggregation="mean",
        seasonal_adjustment="NSA", theme="stress",
    )  # fmt: skip
    (place / "ofr.csv").write_bytes(OFR.read_bytes())
    return catalog_of(own)


@pytest.mark.skipif(not OFR.is_file(), reason="no real figures")
def test_the_day_with_a_wrong_sign_is_found_in_the_real_index_of_a_folder(tmp_path: Path) -> None:
    """R-31: the categories add up to .0025, the regions to .005 but on 2018-11-01, by .108."""
    lake = Lakehouse(tmp_path / "lake", own_index(tmp_path / "own"))
    assert taken(lake, "mine").report.new > 50_000
    (derivation,) = (d for d in derivations(lake.catalog) if "normalized/own" in d.tables)
    frame = derivation.compute(Inputs(lake, [derivation]).frames(derivation))["normalized/own"]
    overwrite(lake, "normalized/own", conform(frame, lake.table("normalized/own")), {})
    (found,) = [f for f in checks_of_stored(lake, {"normalized/own": None}) if f.check.startswith("identities_hold")]
    assert (found.state, found.rows) == ("warn", frame.height)
    assert "1 of 58464 rows fail" in str(found.message)
    assert "FSI 2018-11-01: +0.108 off FSI_US + FSI_ADVANCED + FSI_EMERGING" in str(found.message)


@pytest.mark.skipif(not OFR.is_file(), reason="no real figures")
def test_with_a_tighter_tolerance_fourteen_days_of_rounding_are_found(tmp_path: Path) -> None:
    catalog = own_index(tmp_path / "own", categories=0.0015)
    wide = pl.read_csv(OFR, try_parse_dates=True)
    names = {s.code: s.id for s in catalog.series.values()}
    frame = wide.rename(names).unpivot(list(names.values()), index="Date", variable_name="series_id")
    frame = frame.rename({"Date": "observation_date"})
    assert called("identities_hold", frame, facts_of(catalog.series.values())).failures == 14 + 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"plus": ["FSI_CREDIT", "FSI_CREDITS"]}, "identities: series 'FSI_CREDITS' is not declared. Did you mean"),
        ({"plus": ["FSI_CREDIT"], "tolerance": 0}, "tolerance: Input should be greater than 0"),
        ({"plus": []}, "plus: "),
        ({"plus": ["PCT"]}, "identities: 'PCT' is of another family, frequency or unit"),
    ],
)
def test_a_sum_that_cannot_be_is_told(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    base: dict[str, Any] = {"unit": "index", "scale": 1.0, "provider_unit": "Index", "first_year": 2000, "transform": 1,
        "bounds": {"low": -20, "high": 40}, "staleness_days": 14, "aggregation": "mean"}  # fmt: skip
    series = [
        {"id": "FSI", "title": "x", "identities": [{"tolerance": 0.1, **changed}]},
        {"id": "FSI_CREDIT", "title": "x"},
        {"id": "PCT", "title": "x", "unit": "percent"},
    ]
    declare(tmp_path, {}, series, **base)
    problems = [str(p) for p in catalog_of(tmp_path).refused]
    assert any(said in p for p in problems), problems
    assert "FSI" not in catalog_of(tmp_path).series


def test_the_package_declares_the_sums_of_the_ofr() -> None:
    catalog = default_catalog()
    tolerances = [i.tolerance for i in catalog.series["OFR_FSI"].identities]
    assert tolerances == [0.0025, 0.005]
    assert catalog.series["T10YIE"].identities[0].minus == ("DFII10",)
