"""Siconfi's budget reports: synthetic answers in the form of the service. No answer of it was recorded."""

from __future__ import annotations

import json
from datetime import date

from macro_assets.catalog import Selector, Series, default_catalog
from macro_assets.sources.protocol import Window
from macro_assets.sources.providers.siconfi import read_items
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Replayed, fetched, toy_series

YEAR = Window(date(2024, 1, 1), date(2024, 12, 31), date(2026, 11, 20))
QUERY = (
    "/rreo?an_exercicio={year}&nr_periodo=6&co_tipo_demonstrativo=RREO&no_anexo=RREO-Anexo%2001&co_esfera=U&id_ente=1"
    "&offset={offset}"
)
ITEM = {
    "exercicio": 2024,
    "periodo": 6,
    "cod_ibge": 1,
    "anexo": "RREO-Anexo 01",
    "coluna": "Até o Bimestre (c)",
    "cod_conta": "Receitas",
    "valor": 12.5,  # synthetic
}


def toy(account: str = "Receitas", **facts: object) -> Series:
    where = {"cod_conta": account, "coluna": "Até o Bimestre (c)"}
    selector = Selector(where=where, date="exercicio", value="valor", meaning="year")
    return toy_series("siconfi", "RREO-Anexo 01", frequency="A", selector=selector, first_year=2019, **facts)


def page(*items: dict[str, object], more: object = False) -> bytes:
    return json.dumps({"items": [ITEM | i for i in items], "hasMore": more, "limit": 5000, "offset": 0}).encode()


CONTRACT = Contract(
    good=Good(
        toy(),
        "/rreo",
        page({}, {"cod_conta": "Despesas", "valor": 7}),
        rows=((date(2024, 1, 1), 12.5),),
        figure=b"12.5",
        days=(b'"exercicio": 2024',),
        window=YEAR,
        refused=(
            (b'{"registros":[]}', "expected the member 'items'"),
            (page(more="no"), "expected 'hasMore' to be bool, got str"),
            (page(more=True), "expected items on a page that is not the last"),
            (page({"valor": "12,5"}), "expected 'valor' to be int or float or NoneType, got str"),
            (page({"exercicio": "24"}), "expected a year in 'exercicio', got '24'"),
            (page({"exercicio": 2023}), "expected 'exercicio' to be '2024' in every item, got '2023'"),
            (page({"periodo": 5}), "expected 'periodo' to be '6' in every item, got '5'"),
            (page({"cod_ibge": 35}), "expected 'cod_ibge' to be '1' in every item, got '35'"),
            (page({}, {"valor": 13}), "expected one row for 2024-01-01, got several"),
            (b'{"items":[{"exercicio":2024}],"hasMore":false}', "expected the fields"),
        ),
    ),
    asks=lambda s: ("/rreo?an_exercicio=2025&", "no_anexo=RREO-Anexo 01&"),
    pages=Pages(
        toy(),
        {
            QUERY.format(year=2024, offset=0): page({"cod_conta": "A"}, {"cod_conta": "B"}, more=True),
            QUERY.format(year=2024, offset=2): page({}),
        },
        rows=((date(2024, 1, 1), 12.5),),
        window=YEAR,
    ),
    recorded=Recorded(
        "siconfi",
        readers={r"/siconfi/tt/+rreo": lambda response: read_items(response)[0]},
        no_series={r"/tt/+(entes|extrato_entregas|anexos-relatorios|rgf|dca|msc)": "not asked for"},
        count=lambda body: len(json.loads(body)["items"]),
        plausible=lambda rows: rows["observation_date"].is_between(date(2013, 1, 1), date(2100, 1, 1)).all(),
    ),
)


def test_accounts_are_told_apart() -> None:
    body = page({}, {"cod_conta": "Despesas", "valor": 7}, {"coluna": "PREVISÃO INICIAL", "valor": 99})
    found = fetched("siconfi", [toy(), toy("Despesas", id="SPENT")], {"/rreo": body}, YEAR)
    assert found.failures == {}
    rows = found.observations.sort("series_id")
    assert rows["value"].to_list() == [7.0, 12.5]
    assert rows["observation_date"].to_list() == [date(2024, 1, 1)] * 2
    assert len(found.responses) == 1


def test_the_open_year_is_not_asked_for() -> None:
    client = Replayed({"/rreo": page()})
    found = fetched("siconfi", toy(), client, Window(today=date(2026, 11, 20)))
    assert [r.target for r in client.asked] == [QUERY.format(year=y, offset=0) for y in range(2019, 2026)]
    assert found.failures == {}
    assert found.observations.is_empty()


def test_a_year_that_began_before_the_window_is_not_asked_for() -> None:
    client = Replayed({"/rreo": page()})
    fetched("siconfi", toy(), client, Window(date(2023, 2, 1), date(2024, 6, 30), date(2026, 11, 20)))
    assert [dict(r.params)["an_exercicio"] for r in client.asked] == ["2024"]


def test_series_of_the_catalog_name_account_and_column() -> None:
    series = default_catalog().series_of("siconfi")
    assert all(s.selector and set(s.selector.where) == {"cod_conta", "coluna"} for s in series)
