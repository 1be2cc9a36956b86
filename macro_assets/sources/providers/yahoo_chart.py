"""Daily bars of Yahoo Finance's chart service: JSON that Yahoo neither documents nor supports, a backup at best.

`/v8/finance/chart/{symbol}` answers parallel arrays: `timestamp` (seconds UTC of each session's opening) beside
`indicators.quote[0].close` and the like, any element null; without bars in the window there is no `timestamp` at all.
The date of a bar is the one at the exchange, by `meta.exchangeTimezoneName` or, where that is no known zone,
`meta.gmtoffset`. Splits of a share stand in `events.splits`: `{"<seconds>": {"date": seconds of the opening,
"numerator": new shares, "denominator": old shares}}`; all bars of before are already adjusted for them. Page of the
data: https://finance.yahoo.com/markets/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, members, read_json
from macro_assets.sources.cells import epoch_instants, finite
from macro_assets.sources.errors import NotFoundError, SchemaError, SourceError, explain_status
from macro_assets.sources.protocol import Ask, Request, Response, Splits, Steps, Window, read_each
from macro_assets.sources.rows import one_a_date

_COLUMNS = {**dict.fromkeys(("open", "high", "low", "close", "volume"), "quote"), "adjclose": "adjclose"}
"""Column of the bars by `dataset`, and the group of `indicators` that has it."""

_MOST = 1e6
"""New shares for one old: a split into more is none, nor is one into less than its inverse."""

_NO_BARS = b"Data doesn't exist for startDate"
_DAY = timedelta(days=1)


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One question per symbol: `code`; `dataset` of a series says which column it is, 'close' by default."""
    for code in dict.fromkeys(s.code for s in series):
        yield _ask(code, tuple(s for s in series if s.code == code), window)


def _ask(code: str, series: tuple[Series, ...], window: Window) -> Ask:
    return Ask(series, _steps(code, series, window))


def _steps(code: str, series: tuple[Series, ...], window: Window) -> Steps:
    begin = min(window.begin(s) for s in series)
    response = yield Request(
        f"/v8/finance/chart/{code}",
        (
            # An exchange far in the east opens on the day before by UTC; the end is exclusive.
            ("period1", _seconds(begin - _DAY)),
            ("period2", _seconds(window.end + _DAY)),
            ("interval", "1d"),
            ("events", "div|split"),
        ),
    )
    answer = read_each(response, series, lambda one: _bars(response, one))
    if len(answer.failures) == len(series) or not (splits := read_splits(response)):
        return [answer]
    return [replace(answer, splits={s.id: splits for s in series if s.id not in answer.failures})]


def _bars(response: Response, series: Series) -> pl.DataFrame:
    """Bars from the series' first year on: before it Yahoo has closes alone, and 0 or the close for the others."""
    bars = read_bars(response, series.dataset or "close")
    return bars.filter(pl.col("observation_date") >= date(series.first_year, 1, 1))


def _seconds(day: date) -> str:
    return str(int(datetime.combine(day, time(), UTC).timestamp()))


def explain(response: Response) -> SourceError | None:
    """A window without bars is answered with HTTP 400, which is no error here."""
    if response.http_status == 400 and _NO_BARS in response.body:
        return None
    return explain_status(response)


def read_bars(response: Response, column: str = "close") -> pl.DataFrame:
    """Bars of the sessions that are over: `observation_date`, `value` in the quoted currency, or shares for volumes.

    The bar of a session under way is left out: its close is the last trade and moves on. A session is under way while
    the last trade (`meta.regularMarketTime`) lies before its end (`meta.currentTradingPeriod.regular`). What comes
    after the end, as a closing auction, is a revision. Only the answer itself is looked at, never the clock, so that
    reading it again years later gives the same. On weekends this holds back Friday's bar of what trades around the
    clock until Yahoo's period moves on.
    """
    if column not in _COLUMNS:
        raise SchemaError(f"expected `dataset` to be one of {sorted(_COLUMNS)}, the catalog has {column!r}")
    chart = member(read_json(response), "chart", of=dict)
    if (error := chart.get("error")) is not None:
        return _no_bars(response, error)
    result = member(chart, "result", 0, of=dict)
    meta = member(result, "meta", of=dict)
    if "timestamp" not in result:
        return pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})
    stamps = member(result, "timestamp", of=list)
    values = member(result, "indicators", _COLUMNS[column], 0, column, of=list)
    if len(stamps) != len(values):
        raise SchemaError(f"expected as many {column!r} as timestamps, got {len(values)} and {len(stamps)}")
    if (grain := meta.get("dataGranularity")) != "1d":
        raise SchemaError(f"expected daily bars ('dataGranularity' 1d), got {grain!r}")
    bars = pl.DataFrame({"observation_date": _local_dates(stamps, "timestamp", meta), "value": finite(values, column)})
    over = bars.filter(pl.col("observation_date") < day) if (day := _running_day(meta)) else bars
    # After the close the day's bar may come twice: from its opening, and as the last trade, which may be empty.
    return one_a_date(over, "last")


def read_splits(response: Response) -> Splits:
    """Splits of the share in the window, in turn: the day at the exchange, and new shares for one old."""
    if b'"splits"' not in response.body:
        return ()
    result = member(read_json(response), "chart", "result", 0, of=dict)
    told = list(member(result, "events", "splits", of=dict).values())
    days = _local_dates(members(told, "date", int), "date", member(result, "meta", of=dict))
    new, old = (finite(members(told, m, int, float), m) for m in ("numerator", "denominator"))
    for n, o in zip(new, old, strict=True):
        if not (n > 0 and o > 0 and 1 / _MOST < n / o < _MOST):
            raise SchemaError(f"expected 'splits' of old shares into new ones, got {n:g} for {o:g}")
    return tuple(sorted(zip(days, new / old, strict=True)))


def _no_bars(response: Response, error: Any) -> pl.DataFrame:
    if _NO_BARS in response.body:
        return pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})
    code, said = (member(error, m, of=str) for m in ("code", "description"))
    if code == "Not Found":
        raise NotFoundError(f"the chart service says {said!r}. Check the symbol in the catalog.")
    raise SchemaError(f"expected a chart, the service says {code!r}: {said!r}")


def _running_day(meta: dict[str, Any]) -> date | None:
    """Day at the exchange of the session that is not over; None where it is."""
    if "regularMarketTime" not in meta:  # delisted: nothing trades any more
        return None
    period = member(meta, "currentTradingPeriod", "regular", of=dict)
    last, start, end = (
        member(m, k, of=int) for m, k in ((meta, "regularMarketTime"), (period, "start"), (period, "end"))
    )
    day: date | None = _local_dates([start], "start", meta)[0] if last < end else None
    return day


def _local_dates(seconds: Sequence[Any], name: str, meta: dict[str, Any]) -> pl.Series:
    whole = finite(seconds, name)
    zone = member(meta, "exchangeTimezoneName", of=str)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone, whole = "UTC", whole + member(meta, "gmtoffset", of=int)
    return epoch_instants(whole, name).dt.convert_time_zone(zone).dt.date()
