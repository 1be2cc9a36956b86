"""A stand-in for IBGE's tables; figures are synthetic, as text. The first row translates the columns."""

from __future__ import annotations

import json
from datetime import date

from macro_assets_tests.providers import Asked, World

PERIODS = {"M": "Mês", "Q": "Trimestre", "A": "Ano"}
ROLLING = "t/6381/"
"""The table of rolling quarters that are told by month."""


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    query, span = asked.path.removeprefix("/values/").split("/p/")
    known = [s for s in world.by_source[asked.source] if s.code == query]
    if not known:
        return 400, b"Tabela inexistente"
    first, _, last = span.partition("-")
    frequency = known[0].frequency
    period = "Trimestre Móvel" if query.startswith(ROLLING) else PERIODS[frequency]
    labels = dict.fromkeys(label for s in known if s.selector for label in s.selector.where)
    head = ["Unidade de Medida", "Valor", f"{period} (Código)", *labels]
    rows = []
    for series in known:
        where = series.selector.where if series.selector else {}
        for day, value in world.figures(series).items():
            code = _period(day, frequency)
            if span == "all" or first <= code <= last:
                rows.append([series.provider_unit, str(value), code, *(where.get(label, "") for label in labels)])
    columns = ["MN", "V", *(f"D{n}C" for n in range(1, len(head) - 1))]
    return 200, json.dumps([dict(zip(columns, r, strict=True)) for r in [head, *rows]]).encode()


def _period(day: date, frequency: str) -> str:
    """A period's code: 2024, 202403 for a month as for a third quarter."""
    count = {"A": "", "M": f"{day.month:02}", "Q": f"{day.month // 3 + 1:02}"}[frequency]
    return f"{day.year}{count}"
