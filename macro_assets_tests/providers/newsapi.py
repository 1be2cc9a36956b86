"""A stand-in for News API; counts are synthetic, none at weekends, and no article is told."""

from __future__ import annotations

import json
from datetime import date

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    series = world.series(asked.source, asked.params["q"])
    if series is None:
        return 200, b'{"status": "ok", "totalResults": 0, "articles": []}'
    count = round(world.figures(series).get(date.fromisoformat(asked.params["from"][:10]), 0))
    return 200, json.dumps({"status": "ok", "totalResults": count, "articles": []}).encode()
