"""A stand-in for Glassnode; figures are synthetic."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from typing import Any

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    metric = asked.path.removeprefix("/v1/metrics/")
    parts = {}
    for series in world.by_source[asked.source]:
        asset, _, part = series.code.partition(".")
        if (series.dataset, asset) == (metric, asked.params["a"]):
            parts[part] = series
    if not parts:
        return 404, b"Not found"
    since, until = (int(asked.params[p]) for p in ("s", "u"))
    longest = min(parts.values(), key=lambda s: s.first_year)
    points: list[dict[str, Any]] = []
    for day in world.every_day(longest):
        if since <= (seconds := _seconds(day)) < until:
            values = {part: world.value(series, day) for part, series in parts.items()}
            points.append({"t": seconds, "v": values[""]} if "" in values else {"t": seconds, "o": values})
    return 200, json.dumps(points, separators=(",", ":")).encode()


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
