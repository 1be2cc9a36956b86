"""News API: how many articles of a day match a search, as JSON.

`/v2/everything` answers `{"status": "ok", "totalResults": 123, "articles": [...]}`. Only the count becomes a series;
the hundred newest articles of the answer stay in landing. The free plan reaches a month back, tells articles a day
late and has 100 requests a day. Documentation: https://newsapi.org/docs/endpoints/everything
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.cells import finite
from macro_assets.sources.errors import AuthError, RateLimitError, SchemaError, SourceError, explain_status
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window

_OLDEST, _NEWEST = timedelta(days=29), timedelta(days=2)
"""Days before today that the free plan has, whole."""

_LONGEST_ERROR = 4096


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One question per series and day of the last month: `code` is the search, in the words of the documentation."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    day = max(window.begin(series), window.today - _OLDEST)
    answers = []
    while day <= min(window.end, window.today - _NEWEST):
        response = yield Request(
            "/v2/everything",
            (
                ("q", series.code),
                ("language", "en"),
                ("from", f"{day}T00:00:00"),
                ("to", f"{day}T23:59:59"),
                ("sortBy", "publishedAt"),
                ("pageSize", "100"),
            ),
        )
        answers.append(Answer(response, read_count(response, day)))
        day += timedelta(days=1)
    return answers


def explain(response: Response) -> SourceError | None:
    """Errors have a `code` of their own, whatever the HTTP status."""
    if len(response.body) <= _LONGEST_ERROR and b'"error"' in response.body:
        try:
            code = str(json.loads(response.body).get("code", ""))
        except (ValueError, AttributeError, RecursionError):
            return explain_status(response)
        if code in ("rateLimited", "apiKeyExhausted"):
            return RateLimitError("News API was asked too often: a free key has 100 requests a day. Ask again later.")
        if code.startswith("apiKey"):
            return AuthError(f"News API refuses the key ({code}). Check the key of the source.")
        if response.http_status in (None, 200):
            return SchemaError(f"expected articles, News API says {code!r}")
    return explain_status(response)


def read_count(response: Response, day: date) -> pl.DataFrame:
    """The count of articles, for the day that was asked for: `observation_date`, `value`."""
    document = member(read_json(response), of=dict)
    if (status := document.get("status")) != "ok":
        raise SchemaError(f"expected the status 'ok', got {status!r}")
    member(document, "articles", of=list)
    total = finite([member(document, "totalResults", of=int)], "totalResults")
    return pl.DataFrame({"observation_date": [day], "value": total})
