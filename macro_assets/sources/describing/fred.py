"""FRED: a series' description, its release, its tags (whose it is, on which terms), and its search.

Documentation: https://fred.stlouisfed.org/docs/api/fred/. The figures are those of the latest vintage. A semiannual
series, or one of five years, has no frequency in the catalog.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from macro_assets.catalog import Frequency
from macro_assets.catalog.kinds.series import SeasonalAdjustment
from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.describing.protocol import Description, Found, Steps, plain
from macro_assets.sources.describing.words import no_such_frequency
from macro_assets.sources.errors import SchemaError, SourceError
from macro_assets.sources.protocol import Request
from macro_assets.sources.providers.fred.answers import ADJUSTMENTS, FREQUENCIES, read_observations
from macro_assets.sources.providers.fred.paging import listed_pages

OWN_IDS = True

_JSON = ("file_type", "json")
_CATALOG_FREQUENCIES: dict[str, Frequency] = {"D": "D", "W": "W", "M": "M", "Q": "Q", "A": "A"}
_CATALOG_ADJUSTMENTS: dict[str, SeasonalAdjustment] = {"SA": "SA", "NSA": "NSA", "SAAR": "SAAR"}


def named(text: str) -> tuple[None, str]:
    """FRED's ids are in capitals."""
    return None, text.strip().upper()


def describe(dataset: str | None, code: str) -> Steps[Description]:
    ids = (("series_id", code), _JSON)
    told = read_json((yield Request("/fred/series", ids)))
    series = member(told, "seriess", 0, of=dict)
    frequency = _frequency(series)
    adjustment = member(series, "seasonal_adjustment_short", of=str)
    if (known := _CATALOG_ADJUSTMENTS.get(ADJUSTMENTS.get(adjustment, adjustment))) is None:
        raise SchemaError(f"FRED says {plain(adjustment)!r} of its seasonal adjustment, expected SA, NSA or SAAR")
    release = yield from _release(ids)
    tags = yield from _tags(ids)
    terms = [name for group, name in tags if group == "cc"]
    country, notes = _country([name for group, name in tags if group == "geo"])
    pages = yield from listed_pages("/fred/series/observations", "observations", dict(ids), read_observations)
    return Description(
        dataset=None,
        code=member(series, "id", of=str),
        figures=pl.concat([page.select("observation_date", "value") for _, page in pages]),
        title=plain(member(series, "title", of=str)),
        unit=plain(member(series, "units", of=str)),
        frequency=frequency,
        seasonal_adjustment=known,
        country=country,
        licence=f"{terms[0].capitalize()}; via FRED" if terms else "As stated on FRED's page of the series",
        release=release,
        notes=notes,
    )


def _frequency(series: Any) -> Frequency:
    short = member(series, "frequency_short", of=str)
    if (found := _CATALOG_FREQUENCIES.get(FREQUENCIES.get(short, short))) is None:
        raise no_such_frequency("FRED", member(series, "frequency", of=str))
    return found


def _country(places: list[str]) -> tuple[str | None, tuple[str, ...]]:
    """The country by the tags of places, and what is to be told of it; FRED writes names, not codes."""
    if "usa" in places:
        return "US", ()
    if not places:
        return None, (
            "FRED does not say whose it is: `country` is that of its other series, unless --country states it.",
        )
    return "WW", (f"FRED tags it {', '.join(places[:3])}: state its country, as --country JP.",)


def _release(ids: tuple[tuple[str, str], ...]) -> Steps[tuple[str, str] | None]:
    """Id and title of the release; none where FRED does not say, or says several."""
    try:
        told = read_json((yield Request("/fred/series/release", ids)))
        releases = member(told, "releases", of=list)
        if len(releases) != 1:
            return None
        return str(member(releases, 0, "id", of=int)), plain(member(releases, 0, "name", of=str))
    except SourceError:
        return None


def _tags(ids: tuple[tuple[str, str], ...]) -> Steps[list[tuple[str, str]]]:
    """Group and name of each tag: 'geo' is where, 'cc' on which terms; none where FRED does not say."""
    try:
        told = read_json((yield Request("/fred/series/tags", ids)))
        return [
            (member(tag, "group_id", of=str), plain(member(tag, "name", of=str)))
            for tag in member(told, "tags", of=list)
        ]
    except SourceError:
        return []


def search(words: str, limit: int) -> Steps[Sequence[Found]]:
    """By popularity, the most asked for first."""
    params = (
        ("search_text", words),
        ("search_type", "full_text"),
        ("order_by", "popularity"),
        ("sort_order", "desc"),
        ("limit", str(limit)),
        _JSON,
    )
    told = read_json((yield Request("/fred/series/search", params)))
    return [
        Found(
            code=plain(member(s, "id", of=str)),
            title=plain(member(s, "title", of=str)),
            unit=plain(member(s, "units", of=str)),
            frequency=plain(member(s, "frequency", of=str)),
            first=plain(member(s, "observation_start", of=str)),
            last=plain(member(s, "observation_end", of=str)),
        )
        for s in member(told, "seriess", of=list)
    ]
