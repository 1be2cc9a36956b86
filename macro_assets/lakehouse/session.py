"""SQL over the lake: an in-memory DuckDB connection with a view per table and the as-of macros.

The connection holds no lock: notebooks read while runs write. It is for the operator's own SQL; DuckDB's sandbox
settings do not confine the Delta extension, so never run SQL from strangers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path

import duckdb
import polars as pl

from macro_assets.catalog import Catalog, Column, Table, default_catalog
from macro_assets.catalog.derive import all_columns, series_frame
from macro_assets.lakehouse.delta import LakeError, open_table
from macro_assets.lakehouse.paths import lake_root, table_path
from macro_assets.lakehouse.vintages import VINTAGE_BASES, instant

VINTAGES = "_vintages"
"""View of all raw rows of all sources, with the source: what the as-of macros read."""

DATED = "_dated_series"
"""View of the series and providers that have dated vintages; their estimated release times are ignored."""


def connect(
    root: str | Path | None = None, as_of: date | datetime | str | None = None, catalog: Catalog | None = None
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection on the lake.

    Views are named as the tables: `raw.bundled`, `normalized.observations`, ...; `catalog.series` describes the series.
    Table macros: `observations_as_of(ts)` and `series_as_of(id, ts)`, in the providers' units.

    Parameters
    ----------
    root
        Root of the lake; default `MACRO_LAKE`, else `data/lake`.
    as_of
        Turns the session into that instant's world: `raw.*` and `normalized.observations` hold what was known then,
        as-of partitioned tables the partitions up to then. Every other derived table is absent: naming it raises an
        error that points to :func:`macro_assets.read`. A bare date means its end in UTC.

    Raises
    ------
    LakeError
        When there is no lake at the root, or a table cannot be read.
    """
    moment = instant(as_of) if as_of is not None else None
    catalog = catalog or default_catalog()
    lake = lake_root(root)
    opened = {t.name: open_table(lake, t.name) for t in catalog.tables.values()}
    stored = {name: found.version() for name, found in opened.items() if found is not None}
    if not stored:
        raise LakeError(f"there is no lake at {lake}. `make run` builds one, or set MACRO_LAKE to where yours is.")

    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    con.execute(f"LOAD '{_extension('delta')}'")
    con.execute("SET TimeZone = 'UTC'")
    con.execute("CREATE SCHEMA catalog")
    con.register("_series", series_frame(catalog).to_arrow())
    con.execute("CREATE TABLE catalog.series AS SELECT * FROM _series")
    con.unregister("_series")
    for schema in {catalog.tables[name].layer for name in stored} | {"raw"}:
        con.execute(f"CREATE SCHEMA {schema}")
    rows = {
        name: _attached(con, lake, name) if moment is None else _scan(lake, name, version)
        for name, version in stored.items()
    }
    _as_of_macros(con, {s: rows[f"raw/{s}"] for s in catalog.sources if f"raw/{s}" in rows}, moment)
    for name, source_rows in rows.items():
        table = catalog.tables[name]
        _view(con, catalog, table, _query(table, source_rows, moment))
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


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _attached(con: duckdb.DuckDBPyConnection, lake: Path, name: str) -> str:
    """Attach a table with a pinned snapshot: 0.8 ms a read instead of 3.4, and stable within the session."""
    alias = "_lake_" + name.replace("/", "__")
    con.execute(f"ATTACH {_quoted(str(table_path(lake, name)))} AS {alias} (TYPE delta, PIN_SNAPSHOT)")
    return f"SELECT * FROM {alias}"


def _scan(lake: Path, name: str, version: int) -> str:
    """Read one version of a table without attaching it: an as-of session must not hold what was known later."""
    return f"SELECT * FROM delta_scan({_quoted(str(table_path(lake, name)))}, version={version:d})"


def _timestamp(moment: datetime) -> str:
    return f"TIMESTAMPTZ {_quoted(moment.isoformat())}"


def _query(table: Table, rows: str, moment: datetime | None) -> str:
    """The SQL of a table's view. A latest-vintage table is an error to name in a session as of an instant."""
    if moment is None:
        return rows
    known = _timestamp(moment)
    if table.layer == "raw":
        return f"{rows} WHERE release_time <= {known}"
    if table.as_of_partitioned:
        return f"{rows} WHERE as_of <= {known}"
    if table.name == "normalized/observations":
        return (
            "SELECT source, series_id, observation_date, value * scale AS value, release_time "
            f"FROM observations_as_of({known}) JOIN catalog.series USING (source, series_id)"
        )
    way_out = (
        f"{table.name.replace('/', '.')} holds what is known today and is absent from a session as of a date. "
        f"macro_assets.read('{table.name}', as_of='{moment.date()}') computes it with what was known then."
    )
    return f"SELECT error({_quoted(way_out)}) AS absent"


def _view(con: duckdb.DuckDBPyConnection, catalog: Catalog, table: Table, query: str) -> None:
    name = table.name.replace("/", ".")
    con.execute(f"CREATE VIEW {name} AS {query}")
    con.execute(f"COMMENT ON VIEW {name} IS {_quoted(table.description)}")
    present = {row[0] for row in con.execute(f"DESCRIBE {name}").fetchall()}
    for column in all_columns(table, catalog):
        if column.name in present:
            con.execute(f"COMMENT ON COLUMN {name}.{column.name} IS {_quoted(_comment(column))}")


def _comment(column: Column) -> str:
    return f"{column.description} [{column.unit}]" if column.unit else column.description


def _as_of_macros(con: duckdb.DuckDBPyConnection, raw: Mapping[str, str], moment: datetime | None) -> None:
    """`observations_as_of(ts)` and `series_as_of(id, ts)`: the SQL twin of :func:`lakehouse.vintages.as_of`.

    In a session as of an instant they see no row released after it, whatever `ts` is asked.
    """
    if not raw:
        return
    union = " UNION ALL BY NAME ".join(f"SELECT {_quoted(s)} AS source, * FROM ({rows})" for s, rows in raw.items())
    horizon = f" WHERE release_time <= {_timestamp(moment)}" if moment else ""
    bases = ", ".join(_quoted(b) for b in VINTAGE_BASES)
    con.execute(f"CREATE VIEW {VINTAGES} AS SELECT * FROM ({union}){horizon}")
    con.execute(
        f"CREATE VIEW {DATED} AS SELECT DISTINCT series_id, provider FROM ({union}) WHERE release_basis IN ({bases})"
    )
    con.execute(
        """
        CREATE MACRO as_of_instant(ts) AS
        CASE WHEN length(CAST(ts AS VARCHAR)) = 10
             THEN CAST(CAST(ts AS VARCHAR) || ' 23:59:59.999999+00' AS TIMESTAMPTZ)
             ELSE CAST(CAST(ts AS VARCHAR) AS TIMESTAMPTZ) END
        """
    )
    con.execute(
        f"""
        CREATE MACRO observations_as_of(ts) AS TABLE
        SELECT * FROM {VINTAGES}
        WHERE release_time <= as_of_instant(ts)
          AND NOT (release_basis = 'publication_lag' AND (series_id, provider) IN (FROM {DATED}))
        QUALIFY row_number() OVER (
            PARTITION BY series_id, observation_date ORDER BY (provider = source) DESC, release_time DESC
        ) = 1
        """
    )
    con.execute(
        """
        CREATE MACRO known_series(id) AS
        CASE WHEN id IN (SELECT s.series_id FROM catalog.series AS s) THEN id
             ELSE error(format('unknown series "{}". SELECT * FROM catalog.series shows all.', id)) END
        """
    )
    con.execute(
        """
        CREATE MACRO series_as_of(id, ts) AS TABLE
        SELECT * FROM observations_as_of(ts) WHERE series_id = known_series(id) ORDER BY observation_date
        """
    )


def query(con: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    """Run one statement and return its rows.

    Raises
    ------
    LakeError
        When the statement fails, with DuckDB's message.
    """
    try:
        return con.execute(sql).pl()
    except duckdb.Error as error:
        raise LakeError(str(error)) from None
