"""A copy of the package's catalog files, to be broken."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with as_file(files("macro_assets.catalog") / "data") as data:
        shutil.copytree(data, tmp_path / "data")
    return tmp_path / "data"
