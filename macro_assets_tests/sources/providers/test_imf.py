"""The IMF's service: synthetic answers in its form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from macro_assets.sources.errors import NotFoundError
from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.sdmx_json import from_json
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import (
    Recorded,
    Recording,
    Replayed,
    each_recording,
    explains,
    fetched,
    fixture,
    sdmx_reader,
    sdmx_rows,
    toy_series,
)

PATH = "/data/dataflow/IMF.RES/WEO/+/XXX.NGDP_RPCH.A"
GROWTH = toy_series("imf", "XXX.NGDP_RPCH.A", dataset="IMF.RES/WEO", frequency="A", first_year=1980)
OUTLOOK = GROWTH.model_copy(update={"projections": True})


def is_absent(recording: Recording) -> bool:
    """A dataflow that is not there is answered with success and nothing."""
    if recording.status != 204:
        return False
    assert isinstance(explains("imf")(recording.response), NotFoundError)
    return True


CONTRACT = Contract(
    good=Good(
        OUTLOOK,
        PATH,
        fixture("imf_weo.json"),
        rows=((date(2019, 1, 1), 2.5), (date(2020, 1, 1), -3), (date(2021, 1, 1), None), (date(2031, 1, 1), 4.25)),
        figure=b'"2.5"',
        missing=(b'"NaN"',),
        days=(b'"2019"', b'"2020"'),
        refused=(
            ((204, b""), "no such dataflow"),
            (b"[]", "expected the member 'dataSets'"),
            (fixture("imf_weo.json").replace(b'"XXX"', b'"YYY"'), "alone, got 'YYY.NGDP_RPCH.A'"),
            (fixture("imf_weo.json").replace(b'"2.5"', b'"2,5"'), "expected a number in 'observations', got '2,5'"),
            (fixture("imf_weo.json").replace(b'"2019"', b'"2020"'), "for 2020-01-01, got several"),
        ),
    ),
    asks=lambda s: (f"/data/dataflow/{s.dataset}/+/{s.code}?",),
    recorded=Recorded(
        "imf",
        readers=lambda recording: {"/data/": sdmx_reader(recording.body)},
        no_series={
            "/structure/": "structures, no series",
            "/availability/": "what there is, no figures",
            r"SDMX_JSON\.svc|/datamapper/": "the services of before and of the maps, which are not asked",
            "^(?!.*/data/)": "no end point with figures",
        },
        expected={
            "data-dataflow-IMF-STA-GFS-SOO-ABW-S13-G2M-G23-T-POGDP-PT-A.json": 5,
            "data-dataflow-IMF-STA-GFS-SOO-S13-G2M-G23-T-POGDP-PT-A.json": 970,
            "data-dataflow-IMF-WHD-WHDREO-M.json": 0,
        },
        count=sdmx_rows,
        plausible=lambda rows: rows.select("key", "observation_date").is_unique().all(),
        apart=is_absent,
    ),
)


@pytest.mark.parametrize(
    ("series", "window", "span"),
    [
        (GROWTH, Window(today=date(2026, 11, 20)), "ge:1980-A1%2Ble:2026-A1"),
        (OUTLOOK, Window(today=date(2026, 11, 20)), "ge:1980-A1%2Ble:2036-A1"),
        (OUTLOOK, Window(date(2010, 1, 1), date(2028, 5, 5), today=date(2026, 11, 20)), "ge:2010-A1%2Ble:2028-A1"),
        (
            GROWTH.model_copy(update={"frequency": "Q"}),
            Window(date(2010, 5, 1), date(2011, 1, 1)),
            "ge:2010-Q2%2Ble:2011-Q1",
        ),
        (
            GROWTH.model_copy(update={"frequency": "M"}),
            Window(date(2010, 5, 1), date(2011, 1, 1)),
            "ge:2010-M05%2Ble:2011-M01",
        ),
    ],
)
def test_the_request_is_exact(series: object, window: Window, span: str) -> None:
    client = Replayed({PATH: fixture("imf_weo.json")})
    fetched("imf", [series], client, window)  # type: ignore[list-item]
    query = f"dimensionAtObservation=TIME_PERIOD&attributes=dsd&measures=all&c%5BTIME_PERIOD%5D={span}"
    assert [r.target for r in client.asked] == [f"{PATH}?{query}"]


def test_a_structure_without_series_is_no_rows() -> None:
    document = json.loads(fixture("imf_weo.json"))
    del document["data"]["dataSets"][0]["series"]
    for level in document["data"]["structures"][0]["dimensions"].values():
        for dimension in level:
            dimension["values"] = []
    found = fetched("imf", GROWTH, {PATH: json.dumps(document).encode()})
    assert found.failures == {}
    assert found.observations.is_empty()


@each_recording("imf")
def test_the_connector_is_driven_by_a_recording(recording: Recording) -> None:
    found = re.search(r"/3\.0(/data/dataflow/([\w.]+/\w+)/\+/([\w.]+))$", recording.url)
    span = re.fullmatch(r"ge:(\d{4})-A1\+le:(\d{4})-A1", recording.query.get("c[TIME_PERIOD]", ""))
    if found is None or span is None or recording.status != 200:
        pytest.skip("not the form that the connector asks for")
    path, dataset, code = found.groups()
    series = toy_series("imf", code, dataset=dataset, frequency="A")
    client = Replayed({path: recording.body})
    window = Window(date(int(span[1]), 1, 1), date(int(span[2]), 12, 31))
    answered = fetched("imf", series, client, window)
    assert answered.failures == {}
    assert dict(client.asked[0].params).items() <= recording.query.items()
    expected = from_json(Response("", recording.body, recording.recorded, 200))
    assert answered.observations["value"].to_list() == expected["value"].to_list()
