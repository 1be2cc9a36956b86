"""A stand-in for Glassnode; figures are synthetic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    metric = asked.path.removeprefix("/v1/metrics/")
    parts: dict[str, Mapping[date, float]] = {}
    for series in world.by_source[asked.source]:
        asset, _, part = series.code.partition(".")
        if (series.dataset, asset) == (metric, asked.params["a"]):
            parts[part] = world.every_day(series)
    if not parts:
        return 404, b"Not found"
    since, until = (int(asked.params[p]) for p in ("s", "u"))
    points: list[dict[str, Any]] = []
    for day in max(parts.values(), key=len):
        if since <= (seconds := _seconds(day)) < until:
            values = {part: found[day] for part, found in parts.items() if day in found}
            points.append({"t": seconds, "v": values[""]} if "" in values else {"t": seconds, "o": values})
    return 200, json.dumps(points, separators=(",", ":")).encode()


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
