"""Materializations read from the rows of the event log say what Dagster's own reading says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from macro_assets.orchestration import event_rows
from macro_assets.orchestration.event_rows import materializations, of_events
from macro_assets.orchestration.records import last_record, month_records
from macro_assets_tests.conftest import make_home

KEY = dg.AssetKey(["forecasts", "synthetic"])
MONTHS = ("2016-06", "2016-07")


@pytest.fixture(params=["our storage", "Dagster's own"])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    if request.param == "our storage":
        home = make_home(tmp_path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAGSTER_HOME", str(home.dagster_home))
            patch.chdir(home.dagster_home)
            with dg.DagsterInstance.get() as found:
                yield found
    else:
        with dg.DagsterInstance.ephemeral(str(tmp_path)) as found:
            yield found


def told(instance: dg.DagsterInstance, month: str | None, data: str, **metadata: object) -> None:
    tags = {"dagster/data_version": data, "dagster/code_version": "c", "macro_assets/slice": "s"}
    said = {"inputs": "UNRATE: v1\nthe instant: 2016-06-30T23:59:59", "dagster/row_count": 3, **metadata}
    instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition=month, tags=tags, metadata=said))


def ids(instance: dg.DagsterInstance) -> list[int]:
    return [r.storage_id for r in instance.fetch_materializations(KEY, limit=100).records]


def test_rows_say_what_events_say(instance: dg.DagsterInstance) -> None:
    for n, month in enumerate((*MONTHS, "2016-06", None)):
        told(instance, month, f"d{n}", preview=dg.MetadataValue.md("| a |"), unchanged_since="2016-08-01")
    by_rows = materializations(instance, KEY, ids(instance))
    by_events = of_events(instance, KEY, 100)
    assert len(by_rows) == 4
    key = lambda said: said.timestamp  # noqa: E731
    for row, event in zip(sorted(by_rows, key=key), sorted(by_events, key=key), strict=True):
        assert (row.partition, dict(row.tags), dict(row.texts)) == (
            event.partition,
            dict(event.tags),
            dict(event.texts),
        )
        assert abs(row.timestamp - event.timestamp) < 1e-3


def test_the_latest_of_each_month_counts(instance: dg.DagsterInstance) -> None:
    for n, month in enumerate((*MONTHS, "2016-06")):
        told(instance, month, f"d{n}")
    records = month_records(instance, "forecasts/synthetic", MONTHS)
    assert {m: r.data for m, r in records.items()} == {"2016-06": "d2", "2016-07": "d1"}
    assert month_records(instance, "forecasts/other", MONTHS) == {}


def test_a_log_of_another_shape_is_read_by_dagster(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(instance, "2016-06", "d")
    by_rows = materializations(instance, KEY, ids(instance))

    def other(text: str, at: object) -> event_rows.Said:
        raise KeyError("materialization")

    monkeypatch.setattr(event_rows, "_of_row", other)
    (again,) = materializations(instance, KEY, ids(instance))
    assert (again.partition, dict(again.tags)) == (by_rows[0].partition, dict(by_rows[0].tags))


def test_a_record_names_what_changed(instance: dg.DagsterInstance) -> None:
    told(instance, None, "d")
    record = last_record(instance, "forecasts/synthetic")
    assert record is not None
    before = {"UNRATE": "v1", "the instant": "2016-06-30T23:59:59"}
    assert record.why_stale("c", before, None) == "not in the lake"
    assert record.why_stale("other", before, "d") == "its code or catalog entry changed"
    assert record.why_stale("c", {**before, "UNRATE": "v2", "GDPC1": "v1"}, "d") == "GDPC1, UNRATE changed"
    assert last_record(instance, "forecasts/other") is None
