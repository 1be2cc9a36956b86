"""Figures of a series in another base year or unit, accepted by somebody: what a provider says now, next to the stored.

Only the decision is kept here; the next fetch takes the figures as a whole (`judge.py`).
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from macro_assets.catalog import Holding
from macro_assets.intake.fetch import Asked, Clients, ask
from macro_assets.intake.ingest import StoredSource
from macro_assets.intake.judge import judge
from macro_assets.lakehouse.acceptances import Acceptance, record
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.quality.answers import Rebase
from macro_assets.sources.clients import open_client
from macro_assets.sources.protocol import Window
from macro_assets.sources.secrets import missing_key


def accept(
    lake: Lakehouse,
    series_id: str,
    reason: str,
    author: str,
    now: datetime,
    provider: str | None = None,
    clients: Clients = open_client,
) -> tuple[Holding, Rebase]:
    """Accept that a provider tells a series in another base from now on.

    It is asked for all of the series, so that what is accepted is what it says now; nothing of the answer is stored.

    Parameters
    ----------
    provider
        One of the holders; by default the first that is on.

    Returns
    -------
    tuple
        Who was asked, and what its figures are of the stored ones.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    ValueError
        When there is nothing to accept, the figures are no good by the catalog, or reason or author is empty.
    LakeError
        When a table cannot be read or written.
    """
    if not (reason.strip() and author.strip()):
        raise ValueError(f"series {series_id}: a decision needs a reason and an author")
    holding = _holder(lake, series_id, provider)
    source = lake.catalog.sources[holding.table]
    rows = StoredSource.of(lake, source).raw.rows
    whole = Window(today=now.date())
    told = lake.catalog.sources[holding.provider]
    asked = Asked(told, (holding,), whole, ask(told, [holding], whole, clients))
    (verdict,), _ = judge(asked, rows.filter(pl.col("series_id") == series_id), source.name)
    if (level := verdict.level) is None:
        why = verdict.failure or "its figures are in the base of the stored ones."
        raise ValueError(f"series {series_id}: {told.name} tells nothing to accept: {why}")
    if not verdict.report.passed:
        raise ValueError(f"{verdict.report}. Correct unit and bounds of the series in the catalog first.")
    record(lake, Acceptance(series_id, told.name, now, level.factor, reason.strip(), author.strip()))
    return holding, level


def _holder(lake: Lakehouse, series_id: str, provider: str | None) -> Holding:
    """Who is asked: of all who have the series, further holders and copies too."""
    series = lake.catalog.one_series(series_id)
    holders = [h for h in lake.catalog.holdings(series.id) if not missing_key(lake.catalog.sources[h.provider])]
    found = [h for h in holders if provider in (None, h.provider)]
    if not found:
        known = ", ".join(h.provider for h in holders) or "none"
        raise ValueError(f"series {series_id}: expected one of its holders that are on ({known}), got {provider}")
    return found[0]
