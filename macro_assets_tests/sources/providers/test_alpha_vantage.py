"""Alpha Vantage's answers: synthetic ones in their form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.errors import AuthError, NotFoundError, RateLimitError
from macro_assets.sources.http import HttpClient
from macro_assets.sources.protocol import Request, Window, connector
from macro_assets.sources.providers.alpha_vantage import explain, read_figures, read_prices
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Reader, Recorded, Recording, fetched, fixture, toy_series

PATH = "/query"
DAILY = fixture("alpha_vantage_daily.json")
SHARE = toy_series("alpha_vantage", "TOY", dataset="TIME_SERIES_DAILY")
PAIR = toy_series("alpha_vantage", "EUR/USD", dataset="FX_DAILY")
COIN = toy_series("alpha_vantage", "BTC/USD", dataset="DIGITAL_CURRENCY_DAILY")
YIELD = toy_series("alpha_vantage", "10year", dataset="TREASURY_YIELD")
NOW = datetime(2024, 1, 5, tzinfo=UTC)


def prices(rows: dict[str, Any], refreshed: str, zone: str = "UTC") -> bytes:
    meta = {"1. Information": "x", "5. Last Refreshed": refreshed, "6. Time Zone": zone}
    return json.dumps({"Meta Data": meta, "Time Series FX (Daily)": rows}).encode()


TWO_DAYS = {"2024-01-04": {"1. open": "1.1", "4. close": "1.2"}, "2024-01-03": {"1. open": "1.0", "4. close": "1.1"}}


def settled(body: bytes) -> int:
    """Days of a table of prices but the one under way, or figures of a list."""
    under_way = re.search(rb'Last Refreshed"\s*:\s*"([\d-]+) ([\d:]+)".*?Time Zone"\s*:\s*"([\w/]+)"', body, re.S)
    days = re.findall(rb'"(\d{4}-\d\d-\d\d)"\s*:\s*\{', body)
    if under_way and not (under_way[3] in (b"US/Eastern", b"America/New_York") and under_way[2] >= b"16:00:00"):
        days = [d for d in days if d < under_way[1]]
    return len(days) or len(re.findall(rb'"value"\s*:', body))


FIGURES = "TREASURY_YIELD|FEDERAL_FUNDS_RATE|CPI|INFLATION|RETAIL_SALES|DURABLES|UNEMPLOYMENT|NONFARM_PAYROLL|REAL_GDP"
GOODS = "WTI|BRENT|NATURAL_GAS|COPPER|ALUMINUM|WHEAT|CORN|COTTON|SUGAR|COFFEE|ALL_COMMODITIES"
ONE_READING = {b"annual": "A", b"quarterly": "Q", b"monthly": "M", b"weekly": "W"}


def said(kind: str, text: str) -> bytes:
    return json.dumps({kind: text}).encode()


def readers(recording: Recording) -> dict[str, Reader]:
    told = re.search(rb'"interval"\s*:\s*"(\w+)"', recording.body)  # several have one alone, or one by default
    frequency = ONE_READING.get(told[1] if told else b"", "D")
    return {
        r"function=(TIME_SERIES|FX|DIGITAL_CURRENCY)_": lambda r: read_prices(r, recording.query.get("market", "")),
        f"function=({FIGURES}|{GOODS})": lambda r: read_figures(r, frequency),
    }


CONTRACT = Contract(
    good=Good(
        SHARE,
        PATH,
        DAILY,
        rows=((date(2024, 1, 2), 100.25), (date(2024, 1, 3), 101.5), (date(2024, 1, 4), 102.25)),
        figure=b'"101.5000"',
        days=(b"2024-01-03", b"2024-01-02"),
        refused=(
            (b"{}", "Alpha Vantage answers nothing"),
            (b'{"Time Series (Daily)": {}}', "expected the member 'Meta Data'"),
            (b'{"Meta Data": {}}', "expected 'Meta Data' and one table"),
            (DAILY.replace(b"4. close", b"4. last"), "expected the field 'close'"),
            (DAILY.replace(b'"4. close": "101.5000"', b'"4. closing": "101.5000"'), "expected the fields ['4. close']"),
            (DAILY.replace(b'"101.5000"', b'"None"'), "expected a number in '4. close', got 'None'"),
            (DAILY.replace(b'"101.5000"', b"[1]"), "expected text or numbers"),
            (DAILY.replace(b'"101.5000"', b"null"), "expected a number in '4. close', got an empty cell"),
            (DAILY.replace(b'"2024-01-03"', b'"2024-01-03 10:00:00"'), "expected a date like %Y-%m-%d in 'date'"),
            (DAILY.replace(b'"2024-01-03"', b'"03.01.2024"'), "expected a date like %Y-%m-%d in 'date'"),
            (DAILY.replace(b"3. Last Refreshed", b"3. Refreshed"), "expected the member 'Last Refreshed'"),
        ),
        empty=(prices({}, "2024-01-04"),),
    ),
    more=(
        Good(
            YIELD,
            PATH,
            fixture("alpha_vantage_yield.json"),
            rows=((date(2024, 1, 1), None), (date(2024, 1, 2), 3.95), (date(2024, 1, 3), 3.91)),
            figure=b'"3.91"',
            days=(b"2024-01-03", b"2024-01-02"),
            missing=(b'"."',),
            refused=(
                (b'{"name": "x"}', "expected the member 'interval'"),
                (b'{"interval": "monthly", "data": []}', "expected the interval 'daily', the answer has 'monthly'"),
                (b'{"interval": "daily", "data": {}}', "expected 'data' to be list, got dict"),
                (b'{"interval": "daily", "data": [{"date": "2024-01-02"}]}', "expected the fields ['date', 'value']"),
                (
                    b'{"interval": "daily", "data": [{"date": "2024-01", "value": "1"}]}',
                    "expected a date like %Y-%m-%d",
                ),
                (
                    b'{"interval": "daily", "data": [{"date": "2024-01-02", "value": "-"}]}',
                    "expected a number in 'value'",
                ),
            ),
        ),
    ),
    asks=lambda s: (f"function={s.dataset}", *s.code.split("/")),
    errors=(
        (200, said("Error Message", "Invalid API call. Please retry."), NotFoundError),
        (200, said("Error Message", "the parameter apikey is invalid or missing."), AuthError),
        (
            200,
            said("Note", "Our standard API call frequency is 5 per minute; there are premium plans."),
            RateLimitError,
        ),
        (200, said("Information", "We have detected your API key as s3cret; the rate limit is 25."), RateLimitError),
        (200, said("Information", "Please spread out requests more sparingly; premium lifts it."), RateLimitError),
        (200, said("Information", "This is a premium endpoint."), AuthError),
        (200, said("Information", "The outputsize=full parameter value is a premium feature."), AuthError),
        (200, said("Information", "The **demo** API key is for demo purposes only."), AuthError),
        (200, said("Information", "Something new."), RateLimitError),
        (200, DAILY, None),
        (200, b'{"Meta Data": {"Information": "x"}, "Rank A": {}}', None),
    ),
    recorded=Recorded(
        "alpha_vantage",
        readers=readers,
        no_series={
            "INTRADAY|interval=[0-9]+min": "prices within a day",
            "function=(CURRENCY_EXCHANGE_RATE|GLOBAL_QUOTE|BATCH_STOCK_QUOTES|REALTIME|TOP_GAINERS)": "of the moment",
            "function=(OVERVIEW|ETF_|INCOME_|BALANCE_SHEET|CASH_FLOW|EARNINGS|DIVIDENDS|SPLITS)": "of firms",
            "function=(SECTOR|SYMBOL_SEARCH|LISTING_|IPO_|NEWS|MARKET_STATUS|HISTORICAL_OPTIONS)": "lists",
            "function=(SMA|EMA|WMA|VWAP|MACD|RSI|BBANDS|ADX|STOCH|CCI|AROON|OBV|AD|HT_|ATR)": "computed from prices",
            "datatype=csv": "the other form of the service, which is not asked for",
            f"^(?!.*function=(TIME_SERIES|FX|DIGITAL_CURRENCY)_|.*function=({FIGURES}|{GOODS})(&|$))": (
                "no function of prices, of US figures or of commodities"
            ),
        },
        count=settled,
    ),
)


def test_closes_are_read_oldest_first() -> None:
    found = fetched("alpha_vantage", SHARE, {PATH: DAILY}, Window(date(2024, 1, 3), date(2024, 12, 31)))
    assert found.failures == {}
    assert found.observations["observation_date"].to_list()[-2:] == [date(2024, 1, 3), date(2024, 1, 4)]
    assert found.observations["value"].to_list()[-2:] == [101.5, 102.25]


def test_every_function_has_its_parameters() -> None:
    copper = toy_series("alpha_vantage", "any", dataset="COPPER", frequency="M")
    asked = [
        next(ask.steps)
        for ask in connector(default_catalog().sources["alpha_vantage"]).plan(
            [SHARE, PAIR, COIN, YIELD, copper], Window()
        )
    ]
    assert asked == [
        Request(PATH, (("function", "TIME_SERIES_DAILY"), ("symbol", "TOY"), ("outputsize", "compact"))),
        Request(
            PATH, (("function", "FX_DAILY"), ("from_symbol", "EUR"), ("to_symbol", "USD"), ("outputsize", "compact"))
        ),
        Request(PATH, (("function", "DIGITAL_CURRENCY_DAILY"), ("symbol", "BTC"), ("market", "USD"))),
        Request(PATH, (("function", "TREASURY_YIELD"), ("interval", "daily"), ("maturity", "10year"))),
        Request(PATH, (("function", "COPPER"), ("interval", "monthly"))),
    ]


@pytest.mark.parametrize(
    ("refreshed", "zone", "last"),
    [
        ("2024-01-04", "US/Eastern", date(2024, 1, 4)),
        ("2024-01-04 16:00:01", "US/Eastern", date(2024, 1, 4)),
        ("2024-01-04 12:30:00", "US/Eastern", date(2024, 1, 3)),
        ("2024-01-04 21:55:00", "UTC", date(2024, 1, 3)),
        ("2024-01-05 00:00:00", "UTC", date(2024, 1, 4)),
    ],
)
def test_a_day_under_way_is_left_out(refreshed: str, zone: str, last: date) -> None:
    found = fetched("alpha_vantage", PAIR, {PATH: prices(TWO_DAYS, refreshed, zone)})
    assert found.observations["observation_date"].max() == last


def test_of_prices_in_two_currencies_the_pairs_is_taken() -> None:
    rows = {"2024-01-03": {"4a. close (EUR)": "39000.5", "4b. close (USD)": "43000.5", "5. volume": "7"}}
    found = fetched("alpha_vantage", COIN, {PATH: prices(rows, "2024-01-04 00:00:00")})
    assert found.observations["value"].to_list() == [43000.5]


KEY = "CANARYKEY0123456"


def test_a_spent_quota_is_not_asked_again() -> None:
    told = json.dumps({"Information": "The rate limit is 25 requests per day."}).encode()
    asked: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=told)

    source = default_catalog().sources["alpha_vantage"]
    environ = {"ALPHAVANTAGE_API_KEY": KEY, "MACRO_RATE_ALPHA_VANTAGE": "1000"}
    client = HttpClient(source, explain, httpx.MockTransport(refuse), environ, sleep=lambda _: None)
    assert client.get(Request(PATH)).body == told
    assert len(asked) == 1


def test_every_series_of_the_catalog_is_asked_for_within_the_free_quota() -> None:
    catalog = default_catalog()
    series = catalog.series_of("alpha_vantage")
    asks = list(connector(catalog.sources["alpha_vantage"]).plan(series, Window()))
    requests = [next(ask.steps) for ask in asks]
    assert len({r.target for r in requests}) == len(series) <= 10
    key = catalog.sources["alpha_vantage"].api.key  # type: ignore[union-attr]
    assert key is not None
    assert key.required
    assert all(key.name not in dict(r.params) for r in requests)
