"""The OFR's monitors: synthetic answers in their form."""

from __future__ import annotations

from datetime import date

import pytest

from macro_assets.sources.protocol import Window
from macro_assets.sources.providers.ofr import read_points
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Recorded, Replayed, fetched, toy_series

PATH = "/v1/series/timeseries"
RATE = toy_series("ofr", "REPO-TRI_AR_OO-P", dataset="v1")
WINDOW = Window(date(2024, 1, 1), date(2024, 12, 31), today=date(2026, 11, 20))


CONTRACT = Contract(
    good=Good(
        RATE,
        PATH,
        b'[["2024-01-02",5.32],["2024-01-03",null],["2024-01-04",5]]',
        rows=((date(2024, 1, 2), 5.32), (date(2024, 1, 3), None), (date(2024, 1, 4), 5)),
        figure=b"5.32",
        harmless={"other names": "pairs have no names"},
        missing=(b"null",),
        days=(b"2024-01-02", b"2024-01-03"),
        window=WINDOW,
        refused=(
            (b"Invalid mnemonic", "the service says 'Invalid mnemonic'. Check the series' code"),
            (b'"Invalid Mnemonic."', "the service says"),
            (b'{"error":"x"}', "to be list, got dict"),
            (b'[{"date":"2024-01-02","value":5.32}]', "expected pairs of a date and a number"),
            (b'[["2024-01-02",5.32,1]]', "expected pairs of a date and a number"),
            (b"[[1704153600000,5.32]]", "expected pairs of a date and a number"),
            (b'[["2024-01-02","5.32"]]', "expected a number in 'value', got '5.32'"),
            (b'[["2024-01-02",1e999]]', "expected a number in 'value'"),
            (b'[["01/02/2024",5.32]]', "expected a date like %Y-%m-%d in 'date', got '01/02/2024'"),
        ),
        empty=(b"[]",),
        asked=(f"{PATH}?mnemonic=REPO-TRI_AR_OO-P&start_date=2024-01-01&end_date=2024-12-31",),
    ),
    asks=lambda s: (f"{s.dataset}/series/timeseries?mnemonic={s.code}&",),
    recorded=Recorded(
        "ofr",
        readers={"series/timeseries|calc/spread": read_points},
        no_series={
            "fsi.csv": "the stress index, another source",
            "metadata/": "names and descriptions",
            "series/(full|multifull|dataset)": "whole bundles of series, which are not asked for",
            "time_format=ms": "times in milliseconds, which are not asked for",
            "^(?!.*data.financialresearch.gov)": "not of the monitors",
        },
        count=lambda body: body.count(b'["'),
        plausible=lambda rows: rows["observation_date"].is_sorted(),
    ),
)


@pytest.mark.parametrize(
    ("frequency", "end", "asked", "first"),
    [
        ("M", date(2024, 3, 10), "2024-03-31", date(2024, 3, 1)),
        ("Q", date(2024, 1, 10), "2024-03-31", date(2024, 1, 1)),
    ],
)
def test_a_period_is_dated_by_its_first_day(frequency: str, end: date, asked: str, first: date) -> None:
    one = toy_series("ofr", "FPF-ALLQHF_GAV_SUM", dataset="hf/v1", frequency=frequency)
    client = Replayed({"/hf/v1/series/timeseries": b'[["2024-03-31",1e13]]'})
    found = fetched("ofr", one, client, Window(date(2024, 1, 1), end, today=date(2026, 11, 20)))
    assert found.observations.select("observation_date", "value").rows() == [(first, 1e13)]
    assert dict(client.asked[0].params)["end_date"].startswith(asked[:8])
