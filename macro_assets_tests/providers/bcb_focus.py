"""A stand-in for Focus, the forecasts that Banco Central do Brasil collects; figures are synthetic, in pages."""

from __future__ import annotations

import json
import re
from typing import Any

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    dataset = asked.path.rpartition("/")[2]
    told = dict(re.findall(r"(\w+ (?:eq|ge|le)) '?([^']*?)'?(?: and |$)", asked.params["$filter"]))
    indicator, first, last = (told[k] for k in ("Indicador eq", "Data ge", "Data le"))
    known = [
        s
        for s in world.of_dataset(asked.source, dataset)
        if s.code.partition("/")[0] == indicator and all(told.get(f"{k} eq") == v for k, v in _where(s).items())
    ]
    rows = world.once((dataset, asked.params["$filter"]), lambda: _rows(world, known, first, last))
    skip, top = int(asked.params["$skip"]), int(asked.params["$top"])
    return 200, json.dumps({"@odata.context": "synthetic", "value": rows[skip : skip + top]}).encode()


def _where(series: Series) -> dict[str, str]:
    assert series.selector is not None
    return series.selector.where


def _rows(world: World, known: list[Series], first: str, last: str) -> list[dict[str, Any]]:
    rows = []
    for series in known:
        assert series.selector is not None
        labels = {k: int(v) if v.isdigit() else v for k, v in series.selector.where.items()}
        ahead = series.code.partition("/")[2]
        for day, value in world.figures(series).items():
            if first <= str(day) <= last:
                year = {"DataReferencia": str(day.year + int(ahead))} if ahead else {}
                rows.append({"Data": str(day), **year, **labels, series.selector.value: value})
    return sorted(rows, key=lambda r: (r["Data"], r.get("DataReferencia")))
