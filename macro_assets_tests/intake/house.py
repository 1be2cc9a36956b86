"""Real sources with a clock: what is due at an instant is asked of synthetic answers, as a refresh does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from macro_assets.catalog import Source
from macro_assets.intake import fetch, health, step, windows
from macro_assets.intake.rebuild import rebuilt
from macro_assets.intake.step import Question, Run, StepResult, take_in
from macro_assets.intake.years import Years
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import observations_as_of, read_raw
from macro_assets.orchestration.due import Due, due_series
from macro_assets.sources import protocol
from macro_assets.sources.http import HttpClient
from macro_assets.sources.protocol import Request, Response, connector
from macro_assets_tests.faults.upstream import small_catalog

Answer = Callable[[httpx.Request, datetime], tuple[int, bytes]]
"""From a request and the instant of it to status and body."""

ALL_YEARS = [str(year) for year in range(2010, 2028)]


class _Client:
    """A client whose answers come at the clock's instant."""

    def __init__(self, inner: HttpClient, house: House) -> None:
        self.inner, self.house = inner, house

    def get(self, request: Request) -> Response:
        return replace(self.inner.get(request), fetched_at=self.house.now)

    def close(self) -> None:
        self.inner.close()


class House:
    """A lake of one source with some series of the catalog, and its provider.

    Parameters
    ----------
    requests
        What the provider was asked in the latest step.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, *ids: str) -> None:
        self.catalog = small_catalog(*ids)
        self.source = self.catalog.sources[self.catalog.one_series(ids[0]).source]
        self.lake = Lakehouse(root, self.catalog)
        self.answer = answer
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.requests: list[httpx.Request] = []
        self.runs = 0
        house = self

        class Clock(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return house.now

        for module in (protocol, step):
            monkeypatch.setattr(module, "datetime", Clock)
        monkeypatch.setattr(windows, "utc_now", lambda: self.now)
        monkeypatch.setattr(step, "open_client", self.client)
        for keyed in (fetch, step, health):
            monkeypatch.setattr(keyed, "missing_key", lambda *_: None)

    def client(self, source: Source, remembered: object = None) -> _Client:
        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            status, body = self.answer(request, self.now)
            return httpx.Response(status, content=body)

        name = source.name.upper()
        environ = {f"MACRO_URL_{name}": "http://127.0.0.1:9", f"MACRO_RATE_{name}": "1000000"}
        if source.api is not None and source.api.key is not None:
            environ[source.api.key.environment] = "synthetic-key-0123456789"
        transport = httpx.MockTransport(handle)
        return _Client(HttpClient(source, connector(source).explain, transport=transport, environ=environ), self)

    def take(self, now: datetime, years: tuple[int, int] = (2010, 2027), only_news: bool = False) -> StepResult:
        """Ask for all series, for some years of their dates."""
        self.now, self.runs = now, self.runs + 1
        self.requests.clear()
        asked = [str(y) for y in range(max(years[0], 2010), years[1] + 1)]
        run = Run(f"run{self.runs}", "v1", lambda text: None)
        series = self.catalog.series_of(self.source.name)
        return take_in(self.lake, self.source, Question(series, Years(asked, ALL_YEARS), only_news), run)

    def due(self, now: datetime) -> list[Due]:
        """What is due at an instant."""
        return due_series(self.lake, self.source, now)

    def refresh(self, now: datetime) -> StepResult | None:
        """Ask for what is due, as a refresh does; None where nothing is."""
        due = self.due(now)
        if not due:
            return None
        years = [d.first_year for d in due]
        first = None if None in years else min(y for y in years if y is not None)
        return self.take(now, (first or 2010, 2027), only_news=first is not None)

    def values(self, moment: datetime | None = None, series_id: str | None = None) -> dict[date, float | None]:
        """What is known of a series, by date."""
        wanted = series_id or next(iter(self.catalog.series))
        known = observations_as_of(moment, [wanted], self.lake.root, self.catalog)
        return dict(known.select("observation_date", "value").iter_rows())

    def raw(self) -> pl.DataFrame:
        """The raw table in key order."""
        table = self.catalog.one_table(f"raw/{self.source.name}")
        return read_raw(self.lake, self.source.name).sort(table.key)

    def is_rebuilt(self) -> bool:
        """Whether landing alone gives the raw table."""
        return rebuilt(self.lake, self.source).equals(self.raw())


def failures(done: StepResult | None) -> dict[str, Any]:
    """Why series failed."""
    assert done is not None, "nothing was due"
    return done.failed
