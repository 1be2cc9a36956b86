"""A stand-in for DBnomics; figures are synthetic."""

from __future__ import annotations

import json
from datetime import timedelta

from macro_assets.sources.sdmx import period
from macro_assets_tests.providers import Asked, World

FREQUENCIES = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly", "A": "annual"}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code = asked.path.removeprefix("/series/")
    series = world.series(asked.source, code)
    if series is None:
        return 404, b'{"message": "series not found"}'
    days = list(world.days(series))
    starts = [d - timedelta(days=d.weekday()) for d in days] if series.frequency == "W" else days
    doc = {
        **dict(zip(("provider_code", "dataset_code", "series_code"), code.split("/"), strict=True)),
        "@frequency": FREQUENCIES[series.frequency],
        "period": [period(d, series.frequency) for d in days],
        "period_start_day": [str(d) for d in starts],
        "value": [world.value(series, d) for d in days],
    }
    page = {"docs": [doc], "limit": 1000, "offset": 0, "num_found": 1}
    return 200, json.dumps({"errors": None, "series": page}).encode()
