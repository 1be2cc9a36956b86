"""Alpha Vantage: prices of shares, currencies and coins, and some US figures, as JSON from one path.

Prices come as `{"Meta Data": {...}, "Time Series (Daily)": {"2024-01-02": {"1. open": "1.0", "4. close": ...}}}`:
numbered names, numbers as text, newest first. US figures come as `{"name", "interval", "unit", "data": [{"date",
"value"}]}` with "." for a missing one. Errors come with HTTP 200 under "Error Message", "Note" or "Information". The
free key has 25 requests a day and the last 100 sessions. Documentation: https://www.alphavantage.co/documentation/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json, records
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import (
    AuthError,
    NotFoundError,
    RateLimitError,
    SchemaError,
    SourceError,
    explain_status,
)
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window

_INTERVAL = {"D": "daily", "W": "weekly", "M": "monthly", "Q": "quarterly", "A": "annual"}
_LONGEST_ERROR = 4096
_NEW_YORK = ("US/Eastern", "America/New_York")
_CLOSE = "16:00:00"
_NUMBER = re.compile(r"^\d+[a-z]?[.:] *")


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One question per series, the same whatever the window: every request counts.

    `dataset` is Alpha Vantage's function. `code` is a symbol; for currencies and coins a pair as 'EUR/USD'; for
    TREASURY_YIELD a maturity as '10year'; for other US figures and commodities anything.
    """
    for one in series:
        yield Ask((one,), _steps(one))


def _steps(series: Series) -> Steps:
    function = series.dataset or "TIME_SERIES_DAILY"
    prices = function.startswith(("TIME_SERIES_", "FX_", "DIGITAL_CURRENCY_"))
    response = yield Request("/query", (("function", function), *_parameters(function, series)))
    market = series.code.partition("/")[2]
    return [Answer(response, read_prices(response, market) if prices else read_figures(response, series.frequency))]


def _parameters(function: str, series: Series) -> tuple[tuple[str, str], ...]:
    left, _, right = series.code.partition("/")
    if function.startswith("FX_"):
        return ("from_symbol", left), ("to_symbol", right), ("outputsize", "compact")
    if function.startswith("DIGITAL_CURRENCY_"):
        return ("symbol", left), ("market", right)
    if function.startswith("TIME_SERIES_"):
        return ("symbol", series.code), ("outputsize", "compact")
    maturity = (("maturity", series.code),) if function == "TREASURY_YIELD" else ()
    return ("interval", _INTERVAL[series.frequency]), *maturity


def explain(response: Response) -> SourceError | None:
    """Errors of Alpha Vantage, which come with HTTP 200. Its texts may show the key: they are not quoted."""
    said = _said(response)
    if not said:
        return explain_status(response)
    kind, text = next(iter(said.items()))
    plain = text.lower()
    if kind == "Error Message":
        if "apikey" in plain:
            return AuthError("Alpha Vantage takes the key for none. Check the key of the source.")
        return NotFoundError("Alpha Vantage calls the request invalid. Check the series' code and data set.")
    limited = any(w in plain for w in ("rate limit", "call frequency", "call volume", "sparingly"))
    if not limited and any(w in plain for w in ("premium", "demo")):
        return AuthError("Alpha Vantage gives this to premium or real keys alone. Check the key of the source.")
    return RateLimitError("Alpha Vantage was asked too often: a free key has 25 requests a day. Ask again tomorrow.")


def _said(response: Response) -> dict[str, str]:
    """What a body that is an error says, by its kind; nothing for all else."""
    kinds = ("Error Message", "Note", "Information")
    if len(response.body) > _LONGEST_ERROR or not any(f'"{k}"'.encode() in response.body for k in kinds):
        return {}
    try:
        document = json.loads(response.body)
        return {k: str(document[k]) for k in kinds if k in document}
    except (ValueError, TypeError, RecursionError):
        return {}


def read_prices(response: Response, market: str = "") -> pl.DataFrame:
    """Closes of the days that are over: `observation_date`, `value` in the quoted currency.

    The day of 'Last Refreshed' is under way, and left out, when that has a clock time, but for New York's after the
    close.

    Parameters
    ----------
    market
        Of prices in several currencies, the one that is wanted, as 'USD'.
    """
    document = member(read_json(response), of=dict)
    if not document:
        raise NotFoundError("Alpha Vantage answers nothing. Check the series' code and data set.")
    meta = {_NUMBER.sub("", name): text for name, text in member(document, "Meta Data", of=dict).items()}
    tables = [name for name in document if name != "Meta Data"]
    if len(tables) != 1:
        raise SchemaError(f"expected 'Meta Data' and one table, the answer has {list(document)}")
    rows = member(document, tables[0], of=dict)
    name = _column(member(next(iter(rows.values()), {}), of=dict), market) if rows else "close"
    days = dates(pl.Series("date", list(rows), dtype=pl.String))
    values = numbers(records(list(rows.values()), (name,))[name])
    table = pl.DataFrame({"observation_date": days, "value": values}).sort("observation_date")
    running = _running_day(meta)
    return table.filter(pl.col("observation_date") < running) if running else table


def _column(row: dict[str, Any], market: str) -> str:
    plain = {_NUMBER.sub("", name): name for name in row}
    found = plain.get(f"close ({market})") or plain.get("close")
    if found is None:
        raise SchemaError(f"expected the field 'close', a row has {list(row)}")
    return found


def _running_day(meta: dict[str, Any]) -> date | None:
    """Day that is not over; None where all are."""
    refreshed, zone = (member(meta, name, of=str) for name in ("Last Refreshed", "Time Zone"))
    day, _, clock = refreshed.partition(" ")
    if not clock or (zone in _NEW_YORK and clock >= _CLOSE):
        return None
    found: date = dates(pl.Series("Last Refreshed", [day]))[0]
    return found


def read_figures(response: Response, frequency: str = "D") -> pl.DataFrame:
    """Values of a US figure or commodity: `observation_date` (first day of the period), `value` in its unit."""
    document = member(read_json(response), of=dict)
    interval = member(document, "interval", of=str)
    if interval != _INTERVAL[frequency]:
        raise SchemaError(f"expected the interval {_INTERVAL[frequency]!r}, the answer has {interval!r}")
    table = records(member(document, "data", of=list), ("date", "value"))
    return pl.DataFrame({"observation_date": dates(table["date"]), "value": numbers(table["value"], missing=(".",))})
