"""What `macro doctor` looks at: is this installation able to work, and if not, what to do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from macro_assets.catalog import CatalogError, default_catalog
from macro_assets.cli.terminal import left_out
from macro_assets.graph.declared import graph
from macro_assets.lakehouse import s3
from macro_assets.lakehouse.absent import no_lake
from macro_assets.lakehouse.delta import LakeError, check_writable, open_table, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import RETIRED
from macro_assets.lakehouse.paths import Root, S3Root, default_root, lake_root, project_root
from macro_assets.lakehouse.session import connect
from macro_assets.lakehouse.upkeep import damage
from macro_assets.lakehouse.upkeep.repair import in_words, repair
from macro_assets.lakehouse.upkeep.s3_probe import is_exposed, probe

_ERRORS = (CatalogError, LakeError, OSError, ImportError, ValueError)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. A warning is about something that works and should not stay so."""

    subject: str
    ok: bool
    message: str
    warning: bool = False


def examine() -> list[Finding]:
    """Look at catalog, lake, its tables, SQL session and Dagster home; never raises for what it finds wrong.

    Of a lake on S3 the store is examined first, and nothing else of the lake when that is not usable.
    """
    findings = _catalog()
    stored = _store()
    findings += stored
    if all(f.ok for f in stored):
        findings += [_look("lake", _lake), *_tables(), _look("sql", _sql)]
    return [*findings, _look("dagster", _dagster)]


def mend() -> Iterator[Finding]:
    """Take every damaged table of the lake back to its last good version; a finding per table that was damaged."""
    lake = Lakehouse.at()
    for name in sorted(table_versions(lake.root)):
        try:
            report = repair(lake, name)
        except LakeError as error:
            yield Finding(name, False, str(error))
            continue
        if report.faults:
            yield Finding(name, report.good is not None, report.message)


def _look(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except _ERRORS as error:
        return Finding(subject, False, str(error))


def _catalog() -> list[Finding]:
    """One finding for the catalog and what its rooms say of it, one for each entry of the user's own left out of it."""
    try:
        catalog = default_catalog()
        derived = len(graph(catalog).derivations)
        wrong = left_out(catalog)
    except _ERRORS as error:
        return [Finding("catalog", False, str(error))]
    what = f"{len(catalog.series)} series of {len(catalog.sources)} sources, {len(catalog.tables)} tables"
    findings = [Finding("catalog", True, f"{what}, {derived} computations")]
    return findings + [Finding("catalog", False, f"left out, all else works: {text}") for text in wrong]


def _store() -> list[Finding]:
    """What is to be said of the S3 store; nothing when the lake is a folder."""
    try:
        root = lake_root()
        if not isinstance(root, S3Root):
            return []
        given = s3.settings()
    except ValueError as error:
        return [Finding("s3", False, str(error))]
    findings = [_look("s3", lambda: probe(root))]
    if is_exposed(given):
        unencrypted = f"{given.endpoint} is plain http: keys and figures travel unencrypted. Use https."
        findings.append(Finding("s3", True, unencrypted, warning=True))
    return findings


def _lake() -> str:
    root = lake_root()
    if isinstance(root, Path) and not root.exists():
        if root != default_root():
            raise LakeError(no_lake(root))
        return f"there is none yet at {root}; `make run` makes it"
    check_writable(root)
    return f"{root} is writable"


def _tables() -> list[Finding]:
    """One finding for all sound tables, one for each of the others."""
    try:
        root = lake_root()
        versions = table_versions(root)
    except _ERRORS as error:
        return [Finding("tables", False, str(error))]
    with ThreadPoolExecutor(8) as pool:
        looked = list(pool.map(lambda name: _table(root, name, versions[name]), sorted(versions)))
    wrong = [f for f in looked if isinstance(f, Finding)]
    rows = sum(n for n in looked if isinstance(n, int))
    found = [Finding("tables", True, f"{len(looked) - len(wrong)} tables are whole, {rows:,} rows"), *wrong]
    if retired := sorted(versions.keys() & RETIRED.keys()):
        found.append(
            Finding("tables", True, f"`macro migrate` removes {', '.join(retired)}: others took their place", True)
        )
    return found


def _table(root: Root, name: str, version: int) -> Finding | int:
    """What is wrong with a table, or its rows."""
    try:
        faults = damage.examine(root, name)
        if faults:
            found = (
                f"version {version}: {in_words(faults)}. `macro doctor --repair` goes back to the last good version."
            )
            return Finding(name, False, found)
        stored = open_table(root, name) if name in default_catalog().tables else None
        return stored.count() if stored is not None else 0
    except _ERRORS as error:
        return Finding(name, False, str(error))


def _sql() -> str:
    if not table_versions(lake_root()):
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
