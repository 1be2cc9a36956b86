"""F8, F9 and F17 over several fetches: holders, health, keys, clocks, and what can be rebuilt of it all."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from macro_assets.catalog import names
from macro_assets.intake.health import Health, health
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.vintages import in_force
from macro_assets.orchestration.build import build_defs
from macro_assets.orchestration.due import due_series
from macro_assets.orchestration.io_manager import LakeIOManager
from macro_assets.orchestration.resources import Lake
from macro_assets.sources import http, protocol
from macro_assets.sources.protocol import Window
from macro_assets_tests.faults import storms
from macro_assets_tests.faults.processes import Child
from macro_assets_tests.faults.upstream import QUICK, SINCE, TODAY, Upstream, changed, failures, small_catalog, warnings
from macro_assets_tests.intake.taking import Taken
from macro_assets_tests.loopback import Asked, Scripted
from macro_assets_tests.orchestration.toy import execute

ECB = ("ECB_DEPOSIT_RATE", "ECB_MARGINAL_LENDING_RATE", "ECB_MAIN_REFINANCING_RATE")
DEPOSIT, LENDING, MAIN = ECB
SGS = ("BR_IPCA15_MOM", "BR_IPCA_CORE_EX0")
EARLIER = Window(SINCE, TODAY - timedelta(days=60), TODAY)
DOWN = Scripted(503, b"maintenance")
NOBODY = {"MACRO_URL_ECB": "http://127.0.0.1:9"}


@pytest.fixture(autouse=True)
def _own_limits(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of other tests, runs and users do not count."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("limits")))


@pytest.fixture
def ecb(tmp_path: Path) -> Iterator[Upstream]:
    """Rates of the ECB: two have further holders."""
    catalog = small_catalog(*ECB)
    for series in ECB:
        catalog = changed(catalog, series, first_year=SINCE.year)
    with Upstream(catalog, tmp_path) as upstream:
        yield upstream


def held_by(upstream: Upstream, series_id: str) -> dict[str, tuple[date, date]]:
    """By provider, the first and last observation that it has of a series as of now."""
    known = in_force(upstream.raw(series_id), None)
    spans = known.group_by("provider").agg(
        first=pl.col("observation_date").min(), last=pl.col("observation_date").max()
    )
    return {p: (first, last) for p, first, last in spans.iter_rows()}


@contextmanager
def offline() -> Iterator[None]:
    def no_network(*args: object) -> None:
        raise AssertionError("a rebuild touches no network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", no_network)
        yield


def is_rebuilt(upstream: Upstream) -> bool:
    with offline():
        return upstream.rebuilt().equals(upstream.raw())


# --- F8: four processes ---------------------------------------------------------------------------------------------


def test_a_storm_of_refusals_stays_within_the_limit(tmp_path: Path) -> None:
    """Four processes fetch the same series into one lake while every third request is refused.

    Turns are given at the rate from the first on, however slow the machine is: more than the rate allows from then on
    cannot have come.
    """
    catalog = small_catalog(*storms.SERIES, bcb_sgs=storms.FACTS)
    with Upstream(catalog, tmp_path / "lake") as upstream:
        honest = upstream.server.otherwise
        turns = itertools.count()

        def answer(asked: Asked) -> Scripted:
            turn = next(turns)
            if turn == 5:
                return Scripted(429, b"slow down", {"Retry-After": "1"})
            return Scripted(429) if turn % 3 == 2 else honest(asked)  # type: ignore[operator]

        upstream.server.otherwise = answer
        workers = [Child(storms.take, upstream.server.url, upstream.lake, tmp_path) for _ in range(4)]
        assert [w.hear() for w in workers] == 4 * ["ready"]
        start = time.monotonic()
        for worker in workers:
            worker.go_on()
        assert [w.rest() for w in workers] == 4 * [[{}]], "nothing failed in the end"
        times = upstream.server.times()
        assert len(times) <= storms.RATE * (times[-1] - start) + storms.BURST + 1
        assert len(times) >= 4 * len(storms.SERIES) * 4 / 3 - 4, "refusals were asked again"
        assert max(b - a for a, b in itertools.pairwise(times)) > 0.5, "all kept the pause that was asked for"
        stored, again = (r.drop("ingested_at", "run_id") for r in (upstream.raw(), upstream.rebuilt()))
        assert set(stored["series_id"]) == set(storms.SERIES)
        assert stored.height == stored.unique().height
        assert again.equals(stored), "but for who of the four was first"


# --- other holders --------------------------------------------------------------------------------------------------


def test_another_holder_steps_in_and_steps_back(ecb: Upstream) -> None:
    assert failures(ecb.take(window=EARLIER)) == {}
    before = ecb.raw()
    ecb.spoiled = {f"ecb {DEPOSIT}": DOWN}
    done = ecb.take()
    assert failures(done) == {}
    assert list(warnings(done)) == [DEPOSIT]
    assert f"series {DEPOSIT} of source ecb: HTTP 503: the provider failed" in warnings(done)[DEPOSIT]
    assert warnings(done)[DEPOSIT].endswith(" dbnomics served it.")
    assert set(held_by(ecb, MAIN)) == {"ecb"}
    spans = held_by(ecb, DEPOSIT)
    assert EARLIER.last is not None
    assert spans["ecb"][1] <= EARLIER.last < spans["dbnomics"][1]
    assert ecb.raw().join(before, on=before.columns, how="semi", nulls_equal=True).height == before.height
    ecb.spoiled = {}
    assert warnings(ecb.take()) == {}
    spans = held_by(ecb, DEPOSIT)
    assert set(spans) == {"ecb", "dbnomics"}, "nothing is erased"
    assert spans["ecb"][1] > EARLIER.last, "it is back"
    assert is_rebuilt(ecb)


def test_the_second_holder_serves_where_the_first_fails_too(ecb: Upstream) -> None:
    ecb.spoiled = {f"ecb {DEPOSIT}": DOWN, "dbnomics": Scripted(body=b"<html>")}
    done = ecb.take()
    assert failures(done) == {}
    assert set(held_by(ecb, DEPOSIT)) == {"fred_graph"}
    assert is_rebuilt(ecb)


def test_where_all_are_down_the_last_good_data_stands(ecb: Upstream) -> None:
    ecb.take(window=EARLIER)
    before = ecb.raw()
    ecb.spoiled = {f"ecb {DEPOSIT}": DOWN, "dbnomics": Scripted(body=b"<html>"), "fred_graph": Scripted(404, b"gone")}
    ecb.news = {MAIN: 0.01}
    done = ecb.take()
    (message,) = failures(done).values()
    for words in (
        f"series {DEPOSIT} of source ecb: HTTP 503",
        "Its holder dbnomics failed too",
        "got a page of HTML",
        "Its holder fred_graph failed too",
        "HTTP 404: not found: 'gone'",
    ):
        assert words in message
    assert ecb.raw(DEPOSIT).equals(before.filter(pl.col("series_id") == DEPOSIT))
    assert ecb.raw(MAIN).height > before.filter(pl.col("series_id") == MAIN).height
    assert is_rebuilt(ecb)


@pytest.mark.parametrize("together", [True, False], ids=["one run", "two runs"])
def test_a_host_that_was_not_reached_is_rebuilt_as_its_holder(ecb: Upstream, together: bool) -> None:
    """Landing has no response of a host nobody reached; an earlier one to the same question does not stand for it."""
    ecb.take()
    if together:
        done = ecb.take(environ=NOBODY)
        assert list(failures(done)) == [MAIN]
    else:
        ecb.take(DEPOSIT, environ=NOBODY)
        ecb.take(MAIN, LENDING)
    assert set(ecb.raw(DEPOSIT)["provider"]) == {"ecb", "dbnomics"}
    assert is_rebuilt(ecb)


def test_a_long_history_of_trouble_is_rebuilt_row_for_row(ecb: Upstream) -> None:
    def take(**more: object) -> Taken:
        return ecb.take(**more)  # type: ignore[arg-type]

    take(window=EARLIER)
    ecb.spoiled = {"ecb": DOWN}
    take()
    take(environ=NOBODY)
    ecb.spoiled = {}
    ecb.news = {DEPOSIT: 0.01, MAIN: 0.02}
    take()
    ecb.spoiled = {"ecb": Scripted(body=b"<html>"), "dbnomics": DOWN}
    take()
    ecb.spoiled = {"ecb": DOWN, "dbnomics": DOWN, "fred_graph": DOWN}
    take()
    ecb.spoiled = {MAIN: lambda body: body[: len(body) // 2]}
    ecb.news = {MAIN: 0.03, LENDING: 0.03}
    take()
    take(environ=NOBODY)
    ecb.spoiled, ecb.news = {}, {}
    assert failures(take()) == {}
    assert ecb.raw()["provider"].n_unique() == 3
    assert ecb.raw()["run_id"].n_unique() >= 5
    assert is_rebuilt(ecb)


def test_what_still_holds_is_rebuilt_too(tmp_path: Path) -> None:
    """CBOE's files, which are asked for on the condition that they changed: answers of 304, errors, revisions."""
    with Upstream(small_catalog("CBOE_VIX"), tmp_path) as cboe:
        for spoil, news in [(None, 0), (None, 0), (DOWN, 0), (None, 0), (None, 0.5), (None, 0.5), (None, 0)]:
            cboe.spoiled = {} if spoil is None else {"CBOE_VIX": spoil}
            cboe.news = {"CBOE_VIX": news}
            assert bool(failures(cboe.take())) == (spoil is not None)
        cboe.take(window=Window(date(TODAY.year, 1, 1), None, TODAY))
        assert sum("If-None-Match" in a.headers for a in cboe.server.asked) >= 6
        assert cboe.raw()["run_id"].unique().sort().to_list() == ["run1", "run5", "run7"]
        assert is_rebuilt(cboe)


# --- health, through Dagster ----------------------------------------------------------------------------------------


def health_of(upstream: Upstream) -> Health:
    log = Lakehouse(upstream.lake, upstream.catalog).read(names.fetch_log(upstream.source.name))
    return health(upstream.source, upstream.catalog, log)


class Dagster:
    """The sources as Dagster runs them."""

    def __init__(self, upstream: Upstream, instance: dg.DagsterInstance) -> None:
        self.upstream, self.instance = upstream, instance
        catalog = upstream.catalog
        self.definitions = build_defs(
            catalog,
            {
                "lake": Lake(root=str(upstream.lake)),
                "io_manager": LakeIOManager(lambda: Lakehouse(upstream.lake, catalog)),
            },
        )

    def run(self) -> dict[str, dg.AssetCheckEvaluation]:
        """Fetch everything; the checks by table or series and name."""
        catalog = self.upstream.catalog
        own = {s.source for s in catalog.series.values()}
        keys = [dg.AssetKey(["raw", s]) for s in own]
        keys += [dg.AssetKey(["raw", s.source, s.id]) for s in catalog.series.values()]
        first = {"dagster/asset_partition_range_start": str(SINCE.year)}
        tags = {**first, "dagster/asset_partition_range_end": str(TODAY.year)}
        result = execute(self.definitions, self.instance, keys, tags)
        self.success = result.success
        return {f"{e.asset_key.path[-1]} {e.check_name}": e for e in result.get_asset_check_evaluations()}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Asked twice in place of five times; as the environment says, not the user's."""
    monkeypatch.setattr(http, "Patience", lambda: QUICK)
    return monkeypatch


@contextmanager
def running(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dagster]:
    with dg.DagsterInstance.ephemeral() as instance:
        for name, value in upstream.environ.items():
            monkeypatch.setenv(name, value)
        yield Dagster(upstream, instance)


def test_health_follows_what_happens(ecb: Upstream, quick: pytest.MonkeyPatch) -> None:
    with running(ecb, quick) as dagster:
        assert health_of(ecb).state == "never fetched"
        assert dagster.run()["ecb health"].passed
        up = health_of(ecb)
        assert (up.state, up.failed, up.substituted) == ("up", 0, 0)
        before = ecb.raw()

        ecb.spoiled = {f"ecb {DEPOSIT}": DOWN, f"ecb {MAIN}": DOWN}
        checks = dagster.run()
        assert not dagster.success
        degraded = health_of(ecb)
        assert (degraded.state, degraded.failed, degraded.substituted) == ("degraded", 1, 1)
        assert f"series {MAIN} of source ecb: HTTP 503" in degraded.reason
        assert (checks["ecb health"].passed, checks["ecb health"].severity.value) == (False, "WARN")
        substituted, failed = checks[f"{DEPOSIT} schema"], checks[f"{MAIN} schema"]
        assert (substituted.passed, substituted.severity.value) == (False, "WARN")
        assert (failed.passed, failed.severity.value) == (False, "ERROR")
        assert checks[f"{LENDING} schema"].passed
        due = {d.series.id: d.reason for d in due_series(Lakehouse(ecb.lake, ecb.catalog), ecb.source)}
        assert due[MAIN] == "the last fetch failed"

        ecb.spoiled = {"ecb": DOWN, "dbnomics": DOWN, "fred_graph": DOWN}
        stands = ecb.raw()
        checks = dagster.run()
        down = health_of(ecb)
        assert (down.state, down.failed) == ("down", 3)
        assert up.last_success is not None
        assert degraded.last_success is not None
        assert up.last_success < degraded.last_success == down.last_success, "how old the data is, is known"
        assert (checks["ecb health"].passed, checks["ecb health"].severity.value) == (False, "ERROR")
        assert ecb.raw().equals(stands)
        assert stands.join(before, on=before.columns, how="semi", nulls_equal=True).height == before.height

        ecb.spoiled = {}
        assert dagster.run()["ecb health"].passed
        assert dagster.success
        assert health_of(ecb).state == "up"
        assert is_rebuilt(ecb)


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_source_without_its_key_is_off_and_the_others_are_not(tmp_path: Path, quick: pytest.MonkeyPatch) -> None:
    catalog = small_catalog("EIA_CRUDE_STOCKS", *SGS)
    with Upstream(catalog, tmp_path) as upstream, running(upstream, quick) as dagster:
        quick.delenv("EIA_API_KEY")
        checks = dagster.run()
        assert dagster.success
        assert upstream.server.count() == upstream.asked(SGS[0]) + upstream.asked(SGS[1]) > 0
        log = Lakehouse(tmp_path, catalog).read("fetch_log/eia")
        assert log["status"].to_list() == ["off"]
        assert "source eia is off: the environment has no EIA_API_KEY. A key is had at https://" in log["error"][0]
        assert Lakehouse(tmp_path, catalog).read("raw/eia").is_empty()
        assert Lakehouse(tmp_path, catalog).read("raw/bcb_sgs")["series_id"].n_unique() == 2
        found = health(catalog.sources["eia"], catalog, log)
        assert (found.state, "EIA_API_KEY" in found.reason) == ("off", True)
        assert checks["eia health"].passed, "off is no fault"


def test_a_key_that_is_refused_is_not_shown(tmp_path: Path) -> None:
    with Upstream(small_catalog("EIA_CRUDE_STOCKS"), tmp_path) as eia:
        key = eia.environ["EIA_API_KEY"]
        eia.take()
        before = eia.raw()
        assert before.height > 0
        eia.spoiled["eia"] = Scripted(401, f'{{"error": "the api_key {key} is wrong"}}'.encode())
        asked = eia.server.count()
        message = failures(eia.take())["EIA_CRUDE_STOCKS"]
        assert eia.server.count() - asked == 1, "a refusal is asked once"
        assert message.startswith("series EIA_CRUDE_STOCKS of source eia: the EIA refused the key")
        assert message.endswith("Check EIA_API_KEY.")
        assert key not in message
        assert eia.raw().equals(before)
        bodies = eia.landed().filter(pl.col("http_status") == 401)["body"]
        assert bodies.to_list() == [b'{"error": "the api_key *** is wrong"}']


# --- F17: clocks ----------------------------------------------------------------------------------------------------


class Clock(datetime):
    """A wall clock that a test sets; every look at it takes `step`."""

    moment = datetime(2026, 1, 1, tzinfo=UTC)
    step = timedelta(0)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        Clock.moment += Clock.step
        return Clock.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(http, "datetime", Clock)
    monkeypatch.setattr(protocol, "datetime", Clock)
    Clock.moment, Clock.step = datetime.combine(TODAY, datetime.min.time(), tzinfo=UTC), timedelta(0)
    return Clock


def values_now(upstream: Upstream, series_id: str) -> list[float | None]:
    return in_force(upstream.raw(series_id), None).sort("observation_date")["value"].to_list()


def test_a_clock_that_jumps_back_loses_nothing(tmp_path: Path, clock: type[Clock]) -> None:
    """What is known from when follows the clock that was read; the first fetch after it is right sets all right."""
    with Upstream(small_catalog(*SGS), tmp_path) as sgs:
        noon = clock.moment + timedelta(hours=12)
        stated = {}
        for hours, news in [(0, 0.0), (1, 0.1), (-3, 0.2), (-2, 0.2), (2, 0.2)]:
            clock.moment = noon + timedelta(hours=hours)
            sgs.news = dict.fromkeys(SGS, news)
            before = sgs.raw()
            assert failures(sgs.take()) == {}
            kept = sgs.raw().join(before, on=before.columns, how="semi", nulls_equal=True)
            assert kept.height == before.height, "nothing is lost"
            stated[hours] = [round(v - news, 4) for v in values_now(sgs, SGS[0]) if v is not None]
        assert stated[2] == stated[1] == stated[0]
        key = ["series_id", "provider", "observation_date", "release_time"]
        assert not sgs.raw().select(key).is_duplicated().any()
        again = in_force(sgs.rebuilt(), None).sort(
            "observation_date"
        )  # landing knows the clock's order, not that of the fetches
        assert again.filter(pl.col("series_id") == SGS[0])["value"].to_list() == values_now(sgs, SGS[0])
        version = sgs.version()
        clock.moment = noon + timedelta(hours=3)
        sgs.take()
        assert sgs.version() == version


def test_a_worker_whose_clock_is_behind_adds_nothing(tmp_path: Path, clock: type[Clock]) -> None:
    with Upstream(small_catalog(*SGS), tmp_path) as sgs:
        clock.moment += timedelta(hours=12)
        sgs.take()
        version, before = sgs.version(), sgs.raw()
        clock.moment -= timedelta(hours=6)
        assert failures(sgs.take()) == {}
        assert (sgs.version(), sgs.raw().equals(before)) == (version, True)
        assert is_rebuilt(sgs)


def test_releases_that_have_not_happened_by_the_clock_are_refused(tmp_path: Path, clock: type[Clock]) -> None:
    """A clock that is far behind: a provider that dates its releases is not believed, nor are they stored wrong."""
    with Upstream(small_catalog("UNRATE"), tmp_path) as fred:
        clock.moment -= timedelta(days=200)
        done = fred.take()
        message = failures(done)["UNRATE"]
        assert "after it was fetched" in message
        assert "Check the clock of this machine and the provider's dates." in message
        assert fred.raw().filter(pl.col("release_time") > clock.moment + timedelta(hours=36)).is_empty()
        clock.moment += timedelta(days=200, hours=1)
        assert failures(fred.take()) == {}
        assert is_rebuilt(fred)


@pytest.mark.parametrize("eve", [date(2026, 3, 10), date(2026, 4, 30), date(2025, 12, 31)])
def test_a_run_over_midnight_asks_for_one_window(tmp_path: Path, clock: type[Clock], eve: date) -> None:
    """Midnight, a month's end, a year's: what is asked for is settled once, when the run begins."""
    with Upstream(small_catalog(*SGS), tmp_path) as sgs:
        clock.moment = datetime.combine(eve, datetime.max.time(), tzinfo=UTC) - timedelta(milliseconds=300)
        window = Window(first=date(2023, 1, 1))
        clock.step = timedelta(milliseconds=200)
        assert failures(sgs.take(window=window)) == {}
        fetched = sgs.raw()["ingested_at"]
        assert fetched.dt.date().unique().sort().to_list() == [eve, eve + timedelta(days=1)]
        assert {dict(a.params)["dataFinal"] for a in sgs.server.asked} == {f"{eve:%d/%m/%Y}"}
        assert set(sgs.landed()["asked_on"]) == {eve}
        assert is_rebuilt(sgs)
