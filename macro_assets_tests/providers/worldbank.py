"""A stand-in for the World Bank's API; figures are synthetic, newest first, in pages."""

from __future__ import annotations

import json

from macro_assets_tests.providers import Asked, World

UNKNOWN = [{"message": [{"id": "120", "key": "Invalid value", "value": "The code is not known here"}]}]


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    country, indicator = asked.path.removeprefix("/country/").split("/indicator/")
    series = world.series(asked.source, f"{country}/{indicator}")
    if series is None:
        return 200, json.dumps(UNKNOWN).encode()
    first, last = (int(year) for year in asked.params["date"].split(":"))
    rows = [
        {"indicator": {"id": indicator}, "date": str(d.year), "value": world.value(series, d)}
        for d in reversed(list(world.days(series)))
        if first <= d.year <= last
    ]
    size, page = int(asked.params["per_page"]), int(asked.params["page"])
    about = {"page": page, "pages": -(-len(rows) // size), "per_page": size, "total": len(rows)}
    return 200, json.dumps([about, rows[size * (page - 1) : size * page] or None]).encode()
