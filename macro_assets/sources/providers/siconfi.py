"""Siconfi, the accounts of Brazil's public sector: the federal government's budget reports by year.

An answer is `{"items": [{"exercicio": 2025, "periodo": 6, "cod_ibge": 1, "anexo": "RREO-Anexo 01", "coluna": "...",
"cod_conta": "...", "valor": 1.5, ...}], "hasMore": false, "limit": 5000, "offset": 0, "count": 869}`; while there is
more, the next page begins after the rows so far. The budget report (RREO) is of two months and counts from January:
its sixth is the year. A government that has not reported yet has no items. One request a second is allowed.
Source: https://apidatalake.tesouro.gov.br/docs/siconfi/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, needed, read_json, records, refuse_repeated
from macro_assets.sources.cells import finite
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.rows import combined

_UNION = "1"
_LAST = "6"
_LABELS = ("exercicio", "periodo", "cod_ibge", "anexo", "coluna", "cod_conta")


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One request per annex of the report and year: `code` is the annex; the selector names account and column."""
    annexes: dict[str, list[Series]] = {}
    for one in series:
        annexes.setdefault(one.code, []).append(one)
    for annex, same in annexes.items():
        yield Ask(tuple(same), _steps(annex, same, window))


def _steps(annex: str, series: Sequence[Series], window: Window) -> Steps:
    """The report of a year comes when the year is over, so the open year is not asked for."""
    answers: list[Answer] = []
    first = min(map(window.begin, series))
    for year in range(first.year + (first > date(first.year, 1, 1)), min(window.end.year + 1, window.today.year)):
        offset, more = 0, True
        while more:
            query = (
                ("an_exercicio", str(year)),
                ("nr_periodo", _LAST),
                ("co_tipo_demonstrativo", "RREO"),
                ("no_anexo", annex),
                ("co_esfera", "U"),
                ("id_ente", _UNION),
                ("offset", str(offset)),
            )
            response = yield Request("/rreo", query)
            if offset:
                refuse_repeated(response, answers)
            items, more = read_items(response)
            _same(items, {"exercicio": str(year), "periodo": _LAST, "cod_ibge": _UNION, "anexo": annex})
            answers.append(read_each(response, series, lambda one, items=items: _cells(items, one)))  # type: ignore[misc]
            offset += items.height
    return answers


def read_items(response: Response) -> tuple[pl.DataFrame, bool]:
    """A page of accounts, and whether there are more.

    Returns
    -------
    pl.DataFrame
        Labels as text, `observation_date` (first day of the year) and `value` in reais.
    bool
        What the service says of further pages.
    """
    document = read_json(response)
    rows, more = member(document, "items", of=list), member(document, "hasMore", of=bool)
    if more and not rows:
        raise SchemaError("expected items on a page that is not the last, got none")
    table = records(rows, _LABELS)
    if (odd := table.filter(~pl.col("exercicio").str.contains(r"^\d{4}$").fill_null(False))).height:
        raise SchemaError(f"expected a year in 'exercicio', got {odd['exercicio'][0]!r}")
    values = finite([member(row, "valor", of=(int, float, type(None))) for row in rows], "valor")
    return table.with_columns(observation_date=pl.date(pl.col("exercicio").cast(pl.Int32), 1, 1), value=values), more


def _same(items: pl.DataFrame, asked: dict[str, str]) -> None:
    for name, wanted in asked.items():
        if (odd := items.filter(pl.col(name).ne_missing(wanted))).height:
            raise SchemaError(f"expected {name!r} to be {wanted!r} in every item, got {odd[name][0]!r}")


def _cells(items: pl.DataFrame, series: Series) -> pl.DataFrame:
    if series.selector is None:
        raise SchemaError(f"series {series.id} needs a `selector` in the catalog: the answer has many accounts")
    needed(items, series.selector.where)
    chosen = items.filter(pl.lit(True), *(pl.col(name) == wanted for name, wanted in series.selector.where.items()))
    return combined(chosen.select("observation_date", "value"), series.selector, series.id)
