"""The US Bureau of Labor Statistics' public data API.

One POST names several series and a span of years; figures come newest first, as text, with a year and a period: M01 to
M12, Q01 to Q04, S01 and S02, A01; M13 is the year's average and left out. "-" is a month that was never collected, as
October 2025. Whatever went wrong, the HTTP status is 200: `status` and `message` say it. Without a key the API gives
25 series and ten years at a time and 25 answers a day, with one 50 series, twenty years and 500 answers; a question is
kept within what both allow. Source: https://www.bls.gov/developers/api_signature_v2.htm
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from macro_assets.catalog import Frequency, Series
from macro_assets.sources.bodies import member, read_json, records
from macro_assets.sources.cells import numbers, periods
from macro_assets.sources.errors import (
    AuthError,
    NotFoundError,
    RateLimitError,
    SchemaError,
    SourceError,
    TransientError,
    explain_status,
)
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, read_each, windows

SERIES = 25
YEARS = 10
_AVERAGES = ("M13", "Q05", "S03")
_DONE = "REQUEST_SUCCEEDED"


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """25 series at a time, those that begin alike together."""
    ordered = sorted(series, key=lambda s: window.begin(s).year)
    for start in range(0, len(ordered), SERIES):
        some = tuple(ordered[start : start + SERIES])
        yield Ask(some, _steps(some, window))


def _steps(series: Sequence[Series], window: Window) -> Steps:
    answers: list[Answer] = []
    for first, last in windows(min(window.begin(s) for s in series), window.end, YEARS):
        begun = [s for s in series if window.begin(s) <= last]
        years = {"startyear": str(first.year), "endyear": str(last.year)}
        body = json.dumps({"seriesid": [s.code for s in begun], **years})
        response = yield Request("/timeseries/data/", json=body)
        document = read_json(response)

        def figures(one: Series, document: Any = document) -> pl.DataFrame:
            return read_series(document, one.code, one.frequency)

        answers.append(read_each(response, begun, figures))
    return answers


def read_series(document: Any, code: str, frequency: Frequency | None = None) -> pl.DataFrame:
    """Figures of one series of an answer: `observation_date`, `value`.

    Raises
    ------
    NotFoundError
        When the API says that there is no such series.
    SchemaError
        When it is not in the answer, figures are no numbers, or periods are of another frequency.
    """
    said = [str(m) for m in member(document, "message", of=list)]
    if any(("does not exist" in m or "Invalid Series" in m) and m.rstrip(". ").endswith(code) for m in said):
        raise NotFoundError(f"the BLS has no series {code!r}. Check the code in the catalog.")
    blocks = member(document, "Results", "series", of=list)
    mine = [b for b in blocks if member(b, "seriesID", of=str) == code]
    if len(mine) != 1:
        raise SchemaError(f"expected the series {code!r} once in the answer, got it {len(mine)} times ({said[:2]})")
    table = records(member(mine[0], "data", of=list), ("year", "period", "value"))
    # A01 is the year itself; the others are read as 2026M08, 2026Q01, 2026S01.
    told = [p not in _AVERAGES for p in table["period"]]
    names = [f"{y}{'' if p == 'A01' else p}" for y, p in zip(table["year"], table["period"], strict=True)]
    table = pl.DataFrame({"period": names, "value": table["value"]}, schema_overrides={"period": pl.String})
    table = table if all(told) else table.filter(pl.Series(told))
    found = pl.DataFrame(
        {"observation_date": periods(table["period"], frequency), "value": numbers(table["value"], ("-",))}
    )
    if found["observation_date"].n_unique() < found.height:
        raise SchemaError(f"expected each period of {code!r} once, got one several times")
    return found


def explain(response: Response) -> SourceError | None:
    """The error that `status` and `message` stand for. A message about a key may hold it, so it is not repeated."""
    if (error := explain_status(response)) is not None:
        return error
    try:
        document = json.loads(response.body)
        status, said = str(document["status"]), " ".join(map(str, document["message"]))
    except (ValueError, LookupError, TypeError, RecursionError):
        return None  # the reader says what is wrong with it
    return None if status == _DONE else _refusal(status, said)


def _refusal(status: str, said: str) -> SourceError:
    low = said.lower()
    if "threshold" in low or "exceeded" in low:
        return RateLimitError(f"{status}: {said} Ask again tomorrow, or set BLS_API_KEY.")
    if "key" in low and ("invalid" in low or "not valid" in low or "not found" in low):
        return AuthError(f"{status}: the BLS refused the registration key. Check BLS_API_KEY.")
    if "does not exist" in low:
        return NotFoundError(f"{status}: {said} Check the series' codes in the catalog.")
    if status == "REQUEST_FAILED_INVALID_PARAMETERS":
        return SchemaError(f"{status}: {said} The connector asks what is not served.")
    if status.startswith("REQUEST_"):
        return TransientError(f"{status}: {said or 'no reason given'} Ask again later.")
    return SchemaError(f"expected the status {_DONE}, got {status!r}")
