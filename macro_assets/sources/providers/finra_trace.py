"""FINRA's Query API: daily sums of the trades in US Treasuries that are reported to TRACE, as JSON.

A POST to `/data/group/fixedIncomeMarket/name/treasuryDailyAggregates` with the dates that are wanted answers a flat
list of objects, at most 5,000 at once; HTTP 204 where there are none. Documentation:
https://developer.finra.org/docs
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json, records, refuse_repeated
from macro_assets.sources.errors import SchemaError, SourceError, explain_status
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.rows import select

PAGE = 5000
"""Rows FINRA gives at once."""

_NO_CONTENT = 204


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One question per data set, for all its series: `code` is its name, the selector says which rows and column."""
    for code in dict.fromkeys(s.code for s in series):
        wanted = tuple(s for s in series if s.code == code)
        yield Ask(wanted, _steps(code, wanted, window))


def _steps(code: str, series: tuple[Series, ...], window: Window) -> Steps:
    columns = {s.selector.date for s in series if s.selector}
    if len(columns) != 1:
        raise SchemaError(f"series of {code} need a `selector` of one date, the catalog has {sorted(columns)}")
    column, begin = columns.pop(), min(window.begin(s) for s in series)
    answers: list[Answer] = []
    full = True
    while full:
        response = yield _page(code, column, begin, window.end, PAGE * len(answers))
        if response.http_status == _NO_CONTENT:
            break
        refuse_repeated(response, answers)
        rows = member(read_json(response), of=list)
        answers.append(read_rows(response, rows, series))
        full = len(rows) == PAGE
    return answers


def _page(code: str, column: str, first: date, last: date, offset: int) -> Request:
    days = {"fieldName": column, "startDate": str(first), "endDate": str(last)}
    body = {"limit": PAGE, "offset": offset, "dateRangeFilters": [days], "sortFields": [column]}
    return Request(f"/data/group/fixedIncomeMarket/name/{code}", json=json.dumps(body))


def read_rows(response: Response, rows: list[dict[str, object]], series: Sequence[Series]) -> Answer:
    """Each series' `observation_date` and `value` in the data set's unit, by its selector."""
    selectors = [s.selector for s in series if s.selector]
    table = records(rows, sorted({c for s in selectors for c in (*s.where, s.date, s.value)}))
    return read_each(response, series, lambda one: select(table, one))


def explain(response: Response) -> SourceError | None:
    """No rows in the window is HTTP 204."""
    return None if response.http_status == _NO_CONTENT else explain_status(response)
