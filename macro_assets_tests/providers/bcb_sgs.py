"""A stand-in for the time series of Banco Central do Brasil; figures are synthetic."""

from __future__ import annotations

import json
from datetime import date, datetime

from macro_assets_tests.providers import Asked, World

TOO_LONG = "O sistema aceita uma janela de consulta de, no máximo, 10 anos em séries de periodicidade diária"


PERIODS = {"D": "diária", "W": "semanal", "M": "mensal", "Q": "trimestral", "A": "anual"}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    if asked.path == "/api/3/action/package_search":
        return _portal(asked, world)
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


def _portal(asked: Asked, world: World) -> tuple[int, bytes]:
    """The open data portal: a series by its code, or those whose title has some words."""
    code = asked.params["fq"].removeprefix("codigo_sgs:")
    words = asked.params.get("q", "").casefold().split()
    found = [
        {
            "codigo_sgs": s.code,
            "title": s.title,
            "periodicidade": PERIODS[s.frequency],
            "unidade_medida": s.provider_unit,
            "inicio_periodo": f"01-01-{s.first_year}",
            "fim_periodo": "",
        }
        for s in world.by_source["bcb_sgs"]
        if code in ("*", s.code) and all(w in s.title.casefold() for w in words)
    ]
    found = found[: int(asked.params.get("rows", 10))]
    return 200, json.dumps({"success": True, "result": {"count": len(found), "results": found}}).encode()


def _day(written: str) -> date:
    return datetime.strptime(written, "%d/%m/%Y").date()
