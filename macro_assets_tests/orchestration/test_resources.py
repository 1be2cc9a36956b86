"""The resource `duckdb`: sessions of ours behind the interface of Dagster's."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster_duckdb import DuckDBResource

from macro_assets.definitions import defs
from macro_assets.lakehouse import LakeError
from macro_assets.orchestration.build import build_defs
from macro_assets.orchestration.resources import LakeDuckDB
from macro_assets_tests.conftest import Built
from macro_assets_tests.orchestration.toy import toy_catalog

COUNT = "SELECT count(*) FROM normalized.observations"


@pytest.fixture
def lake(built: Built) -> LakeDuckDB:
    return LakeDuckDB(root=str(built.home.lake))


def test_an_asset_written_for_the_resource_of_dagster_reads_the_lake(lake: LakeDuckDB) -> None:
    found = []

    @dg.asset
    def counted(duckdb: DuckDBResource) -> None:
        with duckdb.get_connection() as con:
            found.append(con.execute(COUNT).fetchone())

    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([counted], instance=instance, resources={"duckdb": lake}).success
    assert found[0][0] > 40_000


def test_the_connection_is_closed_at_the_end(lake: LakeDuckDB) -> None:
    with lake.get_connection() as con:
        con.execute(COUNT)
    with pytest.raises(duckdb.ConnectionException, match="closed"):
        con.execute("SELECT 1")
    with pytest.raises(ValueError, match="on purpose"), lake.get_connection() as con:
        raise ValueError("on purpose")
    with pytest.raises(duckdb.ConnectionException, match="closed"):
        con.execute("SELECT 1")


def test_as_of_is_that_instants_world(lake: LakeDuckDB) -> None:
    with lake.get_connection() as now, lake.get_connection(as_of="2016-06-30") as then:
        assert then.execute(COUNT).fetchone() < now.execute(COUNT).fetchone()
        with pytest.raises(duckdb.Error, match="absent from a session as of a date"):
            then.execute("SELECT * FROM indicators.economic_stress_index")


def test_the_lake_is_that_of_the_environment(built: Built, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(built.home.lake))
    with LakeDuckDB().get_connection() as con:
        con.execute(COUNT)
    monkeypatch.setenv("MACRO_LAKE", str(tmp_path / "none"))
    with pytest.raises(LakeError, match="there is no lake at"), LakeDuckDB().get_connection():
        pass


def test_settings_are_set_and_wrong_ones_named(lake: LakeDuckDB) -> None:
    with LakeDuckDB(root=lake.root, connection_config={"threads": 1, "TimeZone": "UTC"}).get_connection() as con:
        assert con.execute("SELECT current_setting('threads'), current_setting('TimeZone')").fetchone() == (1, "UTC")
    wrong = LakeDuckDB(root=lake.root, connection_config={"thread": 1})
    with pytest.raises(duckdb.CatalogException, match="unrecognized configuration parameter"), wrong.get_connection():
        pass


def test_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected :memory:, not own\.duckdb.*ATTACH 'own\.duckdb'"):
        LakeDuckDB(database="own.duckdb")


def test_it_is_among_our_resources_and_can_be_replaced(tmp_path: Path) -> None:
    assert isinstance((defs.resources or {})["duckdb"], LakeDuckDB)
    other = LakeDuckDB(root=str(tmp_path))
    assert (build_defs(toy_catalog(), {"duckdb": other}).resources or {})["duckdb"] is other
