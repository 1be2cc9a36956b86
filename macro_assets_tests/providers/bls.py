"""A stand-in for the BLS' API; figures are synthetic, newest first, with the year's average in every December."""

from __future__ import annotations

import json

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    question = json.loads(asked.body)
    first, last = int(question["startyear"]), int(question["endyear"])
    known = {code: world.series(asked.source, code) for code in question["seriesid"]}
    said = [f"Series does not exist for Series {code}" for code, series in known.items() if series is None]
    found = [
        {"seriesID": code, "data": [] if s is None else _figures(world, s, first, last)} for code, s in known.items()
    ]
    whole = {"status": "REQUEST_SUCCEEDED", "responseTime": 1, "message": said, "Results": {"series": found}}
    return 200, json.dumps(whole).encode()


def _figures(world: World, series: Series, first: int, last: int) -> list[dict[str, str]]:
    rows = []
    for day in reversed([d for d in world.days(series) if first <= d.year <= last]):
        value = str(world.value(series, day))
        if day.month == 12:
            rows.append({"year": str(day.year), "period": "M13", "value": value})
        rows.append({"year": str(day.year), "period": f"M{day.month:02}", "value": value})
    return rows
