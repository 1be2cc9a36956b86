"""ANBIMA's feed of Brazilian prices: the estimated yield curves and indicative rates of federal bonds, as JSON.

`/feed/precos-indices/v1/titulos-publicos/curvas-juros?data=YYYY-MM-DD` answers `[{"data_referencia", "ettj":
[{"vertice_du": 252, "taxa_prefixadas": 10.1, "taxa_ipca": 5.2, ...}]}]`, by business days to maturity;
`.../mercado-secundario-TPF` a flat list of bonds. Percent per annum over 252 business days, from 20:00 in Brasilia.
Documentation: https://developers.anbima.com.br/en/precos-indices/apis-de-precos/titulos-publicos/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json, records
from macro_assets.sources.errors import SchemaError, SourceError, explain_status
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.rows import select

CURVES = "curvas-juros"
_DATE = "data_referencia"
_DAY = timedelta(days=1)
_SATURDAY = 5
_NOT_FOUND = 404


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One question per data set and weekday: `dataset` ends the path, the selector says which row and column."""
    for dataset in dict.fromkeys(s.dataset for s in series):
        wanted = tuple(s for s in series if s.dataset == dataset)
        yield Ask(wanted, _steps(str(dataset), wanted, window))


def _steps(dataset: str, series: tuple[Series, ...], window: Window) -> Steps:
    answers = []
    day = min(window.begin(s) for s in series)
    while day <= window.end:
        if day.weekday() < _SATURDAY:
            path = f"/feed/precos-indices/v1/titulos-publicos/{dataset}"
            response = yield Request(path, (("data", str(day)),))
            if response.http_status != _NOT_FOUND:
                answers.append(_read(response, dataset, series, day))
        day += _DAY
    return answers


def _read(response: Response, dataset: str, series: tuple[Series, ...], day: date) -> Answer:
    table = read_rates(response, dataset, series)
    if not table.is_empty() and table[_DATE].unique().to_list() != [str(day)]:
        raise SchemaError(f"expected rates of {day}, got those of {table[_DATE][0]}")
    return read_each(response, series, lambda one: select(table, one))


def explain(response: Response) -> SourceError | None:
    """A day without figures, as a holiday, is no error."""
    return None if response.http_status == _NOT_FOUND else explain_status(response)


def read_rates(response: Response, dataset: str, series: Sequence[Series]) -> pl.DataFrame:
    """The columns the series are after and the date, as text; a curve has a row per vertex."""
    document = member(read_json(response), of=list)
    rows = [row for curve in document for row in _vertices(curve)] if dataset == CURVES else document
    selectors = [s.selector for s in series if s.selector]
    return records(rows, sorted({c for s in selectors for c in (*s.where, s.value)} | {_DATE}))


def _vertices(curve: Any) -> list[dict[str, Any]]:
    day = member(curve, _DATE, of=str)
    return [{**member(vertex, of=dict), _DATE: day} for vertex in member(curve, "ettj", of=list)]
