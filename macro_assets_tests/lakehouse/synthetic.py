"""Synthetic raw rows: of a made-up series for pure functions, of a catalog series for real tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from datetime import UTC, date, datetime

import polars as pl

from macro_assets.catalog import Catalog, Table, default_catalog, names

SCHEMA = pl.Schema(
    {
        "series_id": pl.String(),
        "observation_date": pl.Date(),
        "value": pl.Float64(),
        "release_time": pl.Datetime("us", "UTC"),
        "release_basis": pl.String(),
        "provider": pl.String(),
        "ingested_at": pl.Datetime("us", "UTC"),
        "run_id": pl.String(),
        "payload_sha256": pl.String(),
    }
)
DECISION_SCHEMA = pl.Schema(
    {
        "series_id": pl.String(),
        "observation_date": pl.Date(),
        "release_time": pl.Datetime("us", "UTC"),
        "provider": pl.String(),
        "decided_at": pl.Datetime("us", "UTC"),
        "action": pl.String(),
        "reason": pl.String(),
        "author": pl.String(),
    }
)
INGESTED = datetime(2026, 1, 1, tzinfo=UTC)
SERIES, PROVIDER = "PAYEMS", "bundled"

Row = dict[str, object]


def one_source() -> Catalog:
    """The catalog with one source: answers are the same, and reading and opening sessions takes a part of the time."""
    full = default_catalog()
    series = {s.id: s for s in full.series_of(PROVIDER)}
    sources, tables = {PROVIDER: full.sources[PROVIDER]}, tables_of(full, [PROVIDER])
    left = {n: i for n, i in full.indicators.items() if series.keys() >= {*full.series_behind(f"indicators/{n}")}}
    return dataclasses.replace(
        full, sources=sources, series=series, copies=(), tables=tables, indicators=left, scores={}
    )


def tables_of(catalog: Catalog, sources: Collection[str]) -> dict[str, Table]:
    """The tables of a catalog that are left when it has some of its sources."""
    left = {layer: set(sources) for layer in names.LAYERS["sources"]}
    left["normalized"] = {catalog.sources[s].family for s in sources}
    return {
        name: table
        for name, table in catalog.tables.items()
        if table.layer not in left or name.removeprefix(f"{table.layer}/") in left[table.layer]
    }


def day(n: int) -> datetime:
    return datetime(2020, 1, n, 23, 59, 59, tzinfo=UTC)


def month(n: int) -> date:
    return date(2019, n, 1)


def row(d: date, value: float | None, released: datetime, basis: str = "provider", **other: object) -> Row:
    return {
        "series_id": SERIES,
        "observation_date": d,
        "value": value,
        "release_time": released,
        "release_basis": basis,
        "provider": PROVIDER,
        "ingested_at": INGESTED,
        "run_id": "run",
        "payload_sha256": "hash",
        **other,
    }


def frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


def scored(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of a family's normalized table of `source`, `series_id`, `observation_date` and `zscore`."""
    nothing = pl.lit(None, dtype=pl.Float64)
    return rows.select(
        "source", "series_id", "observation_date", "zscore", provider="source", value=nothing, unit=pl.lit("synthetic"),
        release_time=INGESTED, transformed=nothing,
    )  # fmt: skip


def forecast_rows(
    as_of_month: str, value: float, computed_at: datetime | None = INGESTED, as_of: datetime | None = None
) -> pl.DataFrame:
    """One forecast of one quarter, its mean alone."""
    moment = as_of or datetime.fromisoformat(f"{as_of_month}-28T00:00:00+00:00")
    known: dict[str, object] = {"as_of_month": as_of_month, "as_of": moment, "latest_release": moment}
    said = {"series_id": "GDPC1", "target_date": date(2016, 4, 1), "horizon": 0, "statistic": "mean", "value": value}
    noted = {"model_version": "synthetic", "providers": PROVIDER, "slice_hash": "synthetic", "unchanged_since": moment}
    row = {**known, **said, **noted, "computed_at": computed_at, "scenario": None, "is_released": False}
    return pl.DataFrame([row], schema_overrides={"computed_at": pl.Datetime("us", "UTC"), "scenario": pl.String()})


def decision(of: Row, decided_at: datetime, action: str = "invalidate") -> Row:
    about = {k: of[k] for k in ("series_id", "observation_date", "release_time", "provider")}
    return {**about, "decided_at": decided_at, "action": action, "reason": "synthetic", "author": "test"}


def decisions(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=DECISION_SCHEMA)


def vintage_frame(n: int, values: list[float | None]) -> pl.DataFrame:
    """The n-th vintage (from 0): values of the first months."""
    return frame(*(row(month(i + 1), v, day(n + 1)) for i, v in enumerate(values)))
