"""A stand-in for the exchange rates of Banco Central do Brasil; figures are synthetic, of the closing bulletin."""

from __future__ import annotations

import json
from datetime import datetime

from macro_assets_tests.providers import Asked, World

RATES = ("cotacaoCompra", "cotacaoVenda")


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    is_dollar = "CotacaoDolarPeriodo" in asked.path
    currency = "USD" if is_dollar else asked.params["@moeda"].strip("'")
    known = {s.selector.value: world.figures(s) for s in world.by_source[asked.source] if s.code == currency}  # type: ignore[union-attr]
    first, last = (
        datetime.strptime(asked.params[k], "'%m-%d-%Y'").date() for k in ("@dataInicial", "@dataFinalCotacao")
    )
    any_rate = next(iter(known.values()), {})
    rows = [
        {
            **{name: known.get(name, any_rate)[day] for name in RATES},
            "dataHoraCotacao": f"{day} 13:05:36.5",
            **({} if is_dollar else {"tipoBoletim": "Fechamento"}),
        }
        for day in any_rate
        if first <= day <= last
    ]
    return 200, json.dumps({"@odata.context": "synthetic", "value": rows}).encode()
