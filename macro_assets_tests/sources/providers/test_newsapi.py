"""News API's counts: made-up (synthetic) ones in their form, and the recorded ones."""

from __future__ import annotations

import json
from datetime import date

from macro_assets.catalog import default_catalog
from macro_assets.sources.errors import AuthError, RateLimitError, SchemaError, TransientError
from macro_assets.sources.protocol import Window
from macro_assets.sources.providers.newsapi import read_count
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Recorded, Replayed, fetched, toy_series

PATH = "/v2/everything"
TOY = toy_series("newsapi", "toy trains", first_year=2024)
TODAY = date(2024, 3, 10)
ANSWER = b'{"status":"ok","totalResults":7,"articles":[{"title":"Synthetic"}]}'


def said(code: str) -> bytes:
    return json.dumps({"status": "error", "code": code, "message": "x"}).encode()


CONTRACT = Contract(
    good=Good(
        TOY,
        PATH,
        ANSWER,
        rows=((date(2024, 3, 7), 7),),
        figure=b"7,",
        window=Window(date(2024, 3, 7), date(2024, 3, 7), today=TODAY),
        refused=(
            (b'{"totalResults":7,"articles":[]}', "expected the status 'ok', got None"),
            (b'{"status":"ok","articles":[]}', "expected the member 'totalResults'"),
            (b'{"status":"ok","totalResults":7}', "expected the member 'articles'"),
            (b'{"status":"ok","totalResults":"7","articles":[]}', "expected 'totalResults' to be int, got str"),
            (b'{"status":"ok","totalResults":null,"articles":[]}', "expected 'totalResults' to be int"),
            (b'{"status":"ok","totalResults":true,"articles":[]}', "expected 'totalResults' to be int, got bool"),
            ((426, b'{"status":"error","code":"maximumResultsReached","message":"x"}'), "HTTP 426"),
        ),
    ),
    asks=lambda s: (f"?q={s.code}&",),
    errors=(
        (401, said("apiKeyInvalid"), AuthError),
        (401, said("apiKeyExhausted"), RateLimitError),
        (429, said("rateLimited"), RateLimitError),
        (200, said("rateLimited"), RateLimitError),
        (200, said("parameterInvalid"), SchemaError),
        (400, said("parameterInvalid"), SchemaError),
        (500, said("unexpectedError"), TransientError),
    ),
    recorded=Recorded(
        "newsapi",
        readers={"/v2/everything": lambda r: read_count(r, date(2017, 12, 1))},
        no_series={
            "/sources": "a list of sources",
            "/top-headlines|/v1/": "headlines of the moment",
            "^(?!.*/v2/everything)": "no end point that counts articles",
        },
        expected={"everything.json": 1},
        count=lambda body: 1,
        plausible=lambda rows: bool((rows["value"] >= 0).all()),
    ),
)


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


def test_every_series_of_the_catalog_is_asked_for_within_the_free_quota() -> None:
    catalog = default_catalog()
    series = catalog.series_of("newsapi")
    client = Replayed({PATH: ANSWER})
    found = fetched("newsapi", series, client, Window(today=date(2026, 11, 20)))
    assert found.failures == {}
    assert len(client.asked) < 100
