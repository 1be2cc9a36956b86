"""Fixtures shared by all tests: a small synthetic catalog, and one real lake built by the real command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from macro_assets.catalog import Catalog, default_catalog

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def catalog() -> Catalog:
    return default_catalog()


@dataclass(frozen=True)
class Home:
    """A lake with a Dagster home of its own, driven through the command line."""

    lake: Path
    dagster_home: Path

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER_", "MACRO_LAKE"))}
        return {**clean, "MACRO_LAKE": str(self.lake), "DAGSTER_HOME": str(self.dagster_home)}

    def macro(self, *arguments: str, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run `macro` in a process of its own, from a folder that is not the project's."""
        done = subprocess.run(
            [sys.executable, "-m", "macro_assets.cli", *arguments],
            env=self.environment,
            cwd=self.dagster_home,
            capture_output=True,
            text=True,
            timeout=600,
        )
        if expect is not None:
            assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
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
    first: subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = make_home(tmp_path_factory.mktemp("built"))
    return Built(home, home.macro("run"))
