"""`macro run`: what is stale is run, what is not is skipped, and a bad series is named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from macro_assets.catalog import Catalog, RuleCall, UnknownNameError, default_catalog, names
from macro_assets.graph.declared import derivations
from macro_assets.graph.derivation import Derivation
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages, read_raw
from macro_assets.orchestration import run as run_module
from macro_assets.orchestration.run import PartitionError, Selection, run, select
from macro_assets.orchestration.summary import Summary
from macro_assets_tests.lakehouse.synthetic import one_source
from macro_assets_tests.orchestration.toy import spoiled_source, toy_catalog, with_values

ToyRun = Callable[..., Summary]
DERIVED = ["normalized/fred"]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def toy_run(tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> ToyRun:
    """`macro run` of the toy catalog; the lake is where MACRO_LAKE says, as for a user."""
    monkeypatch.setenv("MACRO_LAKE", str(tmp_path))

    def call(*words: str, catalog: Catalog | None = None, force: bool = False) -> Summary:
        catalog = catalog or toy_catalog()
        return run(Lakehouse(tmp_path, catalog), select(words, catalog), instance, force)

    return call


def made(catalog: Catalog) -> dict[str, Derivation]:
    return {t: d for d in derivations(catalog) for t in d.tables}


def versions(lake: Path) -> dict[str, int]:
    tables = {n: open_table(lake, n) for n in ["raw/bundled", "landing/bundled", *DERIVED]}
    return {n: t.version() for n, t in tables.items() if t}


def test_the_first_run_runs_everything_and_the_second_nothing(toy_run: ToyRun, tmp_path: Path) -> None:
    first = toy_run()
    assert not first.failures
    assert first.layers["raw"].ran == 4
    assert first.layers["normalized"].ran == 1
    before = versions(tmp_path)
    second = toy_run()
    assert (second.runs, second.reasons, second.failures) == (0, {}, {})
    assert {layer: s.skipped for layer, s in second.layers.items()} == {"raw": 4, "normalized": 1}
    assert versions(tmp_path) == before


def test_force_runs_what_is_up_to_date_and_changes_nothing(toy_run: ToyRun, tmp_path: Path) -> None:
    toy_run()
    before = versions(tmp_path)
    forced = toy_run(force=True)
    assert {layer: s.ran for layer, s in forced.layers.items()} == {"raw": 4, "normalized": 1}
    assert versions(tmp_path) == before


def test_a_changed_catalog_entry_runs_its_series_and_what_is_below(toy_run: ToyRun) -> None:
    toy_run()
    catalog = toy_catalog()
    changed = catalog.series["AAA"].model_copy(update={"scale": 100.0})
    catalog = dataclasses.replace(catalog, series={**catalog.series, "AAA": changed})
    summary = toy_run(catalog=catalog)
    assert [k for k in summary.reasons if k.startswith("raw/")] == ["raw/bundled/AAA"]
    assert summary.reasons["normalized/fred"] == "its code or catalog entry changed"


@pytest.mark.parametrize(
    ("chart", "shown"),
    [("gdp_nowcast", True), ("zscore_heatmap", True), ("economic_stress_index", False), ("credit_spread", False)],
)
def test_a_title_is_part_of_the_code_version_of_the_charts_that_show_it(chart: str, shown: bool) -> None:
    """UNRATE is a model input and a row of two charts that show its title; of the index, its component's is shown."""
    catalog = default_catalog()
    renamed = catalog.series["UNRATE"].model_copy(update={"title": "Synthetic title"})
    changed = dataclasses.replace(catalog, series={**catalog.series, "UNRATE": renamed})
    before, after = (made(c)[f"charts/{chart}"].code_version for c in (catalog, changed))
    assert (before != after) is shown


def test_the_title_of_a_component_is_part_of_the_code_version_of_the_chart_that_shows_it() -> None:
    catalog = default_catalog()
    index = catalog.indicators["economic_stress_index"]
    renamed = [{**c, "title": "Synthetic title"} for c in index.parameters["components"]]
    changed = index.model_copy(update={"parameters": {**index.parameters, "components": renamed}})
    before, after = (
        made(c) for c in (catalog, dataclasses.replace(catalog, indicators={**catalog.indicators, index.name: changed}))
    )
    moved = {t for t in before if before[t].code_version != after[t].code_version}
    assert moved == {"charts/economic_stress_index"}


def test_a_lake_that_was_removed_is_made_again(toy_run: ToyRun, tmp_path: Path) -> None:
    import shutil

    toy_run()
    shutil.rmtree(tmp_path / "normalized" / "fred")
    assert toy_run().reasons == {"normalized/fred": "not in the lake"}
    shutil.rmtree(tmp_path / "raw")
    summary = toy_run()
    assert summary.reasons["raw/bundled/AAA"] == "the stored table is not the one last materialized"
    assert open_table(tmp_path, "raw/bundled") is not None


def test_a_bad_series_is_named_and_tried_again(toy_run: ToyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as spoiling:
        spoiled_source(spoiling, with_values("UNRATE", pl.lit(1e9)))
        summary = toy_run()
    assert list(summary.failures) == ["raw/bundled/UNRATE"]
    assert "less_than_or_equal_to" in summary.failures["raw/bundled/UNRATE"]
    assert summary.layers["normalized"].ran == 1
    assert summary.layers["raw"].failed == 1, "the table's own checks say the same once more"
    mended = toy_run()
    assert mended.reasons["raw/bundled/UNRATE"] == "never fetched"
    assert [k for k in mended.reasons if k.startswith("raw/")] == ["raw/bundled/UNRATE"]
    assert not mended.failures


def test_a_series_that_broke_later_is_tried_again(toy_run: ToyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    toy_run()
    with monkeypatch.context() as spoiling:
        spoiled_source(spoiling, with_values("UNRATE", pl.lit(1e9)))
        assert toy_run("raw", force=True).failures
    assert toy_run().reasons == {"raw/bundled/UNRATE": "the last fetch failed"}


def test_a_table_that_fails_its_check_keeps_what_was_stored(
    toy_run: ToyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from macro_assets.graph.compute import normalized

    toy_run()
    before = versions(tmp_path)
    honest = normalized.normalized_rows

    def spoiled(*args: object) -> pl.DataFrame:
        return honest(*args).with_columns(source=pl.lit(None, dtype=pl.String))  # type: ignore[arg-type]

    monkeypatch.setattr(normalized, "normalized_rows", spoiled)
    summary = toy_run("normalized/fred", force=True)
    assert "source" in summary.failures["normalized/fred"]
    assert versions(tmp_path) == before


def test_a_rule_that_warns_is_told_and_blocks_nothing(toy_run: ToyRun, tmp_path: Path) -> None:
    catalog = toy_catalog()
    rule = RuleCall(rule="within", severity="warn", arguments={"column": "value", "high": 1})
    table = catalog.one_table("normalized/fred").model_copy(update={"rules": (rule,)})
    summary = toy_run(catalog=dataclasses.replace(catalog, tables={**catalog.tables, table.name: table}))
    assert list(summary.warnings) == ["normalized/fred"]
    assert "table normalized/fred: " in summary.warnings["normalized/fred"]
    assert "value <= 1, got" in summary.warnings["normalized/fred"]
    assert not summary.failures
    assert Lakehouse(tmp_path, catalog).read("normalized/fred").height > 1000
    assert not toy_run().warnings, "what needs no computing was looked at"


def test_a_broken_table_stops_the_command_before_anything_runs(toy_run: ToyRun, tmp_path: Path) -> None:
    (tmp_path / "normalized").mkdir()
    (tmp_path / "normalized" / "fred").write_text("a file where a table must be")
    with pytest.raises(Exception, match="normalized/fred"):
        toy_run()
    assert not (tmp_path / "raw").exists()


def test_selection_by_layer_table_source_and_series() -> None:
    catalog = default_catalog()
    everything = select([], catalog)
    assert set(everything.series) == {"bundled"}, "sources behind a network are named to be asked"
    assert len(everything.series["bundled"]) == len(catalog.series_of("bundled"))
    assert set(everything.tables) == set(made(catalog))
    assert select(["raw/bundled/PAYEMS"], catalog) == Selection({"bundled": ("PAYEMS",)}, ())
    assert select(["raw/bundled"], catalog).series == select(["raw"], catalog).series == everything.series
    assert select(["raw/cboe"], catalog).series == {"cboe": tuple(s.id for s in catalog.series_of("cboe"))}
    assert set(select(["raw"], catalog, live=True).series) == {s.source for s in catalog.series.values()}
    assert set(select(["normalized"], catalog).tables) == {t for t in made(catalog) if t.startswith("normalized/")}
    assert select(["news/gdp_nowcast"], catalog).tables == ("news/gdp_nowcast",)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("raw/bundled/PAYEM", "mean raw/bundled/PAYEMS"),
        ("raw/bundled/payrols", r"mean raw/bundled/PAYEMS \(Employees on nonfarm payrolls, total\)"),
        ("raw/fred/GDPC1_FRED", "mean raw/fred/GDPC1 "),
        ("PAYEMS", "mean raw/(fred|bundled)/PAYEMS"),
        ("normalised", "mean normalized[,?]"),
        ("nonsense", "macro list"),
    ],
)
def test_an_unknown_selection_offers_the_nearest(word: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown asset '{word}'.*{hint}"):
        select([word], default_catalog())


def test_partitions_go_to_the_grid_they_fit() -> None:
    catalog = default_catalog()
    assert select(["raw"], catalog, "2015", "2016").years == ("2015", "2016")
    assert select(["forecasts"], catalog, "2016-06", "2016-06").months == ("2016-06",)
    assert select(["raw"], catalog, None, "2011").years == ("2010", "2011")


@pytest.mark.parametrize(
    ("words", "first", "last", "message"),
    [
        (["raw"], "1999", "1999", "'1999' is out of range: the selected assets have years 2010 to"),
        (["forecasts"], "2009-12", "2009-12", "'2009-12' is out of range.*as-of months 2010-01 to"),
        (["forecasts"], "2016-07", "2016-06", "2016-07 is after 2016-06"),
        (["normalized"], "2016-07", "2016-07", "fits no selected asset"),
        (["raw"], "2016-07", "2016-07", "fits no selected asset"),
        ([], "july", "july", "'july' is out of range"),
    ],
)
def test_a_partition_out_of_range_is_one_message(words: list[str], first: str, last: str, message: str) -> None:
    with pytest.raises(PartitionError, match=message):
        select(words, default_catalog(), first, last)


def test_nothing_runs_before_the_lake_is_known_to_be_sound(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    import deltalake
    from deltalake.schema import Field, PrimitiveType, Schema

    newer = Field("series_id", PrimitiveType("string"), metadata={"macro_assets.schema_version": "99"})
    deltalake.DeltaTable.create(tmp_path / "normalized" / "fred", Schema([newer]))
    monkeypatch.setattr(run_module, "_Runner", None)  # nothing may get as far as this
    with pytest.raises(Exception, match=r"schema version 99.*Upgrade"):
        run(Lakehouse(tmp_path, toy_catalog()), select([], toy_catalog()), instance)


def without_models() -> Catalog:
    """One source with four charts and what they are made of, none of a model."""
    full = one_source()
    charts = {n: full.charts[n] for n in ("credit_spread", "economic_stress_index", "sahm_rule", "zscore_heatmap")}
    drawn = {t for c in charts.values() for t in c.of.tables}
    indicators = {n: i for n, i in full.indicators.items() if names.indicator(n) in drawn}
    tables = {n: t for n, t in full.tables.items() if t.layer not in names.OF_MODELS}
    behind = {
        s for c in charts.values() for s in (*c.of.series, *(b for t in c.of.tables for b in full.series_behind(t)))
    }
    series = {i: s for i, s in full.series.items() if i in behind}
    return dataclasses.replace(full, models={}, series=series, indicators=indicators, charts=charts, tables=tables)


def test_a_change_computes_exactly_what_reads_the_changed_series(toy_run: ToyRun, tmp_path: Path) -> None:
    """One price of a coin refitted the nowcast: everything read every raw table."""
    catalog = without_models()
    assert not toy_run(catalog=catalog).failures
    stored = read_raw(Lakehouse(tmp_path, catalog), "bundled", ["AAA"]).sort("observation_date").tail(1)
    now = datetime.now(UTC)
    revised = stored.with_columns(pl.col("value") + 1, release_time=pl.lit(now), ingested_at=pl.lit(now))
    append_vintages("bundled", revised.drop("run_id"), "synthetic", root=tmp_path, catalog=catalog)
    summary = toy_run("normalized", "indicators", "charts", catalog=catalog)
    assert summary.reasons == {
        "normalized/fred": "raw/bundled changed",
        "indicators/economic_stress_index": "AAA changed",
        "charts/credit_spread": "AAA changed",
        "charts/economic_stress_index": "AAA, indicators/economic_stress_index changed",
    }
    assert {layer: (s.ran, s.skipped) for layer, s in summary.layers.items()} == {
        "normalized": (1, 0),
        "indicators": (1, len(catalog.indicators) - 1),
        "charts": (2, 2),
    }


def test_a_step_below_a_family_whose_series_did_not_change_computes_nothing(
    toy_run: ToyRun, tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the daemon asks for all that is below a family that changed; the UI goes on showing the picture."""
    catalog = without_models()
    toy_run(catalog=catalog)
    before = versions(tmp_path)
    asked = {"charts/zscore_heatmap": "asked for"}
    monkeypatch.setattr(run_module, "stale_tables", lambda lake, instance, found: asked)
    monkeypatch.setattr("macro_assets.graph.compute.chart.figure", None)  # nothing may be drawn
    summary = toy_run("charts/zscore_heatmap", catalog=catalog)
    assert (summary.runs, summary.failures) == (1, {})
    assert (summary.layers["charts"].ran, summary.layers["charts"].skipped) == (0, 1)
    found = instance.fetch_materializations(dg.AssetKey(["charts", "zscore_heatmap"]), limit=2).records
    after, made = (r.asset_materialization.metadata for r in found if r.asset_materialization)
    assert made.items() <= after.items()
    assert {"preview", "file", "dagster/row_count", "unchanged_since"} <= after.keys()
    assert versions(tmp_path) == before
