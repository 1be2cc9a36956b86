"""How tables are laid out on disk: Arrow types, column comments, the schema version and the steps between versions.

The version travels in the metadata of a table's first field, since delta-rs refuses table properties of our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
from deltalake import DeltaTable

from macro_assets.catalog import Table
from macro_assets.lakehouse.renames import is_concerned

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 6
"""Version of the lake's layout. Raised, with a step in `MIGRATIONS`, when stored columns change, or in `RENAMES`."""

CLOCKS: Mapping[str, str] = {
    "raw": "release_time",
    "silences": "release_time",
    "landing": "fetched_at",
    "fetch_log": "last_seen",
    "audit": "decided_at",
    "maintenance": "started_at",
    "paths": "as_of",
}
"""By layer, the column that says when a row was known. As-of partitioned tables have `as_of`."""


def clock_of(table: Table) -> str | None:
    """The column that says when a row of a table was known; None where none does."""
    return "as_of" if table.as_of_partitioned else CLOCKS.get(table.layer)


BOOKKEEPING = (
    "ingested_at",
    "run_id",
    "payload_sha256",
    "computed_at",
    "model_version",
    "slice_hash",
    "unchanged_since",
    "libraries",
)
"""Columns that record how and when rows came and are no part of what a table says."""

_VERSION_KEY = "macro_assets.schema_version"


def arrow_schema(table: Table, stored: DeltaTable | None = None) -> pa.Schema:
    """Columns of a table with nullability, unit and comment.

    For rows that are added to a stored table, these are as that has them, and so is its version: delta-rs refuses rows
    whose columns say otherwise, and a new word in a description would make a table unwritable.
    """
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
    said = {} if stored is None else {field.name: field.metadata for field in stored.schema().fields}
    fields = []
    for position, column in enumerate(table.columns):
        metadata = {"comment": column.description, **({"unit": column.unit} if column.unit else {})}
        if position == 0:
            metadata[_VERSION_KEY] = str(SCHEMA_VERSION)
        fields.append(pa.field(column.name, types[column.dtype], column.nullable, said.get(column.name, metadata)))
    return pa.schema(fields)


def written_version(stored: DeltaTable) -> int:
    """Schema version a table was written with; 1 where it says none."""
    return int(stored.schema().fields[0].metadata.get(_VERSION_KEY, 1))


def _receipts(landing: pl.DataFrame, _: str) -> pl.DataFrame:
    """Version 2: landing says what was asked for in which run. Older rows asked for everything."""
    return landing.with_columns(
        run_id=pl.lit("before schema version 2"),
        http_status=pl.lit(None, pl.Int64),
        series_ids=pl.lit(None, pl.String),
        window_first=pl.lit(None, pl.Date),
        window_last=pl.lit(None, pl.Date),
    )


def _computation_times(forecasts: pl.DataFrame, _: str) -> pl.DataFrame:
    """Version 2: forecasts say when they were computed. Of older rows nobody knows."""
    return forecasts.with_columns(computed_at=pl.lit(None, pl.Datetime("us", "UTC")))


def _days_of_asking(landing: pl.DataFrame, _: str) -> pl.DataFrame:
    """Version 3: landing says on which day it was asked and what was known by then. Older rows asked for all."""
    return landing.with_columns(
        asked_on=pl.col("fetched_at").dt.date(),
        known_through=pl.lit(None, pl.String),
        validator=pl.lit(None, pl.String),
    )


def _successes(log: pl.DataFrame, _: str) -> pl.DataFrame:
    """Version 3: the fetch log says who served a series, how fast, and when and how that last went well."""
    return log.with_columns(
        last_success=pl.when(pl.col("status") == "ok").then("last_seen"),
        is_whole=pl.lit(False),
        provider=pl.lit(None, pl.String),
        latency_ms=pl.lit(None, pl.Float64),
    )


def _whose_answers(landing: pl.DataFrame, _: str) -> pl.DataFrame:
    """Version 5: landing says who was asked. Of older rows the home of the series was, and others where it failed."""
    return landing.with_columns(provider=pl.lit(None, pl.String))


def _who_was_asked(log: pl.DataFrame, name: str) -> pl.DataFrame:
    """Version 5: the fetch log has a row for each holder that was asked: one served where the source had failed.

    Whether that one had asked for the whole was not recorded, nor when the source had last gone well before.
    """
    source = name.partition("/")[2]
    log = log.with_columns(pl.col("provider").fill_null(source))
    own, served = log.filter(pl.col("provider") == source), log.filter(pl.col("provider") != source)
    failed = served.with_columns(
        provider=pl.lit(source),
        status=pl.lit("failed"),
        rows_seen=pl.lit(0, pl.Int64),
        last_success=pl.lit(None, pl.Datetime("us", "UTC")),
        latency_ms=pl.lit(None, pl.Float64),
    )
    return pl.concat([own, failed, served.with_columns(is_whole=pl.lit(False), error=pl.lit(None, pl.String))])


def _providers(forecasts: pl.DataFrame, _: str) -> pl.DataFrame:
    """Version 5: what is computed as of a month says who served its figures. Of older rows nobody recorded it."""
    return forecasts.with_columns(providers=pl.lit(None, pl.String))


def _looks(log: pl.DataFrame, _: str) -> pl.DataFrame:
    """Version 6: the fetch log says when all that a provider serves was last asked for. Of older rows nobody knows."""
    return log.with_columns(last_look=pl.lit(None, pl.Datetime("us", "UTC")))


_QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
_OF_THE_ROW = ["as_of_month", "as_of", "computed_at"]


def _long_forecasts(wide: pl.DataFrame, _: str) -> pl.DataFrame:
    """Version 4: a row for each statistic of a forecast. There was one model, of GDP, with normal errors."""
    normal = NormalDist()
    shifts = {"mean": 0.0, **{name: normal.inv_cdf(p) for name, p in _QUANTILES.items()}}
    quarter = pl.col("target_quarter").dt.year() * 4 + pl.col("target_quarter").dt.quarter()
    now = pl.col("as_of").dt.year() * 4 + pl.col("as_of").dt.quarter()
    return pl.concat(
        wide.select(
            *_OF_THE_ROW,
            series_id=pl.lit("GDPC1"),
            target_date="target_quarter",
            horizon=(quarter - now).cast(pl.Int64),
            statistic=pl.lit(name),
            value=pl.col("forecast_pct") + shift * pl.col("standard_error_pct"),
            scenario=pl.lit(None, pl.String),
            model_version=pl.lit(None, pl.String),
            is_released="is_released",
            latest_release="latest_release",
            slice_hash=pl.lit(None, pl.String),
            unchanged_since=pl.lit(None, pl.Datetime("us", "UTC")),
        )
        for name, shift in shifts.items()
    )


def _diagnostics(wide: pl.DataFrame, _: str) -> pl.DataFrame:
    """Version 4: the log-likelihood of a month stands once, by name."""
    return wide.select(*_OF_THE_ROW, name=pl.lit("log_likelihood"), value="log_likelihood").unique("as_of_month")


def _news(rows: pl.DataFrame, _: str) -> pl.DataFrame:
    """Version 4: news say what of and in which unit. The unit of older releases was not recorded."""
    return rows.select(
        *_OF_THE_ROW,
        "previous_as_of",
        pl.lit("GDPC1").alias("target_id"),
        pl.col("target_quarter").alias("target_date"),
        *("effect", "series_id", "observation_date", "release_forecast", "release_actual"),
        pl.lit(None, pl.String).alias("release_unit"),
        "release_weight",
        pl.col("impact_pp").alias("impact"),
        pl.lit("percentage_points").alias("impact_unit"),
    )


RETIRED: Mapping[str, str] = {
    "normalized/observations": "normalized.observations",
    "normalized/panel_monthly": "normalized.monthly, which PIVOT sets side by side",
    "normalized/transformed": "normalized.transformed",
    "normalized/zscores": "normalized.zscores",
    "forecasts/gdp_nowcast_news": "news.gdp_nowcast",
}
"""Computed tables of earlier versions, which a lake may still have, with what has their figures now."""

Step = Callable[[pl.DataFrame, str], pl.DataFrame]
"""Rows of the version before and the name of their table in, new rows out."""

MIGRATIONS: Mapping[int, Mapping[str, Step]] = {
    2: {"landing": _receipts, "forecasts": _computation_times},
    3: {"landing": _days_of_asking, "fetch_log": _successes},
    4: {"forecasts": _long_forecasts},
    5: {
        "landing": _whose_answers,
        "fetch_log": _who_was_asked,
        **dict.fromkeys(("forecasts", "paths", "real_time"), _providers),
    },
    6: {"fetch_log": _looks},
}
"""By the version they lead to and the layer they change."""


class Move(NamedTuple):
    """Rows that a version put into a table of their own: the table they are from, the version, and the step."""

    source: str
    version: int
    step: Step


MOVES: Mapping[str, Move] = {
    "news/gdp_nowcast": Move("forecasts/gdp_nowcast_news", 4, _news),
    "diagnostics/gdp_nowcast": Move("forecasts/gdp_nowcast", 4, _diagnostics),
}
"""By the table that they go to."""


def steps_due(name: str, written: int, before: int = SCHEMA_VERSION + 1) -> list[Step]:
    """The steps that a table written with an older version needs; none where its layer did not change.

    `before` leaves out those of that version and later.
    """
    layer = name.split("/")[0]
    return [by_layer[layer] for v, by_layer in sorted(MIGRATIONS.items()) if written < v < before and layer in by_layer]


def is_due(name: str, written: int) -> bool:
    """Whether a table written with an older version must be migrated before it is read."""
    return bool(steps_due(name, written)) or is_concerned(name, written)
