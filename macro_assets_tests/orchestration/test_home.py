"""Dagster's home and its storage: made by one process at a time, and damage is one message with the way out."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest.mock import patch

import dagster
import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from macro_assets.cli.main import main
from macro_assets.cli.terminal import instance
from macro_assets.orchestration import home
from macro_assets.orchestration.home import HomeError
from macro_assets.orchestration.sqlite_storage import SqliteStorage
from macro_assets_tests.conftest import CANARY, Home, in_environment, make_home


@contextmanager
def used(made: Home) -> Iterator[None]:
    """As a command that is called in the home."""
    with in_environment(made.environment), chdir(made.dagster_home):
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose storage was made."""
    made = make_home(tmp_path_factory.mktemp("made"))
    with used(made), instance():
        pass
    return made


@pytest.fixture
def made(template: Home, tmp_path: Path) -> Home:
    copy = Home(tmp_path / "lake", tmp_path / "home")
    shutil.copytree(template.dagster_home, copy.dagster_home)
    return copy


def storage(made: Home) -> Path:
    return made.dagster_home / "data" / "dagster"


def garbled(file: Path) -> None:
    file.write_bytes(b"no database at all" * 1000)


def cut_off(file: Path) -> None:
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def garbled_page(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:8192] + b"\xff" * 4096 + content[12288:])


def two_heads(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("INSERT INTO alembic_version VALUES ('another')")
    database.close()


@pytest.mark.parametrize("harm", [garbled, cut_off, garbled_page, two_heads])
@pytest.mark.parametrize("name", ["history/runs.db", "history/runs/index.db", "schedules/schedules.db"])
def test_a_damaged_database_is_named_with_the_way_out(made: Home, harm: Callable[[Path], None], name: str) -> None:
    file = storage(made) / name
    assert home.faults(made.dagster_home) == ([], [])
    harm(file)
    ((told,), empty) = home.faults(made.dagster_home)
    assert empty == []
    lost = "the state of schedules and sensors" if "schedules" in name else "the history of runs"
    for word in (f"Dagster's storage {file} is damaged: ", f"Move it away: {lost} is lost, no figures are"):
        assert word in told
    file.unlink()
    assert home.faults(made.dagster_home) == ([], [])


def test_only_a_look_to_the_end_sees_what_is_wrong_with_a_single_run(made: Home) -> None:
    run = storage(made) / "history" / "runs" / "0c0ffee0.db"
    garbled(run)
    assert home.faults(made.dagster_home) == ([], [])
    ((told,), _) = home.faults(made.dagster_home, deep=True)
    assert str(run) in told
    assert "the log of one run is lost" in told


def test_an_empty_database_is_made_anew_and_told_until_then(made: Home) -> None:
    file = storage(made) / "history" / "runs.db"
    file.write_bytes(b"")
    (wrong, (told,)) = home.faults(made.dagster_home)
    assert wrong == []
    assert f"{file} is empty" in told
    opens(made)
    assert home.faults(made.dagster_home) == ([], [])


def opens(made: Home) -> None:
    with used(made), instance() as opened:
        assert opened.get_run_ids() == []


# --- the commands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["history/runs.db", "history/runs/index.db"])
@pytest.mark.parametrize("harm", [garbled, garbled_page])
def test_a_run_on_damaged_storage_is_one_message(made: Home, harm: Callable[[Path], None], name: str) -> None:
    file = storage(made) / name
    harm(file)
    done = made.macro("run", "raw/bundled/PAYEMS", expect=2)
    assert done.stderr.startswith(f"macro: Dagster's storage {file} is damaged: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stdout + done.stderr


def test_the_doctor_names_damaged_storage(made: Home) -> None:
    file = storage(made) / "history" / "runs.db"
    two_heads(file)
    said = " ".join(made.macro("doctor", expect=1).stdout.split())
    assert f"WRONG dagster: Dagster's storage {file} is damaged: two processes made it at once. Move it away" in said


class Unreachable(SqliteStorage):
    """Storage on a server that cannot be reached."""

    @classmethod
    def config_type(cls) -> dict[str, type]:
        return {"url": str}

    @classmethod
    def from_config_value(cls, inst_data: object, config_value: dict[str, str]) -> Unreachable:
        raise OperationalError(f"connection to {config_value['url']} refused", None, Exception("refused"))


def test_a_server_that_cannot_be_reached_is_one_message_without_its_password(made: Home) -> None:
    settings = yaml.safe_load((made.dagster_home / "dagster.yaml").read_text())
    url = f"postgresql+psycopg2://dagster:{CANARY}@db.example:5432/dagster"
    settings["storage"] = {"custom": {"module": __name__, "class": "Unreachable", "config": {"url": url}}}
    (made.dagster_home / "dagster.yaml").write_text(yaml.safe_dump(settings))
    said = [made.macro("run", expect=2).stderr, made.macro("doctor", expect=1).stdout]
    for text in (" ".join(s.split()) for s in said):
        assert "cannot be used" in text
        assert "***@db.example:5432/dagster" in text
        assert CANARY not in text
        assert "Traceback" not in text


@pytest.mark.parametrize(("place", "says"), [("nowhere", "is no folder"), ("empty", "has no dagster.yaml")])
def test_a_home_that_is_none_is_one_message(made: Home, tmp_path: Path, place: str, says: str) -> None:
    (tmp_path / "empty").mkdir()
    wrong = Home(made.lake, tmp_path / place)
    with in_environment(wrong.environment), pytest.raises(HomeError, match=says):
        home.find()
    with in_environment(wrong.environment), chdir(tmp_path):
        done = CliRunner().invoke(main, ["run"], catch_exceptions=False)
    assert (done.exit_code, says in done.stderr, done.stderr.count("\n")) == (2, True, 1)
    assert not made.lake.exists()


def test_a_relative_home_is_one_from_the_current_folder(made: Home, tmp_path: Path) -> None:
    with patch.dict(os.environ, {"DAGSTER_HOME": "home"}), chdir(tmp_path):
        assert home.find() == made.dagster_home.resolve()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (sqlite3.OperationalError("database or disk is full"), "cannot be used: database or disk is full. Mend that"),
        (sqlite3.DatabaseError("database disk image is malformed"), "is damaged: .* Move its folder away"),
    ],
)
def test_storage_that_fails_while_it_is_used_is_one_message(made: Home, error: Exception, says: str) -> None:
    """Though what failed over it is another error."""
    failed = dagster.DagsterError("a step failed")
    failed.__cause__ = error
    with used(made), pytest.raises(HomeError, match=says), instance():
        raise failed


def test_other_errors_pass_through(made: Home) -> None:
    with used(made), pytest.raises(ZeroDivisionError), instance():
        raise ZeroDivisionError


# --- the first start ------------------------------------------------------------------------------------------------


def test_two_processes_that_start_at_once_make_one_storage(tmp_path: Path) -> None:
    """Without the lock one of five homes or so can be opened by nobody; the test below is sure to see that."""
    new, fork = make_home(tmp_path), multiprocessing.get_context("fork")
    start = fork.Barrier(2)

    def first_start() -> None:
        start.wait(60)
        opens(new)

    pair = [fork.Process(target=first_start) for _ in range(2)]
    for process in pair:
        process.start()
    for process in pair:
        process.join(120)
    assert [process.exitcode for process in pair] == [0, 0]
    opens(new)


def test_the_home_is_held_alone_while_the_instance_is_opened(made: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    get, held = dagster.DagsterInstance.get, []

    def watched() -> dagster.DagsterInstance:
        with (made.dagster_home / "dagster.yaml").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append("while it is opened")
        return get()

    monkeypatch.setattr(dagster.DagsterInstance, "get", watched)
    with used(made), instance(), (made.dagster_home / "dagster.yaml").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # and no longer
    assert held == ["while it is opened"]
