"""The OECD's data service since 2024: SDMX, here as CSV.

`dataset` of a series is the dataflow with its version, `code` the full key there. Where nothing is in the window the
service answers 404 with 'NoRecordsFound' or 'NoResultsFound'; it says the same of a key it does not know. The service
allows 60 downloads an hour.
Source: https://www.oecd.org/en/data/insights/data-explainers/2024/09/api.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.errors import SourceError, explain_status
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window
from macro_assets.sources.rows import due
from macro_assets.sources.sdmx import from_csv, only, period

_NOTHING = (b"NoRecordsFound", b"NoResultsFound")


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One request per series."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    params = (
        ("startPeriod", period(window.begin(series), series.frequency)),
        ("endPeriod", period(window.end, series.frequency)),
        ("dimensionAtObservation", "AllDimensions"),
        ("format", "csvfile"),
    )
    response = yield Request(f"/data/{series.dataset}/{series.code}", params)
    return [Answer(response, _read(response, series))]


def _read(response: Response, series: Series) -> pl.DataFrame:
    if response.http_status == 404:  # explain() let it pass: nothing in the window
        return pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})
    return due(only(from_csv(response, series.frequency), series.code), series, response.fetched_at)


def explain(response: Response) -> SourceError | None:
    """The plain reading of the status, but that no results in a window are no error."""
    if response.http_status == 404 and any(word in response.body for word in _NOTHING):
        return None
    return explain_status(response)
