"""Vintages held in memory answer as the tables do, and as brute force does."""

from __future__ import annotations

import itertools
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings

from macro_assets.catalog import UnknownNameError
from macro_assets.lakehouse import open_vintages, write
from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages, observations_as_of, panel_as_of
from macro_assets_tests.conftest import Built
from macro_assets_tests.lakehouse import oracle
from macro_assets_tests.lakehouse.histories import moments, raw_rows
from macro_assets_tests.lakehouse.synthetic import (
    PROVIDER,
    Row,
    day,
    frame,
    month,
    one_source,
    row,
    vintage_frame,
)

TOLD = ["series_id", "observation_date", "value", "release_time"]


@settings(max_examples=25)
@given(raw_rows, moments)
def test_plain_vintages(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], moment: datetime | None) -> None:
    """One holder, no estimate, no decision: the fast way."""
    plain = [{**r, "provider": PROVIDER, "release_basis": "provider"} for r in rows]
    plain = list({oracle.key(r): r for r in plain}.values())
    catalog, root = one_source(), tmp_path_factory.mktemp("lake")
    write.append(Lakehouse(root, catalog), "raw/bundled", frame(*plain), {})
    held = open_vintages(None, root, catalog)
    for ids in (None, ["UNRATE", "PAYEMS"], ["GDPC1"]):
        assert held.as_of(moment, ids).equals(observations_as_of(moment, ids, root, catalog))
    told = [r for own in oracle.in_force(plain, [], moment).values() for r in own]
    assert held.as_of(moment).select(TOLD).rows() == [tuple(r[c] for c in TOLD) for r in told]


def test_real_vintages_and_panels(built: Built) -> None:
    held = open_vintages(root=built.home.lake)
    for moment in ("2010-06-30", "2016-06-29", "2016-07-29", None):
        assert held.as_of(moment).equals(observations_as_of(moment, root=built.home.lake))
        ids = ["PAYEMS", "SP500", "GDPC1"]
        assert held.panel(moment, ids).equals(panel_as_of(moment, ids, built.home.lake))
    assert held.nbytes > 0
    with pytest.raises(UnknownNameError, match="Did you mean PAYEMS"):
        held.as_of("2016-07-29", ["PAYEM"])


def test_versions_across_sources(built: Built) -> None:
    held, moments = open_vintages(root=built.home.lake), ["2000-01-31", "2016-06-30", "2016-07-28", "2016-07-29", None]
    ids = ["PAYEMS", "SP500", "GDPC1"]
    found = held.versions(moments, ids)
    assert [set(v) <= set(ids) for v in found] == [True] * len(moments)
    assert found[1]["PAYEMS"] == found[2]["PAYEMS"] != found[3]["PAYEMS"]
    for one, other in itertools.combinations(range(len(moments)), 2):
        for i in ids:
            same = held.as_of(moments[one], [i]).equals(held.as_of(moments[other], [i]))
            assert (found[one].get(i) == found[other].get(i)) == same, (i, moments[one], moments[other])
    with pytest.raises(UnknownNameError, match="Did you mean PAYEMS"):
        held.versions([None], ["PAYEM"])


def test_some_series_are_read_from_their_sources_alone(tmp_path: Path, built: Built) -> None:
    shutil.copytree(built.home.lake, tmp_path / "lake")
    held = open_vintages(root=tmp_path / "lake")
    ids = ["PAYEMS", "GDPC1"]
    sources = set(held.as_of(None, ids)["provider"])
    for other in (p for p in (tmp_path / "lake/raw").iterdir() if p.name not in sources):
        shutil.rmtree(other)
        other.write_text("damaged")
    some = open_vintages(ids, tmp_path / "lake")
    assert some.nbytes < held.nbytes / 5
    for moment in ("2016-06-30", None):
        assert some.as_of(moment).equals(held.as_of(moment, ids))
        assert some.panel(moment, ids).equals(held.panel(moment, ids))
    assert some.as_of(None, []).equals(held.as_of(None, []))
    assert some.versions([None], []) == [{}]


def test_a_series_that_is_not_held_is_refused_by_name(tmp_path: Path) -> None:
    append_vintages(PROVIDER, vintage_frame(0, [1.0]).drop("run_id"), "run", root=tmp_path)
    held = open_vintages(["UNRATE"], tmp_path)
    for ask in (held.as_of, held.panel, lambda moment, ids: held.versions([moment], ids)):
        with pytest.raises(LakeError, match=r"series PAYEMS is not held: .* opened with 1 series"):
            ask(None, ["UNRATE", "PAYEMS"])
        with pytest.raises(UnknownNameError, match="Did you mean PAYEMS"):
            ask(None, ["PAYEM"])
    with pytest.raises(UnknownNameError, match="Did you mean PAYEMS"):
        open_vintages(["PAYEM"], tmp_path)
    assert open_vintages([], tmp_path).as_of(None).is_empty()


def test_what_is_held_stays_as_it_was(tmp_path: Path) -> None:
    append_vintages(PROVIDER, vintage_frame(0, [1.0]).drop("run_id"), "run", root=tmp_path)
    held = open_vintages(root=tmp_path)
    append_vintages(PROVIDER, frame(row(month(1), 2.0, day(2))).drop("run_id"), "run", root=tmp_path)
    assert held.as_of(None)["value"].to_list() == [1.0]
    assert open_vintages(root=tmp_path).as_of(None)["value"].to_list() == [2.0]
