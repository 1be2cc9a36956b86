"""A stand-in for Polygon's daily bars; figures are synthetic. A day begins at midnight in New York."""

from __future__ import annotations

import json
from datetime import datetime, time
from zoneinfo import ZoneInfo

from macro_assets_tests.providers import Asked, World

NEW_YORK = ZoneInfo("America/New_York")
COLUMNS = {"close": "c", "volume": "v", "average": "vw"}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    ticker, _, span = asked.path.removeprefix("/v2/aggs/ticker/").partition("/range/1/day/")
    first, last = span.split("/")
    known = {COLUMNS[s.dataset or "close"]: world.figures(s) for s in world.by_source[asked.source] if s.code == ticker}
    days = [d for d in next(iter(known.values()), {}) if first <= str(d) <= last]
    bars = [
        {
            **{c: figures[d] for c, figures in known.items()},
            "t": int(datetime.combine(d, time(), NEW_YORK).timestamp()) * 1000,
        }
        for d in days
    ]
    found = {"ticker": ticker, "status": "OK", "resultsCount": len(bars), **({"results": bars} if bars else {})}
    return 200, json.dumps(found).encode()
