"""What `macro doctor` looks at: is this installation able to work, and if not, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from macro_assets.catalog import CatalogError, default_catalog
from macro_assets.cli.terminal import instance, left_out
from macro_assets.graph.declared import graph
from macro_assets.lakehouse import s3
from macro_assets.lakehouse.absent import no_lake
from macro_assets.lakehouse.delta import LakeError, check_writable, open_table, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import RETIRED
from macro_assets.lakehouse.paths import Root, S3Root, default_root, lake_root
from macro_assets.lakehouse.session import connect
from macro_assets.lakehouse.upkeep import damage
from macro_assets.lakehouse.upkeep.deep import Comparison, compare
from macro_assets.lakehouse.upkeep.destination import Progress, choose
from macro_assets.lakehouse.upkeep.repair import in_words, put_back, repair, way_out
from macro_assets.lakehouse.upkeep.s3_probe import is_exposed, probe
from macro_assets.orchestration import home

_TOLD = 5
_ERRORS = (CatalogError, LakeError, OSError, ImportError, ValueError)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. A warning is about something that works and should not stay so."""

    subject: str
    ok: bool
    message: str
    warning: bool = False


def examine(deep: bool = False, progress: Progress | None = None) -> list[Finding]:
    """Look at catalog, lake, its tables, SQL session and Dagster's storage; never raises for what it finds wrong.

    Of a lake on S3 the store is examined first, and nothing else of the lake when that is not usable.

    Parameters
    ----------
    deep
        Read every data file too and compare it with what was written, and Dagster's storage to its end.
    """
    findings = _catalog()
    stored = _store()
    findings += stored
    if all(f.ok for f in stored):
        with ThreadPoolExecutor(1) as beside:  # half the time of opening a session is not Python's
            sql = beside.submit(_look, "sql", _sql)
            findings += [_look("lake", _lake), *_tables(), *(_contents(progress) if deep else ()), sql.result()]
    return [*findings, *_dagster(deep)]


def mend(deep: bool = False, backups: Root | None = None, progress: Progress | None = None) -> Iterator[Finding]:
    """Take every damaged table of the lake back to its last good version; a finding per table that was damaged.

    Parameters
    ----------
    deep
        A table is damaged too if a data file has other content than was written.
    backups
        A place of backups, from which data files are put back first.

    Raises
    ------
    LakeError
        When there is no lake, or no backup at the place; nothing was done.
    """
    lake = Lakehouse.at()
    if backups is not None:
        choose(backups, None)  # a mistyped place must not take tables back
    changed = compare(lake.root, take=False, progress=progress).faults if deep else {}
    for name in sorted(table_versions(lake.root)):
        try:
            if backups is not None and (name in changed or damage.examine(lake.root, name)):
                yield from _put_back(lake.root, name, backups)
            report = repair(lake, name, deep=name in changed)
        except LakeError as error:
            yield Finding(name, False, str(error))
            continue
        if report.faults:
            yield Finding(name, report.good is not None, report.message)


def _put_back(root: Root, name: str, backups: Root) -> Iterator[Finding]:
    if mended := put_back(root, backups, damage.examine(root, name, deep=True)):
        told = f"{name}, version {mended[0].version}: {in_words(mended)}. What was written was put back from {backups}."
        yield Finding(name, True, told)


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
            return Finding(name, False, f"version {version}: {in_words(faults)}. {way_out(faults)}")
        stored = open_table(root, name) if name in default_catalog().tables else None
        return stored.count() if stored is not None else 0
    except _ERRORS as error:
        return Finding(name, False, str(error))


def _contents(progress: Progress | None) -> list[Finding]:
    """One finding for all data files, one for each table that has a damaged one, one for files not on record."""
    try:
        done = compare(lake_root(), progress=progress)
    except _ERRORS as error:
        return [Finding("content", False, str(error))]
    damaged = sum(len(faults) for faults in done.faults.values())
    of = f"{done.files - damaged:,} of {done.files:,}" if damaged else f"{done.files:,}"
    size, speed = f"{done.bytes / 1e6:,.1f} MB", f"{done.bytes / 1e6 / max(done.seconds, 1e-3):,.0f} MB/s"
    told = f"{of} data files of {done.tables:,} tables, {size}, are as they were written ({speed})"
    found = [Finding("content", True, told)]
    found += [
        Finding(name, False, f"version {faults[0].version}: {in_words(faults)}. {way_out(faults)}")
        for name, faults in done.faults.items()
    ]
    return [*found, _not_on_record(done)] if done.new else found


def _not_on_record(done: Comparison) -> Finding:
    count, more = sum(len(files) for files in done.new.values()), len(done.new) - _TOLD
    names = ", ".join(list(done.new)[:_TOLD]) + (f" and {more} more tables" if more > 0 else "")
    told = (
        f"{count:,} of them were not on record, as of an earlier version, another program or a writer that was killed"
    )
    now = f"They still are not: {done.untaken}" if done.untaken else "Now they are, with what they hold today."
    return Finding("content", True, f"{told} ({names}). {now}", warning=True)


def _sql() -> str:
    if not table_versions(lake_root()):
        return "no tables yet; `make run` makes them"
    version = connect().execute("SELECT version()").fetchone()
    return f"DuckDB {version[0] if version else '?'} reads the lake without downloading anything"


def _dagster(deep: bool) -> list[Finding]:
    """One finding for Dagster's home and its storage, one for each damaged file."""
    try:
        place = home.find()
        wrong, empty = home.faults(place, deep)
        if home.folder_of_files(place) is None:  # a server: is it there?
            with instance():
                pass
    except _ERRORS as error:
        return [Finding("dagster", False, str(error))]
    found = [Finding("dagster", not wrong, "; ".join(wrong) or f"DAGSTER_HOME is {place}")]
    return found + [Finding("dagster", True, text, warning=True) for text in empty]
