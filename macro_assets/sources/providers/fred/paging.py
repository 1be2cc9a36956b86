"""How FRED's lists page: by offset, at most so many rows at once, against a count that every page repeats."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

from macro_assets.sources.bodies import member, read_json
from macro_assets.sources.errors import SchemaError, TransientError
from macro_assets.sources.protocol import Request, Response
from macro_assets.sources.providers.fred.answers import has_no_vintages

LIMITS = {"vintage_dates": 10_000, "observations": 100_000, "release_dates": 1_000}
"""Most rows that FRED puts on a page, by list."""

FIELDS = {"observations": ("realtime_start", "realtime_end", "date", "value")}
"""Fields of the rows of a list, where there are many."""

T = TypeVar("T")


def listed_pages(
    path: str, name: str, params: Mapping[str, str], read: Callable[[list[Any]], T]
) -> Generator[Request, Response, list[tuple[Response, T]]]:
    """All pages of a list, each with its response; read at once, for the parsed JSON of some series is gigabytes."""
    found: list[tuple[Response, T]] = []
    got, told = 0, None
    while told is None or got < told:
        place = {"sort_order": "asc", "limit": str(LIMITS[name]), "offset": str(got)}
        response = yield Request(path, (*params.items(), *place.items()))
        if has_no_vintages(response):
            return [(response, read([]))]
        rows, count = page_rows(response, name, got)
        if told not in (None, count):
            raise TransientError(f"the list {name!r} changed while it was read: {told} rows, then {count}. Ask again.")
        found.append((response, read(rows)))
        got, told = got + len(rows), count
    return found


def page_rows(response: Response, name: str, offset: int) -> tuple[list[Any], int]:
    """The rows of one page of a list, and how many the whole list has."""
    page = read_json(response, FIELDS.get(name, ()))
    count, at = member(page, "count", of=int), member(page, "offset", of=int)
    rows: list[Any] = member(page, name, of=list)
    if at != offset or (not rows and offset < count):
        raise SchemaError(f"expected {name!r} from {offset} of {count} on, got {len(rows)} from {at} on")
    if offset + len(rows) > count:
        raise TransientError(f"the list {name!r} has grown while it was read: {count} rows were told. Ask again.")
    return rows, count
