"""The macros as they are asked, on real tables; what they must answer is in `test_holders.py` and `test_choice.py`."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import polars as pl
import pytest

from macro_assets.lakehouse import write
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets.lakehouse.releases import releases
from macro_assets.lakehouse.session import connect
from macro_assets_tests.conftest import Built
from macro_assets_tests.lakehouse.synthetic import (
    INGESTED,
    Row,
    day,
    decision,
    decisions,
    frame,
    month,
    one_source,
    row,
)

CATALOG = one_source()
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def lake_of(root: str, store: tuple[list[Row], list[Row]]) -> None:
    rows, taken = store
    half = len(rows) // 2
    for part in (rows[:half], rows[half:]):  # two files
        write.append(Lakehouse(root, CATALOG), "raw/bundled", frame(*part), {})  # type: ignore[arg-type]
    if taken:
        write.append(Lakehouse(root, CATALOG), INVALIDATIONS, decisions(*taken), {})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def con(built: Built) -> duckdb.DuckDBPyConnection:
    """A session on the built lake."""
    return connect(root=built.home.lake)


def test_series_as_of_is_one_series_of_it(con: duckdb.DuckDBPyConnection) -> None:
    for moment in ("2016-06-30", "2016-07-29", "2020-01-01"):
        whole = con.execute("SELECT * FROM observations_as_of(?) WHERE series_id = 'PAYEMS'", [moment]).pl()
        one = con.execute("SELECT * FROM series_as_of('PAYEMS', ?)", [moment]).pl()
        assert one.equals(whole.sort("observation_date"))
        assert one["observation_date"].is_sorted()


def test_a_decision_is_not_known_before_it_was_taken(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("lake")
    bad = row(month(1), 9.0, day(2))
    lake_of(root, ([row(month(1), 1.0, day(1)), bad], [decision(bad, day(5))]))  # type: ignore[arg-type]
    before, after = (connect(as_of=day(n), root=root, catalog=CATALOG) for n in (4, 6))
    question = "SELECT value FROM observations_as_of(?)"
    assert before.execute(question, [FAR]).fetchall() == [(9.0,)]
    assert after.execute(question, [FAR]).fetchall() == [(1.0,)]
    assert before.execute("SELECT count(*) FROM audit.invalidations").fetchone() == (0,)
    assert after.execute("SELECT count(*) FROM audit.invalidations").fetchone() == (1,)
    # the audit view of the rows is never filtered by decisions
    assert after.execute("SELECT count(*) FROM raw.bundled").fetchone() == (2,)
    assert connect(root=root, catalog=CATALOG).execute(question, [INGESTED]).fetchall() == [(1.0,)]


@pytest.mark.parametrize("macro", ["releases({})", "releases({}, 1)", "revisions({})", "series_as_of({}, today())"])
def test_values_are_bound_and_series_known(con: duckdb.DuckDBPyConnection, macro: str) -> None:
    for hostile in ("PAYEM", "PAYEMS' OR '1'='1", "'; DROP VIEW raw.bundled; --"):
        with pytest.raises(duckdb.Error, match="unknown series"):
            con.execute(f"SELECT * FROM {macro.format('?')}", [hostile]).fetchall()
    assert con.execute(f"SELECT count(*) > 0 FROM {macro.format('?')}", ["PAYEMS"]).fetchone() == (True,)


def test_releases_in_polars_and_sql_of_real_vintages(con: duckdb.DuckDBPyConnection, built: Built) -> None:
    for series in ("PAYEMS", "GDPC1", "SP500", "AAA"):
        sql = con.execute("SELECT * FROM releases(?)", [series]).pl()
        assert sql.equals(releases(series, root=built.home.lake).with_columns(pl.col("release")))
