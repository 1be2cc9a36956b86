"""The Treasury's monthly result: synthetic answers in the form of the service. No answer of it was recorded."""

from __future__ import annotations

import json
from datetime import date

import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.protocol import Window
from macro_assets.sources.providers import tesouro_nacional
from macro_assets.sources.providers.tesouro_nacional import read_results
from macro_assets_tests.sources.wire import (
    Recording,
    Replayed,
    check_recording,
    each_recording,
    explains,
    fetched,
    fixture,
    toy_series,
)

PATH = "/v1/series-temporais/custom/resultado-fiscal"
TOY = toy_series("tesouro_nacional", "10.04.1", frequency="M", first_year=1997)
YEAR = Window(date(2024, 1, 1), date(2024, 12, 31), date(2026, 11, 20))


def page(*rows: tuple[str, object], **facts: object) -> bytes:
    listed = [{"data": f"{day}T00:00:00.000Z", "valor": value, "codigoSerie": "10.04.1"} for day, value in rows]
    return json.dumps({"registros": listed, "page": 1, "pageSize": 1000, "status": "ok", **facts}).encode()


def test_only_the_series_rows_count() -> None:
    found = fetched("tesouro_nacional", TOY, {PATH: fixture("tesouro_nacional_page.json")}, YEAR)
    assert found.failures == {}
    rows = found.observations.sort("observation_date")
    assert rows["observation_date"].to_list() == [date(2024, 1, 1), date(2024, 2, 1)]
    assert rows["value"].to_list() == [900.0, -1500.25]


def test_what_is_asked_for() -> None:
    client = Replayed({PATH: page()})
    found = fetched("tesouro_nacional", TOY, client, YEAR)
    assert [r.target for r in client.asked] == [
        f"{PATH}?tema=10&codigo_da_serie=10.04.1&data_inicio=01/2024&data_fim=12/2024&pageSize=1000&page=1"
    ]
    assert found.failures == {}
    assert found.observations.is_empty()


def test_a_full_page_is_not_the_last() -> None:
    months = [f"{1900 + n // 12}-{n % 12 + 1:02d}-01" for n in range(1001)]
    first = f"{PATH}?tema=10&codigo_da_serie=10.04.1&data_inicio=01/1997&data_fim=11/2026&pageSize=1000&page=1"
    client = Replayed(
        {
            first: page(*((m, 1.0) for m in months[:1000])),
            first[:-1] + "2": page((months[1000], 2.0)),
        }
    )
    found = fetched("tesouro_nacional", TOY, client, Window(today=date(2026, 11, 20)))
    assert found.failures == {}
    assert found.observations.height == 1001
    assert len(client.asked) == 2


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty body"),
        (b"<html></html>", "page of HTML"),
        (b'{"items":[]}', "expected the member 'status'"),
        (page(status="error"), "expected 'status' to be 'ok'"),
        (page(pageSize=50), "expected pages of 1000 rows, 'pageSize' is 50"),
        (page(registros={}), "expected 'registros' to be list, got dict"),
        (page(("2024-01-01", "900")), "expected 'valor' to be int or float or NoneType, got str"),
        (page(("01/2024", 900)), "expected a date like %Y-%m-%d in 'data'"),
        (page(("2024-01-31", 900)), "expected the first day of a month in 'data', got 2024-01-31"),
        (b'{"registros":[{"data":"2024-01-01","valor":1}],"pageSize":1000,"status":"ok"}', "expected the fields"),
        (page(("2024-01-01", 1)).replace(b"10.04.1", b"10.05.1"), "has rows, but none of '10.04.1'"),
        ((401, b""), "HTTP 401: access was refused"),
        ((503, b""), "HTTP 503: the provider failed"),
    ],
)
def test_a_bad_answer_is_refused(body: bytes | tuple[int, bytes], says: str) -> None:
    found = fetched("tesouro_nacional", TOY, {PATH: body}, YEAR)
    assert found.observations.is_empty()
    assert says in found.failures["TOY"], found.failures


def test_every_series_of_the_catalog_asks_for_itself() -> None:
    for one in default_catalog().series_of("tesouro_nacional"):
        (ask,) = tesouro_nacional.plan([one], Window(today=date(2026, 11, 20)))
        asked = dict(next(ask.steps).params)
        assert asked["codigo_da_serie"] == one.code
        assert asked["tema"] == "10"
        assert (asked["data_inicio"], asked["data_fim"]) == ("01/1997", "11/2026")


@each_recording("tesouro_nacional")
def test_a_recording_is_read(recording: Recording) -> None:
    check_recording(
        recording,
        readers={r"custom/resultado-fiscal": read_results},
        no_series={
            r"custom/series": "the list of series",
            r"/ords/|/ckan/": "accounts of single governments and the catalogue of files, which are not asked for",
        },
        expected={},
        count=lambda body: body.count(b'"valor"'),
        plausible=lambda rows: rows["observation_date"].is_between(date(1994, 1, 1), date(2100, 1, 1)).all(),
        explain=explains("tesouro_nacional"),
    )
