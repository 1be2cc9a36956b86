"""Tesouro Nacional, time series of the monthly result of the Treasury (RTN): the central government's cash accounts.

An answer is `{"registros": [{"data": "2026-05-01T00:00:00.000Z", "valor": -97894.6, "codigoSerie": "10.08.1", ...}],
"page": 1, "pageSize": 1000, "next": url, "status": "ok"}`, newest first, in million reais at current prices. `next` is
there after the last page too: a page that is not full is the last. Months are MM/YYYY in the request.
Source: https://www.tesourotransparente.gov.br/publicacoes/resultado-do-tesouro-nacional-rtn, series and their codes:
https://apiapex.tesouro.gov.br/aria/v1/series-temporais/custom/series
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, members, read_json, records, refuse_repeated
from macro_assets.sources.cells import dates, finite
from macro_assets.sources.errors import NotFoundError, SchemaError, quoted
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window

_PAGE = 1000


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One request per series: its `code` is that of the RTN, as 10.04.1; the part before the first dot is the theme."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    query = (
        ("tema", series.code.partition(".")[0]),
        ("codigo_da_serie", series.code),
        ("data_inicio", f"{window.begin(series):%m/%Y}"),
        ("data_fim", f"{window.end:%m/%Y}"),
        ("pageSize", str(_PAGE)),
    )
    answers: list[Answer] = []
    rows = _PAGE
    while rows == _PAGE:
        page = (("page", str(len(answers) + 1)),)
        response = yield Request("/v1/series-temporais/custom/resultado-fiscal", (*query, *page))
        refuse_repeated(response, answers)
        table = read_results(response)
        rows = table.height
        own = table.filter(pl.col("codigoSerie") == series.code).select("observation_date", "value")
        if table.height and not own.height:
            raise NotFoundError(f"the answer has rows, but none of {series.code!r}. Check the code in the catalog.")
        answers.append(Answer(response, own))
    return answers


def read_results(response: Response) -> pl.DataFrame:
    """A page of figures.

    Returns
    -------
    pl.DataFrame
        `observation_date`, `value` in million reais, `codigoSerie`.
    """
    document = read_json(response)
    if member(document, "status", of=str) != "ok":
        raise SchemaError(f"expected 'status' to be 'ok', the service says {quoted(response.body)}")
    if (size := member(document, "pageSize", of=int)) != _PAGE:
        raise SchemaError(f"expected pages of {_PAGE} rows, 'pageSize' is {size}: the last page cannot be told")
    rows = member(document, "registros", of=list)
    table = records(rows, ("data", "codigoSerie"))
    days = dates(table["data"])
    return pl.DataFrame(
        {
            "observation_date": days,
            "value": finite(members(rows, "valor", int, float, type(None)), "valor"),
            "codigoSerie": table["codigoSerie"],
        }
    )
