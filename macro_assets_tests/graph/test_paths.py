"""Every module on the way to a figure is part of its code version, and every fact that it reads; nothing else is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from macro_assets.catalog import Backtest, Catalog
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
_STEPS = ("transforms.steps", "transforms.library", "transforms.panel")
_MODEL = ("graph.compute.model", "graph.endings", "models.dynamic_factor", "models.protocol", *_STEPS)
_CHART = (
    "graph.compute.chart",
    "charts.drawing",
    "charts.modules",
    "charts.labels",
    "charts.style",
    "charts.preview",
    "charts.axes",
    "publishing.html",
    *_STEPS,
)
PATHS = {
    "normalized/fred": ("graph.compute.normalized", "transforms.normalize", "transforms.steps", "transforms.library"),
    "indicators/economic_stress_index": (
        "graph.compute.indicator",
        "indicators.composite",
        "indicators.protocol",
        *_STEPS,
    ),
    "real_time/sahm_rule": (
        "graph.compute.indicator",
        "graph.endings",
        "indicators.rise_over_low",
        "indicators.protocol",
        "models.protocol",
        "transforms.panel",
        "transforms.frequency",
    ),
    "fits/gdp_nowcast": _MODEL,
    "forecasts/gdp_nowcast": _MODEL,
    "news/gdp_nowcast": _MODEL,
    "charts/credit_spread": ("charts.families.lines", *_CHART),
    "charts/zscore_heatmap": ("charts.families.heatmap", *_CHART),
    "charts/gdp_nowcast": ("charts.own.nowcast_news", *_CHART),
}


NOWCAST = {"fits/gdp_nowcast", "forecasts/gdp_nowcast", "news/gdp_nowcast"}


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
    assert moved(before, nowcast) == NOWCAST
    chart = edited(catalog, package_copy, "charts.families.lines", "\nEDITED = 1\n")
    assert moved(before, chart) == {"charts/credit_spread", "charts/sahm_rule", "charts/bias_pnl"}
    for module in ("lakehouse.write", "sources.http", "orchestration.run", "catalog.load", "graph.reading"):
        assert not moved(before, edited(catalog, package_copy, module, "\nEDITED = 1\n")), module


def test_a_new_method_restales_nothing(catalog: Catalog, package_copy: Copy) -> None:
    before = versions(catalog)
    for module in ("indicators.synthetic", "models.synthetic", "charts.families.synthetic", "transforms.synthetic"):
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
        ("AAA", "title", "Synthetic", {"charts/credit_spread", "charts/macro_bias", "charts/bias_pnl"}),
        ("PAYEMS", "title", "Synthetic", {"charts/gdp_nowcast", "charts/zscore_heatmap"}),
    ],
)
def test_a_fact_moves_what_reads_it(
    catalog: Catalog, series: str, field: str, value: object, expected: set[str]
) -> None:
    """One edit of any of all series made every chart stale."""
    assert moved(versions(catalog), versions(with_series(catalog, series, **{field: value}))) == expected


@pytest.mark.parametrize("series", ["PAYEMS", "UNRATE"])
def test_a_fact_of_a_series_moves_all_that_is_made_of_it_and_asks_for_the_fact(catalog: Catalog, series: str) -> None:
    """A staleness limit is for what is as of months alone; the rule of aggregation is for every indicator."""
    before, real_time, of_it = versions(catalog), set[str](), set[str]()
    for name, entry in catalog.indicators.items():
        if entry.real_time and series in catalog.series_behind(f"real_time/{name}"):
            real_time |= {t for t in (f"real_time/{name}", f"changes/{name}") if t in catalog.tables}
        if series in entry.series:
            of_it.add(f"indicators/{name}")
    stale = moved(before, versions(with_series(catalog, series, staleness_days=99)))
    bias = {"real_time/macro_bias"}  # to which no series but the credit spread's is needed, and may be old
    assert series not in catalog.indicators["macro_bias"].series or series in catalog.indicators["macro_bias"].optional
    assert stale == NOWCAST | real_time - bias
    assert "real_time/activity_diffusion" in stale
    last = moved(before, versions(with_series(catalog, series, aggregation="last")))
    assert {t for t in last if t.startswith(("indicators/", "real_time/", "changes/"))} == of_it | real_time


def test_words_that_no_computation_reads_move_nothing(catalog: Catalog) -> None:
    other = {
        "title": "Synthetic",
        "description": "Synthetic",
        "backtest": Backtest(demo=("2016-06",)),
        "benchmark": None,
    }
    model = catalog.models["gdp_nowcast"].model_copy(update=other)
    index = catalog.indicators["economic_stress_index"]
    parts = [{**c, "title": "Synthetic"} for c in index.parameters["components"]]  # type: ignore[union-attr, dict-item]
    words = {"title": "Synthetic", "description": "Synthetic", "parameters": {**index.parameters, "components": parts}}
    renamed = index.model_copy(update={**words, "reference": "Synthetic", "owner": "team:synthetic"})
    chart = catalog.charts["credit_spread"].model_copy(update={"description": "Synthetic"})
    changed = dataclasses.replace(
        catalog,
        models={**catalog.models, model.name: model},
        indicators={**catalog.indicators, index.name: renamed},
        charts={**catalog.charts, chart.name: chart},
    )
    assert moved(versions(catalog), versions(changed)) == {"charts/economic_stress_index"}, "which says the titles"
