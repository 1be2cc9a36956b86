"""SQL over the lake: an in-memory DuckDB connection with a view per table and the macros of `macros.py`.

The connection holds no lock: notebooks read while runs write, each from the versions it found when it was opened. It is
for the operator's own SQL; DuckDB's sandbox settings do not confine the Delta extension, so never run SQL from
strangers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from itertools import groupby
from pathlib import Path

import duckdb
import polars as pl

from macro_assets.catalog import Catalog, names
from macro_assets.catalog.wording import shortened
from macro_assets.lakehouse import kept, s3
from macro_assets.lakehouse.absent import no_lake
from macro_assets.lakehouse.delta import Entry, LakeError, PanicError, newest_entries, no_panic
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import RETIRED
from macro_assets.lakehouse.macros import OWN, macros, quoted
from macro_assets.lakehouse.paths import Root, S3Root, lake_root
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets.lakehouse.session_views import (
    Look,
    Shown,
    described,
    identifier,
    listing,
    look,
    of_catalog,
    of_tables,
    rows_of,
    unseen,
)
from macro_assets.lakehouse.vintages import instant

_THREADS = 4
"""Tables are looked at and bound side by side: each takes a few milliseconds, on S3 a few round trips."""

_OF_A_FILE = re.compile(
    "Out of buffer|Failed to read file|No such file|[Dd]ecompress|[Cc]orrupt|TProtocolException|magic bytes"
)
"""In DuckDB's words."""


def connect(
    as_of: date | datetime | str | None = None, root: str | Root | None = None, catalog: Catalog | None = None
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection on the lake.

    Views are named as the tables: `raw.bundled`, `normalized.fred`, ...; every Delta table below the root has one,
    other programs' included. `normalized.observations` and the catalog's other views read the tables of all families.
    `catalog.series`, with what is stored of each, `catalog.holders`, `catalog.sources` and `catalog.instruments`
    describe what there is. The macros are in `macros.py`. All tables are read at the versions that were current
    together when the connection was made. A table that cannot be read, or is not in the lake yet, has a view too:
    reading it raises the reason. `SHOW TABLES` lists those that have something to show. Of many tables the views are
    kept in the user's cache folder (`kept.py`).

    Parameters
    ----------
    as_of
        Turns the session into that instant's world: `raw.*`, `normalized.observations`, `normalized.monthly` and the
        views by kind hold what was known then, as-of partitioned tables the partitions up to then. Every other derived
        table or view, and every table of another program, is absent: naming it raises an error that points to the way
        out. A bare date means its end in UTC.
    root
        Root of the lake; default `MACRO_LAKE`, else `data/lake`.

    Raises
    ------
    LakeError
        When there is no lake at the root.
    """
    moment = instant(as_of) if as_of is not None else None
    place = lake_root(root)
    with ThreadPoolExecutor(_THREADS) as pool:
        loading = pool.submit(_connection, place)  # it takes as long as reading the catalog
        lake = Lakehouse.at(place, catalog)
        entries = newest_entries(lake.root)
        if not entries:
            raise LakeError(no_lake(lake.root))
        entries = {name: entry for name, entry in entries.items() if name not in lake.catalog.views}
        versions = {name: entry.version for name, entry in entries.items()}
        raw = [name for s in lake.catalog.sources if (name := names.raw(s)) in versions]
        found = dict(zip(raw, pool.map(lambda n: look(lake, n, versions[n]), raw), strict=True))
        con = loading.result()
        if moment is not None or len(entries) < kept.WORTH:
            _fill(lake, con, pool, versions, found, moment)
        else:
            _recall_or_fill(lake, con, pool, entries, found)
    return con


@dataclass(frozen=True)
class _Plan:
    """What a session is made of, in this order. `pins` are what alone differs between versions."""

    described: str
    pins: str
    macros: str
    tables: tuple[Shown, ...]
    views: tuple[Shown, ...]
    listing: str

    @property
    def text(self) -> str:
        """All of it but the pins."""
        views = (text for s in (*self.tables, *self.views) for text in (s.place, s.rows, s.words))
        return "\n".join((self.described, self.macros, *views, self.listing))


def _recall_or_fill(
    lake: Lakehouse, con: duckdb.DuckDBPyConnection, pool: Executor, entries: Mapping[str, Entry], raw: dict[str, Look]
) -> None:
    """Fill a session with the views that were kept, or make them and keep them if all is sound."""
    versions = {name: entry.version for name, entry in entries.items()}
    plan = _plan(lake, con, versions, {n: unseen(lake, n) for n in versions} | raw, None)
    if not any(one.unreadable for one in raw.values()) and kept.recalled(con, plan.text, lake.root, entries):
        con.execute(plan.pins)
    elif _fill(lake, con, pool, versions, raw, None):
        kept.keep(con, plan.text, lake.root, entries)


def _fill(
    lake: Lakehouse,
    con: duckdb.DuckDBPyConnection,
    pool: Executor,
    versions: Mapping[str, int],
    raw: Mapping[str, Look],
    moment: datetime | None,
) -> bool:
    """Make all of a session; whether every table and view could be read."""
    rest = [name for name in versions if name not in raw]
    found = {**raw, **dict(zip(rest, pool.map(lambda n: look(lake, n, versions[n]), rest), strict=True))}
    plan = _plan(lake, con, versions, found, moment)
    con.execute(";".join(filter(None, (plan.described, plan.pins, plan.macros, plan.listing))))
    made = [*pool.map(lambda shown: _make(con.cursor(), shown), plan.tables), *(_make(con, s) for s in plan.views)]
    return all(made) and not any(one.unreadable for name, one in found.items() if name not in RETIRED)


def _make(con: duckdb.DuckDBPyConnection, shown: Shown) -> bool:
    """Make a view, or one that says why it cannot be made; which of both."""
    try:
        con.execute(f"CREATE VIEW {shown.place} AS {shown.rows};{shown.words}")
    except duckdb.Error as error:
        con.execute(f"CREATE OR REPLACE VIEW {shown.place} AS {shown.instead(error)}")
        return False
    return True


def _plan(
    lake: Lakehouse,
    con: duckdb.DuckDBPyConnection,
    versions: Mapping[str, int],
    found: Mapping[str, Look],
    moment: datetime | None,
) -> _Plan:
    """What makes a session of tables as they were found. As of an instant versions and files cannot be moved."""
    raw = [name for s in lake.catalog.sources if (name := names.raw(s)) in versions]
    files = _readable(con, [file for name in raw for file in found[name].files])
    # where DuckDB only looks for names, it knows no macro, and no version at all would be a defect to it
    told = {n: f"coalesce({_VERSION_OF}({quoted(n)}), -1)" for n in versions}
    pinned = {n: told[n] if moment is None else str(v) for n, v in versions.items()}
    rows = {name: rows_of(lake.root, found[name], version) for name, version in pinned.items()}
    parts = [f"SELECT * FROM ({rows[name]})" for name in raw if not (files and found[name].files)]
    if files:
        parts.append(f"SELECT * FROM read_parquet({f'{_FILES}()' if moment is None else _list(files)})")
    vintages = " UNION ALL BY NAME ".join(parts) or None
    tables, views = of_tables(lake.catalog, found, rows, moment), of_catalog(lake.catalog, rows, vintages, moment)
    shown = tuple(tables), tuple(views)
    return _Plan(
        described(lake.catalog, versions),
        _pins(versions, files) if moment is None else "",
        macros(vintages, rows.get(INVALIDATIONS), moment) if vintages is not None else "",
        *shown,
        listing([*shown[0], *shown[1]]),
    )


_VERSION_OF, _FILES = f"{OWN}.version_of", f"{OWN}.raw_files"
"""Macros that tell the version at which a session reads a table, and the files of the raw tables."""


def _pins(versions: Mapping[str, int], files: Iterable[str]) -> str:
    """The statements that hold a session to versions and files."""
    # of 300 literals a map would take a millisecond in each query
    told = (quoted(chr(31).join(map(str, texts))) for texts in (versions, versions.values()))
    by_name = "MAP({})[name]".format(", ".join(f"string_split({text}, chr(31))" for text in told))
    return (
        f"CREATE OR REPLACE MACRO {_VERSION_OF}(name) AS CAST({by_name} AS BIGINT);"
        f"CREATE OR REPLACE MACRO {_FILES}() AS {_list(files)}"
    )


def _readable(con: duckdb.DuckDBPyConnection, files: list[str]) -> list[str]:
    """The files, if they can be read as one table; none of them else: then each tells what is wrong when it is read.

    Planning a read of forty Delta tables takes a quarter of a second, a hundred times as long as one of a series.
    """
    try:
        con.execute(f"DESCRIBE SELECT * FROM read_parquet({_list(files)})")
    except duckdb.Error:
        return []
    return files


def _list(files: Iterable[str]) -> str:
    """Files as a SQL list of patterns that no others fit."""
    return "[{}]".format(", ".join(quoted(re.sub(r"[\[*?]", r"[\g<0>]", file)) for file in files))


def _connection(root: Root) -> duckdb.DuckDBPyConnection:
    """A connection that can read Delta tables where the lake is, downloading nothing.

    The extensions come from wheels that were checked when they were installed, as DuckDB itself did: their signature is
    not computed again, which takes 0.3 s of each process. Any other that a user loads must be signed.
    """
    con = duckdb.connect(
        ":memory:", config={"autoinstall_known_extensions": "false", "allow_unsigned_extensions": "true"}
    )
    if isinstance(root, S3Root):
        con.execute(f"LOAD {quoted(str(_extension('httpfs')))}")
        secret = ", ".join(
            f"{k} {str(v).lower() if isinstance(v, bool) else quoted(v)}"
            for k, v in s3.settings().duckdb_secret().items()
        )
        con.execute(f"CREATE SECRET lake (TYPE s3, PROVIDER config, SCOPE {quoted(f's3://{root.bucket}')}, {secret})")
    con.execute(f"LOAD {quoted(str(_extension('delta')))}")
    con.execute("SET allow_unsigned_extensions = false; SET TimeZone = 'UTC'")
    return con


def _extension(name: str) -> Path:
    """The extension file inside its wheel: loading it from there downloads nothing and writes nothing."""
    folder = Path(str(files(f"duckdb_extension_{name}"))) / "extensions" / f"v{duckdb.__version__}"
    file = folder / f"{name}.duckdb_extension"
    if not file.is_file():
        raise LakeError(
            f"DuckDB {duckdb.__version__} needs its {name} extension at {file}, which is missing. "
            f"Install duckdb-extension-{name}=={duckdb.__version__}."
        )
    return file


def set_option(con: duckdb.DuckDBPyConnection, name: str, value: object) -> None:
    """Set one of DuckDB's settings, such as `memory_limit`, in an open session."""
    con.execute(f"SET {identifier(name)} = {quoted(str(value))}")


def query(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object] | list[object] | None = None
) -> pl.DataFrame:
    """Run one statement, its parameters bound, and return its rows.

    Raises
    ------
    LakeError
        When the statement fails, with DuckDB's message.
    """
    try:
        with no_panic():
            return con.execute(sql, parameters).pl()
    except (duckdb.Error, PanicError) as error:
        raise LakeError(f"{error}{_way_out(con, sql, error)}") from None


def told(con: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    """Run one statement and return its rows for a terminal or a file of text.

    What has no form there, such as a list, an interval or bytes, is text as DuckDB writes it. A statement that gives
    no rows gives a frame without columns.

    Raises
    ------
    LakeError
        When there is not exactly one statement, or it fails.
    """
    try:
        _refuse_all_but_one(sql)
        with no_panic():
            rows = con.sql(sql)
            if rows is None:
                return pl.DataFrame()
            told = (_as_text(n, str(kind)) for n, kind in enumerate(rows.types, 1))
            named = (f"{t} AS {identifier(name)}" for t, name in zip(told, rows.columns, strict=True))
            answer = rows.project(", ".join(named))
            # DuckDB's own way imports pyarrow and numpy, which takes a fifth of a first answer, but numbers equal names
            return pl.DataFrame(answer) if len(set(rows.columns)) == len(rows.columns) else answer.pl()
    except (duckdb.Error, PanicError) as error:
        raise LakeError(f"{shortened(str(error), 2000)}{_way_out(con, sql, error)}") from None


_PLAIN = re.compile(r"BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*|VARCHAR|DATE|TIME|TIMESTAMP.*")
"""Types of DuckDB whose values stand as they are."""


def _as_text(position: int, kind: str) -> str:
    """A column of an answer, as text where its type is not plain."""
    return f"#{position}" if _PLAIN.fullmatch(kind) else f"CAST(#{position} AS VARCHAR)"


def _refuse_all_but_one(sql: str) -> None:
    """Refuse text with no statement or several: of these the last alone would answer."""
    text = sql.encode()
    ends = (text[offset : offset + 1] == b";" for offset, _ in duckdb.tokenize(sql))
    if (found := sum(not is_end for is_end, _ in groupby(ends))) != 1:
        raise LakeError(f"expected one SQL statement, got {found or 'none'}")


def _way_out(con: duckdb.DuckDBPyConnection, sql: str, error: Exception) -> str:
    """What to do where an error speaks of a file that cannot be read; of a table whose folder or name was told."""
    text = str(error)
    if not isinstance(error, PanicError) and not _OF_A_FILE.search(text):
        return ""
    shown = con.execute("SELECT schema_name || '/' || view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    told = {name: rf"\b{re.escape(name.replace('/', '.'))}\b" for (name,) in shown}
    named = [name for name, as_sql in told.items() if f"/{name}/" in text or re.search(as_sql, sql)]
    if not named and "No such file" in text:  # one that the statement names
        return ""
    of = f" of {' or '.join(sorted(named))}" if named else ""
    return f". A data file{of} is missing or damaged: `macro doctor --deep` says which, and what to do"
