"""The central bank's series: synthetic answers in their form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import date, datetime

import pytest

from macro_assets.sources.errors import SchemaError, TransientError
from macro_assets.sources.protocol import Window
from macro_assets.sources.providers.bcb_sgs import read_values
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import (
    Recorded,
    Recording,
    Replayed,
    each_recording,
    explains,
    fetched,
    fixture,
    toy_series,
)

PATH = "/dados/serie/bcdata.sgs.999/dados"
DAILY = toy_series("bcb_sgs", "999", first_year=2020)
MONTHLY = toy_series("bcb_sgs", "999", first_year=2020, frequency="M")
YEARS = Window(date(2023, 1, 1), date(2024, 12, 31), date(2026, 11, 20))
NOTHING = b'{"erro":{"statusCode":404,"detail":"Value(s) not found"}}'


TWO_DAYS = b'[{"data":"02/01/2024","valor":"0.2"},{"data":"03/01/2024","valor":"0.3"}]'


def is_empty(recording: Recording) -> bool:
    """Named an error, but it is how the service says that a span has no figures."""
    if recording.status != 404 or b"Value(s) not found" not in recording.body:
        return False
    assert explains("bcb_sgs")(recording.response) is None
    return read_values(recording.response).is_empty()


CONTRACT = Contract(
    good=Good(
        DAILY,
        PATH,
        TWO_DAYS,
        rows=((date(2024, 1, 2), 0.2), (date(2024, 1, 3), 0.3)),
        figure=b'"0.2"',
        days=(b"02/01/2024", b"03/01/2024"),
        window=YEARS,
        refused=(
            (b"<!DOCTYPE html><title>Requisi\xc3\xa7\xc3\xa3o inv\xc3\xa1lida!</title>", "a page of the gateway"),
            (b'{"data":"02/01/2024","valor":"0.2"}', "expected '' to be list, got dict"),
            (b'"valor"', b'"value"', "expected the fields ['data', 'valor']"),
            (b'["02/01/2024"]', "expected the fields ['data', 'valor']"),
            (b'"0.2"', b"0.2", "expected text in 'data' and 'valor', got 0.2"),
            (b'"0.2"', b'"0,2"', "expected a number in 'valor', got '0,2'"),
            (b"02/01/2024", b"2024-01-02", "expected a date like %d/%m/%Y in 'data', got '2024-01-02'"),
            (b"02/01/2024", b"31/02/2024", "expected a date like %d/%m/%Y in 'data', got '31/02/2024'"),
            (b"03/01/2024", b"02/01/2024", "2024-01-02 twice"),
            ((400, b'{"error":"data"}'), "HTTP 400: the request was refused"),
            ((406, b'{"error":"10 anos"}'), "HTTP 406: the span is longer than the service allows"),
        ),
        empty=((404, NOTHING), b"[]"),
        asked=(f"{PATH}?formato=json&dataInicial=01/01/2023&dataFinal=31/12/2024",),
    ),
    asks=lambda s: (f"/dados/serie/bcdata.sgs.{s.code}/dados?formato=json",),
    errors=((200, b"\n <html>", TransientError), (406, b"{}", SchemaError), (404, NOTHING, None), (200, b"[]", None)),
    pages=Pages(
        toy_series("bcb_sgs", "999", first_year=2010),
        {
            f"{PATH}?formato=json&dataInicial=01/01/2010&dataFinal=31/12/2019": (
                b'[{"data":"31/12/2019","valor":"1.5"}]'
            ),
            f"{PATH}?formato=json&dataInicial=01/01/2020&dataFinal=20/11/2026": (
                b'[{"data":"02/01/2020","valor":"1.6"}]'
            ),
        },
        rows=((date(2019, 12, 31), 1.5), (date(2020, 1, 2), 1.6)),
    ),
    recorded=Recorded(
        "bcb_sgs",
        readers={r"bcdata\.sgs\.\d+/dados": read_values},
        no_series={
            "formato=csv": "the other form of the service, which is not asked for",
            r"^(?!.*bcdata\.sgs\.\d+/dados)": "not the service of figures",
        },
        expected={"1-usd-venda-2024-01.json": 7, "24369-unemployment-2020.json": 60},
        count=lambda body: len(json.loads(body)),
        apart=is_empty,
    ),
)


def test_values_are_read_and_an_empty_one_is_missing() -> None:
    found = fetched("bcb_sgs", MONTHLY, {PATH: fixture("bcb_sgs_month.json")}, YEARS)
    assert found.failures == {}
    assert found.observations["observation_date"].to_list() == [date(2023, 11, 1), date(2023, 12, 1), date(2024, 1, 1)]
    assert found.observations["value"].to_list() == [0.30, -0.45, None]


def test_series_of_periods_are_dated_by_their_first_day() -> None:
    body = b'[{"data":"02/01/2024","datafim":"02/02/2024","valor":"0.5"}]'
    found = fetched("bcb_sgs", DAILY, {PATH: body}, YEARS)
    assert found.observations["observation_date"].to_list() == [date(2024, 1, 2)]


def test_no_request_spans_more_than_ten_years() -> None:
    client = Replayed({PATH: b"[]"})
    old = toy_series("bcb_sgs", "999", first_year=1995)
    fetched("bcb_sgs", old, client, Window(today=date(2026, 11, 20)))
    spans = [dict(r.params) for r in client.asked]
    assert [(s["dataInicial"], s["dataFinal"]) for s in spans] == [
        ("01/01/1995", "31/12/2004"),
        ("01/01/2005", "31/12/2014"),
        ("01/01/2015", "31/12/2024"),
        ("01/01/2025", "20/11/2026"),
    ]


def test_a_month_must_be_dated_its_first_day() -> None:
    found = fetched("bcb_sgs", MONTHLY, {PATH: b'[{"data":"31/01/2024","valor":"0.2"}]'}, YEARS)
    assert "expected the first day of a month (frequency M), 2024-01-01, got 2024-01-31" in found.failures["TOY"]


@each_recording("bcb_sgs")
def test_a_recorded_request_is_the_connectors(recording: Recording) -> None:
    found = re.search(r"bcdata\.sgs\.(\d+)/dados$", recording.url)
    if recording.status != 200 or not found or not {"dataInicial", "dataFinal"} <= set(recording.query):
        pytest.skip("no request of the connector's form")
    asked = [datetime.strptime(recording.query[p], "%d/%m/%Y").date() for p in ("dataInicial", "dataFinal")]
    first, last = asked[0], min(asked[1], date(asked[0].year + 9, 12, 31))
    rows = json.loads(recording.body)
    days = [datetime.strptime(r["data"], "%d/%m/%Y").date() for r in rows]
    monthly = all(d.day == 1 for d in days)
    series = toy_series("bcb_sgs", found[1], frequency="M" if monthly else "D")
    client = Replayed({f"/dados/serie/bcdata.sgs.{found[1]}/dados": recording.body})
    read = fetched("bcb_sgs", series, client, Window(first, last, date(2026, 11, 20)))
    assert read.failures == {}
    assert read.observations.height == len(days)
    if last == asked[1]:
        sent = dict(client.asked[0].params)
        assert [datetime.strptime(sent[p], "%d/%m/%Y").date() for p in ("dataInicial", "dataFinal")] == asked
        assert sent["formato"] == recording.query.get("formato", "json")
