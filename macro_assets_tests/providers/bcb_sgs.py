"""A stand-in for the time series of Banco Central do Brasil; figures are synthetic."""

from __future__ import annotations

import json
from datetime import date, datetime

from macro_assets_tests.providers import Asked, World

TOO_LONG = "O sistema aceita uma janela de consulta de, no máximo, 10 anos em séries de periodicidade diária"


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    code = asked.path.removeprefix("/dados/serie/bcdata.sgs.").removesuffix("/dados")
    first, last = (_day(asked.params[f"data{end}"]) for end in ("Inicial", "Final"))
    series = world.series(asked.source, code)
    if series is not None and series.frequency == "D" and last >= first.replace(year=first.year + 10):
        return 406, json.dumps({"error": TOO_LONG}, ensure_ascii=False).encode()
    figures = {} if series is None else world.figures(series)
    rows = [{"data": f"{d:%d/%m/%Y}", "valor": str(v)} for d, v in figures.items() if first <= d <= last]
    if not rows:
        return 404, b'{"erro":{"statusCode":404,"detail":"Value(s) not found"}}'
    return 200, json.dumps(rows).encode()


def _day(written: str) -> date:
    return datetime.strptime(written, "%d/%m/%Y").date()
