"""Glassnode: figures of blockchains, as JSON.

`/v1/metrics/{metric}` answers `[{"t": seconds UTC of the interval's start, "v": number}]`, or "o": {part: number} where
a metric has parts; its form for many assets, `/bulk`, nests `{"data": [{"t", "bulk": [{"a": asset, "v": number}]}]}`.
Recent points are revised. Documentation: https://docs.glassnode.com/basic-api/endpoints
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.cells import epoch_instants, finite
from macro_assets.sources.errors import NotFoundError, SchemaError
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One question per series: `dataset` is the metric, as 'addresses/active_count', `code` the asset, as BTC.

    The code of a part of a metric is 'BTC.total'.
    """
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    asset, _, part = series.code.partition(".")
    response = yield Request(
        f"/v1/metrics/{series.dataset}",
        (
            ("a", asset),
            ("i", "24h"),
            ("s", _seconds(window.begin(series))),
            ("u", _seconds(window.end + timedelta(days=1))),
        ),
    )
    return [Answer(response, read_points(response, asset, part))]


def _seconds(day: date) -> str:
    return str(int(datetime.combine(day, time(), UTC).timestamp()))


def read_points(response: Response, asset: str, part: str = "") -> pl.DataFrame:
    """Daily values of one asset: `observation_date` (UTC), `value` in the metric's unit; null is a missing one."""
    document = member(read_json(response), of=(list, dict))
    points = document if isinstance(document, list) else _of_bulk(document, asset)
    field = "o" if part else "v"
    try:
        stamps = [p["t"] for p in points]
        values = [p["o"][part] for p in points] if part else [p["v"] for p in points]
    except (KeyError, TypeError):
        odd = next((p for p in points if not isinstance(p, dict) or not {"t", field} <= set(p)), points[-1])
        wanted = f"{field!r} with {part!r}" if part else repr(field)
        raise SchemaError(f"expected points of 't' and {wanted}, got {odd!r}") from None
    seconds = finite(stamps, "t")
    days = epoch_instants(seconds, "t").dt.date()
    return pl.DataFrame({"observation_date": days, "value": finite(values, field)})


def _of_bulk(document: dict[str, Any], asset: str) -> list[Any]:
    rows = member(document, "data", of=list)
    nested = [(member(row, "t", of=int), member(row, "bulk", of=list)) for row in rows]
    points = [{**member(p, of=dict), "t": t} for t, bulk in nested for p in bulk if member(p, "a", of=str) == asset]
    if rows and not points:
        raise NotFoundError(f"Glassnode's answer has no points of {asset!r}. Check the series' code in the catalog.")
    return points
