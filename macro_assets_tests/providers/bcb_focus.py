"""A stand-in for the survey of forecasters of Banco Central do Brasil; figures are synthetic.

It has the survey's year and the next where the real one has five; a week is there when the Monday after it has come.
"""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

from macro_assets_tests.providers import Asked, World

CONDITION = re.compile(r"(\w+) (eq|ge|le) '?([^']*?)'?(?: and |$)")


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    entities = asked.path.rsplit("/", 1)[-1]
    conditions = {(field, how): wanted for field, how, wanted in CONDITION.findall(asked.params["$filter"])}
    indicator = conditions.pop(("Indicador", "eq"))
    first, last = (date.fromisoformat(conditions.pop(("Data", how))) for how in ("ge", "le"))
    where = {field: wanted for (field, _), wanted in conditions.items()}
    told = {field: int(wanted) if wanted.isdigit() else wanted for field, wanted in where.items()}
    asked_for = [
        s
        for s in world.by_source[asked.source]
        if s.dataset == entities and s.code.partition("/")[0] == indicator and s.selector and s.selector.where == where
    ]
    published = world.today - timedelta(days=world.today.weekday() + 3)
    rows: list[dict[str, Any]] = []
    for series in asked_for:
        _, _, ahead = series.code.partition("/")
        for day, value in world.figures(series).items():
            if first <= day <= min(last, published):
                period = {"DataReferencia": _period(day, int(ahead), entities)} if ahead else {}
                rows.append({"Data": str(day), **period, **told, "Mediana": value})
    rows.sort(key=lambda row: (row["Data"], row.get("DataReferencia", "")))
    skip, top = int(asked.params["$skip"]), int(asked.params["$top"])
    context = f"https://synthetic/odata$metadata#{entities}"
    return 200, json.dumps({"@odata.context": context, "value": rows[skip : skip + top]}).encode()


def _period(day: date, ahead: int, entities: str) -> str:
    """The year that is forecast, or the month."""
    if entities != "ExpectativaMercadoMensais":
        return str(day.year + ahead)
    years, month = divmod(day.month - 1 + ahead, 12)
    return f"{month + 1:02}/{day.year + years}"
