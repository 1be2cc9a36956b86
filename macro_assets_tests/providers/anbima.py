"""A stand-in for ANBIMA's feed of prices, a day at a time; figures are synthetic."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from macro_assets_tests.providers import Asked, World

DAY = "data_referencia"


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    dataset = asked.path.rpartition("/")[2]
    rows = world.once((asked.source, dataset), lambda: _by_day(world, asked.source, dataset)).get(asked.params["data"])
    if rows is None:
        return 404, b'{"mensagem": "synthetic: no rates of this day"}'
    if dataset != "curvas-juros":
        return 200, json.dumps(rows).encode()
    vertices = [{k: int(v) if k == "vertice_du" else v for k, v in r.items() if k != DAY} for r in rows]
    return 200, json.dumps([{DAY: asked.params["data"], "ettj": vertices}]).encode()


def _by_day(world: World, source: str, dataset: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of a data set by day, each with every column."""
    table = world.rows(world.of_dataset(source, dataset))
    empty = dict.fromkeys(name for row in table for name in row)
    days: dict[str, list[dict[str, Any]]] = {}
    for row in table:
        plain = {k: str(v) if isinstance(v, date) else v for k, v in row.items()}
        days.setdefault(plain[DAY], []).append({**empty, **plain})
    return days
