"""The BLS' API: synthetic answers in its form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import date

import polars as pl
import pytest

from macro_assets.catalog import Frequency
from macro_assets.sources.errors import AuthError, NotFoundError, RateLimitError, SchemaError, TransientError
from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.providers.bls import read_series
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

PATH = "/timeseries/data/"
ONE = toy_series("bls", "SYN1", id="ONE", frequency="M", first_year=2020)
TWO = toy_series("bls", "SYN2", id="TWO", frequency="M", first_year=2020)
GOOD = fixture("bls.json")


def rows_of(response: Response) -> pl.DataFrame:
    document = json.loads(response.body)
    codes = [b["seriesID"] for b in document["Results"]["series"]]
    return pl.concat(read_series(document, c).with_columns(code=pl.lit(c)) for c in codes)


def said(status: str, message: str) -> bytes:
    return json.dumps({"status": status, "message": [message], "Results": {}}).encode()


def year(value: str, of: int) -> bytes:
    row = {"year": str(of), "period": "M01", "value": value}
    series = [{"seriesID": "SYN1", "data": [row]}]
    return json.dumps({"status": "REQUEST_SUCCEEDED", "message": [], "Results": {"series": series}}).encode()


REFUSED = "REQUEST_NOT_PROCESSED"
CONTRACT = Contract(
    good=Good(
        ONE,
        PATH,
        GOOD,
        rows=((date(2023, 12, 1), 100.5), (date(2024, 1, 1), None), (date(2024, 2, 1), 101.5)),
        figure=b'"101.5"',
        days=(b'"M02"', b'"M01"'),
        refused=(
            (b'"101.5"', b'"1,015"', "expected a number in 'value', got '1,015'"),
            (b'"101.5"', b"null", "expected a number in 'value', got an empty cell"),
            (b'"M02"', b'"M14"', "got '2024M14'"),
            (b'"M02"', b'"M01"', "expected each period of 'SYN1' once"),
            (b'"value": "101.5"', b'"val": "101.5"', "expected the fields"),
            (b'"SYN1"', b'"SYN9"', "expected the series 'SYN1' once in the answer, got it 0 times"),
            (b'"seriesID"', b'"seriesId"', "expected the member 'seriesID'"),
            (b'"series":', b'"serie":', "expected the member 'Results.series'"),
            (b'{"status": "REQUEST_SUCCEEDED"}', "expected"),
        ),
    ),
    asks=lambda s: (f'"{s.code}"',),
    errors=(
        (200, said(REFUSED, "the daily threshold for total number of requests has been reached."), RateLimitError),
        (200, said(REFUSED, "User Toy has exceeded the number of requests"), RateLimitError),
        (200, said(REFUSED, "The key: s3cret provided by the User is invalid."), AuthError),
        (200, said(REFUSED, "Series does not exist for Series NOPE"), NotFoundError),
        (200, said("REQUEST_FAILED_INVALID_PARAMETERS", "Start year is invalid."), SchemaError),
        (200, said("REQUEST_FAILED", ""), TransientError),
        (200, said("OK", ""), SchemaError),
    ),
    pages=Pages(
        ONE.model_copy(update={"first_year": 2010}),
        {
            f'{PATH}{{"seriesid": ["SYN1"], "startyear": "2010", "endyear": "2019"}}': year("1.5", 2019),
            f'{PATH}{{"seriesid": ["SYN1"], "startyear": "2020", "endyear": "2026"}}': year("1.6", 2020),
        },
        rows=((date(2019, 1, 1), 1.5), (date(2020, 1, 1), 1.6)),
    ),
    recorded=Recorded(
        "bls",
        readers={"/timeseries/data": rows_of},
        no_series={
            "/timeseries/popular|/surveys": "lists, no series",
            "^(?!.*/timeseries/data)": "not the service of figures, as the flat files",
        },
        expected={"v2-APU0000701111-2022-calculations.json": 12},
        count=lambda body: len(re.findall(rb'"period"\s*:\s*"(?!M13|Q05|S03)', body)),
        plausible=lambda rows: rows.select("code", "observation_date").is_unique().all(),
    ),
)


def test_figures_of_several_series_are_read() -> None:
    found = fetched("bls", [ONE, TWO], {PATH: GOOD})
    assert found.failures == {}
    rows = found.observations.sort("series_id", "observation_date")
    assert rows.select("series_id", "observation_date", "value").rows() == [
        ("ONE", date(2023, 12, 1), 100.5),  # M13, the year's average, is left out
        ("ONE", date(2024, 1, 1), None),
        ("ONE", date(2024, 2, 1), 101.5),
        ("TWO", date(2024, 1, 1), 7.0),
    ]


@pytest.mark.parametrize(
    ("period", "frequency", "day"), [("Q02", "Q", date(2024, 4, 1)), ("A01", "A", date(2024, 1, 1))]
)
def test_other_periods_are_read(period: str, frequency: Frequency, day: date) -> None:
    body = json.loads(GOOD.replace(b'"M01"', f'"{period}"'.encode()))
    assert read_series(body, "SYN2", frequency)["observation_date"].to_list() == [day]


@pytest.mark.parametrize("period", ["Q02", "S02", "A01"])
def test_periods_of_another_frequency_fail_their_series(period: str) -> None:
    found = fetched("bls", [ONE, TWO], {PATH: GOOD.replace(b'"M01"', f'"{period}"'.encode())})
    assert TWO.id in found.failures
    assert found.observations.filter(pl.col("series_id") == TWO.id).is_empty()


def test_requests_span_ten_years_and_name_the_series_that_have_begun() -> None:
    client = Replayed({PATH: GOOD})
    old = ONE.model_copy(update={"first_year": 2001})
    fetched("bls", [TWO, old], client, Window(today=date(2024, 5, 1)))
    assert [json.loads(r.json or "") for r in client.asked] == [
        {"seriesid": ["SYN1"], "startyear": "2001", "endyear": "2010"},
        {"seriesid": ["SYN1", "SYN2"], "startyear": "2011", "endyear": "2020"},
        {"seriesid": ["SYN1", "SYN2"], "startyear": "2021", "endyear": "2024"},
    ]
    assert {(r.path, r.params) for r in client.asked} == {(PATH, ())}


def test_at_most_25_series_are_asked_at_once() -> None:
    client = Replayed({PATH: GOOD})
    many = [toy_series("bls", f"SYN{n}", id=f"S{n}", frequency="M", first_year=2020) for n in range(60)]
    fetched("bls", many, client, Window(today=date(2024, 5, 1)))
    assert [len(json.loads(r.json or "")["seriesid"]) for r in client.asked] == [25, 25, 10]


@pytest.mark.parametrize("said", ["Series does not exist for Series SYN2", "Invalid Series for Series SYN2."])
def test_an_unknown_series_fails_alone(said: str) -> None:
    document = json.loads(GOOD)
    document["message"] = [said]
    document["Results"]["series"][1]["data"] = []
    found = fetched("bls", [ONE, TWO], {PATH: json.dumps(document).encode()})
    assert list(found.failures) == ["TWO"]
    assert "the BLS has no series 'SYN2'" in found.failures["TWO"]
    assert found.observations["series_id"].unique().to_list() == ["ONE"]


def test_json_that_is_nested_too_deeply_is_told_and_kept() -> None:
    body = b"[" * 100_000
    found = fetched("bls", [ONE, TWO], {PATH: body})
    assert set(found.failures) == {"ONE", "TWO"}
    assert "expected JSON, got" in found.failures["ONE"]
    assert "the connector failed" not in found.failures["ONE"]
    assert [r.body for r in found.responses] == [body]


def test_no_figures_in_the_window_are_no_error() -> None:
    document = json.loads(GOOD)
    document["Results"]["series"][1]["data"] = []
    found = fetched("bls", [ONE, TWO], {PATH: json.dumps(document).encode()})
    assert found.failures == {}
    assert "TWO" not in found.observations["series_id"]


@each_recording("bls")
def test_the_connector_is_driven_by_a_recording(recording: Recording) -> None:
    if "/timeseries/data" not in recording.url:
        pytest.skip("not the form that the connector asks for")
    if recording.status != 200:
        pytest.skip("an error")
    document = json.loads(recording.body)
    if document.get("status") != "REQUEST_SUCCEEDED" or "series" not in document["Results"]:
        found = fetched("bls", ONE, {PATH: recording.body})
        assert "ONE" in found.failures
        return
    codes = [b["seriesID"] for b in document["Results"]["series"]]
    if not any(b["data"] for b in document["Results"]["series"]):
        pytest.skip("no figures, which says either that there are none or that there is no such series")
    rows = rows_of(recording.response)
    series = [toy_series("bls", c, id=f"S{n}", frequency="M") for n, c in enumerate(codes)]
    first, last = rows["observation_date"].min(), rows["observation_date"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    # A window of one request: the recorded answer is given to it.
    window = Window(date(max(first.year, last.year - 9), 1, 1), date(last.year, 12, 31))
    answered = fetched("bls", series, {PATH: recording.body}, window)
    assert answered.failures == {}
    assert answered.observations.height == rows.filter(window.contains(pl.col("observation_date"))).height
