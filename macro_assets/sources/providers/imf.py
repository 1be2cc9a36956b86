"""The IMF's data service since 2025: SDMX 3.0, here as JSON.

`dataset` of a series is agency and dataflow (IMF.RES/WEO), `code` the key there. The latest version of the dataflow is
asked for. A dataflow that is not known is answered with HTTP 204 and no body; a key without figures, with a structure
and no series. Source: https://data.imf.org/en/Resource-Pages/IMF-API
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from macro_assets.catalog import Series
from macro_assets.sources.errors import NotFoundError, SourceError, explain_status
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window
from macro_assets.sources.rows import due
from macro_assets.sources.sdmx import only
from macro_assets.sources.sdmx_json import from_json

HORIZON_YEARS = 10
"""Years after today that are asked of a series with projections; the World Economic Outlook goes five or six."""


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One request per series."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    first, last = (_period(d, series.frequency) for d in (window.begin(series), _end(series, window)))
    params = (
        ("dimensionAtObservation", "TIME_PERIOD"),
        ("attributes", "dsd"),
        ("measures", "all"),
        ("c[TIME_PERIOD]", f"ge:{first}+le:{last}"),
    )
    response = yield Request(f"/data/dataflow/{series.dataset}/+/{series.code}", params)
    rows = only(from_json(response, series.frequency), series.code)
    return [Answer(response, due(rows, series, response.fetched_at))]


def _end(series: Series, window: Window) -> date:
    if not series.projections:
        return window.end
    horizon = date(window.today.year + HORIZON_YEARS, 12, 31)
    return horizon if window.last is None else min(window.last, horizon)


def _period(day: date, frequency: str) -> str:
    names = {"A": f"{day.year}-A1", "Q": f"{day.year}-Q{(day.month + 2) // 3}", "M": f"{day.year}-M{day.month:02}"}
    return names.get(frequency, f"{day:%Y-%m-%d}")


def explain(response: Response) -> SourceError | None:
    """The plain reading of the status, but that 204 says the dataflow is not known."""
    if response.http_status == 204:
        return NotFoundError("HTTP 204: the IMF has no such dataflow. Check the series' dataset in the catalog.")
    return explain_status(response)
