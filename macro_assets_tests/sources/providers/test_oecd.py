"""The OECD's service: synthetic answers in its form, and the recorded ones of the service it replaced."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Response
from macro_assets.sources.sdmx import from_csv
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import (
    Recorded,
    Recording,
    explains,
    fetched,
    fixture,
    sdmx_reader,
    sdmx_rows,
    toy_series,
)

FLOW = "OECD.SDD.STES,DSD_STES@DF_CLI,4.1"
PATH = f"/data/{FLOW}/XXX.M.LI"
CLI = toy_series("oecd", "XXX.M.LI", dataset=FLOW, frequency="M", first_year=1995)


def is_no_series(recording: Recording) -> bool:
    """A window without figures is an answer; a table without a time dimension is refused, not read as another."""
    if recording.status == 404 and any(word in recording.body for word in (b"NoRecordsFound", b"NoResultsFound")):
        assert explains("oecd")(recording.response) is None
        return True
    if recording.status == 200 and b"TIME_PERIOD" not in recording.body and "/data/" in recording.url.lower():
        with pytest.raises(SchemaError):
            sdmx_reader(recording.body)(recording.response)
        return True
    return False


CONTRACT = Contract(
    good=Good(
        CLI,
        PATH,
        fixture("oecd_cli.csv"),
        rows=((date(2024, 1, 1), 99.5), (date(2024, 2, 1), 100.5)),
        figure=b"99.5",
        missing=(b"NaN",),
        days=(b"2024-01", b"2024-02"),
        refused=(
            ((422, b"bad key"), "HTTP 422: the request was refused"),
            (fixture("oecd_cli.csv").replace(b"XXX,M,LI,2024-01", b"YYY,M,LI,2024-01"), "alone, got 'YYY.M.LI'"),
            (fixture("oecd_cli.csv").replace(b"2024-01", b"2024-02"), "for 2024-02-01, got several"),
            (fixture("oecd_cli.csv").replace(b"99.5", b"c"), "expected a number in 'OBS_VALUE', got 'c'"),
            (fixture("oecd_cli.csv").replace(b"TIME_PERIOD", b"TIME"), "expected the column 'TIME_PERIOD'"),
        ),
        empty=((404, b"NoRecordsFound"), (404, b"NoResultsFound")),
        asked=(f"{PATH}?startPeriod=1995-01&endPeriod=2026-11&dimensionAtObservation=AllDimensions&format=csvfile",),
    ),
    asks=lambda s: (f"/data/{s.dataset}/{s.code}?",),
    errors=((404, b"NoRecordsFound", None), (404, b"NoResultsFound", None)),
    recorded=Recorded(
        "oecd",
        readers=lambda recording: {"(?i)/data/": sdmx_reader(recording.body)},
        no_series={"(?i)^(?!.*/data/)": "structures and what there is, no figures"},
        expected={"jsdmx-land_use.json": 14150},
        count=sdmx_rows,
        plausible=lambda rows: rows.select("key", "observation_date").is_unique().all(),
        apart=is_no_series,
    ),
)


def test_keys_of_the_catalog_have_nine_parts() -> None:
    assert all(s.code.count(".") == 8 for s in default_catalog().series_of("oecd"))


@pytest.mark.parametrize("name", ["oecd_cli.csv", "oecd_cli_labels.csv"])
def test_figures_are_read(name: str) -> None:
    found = fetched("oecd", CLI, {PATH: fixture(name)})
    assert found.failures == {}
    rows = found.observations.sort("observation_date").select("observation_date", "value").rows()
    assert rows == [(date(2024, 1, 1), 99.5), (date(2024, 2, 1), 100.5)]


def test_codes_with_their_labels_behind_a_colon_are_read_as_the_codes() -> None:
    body = (
        b"STRUCTURE,STRUCTURE_ID,ACTION,REF_AREA: Reference area,FREQ: Frequency of observation,MEASURE: Measure,"
        b"TIME_PERIOD: Time period,OBS_VALUE,OBS_STATUS: Observation status,BASE_PER: Base period\r\n"
        b"DATAFLOW,OECD.SDD.STES:DSD_STES@DF_CLI(4.1),I,XXX: Nowhere,M: Monthly,LI: Leading: all,2024-01,99.5,A: Well,"
        b"\r\nDATAFLOW,OECD.SDD.STES:DSD_STES@DF_CLI(4.1),I,XXX: Nowhere,M: Monthly,LI: Leading: all,2024-02,,"
        b"M: Missing,2015\r\n"
    )
    found = from_csv(Response("GET /x", body, datetime(2026, 11, 20, tzinfo=UTC)))
    assert found.rows() == [("XXX.M.LI", date(2024, 1, 1), 99.5), ("XXX.M.LI", date(2024, 2, 1), None)]
