"""The World Bank's API: synthetic answers in its two shapes, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.providers.worldbank import read_page
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

PATH = "/country/WLD/indicator/XX.SYNTHETIC"
DEBT_PATH = "/sources/6/country/XXX/series/XX.DEBT/counterpart-area/WLD/time/all/data"
TOY = toy_series("worldbank", "WLD/XX.SYNTHETIC", frequency="A", first_year=1960)
DEBT = toy_series("worldbank", "XXX/XX.DEBT/WLD", dataset="6", frequency="A", first_year=1971)
TODAY = Window(today=date(2026, 11, 20))


def pages(*years: int) -> dict[str, bytes]:
    """Pages of one row each, by their requests."""
    bodies = {}
    for number, year in enumerate(years, start=1):
        about = {"page": number, "pages": len(years), "per_page": "1000", "total": len(years)}
        body = [about, [{"date": str(year), "value": float(year)}]]
        query = f"format=json&per_page=1000&page={number}&date=1960:2026"
        bodies[f"{PATH}?{query}"] = json.dumps(body).encode()
    return bodies


FIGURES = r"/v2/(countr(y|ies)/[^/]+/indicators?/[^/]+|sources?/\d+/.+/data)\?"


def rows_of(response: Response) -> pl.DataFrame:
    return read_page(response)[0]


def count(body: bytes) -> int:
    return len(re.findall(rb'"concept"\s*:\s*"Time"', body)) or len(re.findall(rb'"date"\s*:', body))


def message(code: str) -> bytes:
    return json.dumps([{"message": [{"id": code, "key": "Invalid value", "value": "It is not valid"}]}]).encode()


GOOD = fixture("worldbank.json")


CONTRACT = Contract(
    good=Good(
        TOY,
        PATH,
        GOOD,
        rows=((date(2021, 1, 1), 6.0), (date(2022, 1, 1), None), (date(2023, 1, 1), 3.5)),
        figure=b"3.5",
        missing=(b"null",),
        days=(b'"2023"', b'"2022"'),
        refused=(
            (b'<?xml version="1.0"?><error/>', "expected JSON"),
            (message("120"), "the World Bank does not know it"),
            (message("175"), "the World Bank does not know it"),
            (message("999"), "the World Bank refused the request"),
            (GOOD.replace(b'"date"', b'"year"'), "expected the member 'date'"),
            (GOOD.replace(b'"2023"', b"2023"), "expected 'date' to be str, got int"),
            (GOOD.replace(b'"2023"', b'"FY23"'), "got 'FY23'"),
            (GOOD.replace(b"3.5", b'"3.5"'), "expected 'value' to be int or float or NoneType, got str"),
            (GOOD.replace(b"3.5", b"true"), "expected a number in 'value', got True"),
            (GOOD.replace(b"3.5", b"1e999"), "expected a number in 'value', got inf"),
            (GOOD.replace(b'"2023"', b'"2022"'), "expected each period once"),
            (GOOD.replace(b'"pages": 1', b'"pages": "one"'), "expected a whole number in 'pages', got 'one'"),
            (GOOD.replace(b'"page": 1', b'"page": 2'), "expected page 1, got page 2"),
            (b'[{"page":1,"pages":1,"per_page":50,"total":0}]', "expected the member '1'"),
        ),
    ),
    more=(
        Good(
            DEBT,
            DEBT_PATH,
            fixture("worldbank_debt.json"),
            rows=((date(1971, 1, 1), 2500.5),),
            figure=b"2500.5",
            days=(b'"1971"',),
            refused=(
                (
                    b'"Time", "id": "YR1971"',
                    b'"Year", "id": "YR1971"',
                    "the concept 'Time' once in a row, got it 0 times",
                ),
            ),
        ),
    ),
    asks=lambda s: (f"/country/{s.code.split('/')[0]}/", f"/{s.code.split('/')[1]}"),
    pages=Pages(TOY, pages(2023, 2022, 2021), tuple((date(y, 1, 1), float(y)) for y in (2021, 2022, 2023))),
    recorded=Recorded(
        "worldbank",
        readers={FIGURES: rows_of},
        no_series=lambda recording: (
            {f"^(?!.*{FIGURES})": "lists and descriptions"}
            | ({"": "XML, which comes where JSON is not asked for"} if recording.body.lstrip().startswith(b"<") else {})
        ),
        expected={"ids-china.json": 50},
        count=count,
        plausible=lambda rows: rows["observation_date"].dt.year().is_between(1950, 2040).all(),
    ),
)


def test_source_6_answers_another_shape() -> None:
    client = Replayed({DEBT_PATH: fixture("worldbank_debt.json")})
    found = fetched("worldbank", DEBT, client)
    assert found.failures == {}
    assert found.observations["value"].to_list() == [2500.5]  # 1970 is before the series' first year
    assert [r.target for r in client.asked] == [f"{DEBT_PATH}?format=json&per_page=1000&page=1"]


@pytest.mark.parametrize(("frequency", "span"), [("A", "2010:2012"), ("Q", "2010Q2:2012Q1"), ("M", "2010M05:2012M02")])
def test_the_window_is_asked_in_the_words_of_the_frequency(frequency: str, span: str) -> None:
    client = Replayed({PATH: b'[{"page":0,"pages":0,"per_page":0,"total":0},null]'})
    series = TOY.model_copy(update={"frequency": frequency})
    found = fetched("worldbank", series, client, Window(date(2010, 5, 1), date(2012, 2, 29)))
    assert found.failures == {}
    assert found.observations.is_empty()
    assert [r.target for r in client.asked] == [f"{PATH}?format=json&per_page=1000&page=1&date={span}"]


def test_a_blank_that_is_not_due_is_no_missing_figure() -> None:
    body = fixture("worldbank.json").replace(b"3.5", b"null")
    early = Replayed({PATH: body}, at=datetime(2023, 12, 31, tzinfo=UTC))
    found = fetched("worldbank", TOY, early)
    assert found.observations["observation_date"].dt.year().to_list() == [2022, 2021]


def is_no_answer(recording: Recording) -> bool:
    """Whether a recorded body is an error, or XML."""
    return b'"message"' in recording.body or not recording.body.lstrip().startswith((b"[", b"{"))


@each_recording("worldbank")
def test_the_connector_is_driven_by_a_recording(recording: Recording) -> None:
    """The recorded page is said to be the only one: the others were not recorded."""
    path = re.search(r"/v2(/.*)$", recording.url)
    debt = re.search(
        r"/sources/(\d+)/country/(\w+)/series/([\w.]+)/counterpart-area/(\w+)/time/all/data$", recording.url
    )
    plain = re.search(r"/country/(\w+)/indicator/([\w.]+)$", recording.url)
    if path is None or not (debt or plain) or recording.status != 200 or is_no_answer(recording):
        pytest.skip("not the form that the connector asks for")
    document: Any = json.loads(recording.body)
    about = document if isinstance(document, dict) else document[0]
    about |= {"page": 1, "pages": 1}
    facts: dict[str, Any] = {"dataset": debt[1]} if debt else {}
    found = debt or plain
    assert found is not None
    code = "/".join(found.groups()[1:] if debt else found.groups())
    rows = rows_of(recording.response)
    if rows["observation_date"].is_duplicated().any():
        pytest.skip("several countries, which the connector does not ask for at once")
    frequency = "A" if (rows["observation_date"].dt.month() == 1).all() else "Q"
    series = toy_series("worldbank", code, frequency=frequency, **facts)
    client = Replayed({path[1]: json.dumps(document).encode()}, at=recording.recorded)
    answered = fetched("worldbank", series, client)
    assert answered.failures == {}
    kept = rows.filter(pl.col("value").is_not_null())
    assert answered.observations.drop_nulls("value").height == kept.height
