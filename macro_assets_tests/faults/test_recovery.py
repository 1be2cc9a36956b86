"""After a repair and a restore, `macro run` ends with the tables of an undamaged lake, whatever Dagster remembers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from macro_assets.catalog import default_catalog
from macro_assets.graph.declared import derivations
from macro_assets.lakehouse.delta import data_version, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets_tests.conftest import Built, Home

DERIVED = [t for d in derivations(default_catalog()) for t in d.tables]
DECISION = ("AAA", "2016-05-01", "2016-06-01", "--reason", "synthetic", "--author", "test")


def says(lake: Path) -> dict[str, str]:
    """What every derived table says."""
    here = Lakehouse.at(lake)
    return {t: data_version(here.read(t), here.table(t)) for t in DERIVED if open_table(lake, t) is not None}


def damage(lake: Path, table: str) -> None:
    """What a power cut leaves: the newest entry of the log is cut off."""
    newest = max((lake / table / "_delta_log").glob("*.json"))
    newest.write_text(newest.read_text()[:40])


@pytest.mark.parametrize("table", ["normalized/fred", "indicators/economic_stress_index", "forecasts/gdp_nowcast"])
def test_a_repaired_table_is_computed_again_and_nothing_below_is_emptied(
    built: Built, copied: Home, table: str
) -> None:
    """Attack 1: the repair goes back to a version without rows, and what was below was emptied for good."""
    before = says(built.home.lake)
    damage(copied.lake, table)
    copied.macro("doctor", "--repair", expect=None)
    assert says(copied.lake)[table] != before[table]
    ran = copied.macro("run").stdout
    assert "Everything is up to date" not in ran
    assert says(copied.lake) == before
    assert "Everything is up to date" in copied.macro("run").stdout


@pytest.mark.parametrize("storage", ["newer", "older", "none"])
def test_a_restored_lake_ends_with_its_own_tables(copied: Home, tmp_path: Path, storage: str) -> None:
    """Attack 2: the derived tables stayed at the backup's state, or at another, with 'up to date'."""
    backups, older = tmp_path / "backups", tmp_path / "older"
    first = says(copied.lake)
    shutil.copytree(copied.dagster_home, older)
    if storage == "newer":
        copied.macro("backup", str(backups))
    release = released(copied)
    copied.macro("invalidate", DECISION[0], DECISION[1], release, *DECISION[3:])
    copied.macro("run")
    second = says(copied.lake)
    assert second["normalized/fred"] != first["normalized/fred"]
    assert second["charts/credit_spread"] != first["charts/credit_spread"]
    if storage != "newer":
        copied.macro("backup", str(backups))
    shutil.rmtree(copied.lake)
    copied.macro("restore", str(backups), "--to", str(copied.lake))
    if storage == "older":
        shutil.rmtree(copied.dagster_home)
        shutil.copytree(older, copied.dagster_home)
    if storage == "none":
        shutil.rmtree(copied.dagster_home / "data")
    copied.macro("run")
    assert says(copied.lake) == (first if storage == "newer" else second)


def released(home: Home) -> str:
    """The release of the value that is decided about."""
    lake = Lakehouse.at(home.lake)
    rows = lake.read("raw/bundled")
    found = rows.filter(rows["series_id"] == DECISION[0], rows["observation_date"].cast(str) == DECISION[1])
    return str(found["release_time"][0].isoformat())
