"""Labels hold what a chart reads of the catalog, and nothing else: an edit of another fact is no edit of the chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module

import polars as pl
import pytest

from macro_assets.catalog import Catalog, Chart
from macro_assets.charts.drawing import data_note, figure
from macro_assets.charts.labels import Labels, labels_of
from macro_assets.graph.versions import facts
from macro_assets_tests.charts import synthetic as s

ALL = ("titles", "frequencies", "aggregations", "transforms", "min_history")


def plain(chart: Chart, catalog: Catalog) -> str:
    return facts(labels_of(chart, catalog))


def edited(catalog: Catalog, series_id: str, **fields: object) -> Catalog:
    """The catalog with one series edited."""
    changed = catalog.series[series_id].model_copy(update=fields)
    return replace(catalog, series={**catalog.series, series_id: changed})


def test_a_chart_is_of_its_own_series_or_those_of_what_it_draws() -> None:
    assert s.labels(s.SPREAD).series == ("BAA", "AAA")
    assert s.labels(s.INDEX).series == ("BAA", "UNRATE")
    assert s.labels(s.NOWCAST).series == ("BAA", "AAA", "UNRATE", "GDPC1")
    own = s.INDEX.model_copy(update={"series": ("AAA",)})
    assert s.labels(own).series == ("AAA",)
    nothing_named = s.INDEX.model_copy(update={"indicator": None, "name": "gdp_nowcast"})
    assert s.labels(nothing_named).series == ()


def test_labels_say_what_the_catalog_says() -> None:
    index = s.labels(s.INDEX)
    assert index.components == (("first", "first A title"), ("second", "second A title"))
    assert index.sources == {"BAA": "A title", "UNRATE": "A title"}
    assert index.recessions == s.catalog().recessions
    heatmap = s.labels(s.HEATMAP)
    assert heatmap.titles["AAA"] == "AAA A title"
    assert heatmap.min_history == {"M": 2, "Q": 2}
    assert heatmap.facts.rows() == [("UNRATE", "M", None, 1), ("AAA", "M", None, 1), ("BAA", "M", None, 1)]
    assert heatmap.recessions == ()


@pytest.mark.parametrize(("chart", "frames"), s.all_charts(), ids=lambda v: getattr(v, "name", ""))
def test_a_module_reads_nothing_that_it_does_not_name(
    chart: Chart, frames: Mapping[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every label there is, the figure is the same: nothing falls back because a label was left out."""
    expected, note = figure(chart, frames, s.labels(chart)).to_json(), data_note(chart, frames, s.labels(chart))
    module = import_module(f"macro_assets.charts.{chart.name}")
    monkeypatch.setattr(module, "READS", tuple(dict.fromkeys((*module.READS, *ALL))))
    full = s.labels(chart)
    assert full.facts.select(pl.exclude("series_id").null_count()).row(0) == (0, 0, 0)
    assert (figure(chart, frames, full).to_json(), data_note(chart, frames, full)) == (expected, note)


@pytest.mark.parametrize(
    ("chart", "fields", "moves"),
    [
        (s.SPREAD, {"staleness_days": 61, "title": "Another", "transform": 5, "scale": 2.0}, False),
        (s.SPREAD, {"aggregation": "last"}, True),
        (s.HEATMAP, {"staleness_days": 61, "aggregation": "last"}, False),
        (s.HEATMAP, {"title": "Another"}, True),
        (s.HEATMAP, {"transform": 5}, True),
        (s.NOWCAST, {"staleness_days": 61, "aggregation": "last", "transform": 5}, False),
        (s.NOWCAST, {"frequency": "Q"}, True),
        (s.INDEX, {"title": "Another", "frequency": "Q", "aggregation": "last", "transform": 5}, False),
    ],
)
def test_labels_move_with_what_is_read_and_with_nothing_else(
    chart: Chart, fields: dict[str, object], moves: bool
) -> None:
    catalog = s.catalog()
    assert (plain(chart, edited(catalog, "BAA", **fields)) != plain(chart, catalog)) is moves


def test_series_of_others_move_no_labels(catalog: Catalog) -> None:
    other = edited(catalog, "ECB_TOTAL_ASSETS", title="Another", frequency="A", aggregation="sum", transform=7)
    for chart in catalog.charts.values():
        assert plain(chart, other) == plain(chart, catalog)


def test_the_order_of_components_counts() -> None:
    labels = s.labels(s.INDEX)
    turned = replace(labels, components=tuple(reversed(labels.components)))
    assert facts(turned) != facts(labels)


def test_a_module_that_reads_what_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("macro_assets.charts.credit_spread.READS", ("components",))
    with pytest.raises(LookupError, match="'credit_spread' reads 'components'"):
        s.labels(s.SPREAD)
    with pytest.raises(LookupError, match=r"macro_assets/charts/<chart name>\.py"):
        s.labels(s.SPREAD.model_copy(update={"name": "no_such_chart"}))


def test_labels_of_nothing_are_empty() -> None:
    assert Labels().facts.is_empty()
    assert set(Labels().facts.columns) == {"series_id", "frequency", "aggregation", "transform"}
