"""Dagster's home and its storage: found, opened by one process at a time, and what is wrong with it in words.

It imports Dagster only to open the instance, so that `macro doctor` can look without it.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from macro_assets.lakehouse.delta import reason
from macro_assets.lakehouse.paths import project_root

if TYPE_CHECKING:
    import dagster as dg

_CONFIGURATION = "dagster.yaml"
_DATABASES = "history/runs.db", "history/runs/index.db", "schedules/schedules.db"
_OF_RUNS = "history/runs/*.db"
_LOOK_SECONDS, _GLANCE_SECONDS = 0.3, 0.05
"""How long each database is looked through by the doctor, and before the instance is opened."""

_STORES = {"sqlite3", "sqlalchemy", "alembic", "psycopg2", "psycopg", "dagster_postgres"}
_OPENERS = _STORES | {"dagster", "dagster_shared", "yaml"}
_DAMAGE = ("malformed", "not a database", "more than one head")
_CREDENTIALS = re.compile(r"://\S*@")


class HomeError(ValueError):
    """Dagster's home or storage cannot be used: the message says which file, why, and what to do."""


def find() -> Path:
    """Dagster's home: `DAGSTER_HOME`, a path from the current folder on, by default the project.

    Raises
    ------
    HomeError
        When there is no `dagster.yaml`: storage would be made of other settings wherever the command is called.
    """
    given = os.environ.get("DAGSTER_HOME")
    place = Path(given).expanduser().resolve() if given else project_root()
    if not (place / _CONFIGURATION).is_file():
        lack = f"has no {_CONFIGURATION}" if place.is_dir() else "is no folder"
        way = "Unset it, or copy" if given else "Set it to the project's folder, or copy"
        raise HomeError(f"DAGSTER_HOME is {given or place}, which {lack}. {way} the project's {_CONFIGURATION} there.")
    return place


@contextmanager
def opened(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of a home that is the current folder and `DAGSTER_HOME`.

    Raises
    ------
    HomeError
        When it cannot be opened, or its storage fails while it is used.
    """
    with _telling(home, _OPENERS), _alone(home):
        import dagster as dg

        if wrong := faults(home, seconds=_GLANCE_SECONDS)[0]:  # Dagster would tell it in pages
            raise HomeError("; ".join(wrong))
        found = dg.DagsterInstance.get()
    with _telling(home, _STORES), found:
        yield found


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the home alone: of two processes that make a new storage at once, both stamp it, and nobody can open it."""
    import fcntl

    with ExitStack() as held:
        with suppress(OSError):  # no file to lock, or a network disk without locks: as Dagster does it
            file = held.enter_context((home / _CONFIGURATION).open())
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _telling(home: Path, libraries: set[str]) -> Iterator[None]:
    """Errors of the storage become one that says what to do. Any other is a defect, and passes through."""
    try:
        yield
    except Exception as error:
        cause = _cause(error, libraries)
        if cause is None:
            raise
        raise HomeError(_in_words(home, cause)) from error


def _cause(error: BaseException | None, libraries: set[str]) -> BaseException | None:
    """The innermost error that is of some libraries, of what led to an error."""
    found = None
    while error is not None:
        if type(error).__module__.partition(".")[0] in libraries:
            found = error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


def _in_words(home: Path, cause: BaseException) -> str:
    why = _CREDENTIALS.sub("://***@", reason(Exception(cause)))
    wrong = faults(home, deep=True)[0]
    if wrong:
        return "; ".join(wrong)
    if any(word in why for word in _DAMAGE):
        return f"Dagster's storage of {home} is damaged: {why}. {_way_out(home / _DATABASES[0], 'its folder')}"
    return (
        f"Dagster's storage of {home / _CONFIGURATION} cannot be used: {why}. Mend that (is the server up, is there "
        "room, may you write there, does another process hold it, did another version of Dagster make it?) and run it "
        "again. No figures are lost."
    )


def _way_out(file: Path, what: str = "it") -> str:
    if file.parent.name == "schedules":
        lost = "the state of schedules and sensors is lost"
    else:
        lost = "the history of runs is lost" if str(file).endswith(_DATABASES) else "the log of one run is lost"
    return (
        f"Move {what} away: {lost}, no figures are. The next `macro run` makes a new one, and runs again what that "
        "does not know of, to the same tables."
    )


# --- the files of the storage --------------------------------------------------------------------------------------


def faults(home: Path, deep: bool = False, seconds: float = _LOOK_SECONDS) -> tuple[list[str], list[str]]:
    """What is wrong with the SQLite files of a home's storage, and which are empty: Dagster makes those anew.

    Parameters
    ----------
    deep
        Look through all of each file, and through those of single runs.
    seconds
        How long each file is looked through otherwise.
    """
    folder = folder_of_files(home)
    if folder is None:
        return [], []
    found = [folder / name for name in _DATABASES]
    if deep:
        found += sorted(set(folder.glob(_OF_RUNS)) - set(found))
    there = [file for file in found if file.is_file()]
    problems = {file: p for file in there if file.stat().st_size and (p := _problem(file, None if deep else seconds))}
    wrong = [f"Dagster's storage {file} is damaged: {p}. {_way_out(file)}" for file, p in problems.items()]
    empty = [
        f"Dagster's storage {file} is empty: what it held is lost, no figures are. The next `macro run` makes it anew"
        for file in there
        if not file.stat().st_size
    ]
    return wrong, empty


def folder_of_files(home: Path) -> Path | None:
    """Where the storage's SQLite files are, by `dagster.yaml`; None where it is another database."""
    import yaml

    try:
        settings = yaml.safe_load((home / _CONFIGURATION).read_text()) or {}
        storage = settings.get("storage") or {"sqlite": {"base_dir": "."}}
        kind, told = next(iter(storage.items()))
        base: Any = told.get("config", told)["base_dir"] if kind in ("sqlite", "custom") else None
        if isinstance(base, dict):
            base = os.environ[base["env"]]
    except (OSError, KeyError, AttributeError, TypeError, StopIteration, yaml.YAMLError):
        return None
    return home / base if base is not None else None


def _problem(file: Path, seconds: float | None) -> str | None:
    """What is wrong with a database; None when nothing is, or nothing was found in time."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "alembic_version" in tables:
                (heads,) = database.execute("SELECT count(*) FROM alembic_version").fetchone()
                if heads > 1:
                    return "two processes made it at once"
            if seconds is not None:
                until = time.monotonic() + seconds
                database.set_progress_handler(lambda: time.monotonic() > until, 1000)
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:  # no time, no permission, a lock: no damage
        return None
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == "ok" else str(found).replace("\n", " ")
