"""A stand-in for DefiLlama's three hosts; figures are synthetic, and the last row of a history is of the moment."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from typing import Any

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    known = world.by_source[asked.source]
    if asked.path.startswith("/prices/current/"):
        codes = asked.path.removeprefix("/prices/current/").split(",")
        return _json({"coins": {s.code: _quote(world, s) for s in known if s.code in codes}})
    if asked.path.startswith("/stablecoincharts/"):
        coin = asked.params.get("stablecoin")
        code = asked.path.removeprefix("/stablecoincharts/") + (f"?stablecoin={coin}" if coin else "")
        series = next((s for s in known if s.code == code), None)
        return (404, b"Not Found") if series is None else _json(_stablecoins(world, series))
    code = asked.path.removeprefix("/v2/historicalChainTvl").removeprefix("/") or "all"
    series = next((s for s in known if s.code == code), None)
    if series is None:
        return 404, b"Chain not found"
    return _json([{"date": _seconds(d), "tvl": v} for d, v in world.every_day(series).items()])


def _stablecoins(world: World, series: Series) -> list[dict[str, Any]]:
    rows = []
    for day, value in world.every_day(series).items():
        pegs = {"peggedUSD": value, "peggedEUR": 1000.5}
        kinds = ("totalCirculating", "totalUnreleased", "totalCirculatingUSD", "totalMintedUSD", "totalBridgedToUSD")
        rows.append({"date": str(_seconds(day)), **dict.fromkeys(kinds, pegs)})
    return rows


def _quote(world: World, series: Series) -> dict[str, Any]:
    price, moment = world.every_day(series)[world.today], _seconds(world.today, time(12))
    return {"decimals": 6, "symbol": "TOY", "price": price, "timestamp": moment, "confidence": 0.99}


def _seconds(day: date, clock: time = time()) -> int:
    return int(datetime.combine(day, clock, UTC).timestamp())


def _json(document: Any) -> tuple[int, bytes]:
    return 200, json.dumps(document, separators=(",", ":")).encode()
