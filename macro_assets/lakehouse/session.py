"""SQL over the lake: an in-memory DuckDB connection with a view per table and the macros of `macros.py`.

The connection holds no lock: notebooks read while runs write, each from the versions it found when it was opened. It is
for the operator's own SQL; DuckDB's sandbox settings do not confine the Delta extension, so never run SQL from
strangers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from itertools import groupby
from pathlib import Path

import duckdb
import polars as pl

from macro_assets.catalog import Catalog, Column, Table, View, names
from macro_assets.catalog.registers import registers, series_columns
from macro_assets.catalog.wording import shortened
from macro_assets.lakehouse import s3
from macro_assets.lakehouse.absent import made_by, never_fetched, no_lake
from macro_assets.lakehouse.acceptances import ACCEPTANCES
from macro_assets.lakehouse.delta import LakeError, PanicError, no_panic, open_table, reason, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import CLOCKS, RETIRED
from macro_assets.lakehouse.macros import FACTS, NEVER_FETCHED, define_macros, quoted, timestamp
from macro_assets.lakehouse.paths import Root, S3Root
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets.lakehouse.stored import series_rows
from macro_assets.lakehouse.views import NORMALIZED, normalized_rows, view_rows
from macro_assets.lakehouse.vintages import instant

_THREADS = 4
"""Tables are looked at and attached side by side: each takes a few milliseconds, on S3 a few round trips."""

_OF_A_FILE = re.compile(
    "Out of buffer|Failed to read file|No such file|[Dd]ecompress|[Cc]orrupt|TProtocolException|magic bytes"
)
"""In DuckDB's words."""

_SQL_TYPES = {
    "str": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "binary": "BLOB",
}


def connect(
    as_of: date | datetime | str | None = None, root: str | Root | None = None, catalog: Catalog | None = None
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection on the lake.

    Views are named as the tables: `raw.bundled`, `normalized.fred`, ...; every Delta table below the root has one,
    other programs' included. `normalized.observations` and the catalog's other views read the tables of all families.
    `catalog.series`, with what is stored of each, `catalog.holders`, `catalog.sources` and `catalog.instruments`
    describe what there is. The macros are in `macros.py`. All tables are read at the versions that were current
    together when the connection was made. A table that cannot be read, or is not in the lake yet, has a view too:
    reading it raises the reason.

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
    lake = Lakehouse.at(root, catalog)
    versions = table_versions(lake.root)
    if not versions:
        raise LakeError(no_lake(lake.root))
    versions = {name: version for name, version in versions.items() if name not in lake.catalog.views}
    with ThreadPoolExecutor(_THREADS) as pool:
        looks = pool.map(lambda n: _look(lake, n, versions[n]), versions)  # while the extension loads
        con = _connection(lake.root)
        _describe(con, lake.catalog)
        found = dict(zip(versions, looks, strict=True))
        rows = dict(pool.map(lambda n: (n, _rows(con, lake.root, found[n], versions[n], moment)), versions))
        for name in lake.catalog.tables.keys() - rows.keys():
            found[name] = Look(name, lake.table(name))
            rows[name] = _not_yet(lake.catalog, lake.table(name))
        for schema in sorted({_schema_and_view(name)[0] for name in (*rows, *lake.catalog.views)} - {"main"}):
            con.execute(f"CREATE SCHEMA {identifier(schema)}")
        stored = {n: rows[n] for n in versions}
        vintages = _vintages(con, lake.catalog, found, stored)
        if vintages is not None:
            define_macros(con, vintages, stored.get(INVALIDATIONS), moment)
        list(pool.map(lambda n: _view(con.cursor(), found[n], rows[n], moment), rows))
        _views(con, lake.catalog, stored, moment)
    return con


@dataclass(frozen=True)
class Look:
    """What a look at a table found: its declaration, its columns (None: the declared ones), why it is unreadable.

    `files` are those of a raw table.
    """

    name: str
    table: Table | None
    columns: frozenset[str] | None = None
    unreadable: str | None = None
    files: tuple[str, ...] = ()


def _connection(root: Root) -> duckdb.DuckDBPyConnection:
    """A connection that can read Delta tables where the lake is, downloading nothing."""
    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    if isinstance(root, S3Root):
        con.execute(f"LOAD {quoted(str(_extension('httpfs')))}")
        secret = ", ".join(
            f"{k} {str(v).lower() if isinstance(v, bool) else quoted(v)}"
            for k, v in s3.settings().duckdb_secret().items()
        )
        con.execute(f"CREATE SECRET lake (TYPE s3, PROVIDER config, SCOPE {quoted(f's3://{root.bucket}')}, {secret})")
    con.execute(f"LOAD {quoted(str(_extension('delta')))}")
    con.execute("SET TimeZone = 'UTC'")
    return con


def _describe(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """The tables `catalog.*`; the view `catalog.series` adds to the facts of the series what is stored."""
    con.execute("CREATE SCHEMA catalog")
    for register in registers(catalog):
        place = FACTS if register.name == "series" else f"catalog.{register.name}"
        _make_table(con, place, register.rows, {c.name: c.dtype for c in register.columns})
        con.execute(f"COMMENT ON TABLE {place} IS {quoted(register.description)};" + _comments(place, register.columns))
    says = [(series_id, never_fetched(catalog, series_id)) for series_id in catalog.series]
    messages = pl.DataFrame(says, schema={"series_id": pl.String, "message": pl.String}, orient="row")
    _make_table(con, NEVER_FETCHED, messages, dict.fromkeys(messages.columns, "str"))


_BETWEEN, _NULL = 31, 30
"""Characters that no text of the catalog has: one between values, one in place of none."""


def _make_table(con: duckdb.DuckDBPyConnection, place: str, rows: pl.DataFrame, dtypes: Mapping[str, str]) -> None:
    """Make a table of one literal a column.

    One for each value takes five times as long; registering a frame or binding values would load pandas first.
    """
    columns = []
    for name, dtype in dtypes.items():
        text = quoted(chr(_BETWEEN).join(chr(_NULL) if v is None else str(v) for v in rows[name]))
        value = f"nullif(unnest(string_split({text}, chr({_BETWEEN}))), chr({_NULL}))"
        columns.append(f"CAST({value} AS {_SQL_TYPES[dtype]}) AS {identifier(name)}")
    con.execute(f"CREATE TABLE {place} AS SELECT {', '.join(columns)} LIMIT {rows.height}")


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


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _schema_and_view(name: str) -> tuple[str, str]:
    """Where a table's view is: `a/b` is a.b; deeper folders are one schema, and a table at the root is in main."""
    schema, _, view = name.rpartition("/")
    return schema or "main", view


def _look(lake: Lakehouse, name: str, version: int) -> Look:
    """Look at a table of the catalog at a version. Other programs' tables are DuckDB's to judge."""
    if name in RETIRED:
        gone = f"{name} is no table any more: {RETIRED[name]} has its figures. `macro migrate` removes what is stored."
        return Look(name, None, unreadable=gone)
    table = lake.catalog.tables.get(name)
    if table is None:
        return Look(name, None)
    try:
        stored = open_table(lake.root, name)
    except LakeError as error:
        return Look(name, table, unreadable=str(error))
    if stored is None:
        return Look(name, table)
    columns = frozenset(f.name for f in stored.schema().fields)
    if table.layer != "raw":
        return Look(name, table, columns)
    if stored.version() != version:  # a run wrote meanwhile
        stored.load_as_version(version)
    place = str(lake.root / name)
    return Look(name, table, columns, files=tuple(f"{place}/{uri.rpartition('/')[2]}" for uri in stored.file_uris()))


def _vintages(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, found: Mapping[str, Look], stored: Mapping[str, str]
) -> str | None:
    """The SQL of the rows of all raw tables among `stored`; None where there is none.

    It reads their files as one table: planning a read of forty Delta tables takes a quarter of a second, a hundred
    times as long as one of a series. A file that cannot be read is told when the rows are.
    """
    raw = [name for s in catalog.sources if (name := names.raw(s)) in stored]
    if not raw:
        return None
    parts = [stored[name] for name in raw if not found[name].files]
    files = ", ".join(quoted(_literally(file)) for name in raw for file in found[name].files)
    if files:
        together = f"SELECT * FROM read_parquet([{files}])"
        try:
            con.execute(f"DESCRIBE {together}")
        except duckdb.Error:
            parts = [stored[name] for name in raw]
        else:
            parts.append(together)
    return " UNION ALL BY NAME ".join(f"SELECT * FROM ({sql})" for sql in parts)


def _literally(path: str) -> str:
    """A path as a pattern that no other fits."""
    return re.sub(r"[\[*?]", r"[\g<0>]", path)


def _rows(con: duckdb.DuckDBPyConnection, root: Root, look: Look, version: int, moment: datetime | None) -> str:
    """The SQL of a table's rows at a version.

    Attached tables are read in 0.5 ms instead of 2; but an as-of session must not hold what was known later.
    """
    if look.unreadable is not None:
        return _error(look.unreadable, look.table)
    place = quoted(str(root / look.name))
    if moment is not None:
        return f"SELECT * FROM delta_scan({place}, version={version:d})"
    alias = _alias(look.name)
    con.cursor().execute(f"ATTACH {place} AS {alias} (TYPE delta, VERSION {version:d})")
    return f"SELECT * FROM {alias}"


def _alias(name: str) -> str:
    """Under which a table is attached."""
    return identifier(f"_lake/{name}")


def _error(message: str, table: Table | View | None = None) -> str:
    """Rows that raise when they are read, filtered or counted; with a table's columns, so that queries on it bind."""
    raised = f"error({quoted(message)})"
    columns = _columns(table, raised) if table is not None else f"{raised} AS absent"
    return f"SELECT {columns} WHERE {raised} IS NULL"


def _columns(table: Table | View, value: str) -> str:
    """One value as each column of a table."""
    return ", ".join(f"CAST({value} AS {_SQL_TYPES[c.dtype]}) AS {identifier(c.name)}" for c in table.columns)


def _not_yet(catalog: Catalog, table: Table | View) -> str:
    """Rows of a table of the catalog that is not in the lake: an error to name, unless nothing was decided."""
    if table.name in (INVALIDATIONS, ACCEPTANCES):
        return f"SELECT {_columns(table, 'NULL')} WHERE false"
    return _error(f"{table.name} is not in the lake yet. {made_by(catalog, table.name)}", table)


def _query(name: str, table: Table | None, rows: str, moment: datetime | None) -> str:
    """The SQL of a table's view. What holds later knowledge is an error to name in a session as of an instant."""
    if moment is None:
        return rows
    if table is None:
        return _error(
            f"{_sql_name(name)} is not a table of the catalog: what of it was known at an instant cannot be told, and "
            "it is absent from a session as of a date. Read it with connect()."
        )
    if table.layer in CLOCKS or table.as_of_partitioned:
        return f"SELECT * FROM ({rows}) WHERE {CLOCKS.get(table.layer, 'as_of')} <= {timestamp(moment)}"
    return _absent(table, moment)


def _absent(table: Table | View, moment: datetime) -> str:
    """Rows that a session as of an instant does not compute."""
    return _error(
        f"{_sql_name(table.name)} holds what is known today and is absent from a session as of a date. "
        f"macro_assets.read('{table.name}', as_of='{moment.date()}') computes it with what was known then.",
        table,
    )


def _view(con: duckdb.DuckDBPyConnection, look: Look, rows: str, moment: datetime | None) -> None:
    """Make a table's view, described in the catalog's words."""
    view = _place(look.name)
    try:
        con.execute(f"CREATE VIEW {view} AS {_query(look.name, look.table, rows, moment)}")
    except duckdb.Error as error:  # a damaged table of another program, or a format DuckDB does not read
        con.execute(f"CREATE VIEW {view} AS {_error(f'table {look.name} cannot be read: {reason(error)}')}")
        con.execute(f"DETACH DATABASE IF EXISTS {_alias(look.name)}")  # else a look at all tables' columns fails
        return
    if look.table is None:
        return
    columns = [c for c in look.table.columns if look.columns is None or c.name in look.columns]
    con.execute(f"COMMENT ON VIEW {view} IS {quoted(look.table.description)};" + _comments(view, columns))


def _views(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, stored: Mapping[str, str], moment: datetime | None
) -> None:
    """Make the catalog's views over the normalized tables, and the view of its series over the raw ones."""
    about = "The series of the catalog, and what the lake has of each"
    rows = series_rows(any(names.raw(s) in stored for s in catalog.sources), INVALIDATIONS in stored)
    _make_view(con, "catalog.series", rows, about, series_columns())
    normalized = normalized_rows(catalog, stored, moment)
    if normalized is not None:
        con.execute(f"CREATE VIEW {NORMALIZED} AS {normalized}")
    for view in catalog.views.values():
        if moment is not None and not view.is_observed:
            rows = _absent(view, moment)
        else:
            rows = view_rows(view) if normalized is not None else _not_yet(catalog, view)
        told = view.description, view.columns
        try:
            _make_view(con, _place(view.name), rows, *told)
        except duckdb.BinderException:
            _make_view(con, _place(view.name), _of_before(view), *told)


def _of_before(view: View) -> str:
    """Rows of a view over tables that an earlier version wrote, without what it takes."""
    return _error(
        f"{_sql_name(view.name)} reads columns that the normalized tables of an earlier version do not have. "
        "`macro run normalized` computes them again.",
        view,
    )


def _make_view(
    con: duckdb.DuckDBPyConnection, place: str, rows: str, description: str, columns: Iterable[Column]
) -> None:
    con.execute(
        f"CREATE VIEW {place} AS {rows}; COMMENT ON VIEW {place} IS {quoted(description)};" + _comments(place, columns)
    )


def _place(name: str) -> str:
    """Where a table's view is, as quoted SQL."""
    schema, view = _schema_and_view(name)
    return f"{identifier(schema)}.{identifier(view)}"


def _sql_name(name: str) -> str:
    """Name of a table in messages about SQL."""
    return name.replace("/", ".")


def _comments(place: str, columns: Iterable[Column]) -> str:
    """Statements that describe columns."""
    told = ((c, f"{c.description} [{c.unit}]" if c.unit else c.description) for c in columns)
    return "".join(f"COMMENT ON COLUMN {place}.{identifier(c.name)} IS {quoted(text)};" for c, text in told)


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
            return rows.project(", ".join(named)).pl()
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
    """What to do where an error speaks of a file that cannot be read."""
    if not isinstance(error, PanicError) and not _OF_A_FILE.search(str(error)):
        return ""
    named: set[str] = set()
    with suppress(duckdb.Error):  # views are told as what they read
        named = {name.strip('"').removeprefix("_lake/") for name in con.get_table_names(sql, qualified=True)}
    if not named and "No such file" in str(error):  # one that the statement names
        return ""
    of = f" of {' or '.join(sorted(named))}" if named else ""
    return f". A data file{of} is missing or damaged: `macro doctor --deep` says which, and what to do"
