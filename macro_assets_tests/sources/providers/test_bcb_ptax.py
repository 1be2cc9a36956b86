"""The central bank's exchange rates: synthetic answers in their form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime

import polars as pl
import pytest

from macro_assets.catalog import Selector, Series, default_catalog
from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.providers import bcb_ptax
from macro_assets.sources.providers.bcb_ptax import read_quotes
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

SERVICE = "/olinda/servico/PTAX/versao/v1/odata"
DOLLAR = f"{SERVICE}/CotacaoDolarPeriodo(dataInicial=@dataInicial,dataFinalCotacao=@dataFinalCotacao)"
OTHER = f"{SERVICE}/CotacaoMoedaPeriodo(moeda=@moeda,dataInicial=@dataInicial,dataFinalCotacao=@dataFinalCotacao)"
MARCH = Window(date(2024, 3, 1), date(2024, 3, 31), date(2026, 11, 20))


def toy(currency: str, rate: str = "cotacaoVenda", **facts: object) -> Series:
    selector = Selector(date="dataHoraCotacao", value=rate, meaning="closing bulletin")
    return toy_series("bcb_ptax", currency, selector=selector, first_year=2000, **facts)


def answer(*rows: str) -> bytes:
    return f'{{"@odata.context":"x","value":[{",".join(rows)}]}}'.encode()


GOOD = '"cotacaoCompra":5.2,"cotacaoVenda":5.3'


def target(first: str, last: str) -> str:
    """What is asked of the dollar."""
    span = f"@dataInicial='{first}'&@dataFinalCotacao='{last}'"
    return f"{DOLLAR}?{span}&$format=json&$select=cotacaoCompra,cotacaoVenda,dataHoraCotacao"


def quote(day: str, rate: float = 5.3) -> bytes:
    return answer(f'{{"cotacaoCompra":5.2,"cotacaoVenda":{rate},"dataHoraCotacao":"{day} 13:00:00.0"}}')


def rates(response: Response) -> pl.DataFrame:
    quotes = read_quotes(response)
    return quotes.rename({next(n for n in bcb_ptax.RATES if n in quotes.columns): "value"})


def days(body: bytes) -> int:
    rows = json.loads(body)["value"]
    closing = [r for r in rows if str(r.get("tipoBoletim", "Fechamento")).startswith("Fechamento")]
    return len({r["dataHoraCotacao"][:10] for r in closing})


CONTRACT = Contract(
    good=Good(
        toy("USD"),
        DOLLAR,
        quote("2024-03-01"),
        rows=((date(2024, 3, 1), 5.3),),
        figure=b"5.3",
        days=(b"2024-03-01",),
        window=MARCH,
        refused=(
            (b'/*{\n "codigo" : 500,\n "mensagem" : "Erro"\n}*/', "the service failed"),
            (b'/*{\n "codigo" : 400,\n "mensagem" : "The URI is malformed."\n}*/', "the request was refused"),
            (b'{"value":{}}', "expected 'value' to be list, got dict"),
            (b'{"values":[]}', "expected the member 'value'"),
            (answer('{"cotacaoCompra":5.2,"cotacaoVenda":5.3}'), "expected the member 'dataHoraCotacao'"),
            (answer(f'{{{GOOD},"dataHoraCotacao":"02/01/2024 13:00:00"}}'), "expected a time like"),
            (answer('{"cotacaoVenda":"5.3","dataHoraCotacao":"2024-03-01 13:00:00.0"}'), "to be float or int"),
            (
                answer('{"cotacaoCompra":5.2,"dataHoraCotacao":"2024-03-01 13:00:00.0"}'),
                "expected the field 'cotacaoVenda'",
            ),
            (
                answer(f'{{{GOOD},"dataHoraCotacao":"2024-03-01 13:00:00.0","tipoBoletim":"Abertura"}}', f"{{{GOOD}}}"),
                "expected the member 'tipoBoletim'",
            ),
            (
                answer(
                    f'{{{GOOD},"dataHoraCotacao":"2024-03-01 13:00:00.0"}}',
                    '{"cotacaoCompra":5.2,"dataHoraCotacao":"2024-03-02 13:00:00.0"}',
                ),
                "expected the member 'cotacaoVenda'",
            ),
        ),
    ),
    asks=lambda s: (DOLLAR if s.code == "USD" else f"{OTHER}?@moeda='{s.code}'",),
    pages=Pages(
        toy("USD"),
        {
            target("01-01-2010", "12-31-2014"): quote("2014-12-31", 2.5),
            target("01-01-2015", "06-30-2016"): quote("2016-06-30", 3.5),
        },
        rows=((date(2014, 12, 31), 2.5), (date(2016, 6, 30), 3.5)),
        window=Window(date(2010, 1, 1), None, date(2016, 6, 30)),
    ),
    recorded=Recorded(
        "bcb_ptax",
        readers={r"Cotacao(Moeda|Dolar)(Periodo|Dia)": rates},
        no_series={
            r"/Moedas": "the list of currencies",
            r"format=(text|application|xml|csv|html)": "the other forms of the service, which are not asked for",
            "^(?!.*Cotacao(Moeda|Dolar)(Periodo|Dia))": "no function with quotations by day",
        },
        expected={"usd-period-2024-01.json": 4},
        count=days,
        plausible=lambda rows: (
            rows["value"].is_between(0.0001, 100).all() and rows["observation_date"].is_unique().all()
        ),
    ),
)


def test_series_of_the_catalog_are_of_known_rates() -> None:
    series = default_catalog().series_of("bcb_ptax")
    assert {s.selector.value for s in series if s.selector} <= set(bcb_ptax.RATES)


def test_only_the_closing_bulletin_counts() -> None:
    both = [toy("EUR"), toy("EUR", "cotacaoCompra", id="PURCHASE")]
    found = fetched("bcb_ptax", both, {OTHER: fixture("bcb_ptax_euro.json")}, MARCH)
    assert found.failures == {}
    rows = found.observations.sort("series_id")
    assert rows["series_id"].to_list() == ["PURCHASE", "TOY"]
    assert rows["value"].to_list() == [5.14, 5.15]
    assert rows["observation_date"].to_list() == [date(2024, 3, 1)] * 2
    assert rows["release_time"].to_list() == [datetime(2024, 3, 1, 16, 7, 22, 123000, tzinfo=UTC)] * 2
    assert rows["release_basis"].to_list() == ["provider"] * 2
    assert len(found.responses) == 1


def test_a_rate_that_a_later_bulletin_leaves_out_is_that_of_the_bulletin_before() -> None:
    body = answer(
        '{"cotacaoCompra":5.2,"cotacaoVenda":5.3,"dataHoraCotacao":"2024-03-01 13:05:50.319"}',
        '{"cotacaoCompra":5.1,"cotacaoVenda":null,"dataHoraCotacao":"2024-03-01 13:09:50.319"}',
    )
    both = [toy("USD"), toy("USD", "cotacaoCompra", id="PURCHASE")]
    found = fetched("bcb_ptax", both, {DOLLAR: body}, MARCH).observations.sort("series_id")
    assert found["value"].to_list() == [5.1, 5.3]
    assert [t.minute for t in found["release_time"]] == [9, 5]


def test_without_bulletins_the_last_row_of_a_day_counts() -> None:
    body = answer(
        '{"cotacaoCompra":5.2,"cotacaoVenda":5.3,"dataHoraCotacao":"2024-03-01 13:05:50.319"}',
        '{"cotacaoCompra":5.0,"cotacaoVenda":5.1,"dataHoraCotacao":"2024-03-01 10:05:50.319"}',
    )
    found = fetched("bcb_ptax", toy("USD"), {DOLLAR: body}, MARCH)
    assert found.observations["value"].to_list() == [5.3]


def test_summer_time_of_the_past_is_known() -> None:
    body = answer('{"cotacaoCompra":1.9,"cotacaoVenda":2.0,"dataHoraCotacao":"2001-01-15 18:05:00.0"}')
    found = fetched("bcb_ptax", toy("USD"), {DOLLAR: body}, Window(date(2001, 1, 1), date(2001, 1, 31)))
    assert found.observations["release_time"].to_list() == [datetime(2001, 1, 15, 20, 5, tzinfo=UTC)]


def test_midnight_is_no_time_of_a_bulletin() -> None:
    body = answer('{"cotacaoCompra":1.9,"cotacaoVenda":2.0,"dataHoraCotacao":"2001-03-15 00:00:00.0"}')
    found = fetched("bcb_ptax", toy("USD"), {DOLLAR: body}, Window(date(2001, 3, 1), date(2001, 3, 31)))
    assert found.observations["observation_date"].to_list() == [date(2001, 3, 15)]
    assert found.observations["release_basis"].to_list() == ["provider"]
    assert found.observations["release_time"].to_list() == [datetime(2001, 3, 15, 23, 59, 59, 999999, tzinfo=UTC)]


def test_what_is_asked_for() -> None:
    client = Replayed({DOLLAR: answer(), OTHER: answer()})
    window = Window(date(2024, 1, 2), date(2024, 1, 31), date(2026, 11, 20))
    fetched("bcb_ptax", [toy("USD"), toy("GBP", id="POUND")], client, window)
    assert sorted(r.target for r in client.asked) == [
        f"{DOLLAR}?@dataInicial='01-02-2024'&@dataFinalCotacao='01-31-2024'&$format=json"
        "&$select=cotacaoCompra,cotacaoVenda,dataHoraCotacao",
        f"{OTHER}?@moeda='GBP'&@dataInicial='01-02-2024'&@dataFinalCotacao='01-31-2024'&$format=json"
        "&$select=cotacaoCompra,cotacaoVenda,dataHoraCotacao,tipoBoletim",
    ]


def test_a_series_says_which_rate() -> None:
    found = fetched("bcb_ptax", toy("USD", "paridadeVenda"), {DOLLAR: answer()}, MARCH)
    assert "needs one of ('cotacaoCompra', 'cotacaoVenda')" in found.failures["TOY"]


@each_recording("bcb_ptax")
def test_a_recorded_period_goes_through_the_connector(recording: Recording) -> None:
    if recording.status != 200 or "Periodo(" not in recording.url or recording.query.get("$format", "json") != "json":
        pytest.skip("no request of the connector's form")
    rows = json.loads(recording.body)["value"]
    if not rows:
        pytest.skip("no rows")
    stamps = sorted(r["dataHoraCotacao"] for r in rows)
    window = Window(date.fromisoformat(stamps[0][:10]), date.fromisoformat(stamps[-1][:10]), date(2026, 11, 20))
    currency = "USD" if "CotacaoDolar" in recording.url else "EUR"
    path = DOLLAR if currency == "USD" else OTHER
    assert re.search(r"(/olinda/.*?)(\(|$)", recording.url)[1] == path.split("(")[0]  # type: ignore[index]
    found = fetched("bcb_ptax", toy(currency), {path: recording.body}, window)
    assert found.failures == {}
    assert 0 < found.observations.height <= len(rows)
    times = found.observations["release_time"]
    assert (times.dt.convert_time_zone("America/Sao_Paulo").dt.date() == found.observations["observation_date"]).all()
