"""CoinGecko's charts and totals: synthetic ones in their form, and the recorded ones."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from macro_assets.catalog import default_catalog
from macro_assets.quality.answers import empty
from macro_assets.sources.bodies import read_json
from macro_assets.sources.errors import AuthError, NotFoundError, RateLimitError, SchemaError
from macro_assets.sources.protocol import Request, Window
from macro_assets.sources.providers.coingecko import GLOBAL, read_global, read_points
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

PATH = "/coins/toycoin/market_chart"
TOY = toy_series("coingecko", "toycoin", dataset="prices")
CHART = fixture("coingecko_market_chart.json")
UPDATED = datetime(2024, 1, 3, 16, 40, tzinfo=UTC)
MARKET = {"total_market_cap": {"usd": 1.6e12, "btc": 4e7}, "market_cap_percentage": {"btc": 50.5}, "updated_at": 0}


def points(*pairs: Any) -> bytes:
    return json.dumps({"prices": list(pairs)}).encode()


def market(**changes: Any) -> bytes:
    data = {**MARKET, "updated_at": int(UPDATED.timestamp()), **changes}
    return json.dumps({"data": {k: v for k, v in data.items() if v is not None}}).encode()


def midnights(body: bytes) -> int:
    """Days of which a point lies in the first hour, the last point left out."""
    return len({ms // 86_400_000 for ms, _ in json.loads(body)["prices"][:-1] if ms % 86_400_000 < 3_600_000})


def said(code: int) -> bytes:
    return json.dumps({"status": {"error_code": code, "error_message": "x"}}).encode()


CONTRACT = Contract(
    good=Good(
        TOY,
        PATH,
        CHART,
        rows=((date(2024, 1, 1), 42000.5), (date(2024, 1, 2), 43100.25), (date(2024, 1, 3), 42950.0)),
        figure=b"42000.5",
        days=(b"1704067200000",),
        refused=(
            (b'{"price":[]}', "expected the member 'prices'"),
            (b'{"prices":{}}', "expected 'prices' to be list, got dict"),
            (points([1704067200000, "42000"]), "expected a number in 'prices', got '42000'"),
            (points([1704067200000, 1, 2]), "expected points [milliseconds, value] in 'prices'"),
            (points({"t": 1704067200000}), "expected points [milliseconds, value] in 'prices'"),
            (points(["2024-01-01", 1]), "expected a number in 'prices time', got '2024-01-01'"),
            (points([None, 1]), "expected a time in 'prices', got null"),
            (points(*[[1704110400000 + d * 86_400_000, 1] for d in range(9)]), "expected points at 00:00 UTC"),
            ((422, b'{"error":"Missing parameter days"}'), "HTTP 422: the request was refused"),
            ((429, b'{"status":{"error_code":429,"error_message":"slower"}}'), "asked too often: 'slower'"),
            (b'{"status":{"error_code":429,"error_message":"slower"}}', "asked too often: 'slower'"),
            (b'{"error":"something"}', "CoinGecko says None"),
        ),
        empty=(points(),),
    ),
    more=(
        Good(
            toy_series("coingecko", "global", dataset="total_market_cap.usd"),
            "/global",
            market(),
            rows=((UPDATED.date(), 1.6e12),),
            figure=b"1600000000000.0",
            days=(b"%d" % UPDATED.timestamp(),),
            refused=(
                (b'{"status":"ok"}', "expected the member 'data'"),
                (market(updated_at=None), "expected the member 'updated_at'"),
                (market(updated_at="2024-01-03"), "expected 'updated_at' to be int, got str"),
                (market(total_market_cap={"usd": "1"}), "expected a number in 'total_market_cap.usd', got '1'"),
                (market(total_market_cap={"usd": True}), "expected a number in 'total_market_cap.usd', got True"),
            ),
        ),
    ),
    asks=lambda s: ("/global" if s.code == GLOBAL else f"/coins/{s.code}/market_chart?",),
    errors=(
        (429, said(429), RateLimitError),
        (200, said(429), RateLimitError),
        (401, said(10002), AuthError),
        (400, b'{"error_code":10010,"status":{"error_code":10010,"error_message":"x"}}', AuthError),
        (401, b'{"error":{"status":{"error_code":10005,"error_message":"x"}}}', AuthError),
        (401, b'{"error":{"status":{"error_code":10012,"error_message":"x"}}}', SchemaError),
        (200, said(500), SchemaError),
        (404, b'{"error":"coin not found"}', NotFoundError),
        (422, b'{"error":"Missing parameter vs_currency"}', SchemaError),
        (200, CHART, None),
        (200, market(), None),
    ),
    recorded=Recorded(
        "coingecko",
        readers={
            "/market_chart": lambda r: read_points(read_json(r), "prices"),
            r"/global\?": lambda r: read_global(read_json(r), "total_market_cap.usd"),
        },
        no_series={
            "/simple/": "quotes of the moment",
            "/history": "one day's figures, whose date is in the question alone",
            "/ohlc": "candles of hours",
            "/global/decentralized_finance_defi": "figures without a time",
            r"/coins/(markets|list|[^/]+/tickers|[^/?]+\?)": "quotes of the moment and descriptions",
            "/(exchanges|exchange_rates|search|ping|derivatives|asset_platforms|companies|indexes|nfts|token_lists)": (
                "lists, quotes of the moment, or volumes of single exchanges"
            ),
            r"/contract/(?!.*market_chart)": "a token's description",
            "/(categories|onchain|finance_platforms|finance_products|status_updates|events|key)": "no series",
            "/(nfts/.*market_chart|global/market_cap_chart|circulating_supply_chart|total_supply_chart)": (
                "charts for paying customers, of other members"
            ),
            r"^(?!.*(/market_chart|/global\?))": "no end point with a coin's prices or the totals",
        },
        expected={"market-chart-hourly.json": 30, "market-chart-minutely.json": 1, "global.json": 1},
        count=lambda body: midnights(body) if b'"prices"' in body else 1,
        plausible=lambda rows: rows["observation_date"].is_unique().all() and bool((rows["value"] > 0).all()),
    ),
)


def test_a_last_point_at_midnight_is_a_daily_one() -> None:
    found = fetched("coingecko", TOY, {PATH: points([1704067200000, 1], [1704153600000, 2])})
    assert found.observations["value"].to_list() == [1, 2]


def test_of_finer_points_the_first_of_each_day_is_taken() -> None:
    hours = [[1704067200000 + 500_000 + h * 3_600_000, h] for h in range(50)]
    found = fetched("coingecko", TOY, {PATH: points(*hours)})
    assert found.observations["value"].to_list() == [0, 24, 48]


def test_a_coin_is_asked_once_and_the_same_whatever_the_window() -> None:
    several = [
        TOY,
        toy_series("coingecko", "toycoin", id="TOY_CAP", dataset="market_caps"),
        toy_series("coingecko", "toycoin", id="TOY_VOLUME", dataset="total_volumes"),
        toy_series("coingecko", "toycoin", id="TOY_WRONG", dataset="supply"),
    ]
    client = Replayed({PATH: CHART})
    found = fetched("coingecko", several, client, Window(date(2024, 1, 2), date(2024, 1, 3)))
    assert client.asked == [Request(PATH, (("vs_currency", "usd"), ("days", "365"), ("interval", "daily")))]
    values = {i: g["value"].to_list()[1:] for (i,), g in found.observations.group_by("series_id", maintain_order=True)}
    assert values == {
        "TOY": [43100.25, 42950.0],
        "TOY_CAP": [844000000000.25, None],
        "TOY_VOLUME": [18000000000.0, 35000000000.0],
    }
    assert list(found.failures) == ["TOY_WRONG"]
    assert "expected the member 'supply'" in found.failures["TOY_WRONG"]


def test_no_total_in_a_past_window_is_no_error() -> None:
    momentary = [s for s in default_catalog().series_of("coingecko") if s.code == GLOBAL]
    assert momentary
    assert default_catalog().sources["coingecko"].rolling
    past = (date(2028, 1, 1), date(2028, 12, 31), date(2030, 1, 1))
    assert all(empty(pl.DataFrame(), s, *past) is None for s in momentary)
    rhythmic = momentary[0].model_copy(update={"irregular": False})
    assert empty(pl.DataFrame(), rhythmic, *past) is not None


def test_totals_are_asked_once_and_have_the_time_coingecko_states() -> None:
    several = [
        toy_series("coingecko", "global", dataset="total_market_cap.usd"),
        toy_series("coingecko", "global", id="TOY_SHARE", dataset="market_cap_percentage.btc"),
        toy_series("coingecko", "global", id="TOY_WRONG", dataset="total_market_cap.toy"),
    ]
    client = Replayed({"/global": market()})
    found = fetched("coingecko", several, client)
    assert client.asked == [Request("/global")]
    assert found.observations["observation_date"].to_list() == [UPDATED.date()] * 2
    assert found.observations["value"].to_list() == [1.6e12, 50.5]
    assert found.observations["release_time"].to_list() == [UPDATED] * 2
    assert found.observations["release_basis"].unique().to_list() == ["provider"]
    assert "expected the member 'total_market_cap.toy'" in found.failures["TOY_WRONG"]


@each_recording("coingecko")
def test_a_recorded_total_goes_through_the_connector(recording: Recording) -> None:
    if recording.status != 200 or not recording.url.endswith("/api/v3/global"):
        return  # not a question that the connector asks
    series = toy_series("coingecko", "global", dataset="market_cap_percentage.btc")
    found = fetched("coingecko", series, {"/global": recording.body}, Window(today=date(2026, 11, 20)))
    assert found.failures == {}
    assert 5 < found.observations["value"][0] < 100
