"""A stand-in for the accounts of Brazil's public sector; figures are synthetic, a budget planned and carried out."""

from __future__ import annotations

import json
from datetime import date

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    year, annex = date(int(asked.params["an_exercicio"]), 1, 1), asked.params["no_anexo"]
    items = [
        {
            "exercicio": year.year,
            "demonstrativo": asked.params["co_tipo_demonstrativo"],
            "periodo": int(asked.params["nr_periodo"]),
            "instituicao": "Governo Federal",
            "cod_ibge": int(asked.params["id_ente"]),
            "uf": "BR",
            "anexo": annex,
            "esfera": asked.params["co_esfera"],
            "coluna": column,
            "cod_conta": series.selector.where["cod_conta"],
            "valor": value,
        }
        for series in world.by_source[asked.source]
        if series.code == annex and series.selector and year in world.figures(series)
        for column, value in (
            ("PREVISÃO INICIAL", series.bounds.low),
            (series.selector.where["coluna"], world.value(series, year)),
        )
        if year.year < world.today.year
    ]
    offset = int(asked.params["offset"])
    page = {"items": items[offset:], "hasMore": False, "limit": 5000, "offset": offset, "count": len(items[offset:])}
    return 200, json.dumps(page).encode()
