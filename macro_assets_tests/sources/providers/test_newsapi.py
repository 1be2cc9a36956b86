"""News API's counts: made-up (synthetic) ones in their form, and the recorded ones."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.errors import AuthError, RateLimitError, SchemaError, SourceError
from macro_assets.sources.protocol import Response, Window, connector
from macro_assets.sources.providers.newsapi import explain, read_count
from macro_assets_tests.sources.wire import (
    Recording,
    Replayed,
    check_recording,
    each_recording,
    explains,
    fetched,
    toy_series,
)

PATH = "/v2/everything"
TOY = toy_series("newsapi", "toy trains", first_year=2024)
TODAY = date(2024, 3, 10)
ANSWER = b'{"status":"ok","totalResults":7,"articles":[{"title":"Synthetic","publishedAt":"2024-03-07T10:00:00Z"}]}'


def test_every_day_is_a_question_and_its_count_an_observation() -> None:
    client = Replayed({PATH: ANSWER})
    found = fetched("newsapi", TOY, client, Window(date(2024, 3, 6), date(2024, 3, 7), today=TODAY))
    assert found.failures == {}
    assert found.observations["observation_date"].to_list() == [date(2024, 3, 6), date(2024, 3, 7)]
    assert found.observations["value"].to_list() == [7, 7]
    assert client.asked[0].path == PATH
    assert client.asked[0].params == (
        ("q", "toy trains"),
        ("language", "en"),
        ("from", "2024-03-06T00:00:00"),
        ("to", "2024-03-06T23:59:59"),
        ("sortBy", "publishedAt"),
        ("pageSize", "100"),
    )


def test_only_what_the_free_plan_has_is_asked_for() -> None:
    client = Replayed({PATH: ANSWER})
    fetched("newsapi", TOY, client, Window(today=TODAY))
    days = [dict(r.params)["from"][:10] for r in client.asked]
    assert (days[0], days[-1], len(days)) == ("2024-02-10", "2024-03-08", 28)
    past = Replayed({PATH: ANSWER})
    found = fetched("newsapi", TOY, past, Window(date(2024, 1, 1), date(2024, 1, 31), today=TODAY))
    assert past.asked == []
    assert found.failures == {}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty body"),
        (b"<html>Sorry</html>", "page of HTML"),
        (ANSWER[:40], "expected JSON"),
        (b'{"totalResults":7,"articles":[]}', "expected the status 'ok', got None"),
        (b'{"status":"ok","articles":[]}', "expected the member 'totalResults'"),
        (b'{"status":"ok","totalResults":7}', "expected the member 'articles'"),
        (b'{"status":"ok","totalResults":"7","articles":[]}', "expected 'totalResults' to be int, got str"),
        (b'{"status":"ok","totalResults":null,"articles":[]}', "expected 'totalResults' to be int"),
        (b'{"status":"ok","totalResults":true,"articles":[]}', "expected 'totalResults' to be int, got bool"),
        ((426, b'{"status":"error","code":"maximumResultsReached","message":"x"}'), "HTTP 426"),
        ((500, b'{"status":"error","code":"unexpectedError","message":"x"}'), "HTTP 500: the provider failed"),
    ],
)
def test_a_bad_answer_is_refused(body: bytes | tuple[int, bytes], says: str) -> None:
    found = fetched("newsapi", TOY, {PATH: body}, Window(date(2024, 3, 7), date(2024, 3, 7), today=TODAY))
    assert found.observations.is_empty()
    assert says in found.failures["TOY"], found.failures


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "apiKeyInvalid", AuthError),
        (401, "apiKeyExhausted", RateLimitError),
        (429, "rateLimited", RateLimitError),
        (200, "rateLimited", RateLimitError),
        (200, "parameterInvalid", SchemaError),
        (400, "parameterInvalid", SchemaError),
    ],
)
def test_errors_have_their_kind(status: int, code: str, kind: type[SourceError]) -> None:
    body = json.dumps({"status": "error", "code": code, "message": "x"}).encode()
    assert type(explain(Response("GET /x", body, datetime(2024, 3, 10, tzinfo=UTC), status))) is kind


def test_every_series_of_the_catalog_is_asked_for_within_the_free_quota() -> None:
    catalog = default_catalog()
    series = catalog.series_of("newsapi")
    client = Replayed({PATH: ANSWER})
    found = fetched("newsapi", series, client, Window(today=date(2026, 11, 20)))
    assert found.failures == {}
    assert {dict(r.params)["q"] for r in client.asked} == {s.code for s in series}
    assert len(client.asked) < 100
    assert all(ask.series for ask in connector(catalog.sources["newsapi"]).plan(series, Window()))


@each_recording("newsapi")
def test_a_recording_is_read(recording: Recording) -> None:
    check_recording(
        recording,
        readers={"/v2/everything": lambda r: read_count(r, date(2017, 12, 1))},
        no_series={
            "/sources": "a list of sources",
            "/top-headlines|/v1/": "headlines of the moment",
            "^(?!.*/v2/everything)": "no end point that counts articles",
        },
        expected={"everything.json": 1},
        count=lambda body: 1,
        plausible=lambda rows: bool((rows["value"] >= 0).all()),
        explain=explains("newsapi"),
    )
