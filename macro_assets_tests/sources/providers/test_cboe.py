"""CBOE's files: synthetic ones in their form, and the recorded ones."""

from __future__ import annotations

from datetime import date

import pytest

from macro_assets.sources.providers.cboe import read_prices
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

PATH = "/api/global/us_indices/daily_prices/VIX_History.csv"
VIX = toy_series("cboe", "VIX")


CONTRACT = Contract(
    good=Good(
        VIX,
        PATH,
        fixture("cboe_ohlc.csv"),
        rows=((date(2024, 1, 2), 13.20), (date(2024, 1, 3), 14.04), (date(2024, 2, 29), 13.40)),
        figure=b"13.200000",
        asked=(PATH,),
        days=(b"01/02/2024", b"01/03/2024"),
        refused=(
            (b"CLOSE", b"LAST", "expected the column 'CLOSE'"),
            (b"DATE", b"DAY", "expected the column 'DATE'"),
            (b"01/02/2024", b"2024-01-02", "expected a date like %m/%d/%Y in 'DATE', got '2024-01-02'"),
            (b"DATE,OPEN,CLOSE\n01/02/2024,13.2,13.1\n01/03/2024,1", "got '01/03/2024,1': is the file cut off?"),
        ),
    ),
    asks=lambda s: (f"/api/global/us_indices/daily_prices/{s.code}_History.csv",),
    recorded=Recorded(
        "cboe",
        readers={"_History.csv": read_prices},
        no_series={
            "delayed_quotes": "quotes of the moment, no series",
            "^(?!.*_History.csv)": "no file of an index's prices, as lists of the indices there are",
        },
        expected={"vix-history-to-07-31-2025.csv": 8983, "vix-history-to-09-27-2022.csv": 8249},
        count=lambda body: len(body.split()) - 1,
        plausible=lambda rows: bool((rows["value"] > 0).all()) and rows["observation_date"].is_unique().all(),
    ),
)


def test_an_index_without_intraday_prices_has_one_column() -> None:
    found = fetched("cboe", VIX, {PATH: b"DATE,SKEW\r\n01/02/2024,140.5\r\n"})
    assert found.observations["value"].to_list() == [140.5]


def test_a_file_is_asked_for_once_for_all_its_prices() -> None:
    several = [VIX, *(toy_series("cboe", "VIX", id=p.upper(), dataset=p) for p in ("open", "high", "low", "last"))]
    body = b"DATE,OPEN,HIGH,LOW,CLOSE\r\n01/02/2024,13.2,14.2,13.1,13.5\r\n"
    client = Replayed({PATH: body})
    found = fetched("cboe", several, client)
    assert len(client.asked) == 1
    values = dict(found.observations.select("series_id", "value").iter_rows())
    assert values == {"TOY": 13.5, "OPEN": 13.2, "HIGH": 14.2, "LOW": 13.1}
    assert "expected the column 'LAST'" in found.failures["LAST"]


def test_an_index_of_closes_alone_has_no_other_price() -> None:
    opening = toy_series("cboe", "VIX", dataset="open")
    found = fetched("cboe", opening, {PATH: b"DATE,SKEW\r\n01/02/2024,140.5\r\n"})
    assert "expected the column 'OPEN'" in found.failures["TOY"]


def test_one_broken_file_leaves_the_other_indices() -> None:
    ovx = toy_series("cboe", "OVX", id="OTHER")
    found = fetched("cboe", [VIX, ovx], {PATH: fixture("cboe_ohlc.csv"), PATH.replace("VIX", "OVX"): b"<html>"})
    assert list(found.failures) == ["OTHER"]
    assert found.observations["series_id"].unique().to_list() == ["TOY"]


@each_recording("cboe")
def test_the_recorded_vix_is_in_its_range(recording: Recording) -> None:
    if not recording.url.endswith("/VIX_History.csv") or recording.status != 200:
        pytest.skip("not the file of the VIX")
    assert read_prices(recording.response)["value"].is_between(5, 150).all()
