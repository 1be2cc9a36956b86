"""CBOE's files: synthetic ones in their form, and the recorded ones."""

from __future__ import annotations

from datetime import date

import pytest

from macro_assets.catalog import Series, default_catalog
from macro_assets.sources.protocol import Window
from macro_assets.sources.providers.cboe import read_closes
from macro_assets_tests.sources.wire import (
    Recording,
    Replayed,
    check_recording,
    each_recording,
    explains,
    fetched,
    fixture,
    toy_series,
)

PATH = "/api/global/us_indices/daily_prices/VIX_History.csv"
VIX = toy_series("cboe", "VIX")


def test_closes_are_read() -> None:
    found = fetched("cboe", VIX, {PATH: fixture("cboe_ohlc.csv")})
    assert found.failures == {}
    assert found.observations["observation_date"].to_list() == [date(2024, 1, 2), date(2024, 1, 3), date(2024, 2, 29)]
    assert found.observations["value"].to_list() == [13.20, 14.04, 13.40]


def test_only_the_window_is_kept() -> None:
    window = Window(date(2024, 1, 3), date(2024, 1, 31))
    found = fetched("cboe", VIX, {PATH: fixture("cboe_ohlc.csv")}, window)
    assert found.observations["observation_date"].to_list() == [date(2024, 1, 3)]


def test_an_index_without_intraday_prices_has_one_column() -> None:
    found = fetched("cboe", VIX, {PATH: b"DATE,SKEW\r\n01/02/2024,140.5\r\n"})
    assert found.observations["value"].to_list() == [140.5]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty body"),
        (b"<!DOCTYPE html><html>Sorry</html>", "page of HTML"),
        (b"DATE,OPEN,HIGH,LOW,LAST\n01/02/2024,1,1,1,1\n", "expected the column 'CLOSE'"),
        (b"DAY,CLOSE\n01/02/2024,1\n", "expected the column 'DATE'"),
        (b"DATE,CLOSE\n2024-01-02,13.2\n", "expected a date like %m/%d/%Y in 'DATE', got '2024-01-02'"),
        (b"DATE,CLOSE\n01/02/2024,n/a\n", "expected a number in 'CLOSE', got 'n/a'"),
        (b"DATE,CLOSE\n01/02/2024,NaN\n", "expected a number in 'CLOSE', got 'NaN'"),
        (b"DATE,CLOSE\n01/02/2024,1e999\n", "expected a number in 'CLOSE', got '1e999'"),
        (b"DATE,OPEN,CLOSE\n01/02/2024,13.2,13.1\n01/03/2024,1", "got '01/03/2024,1': is the file cut off?"),
        ((404, b"NoSuchKey"), "HTTP 404: not found"),
        ((503, b""), "HTTP 503: the provider failed"),
    ],
)
def test_a_bad_file_is_refused(body: bytes | tuple[int, bytes], says: str) -> None:
    found = fetched("cboe", VIX, {PATH: body})
    assert found.observations.is_empty()
    assert says in found.failures["TOY"], found.failures
    assert "series TOY of source cboe" in found.failures["TOY"]


@each_recording("cboe")
def test_a_recording_is_read(recording: Recording) -> None:
    check_recording(
        recording,
        readers={"_History.csv": read_closes},
        no_series={
            "delayed_quotes": "quotes of the moment, no series",
            "^(?!.*_History.csv)": "no file of an index's prices, as lists of the indices there are",
        },
        expected={"vix-history-to-07-31-2025.csv": 8983, "vix-history-to-09-27-2022.csv": 8249},
        count=lambda body: len(body.split()) - 1,
        plausible=lambda rows: (
            bool((rows["value"] > 0).all())
            and (rows["value"].is_between(5, 150).all() or not recording.url.endswith("/VIX_History.csv"))
            and rows["observation_date"].is_unique().all()
        ),
        explain=explains("cboe"),
    )


@pytest.mark.parametrize("series", default_catalog().series_of("cboe"), ids=lambda s: s.code)
def test_every_series_asks_for_the_file_of_its_index(series: Series) -> None:
    found = fetched("cboe", series, client := Replayed({}))
    assert [r.target for r in client.asked] == [f"/api/global/us_indices/daily_prices/{series.code}_History.csv"]
    assert "nothing is recorded" in found.failures[series.id]


def test_an_index_is_asked_for_whole_whatever_the_window() -> None:
    client = Replayed({PATH: fixture("cboe_ohlc.csv")})
    fetched("cboe", VIX, client, Window(date(2024, 2, 1), date(2024, 2, 29)))
    assert [r.target for r in client.asked] == [PATH]


def test_one_broken_file_leaves_the_other_indices() -> None:
    ovx = toy_series("cboe", "OVX", id="OTHER")
    found = fetched("cboe", [VIX, ovx], {PATH: fixture("cboe_ohlc.csv"), PATH.replace("VIX", "OVX"): b"<html>"})
    assert list(found.failures) == ["OTHER"]
    assert found.observations["series_id"].unique().to_list() == ["TOY"]
