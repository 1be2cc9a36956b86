"""From an answer to stored rows, and the raw table rebuilt from landing alone, row for row."""

from __future__ import annotations

import dataclasses
import shutil
import socket
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Catalog, Series
from macro_assets.intake.rebuild import rebuild, rebuilt
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import landed
from macro_assets.lakehouse.raw import invalidate, observations_as_of, read_raw
from macro_assets.lakehouse.write import replace_rows
from macro_assets.sources import fetching
from macro_assets.sources.errors import explain_status
from macro_assets.sources.protocol import OBSERVATION_SCHEMA, Answer, Ask, Fetched, Request, Response, Steps, Window
from macro_assets_tests.intake.taking import Taken, taken

EVERYTHING = Window()
START = datetime(2020, 3, 1, tzinfo=UTC)


class Provider:
    """A synthetic provider: one page of text per series, which a test may change. It counts hours for a clock."""

    def __init__(self, pages: dict[str, str]) -> None:
        self.pages = pages
        self.hour = 0

    def get(self, request: Request) -> Response:
        self.hour += 1
        return Response(request.path, self.pages[request.path].encode(), START + timedelta(hours=self.hour), 200)


class Toy:
    """A connector whose pages are lines 'observation date, value or nothing, vintage date or nothing'."""

    explain = staticmethod(explain_status)

    def plan(self, series: Sequence[Series], window: Window) -> Iterator[Ask]:
        for one in series:
            yield Ask((one,), self.steps(one))

    def steps(self, series: Series) -> Steps:
        response = yield Request(series.id)
        rows = []
        for line in response.body.decode().split():
            day, value, vintage = line.split(",")
            known = datetime.combine(date.fromisoformat(vintage), time.max, tzinfo=UTC) if vintage else None
            rows.append(
                (
                    date.fromisoformat(day),
                    float(value) if value else None,
                    known or datetime.combine(date.fromisoformat(day), time.min, tzinfo=UTC) + timedelta(days=40),
                    "provider" if known else "publication_lag",
                )
            )
        columns = ["observation_date", "value", "release_time", "release_basis"]
        frame = pl.DataFrame(rows, schema={c: OBSERVATION_SCHEMA[c] for c in columns}, orient="row")
        return [Answer(response, frame)]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    provider = Provider(
        {
            "PAYEMS": "2019-11-01,150000,2020-01-10 2019-11-01,150100,2020-02-07 2019-12-01,150200,2020-02-07",
            "UNRATE": "2019-11-01,3.5, 2019-12-01,3.6,",
            "AAA": "2019-11-01,3.1, 2019-12-01,3.0,",
        }
    )
    monkeypatch.setattr(fetching, "connector", lambda source: Toy())
    return provider


class Lake:
    """A lake fed by the synthetic provider."""

    def __init__(self, root: Path, catalog: Catalog, provider: Provider) -> None:
        self.provider = provider
        self.root = root
        self.catalog = catalog
        self.runs = 0

    def take(self, *ids: str, window: Window = EVERYTHING) -> Taken:
        self.runs += 1
        here = Lakehouse(self.root, self.catalog)
        return taken(here, "bundled", ids, window, f"run{self.runs}", lambda source: self.provider)

    def raw(self) -> pl.DataFrame:
        return read_raw(Lakehouse(self.root, self.catalog), "bundled").sort(self.catalog.one_table("raw/bundled").key)

    def rebuilt(self) -> pl.DataFrame:
        return rebuilt(Lakehouse(self.root, self.catalog), self.catalog.sources["bundled"])

    def failures(self, done: Taken) -> Mapping[str, str]:
        return {o.series.id: o.failure for o in done.outcomes if o.failure}


@pytest.fixture
def lake(tmp_path: Path, catalog: Catalog, provider: Provider) -> Lake:
    return Lake(tmp_path, catalog, provider)


def test_an_older_vintage_that_arrives_late_is_judged_by_what_replaced_it(lake: Lake, provider: Provider) -> None:
    """It is in the unit of its day, as of 1939 in another base: what is in force is what is stored."""
    provider.pages["PAYEMS"] = "2019-11-01,150100,2020-02-07"
    lake.take("PAYEMS")
    provider.pages["PAYEMS"] = "2019-11-01,150,2020-01-10"
    assert lake.failures(lake.take("PAYEMS")) == {}
    provider.pages["PAYEMS"] = "2019-11-01,150,2020-03-06"
    assert set(lake.failures(lake.take("PAYEMS"))) == {"PAYEMS"}
    assert lake.raw()["value"].to_list() == [150.0, 150100.0]


def test_a_lake_with_a_past_is_rebuilt_row_for_row(
    lake: Lake, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revisions, values that come back, windows, overlaps, failures, an invalidation: all from landing, offline."""
    lake.take("PAYEMS", "UNRATE", "AAA")
    lake.take("PAYEMS", "UNRATE", "AAA")
    provider.pages["UNRATE"] = "2019-11-01,3.4, 2019-12-01,3.6, 2020-01-01,3.7,"
    lake.take("UNRATE", window=Window(date(2019, 12, 1), None))
    lake.take("UNRATE", "PAYEMS")
    provider.pages["UNRATE"] = "2019-11-01,3.5, 2019-12-01,3.6, 2020-01-01,3.7,"
    lake.take("UNRATE")
    provider.pages["UNRATE"] = "2019-11-01,3.5, 2019-12-01,3.5, 2020-01-01,3.7,"
    lake.take("UNRATE")
    provider.pages["AAA"] = "2019-11-01,99999, 2019-12-01,3.0,"  # out of bounds: rejected
    assert set(lake.failures(lake.take("AAA", "PAYEMS"))) == {"AAA"}
    provider.pages["PAYEMS"] += " 2019-11-01,1,2020-01-10"  # contradicts itself: refused
    assert set(lake.failures(lake.take("PAYEMS"))) == {"PAYEMS"}
    invalidate("PAYEMS", date(2019, 12, 1), "2020-02-07", "synthetic", "test", lake.root)
    stored = lake.raw()
    assert stored["run_id"].n_unique() >= 4

    def no_network(*args: object) -> None:
        raise AssertionError("a rebuild touches no network")

    monkeypatch.setattr(socket, "socket", no_network)
    monkeypatch.setattr(provider, "get", no_network)
    assert lake.rebuilt().equals(stored)


def test_a_rebuild_writes_nothing_where_all_is_equal(lake: Lake) -> None:
    lake.take("PAYEMS", "UNRATE")
    done = rebuild(Lakehouse(lake.root, lake.catalog), lake.catalog.sources["bundled"])
    assert (done.is_equal, done.written, done.rows, done.stored) == (True, False, 5, 5)
    table = open_table(lake.root, "raw/bundled")
    assert table is not None
    assert table.version() == 1


def test_a_lost_table_and_lost_rows_come_back(lake: Lake) -> None:
    """F24: the raw table is deleted; then only the latest version of it."""
    lake.take("PAYEMS", "UNRATE")
    lake.take("AAA")
    stored = lake.raw()
    shutil.rmtree(lake.root / "raw")
    assert rebuild(Lakehouse(lake.root, lake.catalog), lake.catalog.sources["bundled"]).written
    assert lake.raw().equals(stored)
    table = open_table(lake.root, "raw/bundled")
    assert table is not None
    table.delete("series_id = 'AAA'")
    assert lake.raw().height < stored.height
    assert rebuild(Lakehouse(lake.root, lake.catalog), lake.catalog.sources["bundled"]).written
    assert lake.raw().equals(stored)


def test_a_table_that_says_something_else_is_replaced_only_when_asked(lake: Lake) -> None:
    lake.take("UNRATE")
    table = open_table(lake.root, "raw/bundled")
    assert table is not None
    table.update(updates={"value": "9.9"}, predicate="observation_date = '2019-11-01'")
    source = lake.catalog.sources["bundled"]
    found = rebuild(Lakehouse(lake.root, lake.catalog), source)
    assert (found.only_stored["value"].to_list(), found.only_rebuilt["value"].to_list()) == ([9.9], [3.5])
    assert not found.written
    assert 9.9 in lake.raw()["value"]
    assert rebuild(Lakehouse(lake.root, lake.catalog), source, replace_stored=True).written
    assert lake.raw()["value"].to_list() == [3.5, 3.6]


def test_a_body_that_was_tampered_with_is_refused(lake: Lake) -> None:
    lake.take("UNRATE")
    table = open_table(lake.root, "landing/bundled")
    assert table is not None
    rows = pl.DataFrame(pl.from_arrow(table.to_pyarrow_table()))
    forged = rows.with_columns(body=pl.Series([zlib.compress(b"2019-11-01,1.0,")], dtype=pl.Binary))
    replace_rows(Lakehouse(lake.root, lake.catalog), "landing/bundled", table, forged, {})
    with pytest.raises(ValueError, match="is not the one that was received"):
        lake.rebuilt()


def test_a_correction_after_an_invalidation_is_rebuilt_too(lake: Lake, provider: Provider) -> None:
    lake.take("PAYEMS")
    provider.pages["PAYEMS"] = provider.pages["PAYEMS"].replace("2019-12-01,150200", "2019-12-01,150250")
    refused = lake.failures(lake.take("PAYEMS"))
    assert "two values at the release time" in refused["PAYEMS"]
    # the provider's clock runs in 2020, decisions are taken now: let it fetch after the decision
    provider.hour = int((datetime.now(UTC) - START) / timedelta(hours=1)) + 24
    invalidate("PAYEMS", date(2019, 12, 1), "2020-02-07", "misread", "test", lake.root)
    assert lake.failures(lake.take("PAYEMS")) == {}
    known = observations_as_of(None, ["PAYEMS"], lake.root)
    assert known["value"].to_list() == [150100.0, 150250.0]
    assert lake.rebuilt().equals(lake.raw())


@pytest.mark.parametrize(
    ("page", "lacking"),
    [("2019-11-01,3.5,", "lacks 1 of 2 dates .* 2019-12-01 to 2019-12-01"), ("", "lacks 2 of 2 dates")],
)
def test_an_answer_without_dates_we_hold_is_refused(lake: Lake, provider: Provider, page: str, lacking: str) -> None:
    """F13: history that shrinks, and an empty answer for a known series."""
    lake.take("UNRATE", "AAA")
    before = lake.raw()
    provider.pages["UNRATE"] = page
    done = lake.take("UNRATE", "AAA")
    with pytest.raises(AssertionError, match=f"series UNRATE of source bundled: the answer {lacking}"):
        raise AssertionError(lake.failures(done)["UNRATE"])
    assert lake.raw().equals(before)
    assert (
        landed(Lakehouse(lake.root, lake.catalog), "bundled").filter(pl.col("request") == "UNRATE").height == 2
    )  # kept for study


def test_a_withdrawal_that_is_marked_is_taken(lake: Lake, provider: Provider) -> None:
    lake.take("UNRATE")
    provider.pages["UNRATE"] = "2019-11-01,3.5, 2019-12-01,,"
    done = lake.take("UNRATE")
    assert (lake.failures(done), done.report.missing) == ({}, 1)
    assert observations_as_of(None, ["UNRATE"], lake.root)["value"].to_list() == [3.5, None]


def test_a_smaller_window_lacks_nothing(lake: Lake) -> None:
    lake.take("UNRATE")
    assert lake.failures(lake.take("UNRATE", window=Window(date(2019, 12, 1), date(2019, 12, 31)))) == {}


def test_commits_say_run_code_and_input(lake: Lake) -> None:
    lake.take("UNRATE")
    for name in ("raw/bundled", "landing/bundled"):
        table = open_table(lake.root, name)
        assert table is not None
        commit = table.history(1)[0]
        assert (commit["run_id"], commit["code_version"]) == ("run1", "test")


def test_the_status_and_the_question_are_in_landing(lake: Lake) -> None:
    lake.take("UNRATE", "AAA", window=Window(date(2019, 11, 1), None))
    rows = Lakehouse(lake.root, lake.catalog).read("landing/bundled")
    assert rows.select("http_status", "series_ids", "window_first", "window_last").unique().rows() == [
        (200, "UNRATE AAA", date(2019, 11, 1), None)
    ]


def test_a_connector_that_breaks_fails_its_series_only(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> Fetched:
        raise ZeroDivisionError("synthetic")

    monkeypatch.setattr(fetching, "fetch", broken)
    failures = lake.failures(lake.take("UNRATE", "AAA"))
    assert failures == dict.fromkeys(("UNRATE", "AAA"), "connector bundled failed: ZeroDivisionError: synthetic")
    assert "ZeroDivisionError" in caplog.text


def test_the_bundled_source_is_rebuilt_row_for_row(tmp_path: Path, catalog: Catalog) -> None:
    """The real connector and the real files: first asked for some years, then for all, then again."""
    source = catalog.sources["bundled"]
    for n, window in enumerate([Window(date(2015, 1, 1), date(2016, 12, 31)), EVERYTHING, EVERYTHING]):
        taken(Lakehouse(tmp_path, catalog), "bundled", (), window, f"run{n}")
    stored = read_raw(Lakehouse(tmp_path, catalog), "bundled").sort(catalog.one_table("raw/bundled").key)
    assert stored["run_id"].unique().to_list() == ["run0"]
    assert rebuilt(Lakehouse(tmp_path, catalog), source).equals(stored)


def test_a_series_that_left_the_catalog_is_passed_over(lake: Lake) -> None:
    lake.take("UNRATE", "AAA")
    fewer = dataclasses.replace(lake.catalog, copies=tuple(c for c in lake.catalog.copies if c.id != "AAA"))
    again = rebuilt(Lakehouse(lake.root, fewer), lake.catalog.sources["bundled"])
    assert again["series_id"].unique().to_list() == ["UNRATE"]
