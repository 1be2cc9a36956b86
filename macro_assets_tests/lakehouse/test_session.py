"""SQL over the lake: views, macros, the as-of world, and the numbers that were known."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import macro_assets
from macro_assets.catalog import Catalog
from macro_assets.derivations import read
from macro_assets.lakehouse import LakeError, connect
from macro_assets.lakehouse.delta import read_table
from macro_assets.lakehouse.raw import append_vintages, observations_as_of
from macro_assets.lakehouse.session import query
from macro_assets.transforms.normalize import standard_units
from macro_assets_tests.conftest import Built

DATES = ["2010-06-30", "2016-06-28", "2016-06-29", "2016-06-30", "2016-07-28", "2016-07-29", "2026-01-01"]


def payroll_change(con: duckdb.DuckDBPyConnection, as_of: str) -> float | None:
    row = con.execute(
        """
        SELECT change FROM (
            SELECT observation_date, value - lag(value) OVER (ORDER BY observation_date) AS change
            FROM series_as_of('PAYEMS', ?)
        ) WHERE observation_date = DATE '2016-06-01'
        """,
        [as_of],
    ).fetchone()
    return row[0] if row else None


def test_payrolls_of_june_2016_as_known(built: Built) -> None:
    """Reference: BLS Employment Situation, 2016-07-08: +287 thousand (research note R-24)."""
    con = connect(built.home.lake)
    assert payroll_change(con, "2016-06-30") is None
    assert payroll_change(con, "2016-07-29") == 287.0


def test_gdp_of_2016q2_was_unknown_at_the_end_of_june(built: Built) -> None:
    con = connect(built.home.lake)
    known = "SELECT count(*) FROM series_as_of('GDPC1', ?) WHERE observation_date = DATE '2016-04-01'"
    assert con.execute(known, ["2016-06-30"]).fetchone() == (0,)
    assert con.execute(known, ["2016-07-29"]).fetchone() == (1,)


@pytest.mark.parametrize("as_of", DATES)
def test_sql_and_polars_agree(built: Built, catalog: Catalog, as_of: str) -> None:
    columns = ["source", "series_id", "observation_date", "value", "release_time", "release_basis", "provider"]
    sql = connect(built.home.lake).execute("SELECT * FROM observations_as_of(?)", [as_of]).pl()
    polars = observations_as_of(built.home.lake, catalog, as_of)
    by = ["series_id", "observation_date"]
    assert_frame_equal(sql.select(columns).sort(by), polars.select(columns).sort(by))


@pytest.mark.parametrize("moment", ["DATE '2016-07-29'", "'2016-07-29'", "TIMESTAMPTZ '2016-07-29 23:59:59.999999+00'"])
def test_a_date_in_sql_means_its_end(built: Built, moment: str) -> None:
    con = connect(built.home.lake)
    assert con.execute(f"SELECT max(observation_date) FROM series_as_of('PAYEMS', {moment})").fetchone() == (
        date(2016, 6, 1),
    )


@pytest.mark.parametrize("as_of", DATES)
def test_an_as_of_session_is_that_days_world(built: Built, catalog: Catalog, as_of: str) -> None:
    con = connect(built.home.lake, as_of=as_of)
    observations = con.execute("SELECT * FROM normalized.observations").pl()
    known = standard_units(observations_as_of(built.home.lake, catalog, as_of), catalog)
    by = ["series_id", "observation_date"]
    assert_frame_equal(observations.select(known.columns).sort(by), known.sort(by))
    assert_frame_equal(known, read("normalized/observations", as_of=as_of, root=built.home.lake).select(known.columns))
    latest = con.execute("SELECT max(release_time) <= as_of_instant(?) FROM raw.bundled", [as_of]).fetchone()
    assert latest in [(True,), (None,)]
    months = con.execute("SELECT DISTINCT as_of_month FROM forecasts.gdp_nowcast ORDER BY 1").fetchall()
    assert months == [
        (m,) for m in ("2016-06", "2016-07") if f"{m}-31" <= as_of or (m == "2016-06" and as_of >= "2016-06-30")
    ]


@pytest.mark.parametrize(
    "table", ["normalized/panel_monthly", "indicators/economic_stress_index", "charts/gdp_nowcast"]
)
def test_todays_tables_are_absent_from_an_as_of_session(built: Built, table: str) -> None:
    con = connect(built.home.lake, as_of="2016-06-30")
    with pytest.raises(duckdb.Error, match=rf"macro_assets.read\('{table}', as_of='2016-06-30'\)"):
        con.execute(f"SELECT * FROM {table.replace('/', '.')}").fetchall()


def test_an_as_of_session_holds_no_way_to_the_future(built: Built) -> None:
    con = connect(built.home.lake, as_of="2016-06-30")
    assert con.execute("SELECT max(observation_date) FROM series_as_of('PAYEMS', '2030-01-01')").fetchone() == (
        date(2016, 5, 1),
    )
    attached = con.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal").fetchall()
    assert attached == [("memory",)]


def test_estimates_of_a_series_that_got_vintages_later_are_ignored_everywhere(tmp_path: Path, catalog: Catalog) -> None:
    """Synthetic: one estimate of 2010, one vintage of 2020. As of 2015 nothing is known, however it is asked."""
    rows = pl.DataFrame(
        {
            "series_id": "PAYEMS",
            "observation_date": [date(2010, 1, 1), date(2010, 1, 1)],
            "value": [1.0, 2.0],
            "release_time": [datetime(2010, 2, 5, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)],
            "release_basis": ["publication_lag", "snapshot"],
            "provider": "bundled",
            "ingested_at": datetime(2026, 1, 1, tzinfo=UTC),
            "run_id": "synthetic",
            "payload_sha256": "synthetic",
        }
    )
    append_vintages(tmp_path, catalog, "bundled", rows, {})
    question = "SELECT count(*) FROM observations_as_of('2015-01-01')"
    assert connect(tmp_path).execute(question).fetchone() == (0,)
    then = connect(tmp_path, as_of="2015-01-01")
    assert then.execute(question).fetchone() == (0,)
    assert observations_as_of(tmp_path, catalog, "2015-01-01").is_empty()
    assert read("normalized/observations", as_of="2015-01-01", root=tmp_path).is_empty()
    assert read("normalized/observations", as_of="2021-01-01", root=tmp_path)["value"].to_list() == [2000.0]
    assert read("raw/bundled", as_of="2015-01-01", root=tmp_path).height == 1


def test_read_recomputes_what_was_known(built: Built, catalog: Catalog) -> None:
    index = macro_assets.read("indicators/economic_stress_index", as_of="2016-06-30", root=str(built.home.lake))
    # Moody's yields of June came out in July: two of three components are not an index
    assert index["observation_date"].max() == date(2016, 5, 1)
    latest = macro_assets.read("indicators/economic_stress_index", root=str(built.home.lake))
    assert latest["observation_date"].max() == date(2018, 12, 1)
    everything = read("indicators/economic_stress_index", as_of="2030-01-01", root=built.home.lake)
    assert_frame_equal(everything, latest)
    nowcasts = read("forecasts/gdp_nowcast", as_of="2016-07-01", root=built.home.lake)
    assert nowcasts["as_of_month"].unique().to_list() == ["2016-06"]


def test_read_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="unknown table 'normalized/zscore'.*Did you mean normalized/zscores"):
        read("normalized/zscore", root=tmp_path)
    with pytest.raises(LakeError, match="macro run normalized/zscores"):
        read("normalized/zscores", root=tmp_path)


def test_every_table_is_a_view_with_comments(built: Built, catalog: Catalog) -> None:
    con = connect(built.home.lake)
    views = {
        f"{s}/{n}": c
        for s, n, c in con.execute("SELECT schema_name, view_name, comment FROM duckdb_views()").fetchall()
    }
    for name, table in catalog.tables.items():
        assert views[name] == table.description
        assert con.execute(f"SELECT count(*) FROM {name.replace('/', '.')}").fetchone() == (
            read_table(built.home.lake, table, catalog).height,
        )
    comments = con.execute(
        "SELECT comment FROM duckdb_columns() WHERE schema_name = 'forecasts' AND column_name = 'forecast_pct'"
    ).fetchall()
    assert comments == [("Growth at annual rate: forecast, or the released figure [percent]",)]


def test_the_session_describes_the_series(built: Built, catalog: Catalog) -> None:
    series = connect(built.home.lake).execute("SELECT * FROM catalog.series").pl()
    assert set(series["series_id"]) == set(catalog.series)


def test_a_session_reads_while_a_run_writes(built: Built) -> None:
    """The connection is in memory and holds no lock: a second one opens beside the first."""
    one, two = connect(built.home.lake), connect(built.home.lake)
    for con in (one, two, one):
        assert con.execute("SELECT count(*) > 0 FROM raw.bundled").fetchone() == (True,)


def test_no_lake_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="there is no lake at .*make run"):
        connect(tmp_path)


def test_a_broken_statement_is_one_message(built: Built) -> None:
    with pytest.raises(LakeError, match="nonsense"):
        query(connect(built.home.lake), "SELECT * FROM nonsense")


def test_values_reach_sql_bound_not_pasted(built: Built) -> None:
    con = connect(built.home.lake)
    hostile = "PAYEMS' OR '1'='1"
    with pytest.raises(duckdb.Error, match="unknown series \"PAYEMS' OR '1'='1\""):
        con.execute("SELECT count(*) FROM series_as_of(?, today())", [hostile]).fetchone()


def test_an_unknown_series_is_an_error_and_not_an_empty_answer(built: Built) -> None:
    con = connect(built.home.lake)
    with pytest.raises(duckdb.Error, match=r'unknown series "PAYEM".*catalog\.series'):
        con.execute("SELECT * FROM series_as_of('PAYEM', '2016-07-29')").fetchall()
    assert con.execute("SELECT count(*) FROM series_as_of('PAYEMS', '1999-01-01')").fetchone() == (0,)


def test_stored_floats_are_finite(built: Built, catalog: Catalog) -> None:
    for table in catalog.tables.values():
        frame = read_table(built.home.lake, table, catalog)
        floats = frame.select(pl.col(pl.Float64).is_finite() | pl.col(pl.Float64).is_null())
        assert all(floats[c].all() for c in floats.columns), table.name
