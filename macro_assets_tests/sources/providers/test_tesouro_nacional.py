"""The Treasury's monthly result: synthetic answers in the form of the service. No answer of it was recorded."""

from __future__ import annotations

import json
from datetime import date

from macro_assets.sources.protocol import Window
from macro_assets.sources.providers.tesouro_nacional import read_results
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, fetched, fixture, toy_series

PATH = "/v1/series-temporais/custom/resultado-fiscal"
TOY = toy_series("tesouro_nacional", "10.04.1", frequency="M", first_year=1997)
YEAR = Window(date(2024, 1, 1), date(2024, 12, 31), date(2026, 11, 20))


def page(*rows: tuple[str, object], **facts: object) -> bytes:
    listed = [{"data": f"{day}T00:00:00.000Z", "valor": value, "codigoSerie": "10.04.1"} for day, value in rows]
    return json.dumps({"registros": listed, "page": 1, "pageSize": 1000, "status": "ok", **facts}).encode()


def target(number: int) -> str:
    return f"{PATH}?tema=10&codigo_da_serie=10.04.1&data_inicio=01/1997&data_fim=11/2026&pageSize=1000&page={number}"


MONTHS = [date(1900 + n // 12, n % 12 + 1, 1) for n in range(1001)]
CONTRACT = Contract(
    good=Good(
        TOY,
        PATH,
        fixture("tesouro_nacional_page.json"),
        rows=((date(2024, 1, 1), 900.0), (date(2024, 2, 1), -1500.25)),
        figure=b"-1500.25",
        missing=(b"null",),
        days=(b"2024-02-01", b"2024-01-01"),
        window=YEAR,
        refused=(
            (b'{"items":[]}', "expected the member 'status'"),
            (page(status="error"), "expected 'status' to be 'ok'"),
            (page(pageSize=50), "expected pages of 1000 rows, 'pageSize' is 50"),
            (page(registros={}), "expected 'registros' to be list, got dict"),
            (page(("2024-01-01", "900")), "expected 'valor' to be int or float or NoneType, got str"),
            (page(("01/2024", 900)), "expected a date like %Y-%m-%d in 'data'"),
            (page(("2024-01-31", 900)), "expected the first day of a month (frequency M), 2024-01-01, got 2024-01-31"),
            (b'{"registros":[{"data":"2024-01-01","valor":1}],"pageSize":1000,"status":"ok"}', "expected the fields"),
            (page(("2024-01-01", 1)).replace(b"10.04.1", b"10.05.1"), "has rows, but none of '10.04.1'"),
        ),
        empty=(page(),),
        asked=(f"{PATH}?tema=10&codigo_da_serie=10.04.1&data_inicio=01/2024&data_fim=12/2024&pageSize=1000&page=1",),
    ),
    asks=lambda s: (f"?tema=10&codigo_da_serie={s.code}&data_inicio=01/2025&data_fim=11/2026&",),
    pages=Pages(
        TOY,
        {target(1): page(*((str(m), 1.0) for m in MONTHS[:1000])), target(2): page((str(MONTHS[1000]), 2.0))},
        rows=(*((m, 1.0) for m in MONTHS[:1000]), (MONTHS[1000], 2.0)),
    ),
    recorded=Recorded(
        "tesouro_nacional",
        readers={r"custom/resultado-fiscal": read_results},
        no_series={
            r"custom/series": "the list of series",
            r"/ords/|/ckan/": "accounts of single governments and the catalogue of files, which are not asked for",
        },
        count=lambda body: body.count(b'"valor"'),
        plausible=lambda rows: rows["observation_date"].is_between(date(1994, 1, 1), date(2100, 1, 1)).all(),
    ),
)


def test_only_the_series_rows_count() -> None:
    found = fetched("tesouro_nacional", TOY, {PATH: fixture("tesouro_nacional_page.json")}, YEAR)
    assert found.failures == {}
    rows = found.observations.sort("observation_date")
    assert rows["observation_date"].to_list() == [date(2024, 1, 1), date(2024, 2, 1)]
    assert rows["value"].to_list() == [900.0, -1500.25]
