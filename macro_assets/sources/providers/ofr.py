"""The Short-term Funding Monitor and the Hedge Fund Monitor of the Office of Financial Research.

A series is had by its mnemonic as a bare JSON list of [date, value], null where a figure is missing or withheld. A
monthly or quarterly figure is dated by the period's last day. A mnemonic nobody knows is answered with HTTP 200 and
the words "Invalid mnemonic". Mnemonics of repo ending in -P are preliminary, those in -F final.

A series' `dataset` is the API's path: v1 for funding, hf/v1 for hedge funds.
Source: https://www.financialresearch.gov/short-term-funding-monitor/api/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from macro_assets.catalog import Series
from macro_assets.catalog.periods import period_end
from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.cells import dates, finite
from macro_assets.sources.errors import NotFoundError, SchemaError, SourceError, explain_status, quoted
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One request per mnemonic."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    first, last = window.begin(series), period_end(window.end, series.frequency)
    if first > last:
        return []
    params = (("mnemonic", series.code), ("start_date", first.isoformat()), ("end_date", last.isoformat()))
    response = yield Request(f"/{series.dataset}/series/timeseries", params)
    return [Answer(response, read_points(response))]


def read_points(response: Response) -> pl.DataFrame:
    """The points of one series: `observation_date` as the service writes it, `value` in the series' unit."""
    points = member(read_json(response), of=list)
    for point in points:
        if type(point) is not list or len(point) != 2 or type(point[0]) is not str:
            raise SchemaError(f"expected pairs of a date and a number, got {point!r}")
    days = pl.Series("date", [p[0] for p in points], dtype=pl.String)
    return pl.DataFrame({"observation_date": dates(days), "value": finite([p[1] for p in points], "value")})


def explain(response: Response) -> SourceError | None:
    """The error an answer stands for: the HTTP status, or the words that stand in for one."""
    if error := explain_status(response):
        return error
    if response.body.lstrip(b' "\r\n')[:16].lower() == b"invalid mnemonic":
        return NotFoundError(f"the service says {quoted(response.body)}. Check the series' code in the catalog.")
    return None
