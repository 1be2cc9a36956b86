"""A stand-in for the IMF's data service; figures are synthetic, as text."""

from __future__ import annotations

import json

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    flow, key = asked.path.removeprefix("/data/dataflow/").split("/+/")
    series = world.series(asked.source, key)
    if series is None or series.dataset != flow:
        return 204, b""
    first, last = (int(part.split(":")[1][:4]) for part in asked.params["c[TIME_PERIOD]"].split("+"))
    days = [d for d in world.days(series) if first <= d.year <= last]
    data = {"structure": 0, "action": "Replace"}
    if days:
        cells = {str(n): [f"{world.value(series, d):.10g}", 0] for n, d in enumerate(days)}
        index = ":".join("0" for _ in key.split("."))
        data |= {"series": {index: {"attributes": [], "observations": cells}}}  # type: ignore[dict-item]
    codes = [
        {"id": f"D{n}", "keyPosition": n, "values": [{"id": c}] if days else []} for n, c in enumerate(key.split("."))
    ]
    time = {"id": "TIME_PERIOD", "keyPosition": len(codes), "values": [{"value": str(d.year)} for d in days]}
    structure = {"dataSets": [0], "dimensions": {"series": codes, "observation": [time]}}
    return 200, json.dumps({"meta": {}, "data": {"dataSets": [data], "structures": [structure]}}).encode()
