"""A stand-in for FINRA's Query API; figures are synthetic, in pages."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World

CATEGORIES = ("Bills", "FRN", "Nominal Coupons", "TIPS")


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code = asked.path.rsplit("/", 1)[-1]
    series = [s for s in world.by_source[asked.source] if s.code == code and s.selector]
    if not series:
        return 404, b'{"statusCode": 404}'
    question = json.loads(asked.body)
    (days,) = question["dateRangeFilters"]
    first, last = (date.fromisoformat(days[k]) for k in ("startDate", "endDate"))
    rows = [
        row
        for day in world.days(series[0])
        if first <= day <= last
        for category in CATEGORIES
        for row in [_row(world, series, day, category)]
    ]
    page = rows[question["offset"] : question["offset"] + question["limit"]]
    return (200, json.dumps(page, separators=(",", ":")).encode()) if page else (204, b"")


def _row(world: World, series: list[Series], day: date, category: str) -> dict[str, Any]:
    row = {"tradeDate": str(day), "productCategory": category, "yearsToMaturity": None, "benchmark": None}
    row |= {"dealerCustomerCount": 1000, "dealerCustomerVolume": 17.5, "atsInterdealerVolume": 12.5}
    for one in series:
        assert one.selector is not None
        if one.selector.where.items() <= row.items():
            row[one.selector.value] = world.figures(one).get(day)
    return row
