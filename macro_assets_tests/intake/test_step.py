"""The raw step without Dagster: what it reads, what it leaves, and what it says it leaves."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from macro_assets.catalog.derive import polars_schema
from macro_assets.intake.rebuild import rebuilt
from macro_assets.intake.step import Question, Run, StepResult, take_in
from macro_assets.intake.years import Years
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import log_fetches
from macro_assets.lakehouse.raw import append_vintages
from macro_assets.sources.protocol import Fetched
from macro_assets_tests.lakehouse.synthetic import day, frame, month, row
from macro_assets_tests.orchestration.toy import SERIES, spoiled_source, toy_catalog, with_values

ALL_YEARS = [str(year) for year in range(2010, 2027)]
RAW, LOG = "raw/bundled", "fetch_log/bundled"


class Steps:
    """A lake that is fed by steps, and what they read."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lake, self.runs, self.told, self.reads = Lakehouse(root, toy_catalog()), 0, list[str](), Counter[str]()
        honest = Lakehouse.rows

        def rows(lake: Lakehouse, name: str, stored: DeltaTable | None) -> pl.LazyFrame:
            self.reads[name] += 1
            return honest(lake, name, stored)

        monkeypatch.setattr(Lakehouse, "rows", rows)

    def take(self, *ids: str, years: list[str] = ALL_YEARS, only_news: bool = False) -> StepResult:
        self.runs += 1
        self.reads.clear()
        series = [self.lake.catalog.one_series(i) for i in ids]
        question = Question(series, Years(years, ALL_YEARS), only_news)
        run = Run(f"run{self.runs}", "v1", self.told.append)
        return take_in(self.lake, self.lake.catalog.sources["bundled"], question, run)

    def is_stored(self, done: StepResult) -> bool:
        """Whether what a step says it left is what is stored."""
        key = self.lake.table(RAW).key
        table = open_table(self.lake.root, RAW)
        return (
            done.rows.sort(key).equals(self.lake.read(RAW).sort(key))
            and done.log.equals(self.lake.read(LOG).sort("series_id", "provider"))
            and done.version == (table.version() if table else None)
        )


def with_another_year(fetched: Fetched) -> Fetched:
    """An answer with another figure for a date that nobody asked for."""
    stray = fetched.observations.tail(1).with_columns(observation_date=pl.lit(date(2012, 3, 1)))
    others = fetched.observations.filter(pl.col("observation_date") != date(2012, 3, 1))
    return dataclasses.replace(fetched, observations=pl.concat([others, stray]))


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(tmp_path, monkeypatch)


def test_a_step_reads_its_table_and_its_log_once(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    for ids, only_news in ((SERIES, False), (SERIES, False), (SERIES, True), ((), False)):
        done = steps.take(*ids, years=["2015"], only_news=only_news)
        assert (steps.reads[RAW], steps.reads[LOG]) == (1, 1)
        assert steps.is_stored(done)
    spoiled_source(monkeypatch, with_another_year)
    done = steps.take(SERIES[0], years=["2015"])
    assert (steps.reads[RAW], steps.reads[LOG]) == (1, 1)
    assert done.rows.filter(run_id="run5")["observation_date"].to_list() == [date(2012, 3, 1)]
    assert steps.is_stored(done)


def test_what_another_process_stored_meanwhile_is_read_and_decided_by(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the reading and the append: the same vintage and another one, and a fetch of another series."""
    steps.take(SERIES[0], SERIES[1])
    lake, first = steps.lake, frame(row(month(1), 150000.0, day(20)))

    def overtaken(fetched: Fetched) -> Fetched:
        append_vintages("bundled", first.drop("run_id"), "the other", root=lake.root, catalog=lake.catalog)
        other = {"series_id": SERIES[2], "last_run_id": "the other", "last_seen": datetime(2026, 1, 2, tzinfo=UTC)}
        other["provider"] = "bundled"
        schema = polars_schema(lake.table(LOG).columns)
        entry = {**dict.fromkeys(schema), **other, "status": "ok", "rows_seen": 1, "is_whole": False}
        log_fetches(lake, "bundled", pl.DataFrame([entry], schema=schema), {})
        rows = first.drop("run_id").select(fetched.observations.columns)
        return Fetched(pl.concat([fetched.observations, rows]), fetched.responses, fetched.failures)

    spoiled_source(monkeypatch, overtaken)
    done = steps.take(SERIES[0])
    assert done.failed == {}
    assert done.rows.filter(run_id="the other").height == 1
    assert done.rows.filter(run_id="run2").is_empty()  # it was stored by then
    assert done.log["series_id"].to_list() == sorted(SERIES[:3])
    assert steps.is_stored(done)


def test_without_a_key_nothing_is_asked_and_the_log_says_why(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("fetch", "step", "health"):
        monkeypatch.setattr(f"macro_assets.intake.{module}.missing_key", lambda *source: "its key is missing")
    done = steps.take(SERIES[0])
    assert (done.off, done.outcomes, done.rows.height, done.version) == ("its key is missing", (), 0, None)
    assert done.log.select("series_id", "status", "error").rows() == [(SERIES[0], "off", "its key is missing")]
    assert steps.is_stored(done)
    assert open_table(steps.lake.root, "landing/bundled") is None


def test_of_no_series_nothing_is_asked(steps: Steps) -> None:
    done = steps.take()
    assert (done.outcomes, done.elsewhere, done.version, done.health.state) == ((), (), None, "never fetched")


def test_a_step_says_what_it_asks_and_what_became_of_it(steps: Steps) -> None:
    done = steps.take(SERIES[0], years=["2015", "2016"])
    first, last = steps.told
    assert first == "fetching 1 series of bundled, years 2015 to 2016"
    assert last.startswith("bundled: ")
    assert {o.series.id for o in done.outcomes} == {SERIES[0]} == set(done.last_successes)


def test_years_that_a_revision_changed_though_nobody_asked_are_named(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps.take(SERIES[0])
    spoiled_source(monkeypatch, with_another_year)
    assert steps.take(SERIES[0], years=["2015"]).elsewhere == ((SERIES[0], "2012"),)
    assert steps.take(SERIES[0], years=["2015"]).elsewhere == ()  # nothing was added


def test_what_was_never_had_is_asked_for_whole_whatever_was_asked(steps: Steps) -> None:
    """Once: then the year that is asked for, beside the whole of what is new."""
    first = steps.take(SERIES[0], years=["2015"])
    assert first.rows["observation_date"].min() < date(2010, 1, 1)  # type: ignore[operator]
    assert {year for _, year in first.elsewhere} >= {"2010", "2014", "2016"}
    assert first.log["is_whole"].to_list() == [True]
    again = steps.take(SERIES[0], SERIES[1], years=["2015"])
    assert again.rows.filter(series_id=SERIES[0]).height == first.rows.height
    asked = steps.lake.read("landing/bundled").select("run_id", "series_ids", "window_first", "window_last").unique()
    assert sorted(asked.rows(), key=str) == [
        ("run1", SERIES[0], None, None),
        ("run2", SERIES[0], date(2015, 1, 1), date(2015, 12, 31)),
        ("run2", SERIES[1], None, None),
    ]
    assert rebuilt(steps.lake, steps.lake.catalog.sources["bundled"]).equals(again.rows.sort(steps.lake.table(RAW).key))


def test_a_first_fetch_that_failed_is_none(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    spoiled_source(monkeypatch, with_values(SERIES[0], pl.lit(1e12)))
    assert set(steps.take(SERIES[0]).failed) == {SERIES[0]}
    monkeypatch.undo()
    done = steps.take(SERIES[0], years=["2015"])
    assert done.rows["observation_date"].min() < date(2010, 1, 1)  # type: ignore[operator]


def test_what_the_log_says_was_had_and_is_not_stored_is_asked_for_whole(steps: Steps) -> None:
    steps.take(SERIES[0])
    shutil.rmtree(steps.lake.root / "raw")
    assert steps.take(SERIES[0], years=["2015"]).rows["observation_date"].min() < date(2010, 1, 1)  # type: ignore[operator]


@pytest.mark.parametrize(("asked", "first", "last"), [(["2010"], None, "2010-12-31"), (["2026"], "2026-01-01", None)])
def test_the_first_and_the_last_year_are_open(asked: list[str], first: str | None, last: str | None) -> None:
    window = Years(asked, ALL_YEARS).window
    assert [str(d) if d else None for d in (window.first, window.last)] == [first, last]
