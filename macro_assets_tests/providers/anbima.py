"""A stand-in for ANBIMA's feed; figures are synthetic, but for vertices and bonds of no series, which stay the same."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from macro_assets_tests.providers import Asked, World

VERTICES = range(126, 8190, 126)


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    dataset, day = asked.path.rsplit("/", 1)[-1], date.fromisoformat(asked.params["data"])
    series = [s for s in world.by_source[asked.source] if s.dataset == dataset and s.selector]
    if not series or day > world.today or day.isoweekday() > 5:
        return 404, b'{"message": "none"}'
    curve = dataset == "curvas-juros"
    rows = _vertices() if curve else _bonds(day)
    for one in series:
        assert one.selector is not None
        wanted = one.selector.where.items()
        for row in rows:
            if all(str(row[k]) == v for k, v in wanted):
                row[one.selector.value] = world.figures(one).get(day)
    found = [{"data_referencia": str(day), "parametros": [], "ettj": rows, "erros": []}] if curve else rows
    return 200, json.dumps(found).encode()


def _vertices() -> list[dict[str, Any]]:
    return [{"vertice_du": n, "taxa_prefixadas": 12.5, "taxa_ipca": 6.5, "taxa_implicita": 5.5} for n in VERTICES]


def _bonds(day: date) -> list[dict[str, Any]]:
    return [
        {
            "tipo_titulo": kind,
            "expressao": kind,
            "data_vencimento": f"{year}-{month_day}",
            "data_referencia": str(day),
            "codigo_selic": "760199",
            "taxa_compra": 6.6,
            "taxa_venda": 6.5,
            "taxa_indicativa": 6.55,
            "pu": 4000.5,
        }
        for kind, month_day in (("LTN", "01-01"), ("NTN-F", "01-01"), ("NTN-B", "05-15"), ("NTN-B", "08-15"))
        for year in range(day.year + 1, day.year + 30)
    ]
