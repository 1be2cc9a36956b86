"""Live sources around a failure: fallbacks, what is known already, answers that still hold, and all of it rebuilt."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Fallback, Series, Source, default_catalog
from macro_assets.intake.fetch import earlier_responses, fetch_with_fallbacks, known_releases
from macro_assets.intake.ingest import Ingested, StoredSource, ingest
from macro_assets.intake.rebuild import rebuilt
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import observations_as_of, read_raw
from macro_assets.sources import fetching
from macro_assets.sources.clients import open_client
from macro_assets.sources.errors import SchemaError, TransientError, explain_status
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
FIRST, SECOND = Fallback(source="fred_graph", code="F"), Fallback(source="dbnomics", code="D", dataset="set")


class Toy:
    """A connector: a page per series of 'date,value' or 'date,value,release day', from `known` on where told."""

    explain = staticmethod(explain_status)

    def plan(self, series: Sequence[Series], window: Window) -> Iterator[Ask]:
        for one in series:
            yield Ask((one,), self.steps(one, window))

    def steps(self, series: Series, window: Window) -> Steps:
        known = window.known.get(series.id)
        asked = (("since", str(known)),) if known else ()
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
        self.source = full.sources["cboe"].model_copy(update={"vintages": vintages})
        self.catalog = dataclasses.replace(full, sources={**full.sources, "cboe": self.source}, series={})
        self.pages: dict[tuple[str, str], Page] = {}
        self.asked: list[str] = []
        self.closed: list[str] = []
        self.now = START
        self.runs = 0

    def declare(self, series_id: str, *fallback: Fallback, **facts: Any) -> Series:
        plain = {"frequency": "M", "first_year": 2025, "provider_unit": "Percent", "fallback": fallback}
        series = toy_series("cboe", series_id, id=series_id, **{**plain, **facts})
        self.catalog = dataclasses.replace(self.catalog, series={**self.catalog.series, series_id: series})
        return series

    def client(self, source: Source) -> _Client:
        return _Client(self, source)

    def take(self, window: Window | None = None, *ids: str) -> Ingested:
        self.runs += 1
        self.now += timedelta(days=1)
        window = window or Window(today=self.now.date())
        selected = [s for s in self.catalog.series_of("cboe") if not ids or s.id in ids]
        fetched = fetch_with_fallbacks(self.source, selected, window, self.catalog, self.client)
        here = Lakehouse(self.root, self.catalog)
        return ingest(here, StoredSource.of(here, self.source), selected, window, fetched, f"run{self.runs}", "v1")

    def raw(self) -> pl.DataFrame:
        return read_raw(Lakehouse(self.root, self.catalog), "cboe").sort(self.catalog.one_table("raw/cboe").key)

    def values(self) -> list[float | None]:
        return observations_as_of(None, list(self.catalog.series), self.root, self.catalog)["value"].to_list()

    def is_rebuilt(self) -> bool:
        return rebuilt(Lakehouse(self.root, self.catalog), self.source).equals(self.raw())


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
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(fetching, "connector", lambda source: Toy())
    return World(tmp_path)


@pytest.fixture
def dated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(fetching, "connector", lambda source: Toy())
    return World(tmp_path, vintages="changes")


def outcome(done: Ingested, series_id: str) -> tuple[str | None, str | None]:
    (found,) = [o for o in done.outcomes if o.series.id == series_id]
    return found.failure, found.warning


# --- fallbacks -----------------------------------------------------------------------------------------------------


def test_a_source_that_answers_asks_no_fallback(world: World) -> None:
    world.declare("A", FIRST)
    world.pages = {("cboe", "A"): "2026-09-01,5", ("fred_graph", "F"): "2026-09-01,6"}
    assert outcome(world.take(), "A") == (None, None)
    assert world.asked == ["cboe/A"]
    assert world.closed == ["cboe"]


@pytest.mark.parametrize("page", [(503, "busy"), (404, "gone"), "<html>sorry", TransientError("no route")])
def test_a_series_that_fails_is_had_from_its_fallback_by_its_code_there(world: World, page: Page) -> None:
    world.declare("A", FIRST)
    world.declare("B", FIRST)
    world.pages = {("cboe", "A"): page, ("cboe", "B"): "2026-09-01,5", ("fred_graph", "F"): "2026-09-01,6"}
    done = world.take()
    failure, warning = outcome(done, "A")
    assert failure is None
    assert warning is not None
    assert warning.startswith("series A of source cboe: ")
    assert outcome(done, "B") == (None, None)
    assert world.asked == ["cboe/A", "cboe/B", "fred_graph/F"]
    stored = world.raw().select("series_id", "provider", "value").rows()
    assert sorted(stored) == [("A", "fred_graph", 6.0), ("B", "cboe", 5.0)]
    assert world.values() == [6.0, 5.0]


def test_a_fallback_in_another_unit_is_multiplied(world: World) -> None:
    world.declare("A", Fallback(source="fred_graph", code="F", factor=0.01))
    world.declare("B", FIRST)
    world.pages[("fred_graph", "F")] = "2026-09-01,500 2026-08-01,"
    world.take()
    assert world.values() == [None, 5.0, None, 500.0]


def test_fallbacks_are_asked_in_order_until_one_answers(world: World) -> None:
    world.declare("A", FIRST, SECOND)
    world.declare("B", SECOND, FIRST)
    world.pages = {("fred_graph", "F"): (500, "down"), ("dbnomics", "D"): "2026-09-01,7"}
    done = world.take()
    assert outcome(done, "A")[0] is None
    assert set(world.raw()["provider"]) == {"dbnomics"}
    # of each rank, each provider is asked once for all that lack: A of FRED in vain, B of DBnomics, then A of DBnomics
    assert world.asked == ["cboe/A", "cboe/B", "fred_graph/F", "dbnomics/D", "dbnomics/D"]
    assert sorted(world.closed) == ["cboe", "dbnomics", "dbnomics", "fred_graph"]


def test_where_all_fail_the_reasons_of_all_are_told(world: World) -> None:
    world.declare("A", FIRST, SECOND)
    world.pages = {("cboe", "A"): (500, "one"), ("fred_graph", "F"): TransientError("two"), ("dbnomics", "D"): "<html>"}
    failure, warning = outcome(world.take(), "A")
    assert failure is not None
    assert warning is None
    first, second, third = failure.split(" Its fallback ")
    assert "series A of source cboe" in first
    assert second.startswith("fred_graph failed too: series A of source fred_graph: two")
    assert third.startswith("dbnomics failed too: series A of source dbnomics: expected figures, got HTML")
    assert world.raw().is_empty()


def test_a_fallback_that_has_nothing_serves_nothing(world: World) -> None:
    world.declare("A", FIRST)
    world.pages = {("cboe", "A"): (500, "down"), ("fred_graph", "F"): ""}
    failure, warning = outcome(world.take(), "A")
    assert "source cboe" in str(failure)
    assert warning is None


def test_a_fallback_without_its_key_is_a_reason_and_no_crash(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    world.declare("A", Fallback(source="fred", code="K"), FIRST)
    world.declare("B", Fallback(source="fred", code="K"))
    world.pages[("fred_graph", "F")] = "2026-09-01,6"
    normal = world.client
    world.client = lambda source: open_client(source) if source.name == "fred" else normal(source)  # type: ignore[method-assign, assignment, return-value]
    done = world.take()
    assert outcome(done, "A")[0] is None
    assert "FRED_API_KEY" in str(outcome(done, "A")[1])
    assert "Its fallback fred failed too" in str(outcome(done, "B")[0])
    assert "FRED_API_KEY" in str(outcome(done, "B")[0])


def test_a_source_without_its_key_is_served_by_fallbacks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    series = toy_series("fred", "A", id="A", fallback=(FIRST,))
    world.pages[("fred_graph", "F")] = "2026-09-01,6"
    normal = world.client

    def clients(source: Source) -> Any:
        return open_client(source) if source.name == "fred" else normal(source)

    found = fetch_with_fallbacks(world.catalog.sources["fred"], [series], Window(), world.catalog, clients)
    assert found.failures == {}
    assert "FRED_API_KEY" in found.substituted["A"]
    assert found.observations["provider"].to_list() == ["fred_graph"]


def test_a_fallback_is_asked_for_all_whatever_is_known_of_the_source(dated: World) -> None:
    """What the source released says nothing about the fallback."""
    dated.declare("A", FIRST)
    dated.pages = {("cboe", "A"): (500, "down"), ("fred_graph", "F"): "2026-09-01,6"}
    dated.take(Window(today=date(2026, 11, 2), known={"A": date(2026, 10, 1)}))
    assert dated.asked == ["cboe/A?since=2026-10-01", "fred_graph/F"]


def test_the_figures_of_the_source_count_before_those_of_its_fallback(world: World) -> None:
    world.declare("A", FIRST)
    world.pages = {("cboe", "A"): "2026-08-01,5", ("fred_graph", "F"): "2026-08-01,9 2026-09-01,6"}
    world.take()
    world.pages["cboe", "A"] = (503, "busy")
    assert outcome(world.take(), "A")[0] is None
    assert world.values() == [5.0, 6.0]
    world.pages["cboe", "A"] = "2026-08-01,5 2026-09-01,6.5"
    assert outcome(world.take(), "A") == (None, None)
    assert world.values() == [5.0, 6.5]
    assert world.raw().filter(pl.col("provider") == "fred_graph").height == 2
    assert world.is_rebuilt()


def test_a_fallback_that_lacks_dates_of_the_source_is_no_shrunken_answer(world: World) -> None:
    world.declare("A", FIRST)
    world.pages = {("cboe", "A"): "2026-08-01,5 2026-09-01,6", ("fred_graph", "F"): "2026-09-01,6"}
    world.take()
    world.pages["cboe", "A"] = (503, "busy")
    assert outcome(world.take(), "A")[0] is None


def test_rows_of_a_fallback_are_held_against_the_catalog(world: World) -> None:
    world.declare("A", FIRST, bounds={"low": 0, "high": 10})
    world.pages[("fred_graph", "F")] = "2026-08-01,5 2026-09-01,600"
    failure, warning = outcome(world.take(), "A")
    assert failure is not None
    assert warning is not None
    assert world.values() == [5.0]


# --- answers as a whole, by what their source is -------------------------------------------------------------------

MONTHS = [date(2026, m, 1) for m in range(1, 10)]


def page(values: Sequence[float], days: Sequence[date] = MONTHS) -> str:
    return " ".join(f"{d},{v}" for d, v in zip(days, values, strict=True))


def test_a_provider_that_drops_old_figures_has_not_shrunk(world: World) -> None:
    world.declare("A")
    world.pages["cboe", "A"] = page(range(9))
    world.take()
    world.pages["cboe", "A"] = page(range(8), MONTHS[1:])
    assert "lacks 1 of 9 dates" in str(outcome(world.take(), "A")[0])
    world.source = world.source.model_copy(update={"rolling": True})
    world.pages["cboe", "A"] = page([5.0, 6.0, 7.5], MONTHS[6:])
    assert outcome(world.take(), "A")[0] is None
    assert world.values()[-2:] == [6.0, 7.5]
    assert len(world.values()) == 9, "what was dropped stays stored"


def test_old_years_of_a_provider_that_drops_them_may_be_empty_and_the_last_may_not(world: World) -> None:
    world.declare("A", first_year=2010)
    world.pages["cboe", "A"] = ""
    old = Window(date(2015, 1, 1), date(2016, 12, 31), date(2026, 11, 2))
    assert "holds no observations" in str(outcome(world.take(old), "A")[0])
    world.source = world.source.model_copy(update={"rolling": True})
    assert outcome(world.take(old), "A")[0] is None
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
    done = dated.take(Window(date(2026, 1, 1), None, dated.now.date(), known_releases(dated.source, dated.raw())))
    assert (outcome(done, "A"), done.report.seen) == ((None, None), 0)


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
    known = known_releases(dated.source, dated.raw())
    assert outcome(dated.take(Window(date(2026, 8, 1), None, date(2026, 11, 2), known)), "A") == (None, None)
    assert dated.asked[2:] == ["cboe/A?since=2026-10-10", "cboe/B?since=2026-10-10"]
    assert dated.values() == [2.0, 4.0, 2.0, 3.0, 9.0]
    assert dated.is_rebuilt()


# --- answers that still hold ---------------------------------------------------------------------------------------


def test_the_latest_good_answers_with_a_validator_are_remembered(world: World) -> None:
    world.declare("A")
    selected = world.catalog.series_of("cboe")
    day = Window(today=date(2026, 11, 2))
    texts = {"a": "1", "b": "2", "c": "3"}

    def answered(name: str, text: str, hour: int, status: int = 200, validator: str | None = "ETag: x") -> None:
        response = Response(f"GET {name}", text.encode(), START + timedelta(hours=hour), status, validator)
        nothing = Fetched(pl.DataFrame(schema=OBSERVATION_SCHEMA), (response,), {"A": "not read"})
        here = Lakehouse(world.root, world.catalog)
        ingest(here, StoredSource.of(here, world.source), selected, day, nothing, f"run{hour}", "v1")

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
def test_a_lake_that_fallbacks_served_is_rebuilt(world: World, page: Page) -> None:
    """At first, and after the source had answered: no earlier answer may stand in for one that never came."""
    world.declare("A", Fallback(source="fred_graph", code="F", factor=0.5), SECOND)
    world.declare("B")
    world.pages = {("cboe", "A"): page, ("cboe", "B"): "2026-08-01,1", ("fred_graph", "F"): "2026-08-01,8"}
    world.take()
    assert world.is_rebuilt()
    world.pages["cboe", "A"] = "2026-08-01,5"
    world.take()
    assert world.is_rebuilt()
    world.pages |= {("cboe", "A"): page, ("fred_graph", "F"): "2026-08-01,8 2026-09-01,12"}
    world.take()
    assert world.values() == [5.0, 6.0, 1.0]
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
    world.pages["cboe", "A"] = "2026-11-04,1 2026-12-24,9"
    failure, _ = outcome(world.take(Window(today=date(2026, 11, 4))), "A")
    assert "in the future" in str(failure)
    assert world.raw().is_empty()
    assert world.is_rebuilt()
