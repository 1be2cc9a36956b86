"""Forecasts as of instants off the grid: computed as those of the grid, kept once, and fed by the open month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from macro_assets.catalog import UnknownNameError, names
from macro_assets.catalog.periods import month_end
from macro_assets.graph.declared import derivations
from macro_assets.graph.endings import month_of
from macro_assets.graph.inputs import Inputs
from macro_assets.graph.paths import add_instants, path
from macro_assets.graph.reading import read
from macro_assets.lakehouse import LakeError, connect
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages
from macro_assets.orchestration.partitions import AS_OF_MONTHS
from macro_assets.orchestration.run import run, select
from macro_assets_tests.lakehouse.synthetic import one_source, row

MODEL, FORECASTS, PATH = "gdp_ar", names.forecast("gdp_ar"), names.path("gdp_ar")
OPEN = AS_OF_MONTHS.get_last_partition_key()


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lakehouse:
    """Synthetic output of every quarter up to the present one, each known a month after its end."""
    monkeypatch.setenv("MACRO_LAKE", str(tmp_path))
    catalog, today = one_source(), date.today()
    quarters = pl.date_range(date(2000, 1, 1), today - timedelta(days=125), "1q", eager=True)
    told = {"series_id": "GDPC1", "ingested_at": datetime.now(UTC)}
    rows = [{**row(q, 9000.0 * 1.005**n + 40 * (n % 5), known_on(q)), **told} for n, q in enumerate(quarters)]
    append_vintages("bundled", pl.DataFrame(rows).drop("run_id"), "run", root=tmp_path, catalog=catalog)
    return Lakehouse(tmp_path, catalog)


def known_on(quarter: date) -> datetime:
    day = pl.select(pl.lit(quarter).dt.offset_by("4mo")).item()
    return datetime.combine(day, time(12), UTC)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def of_the_grid(lake: Lakehouse, month: str) -> pl.DataFrame:
    found = [d for d in derivations(lake.catalog) if set(d.tables) & {names.fits(MODEL), FORECASTS}]
    inputs = Inputs(lake, found, [month])
    for derivation in found:
        for table, frame in month_of(derivation, inputs, month).items():  # type: ignore[union-attr]
            inputs.put(table, frame.select(c.name for c in lake.table(table).columns), month)
    return inputs.table(FORECASTS)


def test_the_end_of_a_month_is_that_month_of_the_grid(lake: Lakehouse) -> None:
    when = month_end("2015-08", datetime.now(UTC))
    (found,) = path(lake, MODEL, [when])
    said = ["series_id", "target_date", "statistic", "value", "is_released", "slice_hash", "unchanged_since"]
    assert found.select(said).sort(said).equals(of_the_grid(lake, "2015-08").select(said).sort(said))
    assert found["as_of_month"].null_count() == found.height
    assert found["as_of"].unique().to_list() == [when]


def test_an_instant_knows_what_was_released_by_then(lake: Lakehouse) -> None:
    before, after = path(lake, MODEL, [datetime(2015, 8, 1, 11, tzinfo=UTC), datetime(2015, 8, 1, 13, tzinfo=UTC)])
    released = [f.filter("is_released")["target_date"].unique().to_list() for f in (before, after)]
    assert released == [[], [date(2015, 4, 1)]]
    since = [f["unchanged_since"][0] for f in (before, after)]
    assert since == [known_on(date(2015, 1, 1)), known_on(date(2015, 4, 1))]


def test_an_instant_before_the_grid_begins(lake: Lakehouse) -> None:
    (found,) = path(lake, MODEL, ["2008-11-15"])
    assert found["as_of"][0].year == 2008
    assert found["horizon"].unique().sort().to_list() == [-1, 0, 1]


def test_an_instant_and_version_is_kept_once(lake: Lakehouse) -> None:
    (found,) = path(lake, MODEL, ["2015-08-15"])
    assert add_instants(lake, PATH, found, "run") == found.height
    assert add_instants(lake, PATH, found, "run") == 0
    (other,) = path(lake, MODEL, ["2015-08-16"])
    assert add_instants(lake, PATH, pl.concat([found, other]), "run") == other.height
    assert lake.read(PATH)["as_of"].n_unique() == 2


def test_a_session_as_of_a_date_shows_the_instants_up_to_it(lake: Lakehouse) -> None:
    for found in path(lake, MODEL, ["2015-08-15", "2015-09-15"]):
        add_instants(lake, PATH, found, "run")
    con = connect(root=lake.root, catalog=lake.catalog, as_of="2015-08-31")
    assert con.execute(f"SELECT DISTINCT day(as_of), month(as_of) FROM paths.{MODEL}").fetchall() == [(15, 8)]
    assert read(PATH, root=lake.root, catalog=lake.catalog)["as_of"].n_unique() == 2


def test_each_run_of_the_open_month_goes_on_to_the_path(lake: Lakehouse, instance: dg.DagsterInstance) -> None:
    chosen = select([names.fits(MODEL), FORECASTS], lake.catalog, OPEN, OPEN)
    assert not run(lake, chosen, instance).failures
    first = lake.read(PATH)
    assert first["as_of"].n_unique() == 1
    assert run(lake, chosen, instance).runs == 0, "nothing new was known"
    assert run(lake, chosen, instance, force=True).failures == {}
    assert lake.read(PATH)["as_of"].n_unique() == 2
    records = instance.fetch_materializations(dg.AssetKey(PATH.split("/")), limit=5).records
    assert len(records) == 2


def test_a_closed_month_leaves_the_path_alone(lake: Lakehouse, instance: dg.DagsterInstance) -> None:
    run(lake, select([names.fits(MODEL), FORECASTS], lake.catalog, "2015-08", "2015-08"), instance)
    assert lake.read(PATH).is_empty()
    told = rf"{PATH} is not in the lake.* yet\. Runs of the open month of {FORECASTS} add to it\."
    with pytest.raises(LakeError, match=told):
        read(PATH, root=lake.root, catalog=lake.catalog)
    with pytest.raises(duckdb.Error, match=told):
        connect(root=lake.root, catalog=lake.catalog).execute(f"SELECT * FROM paths.{MODEL}")


def test_a_model_that_there_is_not_is_named(lake: Lakehouse) -> None:
    with pytest.raises(UnknownNameError, match="unknown model 'gdp_arr'.*gdp_ar"):
        next(path(lake, "gdp_arr", ["2015-08-15"]))
