"""A stand-in for Alpha Vantage as a free key sees it: the last hundred sessions; figures are synthetic."""

from __future__ import annotations

import json
from typing import Any

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World

SESSIONS = 100
UNKNOWN = b'{"Error Message": "Invalid API call. Please retry or visit the documentation."}'
TABLES = {
    "TIME_SERIES_DAILY": "Time Series (Daily)",
    "FX_DAILY": "Time Series FX (Daily)",
    "DIGITAL_CURRENCY_DAILY": "Time Series (Digital Currency Daily)",
}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    asks = asked.params
    function, symbol = asks["function"], asks.get("symbol", asks.get("from_symbol", asks.get("maturity", "")))
    market = asks.get("market", asks.get("to_symbol", ""))
    code = f"{symbol}/{market}" if market else symbol
    series = next((s for s in world.by_source[asked.source] if (s.dataset, s.code) == (function, code)), None)
    if series is None:
        return 200, UNKNOWN
    found = _prices(series, symbol, market, world) if function in TABLES else _figures(series, world)
    return 200, json.dumps(found, indent=4).encode()


def _prices(series: Series, symbol: str, market: str, world: World) -> dict[str, Any]:
    function = str(series.dataset)
    clock = " 22:55:00" if market else ""
    facts = ["Daily Prices", symbol, *([market] if market else []), f"{world.today}{clock}", "UTC"]
    names = ["Information", "Symbol", *(["Market"] if market else []), "Last Refreshed", "Time Zone"]
    if not market:
        facts[-1] = "US/Eastern"
    rows = {}
    for day in list(reversed(list(world.days(series))))[:SESSIONS]:
        price = f"{world.value(series, day):.4f}"
        rows[str(day)] = {f"{n}. {name}": price for n, name in enumerate(("open", "high", "low", "close"), 1)}
        if not function.startswith("FX_"):
            rows[str(day)]["5. volume"] = "1000"
    meta = {f"{n}. {name}": fact for n, (name, fact) in enumerate(zip(names, facts, strict=True), 1)}
    return {"Meta Data": meta, TABLES[function]: rows}


def _figures(series: Series, world: World) -> dict[str, Any]:
    rows = [{"date": str(d), "value": str(world.value(series, d))} for d in world.days(series)]
    return {"name": series.title, "interval": "daily", "unit": "percent", "data": rows[::-1]}
