"""The commands that look after the lake, as a user meets them."""

from __future__ import annotations

import shutil
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
from deltalake import write_deltalake

from macro_assets.catalog import default_catalog
from macro_assets.lakehouse import observations_as_of
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.upkeep.migration import migrate, migrations_due
from macro_assets_tests.conftest import Home, make_home
from macro_assets_tests.lakehouse.upkeep.older import old_nowcast
from macro_assets_tests.lakehouse.upkeep.renamed import live_lake
from macro_assets_tests.once import contents


def payrolls_of_may(home: Home) -> float:
    question = (
        "SELECT value FROM normalized.observations WHERE series_id = 'PAYEMS' AND observation_date = '2016-05-01'"
    )
    return float(home.macro("sql", question, "--csv").stdout.splitlines()[1])


def test_a_wrong_value_is_found_marked_and_taken_back(copied: Home) -> None:
    """history, invalidate, run, reinstate, run: downstream follows, and the past does not change."""
    assert payrolls_of_may(copied) == 143_888_000
    shown = copied.macro("history", "PAYEMS", "2016-05-01").stdout
    assert "143894" in shown
    assert "2016-07-29" in shown
    assert "dated by their first day" in copied.macro("history", "PAYEMS", "2016-05-31").stdout
    marked = copied.macro(
        "invalidate", "PAYEMS", "2016-05-01", "2016-07-29", "--reason", "synthetic doubt", "--author", "ana"
    )
    assert "invalidate" in marked.stdout
    assert "synthetic doubt" in copied.macro("history", "PAYEMS", "2016-05-01").stdout
    copied.macro("run", "normalized/fred")
    assert payrolls_of_may(copied) == 143_894_000
    then = copied.macro(
        "sql", "SELECT value FROM series_as_of('PAYEMS', '2016-08-01')", "--csv", "--as-of", "2016-08-01"
    )
    assert "143888.0" in then.stdout
    copied.macro("reinstate", "PAYEMS", "2016-05-01", "2016-07-29", "--reason", "it was right", "--author", "ben")
    copied.macro("run", "normalized/fred")
    assert payrolls_of_may(copied) == 143_888_000
    again = copied.macro("reinstate", "PAYEMS", "2016-05-01", "2016-07-29", "--reason", "again", expect=2)
    assert "is not marked as invalid" in again.stderr
    assert "Traceback" not in again.stderr


def test_rebuild_of_a_sound_a_lost_and_a_forged_table(copied: Home) -> None:
    """F24: the raw table is deleted and comes back from landing, row for row."""
    before = observations_as_of(None, root=copied.lake)
    assert "Equal row for row; nothing was written." in copied.macro("rebuild", "bundled").stdout
    shutil.rmtree(copied.lake / "raw")
    lost = copied.macro("rebuild", "bundled").stdout
    assert "79,793 rows rebuilt from landing, 0 stored" in lost
    assert "Written." in lost
    assert observations_as_of(None, root=copied.lake).equals(before)
    table = open_table(copied.lake, "raw/bundled")
    assert table is not None
    table.update(updates={"value": "1.5"}, predicate="series_id = 'UNRATE' AND observation_date = '2016-05-01'")
    forged = copied.macro("rebuild", "bundled", expect=1).stdout
    assert "1 rows only in the rebuilt table, 1 only stored" in forged
    assert "--replace" in forged
    copied.macro("rebuild", "bundled", "--replace")
    assert observations_as_of(None, root=copied.lake).equals(before)
    assert "Did you mean bundled" in copied.macro("rebuild", "bundle", expect=2).stderr


def test_the_event_log_is_lost_and_nothing_else(copied: Home) -> None:
    """F24: without Dagster's storage everything is run again, to the same tables: no version is added."""
    import deltalake

    def versions() -> dict[str, int]:
        kept = ("raw", "landing", "normalized", "indicators")
        logs = [log for layer in kept for log in copied.lake.glob(f"{layer}/*/_delta_log")]
        return {str(log): deltalake.DeltaTable(log.parent).version() for log in logs}

    before = versions()
    shutil.rmtree(copied.dagster_home / "data")
    copied.macro("run", "raw", "normalized", "indicators")
    assert versions() == before


def test_maintenance_shows_before_and_after(copied: Home) -> None:
    shown = copied.macro("maintenance").stdout
    assert "raw/bundled" in shown
    assert "79,793" in shown


def test_migrate_says_what_it_would_do_and_does_it(copied: Home) -> None:
    assert "Every table has the present layout" in copied.macro("migrate").stdout
    shutil.rmtree(copied.lake / "landing")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    old = pl.DataFrame({"request": "q", "payload_sha256": "x", "fetched_at": moment, "body": b"z"})
    write_deltalake(copied.lake / "landing/bundled", old.to_arrow())
    refused = copied.macro("run", expect=2)
    assert "macro migrate" in refused.stderr
    for _ in range(2):  # a dry run changes nothing
        assert "would be migrated" in copied.macro("migrate", "--dry-run").stdout
    assert "landing/bundled: schema version 1 to 6, 1 rows: migrated" in copied.macro("migrate").stdout
    assert "Every table has the present layout" in copied.macro("migrate").stdout


def test_migrate_removes_what_views_took_the_place_of(copied: Home) -> None:
    names = ("normalized/observations", "normalized/panel_monthly")
    for name in names:
        write_deltalake(copied.lake / name, pl.DataFrame({"value": [1.0]}).to_arrow())
    before = contents(copied.lake)
    for _ in range(2):  # a dry run changes nothing
        told = copied.macro("migrate", "--dry-run").stdout
        assert (
            "normalized/observations: computed, in its place there is normalized.observations: would be removed" in told
        )
        assert "What was taken in stays as it is" in told
    assert contents(copied.lake) == before
    assert (
        "normalized/panel_monthly: computed, in its place there is normalized.monthly" in copied.macro("migrate").stdout
    )
    assert contents(copied.lake) == {f: h for f, h in before.items() if not f.startswith(names)}
    assert "Every table has the present layout" in copied.macro("migrate").stdout


def test_migrate_brings_forecasts_and_news_into_the_long_tables(copied: Home) -> None:
    for name in ("forecasts/gdp_nowcast", "news/gdp_nowcast", "diagnostics/gdp_nowcast"):
        shutil.rmtree(copied.lake / name)
    old_nowcast(copied.lake)
    before = contents(copied.lake)
    refused = copied.macro("run", expect=2).stderr
    assert "forecasts/gdp_nowcast" in refused
    assert "has schema version 3, this macro_assets needs 6. `macro migrate` brings it there" in refused
    would = copied.macro("migrate", "--dry-run").stdout
    assert contents(copied.lake) == before, "neither of them changes anything"
    did = copied.macro("migrate").stdout
    for name, rows in (("news", 3), ("diagnostics", 5), ("forecasts", 5)):
        told = f"{name}/gdp_nowcast: schema version 3 to 6, {rows} rows: "
        assert f"{told}would be migrated" in would
        assert f"{told}migrated" in did
    moved = "forecasts/gdp_nowcast_news: computed, in its place there is news.gdp_nowcast: "
    assert f"{moved}would be removed" in would
    assert f"{moved}removed" in did
    assert "Every table has the present layout" in copied.macro("migrate").stdout
    question = "SELECT round(sum(impact), 3) AS moved, any_value(impact_unit) AS unit FROM news.gdp_nowcast"
    assert copied.macro("sql", question, "--csv").stdout == "moved,unit\n-0.063,percentage_points\n"
    question = "SELECT value FROM forecasts.gdp_nowcast WHERE statistic = 'mean' AND horizon = 2"
    assert copied.macro("sql", question, "--csv").stdout == "value\n2.5\n"


def test_migrate_gives_series_their_new_ids_and_assets(tmp_path: Path) -> None:
    """In the lake and then in Dagster's event log; what keeps its id is told, with what to do."""
    home = make_home(tmp_path)
    live_lake(home.lake)
    with chdir(home.dagster_home), dg.DagsterInstance.from_config(str(home.dagster_home)) as dagster:
        for series_id in ("PAYEMS_FRED", "UNRATE_FRED"):
            dagster.report_runless_asset_event(dg.AssetMaterialization(["raw", "fred", series_id], partition="2025"))
    before = contents(home.lake)
    for refused in (home.macro("run", expect=2).stderr, home.macro("doctor", expect=1).stdout):
        assert "`macro migrate` brings it there" in " ".join(refused.split())
    would = home.macro("migrate", "--dry-run").stdout
    assert contents(home.lake) == before
    did = home.macro("migrate").stdout
    assert would.replace("would be ", "") == did
    assert "raw/yahoo_chart: schema version 4 to 6, 6 rows: migrated" in did
    assert "raw/fred: UNRATE_FRED keeps its id" in did
    assert "`macro fetch raw/fred/UNRATE` asks for all of it" in did
    assert "Dagster: the history of 1 assets renamed" in did
    assert "Every table has the present layout" in home.macro("migrate").stdout
    with chdir(home.dagster_home), dg.DagsterInstance.from_config(str(home.dagster_home)) as dagster:
        assert dagster.get_materialized_partitions(dg.AssetKey(["raw", "fred", "PAYEMS"])) == {"2025"}
        assert dagster.get_materialized_partitions(dg.AssetKey(["raw", "fred", "UNRATE_FRED"])) == {"2025"}
    shown = home.macro("sql", "SELECT DISTINCT series_id FROM raw.yahoo_chart ORDER BY ALL", "--csv").stdout
    assert shown.split() == ["series_id", "DJIA", "SP500", "YAHOO_NASDAQ"]


def test_a_migration_that_was_interrupted_before_the_event_log_goes_on(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    live_lake(home.lake)
    with chdir(home.dagster_home), dg.DagsterInstance.from_config(str(home.dagster_home)) as dagster:
        dagster.report_runless_asset_event(dg.AssetMaterialization(["raw", "fred_recent", "DJIA"], partition="2025"))
    lake = Lakehouse(home.lake, default_catalog())
    for due in migrations_due(lake):
        migrate(lake, due.table_name)
    assert home.macro("migrate").stdout == "Dagster: the history of 1 assets renamed\n"


def test_backup_verify_damage_restore(copied: Home, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    copied.macro("backup", str(backups))
    assert " 0 " in copied.macro("backup", str(backups), "--keep-days", "30").stdout
    copied.macro("backup", str(backups), "--verify")
    restored = Home(tmp_path / "restored", copied.dagster_home)
    copied.macro("restore", str(backups), "--to", str(restored.lake))
    for moment in ("2016-06-30", "2016-07-29", None):
        assert observations_as_of(moment, root=restored.lake).equals(observations_as_of(moment, root=copied.lake))
    refused = copied.macro("restore", str(backups), "--to", str(restored.lake), expect=2)
    assert "Traceback" not in refused.stderr
    victim = max((p for p in (backups / "objects").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-1] + b"!")
    damaged = copied.macro("backup", str(backups), "--verify", expect=1)
    assert "DAMAGED" in damaged.stderr
