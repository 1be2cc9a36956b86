"""The European Central Bank's data portal: SDMX, here as CSV with the codes and numbers alone.

`dataset` of a series is the data set (HICP, FM, YC), `code` its key there. A weekly figure is of the week's Friday,
the day of the Eurosystem's weekly financial statement. Where nothing is in the window the portal answers 404 with
'No results found.'; it says the same of a key it does not know. Source: https://data.ecb.europa.eu/help/api/data
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.errors import SourceError, explain_status
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window
from macro_assets.sources.rows import due
from macro_assets.sources.sdmx import from_csv, only, period


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One request per series: the portal slows down and fails where one asks for many keys at once."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    params = (
        ("format", "csvdata"),
        ("detail", "dataonly"),
        ("startPeriod", period(window.begin(series), series.frequency)),
        ("endPeriod", period(window.end, series.frequency)),
    )
    response = yield Request(f"/data/{series.dataset}/{series.code}", params)
    return [Answer(response, _read(response, series))]


def _read(response: Response, series: Series) -> pl.DataFrame:
    if response.http_status == 404:  # explain() let it pass: nothing in the window
        return pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})
    rows = only(from_csv(response, series.frequency), f"{series.dataset}.{series.code}")
    friday = pl.duration(days=4 if series.frequency == "W" else 0)
    return due(rows.with_columns(pl.col("observation_date") + friday), series, response.fetched_at)


def explain(response: Response) -> SourceError | None:
    """The plain reading of the status, but that no results in a window are no error."""
    if response.http_status == 404 and b"No results found" in response.body:
        return None
    return explain_status(response)
