"""The EIA's API: synthetic answers in its form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from macro_assets.sources.errors import AuthError, NotFoundError, RateLimitError, SchemaError, TransientError
from macro_assets.sources.protocol import Window
from macro_assets.sources.providers.eia import read_page
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

PATH = "/syn/thetic/data/"
TOY = toy_series("eia", "SYN", dataset="syn/thetic", frequency="W", first_year=2020)
GOOD = fixture("eia.json")


def target(offset: int) -> str:
    """What is asked of `TOY` in the first months of 2024, from a row on."""
    return (
        f"{PATH}?frequency=weekly&data%5B0%5D=value&facets%5Bseries%5D%5B%5D=SYN&start=2024-01-01&end=2024-03-31"
        f"&sort%5B0%5D%5Bcolumn%5D=period&sort%5B0%5D%5Bdirection%5D=asc&offset={offset}&length=5000"
    )


def page(total: int, *days: str) -> bytes:
    rows = [{"period": day, "series": "SYN", "value": "1"} for day in days]
    return json.dumps({"response": {"total": str(total), "frequency": "weekly", "data": rows}}).encode()


CONTRACT = Contract(
    good=Good(
        TOY,
        PATH,
        GOOD,
        rows=((date(2024, 1, 5), 1000.0), (date(2024, 1, 12), None), (date(2024, 1, 19), 1200.5)),
        figure=b'"1000"',
        missing=(b"null", b'"NA"', b'"-"', b'"--"', b'"w"'),
        days=(b"2024-01-05", b"2024-01-12"),
        refused=(
            (b'"1000"', b'"1,000"', "expected a number in 'value', got '1,000'"),
            (b'"value": "1000"', b'"figure": "1000"', "expected the fields"),
            (b"2024-01-05", b"05/01/2024", "got '05/01/2024'"),
            (b"2024-01-05", b"2024-01-12", "expected each period of 'SYN' once"),
            (b'"series": "SYN"', b'"series": "OTHER"', "expected rows of the series 'SYN' alone, got 'OTHER'"),
            (b'"frequency": "weekly", "data"', b'"frequency": "daily", "data"', "weekly figures, got 'daily'"),
            (b'"total": "3"', b'"total": "many"', "expected a whole number in 'total', got 'many'"),
            (b'"data":', b'"rows":', "expected the member 'data'"),
            (b'"response"', b'"answer"', "expected the member 'response'"),
            (page(5), "expected 5 rows, got 0 and then none"),
        ),
    ),
    asks=lambda s: (f"/{s.dataset}/data/", f"facets[series][]={s.code}&"),
    errors=(
        (403, b'{"error": {"code": "API_KEY_INVALID", "message": "s3cret"}}', AuthError),
        (403, b'{"error": {"code": "API_KEY_MISSING", "message": "s3cret"}}', AuthError),
        (429, b'{"error": {"code": "OVER_RATE_LIMIT", "message": "s3cret"}}', RateLimitError),
        (403, b'{\n  "error": {"code": "OVER_RATE_LIMIT", "message": "s3cret"}}', RateLimitError),
        (404, b'{"error": "s3cret", "code": 404}', NotFoundError),
        (400, b'{"error": "invalid frequency, s3cret", "code": 400}', SchemaError),
        (200, b'{"error": "s3cret"}', SchemaError),
        (200, b'{"error": s3cret', SchemaError),
        (503, b"s3cret", TransientError),
    ),
    pages=Pages(
        TOY,
        {target(0): page(3, "2024-01-05", "2024-01-12"), target(2): page(3, "2024-01-19")},
        rows=((date(2024, 1, 5), 1), (date(2024, 1, 12), 1), (date(2024, 1, 19), 1)),
        window=Window(date(2024, 1, 1), date(2024, 3, 31)),
    ),
    recorded=Recorded(
        "eia",
        readers={"/data/?": lambda response: read_page(response)[0], "/v2/seriesid/": lambda r: read_page(r)[0]},
        no_series={
            "frequency=(local-)?hourly": "hours, which no series has",
            r"data%5B\d*%5D=(?!value)": "other columns than the figure of a series",
            r"^(?!.*/v2/(.*/data/?|seriesid/[^/]+)\?)": "routes, facets, or the service before the second version",
        },
        expected={"v2-seismic-crews-2000-01.json": 1},
        count=lambda body: len(re.findall(rb'"period"\s*:', body[: body.rfind(b'"request"')])),
        plausible=lambda rows: rows["observation_date"].dt.year().is_between(1900, 2060).all(),
    ),
)


def test_numbers_of_before_2024_are_read_too() -> None:
    found = fetched("eia", TOY, {PATH: GOOD.replace(b'"1000"', b"1000").replace(b'"3"', b"3")})
    assert found.observations["value"].to_list() == [1000.0, None, 1200.5]


@pytest.mark.parametrize(
    ("frequency", "name", "first", "last"),
    [
        ("D", "daily", "2024-02-05", "2026-11-20"),
        ("W", "weekly", "2024-02-05", "2026-11-20"),
        ("M", "monthly", "2024-02", "2026-11"),
        ("Q", "quarterly", "2024-Q1", "2026-Q4"),
        ("A", "annual", "2024", "2026"),
    ],
)
def test_the_request_is_exact(frequency: str, name: str, first: str, last: str) -> None:
    body = b'{"response": {"total": "0", "frequency": "%s", "data": []}}' % name.encode()
    client = Replayed({PATH: body})
    series = TOY.model_copy(update={"frequency": frequency})
    found = fetched("eia", series, client, Window(date(2024, 2, 5), today=date(2026, 11, 20)))
    assert found.failures == {}
    assert found.observations.is_empty()
    assert [dict(r.params) for r in client.asked] == [
        {
            "frequency": name,
            "data[0]": "value",
            "facets[series][]": "SYN",
            "start": first,
            "end": last,
            "sort[0][column]": "period",
            "sort[0][direction]": "asc",
            "offset": "0",
            "length": "5000",
        }
    ]


@each_recording("eia")
def test_the_connector_is_driven_by_a_recording(recording: Recording) -> None:
    found = re.search(r"/v2(/(.+)/data/)$", recording.url)
    code = recording.query.get("facets[series][]")
    names = {"daily": "D", "weekly": "W", "monthly": "M", "quarterly": "Q", "annual": "A"}
    frequency = names.get(recording.query.get("frequency", ""))
    if found is None or code is None or frequency is None or recording.status != 200:
        pytest.skip("not the form that the connector asks for")
    series = toy_series("eia", code, dataset=found[2], frequency=frequency)
    answered = fetched("eia", series, {found[1]: recording.body})
    assert answered.failures == {}
    assert answered.observations.height == read_page(recording.response)[0].height
