"""What a log of fetches says of the latest one of each series: who served it, and what nobody had."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from macro_assets.catalog import names
from macro_assets.lakehouse.handle import Lakehouse


def latest(log: pl.DataFrame) -> pl.DataFrame:
    """The rows of the run that asked for a series last, of each series: of everybody who was asked in it."""
    runs = log.sort("last_seen").group_by("series_id", maintain_order=True).last().select("series_id", "last_run_id")
    return log.join(runs, on=["series_id", "last_run_id"], how="semi", maintain_order="left")


def served(rows: pl.DataFrame) -> set[str]:
    """Series that somebody served, by rows of the log of one fetch of each."""
    return set(rows.filter(pl.col("status") == "ok")["series_id"])


def missed(rows: pl.DataFrame, source: str) -> dict[str, str]:
    """Series that a source failed and nobody else served, with why. Of a source that is off nothing is missed.

    `rows` are those of the log of one fetch of each series.
    """
    failed = rows.filter(pl.col("provider") == source, pl.col("status") == "failed")
    had = list(served(rows))
    return dict(failed.filter(~pl.col("series_id").is_in(had)).select("series_id", "error").iter_rows())


def not_served(lake: Lakehouse, source: str, series: Collection[str]) -> list[str]:
    """Those of some series of a live source that nobody served when they were asked for last, or never asked for."""
    if not lake.catalog.sources[source].is_live:
        return []
    had = served(latest(lake.read(names.fetch_log(source))))
    return [i for i in series if i not in had]
