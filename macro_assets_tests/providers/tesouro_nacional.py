"""A stand-in for the Treasury's monthly result of Brazil; figures are synthetic, newest first."""

from __future__ import annotations

import json
from datetime import date, datetime

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    series = world.series(asked.source, asked.params["codigo_da_serie"])
    first, last = (_month(asked.params[name]) for name in ("data_inicio", "data_fim"))
    rows = [
        {
            "codigoTema": asked.params["tema"],
            "data": f"{day}T00:00:00.000Z",
            "valor": value,
            "codigoSerie": asked.params["codigo_da_serie"],
        }
        for day, value in (world.figures(series).items() if series else ())
        if first <= day <= last
    ][::-1]
    page, size = int(asked.params["page"]), int(asked.params["pageSize"])
    shown = rows[(page - 1) * size : page * size]
    document = {"next": f"https://synthetic/?page={page + 1}", "pageSize": size, "registros": shown, "page": page}
    return 200, json.dumps({**document, "status": "ok"}).encode()


def _month(written: str) -> date:
    return datetime.strptime(written, "%m/%Y").date()
