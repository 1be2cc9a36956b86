"""Every source of the catalog has a stand-in, and every series can be had from it."""

from __future__ import annotations

from datetime import date

import pytest

from macro_assets.catalog import default_catalog
from macro_assets.quality import check_series
from macro_assets.sources import Response, Window, request_text
from macro_assets.sources.fetching import fetch
from macro_assets_tests.providers import World, answer

WORLD = World(today=date(2026, 11, 20))
LIVE = [s.name for s in default_catalog().sources.values() if s.api is not None]


class InMemory:
    """A client that asks a stand-in without a server."""

    def __init__(self, source: str) -> None:
        self.source = WORLD.catalog.sources[source]

    def get(self, request):  # type: ignore[no-untyped-def]
        from datetime import UTC, datetime

        status, body = answer(self.source.name, request.target, (request.json or "").encode(), WORLD)
        return Response(request_text(self.source, request), body, datetime(2026, 11, 20, 23, tzinfo=UTC), status)


@pytest.mark.parametrize("source", LIVE)
def test_every_series_of_the_source_can_be_had(source: str) -> None:
    series = WORLD.catalog.series_of(source)
    window = Window(date(2024, 1, 1), None, WORLD.today)
    found = fetch(WORLD.catalog.sources[source], InMemory(source), series, window)
    assert found.failures == {}
    by_series = found.observations.partition_by("series_id", as_dict=True)
    for one in series:
        if one.last_year is not None and one.last_year < 2024:
            continue
        rows = by_series[one.id,]
        assert rows.height > 0, one.id
        report = check_series(rows, one)
        assert report.passed, str(report)
