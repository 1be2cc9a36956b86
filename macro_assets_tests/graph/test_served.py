"""What a derivation gets of series that several holders have: whose figures, with time, and what is said of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.graph.derivation import Derivation, Served
from macro_assets.graph.inputs import Inputs
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import INVALIDATIONS, append_vintages
from macro_assets_tests.lakehouse.synthetic import SERIES, Row, day, frame, month, row

CATALOG = default_catalog()
LIMIT = timedelta(days=CATALOG.series[SERIES].staleness_days)
GIVEN = Served((SERIES,), ("raw/fred", "raw/bundled", INVALIDATIONS))
DERIVATION = Derivation(("normalized/fred",), {"served": GIVEN}, partial(dict))
NOON = timedelta(hours=12)


def lake_of(root: Path, *, home: list[Row], copy: list[Row]) -> Lakehouse:
    for source, rows in (("fred", home), ("bundled", copy)):
        append_vintages(source, frame(*({**r, "provider": source} for r in rows)).drop("run_id"), "run", root=root)
    return Lakehouse(root, CATALOG)


@pytest.fixture
def lake(tmp_path: Path) -> Lakehouse:
    """The home has two months from the second on, the copy a later one and the first."""
    return lake_of(
        tmp_path,
        home=[row(month(2), 2.0, day(1)), row(month(3), 3.0, day(1))],
        copy=[row(month(1), 10.0, day(1)), row(month(4), 40.0, day(1))],
    )


def at(lake: Lakehouse, today: date) -> Inputs:
    return Inputs(lake, [DERIVATION], now=datetime.combine(today, datetime.min.time(), tzinfo=day(1).tzinfo) + NOON)


def served(inputs: Inputs) -> dict[date, tuple[str, float]]:
    rows: pl.DataFrame = inputs.frames(DERIVATION)["served"]
    return {d: (provider, value) for d, provider, value in rows.select("observation_date", "provider", "value").rows()}


def test_time_alone_changes_who_serves_and_so_the_version(lake: Lakehouse) -> None:
    last = month(3) + LIMIT
    fresh, stale = at(lake, last), at(lake, last + timedelta(days=1))
    assert served(fresh) == {month(2): ("fred", 2.0), month(3): ("fred", 3.0)}
    assert served(stale) == {month(1): ("bundled", 10.0), month(4): ("bundled", 40.0)}
    before, after = fresh.versions(DERIVATION), stale.versions(DERIVATION)
    assert {name for name in before if before[name] != after[name]} == {"holders"}
    assert at(lake, last - timedelta(days=1)).versions(DERIVATION) == before


def test_a_series_that_begins_later_than_another_holder_has_it_is_told(lake: Lakehouse) -> None:
    assert at(lake, month(3)).begins_later(DERIVATION) == [
        f"{SERIES}: fred begins in {month(2):%Y-%m}, bundled in {month(1):%Y-%m}"
    ]
    assert at(lake, month(3) + LIMIT + timedelta(days=1)).begins_later(DERIVATION) == []
