"""Fixtures shared by all tests: a small synthetic catalog, and one real lake built by the real command."""

from __future__ import annotations

import faulthandler
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO
from unittest.mock import patch

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, settings

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.cli.main import main
from macro_assets.sources.reach import NETWORK
from macro_assets_tests.once import Said, changes, common_folder, once

ROOT = Path(__file__).resolve().parents[1]
CANARY = "canary-secret-that-no-message-shows"
"""The secret key of the tests' S3 credentials."""

# A busy machine makes no test fail. With CI set the same examples are drawn every time.
settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
    database=None if "CI" in os.environ else settings().database,
)
settings.load_profile("house")

Ended = subprocess.CompletedProcess[str]

_BUCKETS = itertools.count(1)
_STACK, _STACKS = pytest.StashKey[TextIO](), pytest.StashKey[TemporaryDirectory[str]]()
_S3_SERVER = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.hookimpl(trylast=True)  # after pytest's own, which sends it to the terminal
def pytest_configure(config: pytest.Config) -> None:
    """Where a worker crashes, its stack is told at the end of the run: all that stays of it is otherwise far above."""
    if hasattr(config, "workerinput"):
        folder, worker = config.workerinput["stacks"], config.workerinput["workerid"]
        config.stash[_STACK] = stack = (Path(folder) / f"{worker}.txt").open("w")
        faulthandler.enable(stack)
    else:
        config.stash[_STACKS] = TemporaryDirectory()


def pytest_unconfigure(config: pytest.Config) -> None:
    if folder := config.stash.get(_STACKS, None):
        folder.cleanup()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["stacks"] = node.config.stash[_STACKS].name


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for file in sorted(Path(config.stash[_STACKS].name).glob("*.txt")):
        why, _, threads = file.read_text().partition("\n")
        if why:
            stack = threads[threads.find("Current thread") :].splitlines()[:12]
            terminalreporter.section(f"where worker {file.stem} crashed")
            terminalreporter.write_line("\n".join([why, *stack]))


@pytest.fixture(autouse=True)
def _network() -> None:
    """What other tests learned of the network does not count."""
    NETWORK.answered()


@pytest.fixture
def catalog() -> Catalog:
    return default_catalog()


@pytest.fixture(scope="session", autouse=True)
def no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is kept of sessions is not kept where the user's is."""
    with patch.dict(os.environ, XDG_CACHE_HOME=str(tmp_path_factory.mktemp("caches"))):
        yield


@contextmanager
def in_environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """With this environment and no more of it. Only what differs is set: C libraries read it from threads of theirs."""
    before = dict(os.environ)
    _become(wanted)
    try:
        yield
    finally:
        _become(before)


def _become(wanted: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in wanted.items() if os.environ.get(name) != value})


@dataclass(frozen=True)
class Home:
    """A lake with a Dagster home of its own, driven through the command line."""

    lake: Path
    dagster_home: Path

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER_", "MACRO_LAKE"))}
        return {**clean, "MACRO_LAKE": str(self.lake), "DAGSTER_HOME": str(self.dagster_home)}

    def macro(self, *arguments: str, expect: int | None = 0) -> Ended:
        """Run `macro` in this process, from a folder that is not the project's; environment and folder are restored.

        An error that is no message of the command is raised as it is.
        """
        with in_environment(self.environment), chdir(self.dagster_home):
            done = CliRunner().invoke(main, arguments, catch_exceptions=False)
        return _expected(Ended(["macro", *arguments], done.exit_code, done.stdout, done.stderr), expect)

    def process(self, *arguments: str, expect: int | None = 0) -> Ended:
        """Run `macro` in a process of its own, as a user does."""
        done = subprocess.run(
            [sys.executable, "-m", "macro_assets.cli", *arguments],
            env=self.environment,
            cwd=self.dagster_home,
            capture_output=True,
            text=True,
            timeout=600,
        )
        return _expected(done, expect)


def _expected(done: Ended, code: int | None) -> Ended:
    assert code is None or done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def make_home(folder: Path) -> Home:
    home = Home(folder / "lake", folder / "home")
    home.dagster_home.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", home.dagster_home / "dagster.yaml")
    shutil.copy(ROOT / "workspace.yaml", home.dagster_home / "workspace.yaml")
    return home


@dataclass(frozen=True)
class Built:
    """The lake after a first full run, with what the command said. Tests must not change it."""

    home: Home
    first: Said


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Built once, by a process of its own, for all workers of a test run."""

    def make(folder: Path) -> Said:
        done = make_home(folder).process("run")
        return Said(done.stdout, done.stderr)

    folder = common_folder(tmp_path_factory) / "built"
    said = once(folder, make)
    yield Built(Home(folder / "lake", folder / "home"), said)
    assert changes(folder, "lake/") == [], "a test changed the lake that all tests share"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Address of a local S3 server that honours conditional PUT.

    It is a process of its own: delta-rs holds the interpreter lock while it restores a version, and a server in a
    thread could not answer it.
    """
    server = subprocess.Popen(
        [sys.executable, "-c", _S3_SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    with server:
        yield server.stdout.readline().strip()
        server.stdin.close()  # it ends with its input, and so with the tests however they end


def s3_environment(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Point every S3 library at an endpoint, with the canary as secret key and nothing of the user's own."""
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def s3_bucket(monkeypatch: pytest.MonkeyPatch, s3_endpoint: str) -> str:
    """Name of a fresh bucket of the local S3 server, which the environment points at."""
    from macro_assets.lakehouse import s3

    s3_environment(monkeypatch, s3_endpoint)
    name = f"bucket-{next(_BUCKETS)}"
    s3.settings().client().create_bucket(Bucket=name)
    return name


def copy_of(built: Built, folder: Path) -> Home:
    """The built lake and its Dagster home copied below a folder, to change."""
    home = Home(folder / "lake", folder / "home")
    shutil.copytree(built.home.lake, home.lake)
    shutil.copytree(built.home.dagster_home, home.dagster_home)
    return home


@pytest.fixture
def copied(built: Built, tmp_path: Path) -> Home:
    """A copy of the built lake for one test."""
    return copy_of(built, tmp_path)
