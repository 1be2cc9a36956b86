"""CoinGecko: prices, market values and volumes of coins, and totals of the market, as JSON.

`/coins/{id}/market_chart` answers arrays of [milliseconds UTC, value]; daily points lie at 00:00 UTC and one more at
the end is of the moment. Without a paid plan history is the last 365 days. `/global` answers the moment alone, with
its time. Documentation: https://docs.coingecko.com/demo/reference/coins-id-market-chart
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.cells import epoch_instant, epoch_instants, finite
from macro_assets.sources.errors import AuthError, RateLimitError, SchemaError, SourceError, explain_status
from macro_assets.sources.protocol import Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.rows import one_a_date

GLOBAL = "global"
"""`code` of the series of the whole market."""

_CHART = (("vs_currency", "usd"), ("days", "365"), ("interval", "daily"))
"""The longest history that is free. It does not follow the window, so that one stored answer serves every window."""

_LONGEST_ERROR = 4096
_NO_RIGHT = {10002: "no key", 10005: "a plan without this", 10010: "a wrong key", 10011: "a wrong key"}
_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One question per coin: `code` is CoinGecko's id of it, `dataset` 'prices', 'market_caps' or 'total_volumes'.

    Series of the code 'global' are asked together; their `dataset` is the path of a member, as 'total_market_cap.usd'.
    """
    for code in dict.fromkeys(s.code for s in series):
        wanted = tuple(s for s in series if s.code == code)
        yield Ask(wanted, _market(wanted) if code == GLOBAL else _coin(code, wanted))


def _coin(code: str, series: tuple[Series, ...]) -> Steps:
    response = yield Request(f"/coins/{code}/market_chart", _CHART)
    chart = read_json(response)
    return [read_each(response, series, lambda one: read_points(chart, one.dataset or "prices"))]


def _market(series: tuple[Series, ...]) -> Steps:
    response = yield Request("/global")
    told = read_json(response)
    return [read_each(response, series, lambda one: read_global(told, one.dataset or ""))]


def explain(response: Response) -> SourceError | None:
    """CoinGecko's own error codes lie under 'status', at times below 'error', and come with HTTP 200 too."""
    found = _error(response)
    if found is None:
        return explain_status(response)
    code, said = found
    if code == 429:
        return RateLimitError(f"CoinGecko was asked too often: {said!r}. Ask again later, or with a key.")
    if code in _NO_RIGHT:
        return AuthError(f"CoinGecko refuses ({code}, {_NO_RIGHT[code]}): {said!r}. Check the key of the source.")
    if code == 10012:
        return SchemaError(f"CoinGecko gives 365 days without a paid plan, more was asked for: {said!r}.")
    return explain_status(response) or SchemaError(f"expected data, CoinGecko says {code}: {said!r}")


def _error(response: Response) -> tuple[Any, str] | None:
    """Code and message of a body that is an error; None for all else, and for errors in another form."""
    if len(response.body) > _LONGEST_ERROR or b'"error' not in response.body:
        return None
    try:
        found = json.loads(response.body)
        for part in ("error", "status"):
            found = found.get(part, found)
        return found["error_code"], str(found.get("error_message", ""))
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return (None, "an error without a code") if response.http_status in (None, 200) else None


def read_points(chart: Any, name: str) -> pl.DataFrame:
    """Values at 00:00 UTC of each day: `observation_date`, `value` in dollars.

    Of finer points those are taken that are the first of their day and within its first hour. The last point is left
    out unless it lies at midnight: it is of the moment of asking.

    Parameters
    ----------
    chart
        The JSON of an answer.
    name
        'prices', 'market_caps' or 'total_volumes' (those of the 24 hours before).
    """
    found = member(chart, name, of=list)
    if wrong := next((p for p in found if type(p) is not list or len(p) != 2), None):
        raise SchemaError(f"expected points [milliseconds, value] in {name!r}, got {wrong!r}")
    stamps = finite([p[0] for p in found], f"{name} time")
    day = epoch_instants(stamps, name, per_second=1000).dt.date()
    rows = pl.DataFrame({"ms": stamps.cast(pl.Int64), "day": day, "value": finite([p[1] for p in found], name)})
    if rows.height and rows["ms"][-1] % _DAY_MS:
        rows = rows.head(-1)
    kept = rows.filter(pl.col("ms") % _DAY_MS < _HOUR_MS).select(observation_date="day", value="value")
    if kept.is_empty() and rows.height > 1:
        raise SchemaError(f"expected points at 00:00 UTC in {name!r}, got none among {rows.height}")
    return one_a_date(kept, "first")


def read_global(told: Any, path: str) -> pl.DataFrame:
    """One figure of the whole market, with the moment CoinGecko states for it as its `release_time`.

    Parameters
    ----------
    told
        The JSON of an answer.
    path
        Of a member of 'data', as 'market_cap_percentage.btc' (percent) or 'total_market_cap.usd' (dollars).
    """
    data = member(told, "data", of=dict)
    moment = epoch_instant(member(data, "updated_at", of=int), "updated_at")
    value = finite([member(data, *path.split("."), of=(int, float, str))], path)
    return pl.DataFrame({"observation_date": [moment.date()], "value": value, "release_time": [moment]})
