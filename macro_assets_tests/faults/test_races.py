"""F6: real processes write one table at once. No update is lost, nothing is there twice, and no reader fails."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from deltalake import write_deltalake
from polars.testing import assert_frame_equal

from macro_assets.graph.declared import derivations
from macro_assets.graph.inputs import Inputs
from macro_assets.lakehouse import write
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages, observations_as_of, read_raw
from macro_assets.lakehouse.upkeep.maintenance import maintain_table
from macro_assets_tests.faults import races
from macro_assets_tests.faults.processes import Child
from macro_assets_tests.faults.writers import CATALOG, DERIVED, RAW, derived, step
from macro_assets_tests.orchestration.toy import SERIES, execute, raw_keys, toy_catalog, toy_definitions


def both_end(*children: Child) -> list[object]:
    """What each of them told at its end."""
    said = [c.rest() for c in children]
    assert [c.process.exitcode for c in children] == [0] * len(children)
    return [s[-1] for s in said]


def holds_vintages(lake: Path, numbers: list[int]) -> None:
    """Every vintage is known from its release on, and no statement is there twice."""
    stored = read_raw(Lakehouse(lake, CATALOG), "bundled")
    assert not stored.select(RAW.key).is_duplicated().any()
    for n in numbers:
        known = observations_as_of(races.vintage(n)["release_time"][0], root=lake)
        assert known["value"].to_list() == races.revised(n)["value"].to_list(), n


def test_two_processes_append_to_one_table(tmp_path: Path) -> None:
    """F6: every vintage lands once and is known from its release on, though each may arrive before an earlier one of
    the other process, and most of what a vintage says repeats the one before.
    """
    append_vintages("bundled", races.revised(0), "first", root=tmp_path, catalog=CATALOG)
    writers = [Child(races.append, tmp_path, first) for first in (1, 2)]
    (odd, lost), (even, also_lost) = both_end(*writers)  # type: ignore[misc]
    assert lost + also_lost > 0
    last = 2 * min(odd, even)
    holds_vintages(tmp_path, list(range(last + 1)))
    before = open_table(tmp_path, RAW.name).version()  # type: ignore[union-attr]
    append_vintages(
        "bundled", pl.concat([races.revised(n) for n in range(last + 1)]), "again", root=tmp_path, catalog=CATALOG
    )
    assert open_table(tmp_path, RAW.name).version() == before  # type: ignore[union-attr]


def test_an_append_and_a_compaction_at_once(tmp_path: Path) -> None:
    """F6: one process compacts without a break while another appends; neither fails."""
    append_vintages("bundled", races.revised(0), "first", root=tmp_path, catalog=CATALOG)
    compacter = Child(races.compact, tmp_path)
    for n in range(1, 15):
        append_vintages("bundled", races.revised(n), "run", root=tmp_path, catalog=CATALOG)
    compacter.go_on()
    (compacted,) = both_end(compacter)
    assert compacted
    holds_vintages(tmp_path, list(range(15)))


def test_two_processes_replace_one_table(tmp_path: Path) -> None:
    """F6: no lost update. Every write that was told to be done is a version of its own, and the one that was
    overtaken is refused and leaves no trace.
    """
    write.overwrite(Lakehouse(tmp_path, CATALOG), DERIVED.name, derived(0), {"run_id": "first"})
    writers = [Child(races.replace, tmp_path, name, first) for name, first in (("odd", 1), ("even", 2))]
    (odd, odd_refused), (even, even_refused) = both_end(*writers)  # type: ignore[misc]
    assert odd_refused + even_refused
    assert all("another process changed the same rows meanwhile" in why for why in odd_refused + even_refused)
    table = open_table(tmp_path, DERIVED.name)
    assert table is not None
    history = [h["run_id"] for h in reversed(table.history()) if "run_id" in h]
    assert sorted(history) == sorted(["first", *odd, *even])
    assert [h for h in history if h in odd] == odd
    last = int(history[-1].split()[1])
    assert_frame_equal(Lakehouse(tmp_path, CATALOG).read(DERIVED.name), write.conform(derived(last), DERIVED))


def test_two_processes_replace_two_months_of_one_table(tmp_path: Path) -> None:
    """F6: they do not touch the same rows, so neither is refused."""
    writers = [Child(races.forecast_a_month, tmp_path, month) for month in ("2016-06", "2016-07")]
    (june, between), (july, also_between) = both_end(*writers)  # type: ignore[misc]
    assert between + also_between > 0
    stored = Lakehouse(tmp_path, CATALOG).read(races.FORECASTS.name).select("as_of_month", "value")
    assert stored.sort("as_of_month").rows() == [("2016-06", june - 1.0), ("2016-07", july - 1.0)]


def test_a_vacuum_beside_a_long_reader(tmp_path: Path) -> None:
    """F6: a session stays with the versions it found, though the tables are replaced, compacted and cleaned."""
    for k in range(9):
        step(tmp_path, k)
    reader = Child(races.read_twice, tmp_path)
    before = reader.hear()
    for k in range(9, 15):
        step(tmp_path, k)
    orphan = tmp_path / RAW.name / "part-orphan.parquet"
    orphan.write_bytes(b"left by a killed writer")
    forty_days_ago = time.time() - 40 * 86400
    for file in tmp_path.rglob("*.parquet"):  # the age of a file is no reason to remove it, only of its removal
        os.utime(file, (forty_days_ago, forty_days_ago))
    for table in (RAW, DERIVED):
        maintain_table(Lakehouse(tmp_path, CATALOG), table.name, datetime.now(UTC))
    assert not orphan.exists()
    reader.go_on()
    (after,) = both_end(reader)
    assert after == before


# --- through Dagster ------------------------------------------------------------------------------------------------


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def test_a_step_that_was_overtaken_computes_again_from_fresh_inputs(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F6: between a step's reading and its commit another run replaces the table and changes its input."""
    catalog, definitions = toy_catalog(), toy_definitions(tmp_path)
    lake, table = Lakehouse(tmp_path, catalog), catalog.one_table("normalized/fred")
    assert execute(definitions, instance, raw_keys(*SERIES)).success
    latest = read_raw(lake, "bundled").filter(pl.col("series_id") == "UNRATE").sort("observation_date").tail(1)
    newer = latest.drop("run_id").with_columns(value=pl.col("value") + 1, release_time=pl.lit(datetime.now(UTC)))
    of_another_run = [False]

    def overtaken(*args: object, **kwargs: object) -> None:
        if not of_another_run[0]:
            of_another_run[0] = True
            append_vintages("bundled", newer, "another", root=tmp_path, catalog=catalog)
            write.overwrite(lake, table.name, derived(1), {"run_id": "another"})
        write_deltalake(*args, **kwargs)

    monkeypatch.setattr(write, "write_deltalake", overtaken)
    result = execute(definitions, instance, [dg.AssetKey(["normalized", "fred"])], tags=None)
    assert result.success
    restarts = [e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_RESTARTED]
    assert [e.step_key for e in restarts] == ["normalized__fred"]
    stored = lake.read(table.name)
    (unrate,) = stored.filter(pl.col("series_id") == "UNRATE").sort("observation_date").tail(1)["value"]
    assert unrate == newer["value"].item()
    (family,) = (d for d in derivations(catalog) if table.name in d.tables)
    expected = family.compute(Inputs(lake, [family]).frames(family))[table.name]
    assert_frame_equal(stored, write.conform(expected, table))
