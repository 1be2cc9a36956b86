"""A lake with forecasts and news in wide rows, as before version 4: once migrated, each figure is in a long table."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from macro_assets.lakehouse import connect, layout, write
from macro_assets.lakehouse.delta import LakeError, open_any, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.paths import Root, location, storage_options
from macro_assets.lakehouse.upkeep.migration import migrate, migrations_due, remove_retired, retired_tables
from macro_assets.transforms.library import difference
from macro_assets_tests.lakehouse.synthetic import one_source
from macro_assets_tests.lakehouse.upkeep.older import COMPUTED_AT, FORECASTS, NEWS, old_nowcast, wide_forecasts

CATALOG = one_source()
DIAGNOSTICS, MOVED = "diagnostics/gdp_nowcast", "news/gdp_nowcast"
TABLES = [MOVED, DIAGNOSTICS, FORECASTS]
"""In the order in which they are migrated: the wide forecasts go last, from which the diagnostics come."""


@pytest.fixture(params=["a folder", "S3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    if request.param == "a folder":
        return tmp_path / "lake"
    return location(f"s3://{request.getfixturevalue('s3_bucket')}/some/lake")


@pytest.fixture
def lake(tmp_path: Path) -> Lakehouse:
    old_nowcast(tmp_path)
    return Lakehouse(tmp_path, CATALOG)


class Killed(BaseException):
    """As a process that ends in the middle."""


def migrate_all(lake: Lakehouse, steps: int = 99) -> None:
    """What `macro migrate` does, killed after some steps."""
    due, retired = migrations_due(lake), retired_tables(lake)
    todo = [lambda n=d.table_name: migrate(lake, n) for d in due]  # type: ignore[misc]
    todo += [lambda n=name: remove_retired(lake, n) for name in retired]  # type: ignore[misc]
    for done, do in enumerate(todo):
        if done == steps:
            raise Killed
        do()


def contents(lake: Lakehouse) -> list[pl.DataFrame]:
    return [lake.read(name).sort(lake.table(name).key) for name in TABLES]


def forecasts(lake: Lakehouse, month: str, quarter: date) -> dict[str, float]:
    rows = lake.read(FORECASTS).filter(pl.col("as_of_month") == month, pl.col("target_date") == quarter)
    return dict(rows.select("statistic", "value").rows())


# --- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_figure_is_there_after(root: Root, version: int) -> None:
    """From each version before; of the first nobody knows when it was computed."""
    old_nowcast(root, version)
    lake = Lakehouse(root, CATALOG)
    assert [(d.table_name, d.written, d.rows) for d in migrations_due(lake)] == [
        (MOVED, version, 3),
        (DIAGNOSTICS, version, 5),
        (FORECASTS, version, 5),
    ]
    migrate_all(lake)
    long, wide = lake.read(FORECASTS), wide_forecasts()
    assert long.height == 6 * wide.height
    means = long.filter(pl.col("statistic") == "mean").sort("as_of_month", "target_date")
    for new, old in (("target_date", "target_quarter"), ("value", "forecast_pct")):
        assert means[new].to_list() == wide[old].to_list()
    same = ["as_of_month", "as_of", "is_released", "latest_release"]
    assert means.select(same).rows() == wide.select(same).rows()
    news, diagnostics = lake.read(MOVED), lake.read(DIAGNOSTICS).sort("as_of_month")
    assert diagnostics.select("as_of_month", "name", "value").rows() == [
        ("2016-06", "log_likelihood", -5263.5),
        ("2016-07", "log_likelihood", -5285.0),
    ]
    assert dict(news.select("effect", "impact").rows()) == {"news": 0.107, "revision": -0.2, "reestimation": 0.03}
    for rows in (long, news, diagnostics):
        assert rows["computed_at"].unique().to_list() == [COMPUTED_AT if version > 1 else None]
    assert NEWS not in table_versions(root)
    wide_again = DeltaTable(str(root / FORECASTS), version=0, storage_options=storage_options(root))
    assert wide_again.to_pyarrow_table().num_rows == 5, "the version before is in the history"


def test_quantiles_are_those_of_normal_errors(lake: Lakehouse) -> None:
    """By the table of the normal distribution: 5 percent lie 1.6449 standard errors below, a quarter 0.6745."""
    migrate_all(lake)
    assert forecasts(lake, "2016-07", date(2016, 7, 1)) == pytest.approx(
        {"mean": -0.5, "q05": -3.7897, "q25": -1.849, "q50": -0.5, "q75": 0.849, "q95": 2.7897}, abs=1e-4
    )
    assert set(forecasts(lake, "2016-07", date(2016, 4, 1)).values()) == {1.2}, "a released figure has no error"


def test_the_horizon_counts_quarters_from_the_one_of_the_instant(lake: Lakehouse) -> None:
    migrate_all(lake)
    means = lake.read(FORECASTS).filter(pl.col("statistic") == "mean").sort("as_of_month", "target_date")
    assert means["horizon"].to_list() == [-1, 0, -1, 0, 2]
    nothing = ["scenario", "model_version", "slice_hash", "unchanged_since"]
    assert means.select(pl.col(nothing).is_null().all()).row(0) == (True,) * 4, "was not recorded"
    assert set(means["series_id"]) == {"GDPC1"}


def test_news_say_what_of_and_in_which_unit(lake: Lakehouse) -> None:
    migrate_all(lake)
    (release,) = lake.read(MOVED).filter(pl.col("effect") == "news").to_dicts()
    assert release == {
        "as_of_month": "2016-07",
        "as_of": datetime(2016, 7, 31, tzinfo=UTC),
        "computed_at": COMPUTED_AT,
        "previous_as_of": datetime(2016, 6, 30, 23, 59, 59, tzinfo=UTC),
        "target_id": "GDPC1",
        "target_date": date(2016, 4, 1),
        "effect": "news",
        "series_id": "PAYEMS",
        "observation_date": date(2016, 6, 1),
        "release_forecast": 180.0,
        "release_actual": 287.0,
        "release_unit": None,
        "release_weight": 0.001,
        "impact": 0.107,
        "impact_unit": difference((CATALOG.models["gdp_nowcast"].target.unit,), None),
    }


def test_sql_names_the_way_before_and_answers_after(lake: Lakehouse) -> None:
    with pytest.raises(duckdb.Error, match="schema version 3, this macro_assets needs 6. `macro migrate`"):
        connect(root=lake.root, catalog=CATALOG).execute("FROM forecasts.gdp_nowcast")
    with pytest.raises(duckdb.Error, match=r"is no table any more: news.gdp_nowcast has its figures. `macro migrate`"):
        connect(root=lake.root, catalog=CATALOG).execute("FROM forecasts.gdp_nowcast_news")
    migrate_all(lake)
    con = connect(root=lake.root, catalog=CATALOG)
    assert con.execute("SELECT count(*) FROM forecasts.gdp_nowcast").fetchone() == (30,)
    assert con.execute("SELECT round(sum(impact), 3) FROM news.gdp_nowcast").fetchone() == (-0.063,)
    then = connect(root=lake.root, catalog=CATALOG, as_of="2016-06-30")
    assert then.execute("SELECT count(*) FROM forecasts.gdp_nowcast").fetchone() == (12,)


# --- interrupted, refused, done again ------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4])
def test_an_interrupted_migration_goes_on(root: Root, tmp_path: Path, steps: int) -> None:
    """After each step in turn: the rest is due, and it ends as if nothing had been."""
    old_nowcast(tmp_path / "whole")
    whole = Lakehouse(tmp_path / "whole", CATALOG)
    migrate_all(whole)
    old_nowcast(root)
    lake = Lakehouse(root, CATALOG)
    if steps < 4:
        with pytest.raises(Killed):
            migrate_all(lake, steps)
    else:
        migrate_all(lake)
    assert [d.table_name for d in migrations_due(lake)] == TABLES[steps:]
    assert retired_tables(lake) == ([NEWS] if steps < 4 else [])
    migrate_all(lake)
    assert all(a.equals(b) for a, b in zip(contents(lake), contents(whole), strict=True))


def test_a_second_migration_does_nothing(lake: Lakehouse) -> None:
    migrate_all(lake)
    before = table_versions(lake.root)
    assert migrations_due(lake) == []
    assert retired_tables(lake) == []
    migrate_all(lake)
    assert table_versions(lake.root) == before


def test_a_table_that_was_made_but_not_filled_is_still_due(lake: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the two commits of a new table, it has no rows: they are still where they were."""

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(write, "write_deltalake", killed)
        with pytest.raises(Killed):
            migrate(lake, MOVED)
    made = open_any(lake.root, MOVED)
    assert made is not None
    assert made.count() == 0
    with pytest.raises(LakeError, match=f"{NEWS} has rows that {MOVED} does not have yet; it was left as it is"):
        remove_retired(lake, NEWS)
    assert [d.table_name for d in migrations_due(lake)] == TABLES
    migrate_all(lake)
    assert lake.read(MOVED).height == 3


def test_months_of_this_version_stand_and_others_are_added(lake: Lakehouse, tmp_path: Path) -> None:
    """What a run of this version stored before the migration is not overwritten, and hides no older month."""
    fresh = Lakehouse(tmp_path / "fresh", CATALOG)
    old_nowcast(fresh.root)
    migrate_all(fresh)
    computed = fresh.read(DIAGNOSTICS).filter(pl.col("as_of_month") == "2016-07").with_columns(value=pl.lit(-1.0))
    write.append(lake, DIAGNOSTICS, computed, {})
    assert [(d.table_name, d.rows) for d in migrations_due(lake)] == [(MOVED, 3), (DIAGNOSTICS, 2), (FORECASTS, 5)]
    migrate_all(lake)
    stored = lake.read(DIAGNOSTICS).sort("as_of_month")
    assert stored.select("as_of_month", "value").rows() == [("2016-06", -5263.5), ("2016-07", -1.0)]


def test_a_step_that_does_not_fit_leaves_everything(lake: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    before = table_versions(lake.root)
    monkeypatch.setitem(layout.MOVES, MOVED, layout.Move(NEWS, 4, lambda rows, _: rows))  # type: ignore[index]
    with pytest.raises(LakeError, match="columns missing from the data"):
        migrate_all(lake)
    assert table_versions(lake.root) == before
    with pytest.raises(LakeError, match="does not have yet"):
        remove_retired(lake, NEWS)


def test_a_lake_without_forecasts_owes_nothing(tmp_path: Path) -> None:
    lake = Lakehouse(tmp_path, CATALOG)
    assert migrations_due(lake) == []
    for name in (MOVED, DIAGNOSTICS, FORECASTS):
        with pytest.raises(LakeError, match=f"there is no table {name}"):
            migrate(lake, name)
