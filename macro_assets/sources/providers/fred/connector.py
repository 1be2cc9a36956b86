"""FRED and ALFRED, the Federal Reserve Bank of St. Louis' databases: JSON, with every vintage that ALFRED keeps.

Documentation: https://fred.stlouisfed.org/docs/api/fred/. How a series' vintages are had, by its real-time periods
(https://fred.stlouisfed.org/docs/api/fred/realtime_period.html) and its cap of 2,000 vintage dates a request (stated in
its answer to a longer one); of their units more in `units.py`:

    listed = vintage dates from the latest known one on, or of all time
    if nothing is known and FRED lists none: the series is not in ALFRED; its latest values, without release times
    fresh = listed after the known one; if there are none: nothing was released
    unit, frequency and seasonal adjustment must be those of the catalog today
    if the unit was of another kind before a day, the history begins with what was known on that day
    for each period of at most 2,000 of (known, *fresh), the last one open:
        observations, with the days each value was in force, in the unit of those days, made today's magnitude
    a value is released on the first day it was in force, at the series' clock time; equal ones in a row are one
    a value that ceased to be in force with none in its place is a null on the day after

FRED's today is that of Chicago: the day in UTC or the one before.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from datetime import date

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window
from macro_assets.sources.providers.fred.answers import (
    check_metadata,
    explain,
    has_no_vintages,
    read_calendar,
    read_observations,
    read_vintage_dates,
)
from macro_assets.sources.providers.fred.paging import listed_pages
from macro_assets.sources.providers.fred.units import comparable_from, in_todays_unit
from macro_assets.sources.providers.fred.vintages import (
    BEGINNING,
    ONE_DAY,
    OPEN,
    changes,
    latest_vintage,
    released,
    spans,
)

__all__ = ["calendar", "explain", "plan"]


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per series: its `code` is FRED's series ID."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    known = window.known.get(series.id)
    since = None if known is None else latest_vintage(series, known)
    # asked from the known vintage on, not from the day after: the answer then cannot be empty for want of vintages
    begin = BEGINNING if since is None else min(since, window.today - ONE_DAY)
    code = {"series_id": series.code, "file_type": "json"}
    ever = code | _real_time(begin, OPEN)
    dated = yield from listed_pages("/fred/series/vintagedates", "vintage_dates", ever, read_vintage_dates)
    listed = pl.concat([page for _, page in dated])
    fresh = listed if since is None else listed.filter(listed > since)
    without_vintages = has_no_vintages(dated[0][0]) or (since is None and listed.is_empty())
    if fresh.is_empty() and not without_vintages:
        return None
    described = yield Request("/fred/series", tuple((code if without_vintages else ever).items()))
    units = check_metadata(described, series)
    if without_vintages:
        params = code | _observation_dates(window.first, window.last)
        pages = yield from listed_pages("/fred/series/observations", "observations", params, read_observations)
        return [Answer(response, page.select("observation_date", "value")) for response, page in pages]
    start = comparable_from(units)
    if start is not None and (since is None or since < start):
        since, listed = None, pl.concat([pl.Series([start]), listed.filter(listed > start)])
    responses: list[Response] = []
    frames = []
    for asked_from, asked_to in spans(listed if since is None else pl.concat([pl.Series([since]), fresh])):
        params = code | _real_time(asked_from, asked_to) | {"output_type": "1"} | _limits(series, window)
        pages = yield from listed_pages("/fred/series/observations", "observations", params, read_observations)
        for response, page in pages:
            asked = {"asked_from": asked_from, "asked_to": asked_to, "answer": len(responses)}
            frames.append(page.hstack([pl.Series(k, [v]).new_from_index(0, page.height) for k, v in asked.items()]))
            responses.append(response)
    told = changes(in_todays_unit(pl.concat(frames), units), listed, since)
    found = released(told, series, snapshot=listed[0] if since is None else None)
    parts = found.partition_by("answer", as_dict=True, include_key=False)
    return [Answer(r, parts.get((i,), found.clear())) for i, r in enumerate(responses)]


def _real_time(start: date, end: date) -> dict[str, str]:
    return {"realtime_start": str(start), "realtime_end": str(end)}


def _limits(series: Series, window: Window) -> dict[str, str]:
    """Observation dates to ask for. Of a series that is known, revisions are wanted whatever they are of.

    Of daily and weekly figures, which are many, those of the window: without one, as once a week, all.
    """
    if series.id not in window.known:
        return _observation_dates(window.first, window.last)
    return _observation_dates(window.first, None) if series.frequency in ("D", "W") else {}


def _observation_dates(first: date | None, last: date | None) -> dict[str, str]:
    return {k: str(d) for k, d in (("observation_start", first), ("observation_end", last)) if d is not None}


def calendar(first: date, last: date, today: date) -> Generator[Request, Response, pl.DataFrame]:
    """Release days of all releases, those to come too: yields requests and is sent responses, as a connector's steps.

    Parameters
    ----------
    today
        UTC day of the asking.

    Returns
    -------
    pl.DataFrame
        `release` (FRED's release ID, as in :attr:`Series.release`), `name`, `date`: from `first` to `last`, ascending.
    """
    params = {"file_type": "json", **_real_time(min(first, today - ONE_DAY), OPEN)}
    params |= {"include_release_dates_with_no_data": "true", "order_by": "release_date"}
    pages = yield from listed_pages("/fred/releases/dates", "release_dates", params, read_calendar)
    days = pl.concat([page for _, page in pages])
    return days.filter(pl.col("date").is_between(first, last))
