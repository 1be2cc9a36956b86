"""A live lake of version 4: FRED's twins get FRED's ids, two averages another home, and nothing is lost on the way."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.intake.rebuild import rebuild
from macro_assets.lakehouse import connect, observations_as_of, write
from macro_assets.lakehouse.delta import LakeError, open_any, table_versions
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import landed
from macro_assets.lakehouse.paths import Root, location, storage_options
from macro_assets.lakehouse.renames import RENAMES, Place
from macro_assets.lakehouse.upkeep.backup import backup
from macro_assets.lakehouse.upkeep.migration import migrate, migrations_due
from macro_assets.lakehouse.upkeep.renaming import kept_back, renamed
from macro_assets.lakehouse.upkeep.restore import restore
from macro_assets_tests.lakehouse.synthetic import tables_of
from macro_assets_tests.lakehouse.upkeep.older import old_news, old_table
from macro_assets_tests.lakehouse.upkeep.renamed import ROWS, live_lake

SOURCES = ("fred", "fred_recent", "yahoo_chart")
DUE = [f"{layer}/{source}" for layer in ("raw", "landing", "fetch_log") for source in SOURCES] + ["audit/invalidations"]
KEPT = {Place("fred", "UNRATE_FRED"): Place("fred", "UNRATE"), Place("fred", "HOUST_FRED"): Place("fred", "HOUST")}
PLACES = [
    ("raw/fred", "GDP", "fred"),
    ("raw/fred", "HOUST_FRED", "fred_graph"),
    ("raw/fred", "INDPRO", "fred_graph"),
    ("raw/fred", "PAYEMS", "fred"),
    ("raw/fred", "PAYEMS", "fred_graph"),
    ("raw/fred", "UNRATE_FRED", "fred"),
    ("raw/fred_recent", "BAMLH0A0HYM2", "fred_recent"),
    ("raw/yahoo_chart", "DJIA", "fred_graph"),
    ("raw/yahoo_chart", "DJIA", "fred_recent"),
    ("raw/yahoo_chart", "SP500", "fred_recent"),
    ("raw/yahoo_chart", "SP500", "yahoo_chart"),
    ("raw/yahoo_chart", "YAHOO_NASDAQ", "yahoo_chart"),
]
"""Where the rows of a series and provider are in the end."""


def few_sources() -> Catalog:
    """The catalog with the sources of the lake: what there is to migrate is the same, and is found sooner."""
    full = default_catalog()
    sources = {s: full.sources[s] for s in (*SOURCES, "fred_graph", "bundled")}
    series = {i: s for i, s in full.series.items() if s.source in sources}
    return dataclasses.replace(full, sources=sources, series=series, tables=tables_of(full, sources))


CATALOG = few_sources()


@pytest.fixture(params=["a folder", "S3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    if request.param == "a folder":
        return tmp_path / "lake"
    return location(f"s3://{request.getfixturevalue('s3_bucket')}/some/lake")


@pytest.fixture
def lake(tmp_path: Path) -> Lakehouse:
    live_lake(tmp_path / "lake")
    return Lakehouse(tmp_path / "lake", CATALOG)


def migrate_all(lake: Lakehouse) -> None:
    """What `macro migrate` does to tables."""
    for due in migrations_due(lake):
        migrate(lake, due.table_name)


def contents(lake: Lakehouse) -> dict[str, pl.DataFrame]:
    return {name: lake.read(name).sort(lake.table(name).key) for name in DUE}


def first_version(lake: Lakehouse, name: str) -> pl.DataFrame:
    stored = DeltaTable(str(lake.root / name), version=0, storage_options=storage_options(lake.root))
    return pl.DataFrame(pl.from_arrow(stored.to_pyarrow_table()))


# --- where all is in the end -----------------------------------------------------------------------------------------


def test_vintages_have_their_new_id_and_home(root: Root) -> None:
    """Row for row, with the time of each; the version before stays in the history."""
    live_lake(root)
    lake = Lakehouse(root, CATALOG)
    assert [(d.table_name, d.written) for d in migrations_due(lake)] == [(name, 4) for name in DUE]
    migrate_all(lake)
    assert migrations_due(lake) == []
    found = pl.concat([lake.read(f"raw/{s}").with_columns(table=pl.lit(f"raw/{s}")) for s in SOURCES])
    assert sorted(found.select("table", "series_id", "provider").unique().rows()) == PLACES
    before = pl.concat([first_version(lake, f"raw/{s}") for s in SOURCES])
    said = ["observation_date", "value", "release_time", "release_basis", "provider", "ingested_at", "run_id"]
    assert sorted(found.select(said).rows()) == sorted(before.select(said).rows())
    ids = {old: new for of in RENAMES[5] for old, new in [(of.before.series_id, of.after.series_id)]}
    kept = {place.series_id for place in KEPT}
    now = [ids.get(i, i) if i not in kept else i for i in before["series_id"]]
    assert sorted(zip(found["series_id"], found["run_id"], strict=True)) == sorted(
        zip(now, before["run_id"], strict=True)
    )


def test_receipts_name_series_as_they_are_now(lake: Lakehouse) -> None:
    """Each is of the series that its run asked for; of those that moved, the receipts moved, and say who was asked."""
    bodies = {b for s in SOURCES for b in first_version(lake, f"landing/{s}")["body"]}
    migrate_all(lake)
    told = {
        s: lake.read(f"landing/{s}").sort("series_ids", "request").select("series_ids", "known_through", "provider")
        for s in SOURCES
    }
    assert told["fred"].rows() == [
        ("GDP PAYEMS", None, None),
        ("GDP PAYEMS", None, None),
        ("HOUST_FRED PAYEMS", "PAYEMS:2026-01-09", None),
        ("INDPRO", None, None),
        ("PAYEMS", "PAYEMS:2026-01-09", None),
        ("UNRATE_FRED", None, None),
    ]
    assert told["fred_recent"].rows() == [("BAMLH0A0HYM2", None, None)]
    assert told["yahoo_chart"].rows() == [
        ("DJIA", "DJIA:2026-01-09", "fred_recent"),
        ("DJIA", None, "fred_recent"),
        ("DJIA", None, "fred_graph"),
        ("SP500", "SP500:2026-01-09", "fred_recent"),
        ("SP500 YAHOO_NASDAQ", None, None),
    ]
    assert {b for s in SOURCES for b in lake.read(f"landing/{s}")["body"]} == bodies
    assert all(landed(lake, s)["body"].null_count() == 0 for s in SOURCES)


def test_the_fetch_log_has_a_row_for_each_who_was_asked(lake: Lakehouse) -> None:
    """Where another served, the source had failed; that it was had whole before stays known."""
    migrate_all(lake)
    log = {s: lake.read(f"fetch_log/{s}").sort("series_id", "provider") for s in SOURCES}
    shown = ["series_id", "provider", "status", "is_whole"]
    assert log["fred"].select(shown).rows() == [
        ("GDP", "fred", "ok", True),
        ("HOUST_FRED", "fred", "failed", False),
        ("INDPRO", "fred", "failed", False),
        ("INDPRO", "fred_graph", "ok", False),
        ("PAYEMS", "fred", "failed", True),
        ("PAYEMS", "fred_graph", "ok", False),
        ("UNRATE_FRED", "fred", "ok", False),
    ]
    assert log["fred_recent"].select(shown).rows() == [("BAMLH0A0HYM2", "fred_recent", "ok", True)]
    assert log["yahoo_chart"].select(shown).rows() == [
        ("DJIA", "fred_graph", "ok", False),
        ("DJIA", "fred_recent", "failed", False),
        ("SP500", "fred_recent", "ok", True),
        ("SP500", "yahoo_chart", "off", False),
        ("YAHOO_NASDAQ", "yahoo_chart", "ok", True),
    ]
    asked = log["fred"].filter(pl.col("series_id") == "INDPRO").select("error", "rows_seen", "last_success")
    ((why, nothing, never), (served_why, rows, had)) = asked.rows()
    assert (why, nothing, never) == ("why INDPRO_FRED failed", 0, None)
    assert (served_why, rows, had is None) == (None, 3, False)


def test_decisions_hold_for_the_new_id(lake: Lakehouse) -> None:
    """But of a series that keeps its own; nothing else of them changes."""
    before = first_version(lake, "audit/invalidations")
    migrate_all(lake)
    after = lake.read("audit/invalidations")
    assert sorted(after.select("series_id", "provider").rows()) == [
        ("PAYEMS", "bundled"),
        ("PAYEMS", "fred"),
        ("SP500", "yahoo_chart"),
        ("UNRATE_FRED", "fred"),
    ]
    assert_frame_equal(after.drop("series_id"), before.drop("series_id"), check_row_order=False)


def test_forecasts_and_news_of_own_models_follow(lake: Lakehouse) -> None:
    """The shipped models are of offline series; one of the user's own may name live ones, of any version."""
    news = (
        old_news()
        .rename({"target_quarter": "target_date", "impact_pp": "impact"})
        .with_columns(
            series_id=pl.when(pl.col("series_id").is_not_null()).then(pl.lit("PAYEMS_FRED")),
            target_id=pl.lit("GDPC1_FRED"),
            release_unit=pl.lit("persons"),
            impact_unit=pl.lit("percentage_points"),
        )
    )
    old_table(lake.root, "news/gdp_nowcast", 4, news)
    assert "news/gdp_nowcast" in [d.table_name for d in migrations_due(lake)]
    migrate_all(lake)
    after = lake.read("news/gdp_nowcast")
    assert set(after["series_id"]) == {"PAYEMS", None}
    assert set(after["target_id"]) == {"GDPC1"}
    assert migrations_due(lake) == []


def test_news_of_other_series_are_left_alone(lake: Lakehouse) -> None:
    news = old_news().rename({"target_quarter": "target_date"}).with_columns(target_id=pl.lit("GDPC1"))
    old_table(lake.root, "news/gdp_nowcast", 4, news)
    assert [d.table_name for d in migrations_due(lake)] == DUE


# --- what was never fetched whole ------------------------------------------------------------------------------------


def test_a_part_does_not_hide_the_whole(lake: Lakehouse) -> None:
    """It keeps its id, before and after, while there is a copy of the whole; DJIA, of which there is none, goes."""
    assert kept_back(lake) == KEPT
    migrate_all(lake)
    assert kept_back(lake) == KEPT
    assert not set(KEPT) & set(renamed(lake))
    assert Place("fred", "PAYEMS_FRED") in renamed(lake)
    unrate = observations_as_of(None, ["UNRATE"], lake.root, CATALOG)
    assert set(unrate["provider"]) == {"bundled"}


def test_rows_under_an_old_id_break_nothing(lake: Lakehouse) -> None:
    """Nothing reads them but who looks at the table itself."""
    migrate_all(lake)
    everything = observations_as_of(None, None, lake.root, CATALOG)
    assert {"PAYEMS", "SP500", "DJIA"} <= set(everything["series_id"])
    assert not {p.series_id for p in KEPT} & set(everything["series_id"])
    con = connect(root=lake.root, catalog=CATALOG)
    seen = con.execute("SELECT DISTINCT series_id FROM observations_as_of('2026-06-30')").pl()["series_id"]
    assert set(seen) == set(everything["series_id"])
    assert con.execute("SELECT count(*) FROM raw.fred WHERE series_id = 'UNRATE_FRED'").fetchone() == (3,)
    more = lake.read("raw/fred").filter(pl.col("series_id") == "GDP").with_columns(run_id=pl.lit("more"))
    write.append(lake, "raw/fred", more.with_columns(pl.col("observation_date").dt.offset_by("1y")), {})
    assert lake.read("raw/fred").height == 21


def test_a_rebuild_leaves_rows_under_an_old_id(lake: Lakehouse) -> None:
    """Their receipts name what the catalog does not have: they can neither be rebuilt nor are they wrong."""
    migrate_all(lake)
    done = rebuild(lake, CATALOG.sources["fred"], replace_stored=True)
    assert not {p.series_id for p in KEPT} & set(done.only_stored["series_id"])
    assert done.written, "the synthetic bodies of the others say nothing"
    assert set(lake.read("raw/fred")["series_id"]) == {p.series_id for p in KEPT}


# --- refused, interrupted, done again --------------------------------------------------------------------------------


def test_what_is_to_be_renamed_is_refused_before(lake: Lakehouse) -> None:
    with pytest.raises(LakeError, match=r"raw/yahoo_chart .* schema version 4, .* needs 6. `macro migrate` brings"):
        lake.read("raw/yahoo_chart")
    con = connect(root=lake.root, catalog=CATALOG)
    with pytest.raises(Exception, match="`macro migrate` brings it there"):
        con.execute("FROM audit.invalidations")
    assert lake.read("raw/bundled").height == 3 * len(ROWS["raw/bundled"]), "which has no renamed series"


def test_a_migration_that_is_interrupted_after_each_table_goes_on(lake: Lakehouse, tmp_path: Path) -> None:
    """What is due is looked for anew each time; it ends as if nothing had been, and a second migration does nothing."""
    live_lake(tmp_path / "whole")
    whole = Lakehouse(tmp_path / "whole", CATALOG)
    migrate_all(whole)
    rounds = 0
    while due := migrations_due(lake):
        assert kept_back(lake) == KEPT
        migrate(lake, due[0].table_name)
        rounds += 1
    assert rounds >= len(DUE) - 3, "of a table that rows move to, that one is migrated with it"
    expected = contents(whole)
    for name, rows in contents(lake).items():
        assert_frame_equal(rows, expected[name])
    before = table_versions(lake.root)
    migrate_all(lake)
    assert table_versions(lake.root) == before


class Killed(BaseException):
    """As a process that ends in the middle."""


@pytest.mark.parametrize("layer", ["raw", "landing", "fetch_log"])
def test_rows_that_move_to_a_table_that_is_not_there_yet(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    """Killed between the two commits of the new table, its rows are still where they were."""
    name, before = f"{layer}/yahoo_chart", f"{layer}/fred_recent"
    shutil.rmtree(Path(str(lake.root)) / name)
    (coming,) = [d for d in migrations_due(lake) if d.table_name == name]
    assert coming.rows == {"raw": 9, "landing": 4, "fetch_log": 3}[layer]

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(write, "write_deltalake", killed)
        with pytest.raises(Killed):
            migrate(lake, before)
    made = open_any(lake.root, name)
    assert made is not None
    assert made.count() == 0
    assert first_version(lake, before).height > 1
    migrate_all(lake)
    assert migrations_due(lake) == []
    assert set(lake.read(name)["series_id" if layer != "landing" else "series_ids"]) == {"SP500", "DJIA"}


def test_rows_that_an_older_program_adds_meanwhile_are_not_lost(lake: Lakehouse) -> None:
    """It may still write to the table that rows move from when the one they move to has them."""
    migrate(lake, "raw/yahoo_chart")
    late = first_version(lake, "raw/fred_recent").filter(pl.col("series_id") == "DJIA").head(1)
    late = late.with_columns(pl.col("observation_date").dt.offset_by("2mo"), run_id=pl.lit("late"))
    stored = open_any(lake.root, "raw/fred_recent")
    assert stored is not None
    fields = write.arrow_schema(CATALOG.one_table("raw/fred_recent"), stored)
    write.write_deltalake(stored, late.to_arrow().cast(fields), mode="append")
    migrate(lake, "raw/fred_recent")
    assert lake.read("raw/yahoo_chart").filter(pl.col("run_id") == "late").height == 1
    assert set(lake.read("raw/fred_recent")["series_id"]) == {"BAMLH0A0HYM2"}


def test_a_backup_of_before_is_restored_and_migrated(lake: Lakehouse, tmp_path: Path) -> None:
    backup(lake.root, tmp_path / "backups")
    migrate_all(lake)
    restore(tmp_path / "backups", tmp_path / "again")
    again = Lakehouse(tmp_path / "again", CATALOG)
    migrate_all(again)
    for name, rows in contents(lake).items():
        assert_frame_equal(contents(again)[name], rows)
