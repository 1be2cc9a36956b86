"""The state of a source by its fetch log: each state, the worst reason first, and the key before all else."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Holder, default_catalog, names
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake.health import Health, health
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import log_fetches
from macro_assets_tests.sources.wire import toy_series

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYED = default_catalog().sources["bls"]


class Lake:
    """A lake of a source with three toy series."""

    def __init__(self, root: Path, source: str) -> None:
        self.root = root
        full = default_catalog()
        self.source = full.sources[source]
        others = (Holder(source="fred_graph"), Holder(source="dbnomics"))
        series = {i: toy_series(source, i, id=i, holders=others) for i in ("A", "B", "C")}
        self.catalog = dataclasses.replace(full, series=series, copies=())

    def log(self, series_id: str, status: str = "ok", **facts: Any) -> None:
        row = {
            "series_id": series_id,
            "provider": self.source.name,
            "last_run_id": "run",
            "last_seen": NOON,
            "status": status,
            "error": None,
            "rows_seen": 1,
            "last_success": NOON if status == "ok" else None,
            "last_look": None,
            "is_whole": False,
            "latency_ms": 100.0,
            **facts,
        }
        schema = polars_schema(self.catalog.one_table(f"fetch_log/{self.source.name}").columns)
        log_fetches(Lakehouse(self.root, self.catalog), self.source.name, pl.DataFrame([row], schema=schema), {})

    def health(self, environ: dict[str, str] | None = None) -> Health:
        log = Lakehouse(self.root, self.catalog).read(names.fetch_log(self.source.name))
        return health(self.source, self.catalog, log, environ or {})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, "cboe")


def test_a_source_nobody_asked(lake: Lake) -> None:
    found = lake.health()
    assert (found.state, found.series, found.last_success, found.latency_ms) == ("never fetched", 3, None, None)
    assert found.reason == ""


def test_up_with_the_mean_time_of_an_answer_and_the_latest_success(lake: Lake) -> None:
    lake.log("A", latency_ms=100.0, last_success=NOON.replace(hour=9))
    lake.log("B", latency_ms=300.0)
    found = lake.health()
    assert (found.state, found.reason, found.failed, found.substituted) == ("up", "", 0, 0)
    assert (found.latency_ms, found.last_success) == (200.0, NOON)


def test_degraded_where_some_failed(lake: Lake) -> None:
    lake.log("A")
    lake.log("B", "failed", error="series B: HTTP 500")
    found = lake.health()
    assert (found.state, found.failed, found.substituted) == ("degraded", 1, 0)
    assert found.reason == "1 of 2 series failed, 0 came from other holders: series B: HTTP 500"


def test_degraded_where_another_holder_served(lake: Lake) -> None:
    lake.log("A", "failed", error="series A: HTTP 503")
    lake.log("A", provider="fred_graph")
    lake.log("B")
    found = lake.health()
    assert (found.state, found.failed, found.substituted) == ("degraded", 0, 1)
    assert found.reason == "0 of 2 series failed, 1 came from other holders: series A: HTTP 503"


def test_what_another_holder_served_in_an_earlier_run_is_lost_now(lake: Lake) -> None:
    lake.log("A", provider="fred_graph", last_run_id="before")
    lake.log("A", "failed", error="series A: HTTP 503")
    lake.log("B")
    assert (lake.health().failed, lake.health().substituted) == (1, 0)


def test_a_failure_is_the_reason_before_a_substitution(lake: Lake) -> None:
    lake.log("A", "failed", error="substituted")
    lake.log("A", provider="fred_graph")
    lake.log("B", "failed", error="failed itself")
    lake.log("C")
    found = lake.health()
    assert (found.failed, found.substituted) == (1, 1)
    assert found.reason.endswith("failed itself")


def test_down_where_all_failed_with_the_time_of_the_last_success(lake: Lake) -> None:
    for one in ("A", "B"):
        lake.log(one)
        lake.log(one, "failed", error=f"series {one}: no route", last_seen=NOON.replace(hour=20))
    found = lake.health()
    assert (found.state, found.failed, found.last_success) == ("down", 2, NOON)
    assert "no route" in found.reason


def test_down_by_the_latest_run_whoever_served_and_whatever_was_had_before(lake: Lake) -> None:
    lake.log("A")
    lake.log("B", "failed", error="no route", last_run_id="later", last_seen=NOON.replace(hour=20))
    lake.log("B", provider="fred_graph", last_run_id="later", last_seen=NOON.replace(hour=20))
    found = lake.health()
    assert (found.state, found.failed, found.substituted) == ("down", 0, 1)
    assert found.reason == "0 of 2 series failed, 1 came from other holders: no route"


def test_it_recovers(lake: Lake) -> None:
    lake.log("A", "failed", error="no route")
    lake.log("A")
    assert lake.health().state == "up"


def test_a_series_that_left_the_catalog_counts_no_more(lake: Lake) -> None:
    lake.log("A")
    lake.log("GONE", "failed", error="not found")
    assert lake.health().state == "up"


def test_without_its_key_a_source_is_off_whatever_came_before(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "fred")
    lake.log("A")
    lake.log("B", "failed", error="HTTP 500")
    found = lake.health()
    assert (found.state, found.failed, found.last_success) == ("off", 0, NOON)
    assert found.reason.startswith("source fred is off: the environment has no FRED_API_KEY.")
    assert lake.health({"FRED_API_KEY": "synthetic"}).state == "degraded"


def test_without_its_key_others_serve_and_that_is_said_once(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "fred")
    for one in ("A", "B", "C"):
        lake.log(one, "off", error="no key", latency_ms=None)
        lake.log(one, provider="fred_graph")
    found = lake.health()
    assert (found.state, found.series, found.failed, found.substituted) == ("off", 3, 0, 3)
    assert found.reason.endswith(" fred_graph serves 3 of its series.")
    lake.log("A", "failed", provider="fred_graph", error="HTTP 500")
    lake.log("A", provider="dbnomics")
    lake.log("B", "failed", provider="fred_graph", error="HTTP 404")
    found = lake.health()
    assert (found.state, found.failed, found.substituted) == ("off", 1, 2)
    assert "fred_graph serves 1 of its series." in found.reason
    assert "dbnomics serves 1 of its series." in found.reason
    assert found.reason.endswith(" 1 had no answer: HTTP 404")


def test_a_fetch_that_was_skipped_is_no_failure(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "fred")
    for one in ("A", "B", "C"):
        lake.log(one, "off", error="no key", latency_ms=None)
    assert lake.health().state == "off"
    found = lake.health({"FRED_API_KEY": "synthetic"})
    assert (found.state, found.failed, found.latency_ms) == ("never fetched", 0, None)
    lake.log("A")
    assert lake.health({"FRED_API_KEY": "synthetic"}).state == "up"


def test_who_has_series_of_others_alone_is_up_or_down_by_their_logs(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "fred")
    lake.log("A", "off", error="no key")
    lake.log("A", provider="fred_graph")
    log = Lakehouse(tmp_path, lake.catalog).read(names.fetch_log("fred"))
    found = health(lake.catalog.sources["fred_graph"], lake.catalog, log, {})
    assert (found.state, found.series, found.last_success) == ("up", 0, NOON)


def test_an_optional_key_turns_nothing_off(tmp_path: Path) -> None:
    assert KEYED.api is not None
    assert KEYED.api.key is not None
    assert not KEYED.api.key.required
    lake = Lake(tmp_path, "bls")
    lake.log("A")
    assert lake.health().state == "up"
