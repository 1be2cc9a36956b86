"""Delta tables of the lake: open, read, append, overwrite, replace partitions.

Every write passes one boundary (:func:`conform`): the catalog's columns in the catalog's types, no NaN or infinity,
sorted by the table's key. Only "table not found" means create; any other error leaves the table as it was.
Appends and overwrites are never mixed on one table: an append racing an overwrite survives it (WriteSerializable).
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from macro_assets.catalog import Catalog, Table
from macro_assets.catalog.derive import all_columns, polars_schema
from macro_assets.catalog.models import Dtype
from macro_assets.lakehouse.paths import table_path

SCHEMA_VERSION = 1
"""Version of the lake's table layout. Raised when columns of existing tables change meaning."""

_VERSION_KEY = "macro_assets.schema_version"
# Commits are 2.6x cheaper than at the default of 100.
_CONFIGURATION: dict[str, str | None] = {"delta.checkpointInterval": "10"}
_BOOKKEEPING = ("ingested_at", "run_id", "payload_sha256")
_ARROW_TYPES: dict[Dtype, pa.DataType] = {
    "str": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "binary": pa.binary(),
}


class LakeError(Exception):
    """The lake refuses: the message says which table, what was expected, what came, and what to do."""


def check_writable(root: Path) -> None:
    """Raise a :class:`LakeError` unless files can be made under `root` (which is created)."""
    probe = root / f".writable.{os.getpid()}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise LakeError(
            f"the lake root {root} cannot be written ({error.strerror}). "
            "Set MACRO_LAKE to a folder you may write to, or change its permissions."
        ) from None


def open_table(root: Path, name: str) -> DeltaTable | None:
    """The Delta table, or None when there is none yet.

    Raises
    ------
    LakeError
        When the table cannot be read, or was written by a newer version of macro_assets.
    """
    path = table_path(root, name)
    try:
        table = DeltaTable(path)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        raise LakeError(f"table {name} at {path} cannot be opened: {error}") from error
    written = int(table.schema().fields[0].metadata.get(_VERSION_KEY, SCHEMA_VERSION))
    if written > SCHEMA_VERSION:
        raise LakeError(
            f"table {name} at {path} has schema version {written}, this macro_assets reads up to {SCHEMA_VERSION}. "
            "Upgrade macro_assets, or point MACRO_LAKE at another lake. The table was left as it is."
        )
    return table


def read_table(root: Path, table: Table, catalog: Catalog) -> pl.DataFrame:
    """All rows of a table with the catalog's columns; an empty frame when it does not exist yet.

    Columns the catalog has and the stored table lacks (a series added since) come as nulls.
    """
    schema = polars_schema(all_columns(table, catalog))
    stored = open_table(root, table.name)
    if stored is None:
        return pl.DataFrame(schema=schema)
    frame = pl.DataFrame(pl.from_arrow(stored.to_pyarrow_dataset().to_table()))
    missing = [pl.lit(None, dtype=t).alias(n) for n, t in schema.items() if n not in frame.columns]
    return frame.with_columns(missing).select(pl.col(n).cast(t) for n, t in schema.items())


def conform(frame: pl.DataFrame, table: Table, catalog: Catalog) -> pl.DataFrame:
    """The frame as it may be stored: catalog columns and types, nulls for NaN and infinity, sorted by key.

    Raises
    ------
    LakeError
        When columns are missing or unknown, a type does not fit, a required value is null or a key repeats.
    """
    columns = all_columns(table, catalog)
    schema = polars_schema(columns)
    if missing := [c for c in schema if c not in frame.columns]:
        raise LakeError(f"table {table.name}: columns missing from the data: {', '.join(missing)}")
    if unknown := [c for c in frame.columns if c not in schema]:
        raise LakeError(f"table {table.name}: columns the catalog does not have: {', '.join(unknown)}")
    try:
        frame = frame.select(pl.col(n).cast(t) for n, t in schema.items())
    except pl.exceptions.PolarsError as error:
        raise LakeError(f"table {table.name}: the data does not fit the catalog's types: {error}") from error
    floats = pl.col(pl.Float64)
    frame = frame.with_columns(pl.when(floats.is_finite()).then(floats))
    for column in columns:
        if not column.nullable and (nulls := frame[column.name].null_count()):
            raise LakeError(f"table {table.name}: column {column.name} must not be null, {nulls} rows are")
    keys = frame.select(table.key)
    if keys.is_duplicated().any():
        example = keys.filter(keys.is_duplicated()).row(0, named=True)
        raise LakeError(f"table {table.name}: two rows have the same key {example}")
    return frame.sort(table.key, nulls_last=True)


def content_hash(frame: pl.DataFrame) -> str:
    """SHA-256 (16 hex digits) of a frame's rows: equal for equal tables whatever their history."""
    buffer = io.BytesIO()
    frame.rechunk().write_ipc(buffer, compression="uncompressed")
    return hashlib.sha256(buffer.getbuffer()).hexdigest()[:16]


def data_version(frame: pl.DataFrame, table: Table) -> str:
    """Hash of what a table says: its rows in key order, without the columns that only record how they came."""
    said = [c for c in frame.columns if c not in _BOOKKEEPING]
    return content_hash(frame.select(said).sort([k for k in table.key if k in said], nulls_last=True))


def append(root: Path, table: Table, catalog: Catalog, rows: pl.DataFrame, commit: Mapping[str, str]) -> int:
    """Append rows in one commit and return the table's version. Nothing to append, nothing committed."""
    rows = conform(rows, table, catalog)
    target = _open_or_create(root, table, catalog)
    if not rows.is_empty():
        write_deltalake(
            target,
            rows.to_arrow().cast(_arrow_schema(table, catalog)),
            mode="append",
            commit_properties=CommitProperties(custom_metadata=dict(commit)),
        )
    return target.version()


def overwrite(
    root: Path,
    table: Table,
    catalog: Catalog,
    frame: pl.DataFrame,
    commit: Mapping[str, str],
    partitions: Sequence[str] | None = None,
) -> int:
    """Replace all rows, or those of the given as-of months, and return the table's version.

    The same content as stored makes no new version.

    Raises
    ------
    LakeError
        When the data does not fit the catalog, or has rows outside the partitions it is to replace.
    """
    frame = conform(frame, table, catalog)
    target = _open_or_create(root, table, catalog)
    predicate = None
    if partitions is not None:
        if strays := set(frame["as_of_month"]) - set(partitions):
            raise LakeError(
                f"table {table.name}: rows of {sorted(strays)} do not belong to partitions {list(partitions)}"
            )
        predicate = "as_of_month IN ({})".format(", ".join(f"'{_month(p)}'" for p in partitions))
    stored = read_table(root, table, catalog).sort(table.key, nulls_last=True)
    if partitions is not None:
        stored = stored.filter(pl.col("as_of_month").is_in(list(partitions)))
    if stored.equals(frame):
        return target.version()
    write_deltalake(
        target,
        frame.to_arrow().cast(_arrow_schema(table, catalog)),
        mode="overwrite",
        predicate=predicate,
        schema_mode="overwrite" if predicate is None else None,  # a series added to the catalog adds a panel column
        commit_properties=CommitProperties(custom_metadata=dict(commit)),
    )
    return target.version()


def _month(key: str) -> str:
    """A partition key, proven to be 'YYYY-MM' before it enters a predicate."""
    year, _, month = key.partition("-")
    if not (len(key) == 7 and year.isdigit() and month.isdigit()):
        raise LakeError(f"partition key {key!r} is not a month 'YYYY-MM'")
    return key


def _open_or_create(root: Path, table: Table, catalog: Catalog) -> DeltaTable:
    existing = open_table(root, table.name)
    if existing is not None:
        return existing
    check_writable(root)
    return DeltaTable.create(
        table_path(root, table.name),
        _arrow_schema(table, catalog),
        mode="ignore",
        name=table.name,
        description=table.description,
        configuration=_CONFIGURATION,
    )


def _arrow_schema(table: Table, catalog: Catalog) -> pa.Schema:
    """Columns with nullability, unit and comment.

    The first carries the schema version, since delta-rs refuses table properties of our own.
    """
    fields = []
    for position, column in enumerate(all_columns(table, catalog)):
        metadata = {"comment": column.description, **({"unit": column.unit} if column.unit else {})}
        if position == 0:
            metadata[_VERSION_KEY] = str(SCHEMA_VERSION)
        fields.append(pa.field(column.name, _ARROW_TYPES[column.dtype], column.nullable, metadata))
    return pa.schema(fields)


def row_counts(root: Path, catalog: Catalog) -> dict[str, int]:
    """Rows of every table that is in the lake, by name, from the Delta statistics."""
    tables = {name: open_table(root, name) for name in catalog.tables}
    return {name: t.count() for name, t in tables.items() if t is not None}
