"""What a provider is asked for: the whole of what was never had whole of it, else what is wanted, and weekly all again.

A reader then knows that what is stored of a holder is all that it had, and what a provider revised, however far back,
is stored within a week. The log of fetches says what was had whole, and when all was last asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl

from macro_assets.catalog import Holding, Source
from macro_assets.catalog.periods import utc_now
from macro_assets.intake.fetch import Asked, Split, known_releases
from macro_assets.sources.protocol import Window

LOOK_AGAIN = timedelta(days=7)
"""After how long a provider is asked again for all that it serves: what it revised stands before the last figures."""

_FILES_AGAIN = timedelta(days=7)
_COMMON_YEARS, _COMMON_YEARS_OF_ANNUAL = 1, 3
"""How many years before the wanted ones news are asked for, to have figures in common with the stored ones."""

_FILES_OF_A_LOOK = timedelta(days=60)
"""Of a provider with a file for each day, how many days of them are asked for with the news, and in a look."""


def first_whole(wanted: Window, raw: pl.DataFrame, log: pl.DataFrame, only_news: bool = False) -> Split:
    """Says what each provider is asked for.

    Parameters
    ----------
    wanted
        Observation dates.
    raw, log
        Rows of the raw table, and of the log of its fetches. What was had whole and is not stored is asked for whole.
    only_news
        Of what was had whole, ask for what was released since the latest stored release, or once in a week for all.
    """
    whole = Window(today=wanted.today)
    pairs = log.filter("is_whole").select("series_id", "provider")
    had = set(pairs.join(raw, on=["series_id", "provider"], how="semi").iter_rows())
    looks = {(i, p): at for i, p, at in log.select("series_id", "provider", "last_look").iter_rows()}
    now = utc_now()

    def split(provider: Source, holdings: Sequence[Holding]) -> list[tuple[Window, Sequence[Holding]]]:
        first = [h for h in holdings if (h.series.id, provider.name) not in had]
        known = [h for h in holdings if (h.series.id, provider.name) in had]
        old = [h for h in known if only_news and is_look_due(looks.get((h.series.id, provider.name)), now)]
        rest = [h for h in known if h not in old]
        asked = [(whole, first)]
        if old:
            asked.append((_look(provider, old, wanted, raw, looks), old))
        if not only_news:
            asked.append((wanted, rest))
        else:
            annual = _annual(rest)
            parts = (annual, [h for h in rest if h not in annual])
            asked += [(_news(provider, some, wanted, raw), some) for some in parts if some]
        return _merged(asked)

    return split


def is_look_due(last: datetime | None, now: datetime) -> bool:
    """Whether all that a provider serves is to be asked for again, which it was last at an instant."""
    return last is None or now - last >= LOOK_AGAIN


def is_look(asked: Asked) -> bool:
    """Whether a question was for all that the provider serves, whatever was known of it."""
    window, api = asked.window, asked.provider.api
    if api is not None and api.per_day:
        return window.last is None and (window.first is None or window.first <= window.today - _FILES_OF_A_LOOK)
    return window.first is None and window.last is None


def _merged(questions: Sequence[tuple[Window, Sequence[Holding]]]) -> list[tuple[Window, Sequence[Holding]]]:
    """Questions that are of some series, those with the same window as one."""
    merged: list[tuple[Window, list[Holding]]] = []
    for window, holdings in questions:
        same = next((some for asked, some in merged if asked == window), None)
        if same is not None:
            same.extend(holdings)
        elif holdings:
            merged.append((window, list(holdings)))
    return list(merged)


def _news(provider: Source, known: Sequence[Holding], wanted: Window, raw: pl.DataFrame) -> Window:
    """What is news: what FRED released since, of daily files the days since and a week before, else some years more."""
    held = _held(provider, known, raw)
    if provider.api is not None and provider.api.per_day:
        latest = held.drop_nulls("value").group_by("series_id").agg(pl.col("observation_date").max())
        if latest.height < len(known):  # of one nothing is had
            return wanted
        since = min(latest["observation_date"].to_list())
        return replace(wanted, first=max(wanted.first or date.min, since - _FILES_AGAIN))
    years = _COMMON_YEARS_OF_ANNUAL if _annual(known) else _COMMON_YEARS
    first = wanted.first and date(wanted.first.year - years, 1, 1)
    return replace(wanted, first=first, known=known_releases(provider, held))


def _annual(holdings: Sequence[Holding]) -> list[Holding]:
    return [h for h in holdings if h.series.frequency == "A"]


def _look(
    provider: Source,
    known: Sequence[Holding],
    wanted: Window,
    raw: pl.DataFrame,
    looks: dict[tuple[str, str], datetime | None],
) -> Window:
    """All that is served: of vintages those since the last look, of daily files the last two months."""
    if provider.api is not None and provider.api.per_day:
        news = _news(provider, known, wanted, raw)
        return news if news.first is None else replace(news, first=min(news.first, wanted.today - _FILES_OF_A_LOOK))
    whole = Window(today=wanted.today)
    if provider.vintages != "changes":
        return whole
    held = _held(provider, known, raw)
    # who was never looked at again since it was had first was looked at then
    looked = {i: looks.get((i, provider.name)) or first for i, first in _first_taken(held).items()}
    then = pl.col("series_id").replace_strict(looked, return_dtype=pl.Datetime("us", "UTC"))
    return replace(whole, known=known_releases(provider, held.filter(pl.col("ingested_at") <= then)))


def _first_taken(held: pl.DataFrame) -> dict[str, datetime]:
    return dict(held.group_by("series_id").agg(pl.col("ingested_at").min()).iter_rows())


def _held(provider: Source, known: Sequence[Holding], raw: pl.DataFrame) -> pl.DataFrame:
    """Stored rows of series of a provider."""
    ids = [h.series.id for h in known]
    return raw.filter(pl.col("provider") == provider.name, pl.col("series_id").is_in(ids))
