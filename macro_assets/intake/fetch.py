"""Ask a source for series, and for those it fails their fallbacks; what it need not be asked again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from macro_assets.catalog import Catalog, Fallback, Series, Source
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import remembered
from macro_assets.sources import fetching
from macro_assets.sources.clients import closing, open_client
from macro_assets.sources.errors import SourceError
from macro_assets.sources.protocol import NO_OBSERVATIONS, Client, Fetched, Response, Window

_LOG = logging.getLogger(__name__)

Clients = Callable[[Source], Client]
"""Opens the client of a source; raises a :class:`SourceError` where that is not possible."""


def fetch_with_fallbacks(
    source: Source,
    selected: Sequence[Series],
    window: Window,
    catalog: Catalog,
    clients: Clients = open_client,
    progress: fetching.Progress | None = None,
) -> Fetched:
    """Ask a source for some series, and for those it fails their fallbacks in turn.

    A connector that breaks fails its series and nothing else.

    Parameters
    ----------
    clients
        Opens the clients; the default goes to the providers themselves.
    progress
        Told how many questions to the source are answered.
    """
    fetched = _ask(source, selected, window, clients, progress)
    for rank in range(max((len(s.fallback) for s in selected), default=0)):
        wanting = [s for s in selected if s.id in fetched.failures and len(s.fallback) > rank]
        for name in dict.fromkeys(s.fallback[rank].source for s in wanting):
            served = {s.id: s.fallback[rank] for s in wanting if s.fallback[rank].source == name}
            own = [s.at(served[s.id]) for s in wanting if s.id in served]
            again = _ask(catalog.sources[name], own, replace(window, known={}), clients)
            fetched = _substituted(fetched, again, served)
    return fetched


def _ask(
    source: Source,
    selected: Sequence[Series],
    window: Window,
    clients: Clients,
    progress: fetching.Progress | None = None,
) -> Fetched:
    try:
        client = clients(source)
    except SourceError as error:
        return Fetched(NO_OBSERVATIONS, (), {s.id: f"series {s.id}: {error}" for s in selected})
    try:
        with closing(client):
            return fetching.fetch(source, client, selected, window, progress)
    except Exception as error:
        _LOG.error("connector %s failed: %s", source.module, type(error).__name__, exc_info=error)
        reason = f"connector {source.module} failed: {type(error).__name__}: {error}"
        return Fetched(NO_OBSERVATIONS, (), {s.id: reason for s in selected})


def _substituted(fetched: Fetched, again: Fetched, served: Mapping[str, Fallback]) -> Fetched:
    """A fetch with what fallbacks brought for the series it failed."""
    came = set(again.observations["series_id"]) - set(again.failures)
    factors = {i: f.factor for i, f in served.items()}
    rows = again.observations.filter(pl.col("series_id").is_in(list(came)))
    factor = pl.col("series_id").replace_strict(factors, default=1.0, return_dtype=pl.Float64)
    failures = {
        i: why if i not in again.failures else f"{why} Its fallback {served[i].source} failed too: {again.failures[i]}"
        for i, why in fetched.failures.items()
        if i not in came
    }
    return Fetched(
        pl.concat([fetched.observations, rows.with_columns(value=pl.col("value") * factor)]),
        (*fetched.responses, *again.responses),
        failures,
        fetched.unchanged,
        {**fetched.substituted, **{i: fetched.failures[i] for i in served if i in came}},
    )


def known_releases(source: Source, held: pl.DataFrame) -> dict[str, date]:
    """The UTC day of the latest stored release of each series, of a source that can be asked for later ones only."""
    if source.vintages != "changes":
        return {}
    stated = held.filter(pl.col("provider") == source.name, pl.col("release_basis").is_in(["provider", "snapshot"]))
    latest = stated.group_by("series_id").agg(pl.col("release_time").max().dt.date())
    return dict(latest.iter_rows())


def earlier_responses(lake: Lakehouse, source: Source) -> Mapping[str, Response]:
    """Landed responses that the provider can be asked to compare with, by the text of their request."""
    if source.api is None or not source.api.conditional:
        return {}
    return {
        r["request"]: Response(r["request"], r["body"], r["fetched_at"], r["http_status"], r["validator"])
        for r in remembered(lake, source.name).iter_rows(named=True)
    }
