"""A stand-in for Polygon's bars; figures are synthetic, a day starts at midnight in New York."""

from __future__ import annotations

import json
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from macro_assets_tests.providers import Asked, World

ZONE = ZoneInfo("America/New_York")


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code, first, last = asked.path.removeprefix("/v2/aggs/ticker/").replace("/range/1/day/", "/").rsplit("/", 2)
    series = world.series(asked.source, code)
    figures = {} if series is None else world.figures(series)
    bars: list[dict[str, Any]] = []
    for day, v in figures.items():
        if not first <= str(day) <= last:
            continue
        t = int(datetime.combine(day, time(), ZONE).timestamp()) * 1000
        bars.append({"v": 1000.0, "vw": v, "o": v, "c": v, "h": v, "l": v, "t": t, "n": 10})
    counts = {"ticker": code, "queryCount": len(bars), "resultsCount": len(bars), "adjusted": True}
    found = {**counts, **({"results": bars} if bars else {}), "status": "OK", "request_id": "synthetic"}
    return 200, json.dumps({**found, "count": len(bars)}, separators=(",", ":")).encode()
