"""Tesouro Direto: rates and prices at which Brazil's Treasury deals in bonds with households.

The history is one CSV of some 14 MB with every bond and day since 2002, in no order: semicolons, decimal commas,
DD/MM/YYYY, Latin-1; a series picks its bond by `Tipo Titulo` and `Data Vencimento`. Rates are percent per annum:
nominal for Prefixado, over the IPCA for IPCA+, the spread over Selic for Tesouro Selic.
Source: https://www.tesourotransparente.gov.br/ckan/dataset/taxas-dos-titulos-ofertados-pelo-tesouro-direto

The shop's own file has the quotes of the moment without a date ("IPCA + 8.08%", "R$ 4.309,86"): they count for the
weekday on which they were fetched, Brasília time. It is a series' `dataset` rendimento-resgatar or rendimento-investir.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import read_csv
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.rows import select

_HISTORY = (
    "/ckan/dataset/df56aa42-484a-4a59-8184-7676580c81e3/resource/796d2059-14e9-44e3-80c9-2d9e30b405c1"
    "/download/precotaxatesourodireto.csv"
)
_COLUMNS = ("Tipo Titulo", "Data Vencimento", "Data Base")
_QUOTED = r"^(?:(?:IPCA|SELIC|IGP-?M|OUTRO)\s*([+-])\s*)?(-?\d+(?:[.,]\d+)?)\s*%$"
"""What comes before the rate is no guide (a day's file had "IGPM +" before most): the title says what it is over.

The decimal sign differs between columns of a row.
"""


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One file for all series of a data set."""
    files: dict[str | None, list[Series]] = {}
    for one in series:
        files.setdefault(one.dataset, []).append(one)
    for name, same in files.items():
        yield Ask(tuple(same), _history(same) if name is None else _quotes(name, same))


def _history(series: Sequence[Series]) -> Steps:
    response = yield Request(_HISTORY)
    table = read_history(response)
    return [read_each(response, series, lambda one: select(table, one, ("",), "%d/%m/%Y", decimal=","))]


def _quotes(name: str, series: Sequence[Series]) -> Steps:
    response = yield Request(f"/documents/d/guest/{name}-csv", (("download", "true"),))
    table = read_quotes(response).with_columns(pl.col("observation_date", "value").cast(pl.String))
    return [read_each(response, series, lambda one: select(table, one))]


def read_history(response: Response) -> pl.DataFrame:
    """The file of the history as a table of text."""
    return read_csv(response, _COLUMNS, separator=";", encoding="latin-1", quote_char=None)


def read_quotes(response: Response) -> pl.DataFrame:
    """The shop's quotes of the moment.

    Returns
    -------
    pl.DataFrame
        `title` and `maturity` (DD/MM/YYYY) of the bond, as text, `observation_date`, and `value`: its rate in percent
        per annum, over the IPCA or Selic where the title says so.
    """
    columns = ("Título", "Rendimento anual do título", "Vencimento do Título")
    table = read_csv(response, columns, separator=";", quote_char=None)
    title, rate, maturity = map(pl.col, columns)
    parts = rate.str.strip_chars().str.to_uppercase().str.extract_groups(_QUOTED).struct
    found = table.select(
        title=title.str.strip_chars(),
        maturity=maturity.str.strip_chars(),
        observation_date=pl.lit(_weekday(response)),
        sign=parts.field("1"),
        size=parts.field("2").str.replace(",", ".", literal=True),
    )
    dates(table[columns[2]], "%d/%m/%Y")
    written = table[columns[1]]
    if (odd := written.filter(found["size"].is_null())).len():
        raise SchemaError(f"expected a rate like '14.34%' or 'IPCA + 8.08%' in {written.name!r}, got {odd[0]!r}")
    size = numbers(found["size"].alias(written.name))
    return found.select(
        "title", "maturity", "observation_date", value=pl.when(pl.col("sign") == "-").then(-size).otherwise(size)
    )


def _weekday(response: Response) -> date:
    """The day quotes are of: that of the fetch, or Friday at a weekend."""
    day = response.fetched_at.astimezone(ZoneInfo("America/Sao_Paulo")).date()
    return day - timedelta(days=max(day.weekday() - 4, 0))
