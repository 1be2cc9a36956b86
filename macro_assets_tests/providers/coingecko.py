"""A stand-in for CoinGecko; figures are synthetic: a year of days at midnight, and the market of the moment."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

from macro_assets_tests.providers import Asked, World

YEAR = timedelta(days=365)


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    if asked.path == "/global":
        noon = datetime.combine(world.today, time(12), tzinfo=UTC)
        data: dict[str, Any] = {"updated_at": int(noon.timestamp())}
        for series in world.by_source[asked.source]:
            if series.code == "global":
                name, _, part = str(series.dataset).partition(".")
                data.setdefault(name, {})[part] = list(world.figures(series).values())[-1]
        return 200, json.dumps({"data": data}).encode()
    coin = asked.path.removeprefix("/coins/").removesuffix("/market_chart")
    known = {s.dataset or "prices": world.figures(s) for s in world.by_source[asked.source] if s.code == coin}
    if not known:
        return 404, b'{"error": "coin not found"}'
    begin = world.today - YEAR
    points = {
        name: [[_milliseconds(day), v] for day, v in figures.items() if day >= begin] for name, figures in known.items()
    }
    return 200, json.dumps(points).encode()


def _milliseconds(day: Any) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp()) * 1000
