"""A stand-in for CoinGecko as it is without a paid plan: the last 365 days and the moment; figures are synthetic."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from typing import Any

from macro_assets_tests.providers import Asked, World

TABLES = ("prices", "market_caps", "total_volumes")
UNKNOWN = b'{"error":"coin not found"}'
NOON = time(12)


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    if asked.path == "/global":
        return 200, json.dumps({"data": _market(asked, world)}).encode()
    code = asked.path.removeprefix("/coins/").removesuffix("/market_chart")
    columns = {s.dataset or "prices": s for s in world.by_source[asked.source] if s.code == code}
    if not columns:
        return 404, UNKNOWN
    known = next(iter(columns.values()))
    tables = {}
    for name in TABLES:
        figures = list(world.every_day(columns.get(name, known)).items())[-int(asked.params["days"]) :]
        points = [[_ms(day, time()), value] for day, value in figures]
        tables[name] = [*points, [_ms(world.today, NOON), figures[-1][1]]]
    return 200, json.dumps(tables, separators=(",", ":")).encode()


def _market(asked: Asked, world: World) -> dict[str, Any]:
    data: dict[str, Any] = {"active_cryptocurrencies": 10000, "updated_at": _ms(world.today, NOON) // 1000}
    for series in world.by_source[asked.source]:
        if series.code == "global":
            name, _, part = str(series.dataset).partition(".")
            data.setdefault(name, {})[part] = world.every_day(series)[world.today]
    return data


def _ms(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, UTC).timestamp()) * 1000
