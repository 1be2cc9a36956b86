"""The central bank's survey of forecasters: synthetic answers in their form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time

import polars as pl
import pytest

from macro_assets.catalog import PublicationLag, Selector, Series, default_catalog
from macro_assets.sources.protocol import Request, Response, Window
from macro_assets.sources.providers import bcb_focus
from macro_assets.sources.providers.bcb_focus import read_survey
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

SERVICE = "/olinda/servico/Expectativas/versao/v1/odata"
ANNUAL = f"{SERVICE}/ExpectativasMercadoAnuais"
MARCH = Window(date(2024, 3, 1), date(2024, 3, 31), date(2026, 11, 20))
EMPTY = b'{"@odata.context":"x","value":[]}'
LAG = PublicationLag(days=7, time=time(8, 25), time_zone="America/Sao_Paulo")


def toy(code: str, dataset: str = "ExpectativasMercadoAnuais", **facts: object) -> Series:
    where = facts.pop("where", {"baseCalculo": "0"})
    selector = Selector(where=where, date="Data", value="Mediana", meaning="day of the survey")
    return toy_series(
        "bcb_focus", code, dataset=dataset, selector=selector, first_year=2002, publication_lag=LAG, **facts
    )


class PageByPage:
    """Answers page by page, whatever is asked."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = [*bodies, EMPTY]
        self.asked: list[Request] = []

    def get(self, request: Request) -> Response:
        self.asked.append(request)
        body = self.bodies[min(len(self.asked), len(self.bodies)) - 1]
        return Response(request.target, body, datetime.now(UTC), 200)


def surveys(*rows: str) -> bytes:
    return f'{{"value":[{",".join(rows)}]}}'.encode()


def survey(day: str, year: str, median: str = "3.8") -> str:
    return f'{{"Data":"{day}","DataReferencia":"{year}","baseCalculo":0,"Mediana":{median}}}'


def target(skip: int) -> str:
    """What is asked of `toy("IPCA/0")` in `MARCH`, from a row on."""
    return (
        f"{ANNUAL}?$format=json&$select=Data,DataReferencia,baseCalculo,Mediana&$filter=Indicador%20eq%20'IPCA'%20and"
        "%20baseCalculo%20eq%200%20and%20Data%20ge%20'2024-03-01'%20and%20Data%20le%20'2024-03-31'"
        f"&$orderby=Data%20asc,DataReferencia%20asc&$top=10000&$skip={skip}"
    )


TWO_DAYS = surveys(survey("2024-03-01", "2024"), survey("2024-03-04", "2024", "3.75"))
CONTRACT = Contract(
    good=Good(
        toy("IPCA/0"),
        target(0),
        TWO_DAYS,
        rows=((date(2024, 3, 1), 3.8), (date(2024, 3, 4), 3.75)),
        figure=b"3.8",
        days=(b"2024-03-01", b"2024-03-04"),
        window=MARCH,
        others={ANNUAL: EMPTY},
        refused=(
            (b'/*{\n "codigo" : 400,\n "mensagem" : "The property is unknown."\n}*/', "the request was refused"),
            (b'{"value":null}', "expected 'value' to be list, got NoneType"),
            (b'{"value":[{"Data":"2024-03-01","DataReferencia":"2024","baseCalculo":0}]}', "expected the field"),
            (
                b'{"value":[{"Data":"2024-03-01","DataReferencia":"03/2024","baseCalculo":0,"Mediana":3.8}]}',
                "expected a year in 'DataReferencia', got '03/2024'",
            ),
            (
                b'{"value":[{"Data":"01/03/2024","DataReferencia":"2024","baseCalculo":0,"Mediana":3.8}]}',
                "expected a date like %Y-%m-%d in 'Data'",
            ),
            (
                b'{"value":[{"Data":"2024-03-01","DataReferencia":"2024","baseCalculo":0,"Mediana":3.8},'
                b'{"Data":"2024-03-01","DataReferencia":"2024","baseCalculo":0,"Mediana":3.9}]}',
                "expected one row for 2024-03-01, got several",
            ),
        ),
    ),
    asks=lambda s: (f"{SERVICE}/{s.dataset}?", f"Indicador eq '{s.code.partition('/')[0]}' and ", "baseCalculo eq 0"),
    pages=Pages(
        toy("IPCA/0"),
        {
            target(0): surveys(survey("2024-03-01", "2024"), survey("2024-03-01", "2025", "3.5")),
            target(2): surveys(survey("2024-03-04", "2024", "3.7")),
            target(3): EMPTY,
        },
        rows=((date(2024, 3, 1), 3.8), (date(2024, 3, 4), 3.7)),
        window=MARCH,
    ),
    recorded=Recorded(
        "bcb_focus",
        readers={r"odata/Expectativas?Mercado\w+": read_survey},
        no_series={
            r"odata/DatasReferencia": "the list of reference periods",
            r"format=(text|application|xml|csv|html)": "the other forms of the service, which are not asked for",
            r"^(?!.*odata/Expectativas?Mercado)": "no survey",
        },
        expected={"inflation12m-2026-06.json": 3, "top5-annual.json": 3, "top5-selic.json": 3},
        count=lambda body: len(json.loads(body)["value"]),
        plausible=lambda rows: rows["observation_date"].is_between(date(1999, 1, 1), date(2100, 1, 1)).all(),
    ),
)


def test_years_are_counted_from_the_surveys() -> None:
    both = [toy("IPCA/0", id="THIS"), toy("IPCA/1", id="NEXT")]
    client = PageByPage(fixture("bcb_focus_annual.json"))
    found = fetched("bcb_focus", both, client, MARCH)
    assert found.failures == {}
    rows = found.observations.sort("series_id", "observation_date")
    assert rows["series_id"].to_list() == ["NEXT", "NEXT", "THIS", "THIS"]
    assert rows["observation_date"].to_list() == [date(2024, 3, 1), date(2024, 3, 4)] * 2
    assert rows["value"].to_list() == [3.5, None, 3.8, 3.75]


def test_the_week_is_published_on_the_monday_after() -> None:
    days = [date(2024, 3, d) for d in (1, 4, 8, 10, 11)]  # Friday, Monday, Friday, Sunday, Monday
    rows = ",".join(f'{{"Data":"{d}","DataReferencia":"2024","baseCalculo":0,"Mediana":3.5}}' for d in days)
    found = fetched("bcb_focus", toy("IPCA/0"), PageByPage(f'{{"value":[{rows}]}}'.encode()), MARCH)
    local = found.observations["release_time"].dt.convert_time_zone("America/Sao_Paulo")
    assert [t.isoformat()[:16] for t in local] == [
        "2024-03-04T08:25",
        "2024-03-11T08:25",
        "2024-03-11T08:25",
        "2024-03-11T08:25",
        "2024-03-18T08:25",
    ]
    assert set(found.observations["release_basis"]) == {"publication_lag"}


def test_what_is_asked_for() -> None:
    client = Replayed({ANNUAL: EMPTY})
    fetched("bcb_focus", [toy("Câmbio/0", id="THIS"), toy("Câmbio/1", id="NEXT")], client, MARCH)
    (request,) = client.asked
    assert request.path == ANNUAL
    assert dict(request.params) == {
        "$format": "json",
        "$select": "Data,DataReferencia,baseCalculo,Mediana",
        "$filter": "Indicador eq 'Câmbio' and baseCalculo eq 0 and Data ge '2024-03-01' and Data le '2024-03-31'",
        "$orderby": "Data asc,DataReferencia asc",
        "$top": "10000",
        "$skip": "0",
    }
    assert "$filter=Indicador%20eq%20'C%C3%A2mbio'%20and%20baseCalculo%20eq%200" in request.target


def test_smoothed_and_unsmoothed_are_told_apart_by_the_service() -> None:
    where = {"Suavizada": "S", "baseCalculo": "0"}
    series = toy("IPCA", "ExpectativasMercadoInflacao12Meses", where=where)
    client = Replayed({f"{SERVICE}/ExpectativasMercadoInflacao12Meses": EMPTY})
    fetched("bcb_focus", series, client, MARCH)
    asked = dict(client.asked[0].params)
    assert "Indicador eq 'IPCA' and Suavizada eq 'S' and baseCalculo eq 0 and" in asked["$filter"]
    assert asked["$select"] == "Data,Suavizada,baseCalculo,Mediana"
    assert asked["$orderby"] == "Data asc"


def test_a_service_that_ignores_the_page_is_found_out() -> None:
    client = Replayed({ANNUAL: fixture("bcb_focus_annual.json")})
    found = fetched("bcb_focus", toy("IPCA/0"), client, MARCH)
    assert "got the same page again: $skip is ignored" in found.failures["TOY"]
    assert len(client.asked) == 2


def test_a_row_on_two_pages_is_refused() -> None:
    page = b'{"value":[{"Data":"2024-03-01","DataReferencia":"2024","baseCalculo":0,"Mediana":3.8}]}'
    other = page.replace(b"3.8", b"3.9")
    found = fetched("bcb_focus", toy("IPCA/0"), PageByPage(page, other), MARCH)
    assert "expected one row per survey day, got several for 2024-03-01" in found.failures["TOY"]


def test_a_series_without_a_selector_is_refused() -> None:
    found = fetched("bcb_focus", toy_series("bcb_focus", "IPCA/0"), {}, MARCH)
    assert "series TOY needs a `dataset` and a `selector`" in found.failures["TOY"]


def test_of_monthly_forecasts_the_survey_s_month_and_those_after_it_are_told_apart() -> None:
    rows = [("12/2023", 1.0), ("03/2024", 2.0), ("04/2024", 3.0), ("03/2025", 4.0)]
    body = surveys(*(survey("2024-03-01", month, str(median)) for month, median in rows))
    for ahead, expected in {"-3": 1.0, "0": 2.0, "1": 3.0, "12": 4.0}.items():
        found = fetched("bcb_focus", toy(f"IPCA/{ahead}", "ExpectativaMercadoMensais"), PageByPage(body), MARCH)
        assert found.observations["value"].to_list() == [expected]
    wrong = PageByPage(surveys(survey("2024-03-01", "2024")))
    found = fetched("bcb_focus", toy("IPCA/0", "ExpectativaMercadoMensais"), wrong, MARCH)
    assert "expected a month like 03/2026 in 'DataReferencia', got '2024'" in found.failures["TOY"]


def test_series_of_the_catalog_share_requests() -> None:
    series = default_catalog().series_of("bcb_focus")
    asks = list(bcb_focus.plan(series, Window(today=date(2026, 11, 20))))
    assert len(asks) == 6
    assert all(s.publication_lag.time == time(9) for s in series)


def test_days_named_as_late_have_the_day_that_is_given() -> None:
    series = toy("IPCA/0")
    late = series.publication_lag.model_copy(update={"late": {date(2024, 3, 1): date(2024, 3, 26)}})
    rows = ",".join(
        f'{{"Data":"{d}","DataReferencia":"2024","baseCalculo":0,"Mediana":3.5}}' for d in ("2024-03-01", "2024-03-04")
    )
    pages = PageByPage(f'{{"value":[{rows}]}}'.encode())
    found = fetched("bcb_focus", series.model_copy(update={"publication_lag": late}), pages, MARCH)
    local = found.observations["release_time"].dt.convert_time_zone("America/Sao_Paulo")
    assert [t.isoformat()[:16] for t in local] == ["2024-03-26T08:25", "2024-03-11T08:25"]


def is_of_another_form(recording: Recording) -> bool:
    return recording.query.get("$format", "json") != "json"


@each_recording("bcb_focus")
def test_labels_of_a_recording_are_kept(recording: Recording) -> None:
    if (
        recording.status != 200
        or not re.search("odata/Expectativas?Mercado", recording.url)
        or is_of_another_form(recording)
    ):
        pytest.skip("no survey in the form that is asked for")
    rows = json.loads(recording.body)["value"]
    if not rows:
        pytest.skip("no rows")
    labels = [k for k, v in rows[0].items() if isinstance(v, str)]
    survey = read_survey(recording.response, ("Data", *labels))
    for label in labels:
        assert survey[label].to_list() == [r[label] for r in rows]
    median = next(k for k in rows[0] if k.lower() == "mediana")
    assert survey["value"].to_list() == [r[median] for r in rows]


@each_recording("bcb_focus")
def test_a_recorded_survey_goes_through_the_connector(recording: Recording) -> None:
    """Each way the recorded rows can be told apart is a series of its own."""
    name = recording.url.rpartition("/")[2]
    if recording.status != 200 or name not in ("ExpectativasMercadoInflacao12Meses", "ExpectativasMercadoAnuais"):
        pytest.skip("no entity set of the catalog's")
    if is_of_another_form(recording) or not json.loads(recording.body)["value"]:
        pytest.skip("another form, or no rows")
    rows = pl.DataFrame(json.loads(recording.body)["value"])
    if "DataReferencia" in rows.columns:
        # In January the year that has just ended is still asked about, which no series counts from the survey's year.
        rows = rows.filter(pl.col("DataReferencia") >= pl.col("Data").str.head(4))
    told = [c for c in ("Suavizada", "baseCalculo") if c in rows.columns]
    days = rows["Data"].sort()
    window = Window(date.fromisoformat(days[0]), date.fromisoformat(days[-1]), date(2026, 11, 20))
    read = 0
    for where in rows.select(told).unique().iter_rows(named=True):
        for ahead in range(8) if "DataReferencia" in rows.columns else [None]:
            code = rows["Indicador"][0] if ahead is None else f"{rows['Indicador'][0]}/{ahead}"
            series = toy(code, name, where={k: str(v) for k, v in where.items()})
            found = fetched("bcb_focus", series, PageByPage(recording.body), window)
            assert found.failures == {}
            read += found.observations.height
    assert read == rows.unique([*told, *(c for c in ("Data", "DataReferencia") if c in rows.columns)]).height
