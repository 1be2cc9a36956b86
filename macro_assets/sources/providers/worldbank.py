"""The World Bank's Indicators API: annual, quarterly and monthly indicators of countries and groups of them.

`code` of a series is country and indicator, as WLD/NY.GDP.MKTP.KD.ZG; an answer is a list of two, what is said of the
pages and the rows, newest first. Where `dataset` names a source whose series have more dimensions, as 6, the
International Debt Statistics, `code` is country, series and counterpart area, and an answer is an object. Errors come
with HTTP 200, as a list of one object with a `message`.
Source: https://datahelpdesk.worldbank.org/knowledgebase/articles/889392
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

from macro_assets.catalog import Frequency, Series
from macro_assets.sources.bodies import member, members, read_json
from macro_assets.sources.cells import finite, periods
from macro_assets.sources.errors import NotFoundError, SchemaError, SourceError, explain_status, quoted
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window
from macro_assets.sources.rows import due

PER_PAGE = 1000
_UNKNOWN = {"120", "175"}
"""Of messages: a value that is not valid, an indicator that was deleted or archived."""


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """Pages of one series after the other."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    answers: list[Answer] = []
    pages = 1
    while len(answers) < pages:
        response = yield _request(series, window, len(answers) + 1)
        rows, page, pages = read_page(response, series.frequency)
        if pages and page != len(answers) + 1:
            raise SchemaError(f"expected page {len(answers) + 1}, got page {page} of {pages}")
        # Source 6 gives the whole history.
        rows = rows.filter(pl.col("observation_date") >= window.begin(series))
        answers.append(Answer(response, due(rows, series, response.fetched_at)))
    if pl.concat([a.rows for a in answers])["observation_date"].is_duplicated().any():
        raise SchemaError("expected each period once, got one several times. Check the code in the catalog.")
    return answers


def _request(series: Series, window: Window, page: int) -> Request:
    paging = (("format", "json"), ("per_page", str(PER_PAGE)), ("page", str(page)))
    if series.dataset is None:
        country, indicator = series.code.split("/")
        span = ":".join(_period(d, series.frequency) for d in (window.begin(series), window.end))
        return Request(f"/country/{country}/indicator/{indicator}", (*paging, ("date", span)))
    country, code, counterpart = series.code.split("/")
    key = f"country/{country}/series/{code}/counterpart-area/{counterpart}/time/all"
    return Request(f"/sources/{series.dataset}/{key}/data", paging)


def _period(day: date, frequency: str) -> str:
    return {"Q": f"{day.year}Q{(day.month + 2) // 3}", "M": f"{day:%YM%m}"}.get(frequency, str(day.year))


def read_page(response: Response, frequency: Frequency | None = None) -> tuple[pl.DataFrame, int, int]:
    """`observation_date` and `value` of a page, its number, and how many there are: 0 where there are no rows.

    Raises
    ------
    SchemaError
        When the page is in neither of the two shapes, or its periods are of another frequency.
    """
    document = read_json(response)
    if isinstance(document, dict):
        about, cells = document, member(document, "source", "data", of=list)
        times = [_time(member(c, "variable", of=list)) for c in cells]
    else:
        # A window without figures has null for its rows.
        about, cells = member(document, 0, of=dict), member(document, 1, of=(list, type(None))) or []
        times = members(cells, "date", str)
    values = members(cells, "value", int, float, type(None))
    rows = {
        "observation_date": periods(pl.Series("date", times, dtype=pl.String), frequency),
        "value": finite(values, "value"),
    }
    return pl.DataFrame(rows), _count(about, "page"), _count(about, "pages")


def _count(about: dict[str, Any], name: str) -> int:
    """A number that some answers spell as text."""
    text = str(member(about, name, of=(int, str)))
    if not text.isdecimal():
        raise SchemaError(f"expected a whole number in {name!r}, got {text!r}")
    return int(text)


def _time(variables: list[dict[str, Any]]) -> str:
    found = [member(v, "value", of=str) for v in variables if member(v, "concept", of=str) == "Time"]
    if len(found) != 1:
        raise SchemaError(f"expected the concept 'Time' once in a row, got it {len(found)} times")
    return str(found[0])


def explain(response: Response) -> SourceError | None:
    """The error that a list of one message stands for, else what the status says."""
    if (
        (error := explain_status(response)) is not None
        or len(response.body) > 4096
        or b'"message"' not in response.body
    ):
        return error
    try:
        document = json.loads(response.body)
        said = document[0]["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if len(document) != 1:
        return None
    if _UNKNOWN & {m.get("id") for m in said if isinstance(m, dict)}:
        return NotFoundError(f"the World Bank does not know it: {quoted(response.body)}. Check the code.")
    return SchemaError(f"the World Bank refused the request: {quoted(response.body)}")
