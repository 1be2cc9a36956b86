"""ANBIMA's feed: made-up (synthetic) answers in its documented form."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from macro_assets.sources.protocol import Request, Window
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Replayed, fetched, toy_series

ROOT = "/feed/precos-indices/v1/titulos-publicos"
CURVES, BONDS = f"{ROOT}/curvas-juros", f"{ROOT}/mercado-secundario-TPF"
WINDOW = Window(date(2024, 1, 5), date(2024, 1, 8))
FRIDAY, MONDAY = "2024-01-05", "2024-01-08"


def series(name: str, dataset: str, value: str, **where: str) -> Any:
    selector = {"where": where, "date": "data_referencia", "value": value, "meaning": "reference date"}
    return toy_series("anbima", "x", id=name, dataset=dataset, selector=selector, first_year=2024)


FIXED = series("TOY", "curvas-juros", "taxa_prefixadas", vertice_du="252")
REAL = series("TOY_REAL", "curvas-juros", "taxa_ipca", vertice_du="2520")
BOND = series(
    "TOY_BOND", "mercado-secundario-TPF", "taxa_indicativa", tipo_titulo="NTN-B", data_vencimento="2035-05-15"
)


def curve(day: str, fixed: Any = 10.25) -> bytes:
    near = {"vertice_du": 252, "taxa_prefixadas": fixed, "taxa_ipca": 5.5, "taxa_implicita": 4.5}
    far = {"vertice_du": 2520, "taxa_prefixadas": None, "taxa_ipca": 5.75, "taxa_implicita": None}
    return json.dumps([{"data_referencia": day, "parametros": [], "ettj": [near, far], "erros": []}]).encode()


def bond(day: str, kind: str = "NTN-B") -> dict[str, Any]:
    return {"tipo_titulo": kind, "data_vencimento": "2035-05-15", "data_referencia": day, "taxa_indicativa": 5.6123}


CONTRACT = Contract(
    good=Good(
        FIXED,
        CURVES,
        curve(FRIDAY),
        rows=((date(2024, 1, 5), 10.25),),
        figure=b"10.25",
        days=(FRIDAY.encode(),),
        window=Window(date(2024, 1, 5), date(2024, 1, 5)),
        refused=(
            (b'{"message": "x"}', "got dict"),
            (curve(FRIDAY).replace(b"ettj", b"curva"), "expected the member 'ettj'"),
            (curve(FRIDAY).replace(b"data_referencia", b"data"), "expected the member 'data_referencia'"),
            (curve(FRIDAY).replace(b"vertice_du", b"du"), "expected the fields"),
            (curve(FRIDAY).replace(b"taxa_prefixadas", b"taxa_pre"), "expected the fields"),
            (curve(FRIDAY, "10,25"), "expected a number in 'taxa_prefixadas', got '10,25'"),
            (curve(FRIDAY, True), "expected text or numbers"),
            (curve(MONDAY), "expected rates of 2024-01-05, got those of 2024-01-08"),
            (curve("05/01/2024"), "expected rates of 2024-01-05, got those of 05/01/2024"),
            (curve(FRIDAY).replace(b"252,", b"253,"), "no row of the answer has {'vertice_du': '252'}"),
        ),
        empty=((404, b'{"message":"none"}'), b"[]"),
    ),
    asks=lambda s: (f"{ROOT}/{s.dataset}?data=",),
    statuses={404: None},  # a day without figures
)


def test_curves_are_asked_by_weekday_and_read_by_vertex() -> None:
    client = Replayed({f"{CURVES}?data={FRIDAY}": curve(FRIDAY), f"{CURVES}?data={MONDAY}": curve(MONDAY, 10.5)})
    found = fetched("anbima", [FIXED, REAL], client, WINDOW)
    assert client.asked == [Request(CURVES, (("data", FRIDAY),)), Request(CURVES, (("data", MONDAY),))]
    assert found.failures == {}
    values = {i: g["value"].to_list() for (i,), g in found.observations.group_by("series_id")}
    assert values == {"TOY": [10.25, 10.5], "TOY_REAL": [5.75, 5.75]}


def test_a_bond_is_read_by_its_maturity() -> None:
    body = json.dumps([bond(FRIDAY), bond(FRIDAY, "LTN")]).encode()
    found = fetched("anbima", BOND, {BONDS: body}, Window(date(2024, 1, 5), date(2024, 1, 5)))
    assert found.failures == {}
    assert found.observations.select("observation_date", "value").rows() == [(date(2024, 1, 5), 5.6123)]
