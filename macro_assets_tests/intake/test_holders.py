"""Holders of a series around a failure or a key: who is asked for what, what may be stored, and all of it rebuilt."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Holder, Series, Source, default_catalog
from macro_assets.catalog.derive import polars_schema
from macro_assets.intake import fetch, health, step
from macro_assets.intake.fetch import Asked, ask_in_turn, earlier_responses, holders_of, known_releases
from macro_assets.intake.ingest import StoredSource, ingest, receipts
from macro_assets.intake.rebuild import rebuilt
from macro_assets.intake.step import Question, Run, StepResult, take_in
from macro_assets.intake.years import Years
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import land
from macro_assets.lakehouse.raw import observations_as_of, read_raw
from macro_assets.sources import fetching, protocol
from macro_assets.sources.errors import SchemaError, TransientError, UnreachableError, explain_status
from macro_assets.sources.protocol import (
    OBSERVATION_SCHEMA,
    Answer,
    Ask,
    Fetched,
    Request,
    Response,
    Steps,
    Window,
    request_text,
)
from macro_assets_tests.sources.wire import toy_series

START = datetime(2026, 11, 1, tzinfo=UTC)
ALL_YEARS = [str(year) for year in range(2010, 2027)]
FIRST, SECOND = Holder(source="fred_graph", code="F"), Holder(source="dbnomics", code="D", dataset="set")
SAME = Holder(source="fred_graph", code="F", same=True)


class Toy:
    """A connector: a page per series of 'date,value' or 'date,value,release day', from `known` on where told."""

    explain = staticmethod(explain_status)

    def plan(self, series: Sequence[Series], window: Window) -> Iterator[Ask]:
        for one in series:
            yield Ask((one,), self.steps(one, window))

    def steps(self, series: Series, window: Window) -> Steps:
        known = window.known.get(series.id)
        told = {"since": known, "first": window.first, "last": window.last}
        asked = tuple((k, str(v)) for k, v in told.items() if v is not None)
        response = yield Request(f"/{series.code}", asked)
        text = response.body.decode()
        if text == "nothing new":
            return None
        if text.startswith("<html"):
            raise SchemaError("expected figures, got HTML")
        lines = [line.split(",") for line in text.split()]
        rows = pl.DataFrame(
            {
                "observation_date": pl.Series([date.fromisoformat(r[0]) for r in lines], dtype=pl.Date),
                "value": pl.Series([float(r[1]) if r[1] else None for r in lines], dtype=pl.Float64),
            }
        )
        if lines and len(lines[0]) > 2:
            days = [datetime.combine(date.fromisoformat(r[2]), time(12), tzinfo=UTC) for r in lines]
            rows = rows.with_columns(release_time=pl.Series(days, dtype=pl.Datetime("us", "UTC")))
        return [Answer(response, rows)]


Page = str | tuple[int, str] | Exception


class World:
    """Providers with a page by code, each of which may be an error, and a lake of the source `cboe`."""

    def __init__(self, root: Path, vintages: str = "none") -> None:
        self.root = root
        full = default_catalog()
        source = full.sources["cboe"].model_copy(update={"vintages": vintages})
        self.catalog = dataclasses.replace(full, sources={**full.sources, "cboe": source}, series={}, copies=())
        self.pages: dict[tuple[str, str], Page] = {}
        self.asked: list[str] = []
        self.closed: list[str] = []
        self.off: set[str] = set()
        self.now = START
        self.runs = 0

    @property
    def source(self) -> Source:
        return self.catalog.sources["cboe"]

    def alter(self, **facts: Any) -> None:
        """Say something else of the source."""
        source = self.source.model_copy(update=facts)
        self.catalog = dataclasses.replace(self.catalog, sources={**self.catalog.sources, "cboe": source})

    def declare(self, series_id: str, *holders: Holder, **facts: Any) -> Series:
        plain = {"frequency": "M", "first_year": 2025, "provider_unit": "Percent", "holders": holders}
        series = toy_series("cboe", series_id, id=series_id, **{**plain, **facts})
        self.catalog = dataclasses.replace(self.catalog, series={**self.catalog.series, series_id: series})
        return series

    def client(self, source: Source, remembered: object = None) -> _Client:
        return _Client(self, source)

    def missing_key(self, source: Source, environ: object = None) -> str | None:
        return f"source {source.name} is off" if source.name in self.off else None

    def take(self, *ids: str, years: Sequence[str] = ALL_YEARS, only_news: bool = False) -> StepResult:
        self.runs += 1
        self.now += timedelta(days=1)
        self.asked, self.closed = [], []
        selected = [s for s in self.catalog.series_of("cboe") if not ids or s.id in ids]
        run = Run(f"run{self.runs}", "v1", lambda text: None)
        return take_in(self.lake, self.source, Question(selected, Years(years, ALL_YEARS), only_news), run)

    @property
    def lake(self) -> Lakehouse:
        return Lakehouse(self.root, self.catalog)

    def raw(self) -> pl.DataFrame:
        return read_raw(self.lake, "cboe").sort(self.catalog.one_table("raw/cboe").key)

    def of(self, provider: str) -> dict[date, float | None]:
        """What a provider says now, by date."""
        rows = self.raw().filter(pl.col("provider") == provider).sort("release_time")
        return dict(rows.select("observation_date", "value").iter_rows())

    def values(self) -> list[float | None]:
        return observations_as_of(None, list(self.catalog.series), self.root, self.catalog)["value"].to_list()

    def log(self, series_id: str = "A") -> dict[str, dict[str, Any]]:
        """What the log of fetches says, by provider."""
        rows = self.lake.read("fetch_log/cboe").filter(pl.col("series_id") == series_id)
        return {r["provider"]: r for r in rows.iter_rows(named=True)}

    def is_rebuilt(self) -> bool:
        return rebuilt(self.lake, self.source).equals(self.raw())


class _Client:
    def __init__(self, world: World, source: Source) -> None:
        self.world, self.source = world, source

    def get(self, request: Request) -> Response:
        self.world.now += timedelta(seconds=1)
        self.world.asked.append(f"{self.source.name}{request.target}")
        page = self.world.pages.get((self.source.name, request.path[1:]), (404, "not found"))
        if isinstance(page, Exception):
            raise page
        status, text = page if isinstance(page, tuple) else (200, page)
        return Response(request_text(self.source, request), text.encode(), self.world.now, status)

    def close(self) -> None:
        self.world.closed.append(self.source.name)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], World]:
    def made(vintages: str) -> World:
        world = World(tmp_path, vintages)

        class Clock(datetime):
            """The clock of the providers."""

            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return world.now

        monkeypatch.setattr(fetching, "connector", lambda source: Toy())
        monkeypatch.setattr(protocol, "datetime", Clock)
        monkeypatch.setattr(step, "open_client", lambda source, remembered: world.client(source))
        for module in (fetch, step, health):
            monkeypatch.setattr(module, "missing_key", lambda source, *_: world.missing_key(source))
        return world

    return made


@pytest.fixture
def world(make: Callable[[str], World]) -> World:
    return make("none")


@pytest.fixture
def dated(make: Callable[[str], World]) -> World:
    return make("changes")


def outcome(done: StepResult, series_id: str) -> tuple[str | None, str | None]:
    (found,) = [o for o in done.outcomes if o.series.id == series_id]
    return found.failure, found.warning


# --- in turn -------------------------------------------------------------------------------------------------------


def test_a_source_that_answers_is_asked_alone(world: World) -> None:
    world.declare("A", FIRST)
    world.pages = {("cboe", "A"): "2026-09-01,5", ("fred_graph", "F"): "2026-09-01,6"}
    assert outcome(world.take(), "A") == (None, None)
    assert world.asked == ["cboe/A"]
    assert world.closed == ["cboe"]


@pytest.mark.parametrize("page", [(503, "busy"), (404, "gone"), "<html>sorry", TransientError("no route")])
def test_a_series_that_fails_is_had_from_its_holder_by_its_code_there(world: World, page: Page) -> None:
    world.declare("A", FIRST)
    world.declare("B", FIRST)
    world.pages = {("cboe", "A"): page, ("cboe", "B"): "2026-09-01,5", ("fred_graph", "F"): "2026-09-01,6"}
    done = world.take()
    failure, warning = outcome(done, "A")
    assert failure is None
    assert warning is not None
    assert warning.startswith("series A of source cboe: ")
    assert warning.endswith(" fred_graph served it.")
    assert outcome(done, "B") == (None, None)
    assert world.asked == ["cboe/A", "cboe/B", "fred_graph/F"]
    stored = world.raw().select("series_id", "provider", "value").rows()
    assert sorted(stored) == [("A", "fred_graph", 6.0), ("B", "cboe", 5.0)]
    assert world.values() == [6.0, 5.0]


def test_the_log_has_who_failed_and_who_served(world: World) -> None:
    world.declare("A", FIRST)
    world.pages = {("cboe", "A"): (503, "busy"), ("fred_graph", "F"): "2026-09-01,6"}
    done = world.take()
    log = world.log()
    home, other = log["cboe"], log["fred_graph"]
    assert (home["status"], home["is_whole"], home["last_success"], home["rows_seen"]) == ("failed", False, None, 0)
    assert "HTTP 503" in home["error"]
    assert (other["status"], other["is_whole"], other["error"], other["rows_seen"]) == ("ok", True, None, 1)
    assert done.last_successes == {"A": other["last_success"]}
    world.pages["cboe", "A"] = "2026-09-01,5"
    world.take()
    assert world.log()["cboe"]["status"] == "ok"
    assert world.log()["fred_graph"] == other, "it was not asked"


def test_a_holder_in_another_unit_is_multiplied(world: World) -> None:
    world.declare("A", Holder(source="fred_graph", code="F", factor=0.01))
    world.declare("B", FIRST)
    world.pages[("fred_graph", "F")] = "2026-09-01,500 2026-08-01,"
    world.take()
    assert world.raw()["value"].to_list() == [None, 5.0, None, 500.0]


def test_holders_are_asked_in_order_until_one_answers(world: World) -> None:
    world.declare("A", FIRST, SECOND)
    world.declare("B", SECOND, FIRST)
    world.pages = {("fred_graph", "F"): (500, "down"), ("dbnomics", "D"): "2026-09-01,7"}
    done = world.take()
    assert outcome(done, "A")[0] is None
    assert set(world.raw()["provider"]) == {"dbnomics"}
    # in each turn, each provider is asked once for all that lack: A of FRED in vain, B of DBnomics, then A of DBnomics
    assert world.asked == ["cboe/A", "cboe/B", "fred_graph/F", "dbnomics/D", "dbnomics/D"]
    assert sorted(world.closed) == ["cboe", "dbnomics", "dbnomics", "fred_graph"]
    assert {p: r["status"] for p, r in world.log().items()} == {
        "cboe": "failed",
        "fred_graph": "failed",
        "dbnomics": "ok",
    }


def test_where_all_fail_the_reasons_of_all_are_told(world: World) -> None:
    world.declare("A", FIRST, SECOND)
    world.pages = {("cboe", "A"): (500, "one"), ("fred_graph", "F"): TransientError("two"), ("dbnomics", "D"): "<html>"}
    failure, warning = outcome(world.take(), "A")
    assert failure is not None
    assert warning is None
    first, second, third = failure.split(" Its holder ")
    assert "series A of source cboe" in first
    assert second.startswith("fred_graph failed too: series A of source fred_graph: two")
    assert third.startswith("dbnomics failed too: series A of source dbnomics: expected figures, got HTML")
    assert world.log()["cboe"]["error"] == failure
    world.pages |= {("cboe", "A"): TransientError("down"), ("fred_graph", "F"): TransientError("down")}
    failure, _ = outcome(world.take(), "A")
    assert failure is not None
    assert failure.startswith("series A of source cboe: down Its holder fred_graph failed too. Its holder dbnomics")
    nobody = UnreachableError("no network, or no such host: cannot resolve a.example.")
    world.pages = {
        ("cboe", "A"): nobody,
        ("fred_graph", "F"): UnreachableError("no network."),
        ("dbnomics", "D"): nobody,
    }
    assert outcome(world.take(), "A")[0] == f"series A of source cboe: {nobody}"
    assert world.raw().is_empty()
    assert not (world.root / "raw").exists(), "of nothing no table is made"


def test_a_holder_that_has_nothing_serves_nothing(world: World) -> None:
    world.declare("A", FIRST)
    world.pages = {("cboe", "A"): (500, "down"), ("fred_graph", "F"): ""}
    failure, warning = outcome(world.take(), "A")
    assert "series A of source fred_graph: the answer holds no observations" in str(failure)
    assert warning is None


def test_rows_of_a_holder_are_held_against_what_the_catalog_says_of_it(world: World) -> None:
    """Its own bounds and first year; and what fails is left out as it is of the source."""
    world.declare(
        "A", Holder(source="fred_graph", code="F", bounds={"low": 0, "high": 10}), bounds={"low": 0, "high": 1}
    )
    world.pages[("fred_graph", "F")] = "2026-08-01,5 2026-09-01,600"
    failure, warning = outcome(world.take(), "A")
    assert failure is not None
    assert warning is None
    assert world.of("fred_graph") == {date(2026, 8, 1): 5.0}
    assert not world.log()["fred_graph"]["is_whole"], "it is asked for all again"


# --- keys ----------------------------------------------------------------------------------------------------------


def test_without_its_key_a_source_is_served_by_the_first_who_answers(world: World) -> None:
    """Whoever is off in turn is skipped; it is said once, and no series warns."""
    world.off = {"cboe", "dbnomics"}
    world.declare("A", SECOND, FIRST)
    world.declare("B", SECOND)
    world.declare("C")
    world.pages[("fred_graph", "F")] = "2026-09-01,6"
    done = world.take()
    assert world.asked == ["fred_graph/F"]
    (served,) = done.outcomes
    assert (served.series.id, served.provider, served.failure, served.warning) == ("A", "fred_graph", None, None)
    assert served.note == "fred_graph served it: source cboe is off"
    assert {p: r["status"] for p, r in world.log("A").items()} == {"cboe": "off", "fred_graph": "ok"}
    assert {p: r["status"] for i in "BC" for p, r in world.log(i).items()} == {"cboe": "off"}
    assert (done.health.state, done.health.failed) == ("off", 0)
    assert done.health.reason == "source cboe is off fred_graph serves 1 of its series."
    assert world.is_rebuilt()


def test_without_its_key_and_an_answer_a_series_stays_off(world: World) -> None:
    world.off = {"cboe"}
    world.declare("A", FIRST)
    world.pages[("fred_graph", "F")] = (500, "down")
    done = world.take()
    assert (done.outcomes, done.failed, done.health.state, done.health.failed) == ((), {}, "off", 1)
    assert "1 had no answer: series A of source fred_graph: HTTP 500" in done.health.reason
    assert {p: r["status"] for p, r in world.log().items()} == {"cboe": "off", "fred_graph": "failed"}


def test_without_its_key_an_answer_that_is_no_good_is_a_failure(world: World) -> None:
    world.off = {"cboe"}
    world.declare("A", FIRST, bounds={"low": 0, "high": 1})
    world.pages[("fred_graph", "F")] = "2026-09-01,6"
    assert "value less_than_or_equal_to" in world.take().failed["A"]


def test_a_key_that_comes_has_the_source_asked_for_all_and_one_that_goes_loses_nothing(dated: World) -> None:
    dated.declare("A", FIRST)
    dated.pages = {("cboe", "A"): HISTORY, ("fred_graph", "F"): "2026-08-01,2 2026-09-01,3"}
    dated.off = {"cboe"}
    dated.take(only_news=True)
    assert dated.of("fred_graph") == {date(2026, 8, 1): 2.0, date(2026, 9, 1): 3.0}
    dated.off = set()
    dated.take(years=["2026"], only_news=True)
    assert dated.asked == ["cboe/A"]
    assert dated.raw().filter(provider="cboe").height == 3
    assert dated.log()["cboe"]["is_whole"]
    stored = dated.raw()
    dated.off = {"cboe"}
    dated.take(years=["2026"], only_news=True)
    assert dated.asked == ["fred_graph/F?first=2025-01-01"]
    assert dated.raw().equals(stored)
    assert dated.log()["cboe"]["is_whole"]
    assert dated.is_rebuilt()


def test_what_came_in_years_of_one_provider_is_news_of_no_other(dated: World) -> None:
    """What the source released says nothing about another holder, which was never had."""
    dated.declare("A", FIRST)
    dated.pages = {("cboe", "A"): HISTORY, ("fred_graph", "F"): "2026-09-01,6"}
    dated.take()
    dated.pages["cboe", "A"] = (500, "down")
    dated.take(years=["2026"], only_news=True)
    assert dated.asked == ["cboe/A?since=2026-10-10&first=2025-01-01", "fred_graph/F"]
    dated.take(years=["2026"], only_news=True)
    assert dated.asked == ["cboe/A?since=2026-10-10&first=2025-01-01", "fred_graph/F?first=2025-01-01"]


# --- whole first ---------------------------------------------------------------------------------------------------


def test_who_was_never_had_whole_is_asked_for_the_whole(world: World) -> None:
    world.declare("A", FIRST)
    world.declare("B", FIRST)
    world.pages = {("cboe", "A"): "2025-09-01,5 2026-09-01,5", ("cboe", "B"): "2026-09-01,5"}
    world.take("A", years=["2026"])
    assert world.asked == ["cboe/A"]
    assert set(world.of("cboe")) == {date(2025, 9, 1), date(2026, 9, 1)}
    world.take(years=["2026"])
    assert world.asked == ["cboe/B", "cboe/A?first=2026-01-01"]
    world.pages[("fred_graph", "F")] = "2025-09-01,7 2026-09-01,7"
    world.pages["cboe", "A"] = world.pages["cboe", "B"] = (503, "busy")
    world.take("A", years=["2026"])
    assert world.asked == ["cboe/A?first=2026-01-01", "fred_graph/F"]
    world.take(years=["2026"])
    assert sorted(world.asked[2:]) == ["fred_graph/F", "fred_graph/F?first=2026-01-01"]
    assert world.is_rebuilt()


def test_of_a_first_fetch_that_broke_off_nothing_is_stored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One page came, the next did not: a part of a history is none."""
    world.declare("A", FIRST)

    class Pages(Toy):
        def steps(self, series: Series, window: Window) -> Steps:
            answers = []
            for page in (1, 2):
                response = yield Request(f"/{series.code}{page}")
                text = response.body.decode()
                if text == "broken":
                    raise SchemaError("expected a page")
                rows = pl.DataFrame({"observation_date": [date(2026, page, 1)], "value": [float(text)]})
                answers.append(Answer(response, rows))
            return answers

    monkeypatch.setattr(fetching, "connector", lambda source: Pages())
    for second in (TransientError("no route"), "broken"):
        world.pages = {("fred_graph", "F1"): "1", ("fred_graph", "F2"): second}
        assert "Its holder fred_graph failed too" in world.take(years=["2026"]).failed["A"]
        assert world.raw().is_empty()
    world.pages[("fred_graph", "F2")] = "2"
    assert world.take(years=["2015"]).failed == {}
    assert world.of("fred_graph") == {date(2026, 1, 1): 1.0, date(2026, 2, 1): 2.0}
    assert world.is_rebuilt()


# --- the very same figures -----------------------------------------------------------------------------------------

MONTHS = [date(2026, m, 1) for m in range(1, 10)]


def page(values: Sequence[float], days: Sequence[date] = MONTHS) -> str:
    return " ".join(f"{d},{v}" for d, v in zip(days, values, strict=True))


def down(world: World) -> None:
    world.pages["cboe", "A"] = (503, "busy")


THOUSANDS = [130_000.0 + m for m in range(9)]
MILLIONS = [v / 1000 for v in THOUSANDS]


def test_figures_that_should_be_the_same_and_are_a_factor_are_refused_at_first(world: World) -> None:
    world.declare("A", SAME)
    world.pages = {("cboe", "A"): page(THOUSANDS), ("fred_graph", "F"): page(MILLIONS)}
    world.take()
    stored = world.raw()
    down(world)
    done = world.take()
    for words in (
        "series A of source fred_graph: each of 9 figures is 0.001 times that of cboe",
        "of 2026-09-01, fred_graph says 130.008 and cboe 130008",
        "`factor`",
    ):
        assert words in done.failed["A"]
    assert world.raw().equals(stored)
    assert world.is_rebuilt()
    world.pages["fred_graph", "F"] = page(THOUSANDS)
    assert world.take().failed == {}


@pytest.mark.parametrize("days", [1, 3])
def test_figures_of_another_vintage_are_no_factor_of_each_other(world: World, days: int) -> None:
    """They end with different dates: the same state is sure within a day alone, and a base year may change."""
    world.declare("A", SAME)
    world.pages = {("cboe", "A"): page(THOUSANDS[:-1], MONTHS[:-1]), ("fred_graph", "F"): page(MILLIONS)}
    world.take()
    down(world)
    world.now += timedelta(days=days - 1) - timedelta(minutes=1)
    assert bool(world.take().failed) == (days == 1)


def test_figures_that_only_resemble_each_other_may_differ(world: World) -> None:
    world.declare("A", FIRST)
    world.declare("B", SAME)
    world.pages = {("cboe", "A"): page(THOUSANDS), ("cboe", "B"): page(THOUSANDS)}
    world.pages["fred_graph", "F"] = page([v + m % 3 for m, v in enumerate(MILLIONS)])
    world.take()
    world.pages["cboe", "A"] = world.pages["cboe", "B"] = (503, "busy")
    assert world.take().failed == {}


def test_a_source_that_comes_later_is_stored_and_the_difference_is_named(world: World) -> None:
    world.declare("A", SAME)
    world.pages = {("cboe", "A"): (503, "busy"), ("fred_graph", "F"): page(MILLIONS)}
    world.take()
    world.pages["cboe", "A"] = page(THOUSANDS)
    for _ in range(2):  # until it is mended
        failure = world.take(only_news=True).failed["A"]
        assert "series A of source cboe: each of 9 figures is 1000 times that of fred_graph" in failure
        assert "cboe says 130008 and fred_graph 130.008" in failure
    assert list(world.of("cboe").values()) == THOUSANDS
    assert world.log()["cboe"]["is_whole"]
    assert world.is_rebuilt()


def test_dates_after_those_of_the_source_are_known_from_when_they_were_seen(world: World) -> None:
    """An estimate would be a look ahead: today's figures at guessed times."""
    world.declare("A", SAME)
    world.declare("B", Holder(source="fred_graph", code="G"))
    world.pages = {("cboe", i): page(THOUSANDS[:7], MONTHS[:7]) for i in "AB"}
    world.take()
    world.pages = {("fred_graph", i): page(THOUSANDS) for i in "FG"}
    seen = world.take()
    assert seen.failed == {}
    rows = world.raw().filter(provider="fred_graph", series_id="A").sort("observation_date")
    assert rows["release_basis"].to_list() == 7 * ["publication_lag"] + 2 * ["ingested"]
    late = rows.tail(2)
    assert late["release_time"].to_list() == late["ingested_at"].to_list()
    assert set(world.raw().filter(provider="fred_graph", series_id="B")["release_basis"]) == {"publication_lag"}
    assert world.is_rebuilt()


# --- older states --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["cboe", "fred_graph"])
def test_an_older_state_than_is_held_is_refused_as_a_whole(world: World, provider: str) -> None:
    """As a cache answers: the end is missing, and what was revised since would be put back."""
    world.declare("A", FIRST)
    code = "A" if provider == "cboe" else "F"
    world.pages[(provider, code)] = page(THOUSANDS)
    world.take()
    stored = world.raw()
    world.pages[(provider, code)] = page([v + 1 for v in THOUSANDS[:-1]], MONTHS[:-1])
    failure = world.take().failed["A"]
    assert f"series A of source {provider}: the answer ends with 2026-08-01, and 2026-09-01 is stored of it" in failure
    assert world.raw().equals(stored)
    assert world.is_rebuilt()


def test_an_end_that_was_not_asked_for_is_not_missing(world: World) -> None:
    world.declare("A")
    world.pages["cboe", "A"] = page([1.0, 2.0], [date(2025, 9, 1), date(2026, 9, 1)])
    world.take()
    world.pages["cboe", "A"] = "2025-09-01,1"
    assert world.take(years=["2025"]).failed == {}


# --- answers as a whole, by what their source is -------------------------------------------------------------------


def test_a_provider_that_drops_old_figures_has_not_shrunk(world: World) -> None:
    world.declare("A")
    world.pages["cboe", "A"] = page(range(9))
    world.take()
    world.pages["cboe", "A"] = page(range(8), MONTHS[1:])
    assert "lacks 1 of 9 dates" in str(outcome(world.take(), "A")[0])
    world.alter(rolling=True)
    world.pages["cboe", "A"] = page([5.0, 6.0, 7.5], MONTHS[6:])
    assert outcome(world.take(), "A")[0] is None
    assert world.values()[-2:] == [6.0, 7.5]
    assert len(world.values()) == 9, "what was dropped stays stored"


def test_old_years_of_a_provider_that_drops_them_may_be_empty_and_the_last_may_not(world: World) -> None:
    world.declare("A", first_year=2010)
    world.pages["cboe", "A"] = page(range(9))
    world.take()
    world.pages["cboe", "A"] = ""
    old = ["2015", "2016"]
    assert "holds no observations" in str(outcome(world.take(years=old), "A")[0])
    world.alter(rolling=True)
    assert outcome(world.take(years=old), "A")[0] is None
    assert "holds no observations" in str(outcome(world.take(), "A")[0])


def test_another_unit_is_refused_where_nothing_else_tells_it(world: World) -> None:
    world.declare("A")
    world.pages["cboe", "A"] = page([100.0 + m for m in range(9)])
    world.take()
    stored = world.raw()
    world.pages["cboe", "A"] = page([0.1 + m / 1000 for m in range(9)])
    assert "0.001 times the stored one" in str(outcome(world.take(), "A")[0])
    assert world.raw().equals(stored)


def test_a_new_base_year_is_a_vintage_where_there_are_vintages(dated: World) -> None:
    """Every figure at once is revised then, as the provider itself says."""
    dated.declare("A")
    dated.pages["cboe", "A"] = " ".join(f"{d},{100 + d.month},2026-10-10" for d in MONTHS)
    dated.take()
    dated.pages["cboe", "A"] = " ".join(f"{d},{(100 + d.month) * 2},2026-10-20" for d in MONTHS)
    assert outcome(dated.take(), "A")[0] is None
    assert dated.values() == [(100.0 + d.month) * 2 for d in MONTHS]


# --- what is known already -----------------------------------------------------------------------------------------

HISTORY = "2026-08-01,1,2026-09-10 2026-08-01,2,2026-10-10 2026-09-01,3,2026-10-10"


def test_what_is_known_is_the_latest_release_that_the_source_itself_stated(dated: World) -> None:
    dated.declare("A", FIRST)
    dated.declare("B", FIRST)
    dated.pages = {("cboe", "A"): HISTORY, ("fred_graph", "F"): "2026-09-01,6"}
    dated.take()
    held = dated.raw()
    assert known_releases(dated.source, held) == {"A": date(2026, 10, 10)}
    assert known_releases(dated.source, held.clear()) == {}
    for way in ("none", "whole"):
        assert known_releases(dated.source.model_copy(update={"vintages": way}), held) == {}


def test_estimates_and_fetches_are_no_known_releases(dated: World) -> None:
    dated.declare("A")
    dated.pages["cboe", "A"] = "2026-09-01,6"
    dated.take()
    dated.pages["cboe", "A"] = "2026-09-01,7"
    dated.take()
    assert dated.raw()["release_basis"].to_list() == ["publication_lag", "ingested"]
    assert known_releases(dated.source, dated.raw()) == {}


def test_nothing_new_is_no_empty_answer_and_no_failure(dated: World) -> None:
    dated.declare("A")
    dated.pages["cboe", "A"] = HISTORY
    dated.take()
    dated.pages["cboe", "A"] = "nothing new"
    assert outcome(dated.take(years=["2026"], only_news=True), "A") == (None, None)
    assert dated.asked == ["cboe/A?since=2026-10-10&first=2025-01-01"]
    assert dated.log()["cboe"]["rows_seen"] == 0


def test_a_refresh_is_rebuilt_with_what_was_known_then(dated: World) -> None:
    """`asked_on` and `known_through` decide what was asked; a rebuild must ask the same of landing."""
    dated.declare("A")
    dated.declare("B")
    dated.pages = {("cboe", "A"): HISTORY, ("cboe", "B"): HISTORY}
    dated.take()
    dated.pages = {
        ("cboe", "A"): "2026-08-01,2,2026-11-01 2026-09-01,4,2026-11-01",
        ("cboe", "B"): "2026-08-01,2,2026-11-01 2026-09-01,3,2026-11-01 2026-10-01,9,2026-11-01",
    }
    assert outcome(dated.take(years=["2026"], only_news=True), "A") == (None, None)
    assert dated.asked == [f"cboe/{i}?since=2026-10-10&first=2025-01-01" for i in "AB"]
    assert dated.values() == [2.0, 4.0, 2.0, 3.0, 9.0]
    assert dated.is_rebuilt()


# --- answers that still hold ---------------------------------------------------------------------------------------


def test_the_latest_good_answers_with_a_validator_are_remembered(world: World) -> None:
    series = world.declare("A")
    holdings = holders_of(world.catalog, series)
    day = Window(today=date(2026, 11, 2))
    texts = {"a": "1", "b": "2", "c": "3"}

    def answered(name: str, text: str, hour: int, status: int = 200, validator: str | None = "ETag: x") -> None:
        response = Response(f"GET {name}", text.encode(), START + timedelta(hours=hour), status, validator)
        nothing = Fetched(pl.DataFrame(schema=OBSERVATION_SCHEMA), (response,), {"A": "not read"})
        asked = Asked(world.source, holdings, day, nothing)
        ingest(world.lake, StoredSource.of(world.lake, world.source), [asked], f"run{hour}", "v1")

    answered("a", texts["a"], 1)
    answered("a", "newer", 2, validator="ETag: y")
    answered("a", "broken", 3, status=503, validator=None)
    answered("b", texts["b"], 4, validator=None)
    answered("c", texts["c"], 5)
    answered("c", "no validator any more", 6, validator=None)
    found = earlier_responses(Lakehouse(world.root, world.catalog), world.source)
    assert set(found) == {"GET a"}
    kept = found["GET a"]
    assert (kept.body, kept.validator, kept.http_status) == (b"newer", "ETag: y", 200)
    assert kept.fetched_at == START + timedelta(hours=2)
    assert world.source.api is not None
    plain = world.source.model_copy(update={"api": world.source.api.model_copy(update={"conditional": False})})
    assert earlier_responses(Lakehouse(world.root, world.catalog), plain) == {}
    assert earlier_responses(Lakehouse(world.root, world.catalog), world.catalog.sources["bundled"]) == {}


# --- rebuilds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [(503, "busy"), "<html>sorry", TransientError("no route")])
def test_a_lake_that_other_holders_served_is_rebuilt(world: World, page: Page) -> None:
    """At first, and after the source had answered: no earlier answer may stand in for one that never came."""
    world.declare("A", Holder(source="fred_graph", code="F", factor=0.5), SECOND)
    world.declare("B")
    world.pages = {("cboe", "A"): page, ("cboe", "B"): "2026-08-01,1", ("fred_graph", "F"): "2026-08-01,8"}
    world.take()
    assert world.is_rebuilt()
    world.pages["cboe", "A"] = "2026-08-01,5"
    world.take()
    assert world.is_rebuilt()
    world.pages["cboe", "A"] = "2026-08-01,5.5"
    world.take(years=["2026"])
    assert world.is_rebuilt()
    world.pages |= {("cboe", "A"): page, ("fred_graph", "F"): "2026-08-01,8 2026-09-01,12"}
    world.pages["cboe", "B"] = "2026-08-01,2"
    world.take()
    assert (world.of("cboe"), world.of("fred_graph")) == (
        {date(2026, 8, 1): 2.0},
        {date(2026, 8, 1): 4.0, date(2026, 9, 1): 6.0},
    )
    assert world.is_rebuilt()


def test_a_lost_answer_beside_stored_ones_is_rebuilt_as_nothing(world: World) -> None:
    world.declare("A")
    world.declare("B")
    world.pages = {("cboe", "A"): "2026-08-01,1", ("cboe", "B"): "2026-08-01,1"}
    world.take()
    world.pages = {("cboe", "A"): TransientError("no route"), ("cboe", "B"): "2026-08-01,2"}
    assert outcome(world.take(), "A")[0] is not None
    assert world.is_rebuilt()


def test_a_window_is_rebuilt_as_of_the_day_it_was_asked(world: World) -> None:
    """Figures that lay ahead of that day were refused then, and still are."""
    world.declare("A", frequency="D")
    world.pages["cboe", "A"] = "2026-11-02,1 2026-12-24,9"
    failure, _ = outcome(world.take(), "A")
    assert "in the future" in str(failure)
    assert world.raw().is_empty()
    assert world.is_rebuilt()


def test_receipts_of_an_earlier_version_are_rebuilt_as_they_were_stored(world: World) -> None:
    """It did not note who was asked; of the others it took the years asked for, and held them against nothing."""
    for name in "AB":
        world.declare(name, SAME, SECOND)
    holders = [holders_of(world.catalog, s) for s in world.catalog.series_of("cboe")]
    schema = polars_schema(world.lake.table("landing/cboe").columns)

    def landed_then(run: str, window: Window) -> None:
        asked = ask_in_turn(holders, lambda _, some: [(window, some)], world.catalog, world.client)
        told = pl.concat(receipts(one, run, schema) for one in asked)
        told = told.with_columns(provider=pl.lit(None, pl.String), series_ids=pl.lit("A B"))
        land(world.lake, "cboe", told, {})

    world.pages = {("cboe", "A"): page(THOUSANDS), ("cboe", "B"): page(THOUSANDS)}
    landed_then("one", Window(today=world.now.date()))
    world.now += timedelta(days=1)
    world.pages = {("cboe", "A"): (503, "busy"), ("cboe", "B"): page(THOUSANDS)}
    world.pages["fred_graph", "F"] = page(MILLIONS[4:-1], MONTHS[4:-1])
    landed_then("two", Window(first=MONTHS[4], today=world.now.date()))
    again = rebuilt(world.lake, world.source)
    other = again.filter(provider="fred_graph")
    assert (other["series_id"].unique().to_list(), other["value"].to_list()) == (["A"], MILLIONS[4:-1])
    assert set(other["release_basis"]) == {"publication_lag"}
    assert again.filter(provider="cboe")["run_id"].unique().to_list() == ["one"]
