"""Assets of renamed series keep their history: the event log is what it would be had they had the new names ever."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from macro_assets.lakehouse.renames import Place
from macro_assets.orchestration import renaming
from macro_assets.orchestration.partitions import RANGE_END, RANGE_START
from macro_assets.orchestration.renaming import old_assets, rename_assets
from macro_assets_tests.orchestration.test_sqlite_storage import instance, rows

PAYEMS, GDP = Place("fred", "PAYEMS_FRED"), Place("fred", "GDP")
SP500, YAHOO = Place("fred_recent", "SP500_FRED"), Place("yahoo_chart", "YAHOO_SP500")
MOVED = {
    PAYEMS: Place("fred", "PAYEMS"),
    SP500: Place("yahoo_chart", "SP500"),
    YAHOO: Place("yahoo_chart", "SP500"),
    Place("fred", "UNRATE_FRED"): Place("fred", "UNRATE"),
}
YEARS = dg.StaticPartitionsDefinition(["2024", "2025", "2026"])


def key(place: Place) -> dg.AssetKey:
    return dg.AssetKey(["raw", *place])


def definitions(*places: Place, failing: Place | None = None) -> dg.Definitions:
    """A step that makes some series, partitioned by year and checked, and the tables that depend on them."""

    @dg.multi_asset(
        name="step",
        specs=[dg.AssetSpec(key(p), partitions_def=YEARS) for p in places],
        check_specs=[dg.AssetCheckSpec("schema", asset=key(p)) for p in places],
    )
    def step() -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        for p in places:
            yield dg.MaterializeResult(asset_key=key(p), data_version=dg.DataVersion("1"), metadata={"said": "x"})
            yield dg.AssetCheckResult(passed=p != failing, check_name="schema", asset_key=key(p))

    def table(source: str) -> dg.AssetsDefinition:
        @dg.asset(name=source, key_prefix="raw", deps=[key(p) for p in places if p.source == source])
        def made() -> dg.MaterializeResult:
            return dg.MaterializeResult(data_version=dg.DataVersion("2"))

        return made

    return dg.Definitions([step, *(table(s) for s in sorted({p.source for p in places}))])


def run(dagster: dg.DagsterInstance, found: dg.Definitions, first: str = "2024", last: str = "2025") -> str:
    """Make some years of all series."""
    job = found.resolve_implicit_global_asset_job_def()
    series = [k for k in job.asset_layer.executable_asset_keys if len(k.path) == 3]
    done = job.execute_in_process(instance=dagster, asset_selection=series, tags={RANGE_START: first, RANGE_END: last})
    assert done.success
    return done.run_id


def run_tables(dagster: dg.DagsterInstance, found: dg.Definitions) -> None:
    job = found.resolve_implicit_global_asset_job_def()
    tables = [k for k in job.asset_layer.executable_asset_keys if len(k.path) == 2]
    assert job.execute_in_process(instance=dagster, asset_selection=tables).success


def storage_ids(dagster: dg.DagsterInstance, place: Place) -> list[int]:
    found = dagster.fetch_materializations(key(place), limit=100).records
    assert {r.asset_key for r in found} <= {key(place)}
    assert {m.asset_key for r in found if (m := r.asset_materialization)} <= {key(place)}
    return sorted(r.storage_id for r in found)


def checks(dagster: dg.DagsterInstance, place: Place) -> list[tuple[str, str]]:
    told = dagster.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(key(place), "schema"), 100)
    events = [e.dagster_event for r in told if (e := r.event) is not None]
    assert {e.event_specific_data.asset_key for e in events if e} <= {key(place)}  # type: ignore[union-attr]
    return sorted((r.run_id, r.status.value) for r in told)


def texts(home: Path) -> str:
    """All that the databases of the event log hold."""
    said = []
    for shard in (home / "db" / "history" / "runs").glob("*.db"):
        with closing(sqlite3.connect(shard)) as connection:
            said += list(connection.iterdump())
    return "\n".join(said)


def last_run(dagster: dg.DagsterInstance, place: Place) -> str:
    """The run of the last materialization that the page of an asset shows."""
    (record,) = dagster.get_asset_records([key(place)])
    last = record.asset_entry.last_materialization
    assert last is not None
    assert last.asset_materialization is not None
    assert last.asset_materialization.asset_key == key(place)
    return last.run_id


@pytest.mark.parametrize("custom", [True, False])
def test_all_is_as_if_it_had_been_made_under_the_new_name(tmp_path: Path, custom: bool) -> None:
    """In the index and in the database of each run, with both storages; twice does nothing more."""
    now = MOVED[PAYEMS]
    with instance(tmp_path / "new", custom) as dagster:
        run(dagster, definitions(now, GDP))
        run(dagster, definitions(now, GDP), "2026", "2026")
        run_tables(dagster, definitions(now, GDP))
    with instance(tmp_path / "old", custom) as dagster:
        run(dagster, definitions(PAYEMS, GDP))
        last = run(dagster, definitions(PAYEMS, GDP), "2026", "2026")
        run_tables(dagster, definitions(PAYEMS, GDP))
        ids, told, other = storage_ids(dagster, PAYEMS), checks(dagster, PAYEMS), storage_ids(dagster, GDP)
        assert old_assets(dagster, MOVED) == [PAYEMS]
        assert rename_assets(dagster, MOVED) == [PAYEMS]
        assert rename_assets(dagster, MOVED) == old_assets(dagster, MOVED) == []
        assert (ids, told, other) == (storage_ids(dagster, now), checks(dagster, now), storage_ids(dagster, GDP))
        assert dagster.get_materialized_partitions(key(now)) == {"2024", "2025", "2026"}
        assert last_run(dagster, now) == last
        assert key(PAYEMS) not in dagster.all_asset_keys()
    old, new = (rows(tmp_path / home) for home in ("old", "new"))
    assert {t: found for t, found in old.items() if t.startswith("index")} == {t: new[t] for t in new if "index" in t}
    left = texts(tmp_path / "old")
    for spelled in (
        '"fred", "PAYEMS_FRED"',
        '\\"fred\\", \\"PAYEMS_FRED\\"',
        "raw/fred/PAYEMS_FRED",
        "raw fred PAYEMS_F",
    ):
        assert spelled not in left
    assert "dagster/input_data_version/raw/fred/PAYEMS" in left, "the table tells what it was made of"


def test_histories_of_what_became_one_are_joined(tmp_path: Path) -> None:
    """Both were made in one run, and checked: the check of a run stands once."""
    with instance(tmp_path / "home", custom=True) as dagster:
        run_id = run(dagster, definitions(SP500, YAHOO, failing=SP500))
        later = run(dagster, definitions(YAHOO), "2026", "2026")
        ids = sorted([*storage_ids(dagster, SP500), *storage_ids(dagster, YAHOO)])
        assert set(rename_assets(dagster, MOVED)) == {SP500, YAHOO}
        one = MOVED[YAHOO]
        assert storage_ids(dagster, one) == ids
        assert dagster.get_materialized_partitions(key(one)) == {"2024", "2025", "2026"}
        assert {r for r, _ in checks(dagster, one)} == {run_id, later}
        assert last_run(dagster, one) == later


def test_what_was_made_under_the_new_name_already_stays_the_latest(tmp_path: Path) -> None:
    with instance(tmp_path / "home", custom=True) as dagster:
        run(dagster, definitions(PAYEMS))
        later = run(dagster, definitions(MOVED[PAYEMS]), "2026", "2026")
        assert rename_assets(dagster, MOVED) == [PAYEMS]
        now = MOVED[PAYEMS]
        assert last_run(dagster, now) == later
        assert dagster.get_materialized_partitions(key(now)) == {"2024", "2025", "2026"}


def test_what_keeps_its_id_keeps_its_history(tmp_path: Path) -> None:
    with instance(tmp_path / "home", custom=True) as dagster:
        run(dagster, definitions(PAYEMS, GDP))
        before = storage_ids(dagster, PAYEMS)
        assert rename_assets(dagster, {p: q for p, q in MOVED.items() if p != PAYEMS}) == []
        assert storage_ids(dagster, PAYEMS) == before


class Killed(BaseException):
    """As a process that ends in the middle."""


def test_an_interrupted_renaming_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before each write of a table in turn: of the index all is renamed, or nothing."""
    with instance(tmp_path / "home", custom=True) as dagster:
        run(dagster, definitions(PAYEMS, GDP))
        ids, told = storage_ids(dagster, PAYEMS), checks(dagster, PAYEMS)
        rewrite, left = renaming._rewrite, 0

        def killed(*arguments: object) -> None:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            rewrite(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(renaming, "_rewrite", killed)
        for writes in range(5):  # of the database of the run, and four tables of the index
            left = writes
            with pytest.raises(Killed):
                rename_assets(dagster, MOVED)
            assert old_assets(dagster, MOVED) == [PAYEMS]
            assert (storage_ids(dagster, PAYEMS), checks(dagster, PAYEMS)) == (ids, told)
        left = 5
        assert rename_assets(dagster, MOVED) == [PAYEMS]
        assert left == 0
        assert (storage_ids(dagster, MOVED[PAYEMS]), checks(dagster, MOVED[PAYEMS])) == (ids, told)


def test_one_database_for_all(tmp_path: Path) -> None:
    """As Postgres has: nothing is looked for in a database of a run."""
    with dg.DagsterInstance.ephemeral() as dagster:
        run(dagster, definitions(PAYEMS, GDP))
        ids, told = storage_ids(dagster, PAYEMS), checks(dagster, PAYEMS)
        assert rename_assets(dagster, MOVED) == [PAYEMS]
        assert (storage_ids(dagster, MOVED[PAYEMS]), checks(dagster, MOVED[PAYEMS])) == (ids, told)
