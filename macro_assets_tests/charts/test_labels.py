"""Labels hold what a chart reads of the catalog, and nothing else: an edit of another fact is no edit of the chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Catalog, Chart, Drawn
from macro_assets.charts.drawing import data_note, figure
from macro_assets.charts.labels import Labels, labels_of
from macro_assets.charts.modules import module_of
from macro_assets.graph.versions import facts
from macro_assets_tests.charts import synthetic as s

ALL = ("titles", "frequencies", "aggregations", "transforms")


def plain(chart: Chart, catalog: Catalog) -> str:
    return facts(labels_of(chart, catalog))


def edited(catalog: Catalog, series_id: str, **fields: object) -> Catalog:
    """The catalog with one series edited."""
    changed = catalog.series[series_id].model_copy(update=fields)
    return replace(catalog, series={**catalog.series, series_id: changed})


def test_a_chart_is_of_its_own_series_or_those_behind_its_tables() -> None:
    assert s.labels(s.SPREAD).series == ("BAA", "AAA")
    assert s.labels(s.INDEX).series == ("BAA", "UNRATE")
    assert s.labels(s.NOWCAST).series == ("BAA", "AAA", "UNRATE", "GDPC1")
    two = s.SIGNAL.model_copy(update={"of": Drawn(tables=("indicators/sahm", "indicators/stress"))})
    assert s.labels(two).series == ("UNRATE", "BAA")


def test_labels_say_what_the_catalog_says() -> None:
    index = s.labels(s.INDEX)
    assert index.components == (("first", "first A title"), ("second", "second A title"))
    assert index.sources == {"made_up": "A title"}
    assert index.publishers == {"BAA": "A title", "UNRATE": "A title"}
    assert index.via == {}
    assert index.recessions == s.catalog().recessions
    heatmap = s.labels(s.HEATMAP)
    assert heatmap.titles["AAA"] == "AAA A title"
    assert heatmap.facts.rows() == [("UNRATE", "M", None, 1), ("AAA", "M", None, 1), ("BAA", "M", None, 1)]
    assert heatmap.recessions == ()


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([{"name": "an_own"}, {"name": "b", "title": "B"}], (("an_own", "An own"), ("b", "B"))),
        ([{"title": "nameless"}, "a word", 3], ()),
        ({"name": "a"}, ()),
        ("a", ()),
        (None, ()),
    ],
)
def test_parts_are_those_that_the_entry_of_the_indicator_lists(
    listed: Any, expected: tuple[tuple[str, str], ...]
) -> None:
    catalog = s.catalog()
    stress = catalog.indicators["stress"].model_copy(update={"parameters": {"components": listed}})
    changed = replace(catalog, indicators={**catalog.indicators, "stress": stress})
    assert labels_of(s.INDEX, changed).components == expected
    real_time = s.INDEX.model_copy(update={"of": Drawn(tables=("real_time/stress",))})
    assert labels_of(real_time, changed).components == expected


@pytest.mark.parametrize(("chart", "frames"), s.all_charts(), ids=lambda v: getattr(v, "name", ""))
def test_a_module_reads_nothing_that_it_does_not_name(
    chart: Chart, frames: Mapping[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every label there is, the figure is the same: nothing falls back because a label was left out."""
    expected, note = figure(chart, frames, s.labels(chart)).to_json(), data_note(chart, frames, s.labels(chart))
    module = module_of(chart)
    monkeypatch.setattr(module, "READS", tuple(dict.fromkeys((*module.READS, *ALL))))
    full = s.labels(chart)
    assert full.facts.select(pl.exclude("series_id").null_count()).row(0) == (0, 0, 0)
    assert (figure(chart, frames, full).to_json(), data_note(chart, frames, full)) == (expected, note)


@pytest.mark.parametrize(
    ("chart", "fields", "moves"),
    [
        (s.SPREAD, {"staleness_days": 61, "transform": 5, "scale": 2.0}, False),
        (s.SPREAD, {"aggregation": "last"}, True),
        (s.YIELDS, {"frequency": "Q", "aggregation": "last", "transform": 5}, False),
        (s.YIELDS, {"title": "Another"}, True),
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
    monkeypatch.setattr("macro_assets.charts.families.lines.READS", ("weights",))
    with pytest.raises(LookupError, match="'spread' reads 'weights'"):
        s.labels(s.SPREAD)
    with pytest.raises(LookupError, match="nothing draws 'no_such'"):
        s.labels(s.SPREAD.model_copy(update={"draws": "no_such"}))


def test_labels_of_nothing_are_empty() -> None:
    assert Labels().facts.is_empty()
    assert set(Labels().facts.columns) == {"series_id", "frequency", "aggregation", "transform"}


def test_charts_name_agencies_and_no_packages(catalog: Catalog) -> None:
    """Of what ships with the package and of what FRED passes on, somebody is named who makes it."""
    passing = {s.name for s in catalog.sources.values() if s.via}
    assert {"bundled", "fred", "fred_graph", "fred_recent", "dbnomics"} <= passing
    nameless = [s.id for s in catalog.series.values() if s.source in passing - {"yahoo_chart"} and not s.publisher]
    assert nameless == []
    stress = labels_of(catalog.charts["economic_stress_index"], catalog)
    assert {"Moody's", "Cboe", "US Bureau of Labor Statistics"} <= set(stress.publishers.values())
    assert stress.publishers["SP500"] == "S&P Dow Jones Indices"
    assert catalog.series["PAYEMS"].publisher == "US Bureau of Labor Statistics", "of its release"
