"""What a session shows, as SQL: a view of each table of the lake, and the views and registers of the catalog.

Belongs here: of which rows each is made, what is told instead where there are none, and the words about it. Does not
belong here: making them (`session.py`), the macros (`macros.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import polars as pl

from macro_assets.catalog import Catalog, Column, Table, View, names
from macro_assets.catalog.registers import registers, series_columns
from macro_assets.lakehouse.absent import made_by, never_fetched, undated
from macro_assets.lakehouse.acceptances import ACCEPTANCES
from macro_assets.lakehouse.delta import LakeError, open_table, reason
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import RETIRED, clock_of
from macro_assets.lakehouse.macros import FACTS, NEVER_FETCHED, OWN, quoted, timestamp
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets.lakehouse.stored import series_rows
from macro_assets.lakehouse.views import NORMALIZED, normalized_rows, view_rows

_SQL_TYPES = {
    "str": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "binary": "BLOB",
}


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


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


def unseen(lake: Lakehouse, name: str) -> Look:
    """What a look at a table finds if nothing is wrong with it."""
    if name in RETIRED:
        gone = f"{name} is no table any more: {RETIRED[name]} has its figures. `macro migrate` removes what is stored."
        return Look(name, None, unreadable=gone)
    return Look(name, lake.catalog.tables.get(name))


def look(lake: Lakehouse, name: str, version: int) -> Look:
    """Look at a table of the catalog at a version. Other programs' tables are DuckDB's to judge."""
    expected = unseen(lake, name)
    if (table := expected.table) is None:
        return expected
    try:
        stored = open_table(lake.root, name)
    except LakeError as error:
        return Look(name, table, unreadable=str(error))
    if stored is None:
        return expected
    columns = frozenset(f.name for f in stored.schema().fields)
    if table.layer != "raw":
        return Look(name, table, columns)
    if stored.version() != version:  # a run wrote meanwhile
        stored.load_as_version(version)
    place = str(lake.root / name)
    return Look(name, table, columns, files=tuple(f"{place}/{uri.rpartition('/')[2]}" for uri in stored.file_uris()))


@dataclass(frozen=True)
class Shown:
    """A view to make: where, of which rows, the words about it, and its rows where these cannot be had.

    `name` is under which `SHOW TABLES` lists it; None for one that has nothing to show.
    """

    place: str
    rows: str
    words: str
    instead: Callable[[duckdb.Error], str]
    name: str | None = None


def rows_of(root: Root, look: Look, version: str) -> str:
    """The SQL of a table's rows at a version, which is SQL too."""
    if look.unreadable is not None:
        return _error(look.unreadable, look.table)
    return f"SELECT * FROM delta_scan({quoted(str(root / look.name))}, version={version})"


def described(catalog: Catalog, stored: Iterable[str]) -> str:
    """The statements that make the schemas of the session and the tables `catalog.*`.

    The view `catalog.series` adds to the facts of the series what is stored.
    """
    schemas = {_schema_and_view(name)[0] for name in (*stored, *catalog.tables, *catalog.views)}
    made = [f"CREATE SCHEMA {identifier(schema)}" for schema in sorted({"catalog", OWN, *schemas} - {"main"})]
    for register in registers(catalog):
        place = FACTS if register.name == "series" else f"catalog.{register.name}"
        made.append(_table(place, register.rows, {c.name: c.dtype for c in register.columns}))
        made.append(f"COMMENT ON TABLE {place} IS {quoted(register.description)};{_comments(place, register.columns)}")
    says = [(series_id, never_fetched(catalog, series_id)) for series_id in catalog.series]
    messages = pl.DataFrame(says, schema={"series_id": pl.String, "message": pl.String}, orient="row")
    made.append(_table(NEVER_FETCHED, messages, dict.fromkeys(messages.columns, "str")))
    return ";".join(made)


_BETWEEN, _NULL = 31, 30
"""Characters that no text of the catalog has: one between values, one in place of none."""


def _table(place: str, rows: pl.DataFrame, dtypes: Mapping[str, str]) -> str:
    """The statement that makes a table of one literal a column.

    One for each value takes five times as long; registering a frame or binding values would load pandas first.
    """
    columns = []
    for name, dtype in dtypes.items():
        text = quoted(chr(_BETWEEN).join(chr(_NULL) if v is None else str(v) for v in rows[name]))
        value = f"nullif(unnest(string_split({text}, chr({_BETWEEN}))), chr({_NULL}))"
        columns.append(f"CAST({value} AS {_SQL_TYPES[dtype]}) AS {identifier(name)}")
    return f"CREATE TABLE {place} AS SELECT {', '.join(columns)} LIMIT {rows.height}"


def of_tables(
    catalog: Catalog, found: Mapping[str, Look], rows: Mapping[str, str], moment: datetime | None
) -> Iterator[Shown]:
    """A view of each table that is stored, of which `rows` are the rows, and of each other of the catalog."""
    for name, sql in rows.items():
        table = found[name].table
        is_listed = moment is None or (table is not None and clock_of(table) is not None)
        yield _of_table(found[name], _query(name, table, sql, moment), is_listed)
    for name, table in catalog.tables.items():
        if name not in rows:
            # the words about its columns would take longer than all else of a session with few tables
            absent = Look(name, table, columns=frozenset())
            yield _of_table(absent, _query(name, table, _not_yet(catalog, table), moment))


def _of_table(look: Look, rows: str, is_listed: bool = False) -> Shown:
    """A table's view, described in the catalog's words."""
    place, words = _place(look.name), ""
    if look.table is not None:
        columns = [c for c in look.table.columns if look.columns is None or c.name in look.columns]
        words = _words(place, look.table.description, columns)
    # a damaged table of another program, or a format DuckDB does not read
    name = _sql_name(look.name) if is_listed and "/" in look.name else None  # a table at the root is listed by itself
    return Shown(place, rows, words, lambda error: _error(f"table {look.name} cannot be read: {reason(error)}"), name)


def of_catalog(
    catalog: Catalog, rows: Mapping[str, str], vintages: str | None, moment: datetime | None
) -> Iterator[Shown]:
    """The view of the catalog's series over the raw tables, and its views over the normalized ones.

    Parameters
    ----------
    rows
        SQL of the rows of each stored table.
    vintages
        SQL of the rows of all raw tables; None where there is none.
    """
    series = "catalog.series"
    about = _words(series, "The series of the catalog, and what the lake has of each", series_columns())
    yield Shown(series, series_rows(vintages, INVALIDATIONS in rows), about, _unread(series), series)
    normalized = normalized_rows(catalog, rows, moment)
    if normalized is not None:
        yield Shown(NORMALIZED, normalized, "", _unread(NORMALIZED))
    for view in catalog.views.values():
        place, name = _place(view.name), None
        if moment is not None and not view.is_observed:
            of_view = _absent(view, moment)
        elif normalized is None:
            of_view = _not_yet(catalog, view)
        else:
            of_view, name = view_rows(view), _sql_name(view.name)
        yield Shown(place, of_view, _words(place, view.description, view.columns), _unread(view.name, view), name)


def listing(shown: Iterable[Shown]) -> str:
    """The statement that lets `SHOW TABLES` list what there is in all schemas, as one writes it in SQL.

    DuckDB lists `main` alone, by this view of its own; without an oid, `SHOW ALL TABLES` passes over what is added.
    """
    stated = [s.name for s in shown if s.name is not None] + [
        f"catalog.{r}" for r in ("holders", "instruments", "sources")
    ]
    return (
        "CREATE VIEW main.duckdb_views AS "
        "SELECT * FROM duckdb_views() WHERE NOT internal AND view_name <> 'duckdb_views' "
        "UNION ALL BY NAME SELECT current_database() AS database_name, 'main' AS schema_name, "
        f"unnest([{', '.join(map(quoted, stated))}]) AS view_name, false AS internal, false AS temporary"
    )


def _unread(name: str, view: View | None = None) -> Callable[[duckdb.Error], str]:
    """What a view tells where it cannot be made: most likely an earlier version wrote its tables, without a column."""

    def told(error: duckdb.Error) -> str:
        if view is None or not isinstance(error, duckdb.BinderException):
            return _error(f"{_sql_name(name)} cannot be read: {reason(error)}", view)
        return _error(
            f"{_sql_name(name)} reads columns that the normalized tables of an earlier version do not have. "
            "`macro run normalized` computes them again.",
            view,
        )

    return told


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
    if (clock := clock_of(table)) is not None:
        return f"SELECT * FROM ({rows}) WHERE {clock} <= {timestamp(moment)}"
    if names.entry_of(name) is None:
        return _error(undated(name), table)
    return _absent(table, moment)


def _absent(table: Table | View, moment: datetime) -> str:
    """Rows that a session as of an instant does not compute."""
    return _error(
        f"{_sql_name(table.name)} holds what is known today and is absent from a session as of a date. "
        f"macro_assets.read('{table.name}', as_of='{moment.date()}') computes it with what was known then.",
        table,
    )


def _schema_and_view(name: str) -> tuple[str, str]:
    """Where a table's view is: `a/b` is a.b; deeper folders are one schema, and a table at the root is in main."""
    schema, _, view = name.rpartition("/")
    return schema or "main", view


def _place(name: str) -> str:
    """Where a table's view is, as quoted SQL."""
    schema, view = _schema_and_view(name)
    return f"{identifier(schema)}.{identifier(view)}"


def _sql_name(name: str) -> str:
    """Name of a table as one writes it in SQL."""
    schema, view = _schema_and_view(name)
    parts = (schema, view) if "/" in name else (view,)
    return ".".join(p if re.fullmatch(r"[a-z_][a-z0-9_]*", p) else identifier(p) for p in parts)


def _words(place: str, description: str, columns: Iterable[Column]) -> str:
    """Statements that describe a view and its columns."""
    return f"COMMENT ON VIEW {place} IS {quoted(description)};{_comments(place, columns)}"


def _comments(place: str, columns: Iterable[Column]) -> str:
    """Statements that describe columns."""
    told = ((c, f"{c.description} [{c.unit}]" if c.unit else c.description) for c in columns)
    return "".join(f"COMMENT ON COLUMN {place}.{identifier(c.name)} IS {quoted(text)};" for c, text in told)
