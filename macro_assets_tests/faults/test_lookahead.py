"""F18: what becomes known later changes no answer of before, whoever is asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import macro_assets
from macro_assets.catalog import Catalog, Recession
from macro_assets.graph.declared import derivations
from macro_assets.graph.endings import month_of
from macro_assets.graph.inputs import Inputs
from macro_assets.graph.reading import _Past
from macro_assets.lakehouse import connect, open_vintages
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages, invalidate, observations_as_of, panel_as_of, read_raw
from macro_assets.lakehouse.releases import releases, revisions
from macro_assets.lakehouse.vintages import VINTAGE_BASES, instant
from macro_assets_tests.conftest import Built

D = "2016-06-30"
PLANTED = datetime(2016, 7, 1, 0, 0, 1, tzinfo=UTC)
"""A second after the day that is asked about, and before the next real vintage."""


def plant(lake: Path, catalog: Catalog) -> None:
    """Revise every value of every series by half and add an observation, all known from just after D.

    The home of a series that another holder served until then begins to tell the same.
    """
    tables = {source: read_raw(Lakehouse(lake, catalog), source) for source in catalog.sources}
    for source, stored in tables.items():
        if stored.is_empty():
            continue
        in_turn = stored.sort("release_time")
        latest = in_turn.group_by("series_id", "provider", "observation_date", maintain_order=True).last()
        last = latest.sort("observation_date").group_by("series_id", "provider", maintain_order=True).last()
        further = last.with_columns(pl.col("observation_date").dt.offset_by("1y"), release_time=pl.lit(PLANTED))
        dated = pl.col("release_basis").is_in(VINTAGE_BASES)
        future = pl.concat([latest, further]).with_columns(
            value=pl.col("value").fill_null(0) * 1.5 + 1,
            ingested_at=pl.lit(PLANTED),
            release_time=pl.when(dated).then(pl.lit(PLANTED)).otherwise("release_time"),
            release_basis=pl.when(dated).then(pl.lit("provider")).otherwise("release_basis"),
        )
        append_vintages(source, future.drop("run_id"), "planted", root=lake, catalog=catalog)
        copied = [s.id for s in catalog.copies if s.source == source]
        first = future.with_columns(release_time=pl.lit(PLANTED), release_basis=pl.lit("provider")).drop("run_id")
        for home in {catalog.series[i].source for i in copied}:
            own = [i for i in copied if catalog.series[i].source == home]
            told = first.filter(pl.col("series_id").is_in(own)).with_columns(provider=pl.lit(home))
            append_vintages(home, told, "planted", root=lake, catalog=catalog)
    may = releases("PAYEMS", root=lake, as_of=D).filter(pl.col("observation_date") == date(2016, 5, 1))
    invalidate("PAYEMS", date(2016, 5, 1), may["release_time"].item(), "synthetic", "test", lake, catalog)


def foretold(catalog: Catalog) -> Catalog:
    """The catalog with a recession that began before the day that is asked about, and was announced just after it."""
    told = {"peak_announced": PLANTED.date(), "trough_announced": PLANTED.date()}
    later = Recession.model_validate({"peak": "2015-02-01", "trough": "2015-11-01", **told})
    return replace(catalog, recessions=(*catalog.recessions, later))


@pytest.fixture(scope="module")
def planted(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the built lake, with a future."""
    from macro_assets.catalog import default_catalog

    lake = tmp_path_factory.mktemp("planted") / "lake"
    shutil.copytree(built.home.lake, lake)
    plant(lake, default_catalog())
    return lake


def same(before: pl.DataFrame, after: pl.DataFrame, is_exact: bool = True) -> None:
    assert_frame_equal(before, after, check_row_order=False, check_exact=is_exact, rel_tol=1e-12, abs_tol=0)


def test_the_future_is_there(built: Built, planted: Path) -> None:
    """F18: or the tests below would prove nothing."""
    then = PLANTED + timedelta(days=1)
    before, after = (observations_as_of(then, root=lake) for lake in (built.home.lake, planted))
    changed = after.join(before, on=["series_id", "observation_date", "value"], how="anti", nulls_equal=True)
    assert set(changed["series_id"]) == set(after["series_id"])


def test_the_foretold_recession_is_there(built: Built, catalog: Catalog) -> None:
    """F18: a day after, the chart has one more than the catalog's."""
    before, after = (
        shaded(macro_assets.read("charts/credit_spread", "2016-07-01", str(built.home.lake), told))
        for told in (catalog, foretold(catalog))
    )
    assert after == [*before, ("2015-03-01", "2015-12-01")]


def test_reads_as_of_a_day_before_do_not_change(built: Built, planted: Path, catalog: Catalog) -> None:
    """F18: observations and panels, from the tables and held in memory; releases and revisions."""
    ids = list(catalog.series)
    for question in (
        lambda lake: observations_as_of(D, root=lake),
        lambda lake: panel_as_of(D, ids, root=lake),
        lambda lake: open_vintages(root=lake).as_of(D),
        lambda lake: open_vintages(root=lake).panel(D, ids),
        lambda lake: releases(ids, as_of=D, root=lake),
        lambda lake: revisions(ids, as_of=D, root=lake),
    ):
        same(question(built.home.lake), question(planted))


def session(lake: Path, catalog: Catalog) -> Iterator[tuple[str, pl.DataFrame | str]]:
    """What a session as of D says: every view, and the macros, whatever date they are asked about."""
    con = connect(as_of=D, root=lake)
    views = [f"SELECT * FROM {name.replace('/', '.')}" for name in (*catalog.tables, *catalog.views)]
    asked = [f"SELECT * FROM observations_as_of('{day}')" for day in (D, "2030-01-01")]
    some = [f"SELECT * FROM {macro}('PAYEMS')" for macro in ("releases", "revisions")]
    for question in [*views, *asked, *some, "SELECT * FROM series_as_of('GDPC1', '2030-01-01')"]:
        try:
            yield question, con.execute(question).pl()
        except duckdb.Error as error:
            yield question, str(error)


def test_a_session_as_of_a_day_before_does_not_change(built: Built, planted: Path, catalog: Catalog) -> None:
    """F18: every view of a session as of D, and its macros; those that refuse, refuse in the same words."""
    for (question, before), (_, after) in zip(
        session(built.home.lake, catalog), session(planted, catalog), strict=True
    ):
        if isinstance(before, str) and isinstance(after, pl.DataFrame):
            assert "not in the lake yet" in before, question  # the table is new, and nothing in it was known by then
            assert after.is_empty(), question
        elif isinstance(before, str) or isinstance(after, str):
            assert before == after, question
            assert "absent from a session as of a date" in str(before) or "not in the lake yet" in str(before), question
        else:
            same(before, after, "normalized.monthly" not in question)  # DuckDB adds a mean up in any order


def test_tables_computed_as_of_a_day_before_do_not_change(built: Built, planted: Path, catalog: Catalog) -> None:
    """F18: every normalized table, view of them, indicator and chart, and the forecasts made by then."""
    made = [t for d in derivations(catalog) for t in d.tables]
    assert {n.split("/")[0] for n in made} == {
        *("normalized", "indicators", "real_time", "changes", "scores", "charts"),
        *("fits", "forecasts", "diagnostics", "news"),
    }
    empty = set()
    lakes = ((built.home.lake, catalog), (planted, foretold(catalog)))
    pasts = [_Past(Lakehouse(lake, told), instant(D)) for lake, told in lakes]
    asked = [(name, [past.asked(name) for past in pasts]) for name in made]
    asked += [(name, [macro_assets.read(name, D, str(lake), told) for lake, told in lakes]) for name in catalog.views]
    for name, (before, after) in asked:
        same(before, after)
        empty |= {name} if before.is_empty() else set()
    offline = [s.id for name, source in catalog.sources.items() if not source.is_live for s in catalog.series_of(name)]
    kinds = {catalog.series[i].kind for i in offline}
    families = catalog.families_of(offline)
    nothing = {f"normalized/{f}" for f in catalog.families if catalog.sources_of(f) and f not in families}
    nothing |= {n for n, v in catalog.views.items() if v.kind and v.kind not in kinds}
    is_offline = {
        i for i in catalog.series if any(not catalog.sources[h.provider].is_live for h in catalog.holdings(i))
    }
    own = ("indicators/", "real_time/", "changes/", "scores/")
    made_live = {t for t in made if t.startswith(own) and not set(catalog.series_behind(t)) <= is_offline}
    assert empty - made_live == nothing | {"news/gdp_nowcast", "indicators/gdp_surprise"}, "nothing before is known"


def test_a_nowcast_of_a_month_before_does_not_change(built: Built, planted: Path, catalog: Catalog) -> None:
    """F18: the forecast of June 2016 made from the planted lake is the one the built lake holds."""
    (nowcast,) = [d for d in derivations(catalog) if "forecasts/gdp_nowcast" in d.tables]
    made = month_of(nowcast, Inputs(Lakehouse(planted, catalog), [nowcast]), "2016-06")
    assert isinstance(made, Mapping)
    again = made["forecasts/gdp_nowcast"]
    stored = macro_assets.read("forecasts/gdp_nowcast", root=str(built.home.lake))
    before = stored.filter(pl.col("as_of_month") == "2016-06").drop("computed_at")
    assert before.height > 0
    assert_frame_equal(before, again.select(before.columns), check_row_order=False, check_exact=False, rel_tol=1e-9)


def shaded(chart: pl.DataFrame) -> list[tuple[str, str]]:
    """First days of the spans that a chart shades, and the days on which they end."""
    figure = json.loads(chart["figure_json"].item())
    return [(shape["x0"], shape["x1"]) for shape in figure["layout"].get("shapes", [])]


@pytest.mark.parametrize(
    ("as_of", "last"),
    [
        ("2001-06-30", ("1990-08-01", "1991-04-01")),
        ("2008-03-31", ("2001-04-01", "2001-12-01")),
        ("2008-12-01T23:59:58Z", ("2001-04-01", "2001-12-01")),
        ("2008-12-01", ("2008-01-01", "the end")),
        ("2009-01-31", ("2008-01-01", "the end")),
        ("2010-09-20", ("2008-01-01", "2009-07-01")),
    ],
)
def test_a_chart_as_of_a_day_shades_what_had_been_announced(built: Built, as_of: str, last: tuple[str, str]) -> None:
    """F18: the peak of March 2001 was announced on 26 November, that of December 2007 on 1 December 2008."""
    chart = macro_assets.read("charts/credit_spread", as_of, str(built.home.lake))
    drawn_to = json.loads(chart["figure_json"].item())["layout"]["xaxis"]["range"][1]
    start, end = shaded(chart)[-1]
    assert (start, "the end" if end == drawn_to else end) == last
    assert ("the end of the last not yet announced" in chart["data_note"].item()) == (last[1] == "the end")
    assert f"announced by {as_of if len(as_of) == 10 else '2008-11-30'}" in chart["data_note"].item()


def test_a_chart_of_today_shades_all(built: Built) -> None:
    """F18: 18 contractions of 1918 to 2009 lie in the offline figures, and the note says nothing of a day."""
    chart = macro_assets.read("charts/credit_spread", root=str(built.home.lake))
    assert (len(shaded(chart)), shaded(chart)[-1]) == (18, ("2008-01-01", "2009-07-01"))
    assert chart["data_note"].item().endswith("Shaded: recessions dated by the NBER.")
