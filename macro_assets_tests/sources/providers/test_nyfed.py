"""The New York Fed's markets data: synthetic answers in its form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest

from macro_assets.catalog import Selector, Series, default_catalog
from macro_assets.sources.protocol import Response, Window, connector
from macro_assets.sources.providers.nyfed import read_rows, read_series
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

EFFR_PATH = "/api/rates/unsecured/effr/search.json"
OPERATIONS = "/api/rp/results/search.json"
MARCH = Window(date(2016, 2, 1), date(2016, 3, 31))
EFFR = toy_series(
    "nyfed",
    "percentRate",
    dataset="rates/unsecured/effr/search",
    selector=Selector(where={"type": "EFFR"}, date="effectiveDate", value="percentRate", meaning="day"),
)


def of_catalog(*names: str) -> list[Series]:
    return [default_catalog().series[n] for n in names]


def values(found: Any, series: str) -> list[tuple[date, float | None]]:
    rows = found.observations.filter(pl.col("series_id") == series).sort("observation_date")
    return rows.select("observation_date", "value").rows()


def read_rates(response: Response) -> pl.DataFrame:
    rows = read_rows(response, "rates")
    kind = rows[0]["type"] if rows else "EFFR"
    value = "percentRate" if kind != "SOFRAI" else "index"  # averages and an index of compounded SOFR
    selector = Selector(where={"type": kind}, date="effectiveDate", value=value, meaning="day")
    return read_series(rows, "rates", toy_series("nyfed", value, selector=selector))


def read_dealers(response: Response) -> pl.DataFrame:
    rows = read_rows(response, "pd")
    selector = Selector(date="asofdate", value="value", combine="last", meaning="week")
    return read_series(rows, "pd", toy_series("nyfed", "value", selector=selector))


def read_operations(response: Response) -> pl.DataFrame:
    selector = Selector(date="operationDate", value="totalAmtAccepted", combine="sum", meaning="day")
    return read_series(read_rows(response, "rp"), "rp", toy_series("nyfed", "x", selector=selector))


def read_swaps(response: Response) -> pl.DataFrame:
    selector = Selector(date="tradeDate", value="amount", combine="sum", meaning="day")
    return read_series(read_rows(response, "fxs"), "fxs", toy_series("nyfed", "x", selector=selector))


def read_holdings(response: Response) -> pl.DataFrame:
    selector = Selector(date="asOfDate", value="total", meaning="week")
    return read_series(read_rows(response, "soma"), "soma", toy_series("nyfed", "x", selector=selector))


def count_rows(body: bytes) -> int:
    """Dates of the first kind of rate, or of anything else."""
    text = body.decode()
    kinds = re.findall(r'"type"\s*:\s*"(\w+)"', text)
    days = re.findall(r'"(?:effectiveDate|asofdate|operationDate|tradeDate|asOfDate)"\s*:\s*"([0-9-]+)"', text)
    return len({d for i, d in enumerate(days) if not kinds or kinds[i] == kinds[0]})


RATES = fixture("nyfed_rates.json")
CONTRACT = Contract(
    good=Good(
        EFFR,
        EFFR_PATH,
        RATES,
        rows=((date(2016, 2, 29), 0.29), (date(2016, 3, 1), 0.36), (date(2016, 3, 2), 0.37)),
        figure=b"0.36",
        missing=(b'"NA"',),
        days=(b"2016-03-01", b"2016-03-02"),
        window=MARCH,
        refused=(
            (b'"refRates"', b'"rates"', "expected the member 'refRates'"),
            (b"[ {", b"[ 1, {", "expected rows of named fields, got 1"),
            (b'"effectiveDate": "2016-03-01"', b'"day": "2016-03-01"', "expected the fields"),
            (b"2016-03-01", b"03/01/2016", "a date like %Y-%m-%d in 'effectiveDate', got '03/01/2016'"),
            (b"2016-03-01", b"2016-03-02", "expected one row for 2016-03-02, got several"),
            (b"0.36", b'"n/a"', "expected a number in 'percentRate', got 'n/a'"),
            (b"0.36", b"[0.36]", "expected text or numbers"),
            (b"EFFR", b"OBFR", "no row of the answer has {'type': 'EFFR'}"),
            ((400, b"Invalid start date"), "HTTP 400: the request was refused: 'Invalid start date'"),
        ),
        empty=(b'{ "refRates": [ ] }',),
    ),
    asks=lambda s: (f"/api/{s.dataset}.json",),
    pages=Pages(
        EFFR,
        {
            f"{EFFR_PATH}?startDate=2014-05-01&endDate=2018-12-31": RATES,
            f"{EFFR_PATH}?startDate=2019-01-01&endDate=2023-02-01": RATES.replace(b"2016-03", b"2019-03"),
        },
        rows=tuple(
            (date(y, m, d), v)
            for y, m, d, v in (
                (2016, 2, 29, 0.29),
                (2016, 2, 29, 0.29),
                (2016, 3, 1, 0.36),
                (2016, 3, 2, 0.37),
                (2019, 3, 1, 0.36),
                (2019, 3, 2, 0.37),
            )
        ),
        window=Window(date(2014, 5, 1), today=date(2023, 2, 1)),
    ),
    recorded=Recorded(
        "nyfed",
        readers={
            "/api/rates/": read_rates,
            "/api/pd/": read_dealers,
            "/api/rp/": read_operations,
            "/api/fxs/": read_swaps,
            "/api/soma/summary": read_holdings,
        },
        no_series={
            "/api/soma/[a-z]+/": "the securities held on one day",
            "/list/": "names of what there is",
            r"\.(xml|csv|xlsx)\?": "other forms of the service, which are not asked for",
            "^(?!.*/api/(rates|pd|rp|fxs|soma)/)": "parts of the service that the catalog has no series of",
        },
        expected={"effr-search-2023-h1.json": 108, "sofr-search-2024-06.json": 4, "sofr-last5-2026-08.json": 5},
        count=count_rows,
    ),
)


def test_a_rate_and_its_volume_are_one_question() -> None:
    client = Replayed({EFFR_PATH: fixture("nyfed_rates.json")})
    found = fetched("nyfed", of_catalog("NYFED_EFFR", "NYFED_EFFR_VOLUME"), client, MARCH)
    assert found.failures == {}
    assert [r.target for r in client.asked] == [f"{EFFR_PATH}?startDate=2016-02-01&endDate=2016-03-31"]
    assert values(found, "NYFED_EFFR") == [
        (date(2016, 2, 29), 0.29),
        (date(2016, 3, 1), 0.36),
        (date(2016, 3, 2), 0.37),
    ]
    assert values(found, "NYFED_EFFR_VOLUME") == [
        (date(2016, 2, 29), None),
        (date(2016, 3, 1), None),
        (date(2016, 3, 2), 68),
    ]
    assert set(found.observations["release_basis"]) == {"publication_lag"}


def test_a_long_history_is_asked_in_pieces() -> None:
    client = Replayed({EFFR_PATH: b'{ "refRates": [] }', OPERATIONS: b'{"repo":{"operations":[]}}'})
    fetched("nyfed", of_catalog("NYFED_EFFR"), client, Window(date(2014, 5, 1), today=date(2023, 2, 1)))
    assert [dict(r.params) for r in client.asked] == [
        {"startDate": "2014-05-01", "endDate": "2018-12-31"},
        {"startDate": "2019-01-01", "endDate": "2023-02-01"},
    ]
    client.asked.clear()
    fetched("nyfed", of_catalog("NYFED_ONRRP"), client, Window(date(2022, 7, 1), today=date(2023, 2, 1)))
    assert [dict(r.params) for r in client.asked] == [
        {"startDate": "2022-07-01", "endDate": "2022-12-31"},
        {"startDate": "2023-01-01", "endDate": "2023-02-01"},
    ]


def test_overnight_reverse_repo_leaves_out_term_operations_and_sums_a_day() -> None:
    client = Replayed({OPERATIONS: fixture("nyfed_operations.json")})
    wanted = of_catalog("NYFED_ONRRP", "NYFED_ONRRP_COUNTERPARTIES", "NYFED_REPO_ON")
    found = fetched("nyfed", wanted, client, Window(date(2024, 1, 1), date(2024, 1, 31)))
    assert found.failures == {}
    assert len(client.asked) == 1
    assert values(found, "NYFED_ONRRP") == [(date(2024, 1, 4), 664e9), (date(2024, 1, 5), 694e9 + 1e6)]
    assert values(found, "NYFED_ONRRP_COUNTERPARTIES") == [(date(2024, 1, 4), 81), (date(2024, 1, 5), 80)]
    assert values(found, "NYFED_REPO_ON") == [(date(2024, 1, 5), 2e6)]


def test_a_day_without_such_an_operation_is_no_error() -> None:
    body = fixture("nyfed_operations.json").replace(b'"Repo"', b'"Other"')
    found = fetched(
        "nyfed", of_catalog("NYFED_REPO_ON"), {OPERATIONS: body}, Window(date(2024, 1, 1), date(2024, 1, 31))
    )
    assert (found.failures, found.observations.height) == ({}, 0)


def test_holdings_are_text_and_a_kind_that_did_not_exist_is_blank() -> None:
    body = (
        b'{"soma":{"summary":[{"asOfDate":"2003-11-19","mbs":"0.00","cmbs":"0.00","tips":"13000","frn":"",'
        b'"tipsInflationCompensation":"1600","notesbonds":"404000","bills":"242000","agencies":"10","total":"660610.00"},'
        b'{"asOfDate":"2003-11-26","mbs":"","cmbs":"","tips":"13000","frn":"","tipsInflationCompensation":"1600",'
        b'"notesbonds":"405000","bills":"243000","agencies":"10","total":"662610.00"}]}}'
    )
    client = Replayed({"/api/soma/summary.json": body})
    found = fetched("nyfed", of_catalog("NYFED_SOMA_TOTAL", "NYFED_SOMA_MBS"), client, Window(date(2003, 1, 1)))
    assert found.failures == {}
    assert [r.target for r in client.asked] == ["/api/soma/summary.json"]
    assert values(found, "NYFED_SOMA_TOTAL") == [(date(2003, 11, 19), 660610), (date(2003, 11, 26), 662610)]
    assert values(found, "NYFED_SOMA_MBS") == [(date(2003, 11, 19), 0), (date(2003, 11, 26), None)]


def test_dollars_drawn_are_summed_by_trade_date() -> None:
    operation = {
        "operationType": "U.S. Dollar Liquidity Swap",
        "counterparty": "European Central Bank",
        "currency": "USD",
        "tradeDate": "2024-01-03",
        "settlementDate": "2024-01-04",
        "amount": 100000000,
    }
    other = operation | {"operationType": "Non-U.S. Dollar Liquidity Swap", "currency": "EUR", "amount": 7}
    rows = [operation, operation | {"counterparty": "Bank of Japan", "amount": "1000000"}, other]
    client = Replayed({"/api/fxs/usdollar/search.json": json.dumps({"fxSwaps": {"operations": rows}}).encode()})
    found = fetched("nyfed", of_catalog("NYFED_SWAPS_DRAWN"), client, Window(date(2024, 1, 1), date(2024, 1, 31)))
    assert values(found, "NYFED_SWAPS_DRAWN") == [(date(2024, 1, 3), 101e6)]
    assert dict(client.asked[0].params)["dateType"] == "trade"


def test_a_dealers_figure_that_is_withheld_is_missing() -> None:
    (fails,) = of_catalog("NYFED_PD_FAILS_DELIVER")
    rows = [
        {"asofdate": "2024-01-03", "keyid": "PDFTD-USTET", "value": "*"},
        {"asofdate": "2024-01-10", "keyid": "PDFTD-USTET", "value": "113493"},
    ]
    client = Replayed({"/api/pd/get/PDFTD-USTET.json": json.dumps({"pd": {"timeseries": rows}}).encode()})
    found = fetched("nyfed", fails, client, Window(date(2024, 1, 1)))
    assert values(found, fails.id) == [(date(2024, 1, 3), None), (date(2024, 1, 10), 113493)]


def test_a_field_that_is_gone_fails_alone() -> None:
    body = fixture("nyfed_rates.json").replace(b"volumeInBillions", b"volume")
    found = fetched("nyfed", of_catalog("NYFED_EFFR", "NYFED_EFFR_VOLUME"), {EFFR_PATH: body}, MARCH)
    assert set(found.failures) == {"NYFED_EFFR_VOLUME"}
    assert "expected the field 'volumeInBillions'" in found.failures["NYFED_EFFR_VOLUME"]
    assert len(values(found, "NYFED_EFFR")) == 3


def test_a_series_of_no_part_or_without_a_selector_is_refused() -> None:
    odd = toy_series("nyfed", "x", dataset="seclending/all", selector=EFFR.selector)
    assert "has no part 'seclending'" in fetched("nyfed", odd, {}).failures["TOY"]
    bare = toy_series("nyfed", "x", dataset=EFFR.dataset)
    bodies = {EFFR_PATH: fixture("nyfed_rates.json")}
    assert "needs a `selector`" in fetched("nyfed", bare, bodies, MARCH).failures["TOY"]


def test_every_series_of_the_catalog_is_asked() -> None:
    series = default_catalog().series_of("nyfed")
    asks = list(connector(default_catalog().sources["nyfed"]).plan(series, Window(today=date(2026, 11, 20))))
    for ask in asks:
        request = next(ask.steps)
        assert re.fullmatch(r"/api/(rates/(un)?secured/\w+/search|rp/results/search|fxs/usdollar/search).json|"
                            r"/api/(soma/summary|pd/get/[A-Z-]+).json", request.path)  # fmt: skip
        assert bool(request.params) == request.path.endswith("/search.json")
        for one in ask.series:
            assert one.selector is not None
            assert one.selector.combine == (
                "sum" if one.dataset in ("rp/results/search", "fxs/usdollar/search") else "only"
            )


@each_recording("nyfed")
def test_a_recorded_rate_serves_the_catalog(recording: Recording) -> None:
    found = re.search(r"/api/rates/(\w+)/(\w+)/[\w/]+\.json$", recording.url)
    if found is None or found[1] == "all" or recording.status != 200:
        pytest.skip("not a single rate")
    group, name = found.groups()
    series = [s for s in default_catalog().series_of("nyfed") if s.dataset == f"rates/{group}/{name}/search"]
    days = sorted(re.findall(r'"effectiveDate"\s*:\s*"([0-9-]+)"', recording.body.decode()))
    if not days or not series:
        pytest.skip("no rows, or no rate of the catalog's")
    window = Window(date.fromisoformat(days[0]), date.fromisoformat(days[-1]))
    client = Replayed({f"/api/rates/{group}/{name}/search.json": recording.body})
    answered = fetched("nyfed", series, client, window)
    assert answered.failures == {}
    assert answered.observations.height == len(days) * len(series)
    assert answered.observations["value"].is_between(0, 10000).all()
    if urlsplit(recording.url).path == client.asked[0].path and recording.query:
        assert dict(client.asked[0].params).keys() <= recording.query.keys()
