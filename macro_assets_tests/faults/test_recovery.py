"""After a repair and a restore, `macro run` ends with the tables of an undamaged lake, whatever Dagster remembers."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from macro_assets.catalog import default_catalog
from macro_assets.graph.declared import derivations
from macro_assets.lakehouse.delta import data_version, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets_tests.conftest import Built, Home, copy_of
from macro_assets_tests.once import Said, common_folder, once

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


@pytest.mark.parametrize(
    "tables", [("normalized/fred",), ("indicators/economic_stress_index", "forecasts/gdp_nowcast")], ids=lambda t: t[0]
)
def test_a_repaired_table_is_computed_again_and_nothing_below_is_emptied(
    built: Built, copied: Home, tables: tuple[str, ...]
) -> None:
    """Attack 1: the repair goes back to a version without rows, and what was below was emptied for good."""
    before = says(built.home.lake)
    for table in tables:  # none is made of another
        damage(copied.lake, table)
    copied.macro("doctor", "--repair", expect=None)
    repaired = says(copied.lake)
    assert [table for table in tables if repaired[table] == before[table]] == []
    ran = copied.macro("run").stdout
    assert "Everything is up to date" not in ran
    assert says(copied.lake) == before
    assert "Everything is up to date" in copied.macro("run").stdout


@dataclass(frozen=True)
class Two:
    """A lake before and after a decision, with a backup of each and the Dagster home of each."""

    folder: Path
    first: dict[str, str]
    second: dict[str, str]


@pytest.fixture(scope="module")
def two(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Two:
    """Made once, for all workers of a test run."""

    def make(folder: Path) -> Said:
        home = copy_of(built, folder)
        shutil.copytree(home.dagster_home, folder / "older")
        home.macro("backup", str(folder / "of first"))
        home.macro("invalidate", DECISION[0], DECISION[1], released(home), *DECISION[3:])
        home.macro("run")
        home.macro("backup", str(folder / "of second"))
        return Said("", "")

    folder = common_folder(tmp_path_factory) / "two"
    once(folder, make)
    return Two(folder, says(built.home.lake), says(folder / "lake"))


@pytest.mark.parametrize("storage", ["newer", "older", "none"])
def test_a_restored_lake_ends_with_its_own_tables(two: Two, tmp_path: Path, storage: str) -> None:
    """Attack 2: the derived tables stayed at the backup's state, or at another, with 'up to date'."""
    assert {t for t in two.first if two.second[t] != two.first[t]} >= {"normalized/fred", "charts/credit_spread"}
    home = Home(tmp_path / "lake", tmp_path / "home")
    shutil.copytree(two.folder / ("older" if storage == "older" else "home"), home.dagster_home)
    backups, expected = ("of first", two.first) if storage == "newer" else ("of second", two.second)
    home.macro("restore", str(two.folder / backups), "--to", str(home.lake))
    if storage == "none":
        shutil.rmtree(home.dagster_home / "data")
    home.macro("run")
    assert says(home.lake) == expected


def released(home: Home) -> str:
    """The release of the value that is decided about."""
    lake = Lakehouse.at(home.lake)
    rows = lake.read("raw/bundled")
    found = rows.filter(rows["series_id"] == DECISION[0], rows["observation_date"].cast(str) == DECISION[1])
    return str(found["release_time"][0].isoformat())
