"""Banco Central do Brasil, SGS: the bank's time series, one JSON list per series and span of dates.

A row is `{"data": "DD/MM/YYYY", "valor": "0.21"}`: the value always text with a decimal point, "" where it is missing;
series of periods have `datafim` too. At most ten years of a daily series are served at once (HTTP 406 beyond), a span
without figures is a 404, and when the gateway gives up after 30 seconds it sends a page of HTML with HTTP 200.
Series 432 runs ahead to the next meeting of Copom, so an end is always asked for.
Source: https://dadosabertos.bcb.gov.br/ and https://www3.bcb.gov.br/sgspub/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources import gateways
from macro_assets.sources.bodies import member, read_json, records
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import SchemaError, SourceError, quoted
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, windows

YEARS = 10
"""Calendar years one request may span; monthly series have no limit, but one rule is simpler."""

_NOTHING = b"Value(s) not found"


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One request per series and ten calendar years: its `code` is the number of the series, as 432."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    answers = []
    for first, last in windows(window.begin(series), window.end, YEARS):
        response = yield question(series.code, first, last)
        answers.append(Answer(response, read_values(response)))
    return answers


def question(code: str, first: date, last: date) -> Request:
    """What asks for the figures of a series between two days."""
    written = [("dataInicial", f"{first:%d/%m/%Y}"), ("dataFinal", f"{last:%d/%m/%Y}")]
    return Request(f"/dados/serie/bcdata.sgs.{code}/dados", (("formato", "json"), *written))


def explain(response: Response) -> SourceError | None:
    """The error an answer stands for. "No value in this span" is none: it is an answer without rows."""
    status = response.http_status
    if status == 404 and _NOTHING in response.body:
        return None
    if status == 406:
        return SchemaError(
            f"HTTP 406: the span is longer than the service allows: {quoted(response.body)}. "
            f"Expected at most {YEARS} years to be served. Ask for shorter spans."
        )
    return gateways.explain(response)


def read_values(response: Response) -> pl.DataFrame:
    """The figures of one series.

    Parameters
    ----------
    response
        An answer of `/dados/serie/bcdata.sgs.{code}/dados?formato=json`.

    Returns
    -------
    pl.DataFrame
        `observation_date`, `value` in the series' own unit, null where the bank has none.
    """
    document = read_json(response)
    if isinstance(document, dict) and _NOTHING in response.body:
        return pl.DataFrame(schema={"observation_date": pl.Date(), "value": pl.Float64()})
    table = _texts(member(document, of=list))
    days = dates(table["data"], "%d/%m/%Y")
    if days.n_unique() != days.len():
        raise SchemaError(f"expected one row per date in 'data', got {days.filter(days.is_duplicated())[0]} twice")
    gaps = (None,) if table["valor"].null_count() else ()
    return pl.DataFrame({"observation_date": days, "value": numbers(table["valor"], missing=gaps)})


def _texts(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Dates and values as they were written; "" becomes null. Quicker than `records`, which finds what is wrong."""
    try:
        columns = {
            "data": [row["data"] for row in rows],
            "valor": [None if row["valor"] == "" else row["valor"] for row in rows],
        }
    except (KeyError, TypeError):
        return records(rows, ("data", "valor"))
    try:
        return pl.DataFrame(columns, schema={"data": pl.String(), "valor": pl.String()})
    except TypeError:
        odd = next(v for name in columns for v in columns[name] if v is not None and type(v) is not str)
        raise SchemaError(f"expected text in 'data' and 'valor', got {odd!r}") from None
