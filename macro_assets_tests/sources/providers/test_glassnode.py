"""Glassnode's points: made-up (synthetic) ones in their form, and the recorded ones."""

from __future__ import annotations

import json
from datetime import date

import pytest

from macro_assets.sources.protocol import Window
from macro_assets.sources.providers.glassnode import read_points
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, toy_series

PATH = "/v1/metrics/toys/count"
TOY = toy_series("glassnode", "BTC", dataset="toys/count", first_year=2024)
WINDOW = Window(date(2024, 1, 1), date(2024, 1, 31))
POINTS = b'[{"t":1704067200,"v":10.5},{"t":1704153600,"v":null},{"t":1704240000,"v":12}]'
BULK = (
    b'{"data":[{"t":1704067200,"bulk":[{"a":"BTC","v":1.5},{"a":"ETH","network":"eth","v":2.5}]},'
    b'{"t":1704153600,"bulk":[{"a":"ETH","network":"eth","v":3.5}]}]}'
)


def btc_points(body: bytes) -> int:
    document = json.loads(body)
    return len(document) if isinstance(document, list) else sum('"BTC"' in json.dumps(r) for r in document["data"])


def part_of(body: bytes) -> str:
    """A part of a recorded metric that has parts; '' of one that has none."""
    document = json.loads(body)
    return next(iter(document[0].get("o", {})), "") if isinstance(document, list) and document else ""


CONTRACT = Contract(
    good=Good(
        TOY,
        PATH,
        POINTS,
        rows=((date(2024, 1, 1), 10.5), (date(2024, 1, 2), None), (date(2024, 1, 3), 12)),
        figure=b"10.5",
        days=(b"1704067200", b"1704153600"),
        missing=(b"null",),
        window=WINDOW,
        refused=(
            (b'{"message":"x"}', "expected the member 'data'"),
            (b'[{"t":1704067200,"o":{"a":1}}]', "expected points of 't' and 'v'"),
            (b'[{"t":1704067200,"value":1}]', "expected points of 't' and 'v'"),
            (b"[[1704067200,1]]", "expected points of 't' and 'v'"),
            (b'[{"t":1704067200,"v":"1"}]', "expected a number in 'v', got '1'"),
            (b'[{"t":"2024-01-01","v":1}]', "expected a number in 't', got '2024-01-01'"),
            (b'[{"t":null,"v":1}]', "expected a time in 't', got null"),
            (b'{"data":[{"t":1704067200,"bulk":{}}]}', "expected 'bulk' to be list, got dict"),
        ),
        empty=(b"[]", b'{"data":[]}'),
        asked=(f"{PATH}?a=BTC&i=24h&s=1704067200&u=1706745600",),
    ),
    asks=lambda s: (f"/v1/metrics/{s.dataset}?a={s.code.partition('.')[0]}&",),
    recorded=Recorded(
        "glassnode",
        readers={"/v1/metrics/": lambda r: read_points(r, "BTC", part_of(r.body))},
        no_series={
            "/v1/metadata/": "describes metrics and assets",
            "/v1/user": "describes a key",
            "i=(10m|1h|1w|1month)": "of other spans than days",
            "f=csv": "the other form of the service, which is not asked for",
            "^(?!.*/v1/metrics/)": "no end point with a metric",
        },
        expected={"metric-bulk.json": 31},
        count=btc_points,
    ),
)


def test_of_many_assets_one_is_taken() -> None:
    ether = toy_series("glassnode", "ETH", dataset="toys/count/bulk", first_year=2024)
    found = fetched("glassnode", ether, {f"{PATH}/bulk": BULK}, WINDOW)
    assert found.observations["value"].to_list() == [2.5, 3.5]
    gone = toy_series("glassnode", "TOY", dataset="toys/count/bulk", first_year=2024)
    assert "has no points of 'TOY'" in fetched("glassnode", gone, {f"{PATH}/bulk": BULK}, WINDOW).failures["TOY"]


def test_a_part_of_a_metric_is_a_series_too() -> None:
    body = b'[{"t":1704067200,"o":{"total":0.5,"rest":0.1}},{"t":1704153600,"o":{"total":null,"rest":0.1}}]'
    total = toy_series("glassnode", "BTC.total", dataset="toys/count", first_year=2024)
    client = Replayed({PATH: body})
    found = fetched("glassnode", total, client, WINDOW)
    assert dict(client.asked[0].params)["a"] == "BTC"
    assert found.observations["value"].to_list() == [0.5, None]
    for wrong in (body.replace(b"total", b"sum"), POINTS):
        says = fetched("glassnode", total, {PATH: wrong}, WINDOW).failures["TOY"]
        assert "expected points of 't' and 'o' with 'total'" in says


@pytest.mark.parametrize("stamp", [b"9999999999999", b"1e18", b"-1e300"])
def test_a_time_that_is_none_is_told_and_the_body_is_kept(stamp: bytes) -> None:
    """A date was made of it all the same, and whoever looked at it made Polars panic: no body, no other series."""
    body = b'[{"t":1704067200,"v":1},{"t":%s,"v":2}]' % stamp
    series = toy_series("glassnode", "BTC", dataset="toys/count", first_year=2024)
    found = fetched("glassnode", series, {PATH: body}, WINDOW)
    assert "expected seconds since 1970 in 't', got" in found.failures["TOY"]
    assert [r.body for r in found.responses] == [body]


@each_recording("glassnode")
def test_recorded_points_go_through_the_connector(recording: Recording) -> None:
    path = recording.url.removeprefix("https://api.glassnode.com")
    daily = recording.query.get("i", "24h") == "24h" and recording.query.get("f") != "csv"
    if recording.status != 200 or not path.startswith("/v1/metrics/") or not daily:
        return  # not a question that the connector asks
    code = f"BTC.{part_of(recording.body)}".rstrip(".")
    series = toy_series("glassnode", code, dataset=path.removeprefix("/v1/metrics/"))
    found = fetched("glassnode", series, {path: recording.body})
    assert found.failures == {}
    assert found.observations.height == btc_points(recording.body)
