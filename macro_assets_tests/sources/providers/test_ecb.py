"""The ECB's data portal: synthetic answers in its form, and the recorded ones."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.errors import NotFoundError
from macro_assets.sources.protocol import Window
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import (
    Recorded,
    Recording,
    Replayed,
    each_recording,
    fetched,
    fixture,
    sdmx_reader,
    sdmx_rows,
    toy_series,
)

PATH = "/data/EXR/D.XXX.EUR.SP00.A"
RATE = toy_series("ecb", "D.XXX.EUR.SP00.A", dataset="EXR", first_year=1999)


def is_empty(recording: Recording) -> bool:
    """Named an error, but it is how the portal says that a window has no figures."""
    return recording.status == 404 and b"No results found" in recording.body


CONTRACT = Contract(
    good=Good(
        RATE,
        PATH,
        fixture("ecb_exr.csv"),
        rows=(
            (date(2024, 3, 27), 1.25),
            (date(2024, 3, 28), 1.5),
            (date(2024, 3, 29), None),  # a holiday
            (date(2024, 4, 2), 1.75),
        ),
        figure=b"1.25",
        missing=(b"NaN",),
        days=(b"2024-03-27", b"2024-03-28"),
        refused=(
            ((400, b"Invalid key"), "HTTP 400: the request was refused"),
            (b"OBS_VALUE", b"VALUE", "expected the column 'OBS_VALUE'"),
            (b"2024-03-27", b"27/03/2024", "got '27/03/2024'"),
            (b"1.25", b"one", "expected a number in 'OBS_VALUE'"),
            (b"EXR.D.XXX", b"EXR.D.USD", "alone, got 'EXR.D.USD.EUR.SP00.A'"),
            (b"2024-03-28", b"2024-03-27", "got several"),
        ),
        empty=((404, b"No results found."), b"KEY,TIME_PERIOD,OBS_VALUE\n"),
    ),
    asks=lambda s: (f"/data/{s.dataset}/{s.code}?",),
    errors=((404, b"No results found.", None), (404, b"<html>no such page</html>", NotFoundError)),
    recorded=Recorded(
        "ecb",
        readers=lambda recording: {"/service/data/": sdmx_reader(recording.body)},
        no_series={
            "/service/(?!data/)": "structures, no series",
            "detail=(nodata|serieskeysonly)": "no figures",
            "^(?!.*/service/data/)": "not the service of data, as that behind the portal's own pages",
        },
        expected={"fm-data.xml": 575, "hicp-annual-rate-2026.csv": 4, "exr-sdmx-json-flat.json": 4},
        count=sdmx_rows,
        plausible=lambda rows: rows.select("key", "observation_date").is_unique().all(),
        apart=is_empty,
    ),
)


def test_codes_begin_with_the_frequency() -> None:
    series = default_catalog().series_of("ecb")
    assert all(s.code[0] == s.frequency or (s.code[0], s.frequency) == ("B", "D") for s in series)


@pytest.mark.parametrize(
    ("frequency", "query"),
    [
        ("D", "startPeriod=2024-02-05&endPeriod=2026-11-20"),
        ("W", "startPeriod=2024-W06&endPeriod=2026-W47"),
        ("M", "startPeriod=2024-02&endPeriod=2026-11"),
        ("Q", "startPeriod=2024-Q1&endPeriod=2026-Q4"),
    ],
)
def test_the_window_is_asked_in_the_words_of_the_frequency(frequency: str, query: str) -> None:
    client = Replayed({PATH: fixture("ecb_exr.csv")})
    window = Window(date(2024, 2, 5), date(2030, 1, 1), today=date(2026, 11, 20))
    fetched("ecb", RATE.model_copy(update={"frequency": frequency}), client, window)
    assert [r.target for r in client.asked] == [f"{PATH}?format=csvdata&detail=dataonly&{query}"]


def test_a_week_is_dated_by_its_friday() -> None:
    weekly = toy_series("ecb", "W.A", dataset="ILM", frequency="W")
    body = b"KEY,FREQ,AREA,TIME_PERIOD,OBS_VALUE\nILM.W.A,W,A,2020-W53,5\nILM.W.A,W,A,2021-W01,6\n"
    found = fetched("ecb", weekly, {"/data/ILM/W.A": body})
    assert found.observations["observation_date"].to_list() == [date(2021, 1, 1), date(2021, 1, 8)]


def test_a_blank_that_is_not_due_is_no_missing_figure() -> None:
    body = fixture("ecb_exr.csv").replace(b"1.75", b"")
    early = Replayed({PATH: body}, at=datetime(2024, 4, 2, 8, tzinfo=UTC))
    found = fetched("ecb", RATE, early)
    assert found.observations["observation_date"].max() == date(2024, 3, 29)


@each_recording("ecb")
def test_the_connector_is_driven_by_a_recording(recording: Recording) -> None:
    found = re.search(r"/service(/data/(\w+)/([\w.]+))$", recording.url)
    if (
        found is None
        or found[3][0] not in "DBWMQA"
        or recording.query.get("format") != "csvdata"
        or recording.status != 200
    ):
        pytest.skip("not the form that the connector asks for")
    path, dataset, code = found.groups()
    series = toy_series("ecb", code, dataset=dataset, frequency=code[0].replace("B", "D"))
    answered = fetched("ecb", series, {path: recording.body})
    assert answered.failures == {}
    assert answered.observations.height == len(recording.body.strip().splitlines()) - 1
