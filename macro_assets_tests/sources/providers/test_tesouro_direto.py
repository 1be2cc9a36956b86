"""Tesouro Direto's files: synthetic ones in their form, and the recorded ones."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import polars as pl
import pytest

from macro_assets.catalog import Selector, Series, default_catalog
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.protocol import Request, Response
from macro_assets.sources.providers import tesouro_direto
from macro_assets.sources.providers.tesouro_direto import read_history, read_quotes
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import Recorded, Recording, each_recording, fetched, fixture, toy_series

PATH = tesouro_direto._HISTORY
SHOP = "/documents/d/guest/rendimento-resgatar-csv"
HEAD = b"Tipo Titulo;Data Vencimento;Data Base;Taxa Compra Manha\n"


def toy(title: str = "Tesouro Teste", maturity: str = "01/01/2040", **facts: object) -> Series:
    where = {"Tipo Titulo": title, "Data Vencimento": maturity}
    selector = Selector(where=where, date="Data Base", value="Taxa Compra Manha", meaning="day of the quotation")
    return toy_series("tesouro_direto", title, selector=selector, **facts)


def quoted(title: str, maturity: str = "01/01/2040", **facts: object) -> Series:
    where = {"title": title, "maturity": maturity}
    selector = Selector(where=where, date="observation_date", value="value", meaning="weekday of the fetch")
    return toy_series("tesouro_direto_shop", title, dataset="rendimento-resgatar", selector=selector, **facts)


def _history(response: Response) -> pl.DataFrame:
    table = read_history(response)
    return pl.DataFrame(
        {
            "observation_date": dates(table["Data Base"], "%d/%m/%Y"),
            "value": numbers(table["Taxa Compra Manha"], ("", None), decimal=","),
        }
    )


CONTRACT = Contract(
    good=Good(
        toy(),
        PATH,
        fixture("tesouro_direto_history.csv"),
        rows=((date(2024, 1, 3), None), (date(2024, 1, 4), 6.05), (date(2024, 1, 5), 6.10)),
        figure=b"6,05",
        missing=(b"",),
        days=(b"04/01/2024", b"05/01/2024"),
        refused=(
            (b"Tipo Titulo;Data Vencimento;Data;Taxa Compra Manha\n", "expected the column 'Data Base'"),
            (
                b"Tipo Titulo;Data Vencimento;Data Base;Taxa\nTesouro Teste;01/01/2040;02/01/2024;1\n",
                "'Taxa Compra Manha'",
            ),
            (HEAD + b"Tesouro Teste;01/01/2040;2024-01-02;6,1\n", "expected a date like %d/%m/%Y in 'Data Base'"),
            (HEAD + b"Tesouro Teste;01/01/2040;02/01/2024;6.1.2\n", "expected a number in 'Taxa Compra Manha'"),
            (
                HEAD + b"Tesouro Teste;01/01/2040;02/01/2024;6,1\nTesouro Teste;01/01/2040;02/01/2024;6,2\n",
                "expected one row for 2024-01-02, got several",
            ),
        ),
    ),
    asks=lambda s: (PATH if s.source == "tesouro_direto" else f"{SHOP}?",),
    recorded=Recorded(
        "tesouro_direto",
        readers={r"(?i)precotaxatesourodireto\.csv": _history, r"rendimento-\w+-csv": read_quotes},
        no_series={
            r"/api/3/action/": "the catalogue of files",
            r"(?i)^(?!.*(precotaxatesourodireto\.csv|rendimento-\w+-csv))": "other files, as of sales, or pages",
        },
        expected={"preco-taxa-2026-excerpt.csv": 3},
        count=lambda body: sum(1 for line in body.splitlines() if line.strip()) - 1,
        plausible=lambda rows: rows["value"].drop_nulls().is_between(-5, 60).all(),
    ),
)


@pytest.mark.parametrize("source", ["tesouro_direto", "tesouro_direto_shop"])
def test_every_series_of_the_catalog_names_its_bond(source: str) -> None:
    for one in default_catalog().series_of(source):
        assert one.selector is not None
        assert one.code == " ".join(one.selector.where.values())


def test_bonds_are_told_apart_by_title_and_maturity() -> None:
    both = [toy(), toy("Tesouro Selic", "01/03/2041", id="SELIC")]
    found = fetched("tesouro_direto", both, {PATH: fixture("tesouro_direto_history.csv")})
    assert found.failures == {}
    rows = found.observations.sort("series_id", "observation_date")
    assert rows["series_id"].to_list() == ["SELIC", "TOY", "TOY", "TOY"]
    assert rows["observation_date"].to_list() == [date(2024, 1, 4), *(date(2024, 1, d) for d in (3, 4, 5))]
    assert rows["value"].to_list() == [-0.02, None, 6.05, 6.10]
    assert len(found.responses) == 1


def test_a_bond_that_is_not_there_fails_alone() -> None:
    both = [toy(), toy("Tesouro Nenhum", id="NONE")]
    found = fetched("tesouro_direto", both, {PATH: fixture("tesouro_direto_history.csv")})
    assert set(found.observations["series_id"]) == {"TOY"}
    assert "no row of the answer has {'Tipo Titulo': 'Tesouro Nenhum'" in found.failures["NONE"]


class _Shop:
    """Answers with the shop's file at some moment."""

    def __init__(self, body: bytes, at: datetime) -> None:
        self.body, self.at = body, at
        self.asked: list[Request] = []

    def get(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(request.target, self.body, self.at, 200)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 8, 21, 15, tzinfo=UTC), date(2026, 8, 21)),
        (datetime(2026, 8, 22, 2, tzinfo=UTC), date(2026, 8, 21)),  # still Friday in Brasília
        (datetime(2026, 8, 23, 15, tzinfo=UTC), date(2026, 8, 21)),  # Sunday
        (datetime(2026, 8, 24, 15, tzinfo=UTC), date(2026, 8, 24)),
    ],
)
def test_quotes_count_for_the_weekday_of_the_fetch(at: datetime, day: date) -> None:
    both = [
        quoted("Tesouro Teste"),
        quoted("Tesouro Prefixado", "01/01/2031", id="FIXED"),
        quoted("Tesouro Selic", "01/03/2041", id="SELIC"),
    ]
    client = _Shop(fixture("tesouro_direto_quotes.csv"), at)
    found = fetched("tesouro_direto_shop", both, client)
    assert found.failures == {}
    rows = found.observations.sort("series_id")
    assert rows["value"].to_list() == [11.05, -0.0125, 6.20]
    assert rows["observation_date"].to_list() == [day] * 3
    assert [r.target for r in client.asked] == [f"{SHOP}?download=true"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Tesouro Teste;INCC + 6.20%;R$ 1,00;01/01/2040", "expected a rate like '14.34%' or 'IPCA + 8.08%'"),
        ("Tesouro Teste;6.20;R$ 1,00;01/01/2040", "got '6.20'"),
        ("Tesouro Teste;6.20%;R$ 1,00;2040-01-01", "expected a date like %d/%m/%Y in 'Vencimento do Título'"),
    ],
)
def test_bad_quotes_are_refused(line: str, says: str) -> None:
    head = "Título;Rendimento anual do título;Preço unitário de resgate;Vencimento do Título"
    found = fetched("tesouro_direto_shop", quoted("Tesouro Teste"), {SHOP: f"{head}\n{line}\n".encode()})
    assert says in found.failures["TOY"], found.failures


@pytest.mark.parametrize(
    ("rate", "value"),
    [("IGPM + 7,25%", 7.25), ("IGP-M + 8,10%", 8.1), ("OUTRO + 6,05%", 6.05), ("IGPM - 0,0150%", -0.015)],
)
def test_a_quote_may_name_another_index_than_its_title(rate: str, value: float) -> None:
    head = "Título;Rendimento anual do título;Investimento mínimo;Preço unitário de investimento;Vencimento do Título"
    body = f"{head}\nTesouro Teste;{rate};R$ 1,00;R$ 100,00;01/01/2040".encode()
    found = fetched("tesouro_direto_shop", quoted("Tesouro Teste"), {SHOP: body})
    assert found.failures == {}
    assert found.observations["value"].to_list() == [value]


@each_recording("tesouro_direto")
def test_bonds_of_a_recording_are_series(recording: Recording) -> None:
    if recording.status != 200 or not re.search(r"(?i)precotaxatesourodireto|rendimento-\w+-csv", recording.url):
        pytest.skip("no file of the connector's form")
    if "precotaxa" in recording.url.lower():
        table = read_history(recording.response)
        bonds = table.select("Tipo Titulo", "Data Vencimento").unique().rows()
        series = [toy(*bond, id=f"TOY{n}") for n, bond in enumerate(bonds)]
        found = fetched("tesouro_direto", series, {PATH: recording.body})
    else:
        table = read_quotes(recording.response)
        bonds = table.select("title", "maturity").unique().rows()
        series = [quoted(*bond, id=f"TOY{n}") for n, bond in enumerate(bonds)]
        found = fetched("tesouro_direto_shop", series, {SHOP: recording.body})
    assert found.failures == {}
    assert found.observations.height == table.height
