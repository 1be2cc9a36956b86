"""Polygon (renamed Massive in 2025): daily bars of US shares, indices, currencies and coins, as JSON in pages.

`/v2/aggs/ticker/{ticker}/range/1/day/{from}/{to}` answers `{"status": "OK", "results": [{"t": milliseconds of the
bar's start, "c": close, "v": volume, ...}], "next_url": "https://..."}`; a day starts at midnight at the exchange,
of currencies and coins in UTC. Without bars there is no `results`.
Documentation: https://polygon.io/docs/rest/stocks/aggregates/custom-bars
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, members, read_json, refuse_repeated
from macro_assets.sources.cells import epoch_instants, finite
from macro_assets.sources.errors import AuthError, NotFoundError, SchemaError, SourceError, explain_status
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window

_COLUMNS = {"close": "c", "volume": "v", "average": "vw"}
_ZONE = "America/New_York"
"""An index day starts at midnight in Chicago, one o'clock of the same day here."""

_ROUND_THE_CLOCK = ("C:", "X:")
"""Tickers of currencies and coins begin so."""

_WELL = ("OK", "DELAYED")
_LONGEST_ERROR = 4096


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One question per series: `code` is the ticker, `dataset` 'close' (the default), 'volume' or 'average'."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    request: Request | None = Request(
        f"/v2/aggs/ticker/{series.code}/range/1/day/{window.begin(series)}/{window.end}",
        (("adjusted", "true"), ("sort", "asc"), ("limit", "50000")),
    )
    answers: list[Answer] = []
    while request is not None:
        response = yield request
        refuse_repeated(response, answers)
        answers.append(Answer(response, read_bars(response, series.dataset or "close")))
        request = next_page(response)
    return answers


def next_page(response: Response) -> Request | None:
    """The request for what follows an answer; None after the last page."""
    if b'"next_url"' not in response.body:
        return None
    url = member(read_json(response), "next_url", of=str)
    parts = urlsplit(url)
    if not parts.path.startswith("/v2/aggs/"):
        raise SchemaError(f"expected a 'next_url' of further bars, got {url!r}")
    return Request(parts.path, tuple((k, v) for k, v in parse_qsl(parts.query) if k.lower() != "apikey"))


def explain(response: Response) -> SourceError | None:
    """The HTTP status says nearly all; an error within a success has its own `status`."""
    error = explain_status(response)
    if error is not None or len(response.body) > _LONGEST_ERROR:
        return error
    try:
        status = json.loads(response.body).get("status")
    except (ValueError, AttributeError, RecursionError):
        return None
    if status == "NOT_AUTHORIZED":
        return AuthError("Polygon's plan does not give this. Check the plan of the key.")
    if status == "NOT_FOUND":
        return NotFoundError("Polygon does not know the ticker. Check the series' code in the catalog.")
    return SchemaError("expected bars, Polygon says ERROR. Check the request.") if status == "ERROR" else None


def read_bars(response: Response, column: str = "close") -> pl.DataFrame:
    """Daily bars before the day of the answer, which may be under way: `observation_date`, `value`.

    Values are dollars per share, index points, quoted currency or shares; prices are adjusted for splits.
    """
    if column not in _COLUMNS:
        raise SchemaError(f"expected `dataset` to be one of {sorted(_COLUMNS)}, the catalog has {column!r}")
    document = member(read_json(response), of=dict)
    if (status := document.get("status")) not in _WELL:
        raise SchemaError(f"expected the status to be one of {_WELL}, got {status!r}")
    if "results" not in document:
        if document.get("resultsCount"):
            raise SchemaError("expected the member 'results', the answer only counts them")
        return pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})
    bars = member(document, "results", of=list)
    name = _COLUMNS[column]
    stamps, values = (members(bars, key, int, float) for key in ("t", name))
    instants = epoch_instants(finite(stamps, "t"), "t", per_second=1000)
    zone = "UTC" if str(document.get("ticker", "")).startswith(_ROUND_THE_CLOCK) else _ZONE
    days = instants.dt.convert_time_zone(zone).dt.date()
    rows = pl.DataFrame({"observation_date": days, "value": finite(values, name)})
    return rows.filter(pl.col("observation_date") < response.fetched_at.astimezone(ZoneInfo(zone)).date())
