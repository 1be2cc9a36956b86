"""A stand-in for Glassnode; figures are synthetic, days in seconds UTC."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    metric = asked.path.removeprefix("/v1/metrics/")
    series = next((s for s in world.of_dataset(asked.source, metric) if s.code == asked.params["a"]), None)
    if series is None:
        return 404, b"metric not found"
    first, last = int(asked.params["s"]), int(asked.params["u"])
    dated = [(int(datetime.combine(d, time(), tzinfo=UTC).timestamp()), v) for d, v in world.figures(series).items()]
    return 200, json.dumps([{"t": t, "v": v} for t, v in dated if first <= t < last]).encode()
