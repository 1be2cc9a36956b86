"""A stand-in for the tables of IBGE; figures are synthetic, '...' where the catalog has no series."""

from __future__ import annotations

import json
from itertools import product

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World

PERIODS = {"M": "Mês", "Q": "Trimestre", "A": "Ano"}
ROLLING = "6381"
"""The table of the labour survey: three months, dated by the last."""

HEAD = {
    "NC": "Nível Territorial (Código)",
    "NN": "Nível Territorial",
    "MC": "Unidade de Medida (Código)",
    "MN": "Unidade de Medida",
    "V": "Valor",
}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    query, _, span = asked.path.removeprefix("/values/").partition("/p/")
    same = [s for s in world.by_source[asked.source] if s.code == query]
    if not same:
        return 400, b"Par\xc3\xa2metro inv\xc3\xa1lido"
    parts = query.split("/")
    asked_of = dict(zip(parts[::2], parts[1::2], strict=True))
    frequency = same[0].frequency
    labels = ["Brasil", "Trimestre Móvel" if asked_of["t"] == ROLLING else PERIODS[frequency], "Variável"]
    told = [label.removesuffix(" (Código)") for label in _where(same[0]) if label != "Variável (Código)"]
    dimensions = [codes.split(",") for key, codes in asked_of.items() if key not in ("t", "n1", "v")]
    labels += told or [f"Classificação {n}" for n, _ in enumerate(dimensions)]
    header = dict(HEAD)
    for n, label in enumerate(labels, 1):
        header |= {f"D{n}C": f"{label} (Código)", f"D{n}N": label}
    cells = {
        codes: _series(same, dict(zip((f"{label} (Código)" for label in labels[2:]), codes, strict=True)))
        for codes in product(asked_of["v"].split(","), *dimensions)
    }
    first, _, last = ("", "", "9") if span == "all" else span.partition("-")
    months = 3 if frequency == "Q" else 1
    rows = [header]
    for day in world.days(same[0]):
        name = str(day.year) if frequency == "A" else f"{day:%Y}{(day.month - 1) // months + 1:02}"
        if not first <= name <= last:
            continue
        for codes, series in cells.items():
            value = "..." if series is None else str(world.value(series, day))
            row = {"NC": "1", "NN": "Brasil", "MC": "1", "MN": (series or same[0]).provider_unit, "V": value}
            for n, code in enumerate(("1", name, *codes), 1):
                row |= {f"D{n}C": code, f"D{n}N": code}
            rows.append(row)
    return 200, json.dumps(rows, ensure_ascii=False).encode()


def _where(series: Series) -> dict[str, str]:
    return dict(series.selector.where) if series.selector else {}


def _series(same: list[Series], codes: dict[str, str]) -> Series | None:
    return next((s for s in same if _where(s).items() <= codes.items()), None)
