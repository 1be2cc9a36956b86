"""A stand-in for the exchange rates of Banco Central do Brasil; figures are synthetic.

Of currencies other than the dollar it has the first and the closing bulletin of a day, where the real one has five.
"""

from __future__ import annotations

import json
from datetime import date, datetime

from macro_assets_tests.providers import Asked, World

CLOSED = ("13:07:22.123", "Fechamento")
BULLETINS = {"CotacaoDolarPeriodo": [CLOSED], "CotacaoMoedaPeriodo": [("10:08:20.500", "Abertura"), CLOSED]}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    call = asked.path.rsplit("/", 1)[-1].partition("(")[0]
    currency = "USD" if call == "CotacaoDolarPeriodo" else asked.params["@moeda"].strip("'")
    first, last = (_day(asked.params[name]) for name in ("@dataInicial", "@dataFinalCotacao"))
    found = {s.selector.value: s for s in world.by_source[asked.source] if s.code == currency and s.selector}
    sale = world.figures(found["cotacaoVenda"]) if found else {}
    purchase = world.figures(found["cotacaoCompra"]) if "cotacaoCompra" in found else sale
    rows = [
        {
            "cotacaoCompra": purchase[day],
            "cotacaoVenda": rate,
            "dataHoraCotacao": f"{day} {clock}",
            "tipoBoletim": bulletin,
        }
        for day, rate in sale.items()
        if first <= day <= last
        for clock, bulletin in BULLETINS[call]
    ]
    wanted = asked.params["$select"].split(",")
    value = [{name: row[name] for name in wanted} for row in rows]
    return 200, json.dumps({"@odata.context": f"https://synthetic/odata$metadata#_{call}", "value": value}).encode()


def _day(written: str) -> date:
    return datetime.strptime(written, "'%m-%d-%Y'").date()
