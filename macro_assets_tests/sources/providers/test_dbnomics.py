"""DBnomics: synthetic answers in its form, and the recorded ones."""

from __future__ import annotations

import json
from datetime import date

import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.protocol import Request
from macro_assets.sources.providers.dbnomics import read_page
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Recording, each_recording, fetched, fixture, toy_series

PATH = "/series/XXX/SYN/M.A"
TOY = toy_series("dbnomics", "XXX/SYN/M.A", frequency="M", first_year=1990)
GOOD = fixture("dbnomics.json")


def page(code: str, of: int = 2) -> bytes:
    document = json.loads(GOOD)
    document["series"]["num_found"] = of
    document["series"]["docs"][0]["series_code"] = code
    return json.dumps(document).encode()


QUERY = f"{PATH}?observations=1&format=json&limit=1000&offset="
ROWS = ((date(2024, 1, 1), 1.5), (date(2024, 2, 1), None), (date(2024, 3, 1), 3.0))
CONTRACT = Contract(
    good=Good(
        TOY,
        PATH,
        GOOD,
        rows=ROWS,
        figure=b"1.5",
        asked=(f"{QUERY}0",),
        missing=(b'"NA"',),
        days=(b"2024-01-01", b"2024-02-01"),
        refused=(
            (json.dumps({"series": {"docs": [], "num_found": 0}}).encode(), "DBnomics has 0 series 'XXX/SYN/M.A'"),
            (GOOD.replace(b"M.A", b"M.C"), "DBnomics has 0 series 'XXX/SYN/M.A'"),
            (GOOD.replace(b'"monthly"', b'"quarterly"'), "expected monthly figures, got quarterly"),
            (GOOD.replace(b'"NA"', b"true"), "expected a number in 'value', got True"),
            (GOOD.replace(b'"NA", 3]', b'"NA"]'), "expected as many days as values"),
            (GOOD.replace(b'"2024-02-01"', b"20240201"), "expected days as text in 'period_start_day', got 20240201"),
            (GOOD.replace(b'"2024-02-01"', b'"2024-02"'), "got '2024-02'"),
            (GOOD.replace(b'"2024-02-01"', b'"2024-01-01"'), "expected each day once"),
            (GOOD.replace(b"period_start_day", b"start_day"), "expected the member 'period_start_day'"),
            (GOOD.replace(b'"docs"', b'"data"'), "expected the member 'series.docs'"),
            (GOOD.replace(b'"num_found": 1', b'"num_found": "1"'), "expected 'series.num_found' to be int, got str"),
            (json.dumps({"series": {"docs": [], "num_found": 2}}).encode(), "expected 2 series, got 0 and then none"),
        ),
    ),
    asks=lambda s: (f"/series/{s.code}?",),
    pages=Pages(TOY, {f"{QUERY}0": page("M.B"), f"{QUERY}1": page("M.A")}, rows=ROWS),
    recorded=Recorded(
        "dbnomics",
        readers={"/series": lambda response: read_page(response).rows},
        no_series={
            "/(datasets|providers|search|last-updates)": "lists, no series",
            "/series(?!.*observations=(1|true))": "descriptions of series without their figures",
            "^(?!.*/v22/series)": "not the service of series",
        },
        expected={"series-CEPII-CHELEM-TRADE-CHEL.json": 55000},
        count=lambda body: sum(len(d["period"]) for d in json.loads(body)["series"]["docs"]),
        plausible=lambda rows: rows.select("code", "observation_date").is_unique().all(),
    ),
)


def test_codes_are_of_three_parts_and_sent_without_escapes() -> None:
    assert all(s.code.count("/") == 2 for s in default_catalog().series_of("dbnomics"))
    assert Request("/series/OECD/DSD@DF/A").target == "/series/OECD/DSD@DF/A"


def test_a_week_is_dated_by_its_last_day() -> None:
    weekly = TOY.model_copy(update={"frequency": "W"})
    body = GOOD.replace(b'"monthly"', b'"weekly"').replace(b"2024-03-01", b"2024-03-04")
    found = fetched("dbnomics", weekly, {PATH: body})
    assert found.observations["observation_date"].max() == date(2024, 3, 10)


def test_a_series_without_observations_is_empty() -> None:
    document = json.loads(GOOD)
    document["series"]["docs"][0] |= {"period": [], "period_start_day": [], "value": []}
    found = fetched("dbnomics", TOY, {PATH: json.dumps(document).encode()})
    assert found.failures == {}
    assert found.observations.is_empty()


@each_recording("dbnomics")
def test_the_connector_is_driven_by_a_series_of_a_recording(recording: Recording) -> None:
    """Each recorded series alone is what the service answers when it is asked for by its code."""
    if "/v22/series" not in recording.url or recording.query.get("observations", "").lower() not in ("1", "true"):
        pytest.skip("not the form that the connector asks for")
    if recording.status != 200:
        pytest.skip("an error")
    document = json.loads(recording.body)
    names = {"daily": "D", "weekly": "W", "monthly": "M", "quarterly": "Q", "annual": "A"}
    for doc in [d for d in document["series"]["docs"] if d["@frequency"] in names][:5]:  # the catalog's frequencies
        code = "/".join(doc[n] for n in ("provider_code", "dataset_code", "series_code"))
        alone = {**document, "series": {"docs": [doc], "limit": 1000, "num_found": 1, "offset": 0}}
        series = toy_series("dbnomics", code, frequency=names[doc["@frequency"]], first_year=1800)
        found = fetched("dbnomics", series, {f"/series/{code}": json.dumps(alone).encode()})
        assert found.failures == {}
        assert found.observations.drop_nulls("value").height == sum(v != "NA" for v in doc["value"])
