"""Every module on the way to a figure is part of its code version, and every fact that it reads; nothing else is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from macro_assets.catalog import Catalog
from macro_assets.graph.declared import derivations
from macro_assets_tests.graph.conftest import Copy

COMMON = (
    "graph.derivation",
    "graph.inputs",
    "graph.versions",
    "lakehouse.vintages",
    "lakehouse.reader",
    "catalog.periods",
)
PATHS = {
    "normalized/fred": (
        "graph.compute.normalized",
        "transforms.normalize",
        "transforms.steps",
        "transforms.library",
    ),
    "indicators/economic_stress_index": (
        "graph.compute.indicator",
        "indicators.composite",
        "transforms.panel",
        "transforms.library",
    ),
    "forecasts/gdp_nowcast": (
        "graph.compute.nowcast",
        "graph.endings",
        "models.dynamic_factor",
        "models.protocol",
    ),
    "charts/credit_spread": (
        "graph.compute.chart",
        "charts.drawing",
        "charts.modules",
        "charts.labels",
        "charts.credit_spread",
        "charts.style",
        "charts.preview",
        "charts.axes",
        "transforms.panel",
        "publishing.html",
    ),
    "charts/zscore_heatmap": (
        "charts.zscore_heatmap",
        "transforms.normalize",
        "transforms.steps",
        "transforms.library",
    ),
}


def versions(catalog: Catalog) -> dict[str, str]:
    return {d.tables[0]: d.code_version for d in derivations(catalog)}


def moved(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {table for table in before if before[table] != after[table]}


def edited(catalog: Catalog, copy: Copy, module: str, text: str) -> dict[str, str]:
    was = copy.file(module).read_text()
    copy.write(module, was + text)
    after = versions(catalog)
    copy.write(module, was)
    return after


def test_an_edit_of_a_module_on_the_path_moves_the_version(catalog: Catalog, package_copy: Copy) -> None:
    """Emptying a table or looking ten days into the future is no longer 'up to date', wherever it is done."""
    before = versions(catalog)
    for module in sorted({m for path in PATHS.values() for m in (*path, *COMMON)}):
        after = edited(catalog, package_copy, module, "\nEDITED = 1\n")
        expected = {table for table, path in PATHS.items() if module in (*path, *COMMON)}
        assert expected <= moved(before, after), module
        assert not moved(before, edited(catalog, package_copy, module, "\n# only a comment\n")), module


def test_an_edit_elsewhere_moves_what_calls_it_alone(catalog: Catalog, package_copy: Copy) -> None:
    before = versions(catalog)
    nowcast = edited(catalog, package_copy, "models.dynamic_factor", "\nEDITED = 1\n")
    assert moved(before, nowcast) == {"forecasts/gdp_nowcast"}
    chart = edited(catalog, package_copy, "charts.credit_spread", "\nEDITED = 1\n")
    assert moved(before, chart) == {"charts/credit_spread"}
    for module in ("lakehouse.write", "sources.http", "orchestration.run", "catalog.load", "graph.reading"):
        assert not moved(before, edited(catalog, package_copy, module, "\nEDITED = 1\n")), module


def test_a_new_method_restales_nothing(catalog: Catalog, package_copy: Copy) -> None:
    before = versions(catalog)
    for module in ("indicators.synthetic", "models.synthetic", "charts.synthetic", "transforms.synthetic"):
        package_copy.write(module, '"""Synthetic."""\n\nNEW = 1\n')
    assert moved(before, versions(catalog)) == set()


def with_series(catalog: Catalog, series: str, **fields: Any) -> Catalog:
    entry = catalog.series[series].model_copy(update=fields)
    return dataclasses.replace(catalog, series={**catalog.series, series: entry})


@pytest.mark.parametrize(
    ("series", "field", "value", "expected"),
    [
        ("ECB_TOTAL_ASSETS", "staleness_days", 99, set()),
        ("ECB_TOTAL_ASSETS", "title", "Synthetic", set()),
        ("ECB_TOTAL_ASSETS", "scale", 7.0, {"normalized/world"}),
        ("AAA", "licence", "synthetic", set()),
        ("AAA", "scale", 7.0, {"normalized/fred"}),
        ("AAA", "title", "Synthetic", set()),
        ("PAYEMS", "staleness_days", 99, {"forecasts/gdp_nowcast"}),
        ("PAYEMS", "title", "Synthetic", {"charts/gdp_nowcast", "charts/zscore_heatmap"}),
        ("UNRATE", "aggregation", "last", {"indicators/economic_stress_index"}),
    ],
)
def test_a_fact_moves_what_reads_it(
    catalog: Catalog, series: str, field: str, value: object, expected: set[str]
) -> None:
    """One edit of any of all series made every chart stale."""
    assert moved(versions(catalog), versions(with_series(catalog, series, **{field: value}))) == expected


def test_words_that_no_computation_reads_move_nothing(catalog: Catalog) -> None:
    model = catalog.models["gdp_nowcast"].model_copy(update={"title": "Synthetic", "demo_partitions": ("2016-06",)})
    chart = catalog.charts["credit_spread"].model_copy(update={"description": "Synthetic"})
    changed = dataclasses.replace(
        catalog,
        models={**catalog.models, model.name: model},
        charts={**catalog.charts, chart.name: chart},
    )
    assert moved(versions(catalog), versions(changed)) == set()
