"""One series at a glance: figures of one holder, their revisions, who has it, and when the next figure is due."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Catalog, UnknownNameError, default_catalog
from macro_assets.graph.glance import NextFigure, glance, next_figure, period
from macro_assets.lakehouse import write
from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets_tests.conftest import Built
from macro_assets_tests.lakehouse.synthetic import Row, day, decision, decisions, frame, month, one_source, row


def lake_of(root: Path, *rows: Row, marked: list[Row] | None = None) -> Lakehouse:
    lake = Lakehouse(root, one_source())
    write.append(lake, "raw/bundled", frame(*rows), {})
    if marked:
        write.append(lake, INVALIDATIONS, decisions(*marked), {})
    return lake


def test_payrolls_before_and_after_the_first_release_of_june(built: Built, catalog: Catalog) -> None:
    """The worked example of docs/vintages.md: 143,888 after 143,894 in May, 144,175 in June."""
    lake = Lakehouse(built.home.lake, catalog)
    june, july = glance(lake, "PAYEMS", "2016-06-30"), glance(lake, "PAYEMS", "2016-07-29")
    assert june.figures["observation_date"][-1] == date(2016, 5, 1)
    last = july.figures.row(-1, named=True)
    assert (last["observation_date"], last["value"], last["change"], last["provider"]) == (
        date(2016, 6, 1),
        144175.0,
        287.0,
        "bundled",
    )
    year_before = july.figures.filter(observation_date=date(2015, 6, 1))["value"].item()
    assert last["over_year"] == pytest.approx(100 * (144175 / year_before - 1))
    assert (july.over_year, july.series.source, july.series.provider_unit) == (
        "percent",
        "bundled",
        "Thousands of Persons",
    )
    revised = july.figures.drop_nulls("revision").select("observation_date", "revision").rows()
    assert revised == [(date(2016, 4, 1), 21.0), (date(2016, 5, 1), -6.0)]
    assert june.revisions.is_empty()
    states = {r["provider"]: (r["serves"], r["vintages"], r["last"]) for r in july.holders.iter_rows(named=True)}
    assert list(states) == [h.provider for h in catalog.holdings("PAYEMS")]
    assert states["bundled"] == (True, 2, date(2016, 6, 1))
    assert states["fred"] == (False, 0, None)


def test_before_anything_was_known(built: Built, catalog: Catalog) -> None:
    found = glance(Lakehouse(built.home.lake, catalog), "PAYEMS", "2010-01-01")
    assert found.figures.is_empty()
    assert found.first_release.date() == date(2016, 6, 29)
    assert not found.holders["serves"].any()
    assert found.holders["rows"].sum() == 0


def test_figures_that_are_all_missing_or_marked_as_wrong(tmp_path: Path) -> None:
    missing = glance(lake_of(tmp_path / "missing", row(month(1), None, day(1)), row(month(2), None, day(2))), "PAYEMS")
    assert missing.figures["value"].to_list() == [None, None]
    assert missing.holders["last"].to_list()[0] is None
    told = row(month(1), 5.0, day(1))
    wrong = lake_of(tmp_path / "wrong", told, marked=[decision(told, day(2))])
    assert glance(wrong, "PAYEMS").figures.is_empty()
    assert glance(wrong, "PAYEMS", day(1)).figures["value"].to_list() == [5.0]


def test_what_was_never_fetched_and_what_there_is_not(tmp_path: Path) -> None:
    lake = Lakehouse(tmp_path, one_source())
    with pytest.raises(LakeError, match="PAYEMS was never fetched"):
        glance(lake, "PAYEMS")
    with pytest.raises(UnknownNameError, match="unknown series 'PAYROLS'"):
        glance(lake, "PAYROLS")
    assert list(tmp_path.iterdir()) == []


# --- the next figure -----------------------------------------------------------------------------------------------

JULY = datetime(2016, 7, 20, tzinfo=UTC)


def due(series: str, latest: str | None, *releases: str, at: datetime = JULY, **facts: object) -> NextFigure:
    told = default_catalog().series[series].model_copy(update=facts)
    days = [date.fromisoformat(r) for r in releases]
    return next_figure(told, date.fromisoformat(latest) if latest else None, days, at)


def test_by_the_publication_lag() -> None:
    """The Employment Situation of July 2016 came out on the fifth of August."""
    found = due("PAYEMS", "2016-06-01")
    said, _, expected = found.said.rpartition(" ")
    assert (said, found.is_late) == ("2016-07, expected by", False)
    assert date(2016, 8, 5) <= date.fromisoformat(expected) <= date(2016, 8, 12)
    assert due("GDPC1", "2016-04-01").said.startswith("2016 Q3, expected by 2016-1")
    late = due("PAYEMS", "2016-06-01", at=datetime(2016, 9, 20, tzinfo=UTC))
    assert (late.said, late.is_late) == (f"2016-07 was expected by {expected}", True)


def test_by_the_calendar() -> None:
    known = ("2016-07-08", "2016-08-05", "2016-09-02")
    assert due("PAYEMS", "2016-06-01", *known).said == "2016-07, with the release of 2016-08-05, by the calendar"
    late = due("PAYEMS", "2015-06-01", *known)
    assert late.is_late
    assert late.said.endswith("; the next comes with the release of 2016-08-05, by the calendar")
    assert due("PAYEMS", "2016-06-01", "2016-07-08") == due("PAYEMS", "2016-06-01")


def test_where_no_day_can_be_told() -> None:
    assert due("PAYEMS", "2016-06-01", last_year=2016).said == "none: the series ended in 2016"
    for facts in ({"irregular": True}, {"projections": True}):
        assert due("PAYEMS", "2016-08-01", **facts) == NextFigure("on no day that could be told")
        assert (
            due("PAYEMS", "2016-08-01", "2016-08-05", **facts).said == "with the release of 2016-08-05, by the calendar"
        )
    assert due("PAYEMS", None) == NextFigure("on no day that could be told")


@pytest.mark.parametrize(
    ("frequency", "said"), [("A", "2016"), ("Q", "2016 Q4"), ("M", "2016-10"), ("W", "2016-10-01"), ("D", "2016-10-01")]
)
def test_periods_as_people_write_them(frequency: str, said: str) -> None:
    assert period(date(2016, 10, 1), frequency) == said


def test_the_keyless_service_goes_on_where_the_home_ends(tmp_path: Path) -> None:
    """The rows that another holder of the very same figures adds are shown with the provider that told them."""
    catalog = default_catalog()
    payems = catalog.series["PAYEMS"]
    sources = {n: catalog.sources[n] for n in ("fred", "fred_graph", "fred_recent")}
    tables = {n: catalog.tables[n] for n in ("raw/fred", INVALIDATIONS)}
    few = dataclasses.replace(catalog, sources=sources, series={"PAYEMS": payems}, copies=(), tables=tables, views={})
    lake = Lakehouse(tmp_path, few)
    told = [
        row(date(2019, 1, 1), 100.0, datetime(2019, 2, 1, 13, 30, tzinfo=UTC), provider="fred"),
        row(date(2019, 1, 1), 100.0, datetime(2019, 3, 9, tzinfo=UTC), "ingested", provider="fred_graph"),
        row(date(2019, 2, 1), 103.0, datetime(2019, 3, 9, tzinfo=UTC), "ingested", provider="fred_graph"),
    ]
    write.append(lake, "raw/fred", frame(*told), {})
    found = glance(lake, "PAYEMS", "2019-03-10")
    assert found.figures.select("value", "provider", "change").rows() == [
        (100.0, "fred", None),
        (103.0, "fred_graph", 3.0),
    ]
    assert found.holders.filter(pl.col("serves"))["provider"].to_list() == ["fred"]
