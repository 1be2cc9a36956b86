"""A stand-in for the accounts of Brazil's public sector; figures are synthetic."""

from __future__ import annotations

import json
from datetime import date

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    annex, year = asked.params["no_anexo"], int(asked.params["an_exercicio"])
    items = [
        {
            "exercicio": year,
            "periodo": int(asked.params["nr_periodo"]),
            "cod_ibge": int(asked.params["id_ente"]),
            "anexo": annex,
            **series.selector.where,
            "valor": world.figures(series)[date(year, 1, 1)],
        }
        for series in world.by_source[asked.source]
        if series.selector and series.code == annex and date(year, 1, 1) in world.figures(series)
    ]
    page = {"items": items, "hasMore": False, "limit": 5000, "offset": 0, "count": len(items)}
    return 200, json.dumps(page).encode()
