"""IBGE's tables: synthetic answers in their form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from macro_assets.catalog import Selector, Series, default_catalog
from macro_assets.sources.errors import SchemaError, TransientError
from macro_assets.sources.protocol import Window
from macro_assets.sources.providers import sidra
from macro_assets.sources.providers.sidra import read_table
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

QUERY = "t/7060/n1/all/v/63/c315/7170,7445"
PATH = f"/values/{QUERY}/p/202311-202312"
YEAR_END = Window(date(2023, 11, 1), date(2023, 12, 31), date(2026, 11, 20))
ONE = "/values/t/1/n1/all/v/1/p/202311-202312"


def toy(group: str, **facts: object) -> Series:
    where = {"Variável (Código)": "63", "Grupo (Código)": group}
    selector = Selector(where=where, date="Mês (Código)", value="Valor", meaning="month")
    plain = {"frequency": "M", "provider_unit": "%", "first_year": 2020, "selector": selector}
    return toy_series("sidra", QUERY, **{**plain, **facts})


def alone(**facts: object) -> Series:
    return toy_series(
        "sidra", "t/1/n1/all/v/1", **{"frequency": "M", "provider_unit": "%", "first_year": 2020, **facts}
    )


def answer(*cells: tuple[object, object], label: str = "Mês", unit: str = "%") -> bytes:
    """A table of one cell per period; the period comes last, as in some tables."""
    header = {"V": "Valor", "MN": "Unidade de Medida", "D1C": "Variável (Código)", "D2C": f"{label} (Código)"}
    rows = [{"V": value, "MN": unit, "D1C": "1", "D2C": period} for period, value in cells]
    return json.dumps([header, *rows]).encode()


UNASKED = r"/(h/n|f/[cnu])(/|\?|$)"


CONTRACT = Contract(
    good=Good(
        alone(),
        ONE,
        answer(("202311", "1.5"), ("202312", "-1.5")),
        rows=((date(2023, 11, 1), 1.5), (date(2023, 12, 1), -1.5)),
        figure=b'"1.5"',
        missing=(b'"..."', b'".."', b'"X"'),
        days=(b"202311", b"202312"),
        window=YEAR_END,
        refused=(
            (b"[]", "expected a header"),
            (b'{"V":"Valor"}', "expected '' to be list, got dict"),
            (b'[{"V":"Valor","D1C":"X (C)"},{"V":"1","D1C":"2"}]', "expected a column of periods"),
            (b'[{"V":"1.2","D2C":"202311"}]', "expected a header with 'V' = 'Valor'"),
            (b'[{"V":"Valor","A":"Ano (C\xc3\xb3digo)","B":"Ano (C\xc3\xb3digo)"}]', "labels of their own"),
            (answer(("202311", "1,5")), "expected a number in 'Valor', got '1,5'"),
            (answer(("202311", "")), "expected a number in 'Valor', got ''"),
            (answer(("202311", 1.5)), "expected text in 'V', got 1.5"),
            (answer(("202311", None)), "expected text in 'V', got None"),
            (answer(("202313", "1")), "expected a period like 202001 in 'Mês (Código)', got '202313'"),
            (answer(("2023", "1")), "expected a period like 202001 in 'Mês (Código)', got '2023'"),
            (answer(("nov/23", "1")), "got 'nov/23'"),
            (answer((None, "1")), "expected a period in 'Mês (Código)', got null"),
            (answer(("202311", "1"), ("202311", "2")), "expected one row for 2023-11-01, got several"),
            (answer(("202304", "1"), label="Trimestre"), "expected frequency M, got 'Q'"),
            (answer(("202311", "1"), unit="Reais"), "expected the unit '%', got 'Reais'"),
            (b'[{"V":"Valor","D2C":"M\xc3\xaas (C\xc3\xb3digo)"},{"V":"1"}]', "expected the fields"),
            ((400, b'"Par\xc3\xa2metro inv\xc3\xa1lido"'), "HTTP 400: the request was refused"),
        ),
        empty=(answer(),),
    ),
    asks=lambda s: (f"/values/{s.code}/p/",),
    errors=(
        (200, b"<!DOCTYPE html>", TransientError),
        (400, b"more than 50000 values", SchemaError),
        (200, b"[]", None),
    ),
    recorded=Recorded(
        "sidra",
        readers={r"/values/t/\d+/": read_table},
        no_series={
            UNASKED: "a form without a header, codes or units, which is not asked for",
            r"^(?!.*/values/)": "another service, or descriptions of tables",
        },
        expected={"table-5459-2.json": 2, "table-5459-4.json": 4},
        count=lambda body: len(json.loads(body)) - 1,
        plausible=lambda rows: rows["observation_date"].is_between(date(1900, 1, 1), date(2100, 1, 1)).all(),
    ),
)


def test_series_of_a_query_are_read_from_one_answer() -> None:
    both = [toy("7170", id="FOOD"), toy("7445", id="HOUSING")]
    found = fetched("sidra", both, {PATH: fixture("sidra_groups.json")}, YEAR_END)
    assert found.failures == {}
    rows = found.observations.sort("series_id", "observation_date")
    assert rows["observation_date"].to_list() == [date(2023, 11, 1), date(2023, 12, 1)] * 2
    assert rows["value"].to_list() == [0.70, -0.25, 0.0, None]
    assert len(found.responses) == 1


@pytest.mark.parametrize(("text", "value"), [("-", 0.0), ("...", None), ("..", None), ("X", None), ("-1.5", -1.5)])
def test_marks_of_the_office(text: str, value: float | None) -> None:
    found = fetched("sidra", alone(), {ONE: answer(("202311", text))}, YEAR_END)
    assert found.failures == {}
    assert found.observations["value"].to_list() == [value]


@pytest.mark.parametrize(
    ("frequency", "label", "path", "code", "day"),
    [
        ("M", "Mês", "202311-202312", "202311", date(2023, 11, 1)),
        ("M", "Trimestre Móvel", "202311-202312", "202312", date(2023, 12, 1)),
        ("Q", "Trimestre", "202304-202304", "202304", date(2023, 10, 1)),
        ("A", "Ano", "2023-2023", "2023", date(2023, 1, 1)),
    ],
)
def test_periods_by_the_dimensions_name(frequency: str, label: str, path: str, code: str, day: date) -> None:
    window = Window(date(2023, 10, 1) if frequency != "M" else date(2023, 11, 1), date(2023, 12, 31))
    client = Replayed({f"/values/t/1/n1/all/v/1/p/{path}": answer((code, "1.5"), label=label)})
    whole = Window(date(2023, 1, 1), date(2023, 12, 31)) if frequency == "A" else window
    found = fetched("sidra", alone(frequency=frequency), client, whole)
    assert found.failures == {}
    assert found.observations["observation_date"].to_list() == [day]


def test_half_years_are_read_but_belong_to_no_series() -> None:
    body = answer(("202302", "6"), label="Semestre")
    response = Replayed({"/x": body}).get(sidra.Request("/x"))
    assert read_table(response)["observation_date"].to_list() == [date(2023, 7, 1)]
    found = fetched("sidra", alone(), {ONE: body}, YEAR_END)
    assert "expected frequency M, got ''" in found.failures["TOY"]


@pytest.mark.parametrize(
    ("window", "span"),
    [
        (Window(None, None, date(2026, 11, 20)), "all"),  # a range must not begin before the table does
        (Window(date(2020, 1, 1), date(2020, 12, 31), date(2026, 11, 20)), "all"),
        (Window(date(2020, 2, 1), None, date(2026, 11, 20)), "202002-202611"),
        (Window(date(2024, 5, 3), date(2024, 5, 9), date(2026, 11, 20)), "202405-202405"),
    ],
)
def test_what_is_asked_for(window: Window, span: str) -> None:
    client = Replayed({})
    fetched("sidra", alone(), client, window)
    assert [r.target for r in client.asked] == [f"/values/t/1/n1/all/v/1/p/{span}"]
    assert client.asked[0].params == ()


def test_no_request_is_of_more_than_fifty_thousand_values() -> None:
    codes = ",".join(str(n) for n in range(5000))
    series = alone(first_year=2024).model_copy(update={"code": f"t/1/n1/all/v/1,2/c1/{codes}"})
    client = Replayed({f"/values/{series.code}/p/202401-202405": answer(), "/": b""})
    (ask,) = sidra.plan([series], Window(today=date(2024, 12, 31)))
    spans = [next(ask.steps).path.rpartition("/p/")[2]]
    spans += [ask.steps.send(client.get(sidra.Request(f"/values/{series.code}/p/202401-202405"))).path[-13:]]
    spans += [ask.steps.send(client.get(sidra.Request(f"/values/{series.code}/p/202401-202405"))).path[-13:]]
    assert spans == ["202401-202405", "202406-202410", "202411-202412"]


def test_a_query_that_cannot_be_counted_or_cut_is_refused() -> None:
    for code, says in [
        ("t/1/n1/all/v/all", "asks for all of 'v'"),
        (f"t/1/n1/all/v/{','.join(map(str, range(300)))}/c1/{','.join(map(str, range(300)))}", "90000 values"),
    ]:
        found = fetched("sidra", alone().model_copy(update={"code": code}), {}, YEAR_END)
        assert says in found.failures["TOY"], found.failures


def test_a_series_in_another_unit_fails_alone() -> None:
    both = [toy("7170", id="FOOD"), toy("7445", id="HOUSING", provider_unit="Reais")]
    body = fixture("sidra_groups.json")
    found = fetched("sidra", both, {PATH: body}, YEAR_END)
    assert set(found.observations["series_id"]) == {"FOOD"}
    assert "expected the unit 'Reais', got '%'" in found.failures["HOUSING"]


def test_every_query_of_the_catalog_can_be_asked() -> None:
    series = default_catalog().series_of("sidra")
    asks = list(sidra.plan(series, Window(today=date(2026, 11, 20))))
    for ask in asks:
        path = next(ask.steps).path
        assert re.fullmatch(r"/values/t/\d+/n1/all/v/[\d,]+(/c\d+/[\d,]+)*/p/all", path), path
        codes = path.split("/")
        for one in ask.series:
            for code in one.selector.where.values() if one.selector else ():
                assert any(code in part.split(",") for part in codes), one.id


def test_series_of_which_the_tables_are_a_holder_can_be_asked() -> None:
    catalog = default_catalog()
    served = [s.at(h) for s in catalog.series.values() for h in s.holders if h.source == "sidra"]
    assert {s.id for s in served} == {"BR_IPCA_MOM", "BR_IPCA_YOY", "BR_UNEMPLOYMENT"}
    for one in served:
        assert one.provider_unit == "%"
        (ask,) = sidra.plan([one], Window(today=date(2026, 11, 20)))
        assert next(ask.steps).path.startswith(f"/values/{one.code}/p/")


@each_recording("sidra")
def test_cells_of_a_recording_become_series(recording: Recording) -> None:
    """Every way the recorded rows can be told apart is a series; half years get the place of a known frequency."""
    if recording.status != 200 or "/values/" not in recording.url or re.search(UNASKED, recording.url):
        pytest.skip("no table in the form that is asked for")
    table = read_table(recording.response)
    codes = [c for c in table.columns if c.endswith("(Código)")]
    told = [c for c in codes if table[c].n_unique() > 1 and c.split(" (")[0] not in sidra._PERIODS]
    read = 0
    for where in table.select(*told, "Unidade de Medida", "frequency").unique().iter_rows(named=True):
        unit, frequency = where.pop("Unidade de Medida"), where.pop("frequency")
        selector = Selector(where=where, date="period", value="Valor", meaning="period")
        series = toy_series("sidra", "t/1", frequency=frequency or "M", provider_unit=unit, selector=selector)
        read += sidra._cell(table.with_columns(frequency=sidra.pl.lit(series.frequency)), series).height
    assert read == table.height
