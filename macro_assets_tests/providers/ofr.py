"""A stand-in for the API of the Office of Financial Research; figures are synthetic."""

from __future__ import annotations

import json

from macro_assets.catalog.periods import period_end
from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    series = world.series(asked.source, asked.params["mnemonic"])
    if series is None or asked.path != f"/{series.dataset}/series/timeseries":
        return 200, b'"Invalid mnemonic"'
    dated = ((str(period_end(d, series.frequency)), v) for d, v in world.figures(series).items())
    points = [[day, v] for day, v in dated if asked.params["start_date"] <= day <= asked.params["end_date"]]
    return 200, json.dumps(points).encode()
