"""Ask the holders of series in turn, each for what those before it failed; what they need not be asked again."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl
from polars.exceptions import PanicException

from macro_assets.catalog import Catalog, Holding, Series, Source
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import remembered
from macro_assets.sources import fetching
from macro_assets.sources.clients import closing, open_client
from macro_assets.sources.errors import SourceError
from macro_assets.sources.protocol import NO_OBSERVATIONS, Client, Fetched, Response, Window
from macro_assets.sources.secrets import missing_key

_LOG = logging.getLogger(__name__)

Clients = Callable[[Source], Client]
"""Opens the client of a source; raises a :class:`SourceError` where that is not possible."""

Split = Callable[[Source, Sequence[Holding]], Sequence[tuple[Window, Sequence[Holding]]]]
"""What a provider is asked for: windows, each with those of the series that it is the question for."""

Progress = Callable[[Source], fetching.Progress]
"""Of a provider, what is told how many questions to it are answered."""


@dataclass(frozen=True)
class Asked:
    """One question to one provider, and its answer, in the unit of the series there."""

    provider: Source
    holdings: tuple[Holding, ...]
    window: Window
    fetched: Fetched

    @property
    def heard(self) -> set[str]:
        """The series that it answered."""
        return {h.series.id for h in self.holdings} - set(self.fetched.failures)


def holders_of(catalog: Catalog, series: Series) -> tuple[Holding, ...]:
    """Who has a series that a source has, in the order in which they are asked; their rows are in its raw table."""
    return tuple(h for h in catalog.holdings(series.id) if h.table == series.source)


def askable(catalog: Catalog, series: Series, environ: Mapping[str, str] = os.environ) -> tuple[Holding, ...]:
    """The holders of a series that a source has which are on, in the order in which they are asked."""
    return tuple(h for h in holders_of(catalog, series) if not missing_key(catalog.sources[h.provider], environ))


def ask_in_turn(
    holders: Sequence[Sequence[Holding]],
    split: Split,
    catalog: Catalog,
    clients: Clients = open_client,
    progress: Progress | None = None,
) -> list[Asked]:
    """Ask for series of the first holder of each, and for those it fails of the next, until one answers.

    Parameters
    ----------
    holders
        By series, who can be asked, in order.
    split
        Says what a provider is asked for.
    clients
        Opens the clients; the default goes to the providers themselves.
    """
    asked: list[Asked] = []
    left = [tuple(of_one) for of_one in holders if of_one]
    while left:
        failed: set[str] = set()
        for name in dict.fromkeys(first.provider for first, *_ in left):
            provider = catalog.sources[name]
            for window, part in split(provider, [first for first, *_ in left if first.provider == name]):
                fetched = ask(provider, part, window, clients, progress)
                asked.append(Asked(provider, tuple(part), window, fetched))
                failed |= fetched.failures.keys()
        left = [tuple(others) for first, *others in left if others and first.series.id in failed]
    return asked


def ask(
    provider: Source,
    holdings: Sequence[Holding],
    window: Window,
    clients: Clients = open_client,
    progress: Progress | None = None,
) -> Fetched:
    """Ask a provider for series that it has. A connector that breaks fails its series and nothing else."""
    selected = [h.series for h in holdings]
    try:
        client = clients(provider)
    except SourceError as error:
        return Fetched(NO_OBSERVATIONS, (), {s.id: f"series {s.id}: {error}" for s in selected})
    try:
        with closing(client):
            told = progress(provider) if progress else None
            return _in_unit(fetching.fetch(provider, client, selected, window, told), holdings)
    except (Exception, PanicException) as error:
        _LOG.error("connector %s failed: %s", provider.module, type(error).__name__, exc_info=error)
        reason = f"connector {provider.module} failed: {type(error).__name__}: {error}"
        return Fetched(NO_OBSERVATIONS, (), {s.id: reason for s in selected})


def _in_unit(fetched: Fetched, holdings: Sequence[Holding]) -> Fetched:
    """What came, in the unit in which the series is stored."""
    factors = {h.series.id: h.factor for h in holdings if h.factor != 1.0}
    if not factors:
        return fetched
    factor = pl.col("series_id").replace_strict(factors, default=1.0, return_dtype=pl.Float64)
    return replace(fetched, observations=fetched.observations.with_columns(value=pl.col("value") * factor))


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
