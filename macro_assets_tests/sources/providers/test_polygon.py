"""Polygon's bars: synthetic ones in their form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import pytest

from macro_assets.sources.errors import AuthError, NotFoundError, RateLimitError, SchemaError
from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.providers.polygon import read_bars
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

TOY = toy_series("polygon", "TOY", first_year=2024)
WINDOW = Window(date(2024, 1, 2), date(2024, 7, 31))
FIRST = "/v2/aggs/ticker/TOY/range/1/day/2024-01-02/2024-07-31"
SECOND = "/v2/aggs/ticker/TOY/range/1/day/1704258000001/2024-07-31"
PAGE = fixture("polygon_aggs.json")
LAST = b'{"status":"OK","resultsCount":1,"results":[{"c":110.5,"v":5,"vw":110,"t":1720065600000}]}'
NOW = datetime(2024, 8, 1, tzinfo=UTC)


CONTRACT = Contract(
    good=Good(
        TOY,
        FIRST,
        LAST,
        rows=((date(2024, 7, 4), 110.5),),
        figure=b"110.5",
        days=(b"1720065600000",),
        window=WINDOW,
        refused=(
            (b"[]", "got list"),
            (b'{"results":[]}', "expected the status to be one of"),
            (b'{"status":"OK","resultsCount":3}', "expected the member 'results'"),
            (LAST.replace(b'"c"', b'"close"'), "expected the member 'c'"),
            (LAST.replace(b"110.5", b'"110.5"'), "expected 'c' to be int or float, got str"),
            (LAST.replace(b"110.5", b"null"), "expected 'c' to be int or float, got NoneType"),
            (LAST.replace(b"110.5", b"true"), "expected a number in 'c', got True"),
            (LAST.replace(b"1720065600000", b'"2024-07-04"'), "expected 't' to be int or float, got str"),
            (LAST[:-1] + b',"next_url":"https://api.polygon.io/v3/other"}', "expected a 'next_url' of further bars"),
        ),
        empty=(b'{"ticker":"TOY","queryCount":0,"resultsCount":0,"status":"OK"}',),
    ),
    asks=lambda s: (f"/v2/aggs/ticker/{s.code}/range/1/day/2025-01-01/2026-11-20?",),
    errors=(
        (200, b'{"status":"NOT_AUTHORIZED"}', AuthError),
        (403, b'{"status":"NOT_AUTHORIZED"}', AuthError),
        (200, b'{"status":"NOT_FOUND"}', NotFoundError),
        (200, b'{"status":"ERROR"}', SchemaError),
        (401, b'{"status":"ERROR","error":"Unknown API Key"}', AuthError),
        (429, b'{"status":"ERROR"}', RateLimitError),
        (200, b'{"status":"OK"}', None),
        (200, b"[]", None),
    ),
    pages=Pages(  # the first page names the second, with a key that must not be sent on
        TOY,
        {f"{FIRST}?adjusted=true&sort=asc&limit=50000": PAGE, f"{SECOND}?cursor=c3ludGhldGlj": LAST},
        rows=((date(2024, 1, 2), 100.25), (date(2024, 1, 3), 101.5), (date(2024, 7, 4), 110.5)),
        window=WINDOW,
    ),
    recorded=Recorded(
        "polygon",
        readers={"/v2/aggs/ticker/[^/]+/range/1/day/": read_bars},
        no_series={
            "/v2/aggs/ticker/[^/]+/(prev|range/(?!1/day/))|/v2/aggs/grouped": "bars of other spans, or of all tickers",
            "/v1/(marketstatus|open-close|indicators|related|conversion)|/v2/(snapshot|reference|last)|/v3/": (
                "lists, single quotes, or computed from bars"
            ),
            "/v1/|/vX/|/stocks/|/fed/": "other data sets",
            "^(?!.*/v2/aggs/ticker/)": "no end point with bars",
        },
        expected={"aggs-I_NDX-1d-2023.json": 54, "v2_aggs_ticker_AAPL_range_1_day_2005-04-01_2005-04-04.json": 2},
        count=lambda body: len(json.loads(body).get("results", [])),
        plausible=lambda rows: rows["observation_date"].is_unique().all() and bool((rows["value"] > 0).all()),
    ),
)


def test_a_volume_is_a_series_too() -> None:
    volume = toy_series("polygon", "TOY", dataset="volume", first_year=2024)
    found = fetched("polygon", volume, {FIRST: PAGE, SECOND: LAST}, WINDOW)
    assert found.observations["value"].to_list() == [1200000, 900000, 5]


def test_the_day_of_the_answer_is_left_out() -> None:
    body = PAGE.replace(b"next_url", b"last_url")
    for at, last in (
        (datetime(2024, 1, 3, 23, tzinfo=UTC), date(2024, 1, 2)),
        (datetime(2024, 1, 4, 4, tzinfo=UTC), date(2024, 1, 2)),
        (datetime(2024, 1, 4, 6, tzinfo=UTC), date(2024, 1, 3)),
    ):
        found = fetched("polygon", TOY, Replayed({FIRST: body}, at), WINDOW)
        assert found.observations["observation_date"].max() == last


@pytest.mark.parametrize("ticker", ["C:XXXUSD", "X:XXXUSD"])
def test_a_day_of_a_currency_or_coin_begins_at_midnight_utc(ticker: str) -> None:
    bars = [{"c": c, "t": int(datetime(2024, 1, d, tzinfo=UTC).timestamp()) * 1000} for c, d in ((1.5, 6), (2.5, 7))]
    body = json.dumps({"ticker": ticker, "status": "OK", "resultsCount": 2, "results": bars}).encode()
    for at, rows in (
        (datetime(2024, 1, 7, 23, tzinfo=UTC), [(date(2024, 1, 6), 1.5)]),
        (datetime(2024, 1, 8, 1, tzinfo=UTC), [(date(2024, 1, 6), 1.5), (date(2024, 1, 7), 2.5)]),
    ):
        assert read_bars(Response("GET /x", body, at)).rows() == rows


def test_a_column_nobody_knows_is_refused() -> None:
    odd = toy_series("polygon", "TOY", dataset="open", first_year=2024)
    assert "expected `dataset` to be one of" in fetched("polygon", odd, {FIRST: PAGE}, WINDOW).failures["TOY"]


@each_recording("polygon")
def test_recorded_bars_go_through_the_connector(recording: Recording) -> None:
    parts = recording.url.rpartition("/v2/aggs/ticker/")[2].split("/")  # of either host: the service was renamed
    days = parts[1:4] == ["range", "1", "day"] and all(re.fullmatch(r"\d{4}-\d\d-\d\d", p) for p in parts[4:6])
    if recording.status != 200 or not days or b'"next_url"' in recording.body:
        return  # not a question that the connector asks, or a page of several
    window = Window(date.fromisoformat(parts[4]), date.fromisoformat(parts[5]))
    path = urlsplit(recording.url).path
    found = fetched("polygon", toy_series("polygon", parts[0]), {path: recording.body}, window)
    assert found.failures == {}
    assert found.observations.height == len(json.loads(recording.body).get("results", []))
