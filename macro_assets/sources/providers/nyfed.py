"""Markets data of the New York Fed: reference rates, repo operations, the System Open Market Account, dealers.

JSON, newest first, a list of rows under two or three names. Rates are in percent, their volumes in billions of
dollars; a rate revised on its day of publication comes again with revisionIndicator "r", as a new value of its date.
Amounts of operations and holdings are in dollars, as numbers or as text, "" where a kind of holding did not exist.
Dealers' figures are text in millions, "*" where one is withheld. No answer says when a figure was published.

A series' `dataset` is the path below /api/ without the ending .json; its selector says which rows and field it is.
Source: https://markets.newyorkfed.org/static/docs/markets-api.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json, records
from macro_assets.sources.errors import NotFoundError, SchemaError
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, read_each, windows
from macro_assets.sources.rows import select


class _Part(NamedTuple):
    """A part of the API: where an answer holds its rows; years one request spans, None for the whole history."""

    rows: tuple[str, ...]
    years: int | None = None
    params: tuple[tuple[str, str], ...] = ()
    is_of_events: bool = False


_PARTS = {
    "rates": _Part(("refRates",), years=5),
    "rp": _Part(("repo", "operations"), years=1, is_of_events=True),
    "fxs": _Part(("fxSwaps", "operations"), years=5, params=(("dateType", "trade"),), is_of_events=True),
    "soma": _Part(("soma", "summary")),
    "pd": _Part(("pd", "timeseries")),
}


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per end point."""
    for dataset in dict.fromkeys(s.dataset for s in series):
        wanted = tuple(s for s in series if s.dataset == dataset)
        yield Ask(wanted, _steps(str(dataset), wanted, window))


def _steps(dataset: str, series: Sequence[Series], window: Window) -> Steps:
    part = _part(dataset)
    path = f"/api/{dataset}.json"
    if part.years is None:
        response = yield Request(path)
        return [_answer(response, dataset, series)]
    answers: list[Answer] = []
    for first, last in windows(min(window.begin(s) for s in series), window.end, part.years):
        params = (("startDate", first.isoformat()), ("endDate", last.isoformat()), *part.params)
        response = yield Request(path, params)
        answers.append(_answer(response, dataset, [s for s in series if window.begin(s) <= last]))
    return answers


def _part(dataset: str) -> _Part:
    name = dataset.partition("/")[0]
    if name not in _PARTS:
        raise NotFoundError(f"source nyfed has no part {name!r}, expected one of {list(_PARTS)}")
    return _PARTS[name]


def _answer(response: Response, dataset: str, series: Sequence[Series]) -> Answer:
    rows = read_rows(response, dataset)
    return read_each(response, series, partial(read_series, rows, dataset))


def read_rows(response: Response, dataset: str) -> list[dict[str, Any]]:
    """The rows of an answer, as the service wrote them."""
    rows: list[dict[str, Any]] = member(read_json(response), *_part(dataset).rows, of=list)
    if wrong := next((r for r in rows if type(r) is not dict), None):
        raise SchemaError(f"expected rows of named fields, got {wrong!r}")
    return rows


def read_series(rows: Sequence[dict[str, Any]], dataset: str, series: Series) -> pl.DataFrame:
    """One series of an answer: `observation_date`, `value` in its provider's unit."""
    selector = series.selector
    if selector is None:
        raise SchemaError(f"series {series.id} needs a `selector` in the catalog: the answer has many columns")
    if rows and not any(selector.value in r for r in rows):
        raise SchemaError(f"expected the field {selector.value!r}, a row has {sorted(rows[0])}")
    # Rates of the first years lack the fields that came later.
    values = records([{selector.value: r.get(selector.value)} for r in rows], [selector.value])
    others = dict.fromkeys(c for c in (selector.date, *selector.where) if c != selector.value)
    table = records(rows, others).hstack(values)
    try:
        return select(table, series, missing=("", "*", "NA"))
    except NotFoundError:
        if not _part(dataset).is_of_events:
            raise
        return pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})  # no such operation was held
