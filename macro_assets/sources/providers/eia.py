"""The US Energy Information Administration's API, version 2.

`dataset` of a series is its route (petroleum/stoc/wstk), `code` the series there. Numbers have been text since 2024. An
answer has at most 5000 rows; `total` says how many there are. It repeats the request, the key included, at its end: a
body must not be stored or shown before the key is taken out. Source: https://www.eia.gov/opendata/documentation.php
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json, records
from macro_assets.sources.cells import numbers, periods
from macro_assets.sources.errors import (
    AuthError,
    RateLimitError,
    SchemaError,
    SourceError,
    TransientError,
    explain_status,
)
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window

LENGTH = 5000
_MISSING = (None, "NA", "-", "--", "w", "W")
"""No figure; beside null, what its surveys print for one not available, not reported, not applicable or withheld."""

_FREQUENCIES = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly", "A": "annual"}
_NAMES = {"M": "%Y-%m", "A": "%Y"}


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """Pages of one series after the other."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    answers: list[Answer] = []
    had, total = 0, 1
    while had < total:
        response = yield _request(series, window, had)
        rows, total = read_page(response, series)
        if rows.is_empty() and had < total:
            raise SchemaError(f"expected {total} rows, got {had} and then none")
        had += rows.height
        answers.append(Answer(response, rows))
    if pl.concat([a.rows for a in answers])["observation_date"].is_duplicated().any():
        raise SchemaError(f"expected each period of {series.code!r} once, got one several times")
    return answers


def _request(series: Series, window: Window, offset: int) -> Request:
    first, last = (_period(d, series.frequency) for d in (window.begin(series), window.end))
    params = (
        ("frequency", _FREQUENCIES[series.frequency]),
        ("data[0]", "value"),
        ("facets[series][]", series.code),
        ("start", first),
        ("end", last),
        ("sort[0][column]", "period"),
        ("sort[0][direction]", "asc"),
        ("offset", str(offset)),
        ("length", str(LENGTH)),
    )
    return Request(f"/{series.dataset}/data/", params)


def _period(day: date, frequency: str) -> str:
    if frequency == "Q":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return day.strftime(_NAMES.get(frequency, "%Y-%m-%d"))


def read_page(response: Response, series: Series | None = None) -> tuple[pl.DataFrame, int]:
    """`observation_date` and `value` of a page, and how many rows there are on all pages.

    Parameters
    ----------
    series
        What the rows must be of; None to take any.

    Raises
    ------
    SchemaError
        When rows are of another series or frequency, or a figure is no number.
    """
    inner = member(read_json(response), "response", of=dict)
    total = str(member(inner, "total", of=(str, int)))
    if not total.isdecimal():
        raise SchemaError(f"expected a whole number in 'total', got {total!r}")
    names = ("period", "value") if series is None else ("period", "value", "series")
    table = records(member(inner, "data", of=list), names)
    if series is not None:
        if (frequency := inner.get("frequency")) != _FREQUENCIES[series.frequency]:
            raise SchemaError(f"expected {_FREQUENCIES[series.frequency]} figures, got {frequency!r}")
        if others := set(table["series"].unique()) - {series.code}:
            raise SchemaError(f"expected rows of the series {series.code!r} alone, got {min(others, key=str)!r}")
    days = periods(table["period"], None if series is None else series.frequency)
    rows = {"observation_date": days, "value": numbers(table["value"], _MISSING)}
    return pl.DataFrame(rows), int(total)


def explain(response: Response) -> SourceError | None:
    """What the status says, and errors that came with HTTP 200. The key may stand in a body: none is repeated."""
    error = explain_status(response)
    code = _code(response.body)
    if error is None and code is None:
        return None
    if code == "OVER_RATE_LIMIT" or isinstance(error, RateLimitError):
        return RateLimitError("the EIA was asked too often. Ask again in an hour.")
    if (code or "").startswith("API_KEY_") or isinstance(error, AuthError):
        return AuthError(f"the EIA refused the key ({code or response.http_status}). Check EIA_API_KEY.")
    if isinstance(error, TransientError):
        return TransientError(f"HTTP {response.http_status}: the EIA failed. Ask again later.")
    kind = type(error) if error is not None else SchemaError
    return kind(f"the EIA refused the request ({code or response.http_status}). Check dataset and code in the catalog.")


def _code(body: bytes) -> str | None:
    """The code of an error body."""
    if not re.match(rb'\s*\{\s*"error"', body):
        return None
    try:
        error = json.loads(body)["error"]
    except (ValueError, RecursionError):
        return "unreadable"
    return str(error.get("code")) if isinstance(error, dict) else "unnamed"
