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
from macro_assets.intake.fetch import holders_of
from macro_assets.sources.secrets import missing_key

State = Literal["up", "degraded", "down", "off", "never fetched"]


@dataclass(frozen=True)
class Health:
    """The state of a source.

    Parameters
    ----------
    state
        'up': the latest fetch of every series went well. 'degraded': some failed. 'down': all that it was asked for in
        its latest run failed, whoever else served them. 'off': its key is not in the environment. 'never fetched'.
    series, failed, substituted
        Series of the catalog; of those it did not serve, how many nobody else had who was asked, and how many another
        holder served.
    latency_ms
        Mean time of an answer in the latest fetches.
    last_success
        When it last served a series.
    reason
        Why it is not up, in words, and who serves in its place.
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
    """The state of one source.

    Parameters
    ----------
    log
        The log of the fetches of its series, and of others for which it was asked.
    """
    log = log.filter(pl.col("series_id").is_in(list(catalog.series)))
    own = log.filter(pl.col("provider") == source.name)
    asked = own.filter(pl.col("status") != "off")
    off = missing_key(source, environ)
    lacking = own.filter(pl.col("status") == ("off" if off else "failed"))
    in_its_place = _holders(source, catalog, log).join(lacking, on=["series_id", "last_run_id"], how="semi")
    served = in_its_place.filter(pl.col("status") == "ok")
    lost = lacking.join(served, on="series_id", how="anti")
    state: State = "up"
    reason = ""
    if off:  # who was not asked did not fail: of the others, those that were
        lost = in_its_place.filter(pl.col("status") == "failed").join(served, on="series_id", how="anti")
        lost = lost.unique("series_id", keep="first", maintain_order=True)
        state, reason = "off", " ".join(filter(None, [off, _who(served), _unanswered(lost)]))
    elif asked.is_empty():
        state = "never fetched"
    elif lacking.height:
        lately = asked.filter(pl.col("last_run_id") == asked.sort("last_seen")["last_run_id"][-1])
        state = "down" if (lately["status"] == "failed").all() else "degraded"
        first = (lost if lost.height else lacking)["error"][0]
        reason = f"{lost.height} of {asked.height} series failed, {served.height} came from other holders: {first}"
    return Health(
        source,
        state,
        len(catalog.series_of(source.name)),
        lost.height,
        served.height,
        asked["latency_ms"].mean(),  # type: ignore[arg-type]
        own["last_success"].max(),  # type: ignore[arg-type]
        reason,
    )


def _holders(source: Source, catalog: Catalog, log: pl.DataFrame) -> pl.DataFrame:
    """Rows of a log about others who are asked for the series of a source."""
    others = [(s.id, h.provider) for s in catalog.series_of(source.name) for h in holders_of(catalog, s)[1:]]
    pairs = pl.DataFrame(others, schema={"series_id": pl.String, "provider": pl.String}, orient="row")
    return log.join(pairs, on=["series_id", "provider"], how="semi", maintain_order="left")


def _who(served: pl.DataFrame) -> str:
    """Who serves how many series."""
    counts = served.group_by("provider", maintain_order=True).len().iter_rows()
    return " ".join(f"{name} serves {count} of its series." for name, count in counts)


def _unanswered(lost: pl.DataFrame) -> str:
    return f"{lost.height} had no answer: {lost['error'][0]}" if lost.height else ""
