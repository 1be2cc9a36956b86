"""A folder of the user's own: its files, the YAML that declares them, and the catalog with both. All synthetic."""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import yaml

from macro_assets.catalog import Catalog, load_catalog
from macro_assets.sources.fetching import fetch
from macro_assets.sources.protocol import Fetched, Window
from macro_assets.sources.providers.folder.connector import client

SHIPPED = files("macro_assets.catalog") / "data"
DEFAULTS: dict[str, Any] = {
    "country": "US",
    "theme": "activity",
    "frequency": "M",
    "seasonal_adjustment": "SA",
    "publication_lag": {"days": 30, "time": "12:00", "time_zone": "UTC"},
    "licence": "none: synthetic",
}


def declare(
    own: Path, folder: dict[str, Any], series: list[dict[str, Any]] | None = None, name: str = "mine", **defaults: Any
) -> Path:
    """Write a source file for a folder below `own`; returns the folder."""
    document = {
        "source": {
            "title": "Mine",
            "description": "Files of my own.",
            "url": "https://example.org",
            "owner": "team:research",
            "connector": "folder",
            "vintages": "whole" if folder.get("vintage") else "none",
            "folder": {"path": "files", "date": "Date", **folder},
        },
        "defaults": {**DEFAULTS, **defaults},
        "series": series or [],
    }
    own.mkdir(exist_ok=True)
    (own / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    place = own / document["source"]["folder"]["path"]  # type: ignore[index]
    place.mkdir(exist_ok=True)
    return place


@cache
def _bare() -> Path:
    """The shipped tables with no series: the whole catalog takes half a second to read."""
    bare = Path(mkdtemp(prefix="macro-catalog-"))
    atexit.register(shutil.rmtree, bare, ignore_errors=True)
    for kind in ("sources", "indicators", "models", "charts", "scores"):
        (bare / kind).mkdir()
    for name in ("columns", "families", "licences", "tables", "views"):
        (bare / f"{name}.yaml").write_text((SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("recessions", "instruments", "gaps"):
        (bare / f"{name}.yaml").write_text(f"{name}: []\n", encoding="utf-8")
    return bare


def catalog_of(own: Path) -> Catalog:
    """A catalog of the user's own sources alone."""
    return load_catalog(_bare(), own)


def fetched_of(own: Path, name: str = "mine", window: Window | None = None) -> Fetched:
    """All series of a source of the user's own, from its files."""
    catalog = catalog_of(own)
    source = catalog.sources[name]
    return fetch(source, client(source), catalog.series_of(name), window or Window())
