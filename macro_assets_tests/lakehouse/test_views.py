"""The views over the families' tables: the same in SQL as in Polars, today and as of an instant."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import write_deltalake
from polars.testing import assert_frame_equal

from macro_assets.catalog import Catalog, Series, View, default_catalog, names
from macro_assets.catalog.derive import holdings_frame, series_facts
from macro_assets.lakehouse import connect
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages, observations_as_of
from macro_assets.lakehouse.write import overwrite
from macro_assets.transforms.normalize import normalized, standard_units
from macro_assets.transforms.views import view_rows
from macro_assets_tests.conftest import Built

VIEWS = default_catalog().views
KINDS = [v.name for v in VIEWS.values() if v.kind]
KNOWN = [v.name for v in VIEWS.values() if v.is_observed]
LATER = sorted(VIEWS.keys() - KNOWN)


def sql_name(view: str) -> str:
    return view.replace("/", ".")


def rows_of(con: duckdb.DuckDBPyConnection, view: str) -> pl.DataFrame:
    return con.execute(f"SELECT * FROM {sql_name(view)} ORDER BY series_id, observation_date").pl()


def facts_of(catalog: Catalog) -> pl.DataFrame:
    return series_facts(catalog.series.values(), "kind", "frequency", "transform", "aggregation")


def families(lake: Lakehouse) -> list[pl.DataFrame]:
    return [lake.read(names.normalized(f)) for f in lake.catalog.families if lake.catalog.sources_of(f)]


# --- the real lake -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def con(built: Built) -> duckdb.DuckDBPyConnection:
    return connect(root=built.home.lake)


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda v: v.name)
def test_sql_and_polars_give_the_same_rows(con: duckdb.DuckDBPyConnection, built: Built, view: View) -> None:
    lake = Lakehouse(built.home.lake, default_catalog())
    rows = view_rows(view, families(lake), facts_of(lake.catalog))
    assert rows.height > 100 or view.kind == "fiscal_data", "none of the bundled series is fiscal"
    assert_frame_equal(rows_of(con, view.name), rows, rel_tol=1e-12, abs_tol=0)


def test_the_kinds_part_the_observations(con: duckdb.DuckDBPyConnection) -> None:
    parts = pl.concat(rows_of(con, view) for view in KINDS).sort("series_id", "observation_date")
    assert_frame_equal(parts, rows_of(con, "normalized/observations"))


def test_rows_without_a_value_are_observations_alone(con: duckdb.DuckDBPyConnection, built: Built) -> None:
    stored = pl.concat(families(Lakehouse(built.home.lake, default_catalog())))
    assert rows_of(con, "normalized/observations")["value"].null_count() == stored["value"].null_count() > 0
    for view, column, taken in (("transformed", "value", "transformed"), ("zscores", "zscore", "zscore")):
        shown = rows_of(con, f"normalized/{view}")[column]
        assert shown.null_count() == 0
        assert len(shown) == stored[taken].drop_nulls().len() < stored.height


@pytest.mark.parametrize("as_of", ["2016-06-30", "2016-07-29"])
@pytest.mark.parametrize("view", KNOWN)
def test_a_view_as_of_an_instant_is_of_what_was_known(built: Built, view: str, as_of: str) -> None:
    facts = facts_of(default_catalog())
    known = standard_units(observations_as_of(as_of, root=built.home.lake), holdings_frame(default_catalog()))
    then = rows_of(connect(root=built.home.lake, as_of=as_of), view)
    assert_frame_equal(then, view_rows(VIEWS[view], [known], facts), rel_tol=1e-12, abs_tol=0)


@pytest.mark.parametrize("view", LATER)
def test_what_is_computed_of_the_observations_is_absent_as_of_an_instant(built: Built, view: str) -> None:
    then = connect(root=built.home.lake, as_of="2016-06-30")
    for asked in ("*", "count(*)", VIEWS[view].columns[-1].name):
        with pytest.raises(duckdb.Error, match=rf"macro_assets.read\('{view}', as_of='2016-06-30'\)"):
            then.execute(f"SELECT {asked} FROM {sql_name(view)}").fetchall()


def test_every_view_is_described(con: duckdb.DuckDBPyConnection) -> None:
    told = dict(con.execute("SELECT schema_name || '/' || view_name, comment FROM duckdb_views()").fetchall())
    assert {n: told[n] for n in VIEWS} == {n: v.description for n, v in VIEWS.items()}
    columns = con.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = 'normalized' AND table_name = 'zscores'"
    ).fetchall()
    assert [c for c, _ in columns] == ["source", "series_id", "observation_date", "zscore"]
    assert all(comment for _, comment in columns)


def test_pivot_sets_series_side_by_side(con: duckdb.DuckDBPyConnection) -> None:
    wide = con.execute(
        "PIVOT (SELECT * FROM normalized.monthly WHERE series_id IN ('AAA', 'BAA')) "
        "ON series_id USING any_value(value) GROUP BY observation_date ORDER BY observation_date"
    ).pl()
    assert wide.columns == ["observation_date", "AAA", "BAA"]
    assert wide["observation_date"].is_unique().all()
    assert (wide["BAA"] > wide["AAA"]).all()


# --- made-up series of each frequency and aggregation --------------------------------------------------------------

DAYS = {date(2020, 1, 2): 1.0, date(2020, 1, 31): 4.0, date(2020, 2, 3): None, date(2020, 2, 28): 7.0}
TOLD = {
    "D": DAYS,
    "W": DAYS,
    "M": {date(2020, 1, 1): 1.0, date(2020, 2, 1): None, date(2020, 3, 1): 7.0},
    "Q": {date(2020, 1, 1): 1.0, date(2020, 4, 1): None, date(2020, 7, 1): 7.0},
    "A": {date(2018, 1, 1): 1.0, date(2019, 1, 1): None, date(2020, 1, 1): 7.0},
}
OF_DAYS = {
    "MEAN": {date(2020, 1, 1): 2.5, date(2020, 2, 1): 7.0},
    "LAST": {date(2020, 1, 1): 4.0, date(2020, 2, 1): 7.0},
    "SUM": {date(2020, 1, 1): 5.0, date(2020, 2, 1): 7.0},
    "COMPOUND": {date(2020, 1, 1): pytest.approx(5.04), date(2020, 2, 1): 7.0},
}
OF_PERIODS = {
    "M": {date(2020, 1, 1): 1.0, date(2020, 3, 1): 7.0},
    "Q": {date(2020, 3, 1): 1.0, date(2020, 9, 1): 7.0},
    "A": {date(2018, 12, 1): 1.0, date(2020, 12, 1): 7.0},
}


def made_up() -> Catalog:
    """One source with a series of each frequency and aggregation, ids as D_MEAN."""
    full = default_catalog()
    plain = full.one_series("UNRATE")
    series: dict[str, Series] = {
        f"{frequency}_{aggregation.upper()}": plain.model_copy(
            update={
                "id": f"{frequency}_{aggregation.upper()}",
                "source": "bundled",
                "holders": (),
                "frequency": frequency,
                "aggregation": aggregation,
            }
        )
        for frequency in "DWMQA"
        for aggregation in ("mean", "last", "sum", "compound")
    }
    return dataclasses.replace(full, sources={"bundled": full.sources["bundled"]}, series=series, copies=())


def made_up_lake(root: Path) -> Lakehouse:
    lake = Lakehouse(root, made_up())
    rows = pl.DataFrame(
        [
            {
                "series_id": series_id,
                "observation_date": day,
                "value": value,
                "release_time": datetime(2020, 3, 1, tzinfo=UTC),
                "release_basis": "provider",
                "provider": "bundled",
                "ingested_at": datetime(2026, 1, 1, tzinfo=UTC),
                "payload_sha256": "synthetic",
            }
            for series_id in lake.catalog.series
            for day, value in TOLD[lake.catalog.series[series_id].frequency].items()
        ]
    )
    append_vintages("bundled", rows, "synthetic", root=root, catalog=lake.catalog)
    facts = facts_of(lake.catalog)
    history = lake.table("normalized/fred").parameters["min_history"]
    assert isinstance(history, dict)
    known = standard_units(rows, holdings_frame(lake.catalog))
    overwrite(lake, "normalized/fred", normalized(known, facts, dict.fromkeys(history, 2)), {})
    return lake


@pytest.mark.parametrize("as_of", [None, "2020-12-31"])
def test_a_month_has_one_value_by_the_rule_of_the_series(tmp_path: Path, as_of: str | None) -> None:
    """Worked by hand: a missing value counts for nothing, a quarter is in its last month and a year in December."""
    lake = made_up_lake(tmp_path)
    months = rows_of(connect(root=tmp_path, catalog=lake.catalog, as_of=as_of), "normalized/monthly")
    found: dict[str, dict[date, float]] = {}
    for row in months.iter_rows(named=True):
        found.setdefault(row["series_id"], {})[row["observation_date"]] = row["value"]
    assert found == {f"{f}_{rule}": OF_PERIODS.get(f, of_days) for f in TOLD for rule, of_days in OF_DAYS.items()}
    twin = view_rows(VIEWS["normalized/monthly"], families(lake), facts_of(lake.catalog))
    assert_frame_equal(months, twin, rel_tol=1e-12, abs_tol=0)


def test_the_families_that_are_there_are_shown_together(tmp_path: Path) -> None:
    """A lake with two of the families' tables, of which one has nothing, is no error; one with none is."""
    lake = dataclasses.replace(made_up_lake(tmp_path), catalog=default_catalog())
    overwrite(lake, "normalized/world", lake.read("normalized/world"), {})
    catalog = dataclasses.replace(made_up(), sources=default_catalog().sources)
    con = connect(root=tmp_path, catalog=catalog)
    assert con.execute("SELECT count(*) FROM normalized.observations").fetchone() == (4 * sum(map(len, TOLD.values())),)
    for view in VIEWS:
        assert con.execute(f"SELECT count(*) >= 0 FROM {sql_name(view)}").fetchone() == (True,)


def test_series_that_the_catalog_no_longer_has_are_left_out(tmp_path: Path) -> None:
    lake = made_up_lake(tmp_path)
    fewer = {i: s for i, s in lake.catalog.series.items() if i.startswith("M_")}
    catalog = dataclasses.replace(lake.catalog, series=fewer)
    con = connect(root=tmp_path, catalog=catalog)
    for view in VIEWS.values():
        rows = rows_of(con, view.name)
        assert set(rows["series_id"]) <= set(fewer)
        assert_frame_equal(rows, view_rows(view, families(lake), facts_of(catalog)), rel_tol=1e-12, abs_tol=0)


@pytest.mark.parametrize("as_of", [None, "2016-06-30"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_over_nothing_is_an_error_to_name(tmp_path: Path, view: str, as_of: str | None) -> None:
    overwrite(Lakehouse(tmp_path, default_catalog()), "calendar/releases", _nothing("calendar/releases"), {})
    con = connect(root=tmp_path, as_of=as_of)
    absent = as_of is not None and view in LATER
    message = "absent from a session as of a date" if absent else f"{view} is not in the lake yet. `macro run` makes it"
    with pytest.raises(duckdb.Error, match=message):
        con.execute(f"SELECT count(*) FROM {sql_name(view)}").fetchall()


def test_a_table_of_an_earlier_version_is_told_by_the_view_alone(tmp_path: Path) -> None:
    """It has no providers and units: what reads them says so, and the session opens all the same."""
    lake = made_up_lake(tmp_path)
    table = str(lake.root / "normalized/fred")
    write_deltalake(table, lake.read("normalized/fred").drop("provider", "unit").to_arrow(), mode="overwrite",
                    schema_mode="overwrite")  # fmt: skip
    con = connect(root=tmp_path, catalog=lake.catalog)
    with pytest.raises(duckdb.Error, match="normalized.observations reads columns .* an earlier version .*`macro run"):
        con.execute("SELECT count(*) FROM normalized.observations").fetchall()
    assert con.execute("SELECT count(*) FROM normalized.monthly").fetchone() != (0,)
    then = connect(root=tmp_path, catalog=lake.catalog, as_of="2020-12-31")
    assert then.execute("SELECT count(*) FROM normalized.observations").fetchone() == (
        4 * sum(map(len, TOLD.values())),
    )


def _nothing(table: str) -> pl.DataFrame:
    return Lakehouse(Path("nowhere"), default_catalog()).rows(table, None).collect()
