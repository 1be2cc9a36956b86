"""Synthetic providers: for every source of the catalog a stand-in that answers any request in the provider's format.

All figures are synthetic: smooth functions of series and date inside the catalog's bounds. A stand-in is a module named
as the connector with one function, `answer(request, world) -> (status, body)`. `server.py` serves them all on loopback,
which is how the whole catalog is fetched in tests and benchmarks without a network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from urllib.parse import parse_qsl, unquote, urlsplit

from macro_assets.catalog import Catalog, Series, default_catalog
from macro_assets.catalog.periods import next_period, period_start

FIRST_YEAR = 2005
"""Synthetic history begins here, or with the series if that is later."""


@dataclass(frozen=True)
class Asked:
    """A request as a provider sees it: path below its base URL, decoded query, body of a POST."""

    source: str
    path: str
    params: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class World:
    """What the stand-ins know: the catalog, and the day that is today."""

    catalog: Catalog = field(default_factory=default_catalog)
    today: date = field(default_factory=date.today)

    @cached_property
    def by_source(self) -> Mapping[str, tuple[Series, ...]]:
        """Series of each source, those that have it as a fallback included, as that source has them."""
        found: dict[str, list[Series]] = {s: list(self.catalog.series_of(s)) for s in self.catalog.sources}
        for series in self.catalog.series.values():
            for fallback in series.fallback:
                found[fallback.source].append(series.at(fallback))
        return {s: tuple(all_) for s, all_ in found.items()}

    def series(self, source: str, code: str) -> Series | None:
        """A series of a source by its provider's code."""
        return next((s for s in self.by_source[source] if s.code == code), None)

    def days(self, series: Series, first: date | None = None, last: date | None = None) -> Iterator[date]:
        """Observation dates of a series in a window: business days, Wednesdays, first days of periods; none to come."""
        begin = date(max(FIRST_YEAR, series.first_year), 1, 1)
        day = max(first or begin, begin)
        end = min(last or self.today, self.today)
        if series.last_year:
            end = min(end, date(series.last_year, 12, 31))
        if series.frequency == "D":
            day += timedelta(days=max(0, 8 - day.isoweekday()) if day.isoweekday() > 5 else 0)
        elif series.frequency == "W":
            day += timedelta(days=(3 - day.isoweekday()) % 7)
        elif period_start(day, series.frequency) < day:
            day = next_period(period_start(day, series.frequency), series.frequency)
        while day <= end:
            yield day
            day = next_period(day, series.frequency)

    def every_day(self, series: Series, first: date | None = None, last: date | None = None) -> list[date]:
        """Observation dates of a daily series of what trades around the clock, weekends included."""
        begin = date(max(FIRST_YEAR, series.first_year), 1, 1)
        begin, end = max(first or begin, begin), min(last or self.today, self.today)
        return [begin + timedelta(days=n) for n in range((end - begin).days + 1)]

    def value(self, series: Series, day: date) -> float:
        """A synthetic figure in the provider's unit, inside the bounds; four decimals."""
        low, high = series.bounds.low, series.bounds.high
        if low is None and high is None:
            low, high = 50.0, 150.0
        elif low is None:
            assert high is not None
            low = high - max(abs(high), 1.0)
        elif high is None:
            high = low + max(abs(low), 100.0)
        seed = int.from_bytes(sha256(series.id.encode()).digest()[:4], "big") / 2**32
        wave = 0.5 + 0.2 * math.sin(day.toordinal() / 400 + 6.28 * seed) + 0.02 * math.sin(day.toordinal() * 1.7)
        return round(low + (high - low) * wave, 4)


def answer(source: str, target: str, body: bytes, world: World) -> tuple[int, bytes]:
    """What the stand-in of a source answers to a target ('/path?query')."""
    parts = urlsplit(target)
    asked = Asked(source, unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True)), body)
    module = world.catalog.sources[source].module
    return import_module(f"macro_assets_tests.providers.{module}").answer(asked, world)  # type: ignore[no-any-return]
