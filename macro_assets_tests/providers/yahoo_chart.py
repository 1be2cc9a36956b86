"""A stand-in for Yahoo's chart service; figures are synthetic, every session over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta

from macro_assets_tests.providers import Asked, World

OPENING = time(14, 30, tzinfo=UTC)
"""The same day in New York, where every synthetic exchange is."""

SESSION = timedelta(hours=6)


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code = asked.path.removeprefix("/v8/finance/chart/")
    known = {s.dataset or "close": world.figures(s) for s in world.by_source[asked.source] if s.code == code}
    if not known:
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return 404, json.dumps({"chart": {"result": None, "error": error}}).encode()
    first, last = (datetime.fromtimestamp(int(asked.params[k]), UTC).date() for k in ("period1", "period2"))
    days = [d for d in next(iter(known.values())) if first <= d < last]
    stamps = [int(datetime.combine(d, OPENING).timestamp()) for d in days]
    columns = {name: [figures[d] for d in days] for name, figures in known.items()}
    start = datetime.combine(world.today, OPENING)
    regular = {"start": int(start.timestamp()), "end": int((start + SESSION).timestamp())}
    meta = {
        "symbol": code,
        "dataGranularity": "1d",
        "exchangeTimezoneName": "America/New_York",
        "gmtoffset": -18000,
        "regularMarketTime": regular["end"],
        "currentTradingPeriod": {"regular": regular},
    }
    adjusted = [{"adjclose": columns.pop("adjclose", columns.get("close"))}]
    bars = {"timestamp": stamps, "indicators": {"quote": [columns], "adjclose": adjusted}} if days else {}
    return 200, json.dumps({"chart": {"result": [{"meta": meta, **bars}], "error": None}}).encode()
