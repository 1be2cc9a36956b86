"""How each source is doing, from the fetch log: up, degraded, down, off for want of a key, or never asked.

`macro sources` prints it, the `health` checks report it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from macro_assets.catalog import Catalog, Source
from macro_assets.sources.secrets import missing_key

State = Literal["up", "degraded", "down", "off", "never fetched"]


@dataclass(frozen=True)
class Health:
    """The state of a source.

    Parameters
    ----------
    state
        'up': the latest fetch of every series went well. 'degraded': some failed, or a fallback served them. 'down':
        all failed. 'off': its key is not in the environment. 'never fetched'.
    series, failed, substituted
        Series of the catalog; of those fetched, how many failed, how many a fallback served.
    latency_ms
        Mean time of an answer in the latest fetches.
    last_success
        When a series was last had.
    reason
        Why it is not up, in words.
    """

    source: Source
    state: State
    series: int
    failed: int = 0
    substituted: int = 0
    latency_ms: float | None = None
    last_success: datetime | None = None
    reason: str = ""


def health(source: Source, catalog: Catalog, log: pl.DataFrame, environ: Mapping[str, str] = os.environ) -> Health:
    """The state of one source, from the log of its fetches."""
    declared = [s.id for s in catalog.series_of(source.name)]
    log = log.filter(pl.col("series_id").is_in(declared))
    last: datetime | None = log["last_success"].max()  # type: ignore[assignment]
    asked = log.filter(pl.col("status") != "off")
    latency: float | None = asked["latency_ms"].mean()  # type: ignore[assignment]
    if why := missing_key(source, environ):
        return Health(source, "off", len(declared), latency_ms=latency, last_success=last, reason=why)
    if asked.is_empty():
        return Health(source, "never fetched", len(declared))
    failed = asked.filter(pl.col("status") == "failed")
    substituted = asked.filter(pl.col("status") == "ok", pl.col("provider") != source.name)
    state: State = "up"
    reason = ""
    if failed.height == asked.height:
        state, reason = "down", str(failed["error"][0])
    elif failed.height or substituted.height:
        state = "degraded"
        first = (failed if failed.height else substituted)["error"][0]
        reason = f"{failed.height} of {asked.height} series failed, {substituted.height} came from a fallback: {first}"
    return Health(source, state, len(declared), failed.height, substituted.height, latency, last, reason)
