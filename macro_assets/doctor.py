"""`macro doctor`: is this installation able to work, and if not, what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from macro_assets.catalog import CatalogError, default_catalog
from macro_assets.lakehouse.delta import LakeError, check_writable, row_counts
from macro_assets.lakehouse.paths import lake_root, project_root
from macro_assets.lakehouse.session import connect


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    subject: str
    ok: bool
    message: str


def examine() -> list[Finding]:
    """Look at catalog, lake, SQL session and Dagster home; never raises for what it finds wrong."""
    return [_look(subject, look) for subject, look in _LOOKS.items()]


def _look(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except (CatalogError, LakeError, OSError, ImportError, ValueError) as error:
        return Finding(subject, False, str(error))


def _catalog() -> str:
    catalog = default_catalog()
    return f"{len(catalog.series)} series of {len(catalog.sources)} sources, {len(catalog.tables)} tables"


def _lake() -> str:
    root = lake_root()
    check_writable(root)
    counts = row_counts(root, default_catalog())
    return f"{root} is writable, {len(counts)} tables, {sum(counts.values()):,} rows"


def _sql() -> str:
    if not row_counts(lake_root(), default_catalog()):
        return "no tables yet; `make run` makes them"
    version = connect().execute("SELECT version()").fetchone()
    return f"DuckDB {version[0] if version else '?'} reads the lake without downloading anything"


def _dagster() -> str:
    home = os.environ.get("DAGSTER_HOME", str(project_root()))
    if not os.path.isfile(os.path.join(home, "dagster.yaml")):
        raise OSError(
            f"DAGSTER_HOME is {home}, which has no dagster.yaml. Unset it, or copy the project's dagster.yaml there."
        )
    return f"DAGSTER_HOME is {home}"


_LOOKS: dict[str, Callable[[], str]] = {"catalog": _catalog, "lake": _lake, "sql": _sql, "dagster": _dagster}
