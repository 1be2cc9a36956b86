"""Vintages held in memory answer as the tables do, and as brute force does."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings

from macro_assets.catalog import UnknownNameError
from macro_assets.lakehouse import open_vintages, write
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import INVALIDATIONS, append_vintages, observations_as_of, panel_as_of
from macro_assets_tests.conftest import Built
from macro_assets_tests.lakehouse import oracle
from macro_assets_tests.lakehouse.synthetic import (
    PROVIDER,
    Row,
    day,
    decisions,
    frame,
    month,
    one_source,
    row,
    vintage_frame,
)

TOLD = ["series_id", "observation_date", "value", "release_time", "provider"]


@settings(max_examples=25)
@given(oracle.stores(), oracle.moments)
def test_held_vintages_answer_as_brute_force(
    tmp_path_factory: pytest.TempPathFactory, store: tuple[list[Row], list[Row]], moment: datetime | None
) -> None:
    rows, taken = store
    catalog, root = one_source(), tmp_path_factory.mktemp("lake")
    half = len(rows) // 2
    for part in (rows[:half], rows[half:]):
        write.append(Lakehouse(root, catalog), "raw/bundled", frame(*part), {})
    if taken:
        write.append(Lakehouse(root, catalog), INVALIDATIONS, decisions(*taken), {})
    held = open_vintages(root, catalog)
    expected = oracle.as_of(rows, taken, moment)
    known = held.as_of(moment)
    assert {r[:2]: r[2:] for r in known.select(TOLD).iter_rows()} == expected
    one = held.as_of(moment, ["PAYEMS"])
    assert {r[:2]: r[2:] for r in one.select(TOLD).iter_rows()} == {
        k: v for k, v in expected.items() if k[0] == "PAYEMS"
    }
    assert known.equals(observations_as_of(moment, root=root, catalog=catalog))


@settings(max_examples=25)
@given(oracle.raw_rows, oracle.moments)
def test_plain_vintages_too(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], moment: datetime | None) -> None:
    """One provider, no estimate, no decision: the fast way."""
    plain = [{**r, "provider": PROVIDER, "release_basis": "provider"} for r in rows]
    plain = list({oracle.key(r): r for r in plain}.values())
    catalog, root = one_source(), tmp_path_factory.mktemp("lake")
    write.append(Lakehouse(root, catalog), "raw/bundled", frame(*plain), {})
    held = open_vintages(root, catalog)
    for ids in (None, ["UNRATE", "PAYEMS"], ["GDPC1"]):
        assert held.as_of(moment, ids).equals(observations_as_of(moment, ids, root, catalog))
    expected = oracle.as_of(plain, [], moment)
    assert {r[:2]: r[2:] for r in held.as_of(moment).select(TOLD).iter_rows()} == expected


def test_real_vintages_and_panels(built: Built) -> None:
    held = open_vintages(built.home.lake)
    for moment in ("2010-06-30", "2016-06-29", "2016-07-29", None):
        assert held.as_of(moment).equals(observations_as_of(moment, root=built.home.lake))
        ids = ["PAYEMS", "SP500", "GDPC1"]
        assert held.panel(moment, ids).equals(panel_as_of(moment, ids, built.home.lake))
    assert held.nbytes > 0
    with pytest.raises(UnknownNameError, match="Did you mean PAYEMS"):
        held.as_of("2016-07-29", ["PAYEM"])


def test_what_is_held_stays_as_it_was(tmp_path: Path) -> None:
    append_vintages(PROVIDER, vintage_frame(0, [1.0]).drop("run_id"), "run", root=tmp_path)
    held = open_vintages(tmp_path)
    append_vintages(PROVIDER, frame(row(month(1), 2.0, day(2))).drop("run_id"), "run", root=tmp_path)
    assert held.as_of(None)["value"].to_list() == [1.0]
    assert open_vintages(tmp_path).as_of(None)["value"].to_list() == [2.0]
