"""A stand-in for FINRA's sums of trades in Treasuries; figures are synthetic, in pages."""

from __future__ import annotations

import json

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    name, question = asked.path.rpartition("/")[2], json.loads(asked.body)
    (span,) = question["dateRangeFilters"]
    day = span["fieldName"]
    table = world.once(
        (asked.source, name), lambda: world.rows([s for s in world.by_source[asked.source] if s.code == name])
    )
    rows = [{**r, day: str(r[day])} for r in table if span["startDate"] <= str(r[day]) <= span["endDate"]]
    page = rows[question["offset"] : question["offset"] + question["limit"]]
    return (200, json.dumps(page).encode()) if page else (204, b"")
