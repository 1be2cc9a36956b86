"""A stand-in for the EIA's API; figures are synthetic, as text. It repeats the key that it was sent."""

from __future__ import annotations

import json

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    series = world.series(asked.source, asked.params["facets[series][]"])
    if series is None or asked.path != f"/{series.dataset}/data/":
        return 404, b'{"error": "not found", "code": 404}'
    rows = [
        {"period": str(d), "series": series.code, "value": str(world.value(series, d))}
        for d in world.days(series)
        if asked.params["start"] <= str(d) <= asked.params["end"]
    ]
    offset, length = int(asked.params["offset"]), int(asked.params["length"])
    page = {
        "total": str(len(rows)),
        "dateFormat": "YYYY-MM-DD",
        "frequency": asked.params["frequency"],
        "data": rows[offset : offset + length],
    }
    return 200, json.dumps({"response": page, "request": {"params": dict(asked.params)}}).encode()
