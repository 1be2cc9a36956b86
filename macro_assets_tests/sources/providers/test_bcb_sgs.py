"""The central bank's series: synthetic answers in their form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import date, datetime

import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.errors import RateLimitError, SchemaError, TransientError
from macro_assets.sources.protocol import Window
from macro_assets.sources.providers import bcb_sgs
from macro_assets.sources.providers.bcb_sgs import read_values
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

PATH = "/dados/serie/bcdata.sgs.999/dados"
DAILY = toy_series("bcb_sgs", "999", first_year=2020)
MONTHLY = toy_series("bcb_sgs", "999", first_year=2020, frequency="M")
YEARS = Window(date(2023, 1, 1), date(2024, 12, 31), date(2026, 11, 20))
NOTHING = b'{"erro":{"statusCode":404,"detail":"Value(s) not found"}}'


def test_values_are_read_and_an_empty_one_is_missing() -> None:
    found = fetched("bcb_sgs", MONTHLY, {PATH: fixture("bcb_sgs_month.json")}, YEARS)
    assert found.failures == {}
    assert found.observations["observation_date"].to_list() == [
        date(2023, 11, 1),
        date(2023, 12, 1),
        date(2024, 1, 1),
    ]
    assert found.observations["value"].to_list() == [0.30, -0.45, None]


def test_series_of_periods_are_dated_by_their_first_day() -> None:
    body = b'[{"data":"02/01/2024","datafim":"02/02/2024","valor":"0.5"}]'
    found = fetched("bcb_sgs", DAILY, {PATH: body}, YEARS)
    assert found.observations["observation_date"].to_list() == [date(2024, 1, 2)]


def test_what_is_asked_for() -> None:
    client = Replayed({PATH: b"[]"})
    fetched("bcb_sgs", DAILY, client, Window(date(2024, 1, 2), date(2024, 1, 10), date(2026, 11, 20)))
    assert [r.target for r in client.asked] == [
        f"{PATH}?formato=json&dataInicial=02/01/2024&dataFinal=10/01/2024",
    ]


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


def test_pieces_are_put_together() -> None:
    first = f"{PATH}?formato=json&dataInicial=01/01/2010&dataFinal=31/12/2019"
    second = f"{PATH}?formato=json&dataInicial=01/01/2020&dataFinal=20/11/2026"
    bodies = {
        first: b'[{"data":"31/12/2019","valor":"1.5"}]',
        second: b'[{"data":"02/01/2020","valor":"1.6"}]',
    }
    series = toy_series("bcb_sgs", "999", first_year=2010)
    found = fetched("bcb_sgs", series, bodies, Window(today=date(2026, 11, 20)))
    assert found.observations["value"].to_list() == [1.5, 1.6]
    assert len(found.responses) == 2


def test_a_window_after_the_last_day_asks_nothing() -> None:
    client = Replayed({})
    found = fetched("bcb_sgs", DAILY, client, Window(date(2030, 1, 1), None, date(2026, 11, 20)))
    assert client.asked == []
    assert found.failures == {}


@pytest.mark.parametrize("body", [(404, NOTHING), (200, b"[]")])
def test_no_value_in_the_span_is_no_error(body: tuple[int, bytes]) -> None:
    found = fetched("bcb_sgs", DAILY, {PATH: body}, YEARS)
    assert found.failures == {}
    assert found.observations.is_empty()
    assert len(found.responses) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty body"),
        (b"<!DOCTYPE html><title>Requisi\xc3\xa7\xc3\xa3o inv\xc3\xa1lida!</title>", "a page of the gateway"),
        (b'[{"data":"02/01/2024","valor":"0.2"', "expected JSON"),
        (b'{"data":"02/01/2024","valor":"0.2"}', "expected '' to be list, got dict"),
        (b'[{"data":"02/01/2024","value":"0.2"}]', "expected the fields ['data', 'valor']"),
        (b'["02/01/2024"]', "expected the fields ['data', 'valor']"),
        (b'[{"data":"02/01/2024","valor":0.2}]', "expected text in 'data' and 'valor', got 0.2"),
        (b'[{"data":"02/01/2024","valor":"0,2"}]', "expected a number in 'valor', got '0,2'"),
        (b'[{"data":"02/01/2024","valor":"NaN"}]', "expected a number in 'valor', got 'NaN'"),
        (b'[{"data":"2024-01-02","valor":"0.2"}]', "expected a date like %d/%m/%Y in 'data', got '2024-01-02'"),
        (b'[{"data":"31/02/2024","valor":"0.2"}]', "expected a date like %d/%m/%Y in 'data', got '31/02/2024'"),
        (b'[{"data":"02/01/2024","valor":"1"},{"data":"02/01/2024","valor":"1"}]', "2024-01-02 twice"),
        ((400, b'{"error":"data"}'), "HTTP 400: the request was refused"),
        ((404, b"nothing here"), "HTTP 404: not found"),
        ((406, b'{"error":"10 anos"}'), "HTTP 406: the span is longer than the service allows"),
        ((504, b"<html>Gateway</html>"), "HTTP 504: the provider failed"),
    ],
)
def test_a_bad_answer_is_refused(body: bytes | tuple[int, bytes], says: str) -> None:
    found = fetched("bcb_sgs", DAILY, {PATH: body}, YEARS)
    assert found.observations.is_empty()
    assert says in found.failures["TOY"], found.failures
    assert "series TOY of source bcb_sgs" in found.failures["TOY"]


def test_a_month_must_be_dated_its_first_day() -> None:
    found = fetched("bcb_sgs", MONTHLY, {PATH: b'[{"data":"31/01/2024","valor":"0.2"}]'}, YEARS)
    assert "expected the first day of a period (frequency M) in 'data', got 2024-01-31" in found.failures["TOY"]


def test_kinds_of_errors() -> None:
    explain = explains("bcb_sgs")

    def error(status: int, body: bytes) -> object:
        return explain(Replayed({"/x": (status, body)}).get(bcb_sgs.Request("/x")))

    assert isinstance(error(200, b"\n <html>"), TransientError)
    assert isinstance(error(406, b"{}"), SchemaError)
    assert isinstance(error(429, b""), RateLimitError)
    assert error(404, NOTHING) is None
    assert error(200, b"[]") is None


@pytest.mark.parametrize("series", default_catalog().series_of("bcb_sgs"), ids=lambda s: s.id)
def test_every_series_of_the_catalog_asks_for_itself(series: object) -> None:
    (ask,) = bcb_sgs.plan([series], Window(today=date(2026, 11, 20)))  # type: ignore[list-item]
    request = next(ask.steps)
    assert re.fullmatch(r"/dados/serie/bcdata\.sgs\.[1-9]\d*/dados", request.path)
    asked = dict(request.params)
    assert asked["formato"] == "json"
    first, last = (datetime.strptime(asked[p], "%d/%m/%Y").date() for p in ("dataInicial", "dataFinal"))
    assert date(first.year + 10, first.month, first.day) > last > first


@each_recording("bcb_sgs")
def test_a_recording_is_read(recording: Recording) -> None:
    if recording.status == 404 and b"Value(s) not found" in recording.body:
        # Named an error, but it is how the service says that a span has no figures.
        assert explains("bcb_sgs")(recording.response) is None
        assert read_values(recording.response).is_empty()
        return
    check_recording(
        recording,
        readers={r"bcdata\.sgs\.\d+/dados": read_values},
        no_series={
            "formato=csv": "the other form of the service, which is not asked for",
            r"^(?!.*bcdata\.sgs\.\d+/dados)": "not the service of figures",
        },
        expected={"1-usd-venda-2024-01.json": 7, "24369-unemployment-2020.json": 60},
        count=lambda body: len(json.loads(body)),
        plausible=lambda rows: rows["observation_date"].is_unique().all(),
        explain=explains("bcb_sgs"),
    )


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
    assert read.observations.height == sum(first <= d <= last for d in days)
    if last == asked[1]:
        sent = dict(client.asked[0].params)
        assert [datetime.strptime(sent[p], "%d/%m/%Y").date() for p in ("dataInicial", "dataFinal")] == asked
        assert sent["formato"] == recording.query.get("formato", "json")
