"""Refreshes of live sources: what is due becomes runs, runs ask what they must, and each source is on its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData

from macro_assets.catalog import Catalog, Source, default_catalog
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake import calendars, step
from macro_assets.intake.calendars import CALENDAR, release_calendar
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import log_fetches
from macro_assets.orchestration import refresh
from macro_assets.orchestration.assets import calendar as calendar_module
from macro_assets.orchestration.due import Due
from macro_assets.orchestration.partitions import RANGE_END, RANGE_START, REFRESH, YEARS
from macro_assets.orchestration.refresh import Refresh, refreshes, whole_history
from macro_assets.sources.clients import open_client
from macro_assets.sources.errors import TransientError
from macro_assets.sources.protocol import Client, Request, Response, Window, request_text
from macro_assets_tests.orchestration.toy import execute, toy_definitions
from macro_assets_tests.providers import World, answer

ALL_YEARS = YEARS.get_partition_keys()
WHOLE = (ALL_YEARS[0], ALL_YEARS[-1])
NOW = datetime.now(UTC)
THEN = date(2026, 3, 2)
THAT_YEAR = str(THEN.year)
THE_YEAR_BEFORE = str(THEN.year - 1)
EVERY_YEAR = {RANGE_START: WHOLE[0], RANGE_END: WHOLE[1]}
SERIES = ("CBOE_VIX", "GDPC1", "INDPRO")
NAMES = ("raw/cboe/CBOE_VIX", "raw/fred/GDPC1", "raw/fred/INDPRO")


@pytest.fixture
def toys() -> Catalog:
    """The real catalog with three series: of CBOE and FRED, which needs a key; the package has a copy of two."""
    full = default_catalog()
    return dataclasses.replace(
        full,
        sources={s: full.sources[s] for s in ("bundled", "cboe", "fred", "fred_graph")},
        series={s: full.series[s] for s in SERIES},
        copies=tuple(c for c in full.copies if c.id in SERIES),
        indicators={},
        scores={},
        models={},
        charts={},
        instruments={},
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRED_API_KEY", "synthetic-key-0123456789")


@pytest.fixture
def without_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRED_API_KEY", raising=False)


class Providers:
    """The stand-ins of all live providers in this process, those in `down` apart; `world` has their day."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = World(today=THEN)
        self.down: set[str] = set()
        self.windows: list[Window] = []
        monkeypatch.setattr(step, "open_client", self.client)
        honest = step.first_whole

        def first_whole(wanted: Window, *others: Any) -> Any:
            split = honest(dataclasses.replace(wanted, today=self.world.today), *others)

            def noted(provider: Source, holdings: Any) -> Any:
                asked = split(provider, holdings)
                self.windows += [window for window, _ in asked]
                return asked

            return noted

        monkeypatch.setattr(step, "first_whole", first_whole)

    def client(self, source: Source, remembered: Mapping[str, Response] | None = None) -> Client:
        return _Standin(self, source) if source.is_live else open_client(source)


class _Standin:
    def __init__(self, providers: Providers, source: Source) -> None:
        self.providers, self.source = providers, source

    def get(self, request: Request) -> Response:
        if self.source.name in self.providers.down:
            raise TransientError("no route to the provider")
        world = self.providers.world
        at = datetime.combine(world.today, datetime.max.time(), tzinfo=UTC)
        status, body = answer(self.source.name, request.target, (request.json or "").encode(), world)
        return Response(request_text(self.source, request), body, at, status, seconds=0.25)


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> Providers:
    return Providers(monkeypatch)


def had(root: Path, catalog: Catalog, source: str, series_id: str, status: str, last: datetime | None) -> None:
    """Write what became of the latest fetch of a series."""
    row = {
        "series_id": series_id,
        "last_run_id": "run",
        "last_seen": NOW,
        "status": status,
        "error": None,
        "rows_seen": 0,
        "last_success": last,
        "last_look": last,
        "is_whole": last is not None,
        "provider": source,
        "latency_ms": None,
    }
    schema = polars_schema(catalog.one_table(f"fetch_log/{source}").columns)
    log_fetches(Lakehouse(root, catalog), source, pl.DataFrame([row], schema=schema), {})


def keys(*series: str) -> list[dg.AssetKey]:
    sources = {"CBOE_VIX": "cboe", "GDPC1": "fred", "INDPRO": "fred"}
    tables = [dg.AssetKey(["raw", s]) for s in dict.fromkeys(sources[i] for i in series)]
    return [*(dg.AssetKey(["raw", sources[i], i]) for i in series), *tables]


def evaluations(result: dg.ExecuteInProcessResult, check: str) -> dict[str, Any]:
    return {"/".join(e.asset_key.path): e for e in result.get_asset_check_evaluations() if e.check_name == check}


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    return [str(e.step_failure_data.user_failure_data.description) for e in result.all_events if e.is_step_failure]


def fetch_log(root: Path, catalog: Catalog, source: str) -> dict[str, dict[str, Any]]:
    rows = Lakehouse(root, catalog).read(f"fetch_log/{source}")
    return {r["series_id"]: r for r in rows.filter(pl.col("provider") == source).iter_rows(named=True)}


# --- what is due as runs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["with_key", "without_key"])
def test_what_was_never_fetched_is_one_whole_run(
    tmp_path: Path, toys: Catalog, key: str, request: pytest.FixtureRequest
) -> None:
    """Of a source without its key, others are asked."""
    request.getfixturevalue(key)
    (run,) = refreshes(Lakehouse(tmp_path, toys))
    assert run == Refresh(dict.fromkeys(NAMES, "never fetched"), WHOLE, True)
    assert run.tags == EVERY_YEAR
    assert run.keys(toys) == keys(*SERIES)


@pytest.mark.usefixtures("without_key")
def test_a_series_that_nobody_has_without_a_key_is_left_out(tmp_path: Path, toys: Catalog) -> None:
    alone = toys.series["GDPC1"].model_copy(update={"holders": ()})
    (run,) = refreshes(Lakehouse(tmp_path, dataclasses.replace(toys, series={**toys.series, "GDPC1": alone})))
    assert list(run.reasons) == [NAMES[0], NAMES[2]]


@pytest.mark.usefixtures("with_key")
def test_runs_ask_from_the_year_of_the_next_figure_on(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, providers: Providers
) -> None:
    """What is due of one year is one run; it asks for what was released since the latest stored release."""
    assert execute(toy_definitions(tmp_path, toys), instance, keys("CBOE_VIX", "INDPRO"), EVERY_YEAR).success
    had(tmp_path, toys, "cboe", "CBOE_VIX", "failed", NOW)
    had(tmp_path, toys, "fred", "INDPRO", "failed", NOW)
    whole, due = refreshes(Lakehouse(tmp_path, toys))
    assert (whole.years, whole.is_whole, list(whole.reasons)) == (WHOLE, True, ["raw/fred/GDPC1"])
    assert due.reasons == dict.fromkeys((NAMES[0], NAMES[2]), "the last fetch failed")
    assert due.tags == {RANGE_START: THAT_YEAR, RANGE_END: ALL_YEARS[-1], REFRESH: "due"}
    alone = dataclasses.replace(due, reasons={NAMES[0]: "the last fetch failed"})
    assert refreshes(Lakehouse(tmp_path, toys), [NAMES[0], "raw/bundled/INDPRO"]) == [alone]
    assert refreshes(Lakehouse(tmp_path, toys), []) == []


def test_a_year_before_the_partitions_is_the_first_of_them(
    tmp_path: Path, toys: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    for year, start in ((1995, ALL_YEARS[0]), (2020, "2020"), (2999, ALL_YEARS[-1])):
        found = [Due(toys.series["CBOE_VIX"], "synthetic", year)]
        monkeypatch.setattr(refresh, "due_series", lambda *a, found=found, **k: found)
        (run,) = refreshes(Lakehouse(tmp_path, toys))
        assert (run.years, run.is_whole) == ((start, ALL_YEARS[-1]), False)


def test_a_whole_history_is_of_live_series_whether_due_or_not(toys: Catalog) -> None:
    (run,) = whole_history(toys, [NAMES[0], "raw/bundled/GDPC1"], "2015", "2016")
    assert (run.reasons, run.years, run.is_whole) == ({NAMES[0]: "asked for"}, ("2015", "2016"), True)
    assert run.tags == {RANGE_START: "2015", RANGE_END: "2016"}
    assert whole_history(toys, [NAMES[0]], None, "2016")[0].years == (ALL_YEARS[0], "2016")
    assert whole_history(toys, [NAMES[0]], "2016", None)[0].years == ("2016", ALL_YEARS[-1])
    assert whole_history(toys, ["raw/bundled/GDPC1"], "2015", None) == []


def test_a_whole_history_is_of_series_of_which_a_holder_is_on(toys: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRED_API_KEY", "synthetic")
    assert list(whole_history(toys, NAMES, "2015", None)[0].reasons) == list(NAMES)
    monkeypatch.delenv("FRED_API_KEY")
    assert list(whole_history(toys, NAMES, "2015", None)[0].reasons) == list(NAMES)
    alone = {i: s.model_copy(update={"holders": ()}) for i, s in toys.series.items()}
    none = dataclasses.replace(toys, series=alone)
    assert list(whole_history(none, NAMES, "2015", None)[0].reasons) == [NAMES[0]]
    assert whole_history(none, NAMES[1:], "2015", None) == []


# --- schedules -----------------------------------------------------------------------------------------------------


def tick(definitions: dg.Definitions, instance: dg.DagsterInstance) -> ScheduleExecutionData:
    schedule = definitions.resolve_schedule_def("refresh")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED, "it goes to the network"
    moment = datetime(2026, 11, 20, 4, 20, tzinfo=UTC)
    context = dg.build_schedule_context(
        instance, scheduled_execution_time=moment, repository_def=definitions.get_repository_def()
    )
    return schedule.evaluate_tick(context)


@pytest.mark.usefixtures("with_key")
def test_the_schedule_requests_the_runs_that_are_due(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, providers: Providers
) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(tmp_path))
    definitions = toy_definitions(tmp_path, toys)
    requests = tick(definitions, instance).run_requests or []
    (request,) = requests
    assert request.asset_selection == keys(*SERIES)
    assert {k: v for k, v in request.tags.items() if k in (RANGE_START, RANGE_END, REFRESH)} == EVERY_YEAR
    job = definitions.resolve_job_def("refresh")
    done = job.execute_in_process(
        instance=instance, asset_selection=request.asset_selection, tags=dict(request.tags), raise_on_error=False
    )
    assert done.success, failures(done)
    assert set(fetch_log(tmp_path, toys, "fred")) == {"GDPC1", "INDPRO"}
    had(tmp_path, toys, "cboe", "CBOE_VIX", "failed", NOW)
    had(tmp_path, toys, "fred", "GDPC1", "ok", NOW)
    had(tmp_path, toys, "fred", "INDPRO", "ok", NOW)
    providers.world = World()
    due = tick(definitions, instance).run_requests or []
    again = [r for r in due if keys("CBOE_VIX")[0] in (r.asset_selection or [])]
    assert [(r.tags[RANGE_START], r.tags[REFRESH]) for r in again] == [(THAT_YEAR, "due")]


@pytest.mark.usefixtures("without_key")
def test_two_runs_from_the_first_year_on_are_two(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run key that repeats is a run that Dagster leaves out."""
    vix = toys.series["CBOE_VIX"]
    found = [Due(vix, "never fetched", None), Due(toys.series["GDPC1"], "failed", 1995)]
    monkeypatch.setattr(refresh, "due_series", lambda *a, **k: found)
    monkeypatch.setenv("MACRO_LAKE", str(tmp_path))
    requests = tick(toy_definitions(tmp_path, toys), instance).run_requests or []
    assert len({r.run_key for r in requests}) == 2
    assert [REFRESH in r.tags for r in requests] == [False, True]


@pytest.mark.usefixtures("without_key")
def test_the_schedule_says_when_nothing_is_due(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MACRO_LAKE", str(tmp_path))
    alone = {"GDPC1": toys.series["GDPC1"].model_copy(update={"holders": ()})}
    nothing = dataclasses.replace(toys, series=alone, copies=())
    found = tick(toy_definitions(tmp_path, nothing), instance)
    assert not found.run_requests
    assert found.skip_message == "no series of a source that is on is due"


def test_without_live_sources_there_is_no_such_schedule(tmp_path: Path) -> None:
    assert {s.name for s in toy_definitions(tmp_path).schedules or []} == {"weekly_maintenance"}


# --- the step ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("with_key")
def test_a_refresh_asks_for_what_came_after_the_latest_stored_release(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, providers: Providers
) -> None:
    """What it brings of years nobody asked for is logged for these."""
    definitions = toy_definitions(tmp_path, toys)
    assert execute(definitions, instance, keys("INDPRO"), EVERY_YEAR).success
    assert [w.known for w in providers.windows] == [{}]
    providers.world = World(today=date(2026, 7, 15))  # on 2 July the stand-in revises December 2025
    before = Lakehouse(tmp_path, toys).read("raw/fred")
    latest = before["release_time"].max().date()  # type: ignore[union-attr]
    news = {RANGE_START: THAT_YEAR, RANGE_END: ALL_YEARS[-1], REFRESH: "due"}
    result = execute(definitions, instance, keys("INDPRO"), news)
    assert result.success, failures(result)
    assert [w.known for w in providers.windows[1:]] == [{"INDPRO": latest}]
    after = Lakehouse(tmp_path, toys).read("raw/fred")
    new = after.join(before, on=after.columns, how="anti", nulls_equal=True)
    assert date(2025, 12, 1) in set(new["observation_date"])
    logged = {e.partition for e in result.get_asset_materialization_events() if e.asset_key == keys("INDPRO")[0]}
    asked = {y for y in ALL_YEARS if y >= THAT_YEAR}
    assert logged == {THE_YEAR_BEFORE, *asked}
    log = fetch_log(tmp_path, toys, "fred")["INDPRO"]
    assert (log["status"], log["latency_ms"]) == ("ok", 250.0)


@pytest.mark.usefixtures("with_key")
def test_a_fetch_of_some_years_that_is_the_first_asks_for_all_vintages(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, providers: Providers
) -> None:
    """Else older observations would seem to be released with the first new vintage."""
    definitions = toy_definitions(tmp_path, toys)
    some_years = {RANGE_START: THE_YEAR_BEFORE, RANGE_END: ALL_YEARS[-1]}
    for tags in (some_years, some_years, {**some_years, REFRESH: "due"}):
        assert execute(definitions, instance, keys("INDPRO"), tags).success
    year = date(int(THE_YEAR_BEFORE), 1, 1)
    assert [(w.first, bool(w.known)) for w in providers.windows] == [
        (None, False),
        (year, False),
        (year.replace(year=year.year - 1), True),
    ]
    assert fetch_log(tmp_path, toys, "fred")["INDPRO"]["is_whole"]


@pytest.mark.usefixtures("with_key")
def test_a_refresh_of_daily_files_asks_from_the_latest_stored_day_on(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, providers: Providers
) -> None:
    fred = toys.sources["fred"]
    assert fred.api is not None
    daily = fred.model_copy(update={"api": fred.api.model_copy(update={"per_day": True})})
    files = dataclasses.replace(toys, sources={**toys.sources, "fred": daily})
    definitions = toy_definitions(tmp_path, files)
    years = {RANGE_START: THE_YEAR_BEFORE, RANGE_END: ALL_YEARS[-1]}
    for tags in (years, {**years, REFRESH: "due"}, years):
        assert execute(definitions, instance, keys("INDPRO"), tags).success
    latest = Lakehouse(tmp_path, files).read("raw/fred")["observation_date"].max()
    assert isinstance(latest, date)
    year = date(int(THE_YEAR_BEFORE), 1, 1)
    assert [w.first for w in providers.windows] == [None, max(year, latest - timedelta(days=7)), year]
    both = keys("INDPRO", "GDPC1")
    assert execute(definitions, instance, both, {**years, REFRESH: "due"}).success
    assert [w.first for w in providers.windows[3:]] == [None, max(year, latest - timedelta(days=7))]


@pytest.mark.usefixtures("without_key")
def test_a_source_without_its_key_and_without_others_is_off_and_stops_no_other(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, providers: Providers
) -> None:
    alone = toys.series["GDPC1"].model_copy(update={"holders": ()})
    toys = dataclasses.replace(toys, series={**toys.series, "GDPC1": alone})
    result = execute(toy_definitions(tmp_path, toys), instance, keys("CBOE_VIX", "GDPC1"), EVERY_YEAR)
    assert result.success, failures(result)
    events = {"/".join(e.asset_key.path) for e in result.get_asset_materialization_events() if e.asset_key}
    assert events == {"raw/cboe/CBOE_VIX", "raw/cboe"}, "nothing was had of FRED"
    assert open_table(tmp_path, "raw/fred") is None
    log = fetch_log(tmp_path, toys, "fred")["GDPC1"]
    assert (log["status"], log["last_success"], log["rows_seen"]) == ("off", None, 0)
    assert "FRED_API_KEY" in log["error"]
    health = evaluations(result, "health")
    assert health["raw/fred"].passed
    assert health["raw/fred"].metadata["state"].value == "off"
    assert health["raw/cboe"].metadata["state"].value == "up"
    assert [w.known for w in providers.windows] == [{}], "the source that is off was not asked"


@pytest.mark.usefixtures("without_key")
def test_a_source_without_its_key_is_served_by_others_and_says_so_once(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, providers: Providers
) -> None:
    result = execute(toy_definitions(tmp_path, toys), instance, keys("GDPC1", "INDPRO"), EVERY_YEAR)
    told = {
        e.asset_key.path[-1]: e.materialization.metadata
        for e in result.get_asset_materialization_events()
        if e.asset_key
    }
    assert told["GDPC1"]["served_by"].value == "fred_graph"
    assert result.success, failures(result)
    stored = Lakehouse(tmp_path, toys).read("raw/fred")
    assert set(stored["provider"]) == {"fred_graph"}
    assert set(stored["release_basis"]) <= {"publication_lag", "ingested"}
    seen = stored.filter(pl.col("series_id") == "GDPC1", pl.col("release_basis") == "ingested")
    assert told["GDPC1"]["vintages"].value == seen["release_time"].n_unique(), "estimates are no vintages"
    for check in evaluations(result, "schema").values():
        assert check.passed
        assert str(check.description).startswith("fred_graph served it: source fred is off")
        assert check.metadata["provider"].value == "fred_graph"
    health = evaluations(result, "health")["raw/fred"]
    assert (health.passed, health.metadata["state"].value) == (True, "off")
    assert str(health.description).endswith(" fred_graph serves 2 of its series.")
    assert evaluations(result, "complete")["raw/fred"].passed
    (table,) = [e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey(["raw", "fred"])]
    assert str(table.materialization.metadata["off"].value) == health.description


@pytest.mark.usefixtures("without_key")
def test_without_a_key_and_an_answer_it_warns_and_is_off(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, providers: Providers
) -> None:
    providers.down = {"fred_graph"}
    result = execute(toy_definitions(tmp_path, toys), instance, keys("GDPC1", "INDPRO"), EVERY_YEAR)
    assert result.success, failures(result)
    assert evaluations(result, "schema") == {}
    health = evaluations(result, "health")["raw/fred"]
    assert (health.passed, health.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "2 had no answer: series GDPC1 of source fred_graph: no route to the provider" in str(health.description)
    assert not list(result.get_asset_materialization_events())
    due = refreshes(Lakehouse(tmp_path, toys), NAMES[1:])
    assert [r.reasons for r in due] == [dict.fromkeys(NAMES[1:], "never fetched")]


@pytest.mark.usefixtures("with_key")
def test_a_source_that_is_down_is_red_by_itself_where_others_serve(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, providers: Providers
) -> None:
    providers.down = {"fred"}
    below = dg.AssetKey(["normalized", "fred"])
    result = execute(toy_definitions(tmp_path, toys), instance, [*keys("GDPC1"), below], EVERY_YEAR)
    assert result.success, failures(result)
    assert below in {e.asset_key for e in result.get_asset_materialization_events()}
    health = evaluations(result, "health")["raw/fred"]
    assert (health.passed, health.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert (health.metadata["state"].value, health.metadata["substituted"].value) == ("down", 1)
    series = evaluations(result, "schema")["raw/fred/GDPC1"]
    assert (series.passed, series.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "no route to the provider" in str(series.description)
    assert str(series.description).endswith(" fred_graph served it.")
    assert evaluations(result, "complete")["raw/fred"].passed
    log = fetch_log(tmp_path, toys, "fred")["GDPC1"]
    assert log["status"] == "failed"
    assert "no route to the provider" in log["error"]


@pytest.mark.usefixtures("with_key")
def test_a_series_that_another_holder_serves_turns_its_source_yellow(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, providers: Providers
) -> None:
    wrong = toys.series["GDPC1"].model_copy(update={"provider_unit": "Furlongs"})
    toys = dataclasses.replace(toys, series={**toys.series, "GDPC1": wrong})
    result = execute(toy_definitions(tmp_path, toys), instance, keys("GDPC1", "INDPRO"), EVERY_YEAR)
    assert result.success, failures(result)
    health = evaluations(result, "health")["raw/fred"]
    assert (health.passed, health.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (health.metadata["state"].value, health.metadata["substituted"].value) == ("degraded", 1)


@pytest.mark.usefixtures("with_key")
def test_a_source_that_is_down_is_an_error_and_keeps_its_rows(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, providers: Providers
) -> None:
    definitions = toy_definitions(tmp_path, toys)
    assert execute(definitions, instance, keys("GDPC1", "CBOE_VIX"), EVERY_YEAR).success
    before = Lakehouse(tmp_path, toys).read("raw/fred")
    providers.down = {"fred", "fred_graph"}
    result = execute(definitions, instance, keys("GDPC1", "CBOE_VIX"), EVERY_YEAR)
    assert not result.success
    (message,) = failures(result)
    assert "GDPC1" in message
    assert "Its holder fred_graph failed too" in message
    health = evaluations(result, "health")
    assert (health["raw/fred"].passed, health["raw/fred"].severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert health["raw/fred"].metadata["state"].value == "down"
    assert health["raw/cboe"].passed
    assert Lakehouse(tmp_path, toys).read("raw/fred").equals(before)
    log = fetch_log(tmp_path, toys, "fred")["GDPC1"]
    assert log["status"] == "failed"
    assert log["last_success"] < log["last_seen"]


# --- the release calendar ------------------------------------------------------------------------------------------

TODAY = date(2026, 11, 20)
DAYS = (
    '{"release_id": 53, "release_name": "Gross Domestic Product", "date": "2026-11-25"},'
    '{"release_id": 53, "release_name": "Gross Domestic Product", "date": "2026-11-25"},'
    '{"release_id": 99, "release_name": "Nobody asked", "date": "2026-11-26"},'
    '{"release_id": 53, "release_name": "Gross Domestic Product", "date": "2020-01-30"}'
)


class _Calendar:
    def __init__(self, source: Source, page: str | Exception) -> None:
        self.source, self.page, self.is_closed = source, page, False

    def get(self, request: Request) -> Response:
        if isinstance(self.page, Exception):
            raise self.page
        count = self.page.count("{")
        body = f'{{"count": {count}, "offset": 0, "limit": 1000, "release_dates": [{self.page}]}}'
        return Response(request_text(self.source, request), body.encode(), NOW, 200)

    def close(self) -> None:
        self.is_closed = True


def of_fred(*days: date) -> pl.DataFrame:
    schema = polars_schema(default_catalog().one_table(CALENDAR).columns)
    gdp = {"source": "fred", "release": "53", "release_name": "Gross Domestic Product"}
    rows = [{**gdp, "release_date": d} for d in days]
    return pl.DataFrame(rows, schema=schema)


@pytest.mark.usefixtures("with_key")
def test_the_calendar_has_the_days_of_the_releases_of_the_catalog(toys: Catalog) -> None:
    """Of some months, without repetition, and of no other release; the connection is closed."""
    opened: list[_Calendar] = []

    def client(source: Source) -> _Calendar:
        opened.append(_Calendar(source, DAYS))
        return opened[-1]

    found, reasons = release_calendar(toys, of_fred(date(2026, 10, 29)), TODAY, client)
    assert reasons == {}
    assert found.equals(of_fred(date(2026, 11, 25)))
    assert [c.source.name for c in opened] == ["fred"]
    assert all(c.is_closed for c in opened)


@pytest.mark.usefixtures("with_key")
def test_a_calendar_that_does_not_answer_keeps_its_days(toys: Catalog) -> None:
    stored = of_fred(date(2026, 10, 29), date(2026, 11, 25))
    found, reasons = release_calendar(toys, stored, TODAY, lambda s: _Calendar(s, TransientError("no route")))
    assert found.equals(stored)
    assert "no route" in reasons["fred"]


@pytest.mark.usefixtures("without_key")
def test_a_calendar_without_a_key_keeps_its_days_and_asks_nobody(toys: Catalog) -> None:
    def nobody(source: Source) -> Client:
        raise AssertionError("not to be asked")

    stored = of_fred(date(2026, 11, 25))
    found, reasons = release_calendar(toys, stored, TODAY, nobody)
    assert found.equals(stored)
    assert "FRED_API_KEY" in reasons["fred"]


@pytest.mark.usefixtures("with_key")
def test_the_calendar_is_an_asset(
    tmp_path: Path, toys: Catalog, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar_module, "utc_now", lambda: datetime(2026, 11, 20, 5, tzinfo=UTC))
    page: list[str | Exception] = [DAYS]
    answered = partial(calendars.release_calendar, clients=lambda s: _Calendar(s, page[0]))
    monkeypatch.setattr(calendar_module, "release_calendar", answered)
    definitions, asset = toy_definitions(tmp_path, toys), dg.AssetKey(CALENDAR.split("/"))
    table = toys.one_table(CALENDAR)
    for why in ("", "no route"):
        result = execute(definitions, instance, [asset], tags=None)
        assert result.success, failures(result)
        (event,) = result.get_asset_materialization_events()
        told = event.materialization.metadata["not_asked"].value
        assert why in str(told)
        assert bool(told) == bool(why)
        assert Lakehouse(tmp_path, toys).read(table.name)["release_date"].to_list() == [date(2026, 11, 25)]
        page[0] = TransientError("no route")
