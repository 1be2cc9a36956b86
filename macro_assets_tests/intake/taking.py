"""A fetch from the question to the stored rows, of a window as it is: without the log that knows what was had whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from macro_assets.catalog import Catalog, Series
from macro_assets.intake.fetch import Asked, Clients, ask_in_turn, holders_of
from macro_assets.intake.ingest import StoredSource, ingest
from macro_assets.intake.outcomes import Outcome, outcomes
from macro_assets.lakehouse.appending import AppendReport
from macro_assets.lakehouse.handle import Held, Lakehouse
from macro_assets.sources.clients import open_client
from macro_assets.sources.protocol import Window


@dataclass(frozen=True)
class Taken:
    """What became of a fetch: per series, in rows, and the raw table after it; `accepted` were offered."""

    outcomes: tuple[Outcome, ...]
    report: AppendReport
    accepted: pl.DataFrame
    raw: Held


def _named(catalog: Catalog, source: str, ids: Collection[str]) -> list[Series]:
    held = {s.id: s for s in catalog.series_of(source)}
    return [held[i] for i in ids or held]


def asked(
    catalog: Catalog, source: str, ids: Collection[str], window: Window, clients: Clients = open_client
) -> list[Asked]:
    """What holders answer to a question about series of a source, all for none named."""
    turns = [holders_of(catalog, s) for s in _named(catalog, source, ids)]
    return ask_in_turn(turns, lambda _, holdings: [(window, holdings)], catalog, clients)


def taken(
    lake: Lakehouse,
    source: str,
    ids: Collection[str] = (),
    window: Window | None = None,
    run_id: str = "run",
    clients: Clients = open_client,
) -> Taken:
    """Ask for series of a source, all for none named, and store what passes."""
    found = asked(lake.catalog, source, ids, window or Window(), clients)
    done = ingest(lake, StoredSource.of(lake, lake.catalog.sources[source]), found, run_id, "test")
    selected = _named(lake.catalog, source, ids)
    return Taken(outcomes(selected, done.verdicts, None), done.report, done.accepted, done.raw)
