"""A stand-in for the series of Brazil's Treasury; figures are synthetic, newest first, in pages."""

from __future__ import annotations

import json
from datetime import datetime

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code = asked.params["codigo_da_serie"]
    series = world.series(asked.source, code)
    first, last = (datetime.strptime(asked.params[k], "%m/%Y").date() for k in ("data_inicio", "data_fim"))
    figures = {} if series is None else world.figures(series)
    rows = [
        {"data": f"{d}T00:00:00.000Z", "valor": v, "codigoSerie": code}
        for d, v in reversed(figures.items())
        if first <= d <= last
    ]
    page, size = int(asked.params["page"]), int(asked.params["pageSize"])
    found = {"registros": rows[size * (page - 1) : size * page], "page": page, "pageSize": size, "status": "ok"}
    return 200, json.dumps(found).encode()
