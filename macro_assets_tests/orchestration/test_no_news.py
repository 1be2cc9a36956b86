"""A fetch that brought nothing is no news: nothing below a source runs, neither by command nor by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.refresh import refreshes, whole_history
from macro_assets.orchestration.run import run, run_refreshes, select
from macro_assets.orchestration.summary import Summary
from macro_assets_tests.orchestration.test_automation import Daemon
from macro_assets_tests.orchestration.test_refresh import Providers
from macro_assets_tests.orchestration.toy import execute, toy_definitions
from macro_assets_tests.providers import World

SERIES = ("UNRATE", "GDPC1")
FRED = dg.AssetKey(["raw", "fred"])


@pytest.fixture
def toys() -> Catalog:
    """FRED's series, a copy of each in the package, an indicator of one as of today and as of months."""
    full = default_catalog()
    return dataclasses.replace(
        full,
        sources={s: full.sources[s] for s in ("bundled", "fred", "fred_graph")},
        series={s: full.series[s] for s in SERIES},
        copies=tuple(c for c in full.copies if c.id in SERIES),
        indicators={"sahm_rule": full.indicators["sahm_rule"]},
        scores={},
        models={},
        charts={},
        instruments={},
    )


class Home:
    """A lake with its instance, and what is done there."""

    def __init__(self, root: Path, catalog: Catalog, instance: dg.DagsterInstance) -> None:
        self.lake, self.instance = Lakehouse(root, catalog), instance
        self.definitions = toy_definitions(root, catalog)
        self.daemon = Daemon(self.definitions, instance)

    def run(self) -> Summary:
        return run(self.lake, select([], self.lake.catalog), self.instance)

    def fetch(self) -> Summary:
        runs = refreshes(self.lake, everything=True)
        assert runs
        return run_refreshes(self.lake, runs, self.instance)

    def settle(self) -> None:
        """Carry out what the daemon asks for until it asks for nothing."""
        while requested := self.daemon.tick():
            for table, months in requested.items():
                for month in months:
                    tags = {"dagster/partition": month} if month else None
                    execute(self.definitions, self.instance, [dg.AssetKey(table.split("/"))], tags)

    def come_out(self) -> bool:
        """Whether the table of FRED ever came out."""
        return self.instance.get_latest_materialization_event(FRED) is not None


@pytest.fixture
def home(tmp_path: Path, toys: Catalog, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("MACRO_LAKE", str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        home = Home(tmp_path, toys, instance)
        home.daemon.tick()
        assert not home.run().failures
        home.settle()
        yield home


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> Providers:
    found = Providers(monkeypatch)
    found.world = World()
    return found


@pytest.fixture(params=["with a key", "without a key"])
def _key(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "with a key":
        monkeypatch.setenv("FRED_API_KEY", "synthetic-key-0123456789")
    else:
        monkeypatch.delenv("FRED_API_KEY", raising=False)


@pytest.mark.usefixtures("_key")
def test_a_first_fetch_offline_is_no_news(home: Home, providers: Providers) -> None:
    providers.down = {"fred", "fred_graph"}
    for _ in range(2):
        home.fetch()
        assert open_table(home.lake.root, "raw/fred") is None
        assert not home.come_out()
        again = home.run()
        assert (again.runs, again.reasons) == (0, {})
        assert home.daemon.tick() == {}


@pytest.mark.usefixtures("_key")
def test_a_fetch_that_brings_nothing_after_one_that_did_is_no_news(home: Home, providers: Providers) -> None:
    assert not home.fetch().failures
    assert home.come_out()
    assert home.daemon.tick(), "figures are news"
    home.settle()
    home.run()
    assert home.run().runs == 0
    home.settle()
    for down in ({"fred", "fred_graph"}, set[str]()):
        providers.down = down
        home.fetch()
        assert home.run().runs == 0
        assert home.daemon.tick() == {}


def test_a_copy_is_run_and_its_home_is_fetched_by_its_own_name(home: Home, providers: Providers) -> None:
    catalog = home.lake.catalog
    copy, own = "raw/bundled/GDPC1", "raw/fred/GDPC1"
    assert select([copy], catalog).series == {"bundled": ("GDPC1",)}
    assert select([own], catalog).series == {"fred": ("GDPC1",)}
    again = run(home.lake, select([copy], catalog), home.instance, force=True)
    assert (again.reasons, again.failures) == ({copy: "asked for"}, {})
    assert not run_refreshes(home.lake, whole_history(catalog, [copy, own], None, None), home.instance).failures
    assert home.lake.read("raw/fred")["series_id"].unique().to_list() == ["GDPC1"]
    assert set(home.lake.read("raw/bundled")["provider"]) == {"bundled"}
