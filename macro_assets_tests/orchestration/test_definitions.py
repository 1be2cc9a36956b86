"""The code location: named keys, and what every asset shows a person."""

from __future__ import annotations

from datetime import UTC, date, datetime

import dagster as dg
import pytest

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.definitions import defs
from macro_assets.intake.years import Years
from macro_assets.orchestration.assets.specs import spec_arguments
from macro_assets.orchestration.partitions import AS_OF_MONTHS, YEARS
from macro_assets.sources.protocol import Window

DECISIONS = ("audit/invalidations", "audit/acceptances")
SPECS = {"/".join(s.key.path): s for s in defs.resolve_all_asset_specs()}


def test_the_graph_has_these_assets(catalog: Catalog) -> None:
    """A table is an asset unless it is written along with one; so is a series."""
    along = ("silences", "landing", "fetch_log")
    tables = {t.name for t in catalog.tables.values() if t.layer not in along}
    series = {f"raw/{s.source}/{s.id}" for s in (*catalog.series.values(), *catalog.copies)}
    assert set(SPECS) == tables | series
    of_the_house = {
        "audit/invalidations",
        "audit/acceptances",
        "maintenance/tables",
        "calendar/releases",
        "normalized/fred",
    }
    assert tables >= of_the_house | {f"raw/{s}" for s in catalog.sources} | {f"charts/{c}" for c in catalog.charts}


def test_every_asset_tells_a_person_what_it_is() -> None:
    for name, spec in SPECS.items():
        assert_tells(name, spec)


def assert_tells(name: str, spec: dg.AssetSpec) -> None:
    assert len(spec.description or "") > 20
    assert spec.group_name not in (None, "default")
    assert spec.kinds
    assert spec.owners
    assert spec.tags["layer"] == name.split("/")[0]
    assert "sql" in spec.metadata
    assert spec.metadata["dagster/table_name"].count(".") == 1
    assert all(c.description for c in spec.metadata["dagster/column_schema"].columns)


def test_a_chart_links_its_page_where_pages_are_served_now(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page was drawn when nobody knew which port `macro ui` would be given."""
    monkeypatch.setenv("MACRO_CHARTS_URL", "http://127.0.0.1:3412")
    table = catalog.one_table("charts/credit_spread")
    assert spec_arguments(table, catalog)["metadata"]["page"].value == "http://127.0.0.1:3412/credit_spread.html"
    assert "page" not in spec_arguments(catalog.one_table("indicators/sahm_rule"), catalog)["metadata"]
    assert "page" not in SPECS["normalized/fred"].metadata


NOT_DERIVED = ("raw/", "audit/", "maintenance/", "calendar/", "paths/")
"""Layers that no condition asks for; paths grow along with forecasts."""
ON_GRID = {t.name for t in default_catalog().tables.values() if t.as_of_partitioned}


@pytest.mark.parametrize("name", sorted(n for n in SPECS if not n.startswith(NOT_DERIVED)))
def test_everything_derived_runs_by_a_named_condition_and_has_a_code_version(name: str) -> None:
    condition = SPECS[name].automation_condition
    assert condition is not None
    assert (condition.get_label() or "").startswith(("derived:", "as of:"))
    assert SPECS[name].code_version


def test_what_is_below_depends_on_tables_never_on_series(catalog: Catalog) -> None:
    for name, spec in SPECS.items():
        for dep in spec.deps:
            if name.removeprefix("raw/") not in catalog.sources:
                assert len(dep.asset_key.path) == 2, f"{name} depends on the series {dep.asset_key}"


def test_raw_series_have_years_and_forecasts_months() -> None:
    for name, spec in SPECS.items():
        is_series = name.startswith("raw/") and name.count("/") == 2
        expected = YEARS if is_series else AS_OF_MONTHS if name in ON_GRID else None
        assert spec.partitions_def == expected, name


def test_every_series_and_table_has_its_check(catalog: Catalog) -> None:
    checks = {("/".join(k.asset_key.path), k.name) for k in defs.resolve_asset_graph().asset_check_keys}
    tables = {f"raw/{s}" for s in catalog.sources}
    assert {
        *((t, name) for t in tables for name in ("complete", "health", "past", "rules")),
        *((n, "schema") for n in SPECS if n not in (*tables, *DECISIONS) and not n.startswith("paths/")),
    } == checks
    blocking = [s for d in defs.resolve_asset_graph().assets_defs for s in d.check_specs if s.blocking]
    assert not [s.key for s in blocking if s.asset_key.path[0] == "raw"]


def test_the_source_has_a_pool_of_its_own() -> None:
    raw = defs.resolve_assets_def(dg.AssetKey(["raw", "bundled"]))
    assert raw.op.pool == "bundled"
    assert isinstance(raw.backfill_policy, dg.BackfillPolicy)
    assert raw.backfill_policy.max_partitions_per_run is None


def test_jobs_and_sensor() -> None:
    assert {j.name for j in defs.resolve_all_job_defs()} >= {"refresh_bundled", "derive"}
    assert {s.name for s in defs.schedules or []} == {
        "weekly_maintenance",
        "refresh",
        "release_calendar",
        "close_month",
    }
    (sensor,) = defs.sensors or []
    assert sensor.name == "automation"


def test_a_month_is_computed_once_more_when_it_has_ended() -> None:
    schedule = defs.resolve_schedule_def("close_month")
    with dg.DagsterInstance.ephemeral() as instance:
        moment = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
        context = dg.build_schedule_context(
            instance, scheduled_execution_time=moment, repository_def=defs.get_repository_def()
        )
        (asked,) = schedule.evaluate_tick(context).run_requests or []
    assert asked.tags["dagster/partition"] == "2025-12"
    job = defs.resolve_job_def("close_month")
    assert {"/".join(k.path) for k in job.asset_layer.executable_asset_keys} == ON_GRID


def test_partition_grids() -> None:
    years = YEARS.get_partition_keys()
    assert years[0] == "2010"
    assert years[-1] == str(date.today().year)  # the open year is in the grid
    assert AS_OF_MONTHS.get_partition_keys()[0] == "2010-01"
    assert AS_OF_MONTHS.get_last_partition_key() == f"{date.today():%Y-%m}"


FOUR_YEARS = ["2010", "2011", "2012", "2013"]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        (["2010"], None, date(2010, 12, 31)),
        (["2012", "2011"], date(2011, 1, 1), date(2012, 12, 31)),
        (["2013"], date(2013, 1, 1), None),
        (FOUR_YEARS, None, None),
    ],
)
def test_the_first_year_asks_for_all_before_and_the_last_for_all_after(
    asked: list[str], first: date | None, last: date | None
) -> None:
    assert Years(asked, FOUR_YEARS).window == Window(first, last)


@pytest.mark.parametrize(
    ("day", "year"), [(date(1959, 1, 1), "2010"), (date(2011, 7, 1), "2011"), (date(2031, 1, 1), "2013")]
)
def test_every_date_has_a_partition(day: date, year: str) -> None:
    assert Years([], FOUR_YEARS).of(day) == year


def test_the_definitions_validate() -> None:
    dg.Definitions.validate_loadable(defs)


def test_every_asset_says_how_far_from_the_source_it_is() -> None:
    for name, spec in SPECS.items():
        expected = {"raw": "bronze", "normalized": "silver"}.get(name.split("/")[0], "gold")
        if name.split("/")[0] not in ("audit", "maintenance", "calendar"):
            assert {t for t in spec.tags if t in ("bronze", "silver", "gold")} == {expected}, name


def test_raw_groups_are_families(catalog: Catalog) -> None:
    groups = {spec.group_name for name, spec in SPECS.items() if name.startswith("raw/")}
    assert groups == {f"raw_{s.family}" for s in catalog.sources.values()}
    assert len(groups) <= 8


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("charts/credit_spread", ["BAA", "AAA"]),
        ("indicators/economic_stress_index", ["VIXCLS", "BAA", "AAA", "SP500", "UNRATE"]),
        ("charts/economic_stress_index", ["VIXCLS", "BAA", "AAA", "SP500", "UNRATE"]),
    ],
)
def test_the_page_of_a_derived_asset_links_its_series(name: str, series: list[str], catalog: Catalog) -> None:
    listed = str(SPECS[name].metadata["input_series"].value).splitlines()
    assert listed == [f"- [{s}](/assets/raw/{catalog.series[s].source}/{s}) {catalog.series[s].title}" for s in series]
    assert f"raw/{catalog.series[series[0]].source}/{series[0]}" in SPECS


@pytest.mark.parametrize("source", ["fred", "bundled"])
def test_the_page_of_a_series_lists_its_holders_in_order(source: str, catalog: Catalog) -> None:
    """The same on the page of the home and on that of an offline copy, which has another base."""
    titles = {s: catalog.sources[s].title for s in ("fred", "fred_graph", "bundled")}
    assert str(SPECS[f"raw/{source}/INDPRO"].metadata["holders"].value).splitlines() == [
        f"1. [fred](/assets/raw/fred/INDPRO): {titles['fred']} (Index 2017=100)",
        f"1. fred_graph: {titles['fred_graph']} (Index 2017=100, the very same figures as the first)",
        f"1. [bundled](/assets/raw/bundled/INDPRO): {titles['bundled']} (Index, 2012 = 100)",
    ]


def test_a_family_does_not_list_hundreds_of_series() -> None:
    assert "input_series" not in SPECS["normalized/fred"].metadata
