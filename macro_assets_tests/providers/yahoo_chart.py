"""A stand-in for Yahoo's chart service; figures are synthetic, every session opens at 14:30 UTC."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from fractions import Fraction
from math import prod
from typing import Any

from macro_assets_tests.providers import Asked, World

NO_BARS = b'{"chart":{"result":null,"error":{"code":"Bad Request","description":"Data doesn\'t exist for startDate"}}}'
UNKNOWN = b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}'


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code = asked.path.removeprefix("/v8/finance/chart/")
    columns = {s.dataset or "close": s for s in world.by_source[asked.source] if s.code == code}
    if not columns:
        return 404, UNKNOWN
    first, end = (datetime.fromtimestamp(int(asked.params[p]), UTC).date() for p in ("period1", "period2"))
    longest = min(columns.values(), key=lambda s: s.first_year)
    days = [d for d in world.days(longest) if first <= d < end]
    if not days:
        return 400, NO_BARS
    price = columns.get("close") or longest
    splits = {d: ratio for d, ratio in world.splits.get(code, {}).items() if d <= world.today}
    one = prod(splits.values())
    close = [None if (p := world.figures(price).get(d)) is None else round(p / one, 4) for d in days]
    shares = world.figures(columns["volume"]) if "volume" in columns else {}
    volume = [int(shares.get(d, 0) * one) for d in days]
    quote = {**_bars(close), "volume": volume}
    result = {
        "meta": _meta(code, world.today),
        "timestamp": [_at(d, time(14, 30)) for d in days],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": close}]},
    }
    if told := [_split(d, ratio) for d, ratio in splits.items() if first <= d < end]:
        result["events"] = {"splits": {str(s["date"]): s for s in told}}
    return 200, json.dumps({"chart": {"result": [result], "error": None}}, separators=(",", ":")).encode()


def _bars(closes: list[float | None]) -> dict[str, list[float | None]]:
    """Each day opens at the close of the day before, and goes a little beyond both."""
    found: dict[str, list[float | None]] = {"open": [], "high": [], "low": [], "close": closes}
    before = None
    for close in closes:
        opening = before if before is not None and close is not None else close
        beyond = (
            None if opening is None or close is None else (max(opening, close), min(opening, close), abs(close) / 500)
        )
        found["open"].append(opening)
        found["high"].append(beyond and round(beyond[0] + beyond[2], 4))
        found["low"].append(beyond and round(beyond[1] - beyond[2], 4))
        before = close
    return found


def _meta(code: str, today: date) -> dict[str, Any]:
    session = {"timezone": "EST", "start": _at(today, time(14, 30)), "end": _at(today, time(21)), "gmtoffset": -18000}
    return {
        "currency": "USD",
        "symbol": code,
        "regularMarketTime": _at(today, time(21)),
        "gmtoffset": -18000,
        "timezone": "EST",
        "exchangeTimezoneName": "America/New_York",
        "currentTradingPeriod": {"regular": session},
        "dataGranularity": "1d",
        "range": "",
    }


def _split(day: date, ratio: float) -> dict[str, Any]:
    new, old = Fraction(ratio).limit_denominator(1000).as_integer_ratio()
    return {"date": _at(day, time(14, 30)), "numerator": new, "denominator": old, "splitRatio": f"{new}:{old}"}


def _at(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, UTC).timestamp())
