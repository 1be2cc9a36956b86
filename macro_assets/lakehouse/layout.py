"""How tables are laid out on disk: Arrow types, column comments, the schema version and the steps between versions.

The version travels in the metadata of a table's first field, since delta-rs refuses table properties of our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import polars as pl
from deltalake import DeltaTable

from macro_assets.catalog import Table

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 3
"""Version of the lake's layout. Raised, with a step in `MIGRATIONS`, when stored columns change."""

CLOCKS: Mapping[str, str] = {
    "raw": "release_time",
    "landing": "fetched_at",
    "fetch_log": "last_seen",
    "audit": "decided_at",
    "maintenance": "started_at",
}
"""By layer, the column that says when a row was known. As-of partitioned tables have `as_of`."""

BOOKKEEPING = ("ingested_at", "run_id", "payload_sha256", "computed_at")
"""Columns that record how and when rows came and are no part of what a table says."""

_VERSION_KEY = "macro_assets.schema_version"


def arrow_schema(table: Table) -> pa.Schema:
    """Columns of a table with nullability, unit and comment."""
    import pyarrow as pa  # a tenth of the time in which the code location loads

    types = {
        "str": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
        "binary": pa.binary(),
    }
    fields = []
    for position, column in enumerate(table.columns):
        metadata = {"comment": column.description, **({"unit": column.unit} if column.unit else {})}
        if position == 0:
            metadata[_VERSION_KEY] = str(SCHEMA_VERSION)
        fields.append(pa.field(column.name, types[column.dtype], column.nullable, metadata))
    return pa.schema(fields)


def written_version(stored: DeltaTable) -> int:
    """Schema version a table was written with; 1 where it says none."""
    return int(stored.schema().fields[0].metadata.get(_VERSION_KEY, 1))


def _receipts(landing: pl.DataFrame) -> pl.DataFrame:
    """Version 2: landing says what was asked for in which run. Older rows asked for everything."""
    return landing.with_columns(
        run_id=pl.lit("before schema version 2"),
        http_status=pl.lit(None, pl.Int64),
        series_ids=pl.lit(None, pl.String),
        window_first=pl.lit(None, pl.Date),
        window_last=pl.lit(None, pl.Date),
    )


def _computation_times(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Version 2: forecasts say when they were computed. Of older rows nobody knows."""
    return forecasts.with_columns(computed_at=pl.lit(None, pl.Datetime("us", "UTC")))


def _days_of_asking(landing: pl.DataFrame) -> pl.DataFrame:
    """Version 3: landing says on which day it was asked and what was known by then. Older rows asked for all."""
    return landing.with_columns(
        asked_on=pl.col("fetched_at").dt.date(),
        known_through=pl.lit(None, pl.String),
        validator=pl.lit(None, pl.String),
    )


def _successes(log: pl.DataFrame) -> pl.DataFrame:
    """Version 3: the fetch log says who served a series, how fast, and when and how that last went well."""
    return log.with_columns(
        last_success=pl.when(pl.col("status") == "ok").then("last_seen"),
        is_whole=pl.lit(False),
        provider=pl.lit(None, pl.String),
        latency_ms=pl.lit(None, pl.Float64),
    )


RETIRED: Mapping[str, str] = {
    "normalized/observations": "normalized.observations",
    "normalized/panel_monthly": "normalized.monthly, which PIVOT sets side by side",
    "normalized/transformed": "normalized.transformed",
    "normalized/zscores": "normalized.zscores",
}
"""Computed tables of earlier versions, which a lake may still have, with the views in their place."""

MIGRATIONS: Mapping[int, Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]]] = {
    2: {"landing": _receipts, "forecasts": _computation_times},
    3: {"landing": _days_of_asking, "fetch_log": _successes},
}
"""By the version they lead to and the layer they change: stored rows of the version before in, new rows out."""


def steps_due(name: str, written: int) -> list[Callable[[pl.DataFrame], pl.DataFrame]]:
    """The steps a table written with an older version needs; none where its layer did not change."""
    layer = name.split("/")[0]
    return [by_layer[layer] for v, by_layer in sorted(MIGRATIONS.items()) if v > written and layer in by_layer]
