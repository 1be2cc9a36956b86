"""A stand-in for DefiLlama's three hosts; figures are synthetic, the last row of a list is of the running day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World

PEGS = ("peggedUSD", "peggedEUR")


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    known = world.by_source[asked.source]
    found: Any
    if asked.path.startswith("/prices/current/"):
        tokens = asked.path.removeprefix("/prices/current/").split(",")
        noon = _seconds(world.today) + 43_200
        prices = {s.code: list(world.figures(s).values())[-1] for s in known if s.code in tokens}
        found = {"coins": {code: {"price": price, "timestamp": noon} for code, price in prices.items()}}
    elif asked.path.startswith("/v2/historicalChainTvl"):
        chain = asked.path.removeprefix("/v2/historicalChainTvl").removeprefix("/") or "all"
        values = next((world.figures(s) for s in known if s.code == chain), {})
        found = [{"date": _seconds(d), "tvl": v} for d, v in values.items()]
    else:
        coin = asked.params.get("stablecoin")
        code = asked.path.removeprefix("/stablecoincharts/") + (f"?stablecoin={coin}" if coin else "")
        found = _stablecoins(world, [s for s in known if s.code == code])
    return 200, json.dumps(found).encode()


def _stablecoins(world: World, known: Sequence[Series]) -> list[dict[str, Any]]:
    """Rows by day with what is pegged to the dollar, and to the euro a tenth of that."""
    if not known:
        return []
    figures = world.figures(known[-1])
    name = str(known[-1].dataset).partition(".")[0]
    return [{"date": str(_seconds(d)), name: {PEGS[0]: v, PEGS[1]: round(v / 10, 2)}} for d, v in figures.items()]


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp())
