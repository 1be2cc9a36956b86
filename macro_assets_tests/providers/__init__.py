"""Synthetic providers: for every source of the catalog a stand-in that answers any request in the provider's format.

Figures are synthetic: smooth functions of series and date inside the catalog's bounds; but for series of which a world
is `told` others (`told.py`). A stand-in is a module named
as the connector with one function, `answer(request, world) -> (status, body)`. `server.py` serves them all on loopback,
which is how the whole catalog is fetched in tests and benchmarks without a network.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from math import sin
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from macro_assets.catalog import Bounds, Catalog, Series, default_catalog
from macro_assets.catalog.load import Holding
from macro_assets.sources.protocol import Request, Response, request_text
from macro_assets_tests.providers.told import Told

T = TypeVar("T")

FIRST_YEAR = 2005
"""Synthetic history begins here, or with the series if that is later."""

MONTHS = {"M": range(1, 13), "Q": range(1, 13, 3), "A": range(1, 2)}
"""Months in which periods begin."""


@dataclass(frozen=True)
class Asked:
    """A request as a provider sees it: path below its base URL, decoded query, body of a POST."""

    source: str
    path: str
    params: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, eq=False)
class World:
    """What the stand-ins know: the catalog, and the day that is today. What they made once is kept.

    `told` has the figures of some series, by FRED's code; providers that are `down` answer with HTTP 503; `splits` are
    those of shares by their symbol: the day, and how many new shares stand for one old. From that day on a provider
    that adjusts for splits has all figures by the new share.
    """

    catalog: Catalog = field(default_factory=default_catalog)
    today: date = field(default_factory=date.today)
    told: Mapping[str, Told] = field(default_factory=dict, repr=False)
    down: Collection[str] = ()
    splits: Mapping[str, Mapping[date, float]] = field(default_factory=dict)
    made: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made for the first who asks."""
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]  # type: ignore[no-any-return]

    @cached_property
    def by_source(self) -> Mapping[str, tuple[Series, ...]]:
        """Series of each source as it has them: those whose home it is first, then those of which it is a holder."""
        found: dict[str, list[Series]] = {s: [] for s in self.catalog.sources}
        for series in self.catalog.series.values():
            found[series.source].append(series)
        for series in self.catalog.series.values():
            for holding in self.catalog.holdings(series.id)[1:]:
                found[holding.provider].append(as_served(holding))
        return {s: tuple(all_) for s, all_ in found.items()}

    def told_about(self, series: Series) -> Told | None:
        """What is told of a series; at FRED a code may be that of several."""
        at_fred = self.catalog.sources[series.source].module.startswith("fred")
        return self.told.get(series.code if at_fred else series.id)

    @cached_property
    def by_code(self) -> Mapping[tuple[str, str], Series]:
        """The first series of each source and provider's code."""
        return {(source, s.code): s for source, all_ in self.by_source.items() for s in reversed(all_)}

    def series(self, source: str, code: str) -> Series | None:
        """A series of a source by its provider's code."""
        return self.by_code.get((source, code))

    def of_dataset(self, source: str, dataset: str) -> list[Series]:
        """Series of one data set of a source."""
        return [s for s in self.by_source[source] if s.dataset == dataset]

    def days(self, series: Series) -> Iterable[date]:
        """Observation dates of a series: business days, Wednesdays, first days of periods; none to come.

        Where they have no rhythm, the first Wednesday of each month.
        """
        return self.figures(series).keys()

    def every_day(self, series: Series) -> Mapping[date, float]:
        """All figures of what goes on around the clock, weekends included, by day in order."""
        begin = date(max(FIRST_YEAR, series.first_year), 1, 1).toordinal()
        days = (date.fromordinal(n) for n in range(begin, self.today.toordinal() + 1))
        return self.once((series.source, series.code, series.id, "every day"), lambda: _synthetic(series, days))

    def value(self, series: Series, day: date) -> float:
        """A synthetic figure in the provider's unit, inside the bounds; four decimals."""
        return self.figures(series)[day]

    def figures(self, series: Series) -> Mapping[date, float]:
        """All figures of a series by observation date, in order."""
        return self.once((series.source, series.code, series.id), lambda: self._figures(series))

    def rows(self, series: Sequence[Series]) -> list[dict[str, Any]]:
        """A table of many columns by date, in order: what the series' selectors name, and no other cells."""
        cells: dict[tuple[Any, ...], dict[str, Any]] = {}
        for one in series:
            assert one.selector is not None
            where, day_column, column = one.selector.where, one.selector.date, one.selector.value
            which = tuple(where.items())
            for day, value in self.figures(one).items():
                cells.setdefault((day, which), {day_column: day, **where})[column] = value
        return [cells[key] for key in sorted(cells, key=lambda k: k[0])]

    def _figures(self, series: Series) -> dict[date, float]:
        if (told := self.told_about(series)) is not None:
            return {d: v for d, v in told.at(self.today).items() if d.year >= series.first_year}
        last = self.today if series.last_year is None else min(self.today, date(series.last_year, 12, 31))
        begin = date(max(FIRST_YEAR, series.first_year), 1, 1)
        if series.frequency in ("D", "W"):
            every = [date.fromordinal(n) for n in range(begin.toordinal(), last.toordinal() + 1)]
            if series.irregular:
                days = [d for d in every if d.isoweekday() == 3 and d.day <= 7]
            elif series.frequency == "W":
                days = [d for d in every if d.isoweekday() == 3]
            else:
                days = [d for d in every if d.isoweekday() <= 5]
        else:
            days = [date(y, m, 1) for y in range(begin.year, last.year + 1) for m in MONTHS[series.frequency]]
        return _synthetic(series, (d for d in days if d <= last))


def as_served(holding: Holding) -> Series:
    """A series as one of its holders has it, its bounds in the unit of the provider's number."""
    low, high = holding.series.bounds.low, holding.series.bounds.high
    low, high = (None if b is None else b / holding.factor for b in (low, high))
    return holding.series.model_copy(update={"bounds": Bounds(low=low, high=high)})


def _synthetic(series: Series, days: Iterable[date]) -> dict[date, float]:
    low, high = _limits(series)
    seed = int.from_bytes(sha256(series.id.encode()).digest()[:4], "big") / 2**32
    if series.theme == "prices" and series.unit == "percent":  # whose limits have room for hyperinflation
        high = min(high, low + 8)
    middle, wide, fine = low + (high - low) / 2, 0.2 * (high - low), 0.02 * (high - low)
    dated = [(d, d.toordinal()) for d in days]
    if series.theme in ("curve", "prices", "expectations"):  # what moves together, a little apart
        return {d: round(middle + wide * sin(n / 400) + fine * (seed + sin(n * 1.7)), 4) for d, n in dated}
    return {d: round(middle + wide * sin(n / 400 + 6.28 * seed) + fine * sin(n * 1.7), 4) for d, n in dated}


def _limits(series: Series) -> tuple[float, float]:
    low, high = series.bounds.low, series.bounds.high
    if low is None and high is None:
        return 50.0, 150.0
    if low is None:
        assert high is not None
        return high - max(abs(high), 1.0), high
    return low, low + max(abs(low), 100.0) if high is None else high


def answer(source: str, target: str, body: bytes, world: World) -> tuple[int, bytes]:
    """What the stand-in of a source answers to a target ('/path?query')."""
    if source in world.down:
        return 503, b"<html>down for maintenance, synthetic</html>"
    parts = urlsplit(target)
    asked = Asked(source, unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True)), body)
    module = world.catalog.sources[source].module
    return import_module(f"macro_assets_tests.providers.{module}").answer(asked, world)  # type: ignore[no-any-return]


class InMemory:
    """A client that asks the stand-in of a source without a server."""

    def __init__(self, source: str, world: World) -> None:
        self.source, self.world = world.catalog.sources[source], world

    def get(self, request: Request) -> Response:
        status, body = answer(self.source.name, request.target, (request.json or "").encode(), self.world)
        evening = datetime.combine(self.world.today, time(23), tzinfo=UTC)
        return Response(request_text(self.source, request), body, evening, status)
