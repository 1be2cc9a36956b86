"""A stand-in for FRED and ALFRED; figures are synthetic, but for those that its world is told.

A synthetic observation has one vintage, published the day after its period, and the last one of a year is revised once,
half a year later.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from macro_assets.catalog import Series
from macro_assets.catalog.periods import period_end
from macro_assets_tests.providers import Asked, World

OPEN = "9999-12-31"
ONE_DAY = timedelta(days=1)
FREQUENCIES = {"D": "Daily", "W": "Weekly", "M": "Monthly", "Q": "Quarterly", "A": "Annual"}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    if asked.path == "/fred/releases/dates":
        return _page("release_dates", [], asked)
    if asked.path == "/fred/series/search":
        return _search(asked, world)
    series = world.series(asked.source, asked.params["series_id"])
    if series is None:
        return 400, b'{"error_code":400,"error_message":"Bad Request.  The series does not exist."}'
    if asked.path == "/fred/series/release":
        return _release(series, world)
    if asked.path == "/fred/series/tags":
        tags = [{"name": "usa", "group_id": "geo"}, {"name": "public domain: citation requested", "group_id": "cc"}]
        return 200, json.dumps({"count": len(tags), "tags": tags}).encode()
    if asked.path == "/fred/series":
        return 200, json.dumps({"seriess": _metadata(series, world)}).encode()
    history = world.once((series.id, "vintages"), lambda: _history(world, series))
    start, end = (asked.params.get(f"realtime_{k}", OPEN) for k in ("start", "end"))
    if asked.path == "/fred/series/vintagedates":
        begun = {begun for _, _, begun, _ in history}
        withdrawn = {str(date.fromisoformat(last) + ONE_DAY) for _, _, _, last in history if last != OPEN}
        listed = sorted(day for day in begun | withdrawn if start <= day <= end)
        return _page("vintage_dates", listed, asked)
    first, last = asked.params.get("observation_start", ""), asked.params.get("observation_end", OPEN)
    rows = [
        {"realtime_start": max(begun, start), "realtime_end": min(ended, end), "date": day, "value": value}
        for day, value, begun, ended in history
        if begun <= end and ended >= start and first <= day <= last
    ]
    return _page("observations", rows, asked)


def _history(world: World, series: Series) -> list[tuple[str, str, str, str]]:
    """(observation date, value, first and last day in force), as FRED writes them."""
    if (told := world.told_about(series)) is not None:
        in_force = told.in_force(world.today)
        return [(str(d), repr(v), str(a), str(b or OPEN)) for d, v, a, b in in_force if d.year >= series.first_year]
    low, high = series.bounds.low, series.bounds.high
    rows = []
    for day, value in world.figures(series).items():
        published = period_end(day, series.frequency) + timedelta(days=1)
        revised = published + timedelta(days=182)
        if published > world.today:
            continue
        if day.month < 12 or day.day > 7 or series.frequency == "D" or revised > world.today:
            rows.append((str(day), f"{value:.10g}", str(published), OPEN))
            continue
        another = value + ((high if high is not None else value + 1) - (low if low is not None else value - 1)) / 1000
        rows.append((str(day), f"{value:.10g}", str(published), str(revised - ONE_DAY)))
        rows.append((str(day), f"{another:.10g}", str(revised), OPEN))
    return rows


def _metadata(series: Series, world: World) -> list[dict[str, Any]]:
    """A record for each period with a unit of its own."""
    told = world.told_about(series)
    units = [(max(str(begun), "1776-07-04"), unit) for begun, unit in told.units] if told else []
    units = units or [("1776-07-04", series.provider_unit)]
    ends = [*(str(date.fromisoformat(begun) - ONE_DAY) for begun, _ in units[1:]), OPEN]
    return [
        {
            "id": series.code,
            "realtime_start": begun,
            "realtime_end": ended,
            "title": series.title,
            "observation_start": f"{series.first_year}-01-01",
            "observation_end": str(world.today),
            "units": unit,
            "frequency": FREQUENCIES[series.frequency],
            "frequency_short": series.frequency,
            "seasonal_adjustment_short": series.seasonal_adjustment,
            "popularity": 100 - len(series.id),
        }
        for (begun, unit), ended in zip(units, ends, strict=True)
    ]


def _release(series: Series, world: World) -> tuple[int, bytes]:
    release = world.catalog.releases.get(f"fred/{series.release}")
    told = [{"id": int(release.id), "name": release.title}] if release else []
    return 200, json.dumps({"releases": told}).encode()


def _search(asked: Asked, world: World) -> tuple[int, bytes]:
    words = asked.params["search_text"].casefold().split()
    found = [s for s in world.by_source["fred"] if all(w in s.title.casefold() for w in words)]
    told = [_metadata(s, world)[-1] for s in found]
    told.sort(key=lambda s: -int(s["popularity"]))
    limit = int(asked.params["limit"])
    return 200, json.dumps({"count": len(told), "offset": 0, "limit": limit, "seriess": told[:limit]}).encode()


def _page(name: str, rows: list[Any], asked: Asked) -> tuple[int, bytes]:
    offset, limit = int(asked.params.get("offset", 0)), int(asked.params.get("limit", 1000))
    page = {"count": len(rows), "offset": offset, "limit": limit, name: rows[offset : offset + limit]}
    return 200, json.dumps(page).encode()
