"""A stand-in for the time series of Banco Central do Brasil; figures are synthetic, as text."""

from __future__ import annotations

import json
from datetime import datetime

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    series = world.series(asked.source, asked.path.removeprefix("/dados/serie/bcdata.sgs.").removesuffix("/dados"))
    first, last = (datetime.strptime(asked.params[k], "%d/%m/%Y").date() for k in ("dataInicial", "dataFinal"))
    days = {} if series is None else world.figures(series)
    rows = [{"data": f"{d:%d/%m/%Y}", "valor": str(v)} for d, v in days.items() if first <= d <= last]
    if not rows:
        return 404, b'{"error": "Value(s) not found"}'
    return 200, json.dumps(rows).encode()
