"""Which series are due, and since which year, by what a lake holds: fetch log, rows and release calendar."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Catalog, Holder, PublicationLag, default_catalog
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake.calendars import CALENDAR
from macro_assets.lakehouse import write
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import log_fetches
from macro_assets.lakehouse.raw import append_vintages
from macro_assets.orchestration.due import Due, due_series
from macro_assets_tests.lakehouse.synthetic import frame, row
from macro_assets_tests.sources.wire import toy_series

NOON = PublicationLag(days=10, time=time(12), time_zone="UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Lake:
    """A lake of one source with some toy series of it; monthly, told ten days after the month at noon UTC."""

    def __init__(self, root: Path, vintages: str = "none") -> None:
        self.root = root
        full = default_catalog()
        self.source = full.sources["cboe"].model_copy(update={"vintages": vintages})
        sources = {"cboe": self.source, **{s: full.sources[s] for s in ("fred", "fred_graph")}}
        self.catalog = dataclasses.replace(full, sources=sources, series={}, copies=())

    def declare(self, series_id: str = "TOY", **facts: Any) -> None:
        plain = {"frequency": "M", "publication_lag": NOON, "first_year": 2000, "id": series_id}
        series = toy_series("cboe", series_id, **{**plain, **facts})
        self.catalog = dataclasses.replace(self.catalog, series={**self.catalog.series, series_id: series})

    def fetched(
        self,
        when: str,
        status: str = "ok",
        series_id: str = "TOY",
        success: str | None = None,
        is_whole: bool = True,
        provider: str = "cboe",
        look: str | None = None,
    ) -> None:
        last = at(when) if status == "ok" else at(success) if success else None
        state: Mapping[str, Any] = {
            "series_id": series_id,
            "last_run_id": "run",
            "last_seen": at(when),
            "status": status,
            "error": None,
            "rows_seen": 0,
            "last_success": last,
            "last_look": None if look == "never" else at(look) if look else last,
            "is_whole": is_whole,
            "provider": provider,
            "latency_ms": None,
        }
        schema = polars_schema(self.catalog.one_table("fetch_log/cboe").columns)
        log_fetches(Lakehouse(self.root, self.catalog), "cboe", pl.DataFrame([state], schema=schema), {})

    def holds(self, *days: date, series_id: str = "TOY", value: float | None = 1.0, provider: str = "cboe") -> None:
        told = {"series_id": series_id, "provider": provider}
        rows = [row(d, value, datetime.combine(d, time(), tzinfo=UTC), "publication_lag", **told) for d in days]
        append_vintages("cboe", frame(*rows).drop("run_id"), "run", root=self.root, catalog=self.catalog)

    def calendar(self, *days: date, release: str = "10", source: str = "cboe") -> None:
        table = self.catalog.one_table(CALENDAR)
        rows = [{"source": source, "release": release, "release_name": "Toys", "release_date": d} for d in days]
        write.overwrite(
            Lakehouse(self.root, self.catalog), table.name, pl.DataFrame(rows, schema=polars_schema(table.columns)), {}
        )

    def due(self, when: str, **options: Any) -> list[Due]:
        return due_series(Lakehouse(self.root, self.catalog), self.source, at(when), **options)

    def why(self, when: str, **options: Any) -> tuple[str, int | None] | None:
        found = self.due(when, **options)
        return (found[0].reason, found[0].first_year) if found else None


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(tmp_path)
    found.declare()
    return found


@pytest.fixture
def dated(tmp_path: Path) -> Lake:
    """Of a provider that tells vintages: no weekly look for revisions."""
    return Lake(tmp_path, vintages="changes")


def test_a_series_that_was_never_had_is_wanted_whole(lake: Lake) -> None:
    assert lake.why("2026-11-20") == ("never fetched", None)
    lake.fetched("2026-11-20", "failed")
    assert lake.why("2026-11-20T01:00") == ("never fetched", None)
    lake.fetched("2026-11-20", "off")
    assert lake.why("2026-11-20T01:00") == ("never fetched", None)


def test_a_failed_fetch_is_tried_again_from_the_next_figure_on(lake: Lake) -> None:
    lake.holds(date(2025, 11, 1), date(2025, 12, 1))
    lake.fetched("2026-01-20", "failed", success="2026-01-15")
    assert lake.why("2026-01-20T00:01") == ("the last fetch failed", 2026)


def test_a_series_that_is_up_to_date_is_not_due(lake: Lake) -> None:
    lake.holds(date(2026, 10, 1))
    lake.fetched("2026-11-12")
    assert lake.due("2026-11-18T23:59") == []


def test_the_next_figure_is_due_from_its_expected_release_on(lake: Lake) -> None:
    lake.holds(date(2026, 9, 1))
    lake.fetched("2026-11-09")
    assert lake.due("2026-11-10T11:59") == []
    assert lake.why("2026-11-10T12:00") == ("the figure of 2026-10-01 was expected by 2026-11-10", 2026)


def test_a_figure_that_was_late_is_asked_for_again_after_20_hours(lake: Lake) -> None:
    lake.holds(date(2026, 9, 1))
    lake.fetched("2026-11-10T12:05")
    assert lake.due("2026-11-11T08:04") == []
    assert lake.why("2026-11-11T08:05") == ("the figure of 2026-10-01 was expected by 2026-11-10", 2026)


def test_the_year_asked_for_is_that_of_the_next_figure(lake: Lake) -> None:
    lake.holds(date(2026, 12, 1))
    lake.fetched("2027-01-12")
    assert lake.why("2027-02-10T12:00", everything=True) == (
        "the figure of 2027-01-01 was expected by 2027-02-10",
        2027,
    )


def test_a_missing_value_is_no_figure(lake: Lake) -> None:
    lake.holds(date(2026, 9, 1))
    lake.holds(date(2026, 10, 1), value=None)
    lake.fetched("2026-11-09")
    assert lake.why("2026-11-10T12:00") == ("the figure of 2026-10-01 was expected by 2026-11-10", 2026)


@pytest.mark.parametrize("vintages", ["none", "changes"])
def test_every_provider_is_looked_at_weekly_for_revisions(tmp_path: Path, vintages: str) -> None:
    """Whether its figures come daily or not: a fetch of what is due is no look."""
    lake = Lake(tmp_path, vintages=vintages)
    lake.declare()
    lake.holds(date(2025, 12, 1), date(2026, 1, 1))
    lake.fetched("2026-02-24", look="2026-02-21")
    assert lake.due("2026-02-27T23:59") == []
    assert lake.why("2026-02-28T00:00") == ("a weekly look for revisions", 2026)


def test_a_log_of_before_has_a_look_due(lake: Lake) -> None:
    lake.holds(date(2026, 10, 1))
    lake.fetched("2026-11-12", look="never")
    assert lake.why("2026-11-13") == ("a weekly look for revisions", 2026)


def test_a_provider_of_vintages_is_asked_for_all_until_its_history_was_had_whole(dated: Lake) -> None:
    dated.declare()
    dated.holds(date(2026, 9, 1))
    dated.fetched("2026-10-12", is_whole=False)
    (found,) = dated.due("2026-10-13")
    assert (found.reason, found.first_year) == ("its history was never asked for whole", None)
    dated.fetched("2026-10-13", is_whole=True)
    dated.fetched("2026-10-14", is_whole=False)  # a refresh after it
    assert dated.due("2026-10-15") == []


def test_a_provider_without_vintages_need_not_be_had_whole(lake: Lake) -> None:
    lake.declare()
    lake.holds(date(2026, 9, 1))
    lake.fetched("2026-10-12", is_whole=False)
    assert lake.due("2026-10-13") == []


def test_a_weekly_look_though_no_figure_ever_came(lake: Lake) -> None:
    lake.fetched("2026-11-01")
    assert lake.due("2026-11-07T23:59") == []
    assert lake.why("2026-11-08T00:00") == ("a weekly look for revisions", None)


def test_projections_are_looked_at_though_their_next_figure_is_far_off(lake: Lake) -> None:
    lake.declare("WEO", frequency="A", projections=True)
    lake.catalog = dataclasses.replace(lake.catalog, series={"WEO": lake.catalog.series["WEO"]})
    lake.holds(date(2030, 1, 1), series_id="WEO")
    lake.fetched("2026-11-01", series_id="WEO")
    assert lake.due("2026-11-05") == []
    (due,) = lake.due("2026-11-09")
    assert (due.reason, due.first_year) == ("a weekly look for revisions", 2026)
    (due,) = lake.due("2026-11-05", everything=True)
    assert (due.reason, due.first_year) == ("asked for", 2026)


KEYLESS = Holder(source="fred_graph")


@pytest.fixture
def keyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Of a source whose key is missing, and which tells vintages; its holder is on and tells none."""
    found = Lake(tmp_path, vintages="changes")
    monkeypatch.setattr("macro_assets.intake.fetch.missing_key", lambda s, *_: "off" if s.name == "cboe" else None)
    return found


def test_where_the_source_is_off_it_is_about_who_serves(keyed: Lake) -> None:
    """Neither everything each time, nor nothing: what the first holder that is on lacks."""
    keyed.declare(holders=(KEYLESS,))
    keyed.declare("ALONE")
    assert [(d.series.id, d.series.source, d.reason) for d in keyed.due("2026-11-20")] == [
        ("TOY", "cboe", "never fetched")
    ]
    keyed.holds(date(2026, 9, 1), provider="fred_graph")
    keyed.fetched("2026-11-09", "off")
    keyed.fetched("2026-11-09", provider="fred_graph")
    assert keyed.due("2026-11-10T11:59") == []
    assert keyed.why("2026-11-10T12:00") == ("the figure of 2026-10-01 was expected by 2026-11-10", 2026)
    assert keyed.why("2026-11-10T11:59", everything=True) == ("asked for", 2026)
    keyed.holds(date(2026, 10, 1), provider="fred_graph")
    keyed.fetched("2026-11-10T13:00", provider="fred_graph")
    assert keyed.due("2026-11-11") == []
    assert keyed.why("2026-11-18") == ("a weekly look for revisions", 2026)
    keyed.fetched("2026-11-18", "failed", provider="fred_graph")
    assert keyed.why("2026-11-18T01:00") == ("the last fetch failed", 2026)


def test_a_key_that_comes_has_the_source_asked_whatever_others_served(keyed: Lake) -> None:
    keyed.declare(holders=(KEYLESS,))
    keyed.holds(date(2026, 10, 1), provider="fred_graph")
    keyed.fetched("2026-11-10", "off")
    keyed.fetched("2026-11-10", provider="fred_graph")
    assert keyed.due("2026-11-11") == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("macro_assets.intake.fetch.missing_key", lambda *_: None)
        assert keyed.why("2026-11-11") == ("never fetched", None)
        keyed.holds(date(2026, 10, 1))
        keyed.fetched("2026-11-11")
        assert keyed.due("2026-11-12") == []
        keyed.fetched("2026-11-12", "off", success="2026-11-11")
        assert keyed.why("2026-11-12") == ("the key of its source was missing", 2026)


def test_what_others_served_while_the_source_failed_is_not_what_the_source_has(dated: Lake) -> None:
    dated.declare(holders=(KEYLESS,))
    dated.holds(date(2025, 12, 1))
    dated.holds(date(2026, 1, 1), date(2026, 2, 1), provider="fred_graph")
    dated.fetched("2026-03-12", "failed", success="2026-01-12")
    dated.fetched("2026-03-12", provider="fred_graph")
    assert dated.why("2026-03-12T01:00") == ("the last fetch failed", 2026)


def test_a_series_without_rhythm_is_looked_for_daily(dated: Lake) -> None:
    dated.declare(frequency="D", irregular=True)
    dated.holds(date(2026, 9, 1))
    dated.fetched("2026-11-10T12:00")
    assert dated.due("2026-11-11T07:59") == []
    assert dated.why("2026-11-11T08:00") == ("its dates follow no rhythm: looked for daily", 2026)


def test_a_release_of_the_calendar_makes_its_series_due_at_their_clock_time(dated: Lake) -> None:
    half_past_eight = PublicationLag(days=60, time=time(8, 30), time_zone="America/New_York")
    dated.declare(release="10", publication_lag=half_past_eight)
    dated.declare("OTHER", release="11", publication_lag=half_past_eight)
    for one in ("TOY", "OTHER"):
        dated.holds(date(2026, 10, 1), series_id=one)
        dated.fetched("2026-11-01", series_id=one, look="2027-01-01")
    dated.calendar(date(2026, 10, 30), date(2026, 11, 20), date(2026, 12, 20))
    assert dated.due("2026-11-20T13:29") == []
    (due,) = dated.due("2026-11-20T13:30")
    assert (due.series.id, due.reason, due.first_year) == ("TOY", "release 10 of 2026-11-20", 2026)
    dated.fetched("2026-11-20T13:31", look="2027-01-01")
    assert dated.due("2026-12-20T13:29") == []
    assert dated.why("2027-01-05") == ("release 10 of 2026-12-20", 2026)


def test_the_calendar_of_another_source_is_not_ours(dated: Lake) -> None:
    dated.declare(release="10")
    dated.holds(date(2026, 10, 1))
    dated.fetched("2026-11-16")
    dated.calendar(date(2026, 11, 20), source="fred")
    assert dated.due("2026-11-21") == []


@pytest.mark.parametrize("everything", [False, True])
def test_a_series_that_ended_is_had_once(lake: Lake, everything: bool) -> None:
    lake.declare(last_year=2020)
    assert lake.why("2026-11-20") == ("never fetched", None)
    lake.holds(date(2020, 3, 1))
    lake.fetched("2026-01-01")
    assert lake.due("2026-11-20", everything=everything) == []


def test_a_series_that_ended_and_of_which_years_lack_is_due(lake: Lake) -> None:
    lake.declare(last_year=2020)
    lake.holds(date(2019, 12, 1))
    lake.fetched("2026-01-01")
    assert lake.why("2026-11-20") == ("the figure of 2020-01-01 was expected by 2020-02-10", 2020)


def test_everything_names_the_others_too_and_keeps_the_reasons(lake: Lake) -> None:
    lake.declare("LATE")
    for one, day in (("TOY", date(2026, 10, 1)), ("LATE", date(2026, 9, 1))):
        lake.holds(day, series_id=one)
        lake.fetched("2026-11-09" if one == "LATE" else "2026-11-12", series_id=one)
    assert [d.series.id for d in lake.due("2026-11-12T12:00")] == ["LATE"]
    found = [(d.series.id, d.reason, d.first_year) for d in lake.due("2026-11-12T12:00", everything=True)]
    assert found == [
        ("TOY", "asked for", 2026),
        ("LATE", "the figure of 2026-10-01 was expected by 2026-11-10", 2026),
    ]


def test_a_daily_series_waits_for_monday(dated: Lake) -> None:
    next_day = PublicationLag(days=0, time=time(18), time_zone="America/Chicago")
    dated.declare(frequency="D", publication_lag=next_day)
    dated.holds(date(2026, 11, 20))  # a Friday
    dated.fetched("2026-11-21T02:00")
    assert dated.due("2026-11-23T23:59") == []
    assert dated.why("2026-11-24T00:00") == ("the figure of 2026-11-23 was expected by 2026-11-24", 2026)


def test_the_present_is_the_default(lake: Lake) -> None:
    lake.holds(date(2000, 1, 1))
    lake.fetched((datetime.now(UTC) - timedelta(hours=21)).replace(tzinfo=None).isoformat())
    (due,) = due_series(Lakehouse(lake.root, lake.catalog), lake.source)
    assert due.reason.startswith("the figure of 2000-02-01 was expected")


def test_catalog_order_and_the_real_catalog_in_an_empty_lake(tmp_path: Path, catalog: Catalog) -> None:
    source = catalog.sources["worldbank"]
    found = due_series(Lakehouse(tmp_path, catalog), source)
    assert [d.series for d in found] == list(catalog.series_of("worldbank"))
    assert {(d.reason, d.first_year) for d in found} == {("never fetched", None)}
