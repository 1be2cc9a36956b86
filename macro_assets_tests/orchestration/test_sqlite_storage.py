"""The SQLite storage with open connections writes what the stock one writes, row for row."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from macro_assets.orchestration import sqlite_storage
from macro_assets.orchestration.partitions import RANGE_END, RANGE_START
from macro_assets.orchestration.sqlite_storage import KeptOpenEventLog, SqliteStorage
from macro_assets_tests.conftest import ROOT
from macro_assets_tests.orchestration.toy import SERIES, execute, raw_keys, toy_definitions

A_FEW_YEARS = {RANGE_START: "2011", RANGE_END: "2016"}
TABLES = {
    "event_logs": "dagster_event_type, step_key, asset_key, partition",
    "asset_keys": "asset_key, asset_details, tags, last_materialization IS NULL",
    "asset_event_tags": "asset_key, key, CASE WHEN key LIKE '%storage_id%' THEN '' ELSE value END",
    "asset_check_executions": "asset_key, check_name, execution_status, partition",
}


def instance(home: Path, custom: bool) -> dg.DagsterInstance:
    home.mkdir()
    config = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    kept = {"telemetry": config["telemetry"], "storage": config["storage"]}
    kept["storage"]["custom"]["config"]["base_dir"] = str(home / "db")
    if not custom:
        kept["storage"] = {"sqlite": {"base_dir": str(home / "db")}}
    (home / "dagster.yaml").write_text(yaml.safe_dump(kept))
    return dg.DagsterInstance.from_config(str(home))


def rows(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the databases of a home hold, in the order it was stored, without ids and times."""
    found = {}
    for shard in sorted((home / "db" / "history" / "runs").glob("*.db")):
        name = "index" if shard.stem == "index" else "run"
        with sqlite3.connect(shard) as connection:
            for table, columns in TABLES.items():
                found[f"{name} {table}"] = connection.execute(f"SELECT {columns} FROM {table} ORDER BY id").fetchall()
        connection.close()
    return found


@pytest.mark.parametrize("batch", ["0", "1000"])
def test_the_rows_are_those_of_the_stock_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: str) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", batch)
    stored = []
    for custom in (False, True):
        home = tmp_path / f"custom {custom}"
        with instance(home, custom) as dagster:
            assert isinstance(dagster.event_log_storage, KeptOpenEventLog) == custom
            done = execute(toy_definitions(home / "lake"), dagster, raw_keys(*SERIES), A_FEW_YEARS)
            assert done.success
            assert dagster.get_materialized_partitions(raw_keys("PAYEMS")[0]) >= {"2011", "2016"}
        stored.append(rows(home))
    assert stored[0].keys() == stored[1].keys()
    assert len(stored[0]["index event_logs"]) > 50
    for table in stored[0]:
        assert stored[1][table] == stored[0][table], table


def event(n: int, run_id: str = "r") -> dg.EventLogEntry:
    return dg.EventLogEntry(None, 10, f"message {n}", run_id, 1.0 + n)


def test_a_batch_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = KeptOpenEventLog(str(tmp_path))
    stock = SqliteEventLogStorage.store_event

    def breaking(self: SqliteEventLogStorage, one: dg.EventLogEntry) -> None:
        if one.user_message == "message 2":
            raise OSError("synthetic")
        stock(self, one)

    monkeypatch.setattr(SqliteEventLogStorage, "store_event", breaking)
    with pytest.raises(OSError, match="synthetic"):
        log.store_event_batch([event(1), event(2)])
    assert list(log.get_logs_for_run("r")) == []
    log.store_event_batch([event(3), event(4)])
    assert [e.user_message for e in log.get_logs_for_run("r")] == ["message 3", "message 4"]
    log.dispose()


def test_few_databases_are_open_and_all_can_be_read(tmp_path: Path) -> None:
    log = KeptOpenEventLog(str(tmp_path))
    for n in range(20):
        log.store_event(event(n, f"run{n}"))
    assert len(log._engines) <= sqlite_storage._OPEN_SHARDS + 1
    assert all(len(log.get_logs_for_run(f"run{n}")) == 1 for n in range(20))
    log.dispose()


def test_a_database_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    log = KeptOpenEventLog(str(tmp_path))
    log.store_event(event(1))
    for file in tmp_path.glob("r.db*"):
        file.unlink()
    log.store_event(event(2))
    assert [e.user_message for e in log.get_logs_for_run("r")] == ["message 2"]
    log.dispose()


def test_threads_lose_nothing(tmp_path: Path) -> None:
    log = KeptOpenEventLog(str(tmp_path))
    threads = [
        threading.Thread(target=lambda n=n: [log.store_event(event(n * 100 + i)) for i in range(25)]) for n in range(4)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(log.get_logs_for_run("r")) == 100
    log.dispose()


def test_a_fork_opens_connections_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = KeptOpenEventLog(str(tmp_path))
    log.store_event(event(1))
    before = log._engines["r"]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    log.store_event(event(2))
    assert log._engines["r"] is not before
    assert len(log.get_logs_for_run("r")) == 2
    before.dispose()
    log.dispose()


def test_without_the_internals_the_stock_storage_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_storage, "_INTERNALS", ("a_method_of_another_release",))
    storage = SqliteStorage(str(tmp_path))
    assert type(storage.event_log_storage) is SqliteEventLogStorage
    assert type(DagsterSqliteStorage(str(tmp_path)).event_log_storage) is SqliteEventLogStorage
