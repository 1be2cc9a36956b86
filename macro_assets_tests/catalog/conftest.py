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


SMALL = ("bundled", "fred", "fred_graph", "fred_recent", "yahoo_chart")
"""Sources of the offline figures, the homes of those that are copies, and the homes' holders."""

MADE = ("recession", "stress")
"""Indicators of their series."""


@pytest.fixture
def small(folder: Path) -> Path:
    """The catalog's files with few sources, indicators and charts, no instruments, to be broken: it is read faster."""
    left = {"sources": SMALL, "indicators": MADE, "scores": (), "charts": ("activity", "stress")}
    for kind, kept in left.items():
        for file in (folder / kind).iterdir():
            if file.stem not in kept:
                file.unlink()
    (folder / "instruments.yaml").write_text("instruments: []\n", encoding="utf-8")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The empty folder of a user's own files."""
    (tmp_path / "own").mkdir()
    return tmp_path / "own"
