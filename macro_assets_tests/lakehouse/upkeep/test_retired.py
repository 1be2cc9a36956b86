"""A lake of the version before, with four normalized tables over all sources: views win, and migration removes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import write_deltalake

from macro_assets.cli import examination
from macro_assets.lakehouse import connect
from macro_assets.lakehouse.delta import LakeError, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import RETIRED
from macro_assets.lakehouse.paths import Root, location, storage_options
from macro_assets.lakehouse.raw import append_vintages, observations_as_of
from macro_assets.lakehouse.upkeep.backup import backup
from macro_assets.lakehouse.upkeep.copying import listing
from macro_assets.lakehouse.upkeep.maintenance import maintain
from macro_assets.lakehouse.upkeep.migration import migrations_due, remove_retired, retired_tables
from macro_assets.lakehouse.upkeep.repair import repair
from macro_assets.lakehouse.upkeep.restore import restore
from macro_assets.lakehouse.write import overwrite
from macro_assets_tests.lakehouse.synthetic import one_source, scored, vintage_frame

CATALOG = one_source()
_KEY = {"source": "bundled", "series_id": "PAYEMS", "observation_date": date(2019, 1, 1)}
OLD = {
    "normalized/observations": {**_KEY, "value": -1.0, "release_time": datetime(2020, 1, 1, tzinfo=UTC)},
    "normalized/panel_monthly": {"observation_date": date(2019, 1, 1), "payems": -1.0, "unrate": None},
    "normalized/transformed": {**_KEY, "value": -1.0},
    "normalized/zscores": {**_KEY, "zscore": -1.0},
}
"""One row of each table of the version before; no figure of the new ones is -1."""


def old_lake(root: Root) -> Lakehouse:
    """As it is after the version before: raw tables and those that were computed, some with a history."""
    append_vintages("bundled", vintage_frame(0, [1.0]).drop("run_id"), "run", root=root, catalog=CATALOG)
    for name, row in OLD.items():
        for _ in range(2):
            write_deltalake(
                str(root / name),
                pl.DataFrame([row], infer_schema_length=None).with_columns(pl.col(pl.Null).cast(pl.Float64)).to_arrow(),
                mode="overwrite",
                storage_options=storage_options(root),
            )
    return Lakehouse(root, CATALOG)


def compute(lake: Lakehouse) -> None:
    """What a run of this version adds."""
    rows = pl.DataFrame([{**_KEY, "zscore": 0.5}])
    overwrite(lake, "normalized/fred", scored(rows).with_columns(value=2.0, transformed=3.0), {})


def found(con: duckdb.DuckDBPyConnection, view: str) -> list[tuple[object, ...]]:
    return con.execute(f"SELECT * EXCLUDE (source, series_id, observation_date) FROM normalized.{view}").fetchall()


@pytest.fixture(params=["a folder", "S3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    if request.param == "a folder":
        return tmp_path / "lake"
    return location(f"s3://{request.getfixturevalue('s3_bucket')}/some/lake")


def test_views_win_over_the_tables_of_their_names(tmp_path: Path) -> None:
    lake = old_lake(tmp_path)
    for view in ("observations", "monthly", "zscores"):
        with pytest.raises(duckdb.Error, match=f"normalized/{view} is not in the lake yet. `macro run` makes it"):
            found(connect(root=tmp_path, catalog=CATALOG), view)
    compute(lake)
    con = connect(root=tmp_path, catalog=CATALOG)
    assert [row[0] for row in found(con, "observations")] == [2.0]
    assert found(con, "transformed") == [(3.0,)]
    assert found(con, "zscores") == [(0.5,)]
    assert found(con, "monthly") == [(2.0,)]
    then = connect(root=tmp_path, catalog=CATALOG, as_of="2020-12-31")
    assert [row[0] for row in found(then, "observations")] == [1000.0], "the raw value in the standard unit"


def test_what_no_view_took_the_name_of_says_what_did(tmp_path: Path) -> None:
    old_lake(tmp_path)
    con = connect(root=tmp_path, catalog=CATALOG)
    for asked in ("*", "count(*)"):
        with pytest.raises(
            duckdb.Error, match=r"panel_monthly is no table any more: normalized.monthly.*macro migrate"
        ):
            con.execute(f"SELECT {asked} FROM normalized.panel_monthly").fetchall()


def test_removal_takes_them_and_nothing_else(root: Root) -> None:
    lake = old_lake(root)
    compute(lake)
    kept = {f for f in listing(root) if not f.startswith(tuple(f"{name}/" for name in RETIRED))}
    before = observations_as_of(None, root=root, catalog=CATALOG)
    assert migrations_due(lake) == []
    assert retired_tables(lake) == sorted(OLD)
    for name in OLD:
        remove_retired(lake, name)
    assert retired_tables(lake) == []
    assert set(listing(root)) == kept
    assert observations_as_of(None, root=root, catalog=CATALOG).equals(before)
    assert found(connect(root=root, catalog=CATALOG), "zscores") == [(0.5,)]


@pytest.mark.parametrize("name", ["raw/bundled", "normalized/fred", "normalized", ".", "research/mine"])
def test_only_what_is_retired_is_removed(tmp_path: Path, name: str) -> None:
    lake = old_lake(tmp_path)
    before = set(listing(tmp_path))
    with pytest.raises(LakeError, match="is not retired; it was left as it is"):
        remove_retired(lake, name)
    assert set(listing(tmp_path)) == before


def test_a_removal_that_was_interrupted_is_found_again(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after each file in turn, it is begun again until it is done."""
    from macro_assets.lakehouse.upkeep import migration

    class Killed(BaseException):
        pass

    lake, name = old_lake(root), "normalized/zscores"
    remove = migration.remove

    def once(*arguments: object) -> None:
        remove(*arguments)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(migration, "remove", once)
    for _ in range(2):  # it has two data files
        with pytest.raises(Killed):
            remove_retired(lake, name)
        assert name in retired_tables(lake)
    remove_retired(lake, name)
    assert not [f for f in listing(root) if f.startswith(name)]


def test_a_damaged_one_is_removed_all_the_same(tmp_path: Path) -> None:
    lake = old_lake(tmp_path)
    newest = max((tmp_path / "normalized/observations/_delta_log").glob("*.json"))
    newest.write_bytes(b"")
    assert "`macro migrate` removes it" in repair(lake, "normalized/observations").message
    newest.write_bytes(b"{")
    remove_retired(lake, "normalized/observations")
    assert "normalized/observations" not in table_versions(tmp_path)


def test_backup_restore_and_upkeep_of_a_lake_that_still_has_them(tmp_path: Path) -> None:
    lake = old_lake(tmp_path / "lake")
    compute(lake)
    assert {u.table_name for u in maintain(lake, datetime(2026, 1, 1, tzinfo=UTC))} == {
        "raw/bundled",
        "silences/bundled",
        "normalized/fred",
    }
    backup(tmp_path / "lake", tmp_path / "backups")
    restore(tmp_path / "backups", tmp_path / "restored")
    restored = Lakehouse(tmp_path / "restored", CATALOG)
    assert table_versions(restored.root) == table_versions(lake.root)
    for name in retired_tables(restored):
        remove_retired(restored, name)
    assert found(connect(root=restored.root, catalog=CATALOG), "zscores") == [(0.5,)]


def test_the_doctor_names_them_without_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_lake(tmp_path)
    monkeypatch.setenv("MACRO_LAKE", str(tmp_path))
    whole, retired = examination._tables()
    assert (whole.ok, whole.warning) == (True, False)
    assert (retired.ok, retired.warning) == (True, True)
    assert all(name in retired.message for name in OLD)
    assert "macro migrate" in retired.message
    for name in OLD:
        remove_retired(Lakehouse(tmp_path, CATALOG), name)
    assert len(examination._tables()) == 1
