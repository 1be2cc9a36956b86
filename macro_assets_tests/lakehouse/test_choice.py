"""Whose rows count in SQL: law 8 clause by clause, on histories made by hand.

PAYEMS has its home at FRED, the keyless graph service with the very same figures, and an offline copy in another table;
figures here are made up. Its figures are stale after 120 days, counted from the first day of their month.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from macro_assets.catalog import Catalog, Holder, default_catalog
from macro_assets.lakehouse import write
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets.lakehouse.session import connect
from macro_assets.lakehouse.views import NORMALIZED
from macro_assets_tests.lakehouse.synthetic import Row, decision, decisions, frame, month, row

SOURCES = ("bundled", "fred", "fred_graph", "fred_recent")
JANUARY, FEBRUARY, MARCH = (month(n) for n in (1, 2, 3))
"""Months of 2019: in the middle of May of it March is fresh, in the middle of July it is not."""
MAY, JULY = "2019-05-15", "2019-07-15"


def a_few_sources(*holders: Holder) -> Catalog:
    """PAYEMS and what has it, without what would only take time; with other holders, where they are given."""
    full = default_catalog()
    payems = full.series["PAYEMS"]
    return dataclasses.replace(
        full,
        sources={name: full.sources[name] for name in SOURCES},
        series={"PAYEMS": payems.model_copy(update={"holders": holders}) if holders else payems},
        copies=tuple(c for c in full.copies if c.id == "PAYEMS"),
        tables={name: full.tables[name] for name in (INVALIDATIONS, "raw/bundled", "raw/fred")},
        views={},
    )


CATALOG = a_few_sources()


def told(provider: str, released: str, values: Mapping[date, float | None], basis: str = "provider") -> list[Row]:
    """What a provider told of PAYEMS at an instant; estimated times are five days after the first of the next month."""
    at = datetime.fromisoformat(released).replace(tzinfo=UTC)
    return [row(day, value, at, basis, provider=provider) for day, value in values.items()]


def fred(released: str, values: Mapping[date, float | None], basis: str = "provider") -> list[Row]:
    return told("fred", released, values, basis)


def graph(released: str, values: Mapping[date, float | None], basis: str = "ingested") -> list[Row]:
    return told("fred_graph", released, values, basis)


def copy(released: str, values: Mapping[date, float | None], basis: str = "snapshot") -> list[Row]:
    return told("bundled", released, values, basis)


def lake_of(root: Path, *parts: list[Row], catalog: Catalog = CATALOG) -> Path:
    """A lake whose rows are in the tables of those who keep them."""
    rows = [r for part in parts for r in part]
    kept = {"raw/bundled": [r for r in rows if r["provider"] == "bundled"]}
    kept["raw/fred"] = [r for r in rows if r["provider"] != "bundled"]
    for table, own in kept.items():
        if own:
            write.append(Lakehouse(root, catalog), table, frame(*own), {})
    return root


def asked(con: duckdb.DuckDBPyConnection, ts: str | None) -> dict[date, tuple[float | None, str]]:
    """Value and provider by date: of all series, which must be the answer for the one too."""
    columns = "SELECT observation_date, value, provider, source, provider_unit, release_time, release_basis"
    one = con.execute(f"{columns} FROM series_as_of('PAYEMS', ?)", [ts]).fetchall()
    every = con.execute(f"{columns} FROM observations_as_of(?) ORDER BY observation_date", [ts]).fetchall()
    assert every == one
    assert {r[3] for r in one} <= {"fred"}, "the source is the home, whoever serves"
    return {day: (value, provider) for day, value, provider, *_ in one}


def answer(root: Path, ts: str, catalog: Catalog = CATALOG) -> dict[date, tuple[float | None, str]]:
    """The answer as of an instant, which a session as of it must give too, to whoever asks for later or for all."""
    found = asked(connect(root=root, catalog=catalog), ts)
    then = connect(as_of=ts, root=root, catalog=catalog)
    for later in (ts, "2030-01-01", None):
        assert asked(then, later) == found
    observed = then.execute(
        f"SELECT observation_date, value / 1000, provider FROM {NORMALIZED} WHERE source = 'fred' AND unit = 'persons'"
    )
    assert {day: (value, provider) for day, value, provider in observed.fetchall()} == found
    return found


def by(provider: str, values: Mapping[date, float | None]) -> dict[date, tuple[float | None, str]]:
    return {day: (value, provider) for day, value in values.items()}


OLD = {JANUARY: 1.0, FEBRUARY: 2.0, MARCH: 3.0}
NEW = {JANUARY: 10.0, FEBRUARY: 20.0, MARCH: 30.0}


# --- (a), (b), (c) -------------------------------------------------------------------------------------------------


def test_a_the_first_fresh_holder_with_a_dated_row_serves(tmp_path: Path) -> None:
    """The home's times are estimated, the graph service's too: the copy in another table is the first that is dated."""
    root = lake_of(
        tmp_path,
        fred("2019-04-05", NEW, "publication_lag"),
        graph("2019-04-05", NEW, "publication_lag"),
        copy("2019-04-30", OLD),
    )
    assert answer(root, MAY) == by("bundled", OLD)
    # before its vintage nobody is dated
    assert answer(root, "2019-04-20") == by("fred", NEW)


@pytest.mark.parametrize("basis", ["provider", "snapshot", "ingested"])
def test_a_in_the_order_of_the_entry(tmp_path: Path, basis: str) -> None:
    root = lake_of(tmp_path, fred("2019-04-05", NEW, basis), copy("2019-04-30", OLD))
    assert answer(root, MAY) == by("fred", NEW)


def test_a_one_dated_row_is_enough(tmp_path: Path) -> None:
    """An estimated history with one figure that was seen to come, as live fetches leave it."""
    root = lake_of(
        tmp_path,
        fred("2019-02-05", {JANUARY: 10.0}, "publication_lag"),
        fred("2019-04-05", {MARCH: 30.0}, "ingested"),
        copy("2019-04-30", OLD),
    )
    assert answer(root, MAY) == by("fred", {JANUARY: 10.0, MARCH: 30.0})


def test_b_where_none_is_dated_the_first_that_is_fresh(tmp_path: Path) -> None:
    root = lake_of(tmp_path, graph("2019-04-05", NEW, "publication_lag"), copy("2019-04-05", OLD, "publication_lag"))
    assert answer(root, MAY) == by("fred_graph", NEW)


def test_b_a_stale_holder_gives_way_however_well_it_is_dated(tmp_path: Path) -> None:
    """The home has dated vintages up to January, the copy estimates up to March: in the middle of May one is stale."""
    root = lake_of(tmp_path, fred("2019-02-05", {JANUARY: 10.0}), copy("2019-04-05", OLD, "publication_lag"))
    assert answer(root, "2019-04-20") == by("fred", {JANUARY: 10.0})
    assert answer(root, MAY) == by("bundled", OLD)


def test_freshness_ends_after_the_limit(tmp_path: Path) -> None:
    """120 days after the first of January is the first of May; the copy's March is fresh throughout."""
    root = lake_of(tmp_path, fred("2019-02-05", {JANUARY: 10.0}), copy("2019-04-05", OLD))
    assert answer(root, "2019-05-01") == by("fred", {JANUARY: 10.0})
    assert answer(root, "2019-05-02") == by("bundled", OLD)


def test_c_where_none_is_fresh_the_latest_value_then_the_order(tmp_path: Path) -> None:
    root = lake_of(tmp_path, fred("2019-03-05", {FEBRUARY: 20.0}), copy("2019-04-05", OLD, "publication_lag"))
    assert answer(root, JULY) == by("bundled", OLD)


def test_c_of_equally_late_ones_the_first_in_order(tmp_path: Path) -> None:
    root = lake_of(tmp_path, fred("2019-04-05", {MARCH: 30.0}, "publication_lag"), copy("2019-04-05", OLD))
    assert answer(root, JULY) == by("fred", {MARCH: 30.0})


# --- withdrawn values ----------------------------------------------------------------------------------------------


def test_a_withdrawn_value_is_none_that_is_fresh(tmp_path: Path) -> None:
    """The home withdraws February and March: with January alone it is stale in the middle of May."""
    root = lake_of(
        tmp_path,
        fred("2019-04-05", NEW),
        fred("2019-05-10", {FEBRUARY: None, MARCH: None}),
        copy("2019-04-30", OLD),
    )
    assert answer(root, "2019-05-09") == by("fred", NEW)
    assert answer(root, MAY) == by("bundled", OLD)


def test_a_withdrawn_row_still_says_that_the_holder_is_dated(tmp_path: Path) -> None:
    root = lake_of(
        tmp_path,
        fred("2019-03-05", {FEBRUARY: 20.0}, "publication_lag"),
        fred("2019-04-05", {MARCH: None}, "ingested"),
        copy("2019-04-30", OLD),
    )
    assert answer(root, MAY) == by("fred", {FEBRUARY: 20.0, MARCH: None})


def test_a_home_without_a_value_does_not_compete(tmp_path: Path) -> None:
    root = lake_of(tmp_path, fred("2019-04-05", dict.fromkeys(NEW)), copy("2019-04-30", OLD, "publication_lag"))
    for ts in (MAY, JULY):
        assert answer(root, ts) == by("bundled", OLD)


def test_where_nobody_has_a_value_the_first_that_has_rows_answers(tmp_path: Path) -> None:
    root = lake_of(tmp_path, graph("2019-03-05", {FEBRUARY: None}), copy("2019-04-30", dict.fromkeys(OLD)))
    assert answer(root, MAY) == by("fred_graph", {FEBRUARY: None})


def test_a_marked_value_is_not_in_force(tmp_path: Path) -> None:
    """With its only fresh figure marked as invalid the home is stale; the day before it was taken for true."""
    rows = fred("2019-02-05", {JANUARY: 10.0}), fred("2019-04-05", {MARCH: 30.0}), copy("2019-04-30", OLD)
    root = lake_of(tmp_path, *rows)
    taken = [decision(rows[1][0], datetime(2019, 5, 12, tzinfo=UTC))]
    write.append(Lakehouse(root, CATALOG), INVALIDATIONS, decisions(*taken), {})
    assert answer(root, "2019-05-11") == by("fred", {JANUARY: 10.0, MARCH: 30.0})
    assert answer(root, MAY) == by("bundled", OLD)


def test_an_estimate_of_a_holder_that_has_dated_rows_counts_for_nothing(tmp_path: Path) -> None:
    """FRED's estimate of March is the latest row about it, but FRED gave vintages later; the copy's estimates count."""
    root = lake_of(
        tmp_path,
        fred("2019-02-05", {JANUARY: 10.0}, "ingested"),
        fred("2019-04-05", {MARCH: 30.0}, "publication_lag"),
        fred("2020-01-01", {JANUARY: 11.0}),
        copy("2019-04-05", {**OLD, MARCH: 4.0}, "publication_lag"),
    )
    assert answer(root, "2019-04-30") == by("fred", {JANUARY: 10.0})
    assert answer(root, MAY) == by("bundled", {**OLD, MARCH: 4.0})


# --- the very same figures -----------------------------------------------------------------------------------------


def test_the_very_same_figures_go_on_where_the_home_ends(tmp_path: Path) -> None:
    same = {JANUARY: 10.0, FEBRUARY: 20.0 * (1 + 1e-12), MARCH: 30.0}
    root = lake_of(tmp_path, fred("2019-03-05", {JANUARY: 10.0, FEBRUARY: 20.0}), graph("2019-04-10", same))
    assert answer(root, "2019-04-09") == by("fred", {JANUARY: 10.0, FEBRUARY: 20.0})
    assert answer(root, MAY) == by("fred", {JANUARY: 10.0, FEBRUARY: 20.0}) | by("fred_graph", {MARCH: 30.0})


def test_a_row_that_says_that_there_is_no_value_is_added_too(tmp_path: Path) -> None:
    root = lake_of(tmp_path, fred("2019-03-05", {FEBRUARY: 20.0}), graph("2019-04-10", {FEBRUARY: 20.0, MARCH: None}))
    assert answer(root, MAY) == by("fred", {FEBRUARY: 20.0}) | by("fred_graph", {MARCH: None})


@pytest.mark.parametrize(
    "overlap",
    [{JANUARY: 10.0, FEBRUARY: 20.0001}, {JANUARY: None, FEBRUARY: 20.0}, {}],
    ids=["one figure is another", "one is missing there", "no date in common"],
)
def test_nothing_is_added_where_what_both_have_is_not_all_equal(
    tmp_path: Path, overlap: Mapping[date, float | None]
) -> None:
    home = {JANUARY: 10.0, FEBRUARY: 20.0}
    root = lake_of(tmp_path, fred("2019-03-05", home), graph("2019-04-10", {**overlap, MARCH: 30.0}))
    assert answer(root, MAY) == by("fred", home)


def test_missing_is_as_missing(tmp_path: Path) -> None:
    home = {JANUARY: None, FEBRUARY: 20.0}
    root = lake_of(tmp_path, fred("2019-03-05", home), graph("2019-04-10", {**home, MARCH: 30.0}))
    assert answer(root, MAY) == by("fred", home) | by("fred_graph", {MARCH: 30.0})


def test_figures_that_are_no_longer_equal_end_it(tmp_path: Path) -> None:
    """The overlap is judged as it is in force: after the home revised February, the service has another vintage."""
    root = lake_of(
        tmp_path,
        fred("2019-03-05", {FEBRUARY: 20.0}),
        graph("2019-04-10", {FEBRUARY: 20.0, MARCH: 30.0}),
        fred("2019-05-05", {FEBRUARY: 21.0}),
    )
    assert answer(root, "2019-05-04") == by("fred", {FEBRUARY: 20.0}) | by("fred_graph", {MARCH: 30.0})
    assert answer(root, MAY) == by("fred", {FEBRUARY: 21.0})


def test_an_estimate_is_never_added(tmp_path: Path) -> None:
    """The service's March has a guessed time: it is today's figure, and nobody saw it then."""
    root = lake_of(
        tmp_path,
        fred("2019-03-05", {FEBRUARY: 20.0}),
        graph("2019-04-10", {FEBRUARY: 20.0, MARCH: 30.0}, "publication_lag"),
    )
    assert answer(root, MAY) == by("fred", {FEBRUARY: 20.0})


def test_only_dates_after_the_last_of_the_home_are_added(tmp_path: Path) -> None:
    """Not those before it or between; and a date at which the home says that there is nothing is its last."""
    root = lake_of(
        tmp_path,
        fred("2019-03-05", {FEBRUARY: 20.0}),
        fred("2019-04-09", {MARCH: None}),
        graph("2019-04-10", {JANUARY: 10.0, FEBRUARY: 20.0, MARCH: None, month(4): 40.0}),
    )
    home = by("fred", {FEBRUARY: 20.0, MARCH: None})
    assert answer(root, MAY) == home | by("fred_graph", {month(4): 40.0})


def test_nothing_is_added_to_another_holder_than_the_home(tmp_path: Path) -> None:
    """The copy serves, being the only one that is dated by then: the service does not go on for it."""
    root = lake_of(
        tmp_path,
        fred("2019-02-05", {JANUARY: 1.0}, "publication_lag"),
        copy("2019-03-05", {JANUARY: 1.0, FEBRUARY: 2.0}),
        graph("2019-04-10", {JANUARY: 1.0, FEBRUARY: 2.0, MARCH: None}),
    )
    served = answer(root, "2019-04-09")
    assert served == by("bundled", {JANUARY: 1.0, FEBRUARY: 2.0})


def test_a_holder_that_is_not_declared_the_same_adds_nothing(tmp_path: Path) -> None:
    catalog = a_few_sources(Holder(source="fred_graph"))
    home = {JANUARY: 10.0, FEBRUARY: 20.0}
    root = lake_of(tmp_path, fred("2019-03-05", home), graph("2019-04-10", {**home, MARCH: 30.0}))
    assert answer(root, MAY, catalog) == by("fred", home)


def test_of_two_that_go_on_the_first_in_order_does(tmp_path: Path) -> None:
    """The first of them that agrees and has more: the one before it has another figure of February."""
    both = a_few_sources(Holder(source="fred_recent", same=True), Holder(source="fred_graph", same=True))
    home = {JANUARY: 10.0, FEBRUARY: 20.0}
    service = graph("2019-04-10", {FEBRUARY: 20.0, MARCH: 30.0})
    for name, february, adds in (("equal", 20.0, "fred_recent"), ("other", 21.0, "fred_graph")):
        recent = told("fred_recent", "2019-04-10", {FEBRUARY: february, MARCH: 30.0}, "ingested")
        root = lake_of(tmp_path / name, fred("2019-03-05", home), service, recent, catalog=both)
        assert answer(root, MAY, both) == by("fred", home) | by(adds, {MARCH: 30.0})


# --- where rows are, and who they are of ---------------------------------------------------------------------------


def test_rows_of_who_is_no_holder_do_not_count(tmp_path: Path) -> None:
    """As where the catalog names it no longer."""
    root = lake_of(tmp_path, told("yahoo_chart", "2019-04-05", NEW), copy("2019-04-05", OLD, "publication_lag"))
    assert answer(root, MAY) == by("bundled", OLD)


def test_the_unit_is_that_of_who_serves(tmp_path: Path) -> None:
    """The copy is declared to be in other thousands: SQL in standard units scales by it."""
    copies = tuple(c.model_copy(update={"provider_unit": "Millions", "scale": 1e6}) for c in CATALOG.copies)
    catalog = dataclasses.replace(CATALOG, copies=copies)
    root = lake_of(tmp_path, copy("2019-04-05", {MARCH: 3.0}))
    con = connect(root=root, catalog=catalog)
    question = "SELECT value, provider_unit FROM {} WHERE series_id = 'PAYEMS'"
    for macro in (f"observations_as_of('{MAY}')", f"series_as_of('PAYEMS', '{MAY}')"):
        assert con.execute(question.format(macro)).fetchall() == [(3.0, "Millions")]
    then = connect(root=root, catalog=catalog, as_of=MAY)
    assert then.execute(f"SELECT value, unit, provider FROM {NORMALIZED}").fetchall() == [(3e6, "persons", "bundled")]


def test_everything_known_is_judged_today(tmp_path: Path) -> None:
    """Figures of 2019 are stale today, so that the latest serves; as of May the first does."""
    root = lake_of(tmp_path, fred("2019-03-05", {FEBRUARY: 20.0}), copy("2019-04-05", OLD))
    assert answer(root, "2019-04-20") == by("fred", {FEBRUARY: 20.0})
    con = connect(root=root, catalog=CATALOG)
    for ts in (None, "2030-01-01"):
        assert asked(con, ts) == by("bundled", OLD)
    assert con.execute("SELECT * FROM series_as_of('PAYEMS', now())").pl()["provider"].unique().to_list() == ["bundled"]


def test_releases_are_those_of_who_serves(tmp_path: Path) -> None:
    """Today the copy serves, with the latest figure; as of April the home did, and nobody's releases are mixed."""
    root = lake_of(
        tmp_path,
        fred("2019-02-20", {JANUARY: 9.0}),
        fred("2019-03-05", {JANUARY: 10.0, FEBRUARY: 20.0}),
        copy("2019-04-05", {JANUARY: 1.0, MARCH: 3.0}, "provider"),
        copy("2019-04-20", {JANUARY: 1.5}, "provider"),
    )
    columns = "SELECT provider, observation_date, release, value FROM releases('PAYEMS')"
    now, then = connect(root=root, catalog=CATALOG), connect(as_of="2019-04-10", root=root, catalog=CATALOG)
    assert now.execute(columns).fetchall() == [
        ("bundled", JANUARY, 1, 1.0),
        ("bundled", JANUARY, 2, 1.5),
        ("bundled", MARCH, 1, 3.0),
    ]
    assert then.execute(columns).fetchall() == [
        ("fred", JANUARY, 1, 9.0),
        ("fred", JANUARY, 2, 10.0),
        ("fred", FEBRUARY, 1, 20.0),
    ]
    revised = "SELECT provider, observation_date, revision FROM revisions('PAYEMS')"
    assert now.execute(revised).fetchall() == [("bundled", JANUARY, 0.5)]
    assert then.execute(revised).fetchall() == [("fred", JANUARY, 1.0)]


def test_many_instants_are_asked_in_one_statement(tmp_path: Path) -> None:
    """A real-time series: the latest figure as of each day, whoever serves then."""
    root = lake_of(
        tmp_path,
        fred("2019-03-05", {JANUARY: 10.0, FEBRUARY: 20.0}),
        graph("2019-04-10", {FEBRUARY: 20.0, MARCH: 30.0}),
        copy("2019-02-05", {JANUARY: 1.0}),
    )
    con = connect(root=root, catalog=CATALOG)
    latest = """
        SELECT day, arg_max((value, provider), observation_date)
        FROM (VALUES (DATE '2019-02-10'), (DATE '2019-03-10'), (DATE '2019-04-15')) AS days(day),
            LATERAL (SELECT * FROM series_as_of('PAYEMS', day))
        GROUP BY day ORDER BY day
    """
    assert [told for _, told in con.execute(latest).fetchall()] == [
        (1.0, "bundled"),
        (20.0, "fred"),
        (30.0, "fred_graph"),
    ]


# --- what is stored ------------------------------------------------------------------------------------------------


def test_the_series_say_who_serves_and_what_is_stored(tmp_path: Path) -> None:
    root = lake_of(
        tmp_path,
        fred("2019-02-05", {JANUARY: 9.0}),
        fred("2019-03-05", {JANUARY: 10.0, FEBRUARY: 20.0}),
        copy("2019-03-01", {JANUARY: 1.0, FEBRUARY: 2.0}, "publication_lag"),
        copy("2019-04-05", {MARCH: 3.0, month(4): None}, "ingested"),
    )
    columns = "SELECT serves, first_date, last_date, rows, vintages FROM catalog.series WHERE series_id = 'PAYEMS'"
    for ts, expected in {
        None: ("bundled", JANUARY, MARCH, 7, 3),
        "2019-03-20": ("fred", JANUARY, FEBRUARY, 5, 2),
        "2019-01-01": (None, None, None, 0, 0),
    }.items():
        assert connect(as_of=ts, root=root, catalog=CATALOG).execute(columns).fetchall() == [expected]


def test_a_series_that_was_never_fetched_says_how_to_get_it(tmp_path: Path) -> None:
    """As of before the first row it was not known, which is an answer."""
    catalog = dataclasses.replace(
        CATALOG,
        series={
            "PAYEMS": CATALOG.series["PAYEMS"],
            "UNRATE": CATALOG.series["PAYEMS"].model_copy(update={"id": "UNRATE", "holders": ()}),
            "GDPC1": CATALOG.series["PAYEMS"].model_copy(update={"id": "GDPC1"}),
            "AAA": CATALOG.series["PAYEMS"].model_copy(update={"id": "AAA", "source": "bundled", "holders": ()}),
        },
    )
    root = lake_of(tmp_path, copy("2019-04-05", OLD), catalog=catalog)
    con, then = (connect(as_of=ts, root=root, catalog=catalog) for ts in (None, "2019-01-01"))
    assert then.execute("SELECT * FROM series_as_of('PAYEMS', '2030-01-01')").fetchall() == []
    for series, how in {
        "UNRATE": r"`macro fetch raw/fred/UNRATE` gets it, given a key in FRED_API_KEY\.$",
        "GDPC1": r"`macro fetch raw/fred/GDPC1` gets it\.$",
        "AAA": r"`macro run raw/bundled/AAA` gets it\.$",
    }.items():
        for macro in (f"series_as_of('{series}', NULL)", f"releases('{series}')", f"revisions('{series}')"):
            for session in (con, then):
                with pytest.raises(duckdb.Error, match=f"series {series} was never fetched: nothing of it is .*{how}"):
                    session.execute(f"SELECT count(*) FROM {macro}").fetchall()
