"""A toy world: three real series, a lake in a temporary folder, and a connector that misbehaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from macro_assets.catalog import Catalog, Series, Source
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.build import build_defs
from macro_assets.orchestration.io_manager import LakeIOManager
from macro_assets.orchestration.partitions import RANGE_END, RANGE_START, YEARS
from macro_assets.orchestration.resources import Lake
from macro_assets.sources import fetching
from macro_assets.sources.protocol import Client, Fetched, Window
from macro_assets_tests.lakehouse.synthetic import one_source

SERIES = ("PAYEMS", "UNRATE", "AAA")
FIRST_YEAR, *_, THIS_YEAR = YEARS.get_partition_keys()
RANGE = {RANGE_START: FIRST_YEAR, RANGE_END: THIS_YEAR}


def toy_catalog() -> Catalog:
    full = one_source()
    return dataclasses.replace(
        full,
        series={s: full.series[s] for s in SERIES},
        indicators={},
        scores={},
        models={},
        charts={},
        instruments={},
    )


def toy_definitions(root: Path, catalog: Catalog | None = None) -> dg.Definitions:
    catalog = catalog or toy_catalog()
    return build_defs(
        catalog, {"lake": Lake(root=str(root)), "io_manager": LakeIOManager(lambda: Lakehouse(root, catalog))}
    )


def raw_keys(*series: str, table: bool = True) -> list[dg.AssetKey]:
    keys = [dg.AssetKey(["raw", "bundled", s]) for s in series]
    return [*keys, dg.AssetKey(["raw", "bundled"])] if table else keys


def execute(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey],
    tags: Mapping[str, str] | None = RANGE,
) -> dg.ExecuteInProcessResult:
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance, asset_selection=list(keys), tags=dict(tags) if tags else None, raise_on_error=False
    )


_HONEST = fetching.fetch

Spoil = Callable[[Fetched], Fetched]


def spoiled_source(monkeypatch: pytest.MonkeyPatch, spoil: Spoil) -> None:
    """The bundled connector, with what it fetched passed through `spoil`."""

    def fetch(source: Source, client: Client, series: Sequence[Series], window: Window, progress: object) -> Fetched:
        return spoil(_HONEST(source, client, series, window))

    monkeypatch.setattr(fetching, "fetch", fetch)


def with_values(series: str, value: pl.Expr) -> Spoil:
    """Change the values of one series."""

    def spoil(fetched: Fetched) -> Fetched:
        changed = pl.when(pl.col("series_id") == series).then(value).otherwise("value")
        return dataclasses.replace(fetched, observations=fetched.observations.with_columns(value=changed))

    return spoil
