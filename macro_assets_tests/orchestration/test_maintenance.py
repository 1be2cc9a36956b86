"""Upkeep and the invalidations as assets of the graph."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg

from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import INVALIDATIONS, invalidate
from macro_assets.orchestration.assets.audit import report_decision
from macro_assets.orchestration.assets.maintenance import TABLE
from macro_assets.orchestration.describe import key
from macro_assets_tests.orchestration.test_automation import Daemon
from macro_assets_tests.orchestration.toy import execute, raw_keys, toy_catalog, toy_definitions


def test_upkeep_is_an_asset_with_figures_before_and_after(tmp_path: Path) -> None:
    definitions = toy_definitions(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        assert execute(definitions, instance, raw_keys("PAYEMS")).success
        done = execute(definitions, instance, [key(TABLE)], tags=None)
        assert done.success
        (event,) = done.asset_materializations_for_node("maintenance__tables")
    assert event.metadata["rows_before"].value == event.metadata["rows_after"].value > 0
    assert {"files_before", "files_after", "bytes_before", "bytes_after"} <= set(event.metadata)
    table = toy_catalog().one_table(TABLE)
    stored = Lakehouse(tmp_path, toy_catalog()).read(table.name)
    assert {"raw/bundled", "landing/bundled"} <= set(stored["table_name"])


def test_upkeep_is_scheduled_weekly(tmp_path: Path) -> None:
    schedule = toy_definitions(tmp_path).resolve_schedule_def("weekly_maintenance")
    assert schedule.cron_schedule == "0 3 * * 0"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def test_a_decision_is_an_event_that_changes_what_is_below(tmp_path: Path) -> None:
    catalog = toy_catalog()
    definitions = toy_definitions(tmp_path, catalog)
    observations = key("normalized/fred")
    with dg.DagsterInstance.ephemeral() as instance:
        assert execute(definitions, instance, raw_keys("PAYEMS")).success
        assert execute(definitions, instance, [observations], tags=None).success
        first = open_table(tmp_path, "normalized/fred")
        invalidate("PAYEMS", date(2016, 5, 1), "2016-07-29", "synthetic", "test", tmp_path, catalog)
        report_decision(Lakehouse(tmp_path, catalog), instance)
        reported = instance.get_latest_materialization_event(key(INVALIDATIONS))
        assert reported is not None
        assert execute(definitions, instance, [observations], tags=None).success
    second = open_table(tmp_path, "normalized/fred")
    assert first is not None
    assert second is not None
    assert second.version() == first.version() + 1


def test_a_decision_wakes_what_is_below_by_itself(tmp_path: Path) -> None:
    catalog = toy_catalog()
    definitions = toy_definitions(tmp_path, catalog)
    with dg.DagsterInstance.ephemeral() as instance:
        assert execute(definitions, instance, raw_keys("PAYEMS")).success
        tables = [k for k in definitions.resolve_asset_graph().executable_asset_keys if k.path[0] == "normalized"]
        assert execute(definitions, instance, tables, tags=None).success
        daemon = Daemon(definitions, instance)
        daemon.tick()
        invalidate("PAYEMS", date(2016, 5, 1), "2016-07-29", "synthetic", "test", tmp_path, catalog)
        report_decision(Lakehouse(tmp_path, catalog), instance)
        assert "normalized/fred" in daemon.tick()
