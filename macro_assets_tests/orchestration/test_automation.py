"""Automation, tick by tick: a changed source table runs what is below it, an unchanged one nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from macro_assets.definitions import defs
from macro_assets.orchestration.partitions import AS_OF_MONTHS
from macro_assets_tests.orchestration.toy import (
    SERIES,
    execute,
    raw_keys,
    spoiled_source,
    toy_definitions,
    with_values,
)

OPEN_MONTH = AS_OF_MONTHS.get_last_partition_key()
CHART_TABLES = {"charts/credit_spread", "charts/economic_stress_index", "charts/zscore_heatmap"}
UNPARTITIONED = {
    "normalized/observations",
    "normalized/panel_monthly",
    "normalized/transformed",
    "normalized/zscores",
    "indicators/economic_stress_index",
    *CHART_TABLES,
}
FORECASTS = {"forecasts/gdp_nowcast", "forecasts/gdp_nowcast_news"}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


class Daemon:
    """Ticks of the automation daemon."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self.definitions = definitions
        self.instance = instance
        self.cursor = None

    def tick(self) -> dict[str, set[str | None]]:
        """What the tick requests: partitions (None for an unpartitioned asset) by table."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            result = dg.evaluate_automation_conditions(self.definitions, self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        keys = [r.key for r in result.results if isinstance(r.key, dg.AssetKey) and result.get_num_requested(r.key)]
        return {"/".join(k.path): set(result.get_requested_partitions(k)) for k in keys}


def report(instance: dg.DagsterInstance, table: str, version: str, partition: str | None = None) -> None:
    tags = {"dagster/data_version": version}
    instance.report_runless_asset_event(dg.AssetMaterialization(table.split("/"), partition=partition, tags=tags))


def settled(instance: dg.DagsterInstance) -> Daemon:
    """A daemon that has seen the raw table once and requested what is below."""
    daemon = Daemon(defs, instance)
    assert daemon.tick() == {}
    report(instance, "raw/bundled", "one")
    assert daemon.tick()
    for table in UNPARTITIONED:
        report(instance, table, "one")
    for table in FORECASTS:
        report(instance, table, "one", OPEN_MONTH)
    while daemon.tick():
        pass
    return daemon


def test_a_changed_source_table_requests_everything_below_it(instance: dg.DagsterInstance) -> None:
    daemon = settled(instance)
    report(instance, "raw/bundled", "two")
    requested = daemon.tick()
    assert set(requested) == UNPARTITIONED | FORECASTS
    assert all(requested[t] == {None} for t in UNPARTITIONED)
    assert daemon.tick() == {}


def test_an_unchanged_source_table_requests_nothing(instance: dg.DagsterInstance) -> None:
    daemon = settled(instance)
    report(instance, "raw/bundled", "one")
    assert daemon.tick() == {}


def test_automation_touches_the_open_month_only(instance: dg.DagsterInstance) -> None:
    daemon = settled(instance)
    report(instance, "raw/bundled", "two")
    requested = daemon.tick()
    assert all(requested[t] == {OPEN_MONTH} for t in FORECASTS)


def test_a_changed_forecast_of_any_month_redraws_its_chart(instance: dg.DagsterInstance) -> None:
    daemon = settled(instance)
    report(instance, "forecasts/gdp_nowcast", "backfilled", "2016-06")
    assert set(daemon.tick()) == {"charts/gdp_nowcast"}


def test_a_ripple_ends_where_nothing_changed(instance: dg.DagsterInstance) -> None:
    """A table materialized by itself with the same output asks nothing of what is below."""
    daemon = settled(instance)
    report(instance, "normalized/panel_monthly", "one")
    assert daemon.tick() == {}
    report(instance, "normalized/panel_monthly", "two")
    assert set(daemon.tick()) == {
        "indicators/economic_stress_index",
        "charts/economic_stress_index",
    }


def test_real_runs_from_a_changed_fetch_until_outputs_stop_changing(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = toy_definitions(tmp_path)
    daemon = Daemon(definitions, instance)
    daemon.tick()

    def drain() -> list[set[str]]:
        """Run what each tick requests until a tick requests nothing."""
        rounds = []
        while requested := daemon.tick():
            rounds.append(set(requested))
            keys = [dg.AssetKey(t.split("/")) for t in requested]
            assert execute(definitions, instance, keys, tags=None).success
            assert len(rounds) < 5, rounds
        return rounds

    normalized = {t for t in UNPARTITIONED if t.startswith("normalized/")}
    assert execute(definitions, instance, raw_keys(*SERIES)).success
    assert drain() == [normalized]
    assert execute(definitions, instance, raw_keys(*SERIES)).success
    assert drain() == []
    spoiled_source(monkeypatch, with_values("AAA", pl.col("value") + 0.01))
    assert execute(definitions, instance, raw_keys(*SERIES)).success
    assert drain() == [normalized]


def test_a_failed_run_is_tried_once_more(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    definitions = toy_definitions(tmp_path)
    daemon = Daemon(definitions, instance)
    daemon.tick()
    assert execute(definitions, instance, raw_keys(*SERIES)).success
    first = daemon.tick()
    (tmp_path / "normalized").write_text("a file where a folder must be")  # every write below fails
    keys = [dg.AssetKey(t.split("/")) for t in first]
    assert daemon.tick() == {}  # while the run goes on; a run that fails within one tick is not tried again
    assert not execute(definitions, instance, keys, tags=None).success
    again = daemon.tick()
    assert "normalized/observations" in again
    assert daemon.tick() == {}
    assert not execute(definitions, instance, [dg.AssetKey(t.split("/")) for t in again], tags=None).success
    assert "normalized/observations" not in daemon.tick()
