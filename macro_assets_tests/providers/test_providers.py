"""Every source of the catalog has a stand-in, and every series can be had from it, and from those of its holders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from macro_assets.catalog import Series, default_catalog
from macro_assets.catalog.load import Holding
from macro_assets.quality import check_series
from macro_assets.sources.fetching import fetch
from macro_assets.sources.protocol import Window
from macro_assets_tests.providers import InMemory, World

WORLD = World(today=date(2026, 11, 20))
WINDOW = Window(date(2025, 1, 1), None, WORLD.today)
LIVE = [s.name for s in default_catalog().sources.values() if s.api is not None]
ASKED: dict[str, list[Holding]] = {}
for _id in default_catalog().series:
    for _holding in default_catalog().holdings(_id)[1:]:
        if _holding.provider in LIVE:
            ASKED.setdefault(_holding.provider, []).append(_holding)


def rows_of(source: str, series: Sequence[Series]) -> dict[str, pl.DataFrame]:
    """What the stand-in of a source gives, by series."""
    found = fetch(WORLD.catalog.sources[source], InMemory(source, WORLD), series, WINDOW)
    assert found.failures == {}
    return {str(key[0]): rows for key, rows in found.observations.group_by("series_id")}


def check(rows: pl.DataFrame | None, series: Series) -> None:
    assert rows is not None, series.id
    report = check_series(rows, series)
    assert report.passed, str(report)


def goes_on(series: Series) -> bool:
    return series.last_year is None or series.last_year >= 2025


@pytest.mark.parametrize("source", LIVE)
def test_every_series_of_the_source_can_be_had(source: str) -> None:
    series = WORLD.catalog.series_of(source)
    found = rows_of(source, series)
    for one in filter(goes_on, series):
        check(found.get(one.id), one)


@pytest.mark.parametrize("source", ASKED)
def test_every_series_can_be_had_from_its_further_holders(source: str) -> None:
    served = [h for h in ASKED[source] if goes_on(h.series)]
    found = rows_of(source, [h.series for h in served])
    for holding in served:
        rows = found.get(holding.series.id)
        check(rows if rows is None else rows.with_columns(value=pl.col("value") * holding.factor), holding.series)
