"""What connectors and their driver agree on: requests, responses, windows, answers, and what a connector offers.

A connector is a module of providers/ with

- `plan(series, window)`, which says what is asked together: an :class:`Ask` names series and holds a generator that
  yields requests, is sent their responses, and returns what it read from each;
- if the provider's errors need more than the HTTP status, `explain(response)`, which returns the typed error an answer
  stands for, or None.

Connectors are pure: the driver (``fetching.py``) sends what they yield through a client, so that the same code runs
against a provider, a recording and landing. What several read alike is in ``bodies.py``, ``cells.py`` and ``rows.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from importlib import import_module
from typing import Protocol
from urllib.parse import quote, urlencode

import polars as pl
from polars.exceptions import PanicException

from macro_assets.catalog import Series, Source
from macro_assets.sources.errors import SourceError, explain_status

_LEGIBLE = "$@,:'()*!/"
"""Characters that need no escape in a query."""


@dataclass(frozen=True)
class Request:
    """What is asked of a provider, without any key.

    Parameters
    ----------
    path
        Below the source's base URL, beginning with '/'; of a source without a network, the file's path.
    params
        Of the query, in the order they are sent.
    json
        Body of a POST; None for a GET.
    """

    path: str
    params: tuple[tuple[str, str], ...] = ()
    json: str | None = None

    @property
    def target(self) -> str:
        """Path and query as they are sent."""
        path = quote(self.path, safe="/%:@!$&'()*+,;=")
        return f"{path}?{urlencode(self.params, quote_via=quote, safe=_LEGIBLE)}" if self.params else path


def request_text(source: Source, request: Request) -> str:
    """A request as landing keeps it: method, URL at the provider and body, without any key."""
    if source.api is None:
        return request.path
    base = source.api.base_url.rstrip("/")
    return f"GET {base}{request.target}" if request.json is None else f"POST {base}{request.target} {request.json}"


@dataclass(frozen=True)
class Response:
    """The bytes a provider answered, and when; `http_status` is None where it was no HTTP answer.

    Parameters
    ----------
    request
        The text that landing keeps: method, URL and body of the question, without any key.
    validator
        What the provider can later be asked to compare with: 'ETag: ...' or 'Last-Modified: ...'.
    seconds
        From asking to the last byte.
    """

    request: str
    body: bytes
    fetched_at: datetime
    http_status: int | None = None
    validator: str | None = None
    seconds: float | None = None

    @property
    def sha256(self) -> str:
        return sha256(self.body).hexdigest()


class Client(Protocol):
    """Turns a request into a response: over HTTP, from package files, from a recording, from landing.

    It raises a :class:`SourceError` only where there is no response to show.
    """

    def get(self, request: Request) -> Response: ...


@dataclass(frozen=True)
class Window:
    """What is asked for: observation dates, both ends included, None = open; as seen on a day.

    Parameters
    ----------
    today
        UTC day of the asking, for providers that want an end.
    known
        By series, the UTC day of the latest release that is stored. A provider that tells changes needs to tell only
        what came later.
    """

    first: date | None = None
    last: date | None = None
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    known: Mapping[str, date] = field(default_factory=dict)

    @property
    def end(self) -> date:
        """The last date that makes sense to ask for."""
        return self.today if self.last is None else min(self.last, self.today)

    def begin(self, series: Series) -> date:
        """The first date that makes sense to ask for."""
        first = date(series.first_year, 1, 1)
        return first if self.first is None else max(self.first, first)

    @property
    def is_whole(self) -> bool:
        """Whether it asks for every date and every vintage."""
        return self.first is None and self.last is None and not self.known

    def contains(self, column: pl.Expr) -> pl.Expr:
        """Whether a date column lies in the window."""
        after = pl.lit(True) if self.first is None else column >= self.first
        before = pl.lit(True) if self.last is None else column <= self.last
        return after & before


OBSERVATION_SCHEMA: dict[str, pl.DataType] = {
    "series_id": pl.String(),
    "observation_date": pl.Date(),
    "value": pl.Float64(),
    "release_time": pl.Datetime("us", "UTC"),
    "release_basis": pl.String(),
    "provider": pl.String(),
    "ingested_at": pl.Datetime("us", "UTC"),
    "payload_sha256": pl.String(),
}
"""Columns of :attr:`Fetched.observations`: those of the raw table but the run."""

NO_OBSERVATIONS = pl.DataFrame(schema=OBSERVATION_SCHEMA)

Splits = tuple[tuple[date, float], ...]
"""Splits of a share in turn: the day at the exchange, and how many new shares stand for one old."""

ROW = ("series_id", "observation_date", "value")
"""Columns a connector must state."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought.

    Parameters
    ----------
    observations
        See `OBSERVATION_SCHEMA`.
    responses
        Every answer, those that were errors too.
    failures
        Series that could not be had, with why.
    unchanged
        Series of which the provider said that nothing was released since :attr:`Window.known`.
    splits
        See :attr:`Answer.splits`.
    """

    observations: pl.DataFrame
    responses: tuple[Response, ...]
    failures: Mapping[str, str] = field(default_factory=dict)
    unchanged: frozenset[str] = frozenset()
    splits: Mapping[str, Splits] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A response and what was read from it.

    Parameters
    ----------
    rows
        `observation_date` and `value`; `series_id` where the ask is for several series; `release_time` where the
        provider states it, and `release_basis` where that is not 'provider'.
    failures
        Series of the ask that could not be read from it, with why. What is no :class:`SourceError` is a fault of the
        connector.
    splits
        By series that have any, the splits that the provider tells of the share and adjusts figures of before for: it
        divides prices by the ratio, and multiplies volumes with it.
    """

    response: Response
    rows: pl.DataFrame
    failures: Mapping[str, BaseException] = field(default_factory=dict)
    splits: Mapping[str, Splits] = field(default_factory=dict)


def read_each(response: Response, series: Sequence[Series], read: Callable[[Series], pl.DataFrame]) -> Answer:
    """An answer for several series, each read by itself: one that cannot be read fails alone, foreseen or not.

    Parameters
    ----------
    read
        From a series to its `observation_date` and `value`; raises a :class:`SourceError`.
    """
    frames: list[pl.DataFrame] = [pl.DataFrame(schema={c: OBSERVATION_SCHEMA[c] for c in ROW})]
    failures: dict[str, BaseException] = {}
    for one in series:
        try:
            rows = read(one)
            frames.append(rows.hstack([pl.Series("series_id", [one.id]).new_from_index(0, rows.height)]))
        except (Exception, PanicException) as error:
            failures[one.id] = error
    return Answer(response, pl.concat(frames, how="diagonal"), failures)


Steps = Generator[Request, Response, Sequence[Answer] | None]
"""Yields requests, is sent their responses, returns the answers; None = nothing was released since `Window.known`."""


@dataclass(frozen=True)
class Ask:
    """Series that are asked for together, and how. They fail together."""

    series: tuple[Series, ...]
    steps: Steps


@dataclass(frozen=True)
class Connector:
    """What a module of providers/ offers; all but `plan` may be left out of it.

    Parameters
    ----------
    plan
        From series and window to what is asked together.
    explain
        The typed error an answer stands for, or None; by default what its HTTP status says.
    client
        Opens the client of a source that is not reached over HTTP.
    calendar
        Steps to the days on which releases come out, from first, last and today.
    fingerprint
        What tells that files of the user's own are other ones.
    """

    plan: Callable[[Sequence[Series], Window], Iterable[Ask]]
    explain: Callable[[Response], SourceError | None] = explain_status
    client: Callable[[Source], Client] | None = None
    calendar: Callable[[date, date, date], Generator[Request, Response, pl.DataFrame]] | None = None
    fingerprint: Callable[[Source], str] | None = None


def connector(source: Source) -> Connector:
    """The connector that speaks with a source."""
    module = import_module(connector_module(source))
    return Connector(**{f.name: getattr(module, f.name) for f in fields(Connector) if hasattr(module, f.name)})


def connector_module(source: Source) -> str:
    """The module (or, of a family, the package) of a source's connector, by its dotted name."""
    return f"macro_assets.sources.providers.{source.module}"


def windows(first: date, last: date, years: int) -> list[tuple[date, date]]:
    """A span of dates in pieces of at most some calendar years, for providers that cap what one answer spans."""
    pieces = []
    start = first
    while start <= last:
        stop = min(date(start.year + years - 1, 12, 31), last)
        pieces.append((start, stop))
        start = stop + timedelta(days=1)
    return pieces
