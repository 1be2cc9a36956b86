"""Upkeep and migration on real tables: fewer files, the same rows, and nothing lost that must be kept."""

from __future__ import annotations

import dataclasses
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from macro_assets.catalog import Catalog, Retention, Table
from macro_assets.lakehouse import layout, write
from macro_assets.lakehouse.delta import LakeError, content_hash, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import log_fetches
from macro_assets.lakehouse.raw import append_vintages, observations_as_of
from macro_assets.lakehouse.upkeep.maintenance import maintain, maintain_table
from macro_assets.lakehouse.upkeep.migration import migrate, migrations_due
from macro_assets_tests.lakehouse.synthetic import day, forecast_rows, frame, month, row, scored, vintage_frame
from macro_assets_tests.lakehouse.upkeep.older import old_table

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def fill(root: Path, vintages: int) -> None:
    for n in range(vintages):
        moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=n)
        append_vintages("bundled", frame(row(month(1), float(n), moment)).drop("run_id"), f"run{n}", root=root)


def table_of(root: Path, name: str = "raw/bundled") -> DeltaTable:
    found = open_table(root, name)
    assert found is not None
    return found


@pytest.fixture
def lake(tmp_path: Path, catalog: Catalog) -> Lakehouse:
    return Lakehouse(tmp_path, catalog)


def test_the_writing_step_compacts_and_checkpoints(
    lake: Lakehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "MAX_FILES", 4)
    fill(tmp_path, 12)
    assert len(table_of(tmp_path).file_uris()) <= 5
    assert list((tmp_path / "raw/bundled/_delta_log").glob("*.checkpoint.parquet"))
    stored = lake.read("raw/bundled")
    assert sorted(stored["value"]) == [float(n) for n in range(12)]
    for n in (0, 5, 11):
        moment = datetime(2020, 1, 1, n, tzinfo=UTC)
        assert observations_as_of(moment, root=tmp_path)["value"].to_list() == [float(n)]


def test_upkeep_merges_files_and_says_so(lake: Lakehouse, tmp_path: Path) -> None:
    fill(tmp_path, 6)
    before = content_hash(lake.read("raw/bundled").sort("release_time"))
    done, _ = maintain(lake, NOW)
    assert (done.table_name, done.rows_before, done.rows_after, done.files_before) == ("raw/bundled", 6, 6, 6)
    assert len(table_of(tmp_path).file_uris()) == 1
    after = content_hash(lake.read("raw/bundled").sort("release_time"))
    assert after == before
    version = table_of(tmp_path).version()
    again, _ = maintain(lake, NOW)
    assert table_of(tmp_path).version() == version, "upkeep of a table in shape changes nothing"
    assert again.files_before == again.files_after


def test_vacuum_removes_only_what_nobody_can_read(lake: Lakehouse, tmp_path: Path) -> None:
    """A reader of a version of the last 30 days keeps its files; older leftovers go."""
    fill(tmp_path, 3)
    reader = table_of(tmp_path)
    (tmp_path / "raw/bundled" / "part-orphan.parquet").write_bytes(b"left by a killed writer")
    maintain_table(lake, "raw/bundled", NOW)
    assert reader.to_pyarrow_table().num_rows == 3
    assert (tmp_path / "raw/bundled" / "part-orphan.parquet").exists()


def test_old_leftovers_are_removed(lake: Lakehouse, tmp_path: Path, catalog: Catalog) -> None:
    table = catalog.one_table("normalized/fred")
    for value in (1.0, 2.0):
        rows = pl.DataFrame({"source": "s", "series_id": "A", "observation_date": date(2020, 1, 1), "zscore": value})
        write.overwrite(lake, table.name, scored(rows), {})
    log = tmp_path / table.name / "_delta_log"
    forty_days_ago = time.time() - 40 * 86400
    for entry in log.glob("*.json"):
        # the time a file was removed stands in the log entry itself
        text = entry.read_text()
        for key in ('"deletionTimestamp":', '"modificationTime":'):
            head, found, tail = text.partition(key)
            if found:
                digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
                text = f"{head}{key}{int(digits) - 40 * 86400 * 1000}{tail[len(digits) :]}"
        entry.write_text(text)
        os.utime(entry, (forty_days_ago, forty_days_ago))
    for file in (tmp_path / table.name).glob("*.parquet"):
        os.utime(file, (forty_days_ago, forty_days_ago))
    done = maintain_table(lake, table.name, NOW)
    assert (done.files_before, done.files_after) == (2, 1)
    assert done.bytes_after < done.bytes_before
    assert lake.read(table.name)["zscore"].to_list() == [2.0]


def test_what_killed_writers_left_is_removed_when_it_is_old(lake: Lakehouse, tmp_path: Path) -> None:
    """Files no version ever named, and half-written ones; not the old file of a version that was replaced just now."""
    fill(tmp_path, 3)
    folder, reader = tmp_path / "raw/bundled", table_of(tmp_path)
    for name in ("part-old.parquet", "part-old.parquet#1", "_delta_log/part-old.json#1", "part-young.parquet#1"):
        (folder / name).write_bytes(b"left by a killed writer")
    forty_days_ago = time.time() - 40 * 86400
    for file in folder.rglob("*"):
        if file.is_file() and "young" not in file.name:
            os.utime(file, (forty_days_ago, forty_days_ago))
    maintain_table(lake, "raw/bundled", NOW)
    assert [p.name for p in folder.rglob("*") if "old" in p.name or "young" in p.name] == ["part-young.parquet#1"]
    assert reader.to_pyarrow_table().num_rows == 3


# --- retention -----------------------------------------------------------------------------------------------------


def test_forecasts_are_kept_seven_years_from_when_they_were_computed(lake: Lakehouse, catalog: Catalog) -> None:
    """A backtest of 2010 computed last month stays; what was computed eight years ago goes; the undated stays."""
    table = catalog.one_table("forecasts/gdp_nowcast")
    assert table.retention == Retention(years=7, column="computed_at")
    rows = [
        forecast_rows("2010-01", 1.0, NOW - timedelta(days=30)),
        forecast_rows("2018-10", 1.0, NOW - timedelta(days=8 * 366)),
        forecast_rows("2011-01", 1.0, None),
        forecast_rows("2019-11", 1.0, NOW - timedelta(days=7 * 365 - 10)),
    ]
    write.overwrite(lake, table.name, pl.concat(rows), {})
    done = maintain_table(lake, table.name, NOW)
    assert (done.rows_before, done.rows_after) == (4, 3)
    assert sorted(lake.read(table.name)["as_of_month"]) == ["2010-01", "2011-01", "2019-11"]


def test_retention_of_two_years_by_a_date(tmp_path: Path, catalog: Catalog) -> None:
    """As a table of positions has it."""
    plain = catalog.one_table("normalized/fred")
    positions = plain.model_copy(update={"retention": Retention(years=2, column="observation_date")})
    lake = Lakehouse(tmp_path, dataclasses.replace(catalog, tables={positions.name: positions}))
    rows = pl.DataFrame(
        {
            "source": "s",
            "series_id": "A",
            "observation_date": [date(2024, 10, 31), date(2024, 11, 1), date(2026, 10, 1)],
            "zscore": 1.0,
        }
    )
    write.overwrite(lake, positions.name, scored(rows), {})
    maintain_table(lake, positions.name, NOW)
    kept = lake.read(positions.name)["observation_date"]
    assert sorted(kept) == [date(2024, 11, 1), date(2026, 10, 1)]


@pytest.mark.parametrize("layer", ["raw/bundled", "landing/bundled", "audit/invalidations"])
def test_vintages_and_their_proof_can_have_no_retention(catalog: Catalog, layer: str) -> None:
    entry = catalog.one_table(layer).model_dump()
    with pytest.raises(ValueError, match="kept for ever"):
        Table(**{**entry, "retention": {"years": 7, "column": "release_time"}})


def test_retention_needs_a_clock(catalog: Catalog) -> None:
    entry = catalog.one_table("normalized/fred").model_dump()
    with pytest.raises(ValueError, match="is no date or timestamp of the table"):
        Table(**{**entry, "retention": {"years": 7, "column": "zscore"}})


# --- layout versions -----------------------------------------------------------------------------------------------


def old_landing(root: Path, catalog: Catalog) -> None:
    """The table as version 1 wrote it."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    rows = pl.DataFrame({"request": "q", "payload_sha256": "x", "fetched_at": moment, "body": b"z"})
    write_deltalake(root / "landing/bundled", rows.to_arrow())


def test_an_older_table_is_refused_until_it_is_migrated(lake: Lakehouse, tmp_path: Path, catalog: Catalog) -> None:
    """F23."""
    old_landing(tmp_path, catalog)
    table = catalog.one_table("landing/bundled")
    with pytest.raises(LakeError, match=r"landing/bundled .* schema version 1.*needs 6.*macro migrate --dry-run"):
        lake.read(table.name)
    (due,) = migrations_due(lake)
    assert (due.table_name, due.written, due.rows) == ("landing/bundled", 1, 1)
    migrate(lake, "landing/bundled")
    assert migrations_due(lake) == []
    stored = lake.read(table.name)
    assert stored.select("request", "run_id", "series_ids").rows() == [("q", "before schema version 2", None)]
    assert table_of(tmp_path, table.name).version() == 1, "one commit; the version before is in the history"
    migrated = DeltaTable(tmp_path / table.name, version=0)
    assert migrated.to_pyarrow_table().column_names == ["request", "payload_sha256", "fetched_at", "body"]


SECOND_LANDING = pl.DataFrame(
    {
        "request": ["GET q", "GET r"],
        "payload_sha256": ["x", "y"],
        "fetched_at": [datetime(2026, 1, 1, 23, 59, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)],
        "run_id": "run",
        "http_status": 200,
        "series_ids": "A B",
        "window_first": [date(2020, 1, 1), None],
        "window_last": pl.Series([None, None], dtype=pl.Date),
        "body": [b"z", b"z"],
    }
)
SECOND_LOG = pl.DataFrame(
    {
        "series_id": ["A", "B"],
        "last_run_id": "run",
        "last_seen": datetime(2026, 1, 1, tzinfo=UTC),
        "status": ["ok", "failed"],
        "error": [None, "HTTP 500"],
        "rows_seen": [7, 0],
    }
)


def test_receipts_of_the_second_layout_say_on_which_day_they_were_asked(
    lake: Lakehouse, tmp_path: Path, catalog: Catalog
) -> None:
    """By the UTC day of the answer; nothing was known, nothing could be compared with."""
    old_table(tmp_path, "landing/bundled", 2, SECOND_LANDING)
    table = catalog.one_table("landing/bundled")
    with pytest.raises(LakeError, match=r"landing/bundled .* schema version 2.*needs 6"):
        lake.read(table.name)
    migrate(lake, table.name)
    stored = lake.read(table.name).sort("fetched_at")
    assert stored["asked_on"].to_list() == [date(2026, 1, 1), date(2026, 1, 2)]
    for column in ("known_through", "validator"):
        assert stored[column].to_list() == [None, None]
    assert stored.select(SECOND_LANDING.columns).equals(SECOND_LANDING)
    assert migrations_due(lake) == []


def test_the_log_of_the_second_layout_knows_the_success_of_what_went_well(tmp_path: Path, catalog: Catalog) -> None:
    """So that a migrated lake is not fetched anew from the beginning."""
    old_table(tmp_path, "fetch_log/bundled", 2, SECOND_LOG)
    (due,) = migrations_due(Lakehouse(tmp_path, catalog))
    assert (due.table_name, due.written, due.rows) == ("fetch_log/bundled", 2, 2)
    migrate(Lakehouse(tmp_path, catalog), "fetch_log/bundled")
    stored = Lakehouse(tmp_path, catalog).read("fetch_log/bundled").sort("series_id")
    assert stored["last_success"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC), None]
    assert stored.select(SECOND_LOG.columns).equals(SECOND_LOG)
    assert stored.select("provider", "latency_ms").rows() == [("bundled", None)] * 2, "the source was asked"
    assert stored["last_look"].null_count() == 2, "nobody knows when all was last asked for"


def test_the_first_layout_is_migrated_in_one_step(lake: Lakehouse, tmp_path: Path, catalog: Catalog) -> None:
    """Both changes of landing; the log, which the second layout did not change, had no version yet either."""
    old_landing(tmp_path, catalog)
    old_table(tmp_path, "fetch_log/bundled", 1, SECOND_LOG)
    for name in ("landing/bundled", "fetch_log/bundled"):
        migrate(lake, name)
        assert table_of(tmp_path, name).version() == 1
    receipt = lake.read("landing/bundled").row(0, named=True)
    assert (receipt["run_id"], receipt["asked_on"]) == ("before schema version 2", date(2026, 1, 1))
    assert lake.read("fetch_log/bundled")["last_success"].null_count() == 1


def test_a_migrated_lake_goes_on(lake: Lakehouse, tmp_path: Path, catalog: Catalog) -> None:
    """Its landing can be replayed and added to, its log replaced."""
    old_table(tmp_path, "fetch_log/bundled", 2, SECOND_LOG)
    migrate(lake, "fetch_log/bundled")
    table = catalog.one_table("fetch_log/bundled")
    before = lake.read(table.name)
    failed = before.filter(pl.col("series_id") == "A").with_columns(
        status=pl.lit("failed"), last_success=pl.lit(None, pl.Datetime("us", "UTC"))
    )
    log_fetches(lake, "bundled", failed, {})
    after = lake.read(table.name).sort("series_id")
    assert after["status"].to_list() == ["failed", "failed"]
    assert after["last_success"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC), None], "the latest success is kept"


def test_an_older_table_whose_columns_did_not_change_is_read_as_it_is(
    lake: Lakehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_vintages("bundled", vintage_frame(0, [1.0]).drop("run_id"), "run", root=tmp_path)
    monkeypatch.setattr("macro_assets.lakehouse.delta.SCHEMA_VERSION", 7)
    monkeypatch.setitem(layout.MIGRATIONS, 6, {"landing": lambda rows, _: rows})  # type: ignore[arg-type]
    assert observations_as_of(day(1), root=tmp_path)["value"].to_list() == [1.0]
    assert migrations_due(lake) == []


def test_what_was_computed_as_of_months_does_not_say_who_served_it(lake: Lakehouse, tmp_path: Path) -> None:
    """And goes on with months that do."""
    table = lake.table("real_time/sahm_rule")
    stated = {"as_of_month": "2016-06", "as_of": NOW, "computed_at": NOW, "observation_date": date(2016, 5, 1)}
    month = pl.DataFrame([{**stated, "value": 0.1, "signal": False}])
    old_table(tmp_path, table.name, 4, month)
    (due,) = migrations_due(lake)
    assert due.table_name == table.name
    migrate(lake, table.name)
    said = month.with_columns(as_of_month=pl.lit("2016-07"), providers=pl.lit("fred, bundled"))
    write.overwrite(lake, table.name, said, {}, ["2016-07"])
    assert sorted(lake.read(table.name)["providers"], key=str) == [None, "fred, bundled"]


def described(catalog: Catalog, name: str, words: str) -> Catalog:
    """The catalog with other words for the columns of a table."""
    table = catalog.one_table(name)
    columns = tuple(column.model_copy(update={"description": words}) for column in table.columns)
    return dataclasses.replace(catalog, tables={**catalog.tables, name: table.model_copy(update={"columns": columns})})


@pytest.mark.parametrize("name", ["diagnostics/gdp_nowcast", "calendar/releases"])
def test_a_table_is_written_to_though_its_columns_were_described_otherwise(
    lake: Lakehouse, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """By an older version too: Delta refuses rows that say something else of a column than what is stored says."""
    rows = {
        "diagnostics/gdp_nowcast": pl.DataFrame(
            {"as_of_month": ["2016-06"], "as_of": [NOW], "computed_at": [NOW], "name": ["x"], "value": [1.0]}
        ),
        "calendar/releases": pl.DataFrame(
            {"source": ["fred"], "release": ["1"], "release_name": ["x"], "release_date": [date(2026, 1, 1)]}
        ),
    }[name]
    with monkeypatch.context() as before:
        before.setattr(layout, "SCHEMA_VERSION", 4)
        write.append(Lakehouse(tmp_path, described(catalog, name, "in other words")), name, rows, {})
    key = lake.table(name).key[0]
    write.append(lake, name, rows.with_columns(pl.lit("2016-07").alias(key)), {})
    assert sorted(lake.read(name)[key]) == sorted([rows[key][0], "2016-07"])
    if lake.table(name).as_of_partitioned:
        write.overwrite(lake, name, rows.with_columns(value=2.0), {}, ["2016-06"])
        assert sorted(lake.read(name)["value"]) == [1.0, 2.0]
    assert layout.written_version(table_of(tmp_path, name)) == 4, "as far as a later version is concerned, it is as old"
    write.overwrite(lake, name, rows.with_columns(pl.lit("2016-08").alias(key)), {})
    field = table_of(tmp_path, name).schema().fields[0]
    assert layout.written_version(table_of(tmp_path, name)) == layout.SCHEMA_VERSION
    assert field.metadata["comment"] == lake.table(name).columns[0].description


def test_a_migration_that_does_not_fit_leaves_the_table(
    lake: Lakehouse, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_landing(tmp_path, catalog)
    monkeypatch.setitem(layout.MIGRATIONS[2], "landing", lambda rows, _: rows)  # type: ignore[index]
    with pytest.raises(LakeError, match="columns missing from the data: run_id"):
        migrate(lake, "landing/bundled")
    assert DeltaTable(tmp_path / "landing/bundled").version() == 0


def test_a_writer_during_a_migration_wins(
    lake: Lakehouse, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_landing(tmp_path, catalog)
    step = layout.MIGRATIONS[2]["landing"]

    def meanwhile(rows: pl.DataFrame, name: str) -> pl.DataFrame:
        write_deltalake(tmp_path / "landing/bundled", rows.to_arrow(), mode="append")
        return step(rows, name)

    monkeypatch.setitem(layout.MIGRATIONS[2], "landing", meanwhile)  # type: ignore[index]
    with pytest.raises(write.WriteConflictError, match="was written meanwhile"):
        migrate(lake, "landing/bundled")
    assert DeltaTable(tmp_path / "landing/bundled").to_pyarrow_table().num_rows == 2


def test_upkeep_of_a_lake_that_is_partly_there(lake: Lakehouse, tmp_path: Path, catalog: Catalog) -> None:
    fill(tmp_path, 1)
    assert [u.table_name for u in maintain(lake, NOW)] == ["raw/bundled", "silences/bundled"]
    nothing = dataclasses.replace(catalog, tables={})
    assert list(maintain(Lakehouse(tmp_path, nothing), NOW)) == []
