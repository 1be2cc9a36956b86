"""What a provider is asked for: the whole of what was never had whole of it, else what is wanted.

A reader then knows that what is stored of a holder is all that it had. The log of fetches says what was had whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from macro_assets.catalog import Holding, Source
from macro_assets.intake.fetch import Split, known_releases
from macro_assets.sources.protocol import Window

_FILES_AGAIN = timedelta(days=7)


def first_whole(wanted: Window, raw: pl.DataFrame, log: pl.DataFrame, only_news: bool = False) -> Split:
    """Says what each provider is asked for.

    Parameters
    ----------
    wanted
        Observation dates.
    raw, log
        Rows of the raw table, and of the log of its fetches. What was had whole and is not stored is asked for whole.
    only_news
        Of what was had whole, ask for what was released since the latest stored release.
    """
    whole = Window(today=wanted.today)
    pairs = log.filter("is_whole").select("series_id", "provider")
    had = set(pairs.join(raw, on=["series_id", "provider"], how="semi").iter_rows())

    def split(provider: Source, holdings: Sequence[Holding]) -> list[tuple[Window, Sequence[Holding]]]:
        known = [h for h in holdings if (h.series.id, provider.name) in had]
        first = [h for h in holdings if (h.series.id, provider.name) not in had]
        window = _news(provider, known, wanted, raw) if known and only_news else wanted
        if window == whole:
            return [(whole, holdings)]
        return [(asked, some) for asked, some in ((whole, first), (window, known)) if some]

    return split


def _news(provider: Source, known: Sequence[Holding], wanted: Window, raw: pl.DataFrame) -> Window:
    """What is news: what FRED released since, of daily files the days since and a week before."""
    ids = [h.series.id for h in known]
    held = raw.filter(pl.col("provider") == provider.name, pl.col("series_id").is_in(ids))
    if provider.api is not None and provider.api.per_day:
        latest = held.drop_nulls("value").group_by("series_id").agg(pl.col("observation_date").max())
        if latest.height < len(ids):  # of one nothing is had
            return wanted
        since = min(latest["observation_date"].to_list())
        return replace(wanted, first=max(wanted.first or date.min, since - _FILES_AGAIN))
    return replace(wanted, known=known_releases(provider, held))
