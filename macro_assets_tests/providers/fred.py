"""A stand-in for FRED and ALFRED; figures are synthetic.

Every observation has one vintage, published the day after its period, and the last one of a year is revised once, half
a year later.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from macro_assets.catalog import Series
from macro_assets.catalog.periods import period_end
from macro_assets_tests.providers import Asked, World

OPEN = date(9999, 12, 31)


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    if asked.path == "/fred/releases/dates":
        return _page("release_dates", [], asked)
    series = world.series(asked.source, asked.params["series_id"])
    if series is None:
        return 400, b'{"error_code":400,"error_message":"Bad Request.  The series does not exist."}'
    if asked.path == "/fred/series":
        return 200, json.dumps({"seriess": [_metadata(series)]}).encode()
    history = [row for d in world.days(series) for row in _statements(world, series, d)]
    start, end = (date.fromisoformat(asked.params.get(f"realtime_{k}", str(OPEN))) for k in ("start", "end"))
    if asked.path == "/fred/series/vintagedates":
        listed = sorted({begun for _, _, begun, _ in history if start <= begun <= end})
        return _page("vintage_dates", [str(d) for d in listed], asked)
    first, last = (asked.params.get(f"observation_{k}", "") for k in ("start", "end"))
    rows = [
        {
            "realtime_start": str(max(begun, start)),
            "realtime_end": str(min(ended, end)),
            "date": str(day),
            "value": f"{value:.10g}",
        }
        for day, value, begun, ended in history
        if begun <= end and ended >= start and str(day) >= first and (not last or str(day) <= last)
    ]
    return _page("observations", rows, asked)


def _statements(world: World, series: Series, day: date) -> list[tuple[date, float, date, date]]:
    """(observation date, value, first and last day in force) of one observation."""
    published = period_end(day, series.frequency) + timedelta(days=1)
    value = world.value(series, day)
    revised = published + timedelta(days=182)
    if published > world.today:
        return []
    if day.month < 12 or day.day > 7 or series.frequency == "D" or revised > world.today:
        return [(day, value, published, OPEN)]
    low, high = series.bounds.low, series.bounds.high
    another = value + ((high if high is not None else value + 1) - (low if low is not None else value - 1)) / 1000
    return [(day, value, published, revised - timedelta(days=1)), (day, another, revised, OPEN)]


def _metadata(series: Series) -> dict[str, str]:
    return {
        "id": series.code,
        "realtime_start": "1776-07-04",
        "realtime_end": str(OPEN),
        "title": series.title,
        "units": series.provider_unit,
        "frequency_short": series.frequency,
        "seasonal_adjustment_short": series.seasonal_adjustment,
    }


def _page(name: str, rows: list[Any], asked: Asked) -> tuple[int, bytes]:
    offset, limit = int(asked.params.get("offset", 0)), int(asked.params.get("limit", 1000))
    page = {"count": len(rows), "offset": offset, "limit": limit, name: rows[offset : offset + limit]}
    return 200, json.dumps(page).encode()
