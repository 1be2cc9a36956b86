"""A lake that is not there: a mistyped place is told and nothing is made; a new one is made where it is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from macro_assets.lakehouse.absent import no_lake
from macro_assets_tests.conftest import Home, make_home

READERS = [
    ("sql", "SELECT 1"),
    ("history", "PAYEMS", "2016-05-01"),
    ("invalidate", "PAYEMS", "2016-05-01", "2016-07-29", "--reason", "synthetic"),
    ("reinstate", "PAYEMS", "2016-05-01", "2016-07-29", "--reason", "synthetic"),
    ("rebuild", "bundled"),
    ("maintenance",),
    ("migrate",),
    ("migrate", "--dry-run"),
    ("backup", "backups"),
    ("accept", "CBOE_VIX", "--reason", "synthetic"),
]


@pytest.fixture
def mistyped(tmp_path: Path) -> Home:
    """A home whose lake is named with a letter too many, beside one that is there."""
    home = make_home(tmp_path)
    (tmp_path / "lake").mkdir()
    return Home(tmp_path / "laake", home.dagster_home)


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_who_reads_a_mistyped_lake_is_told_and_makes_nothing(mistyped: Home, words: tuple[str, ...]) -> None:
    before = sorted(p.name for p in mistyped.lake.parent.rglob("*"))
    done = mistyped.macro(*words, expect=2)
    said = " ".join(done.stderr.split())
    assert f"there is no lake at {mistyped.lake}. Did you mean {mistyped.lake.parent / 'lake'}?" in said
    assert "`make run` makes one there; MACRO_LAKE says where yours is." in said
    assert "Traceback" not in done.stdout + done.stderr
    assert sorted(p.name for p in mistyped.lake.parent.rglob("*")) == before


def test_the_doctor_calls_a_mistyped_lake_wrong_and_makes_nothing(mistyped: Home) -> None:
    said = " ".join(mistyped.macro("doctor", expect=1).stdout.split())
    assert f"WRONG lake: there is no lake at {mistyped.lake}. Did you mean" in said
    assert not mistyped.lake.exists()


@pytest.mark.parametrize("words", [("list", "series"), ("catalog", "payrolls"), ("sources",)], ids=" ".join)
def test_who_tells_of_the_catalog_warns_of_a_mistyped_lake(mistyped: Home, words: tuple[str, ...]) -> None:
    done = mistyped.macro(*words)
    assert "PAYEMS" in done.stdout or "sources (" in done.stdout
    assert f"warning: there is no lake at {mistyped.lake}" in " ".join(done.stderr.split())
    assert not mistyped.lake.exists()


@pytest.mark.parametrize("words", [("run", "raw/bundled/PAYEMS"), ("fetch", "cboe")], ids=" ".join)
def test_a_lake_in_a_folder_that_is_not_there_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    home = Home(tmp_path / "nowhere" / "lake", make_home(tmp_path).dagster_home)
    said = " ".join(home.macro(*words, expect=2).stderr.split())
    assert f"The folder {tmp_path / 'nowhere'} does not exist: make it first, if it is meant." in said
    assert not (tmp_path / "nowhere").exists()


def test_a_first_run_makes_a_lake_where_it_is_meant_and_says_so(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    done = home.macro("run", "raw/bundled/PAYEMS", "--partition", "2016")
    assert f"a new lake: {home.lake}" in done.stderr
    assert "a new lake" not in home.macro("run", "raw/bundled/PAYEMS").stderr


def test_a_relative_lake_is_of_the_folder_in_which_the_command_was_given(tmp_path: Path) -> None:
    """The command goes on in DAGSTER_HOME: `history` must look where `run` would write."""
    home = make_home(tmp_path)
    relative = Home(Path("mine"), home.dagster_home)
    said = " ".join(relative.macro("history", "PAYEMS", "2016-05-01", expect=2).stderr.split())
    assert f"there is no lake at {home.dagster_home / 'mine'}." in said


def test_names_that_are_like_a_missing_one_are_offered_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "research" / "lake").mkdir(parents=True)
    (tmp_path / "resaerch2").touch()
    assert f"Did you mean {tmp_path / 'research' / 'lake'}?" in no_lake(tmp_path / "reserch" / "lake")
    assert "Did you mean" not in no_lake(tmp_path / "reserch" / "other")
    assert "Did you mean" not in no_lake(tmp_path / "quite_different")
    assert "Did you mean" not in no_lake(tmp_path / "research" / "lake"), "it is there, and empty"


@pytest.mark.parametrize("words", [("run", ""), ("fetch", ""), ("fetch", " "), ("fetch", "/"), ("fetch", "cboe", "")])
def test_an_empty_name_names_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    home = make_home(tmp_path)
    assert "an empty name names no asset" in home.macro(*words, expect=2).stderr
    assert not home.lake.exists()
