"""A stand-in for Alpha Vantage; figures are synthetic, as text, newest first, the last hundred sessions of prices."""

from __future__ import annotations

import json

from macro_assets_tests.providers import Asked, World

SESSIONS = 100
TABLES = {
    "TIME_SERIES_DAILY": "Time Series (Daily)",
    "FX_DAILY": "Time Series FX (Daily)",
    "DIGITAL_CURRENCY_DAILY": "Time Series (Digital Currency Daily)",
}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    function = asked.params["function"]
    pair = [asked.params[k] for k in ("from_symbol", "symbol", "to_symbol", "market") if k in asked.params]
    codes = ("/".join(pair), asked.params.get("maturity"))
    known = world.of_dataset(asked.source, function)
    series = next((s for s in known if s.code in codes), known[0] if known and not any(codes) else None)
    if series is None:
        return 200, b'{"Error Message": "Invalid API call. Please retry."}'
    figures = reversed(world.figures(series).items())
    if function not in TABLES:
        data = [{"date": str(d), "value": str(v)} for d, v in figures]
        whole = {"name": series.title, "interval": asked.params["interval"], "unit": "percent", "data": data}
        return 200, json.dumps(whole).encode()
    rows = {
        str(d): {f"{n}. {name}": str(v) for n, name in enumerate(("open", "high", "low", "close"), start=1)}
        for d, v in [*figures][:SESSIONS]
    }
    meta = {"1. Information": "Synthetic", "3. Last Refreshed": next(iter(rows)), "5. Time Zone": "US/Eastern"}
    return 200, json.dumps({"Meta Data": meta, TABLES[function]: rows}).encode()
