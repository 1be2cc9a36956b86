"""A stand-in for FRED and ALFRED; figures are synthetic.

Every observation has one vintage, published the day after its period, and the last one of a year is revised once, half
a year later.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from macro_assets.catalog import Series
from macro_assets.catalog.periods import period_end
from macro_assets_tests.providers import Asked, World

OPEN = "9999-12-31"


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    if asked.path == "/fred/releases/dates":
        return _page("release_dates", [], asked)
    series = world.series(asked.source, asked.params["series_id"])
    if series is None:
        return 400, b'{"error_code":400,"error_message":"Bad Request.  The series does not exist."}'
    if asked.path == "/fred/series":
        return 200, json.dumps({"seriess": [_metadata(series)]}).encode()
    history = world.once((series.id, "vintages"), lambda: _history(world, series))
    start, end = (asked.params.get(f"realtime_{k}", OPEN) for k in ("start", "end"))
    if asked.path == "/fred/series/vintagedates":
        listed = sorted({begun for _, _, begun, _ in history if start <= begun <= end})
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
        rows.append((str(day), f"{value:.10g}", str(published), str(revised - timedelta(days=1))))
        rows.append((str(day), f"{another:.10g}", str(revised), OPEN))
    return rows


def _metadata(series: Series) -> dict[str, str]:
    return {
        "id": series.code,
        "realtime_start": "1776-07-04",
        "realtime_end": OPEN,
        "title": series.title,
        "units": series.provider_unit,
        "frequency_short": series.frequency,
        "seasonal_adjustment_short": series.seasonal_adjustment,
    }


def _page(name: str, rows: list[Any], asked: Asked) -> tuple[int, bytes]:
    offset, limit = int(asked.params.get("offset", 0)), int(asked.params.get("limit", 1000))
    page = {"count": len(rows), "offset": offset, "limit": limit, name: rows[offset : offset + limit]}
    return 200, json.dumps(page).encode()
