"""F19: the same again, in pieces, overlapping and in any order, ends in the same table."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from macro_assets.intake.years import Years
from macro_assets.lakehouse.delta import data_version, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import observations_as_of
from macro_assets.lakehouse.vintages import OBSERVATION
from macro_assets.orchestration.partitions import YEARS
from macro_assets_tests.intake.taking import taken
from macro_assets_tests.orchestration.toy import SERIES, toy_catalog

CATALOG = toy_catalog()
SOURCE = CATALOG.sources["bundled"]
ALL = YEARS.get_partition_keys()
RAW, LANDING = (CATALOG.one_table(f"{layer}/bundled") for layer in ("raw", "landing"))
DAYS = ("2012-06-30", "2016-06-28", "2016-06-29", "2016-07-29", "2030-01-01")


def load(lake: Path, years: list[str], series: tuple[str, ...] = SERIES) -> int:
    """Fetch and store some years, as a partition of the raw assets does; the rows it added."""
    run = f"{years[0]} to {years[-1]}"
    done = taken(Lakehouse(lake, CATALOG), "bundled", series, Years(years, ALL).window, run)
    assert not [o.failure for o in done.outcomes if o.failure]
    return done.report.appended


def versions(lake: Path) -> dict[str, int]:
    opened = {t.name: open_table(lake, t.name) for t in (RAW, LANDING)}
    return {name: t.version() for name, t in opened.items() if t is not None}


def known(lake: Path) -> list[pl.DataFrame]:
    """What was known when."""
    rows = [observations_as_of(day, root=lake, catalog=CATALOG) for day in DAYS]
    return [r.select("series_id", "observation_date", "value") for r in rows]


def news(lake: Path) -> str:
    """Hash of the raw table without rows that repeat what was known already.

    A vintage that changed nothing among the dates it was first asked for left one row, as a mark that it has been.
    """
    rows = Lakehouse(lake, CATALOG).read(RAW.name).sort(*OBSERVATION, "release_time")
    same_as_before = [pl.col(c).eq_missing(pl.col(c).shift(1)) for c in (*OBSERVATION, "value")]
    return data_version(rows.filter(~pl.all_horizontal(same_as_before)), RAW)


def test_ten_times_the_same_is_once(tmp_path: Path) -> None:
    """F19: no row, no version and no receipt after the first time."""
    assert load(tmp_path, ALL) > 0
    before, first = versions(tmp_path), data_version(Lakehouse(tmp_path, CATALOG).read(RAW.name), RAW)
    assert [load(tmp_path, ALL) for _ in range(9)] == [0] * 9
    assert versions(tmp_path) == before
    assert data_version(Lakehouse(tmp_path, CATALOG).read(RAW.name), RAW) == first


def pieces(some: random.Random) -> list[list[str]]:
    """Every year, and some spans of years, in any order."""
    spans = [sorted(some.sample(range(len(ALL)), 2)) for _ in range(5)]
    found = [[year] for year in ALL] + [ALL[a : b + 1] for a, b in spans]
    some.shuffle(found)
    return found


def test_a_backfill_in_pieces_is_the_whole(tmp_path: Path) -> None:
    """F19: years in any order, some twice within a span. A version of the table is a change, and ends are alike."""
    whole, lake, some = tmp_path / "whole", tmp_path / "pieces", random.Random(1)
    load(whole, ALL)
    for piece in pieces(some):
        before = versions(lake).get(RAW.name, 0)
        added = load(lake, piece, tuple(some.sample(SERIES, len(SERIES))))
        assert versions(lake)[RAW.name] - before == (added > 0), piece
    for one, other in zip(known(lake), known(whole), strict=True):
        assert_frame_equal(one, other)
    assert news(lake) == news(whole)
    version = versions(lake)[RAW.name]
    assert load(lake, ALL) == 0
    assert versions(lake)[RAW.name] == version
