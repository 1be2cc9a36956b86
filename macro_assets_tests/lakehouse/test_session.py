"""SQL over the lake: views, macros, the as-of world, and the numbers that were known."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from polars.testing import assert_frame_equal

import macro_assets
from macro_assets.catalog import Catalog
from macro_assets.catalog.derive import holdings_frame
from macro_assets.graph.reading import panel, read
from macro_assets.lakehouse import LakeError, connect, delta, vintages, write
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages, observations_as_of
from macro_assets.lakehouse.session import query
from macro_assets.lakehouse.session_views import look
from macro_assets.lakehouse.vintages import instant
from macro_assets.transforms.normalize import standard_units
from macro_assets_tests.conftest import Built, Home
from macro_assets_tests.faults.processes import Child
from macro_assets_tests.faults.races import asking_notebook
from macro_assets_tests.lakehouse.synthetic import INGESTED, frame, month, row, vintage_frame

DATES = ["2010-06-30", "2016-06-28", "2016-06-29", "2016-06-30", "2016-07-28", "2016-07-29", "2026-01-01"]


JUNE = "2016-06-30"


@pytest.fixture(scope="module")
def con(built: Built) -> duckdb.DuckDBPyConnection:
    """A session on the built lake: opening one takes longer than most questions."""
    return connect(root=built.home.lake)


@pytest.fixture(scope="module")
def june(built: Built) -> duckdb.DuckDBPyConnection:
    """A session as of the end of June 2016."""
    return connect(root=built.home.lake, as_of=JUNE)


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


def test_payrolls_of_june_2016_as_known(con: duckdb.DuckDBPyConnection) -> None:
    """Reference: BLS Employment Situation, 2016-07-08: +287 thousand (research note R-24)."""
    assert payroll_change(con, "2016-06-30") is None
    assert payroll_change(con, "2016-07-29") == 287.0


def test_gdp_of_2016q2_was_unknown_at_the_end_of_june(con: duckdb.DuckDBPyConnection) -> None:
    known = "SELECT count(*) FROM series_as_of('GDPC1', ?) WHERE observation_date = DATE '2016-04-01'"
    assert con.execute(known, ["2016-06-30"]).fetchone() == (0,)
    assert con.execute(known, ["2016-07-29"]).fetchone() == (1,)


@pytest.mark.parametrize("as_of", DATES)
def test_sql_and_polars_agree(con: duckdb.DuckDBPyConnection, built: Built, as_of: str) -> None:
    columns = ["source", "series_id", "observation_date", "value", "release_time", "release_basis", "provider"]
    sql = con.execute("SELECT * FROM observations_as_of(?)", [as_of]).pl()
    polars = observations_as_of(as_of, root=built.home.lake)
    by = ["series_id", "observation_date"]
    assert_frame_equal(sql.select(columns).sort(by), polars.select(columns).sort(by))


@pytest.mark.parametrize("moment", ["DATE '2016-07-29'", "'2016-07-29'", "TIMESTAMPTZ '2016-07-29 23:59:59.999999+00'"])
def test_a_date_in_sql_means_its_end(con: duckdb.DuckDBPyConnection, moment: str) -> None:
    assert con.execute(f"SELECT max(observation_date) FROM series_as_of('PAYEMS', {moment})").fetchone() == (
        date(2016, 6, 1),
    )


SLOPPY = (
    *("2016-7-29", " 2016-07-29", "2016-07-29 ", "20160729", "2016-07-29 12:30", "2016-07-29T12:30:00", "2016-02-30"),
    *("29.07.2016", "today", "infinity", "", "10000-01-01", "2016-07-29T25:00Z"),
    *("0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59-12:00"),
)


@pytest.mark.parametrize("text", SLOPPY)
def test_a_sloppy_instant_is_refused_in_sql_as_in_python(con: duckdb.DuckDBPyConnection, text: str) -> None:
    with pytest.raises(ValueError, match="is not a date|has no time zone|of the years 1 to 9999"):
        instant(text)
    for asked in ("count(*) FROM series_as_of('PAYEMS', ?)", "count(*) FROM observations_as_of(?)", "as_of_instant(?)"):
        with pytest.raises(duckdb.Error, match="is neither a date nor an instant with its time zone"):
            con.execute(f"SELECT {asked}", [text]).fetchall()


@pytest.mark.parametrize(
    "text",
    [
        *("2016-07-29", "0001-01-01", "9999-12-31", "2016-07-29T12:30:00.25-04:00", "2016-07-29 12:30:00Z"),
        *("2016-07-29T12:30Z", "2016-07-29 12:30 UTC", "2016-07-29 12:30:15 UTC", "2016-07-29 12:30-04:00"),
    ],
)
def test_an_instant_is_the_same_in_sql_and_python(con: duckdb.DuckDBPyConnection, text: str) -> None:
    found = con.execute("SELECT epoch_us(as_of_instant(?))", [text]).fetchone()
    assert found == (vintages.microseconds(text),)


def test_an_instant_in_sql_is_a_date_or_has_a_time_zone(built: Built) -> None:
    con = connect(root=built.home.lake)
    con.execute("SET TimeZone = 'America/New_York'")
    typed = {
        "DATE '2016-07-29'": "2016-07-29",
        "CAST('2016-07-29 12:30:00+00' AS TIMESTAMPTZ)": "2016-07-29T12:30:00Z",
    }
    for sql, text in typed.items():
        assert con.execute(f"SELECT epoch_us(as_of_instant({sql}))").fetchone() == (vintages.microseconds(text),)
    assert con.execute("SELECT as_of_instant(NULL)").fetchone() == (None,)
    for sql in ("TIMESTAMP '2016-07-29'", "DATE '2016-07-29' - INTERVAL 1 DAY", "'infinity'::TIMESTAMPTZ", "2016"):
        with pytest.raises(duckdb.Error, match="neither a date nor an instant"):
            con.execute(f"SELECT count(*) FROM series_as_of('PAYEMS', {sql})").fetchall()


@pytest.mark.parametrize("as_of", DATES)
def test_an_as_of_session_is_that_days_world(built: Built, catalog: Catalog, as_of: str) -> None:
    con = connect(as_of=as_of, root=built.home.lake)
    observations = con.execute("SELECT * FROM normalized.observations").pl()
    known = standard_units(observations_as_of(as_of, root=built.home.lake), holdings_frame(catalog))
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
    "table", ["normalized/fred", "normalized/zscores", "indicators/economic_stress_index", "charts/gdp_nowcast"]
)
def test_todays_tables_are_absent_from_an_as_of_session(june: duckdb.DuckDBPyConnection, table: str) -> None:
    with pytest.raises(duckdb.Error, match=rf"macro_assets.read\('{table}', as_of='2016-06-30'\)"):
        june.execute(f"SELECT * FROM {table.replace('/', '.')}").fetchall()
    with pytest.raises(duckdb.Error, match="absent from a session as of a date"):
        june.execute(f"SELECT count(*) FROM {table.replace('/', '.')}").fetchall()


def test_an_as_of_session_holds_no_way_to_the_future(june: duckdb.DuckDBPyConnection) -> None:
    assert june.execute("SELECT max(observation_date) FROM series_as_of('PAYEMS', '2030-01-01')").fetchone() == (
        date(2016, 5, 1),
    )
    attached = june.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal").fetchall()
    assert attached == [("memory",)]


def test_estimates_of_a_series_that_got_vintages_later_are_ignored_everywhere(tmp_path: Path) -> None:
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
            "payload_sha256": "synthetic",
        }
    )
    append_vintages("bundled", rows, "synthetic", root=tmp_path)
    question = "SELECT count(*) FROM observations_as_of('2015-01-01')"
    assert connect(root=tmp_path).execute(question).fetchone() == (0,)
    then = connect(as_of="2015-01-01", root=tmp_path)
    assert then.execute(question).fetchone() == (0,)
    ours = then.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = '_session'").fetchall()
    for (view,) in ours:
        assert "snapshot" not in str(then.execute(f"FROM _session.{view}").fetchall())
    assert {view for (view,) in ours} == {"vintages", "normalized"}, "nothing tells which series got vintages later"
    assert observations_as_of("2015-01-01", root=tmp_path).is_empty()
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


def test_what_no_column_dates_is_no_answer_as_of_an_instant(copied: Home) -> None:
    """The release calendar says what is planned now; since when, nothing says."""
    write.append(
        Lakehouse.at(copied.lake), "calendar/releases", Lakehouse.at(copied.lake).read("calendar/releases"), {}
    )
    told = "nothing in it says since when"
    with pytest.raises(LakeError, match=f"calendar/releases.*{told}"):
        read("calendar/releases", as_of=JUNE, root=copied.lake)
    with pytest.raises(duckdb.Error, match=f"calendar/releases.*{told}"):
        connect(root=copied.lake, as_of=JUNE).execute("SELECT * FROM calendar.releases").fetchall()


def test_every_table_is_read_or_refused_in_words_before_anything_was_known(built: Built, catalog: Catalog) -> None:
    for name in [*catalog.tables, *catalog.views]:
        with suppress(LakeError):
            assert read(name, as_of="1900-01-01", root=built.home.lake).is_empty()


def test_read_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="unknown table 'normalized/fre'.*Did you mean normalized/fred"):
        read("normalized/fre", root=tmp_path)
    with pytest.raises(LakeError, match="macro run normalized/fred"):
        read("normalized/fred", root=tmp_path)


def test_a_panel_says_how_to_get_what_was_never_fetched(built: Built) -> None:
    """That nothing was known of a series at an instant is an answer."""
    assert panel(["PAYEMS"], as_of="1970-01-01", root=built.home.lake).is_empty()
    with pytest.raises(LakeError, match="series USPRIV was never fetched.*`macro fetch raw/fred/USPRIV` gets it"):
        panel(["PAYEMS", "USPRIV"], root=built.home.lake)


def test_every_table_is_a_view_with_comments(con: duckdb.DuckDBPyConnection, built: Built, catalog: Catalog) -> None:
    live = {s.name for s in catalog.sources.values() if s.is_live}
    views = {
        f"{s}/{n}": c
        for s, n, c in con.execute("SELECT schema_name, view_name, comment FROM duckdb_views()").fetchall()
    }
    for name, table in catalog.tables.items():
        assert views[name] == table.description
        if table.layer in ("maintenance", "calendar", "paths"):  # not part of a run of past months
            continue
        if table.layer in ("raw", "landing", "fetch_log") and name.split("/")[1] in live:
            made = f"{name} is not in the lake yet. `macro fetch raw/{name.split('/')[1]}` makes it"
            with pytest.raises(duckdb.Error, match=made):
                con.execute(f"SELECT count(*) FROM {name.replace('/', '.')}")
            continue
        assert con.execute(f"SELECT count(*) FROM {name.replace('/', '.')}").fetchone() == (
            Lakehouse(built.home.lake, catalog).read(table.name).height,
        )
    comments = con.execute(
        "SELECT comment FROM duckdb_columns() WHERE schema_name = 'forecasts' AND column_name = 'target_date'"
    ).fetchall()
    assert comments == [("First day of the period that is forecast",)] * 2


def test_the_session_describes_what_there_is(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    series = con.execute("SELECT * FROM catalog.series").pl()
    assert set(series["series_id"]) == set(catalog.series)
    assert con.execute("SELECT * FROM catalog.holders").pl().equals(holdings_frame(catalog))
    payems = "SELECT serves, first_date, last_date, rows, vintages FROM catalog.series WHERE series_id = 'PAYEMS'"
    assert con.execute(payems).fetchall() == [("bundled", date(1985, 1, 1), date(2016, 6, 1), 380, 2)]
    unfetched = "SELECT serves, first_date, last_date, rows, vintages FROM catalog.series WHERE series_id = 'BLS_CPI'"
    assert con.execute(unfetched).fetchall() == [(None, None, None, 0, 0)]
    fred = con.execute(
        "SELECT family, is_live, key_variable, vintages FROM catalog.sources WHERE name = 'fred'"
    ).fetchall()
    assert fred == [("fred", True, "FRED_API_KEY", "changes")]
    assert con.execute("SELECT key_variable, is_live FROM catalog.sources WHERE name = 'bundled'").fetchall() == [
        (None, False)
    ]
    priced = con.execute(
        "SELECT i.name FROM catalog.instruments AS i JOIN catalog.series AS s ON s.series_id = i.price"
    ).fetchall()
    assert {name for (name,) in priced} == set(catalog.instruments)
    told = con.execute(
        "SELECT table_name, count(*) > 5 AND bool_and(comment <> '') FROM duckdb_columns() "
        "WHERE schema_name = 'catalog' GROUP BY ALL ORDER BY 1"
    ).fetchall()
    assert told == [("holders", True), ("instruments", True), ("series", True), ("sources", True)]


def test_tables_are_listed_as_they_are_written_in_sql(
    con: duckdb.DuckDBPyConnection, june: duckdb.DuckDBPyConnection, built: Built
) -> None:
    listed, then = ([name for (name,) in c.execute("SHOW TABLES").fetchall()] for c in (con, june))
    stored = {name.replace("/", ".") for name in delta.table_versions(built.home.lake)}
    assert set(listed) >= {*stored, "normalized.observations", "catalog.series", "catalog.sources"}
    assert {n for n in listed if n.split(".")[0] not in ("catalog", "normalized")} <= stored
    for name in listed:
        assert con.execute(f"SELECT count(*) FROM {name}").fetchone() != (None,)
    assert set(then) < set(listed)
    assert "raw.bundled" in then
    for name in then:
        june.execute(f"SELECT count(*) FROM {name}").fetchall()
    every = con.execute("SELECT schema || '.' || name FROM (SHOW ALL TABLES) WHERE schema <> '_session'").fetchall()
    assert {name for (name,) in every} >= set(listed)
    assert len(every) == len(set(every))


def test_a_session_takes_tables_and_views_of_ones_own(built: Built) -> None:
    con = connect(root=built.home.lake)
    con.execute("CREATE TABLE mine AS SELECT 1 AS x; CREATE VIEW raw.two AS SELECT 2 AS x; CREATE SCHEMA own")
    con.execute("CREATE VIEW own.observations AS FROM normalized.observations")
    assert con.execute("SELECT (SELECT x FROM mine), (SELECT x FROM raw.two)").fetchone() == (1, 2)
    assert ("mine",) in con.execute("SHOW TABLES").fetchall()
    zscores = pl.DataFrame({"x": [3]})
    assert con.execute("SELECT x FROM zscores").fetchall() == zscores.rows(), "the frame of that name, not a table"


def test_a_session_takes_no_unsigned_extension_of_anybody_else(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute("SELECT current_setting('allow_unsigned_extensions')").fetchone() == (False,)
    with pytest.raises(duckdb.Error, match="while database is running"):
        con.execute("SET allow_unsigned_extensions = true")


def test_a_session_reads_while_a_run_writes(built: Built) -> None:
    """The connection is in memory and holds no lock: a second one opens beside the first."""
    one, two = connect(root=built.home.lake), connect(root=built.home.lake)
    for con in (one, two, one):
        assert con.execute("SELECT count(*) > 0 FROM raw.bundled").fetchone() == (True,)


def test_no_lake_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="there is no lake at .*make run"):
        connect(root=tmp_path)


def test_a_broken_statement_is_one_message(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(LakeError, match="nonsense"):
        query(con, "SELECT * FROM nonsense")


def test_values_reach_sql_bound_not_pasted(con: duckdb.DuckDBPyConnection) -> None:
    hostile = "PAYEMS' OR '1'='1"
    with pytest.raises(duckdb.Error, match="unknown series \"PAYEMS' OR '1'='1\""):
        con.execute("SELECT count(*) FROM series_as_of(?, today())", [hostile]).fetchone()


def test_an_unknown_series_is_an_error_and_not_an_empty_answer(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match=r'unknown series "PAYEM".*catalog\.series'):
        con.execute("SELECT * FROM series_as_of('PAYEM', '2016-07-29')").fetchall()
    assert con.execute("SELECT count(*) FROM series_as_of('PAYEMS', '1999-01-01')").fetchone() == (0,)


def test_stored_floats_are_finite(built: Built, catalog: Catalog) -> None:
    for table in catalog.tables.values():
        frame = Lakehouse(built.home.lake, catalog).read(table.name)
        floats = frame.select(pl.col(pl.Float64).is_finite() | pl.col(pl.Float64).is_null())
        assert all(floats[c].all() for c in floats.columns), table.name


# --- tables of other programs, damaged tables, and writers beside the session --------------------------------------


def payrolls(root: Path, vintage: int, value: float) -> None:
    append_vintages("bundled", vintage_frame(vintage, [value]).drop("run_id"), "synthetic", root=root)


def test_tables_of_other_programs_are_views_too(tmp_path: Path) -> None:
    payrolls(tmp_path, 0, 1.0)
    mine = pa.table({"Mixed Case": [1, 2], "day": [date(2020, 1, 1), date(2020, 1, 2)]})
    for place in ("research/my_table", "research/deep/er", "alone", "raw/hand_made", "odd names/it's"):
        write_deltalake(tmp_path / place, mine)
    con = connect(root=tmp_path)
    for view in ("research.my_table", '"research/deep".er', "alone", "raw.hand_made", '"odd names"."it\'s"'):
        assert con.execute(f'SELECT sum("Mixed Case") FROM {view}').fetchone() == (3,)
    assert con.execute("SELECT count(*) FROM observations_as_of(today())").fetchone() == (1,)
    then = connect(as_of="2020-01-01", root=tmp_path)
    with pytest.raises(duckdb.Error, match="research.my_table is not a table of the catalog"):
        then.execute("SELECT * FROM research.my_table").fetchall()


def test_a_table_that_is_not_there_yet_says_how_to_make_it(tmp_path: Path) -> None:
    payrolls(tmp_path, 0, 1.0)
    con = connect(root=tmp_path)
    for name in ("fred", "zscores"):
        for asked in ("zscore", "count(*)", "1"):
            with pytest.raises(duckdb.Error, match=f"normalized/{name} is not in the lake yet. `macro run` makes it"):
                con.execute(f"SELECT {asked} FROM normalized.{name}").fetchall()
    assert con.execute("SELECT count(*) FROM audit.invalidations").fetchone() == (0,)


def test_a_damaged_table_is_named_and_the_others_answer(tmp_path: Path, catalog: Catalog) -> None:
    """F5: a session opens beside a damaged table."""
    payrolls(tmp_path, 0, 1.0)
    for name in ("normalized/fred", "indicators/economic_stress_index", "research/mine"):
        write_deltalake(tmp_path / name, pa.table({"series_id": ["A"]}))
    for name in ("normalized/fred", "research/mine"):
        (tmp_path / name / "_delta_log" / f"{0:020}.json").write_text('{"commitInfo": {')
    data_file = next((tmp_path / "indicators/economic_stress_index").glob("*.parquet"))
    data_file.unlink()
    con = connect(root=tmp_path)
    assert con.execute("SELECT value FROM series_as_of('PAYEMS', '2020-02-01')").fetchall() == [(1.0,)]
    for name in ("fred", "zscores", "monthly"):
        with pytest.raises(duckdb.Error, match="table normalized/fred.* cannot be opened.*macro doctor"):
            con.execute(f"SELECT count(*) FROM normalized.{name}").fetchall()
    with pytest.raises(duckdb.Error, match="table research/mine cannot be read"):
        con.execute("SELECT * FROM research.mine").fetchall()
    with pytest.raises(duckdb.Error, match=data_file.name):
        con.execute("SELECT * FROM indicators.economic_stress_index").fetchall()
    assert con.execute("SELECT count(*) > 0 FROM duckdb_columns()").fetchone() == (True,)


def test_a_damaged_raw_table_is_an_error_and_not_a_hole_in_the_answer(tmp_path: Path) -> None:
    payrolls(tmp_path, 0, 1.0)
    newest = max((tmp_path / "raw/bundled/_delta_log").glob("*.json"))
    newest.write_bytes(newest.read_bytes()[:50])
    con = connect(root=tmp_path)
    for asked in ("observations_as_of(today())", "series_as_of('PAYEMS', today())", "releases('PAYEMS')"):
        for what in ("*", "count(*)"):
            with pytest.raises(duckdb.Error, match="raw/bundled.* cannot be opened"):
                con.execute(f"SELECT {what} FROM {asked}").fetchall()


def test_a_session_stays_with_the_versions_it_found(tmp_path: Path, catalog: Catalog) -> None:
    """Two tables written one after the other: a session sees both or neither, and keeps what it saw."""
    payrolls(tmp_path, 0, 1.0)
    write_deltalake(tmp_path / "research/copy", pa.table({"value": [1.0]}))
    con = connect(root=tmp_path)
    payrolls(tmp_path, 1, 2.0)
    write_deltalake(tmp_path / "research/copy", pa.table({"value": [2.0]}), mode="overwrite")
    question = "SELECT (SELECT max(value) FROM raw.bundled), (SELECT max(value) FROM research.copy)"
    assert con.execute(question).fetchone() == (1.0, 1.0)
    assert connect(root=tmp_path).execute(question).fetchone() == (2.0, 2.0)
    assert con.execute(question).fetchone() == (1.0, 1.0)


def test_the_snapshot_is_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables written while versions are looked up: looked up again until two looks agree."""
    versions = iter([{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 2, "b": 2}, {"a": 2, "b": 2}])
    looks = ({name: delta.Entry(v, 1, 1) for name, v in look.items()} for look in versions)
    monkeypatch.setattr(delta, "_look_for_entries", lambda root: next(looks))
    assert delta.table_versions(tmp_path) == {"a": 2, "b": 2}


def test_ten_notebooks_read_while_runs_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten processes open sessions and ask, one writes, compacts and checkpoints: no reader fails, none sees a part."""
    monkeypatch.setattr(write, "MAX_FILES", 2)
    payrolls(tmp_path, 0, 0.0)
    readers = [Child(asking_notebook, tmp_path) for _ in range(10)]
    vintage = 0

    def append() -> None:
        nonlocal vintage
        vintage += 1
        moment = datetime(2020, 1, 2, tzinfo=UTC) + timedelta(minutes=vintage)
        batch = frame(row(month(1), float(vintage), moment))
        append_vintages("bundled", batch.drop("run_id"), "synthetic", root=tmp_path)

    while not all(r.said.poll() for r in readers):
        append()
    for reader in readers:
        reader.go_on()
    for _ in range(write.MAX_FILES + 1):  # so that a compaction happens beside the readers
        append()
    assert [r.rest() for r in readers] == [["began", "ended"]] * 10


# --- the files of the raw tables, which are read as one ------------------------------------------------------------


def two_tables(root: Path) -> Lakehouse:
    """A figure of PAYEMS at home, and its offline copy."""
    lake = Lakehouse.at(root)
    for source, value in (("bundled", 1.0), ("fred", 2.0)):
        write.append(lake, f"raw/{source}", frame(row(month(1), value, INGESTED, provider=source)), {})
    return lake


def test_a_folder_may_be_named_as_a_pattern(tmp_path: Path) -> None:
    lake = two_tables(tmp_path / "a *b? {c,d}")
    con = connect(root=lake.root)
    assert con.execute("SELECT value, provider FROM series_as_of('PAYEMS', NULL)").fetchall() == [(2.0, "fred")]


@pytest.mark.parametrize("lost", ["bundled", "fred"])
def test_a_lost_file_is_told_by_what_reads_it_alone(tmp_path: Path, lost: str) -> None:
    two_tables(tmp_path)
    (file,) = (tmp_path / "raw" / lost).glob("*.parquet")
    file.unlink()
    con = connect(root=tmp_path)
    for question in ("observations_as_of(NULL)", "series_as_of('PAYEMS', NULL)", "catalog.series", f"raw.{lost}"):
        with pytest.raises(duckdb.Error, match=f"raw/{lost}"):
            con.execute(f"SELECT * FROM {question}").fetchall()
    kept = "fred" if lost == "bundled" else "bundled"
    assert con.execute(f"SELECT count(*) FROM raw.{kept}").fetchone() == (1,)
    assert con.execute("SELECT title FROM catalog.sources WHERE name = 'fred'").fetchone() is not None


def test_what_is_written_later_is_not_seen(tmp_path: Path) -> None:
    lake = two_tables(tmp_path)
    question = "SELECT count(*) FROM observations_as_of(NULL)"
    con = connect(root=tmp_path)
    write.append(lake, "raw/fred", frame(row(month(2), 3.0, INGESTED, provider="fred")), {})
    assert con.execute(question).fetchone() == (1,)
    assert connect(root=tmp_path).execute(question).fetchone() == (2,)
    assert len(look(lake, "raw/fred", 1).files) == 1, "though there is a later version"
    assert len(look(lake, "raw/fred", 2).files) == 2
