"""The commands about sources: what there is, what is due, fetching it from stand-ins on loopback."""

from __future__ import annotations

import dataclasses
import os
import socket
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from macro_assets.catalog import Series, default_catalog
from macro_assets.cli.sources import _due
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.refresh import Refresh
from macro_assets_tests.conftest import ROOT, Home, make_home
from macro_assets_tests.providers import World
from macro_assets_tests.providers.server import serving

CATALOG = default_catalog()
TABLE = CATALOG.one_table("raw/cboe")
CBOE = len(CATALOG.series_of("cboe"))
ONE = CATALOG.series_of("worldbank")[0].id
KEYS = [s.api.key.environment for s in CATALOG.sources.values() if s.api and s.api.key]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A lake whose providers are the stand-ins, without any key; CBOE and one series of the World Bank were fetched."""
    with pytest.MonkeyPatch.context() as patch, serving() as environment:
        for name, value in environment.items():
            patch.setenv(name, value)
        for key in KEYS:
            patch.delenv(key, raising=False)
        patch.setenv("COLUMNS", "200")
        home = make_home(tmp_path_factory.mktemp("sources"))
        dry = home.macro("fetch", "cboe", "--dry-run").stdout
        assert f"{CBOE} series, 2010 to " in dry
        assert "CBOE_VIX: never fetched" in dry
        assert open_table(home.lake, "raw/cboe") is None, "a dry run stores nothing"
        done = home.macro("fetch", "cboe", f"raw/worldbank/{ONE}").stdout
        assert f"{CBOE + 1} series, 2010 to " in done
        yield home


def version(home: Home) -> int:
    table = open_table(home.lake, "raw/cboe")
    assert table is not None
    return table.version()


def test_a_fetch_stores_what_was_selected_and_nothing_else(home: Home) -> None:
    assert Lakehouse(home.lake, CATALOG).read(TABLE.name).height > 1000
    stored = Lakehouse(home.lake, CATALOG).read("raw/worldbank")
    assert stored["series_id"].unique().to_list() == [ONE]
    tables = {p.name for p in (home.lake / "raw").iterdir() if (p / "_delta_log").is_dir()}
    assert tables == {"cboe", "worldbank"}


def test_what_was_had_is_not_due_and_can_be_asked_for(home: Home) -> None:
    before = version(home)
    said = home.macro("fetch", "raw/cboe").stdout
    assert "Nothing is due. --all fetches everything" in said
    assert version(home) == before
    said = home.macro("fetch", "raw/cboe/CBOE_VIX", "--all", "--dry-run").stdout
    assert "CBOE_VIX: asked for" in said


def test_years_are_asked_for_whether_due_or_not(home: Home) -> None:
    """The same figures again: no row, no version."""
    before = version(home)
    said = home.macro("fetch", "cboe", "--from", "2015", "--to", "2016").stdout
    assert f"{CBOE} series, 2015 to 2016" in said
    assert version(home) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fetch", "raw/cbeo"), ["raw/cbeo", "raw/cboe"]),
        (("fetch", "cboe/VIX_CBOE"), ["raw/cboe/VIX_CBOE"]),
        (("fetch", "cboe", "--from", "1812"), ["1812", "is out of range", "2010 has all earlier ones too"]),
    ],
)
def test_what_cannot_be_is_named(home: Home, words: tuple[str, ...], told: list[str]) -> None:
    done = home.macro(*words, expect=None)
    assert done.returncode not in (0, None)
    said = " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in said
    for part in told:
        assert part in said


ALONE = next(s.id for s in CATALOG.series_of("fred") if not s.holders)


def test_a_series_that_nobody_else_has_is_not_asked_without_a_key_and_the_answer_says_why(home: Home) -> None:
    said = home.macro("fetch", f"raw/fred/{ALONE}", expect=1).stdout
    assert "Nothing is due" not in said
    assert "source fred is off: the environment has no FRED_API_KEY" in " ".join(said.split())
    assert open_table(home.lake, "raw/fred") is None


def test_without_a_key_another_holder_is_asked_and_says_so(home: Home, tmp_path: Path) -> None:
    lake = make_home(tmp_path)
    assert "raw/fred/GDPC1: never fetched" in lake.macro("fetch", "fred", "--dry-run").stdout
    said = " ".join(lake.macro("fetch", "raw/fred/GDPC1").stdout.split())
    assert said.count("source fred is off") == 1
    assert "Others that have its series are asked." in said
    assert set(Lakehouse(lake.lake, CATALOG).read("raw/fred")["provider"]) == {"fred_graph"}
    said = " ".join(lake.macro("sources").stdout.split())
    assert "fred_graph serves 1 of its series." in said
    assert "Nothing is due" in lake.macro("fetch", "raw/fred/GDPC1").stdout


def test_a_dry_run_counts_by_source_and_lists_what_is_named(home: Home) -> None:
    said = home.macro("fetch", "--dry-run").stdout
    ecb = len(CATALOG.series_of("ecb"))
    assert f"  raw/ecb: {ecb} series: never fetched\n" in said
    assert "raw/ecb/" not in said
    assert len(said.splitlines()) < 2 * len(CATALOG.sources)
    assert "With the names of sources or series, or --all, each series is listed." in said
    for more in (["ecb"], ["--all"]):
        each = home.macro("fetch", *more, "--dry-run").stdout
        assert f"  raw/ecb: {ecb} series: never fetched\n" in each
        assert each.count("  raw/ecb/") == ecb


def test_reasons_are_counted_the_usual_ones_first() -> None:
    reasons = ["never fetched"] * 3 + ["the last fetch failed"] * 2 + ["release 1", "release 2", "release 3"]
    run = Refresh(
        {f"raw/a/{n}": why for n, why in enumerate(reasons)} | {"raw/b/X": "never fetched"}, ("2010", "2011"), True
    )
    first, second, *each = _due(run, each=True)
    assert first == "raw/a: 8 series: 3 never fetched; 2 the last fetch failed; 1 release 1; 2 for other reasons"
    assert second == "raw/b: 1 series: never fetched"
    assert each == [f"{name}: {why}" for name, why in run.reasons.items()]


def test_a_source_that_is_not_live_is_read_by_another_command(home: Home) -> None:
    said = " ".join(home.macro("fetch", "bundled", "cboe", "--dry-run").stdout.split())
    assert "source bundled needs no network: `macro run raw/bundled` reads what changed." in said
    assert "Nothing is due" in said


def test_sources_says_how_each_is_doing(home: Home) -> None:
    said = home.macro("sources").stdout
    lines = {line.split()[0]: line for line in said.splitlines() if line.split()}
    assert set(CATALOG.sources) <= set(lines)
    assert f"sources ({len(CATALOG.sources)})" in said
    assert " up " in lines["cboe"]
    assert "none needed" in lines["cboe"]
    assert "never fetched" in lines["ecb"]
    assert " off " in lines["fred"]
    assert "FRED_API_KEY is missing" in lines["fred"]
    assert "BLS_API_KEY (optional)" in lines["bls"]
    assert "(unofficial)" in lines["yahoo_chart"]
    assert "fred: source fred is off: the environment has no FRED_API_KEY" in said


def test_a_provider_that_fails_ends_the_command_with_an_error(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lake of its own, in which nothing was had before; its provider knows no series."""
    without = dataclasses.replace(CATALOG, series={})
    with serving(World(without)) as environment:
        monkeypatch.setenv("MACRO_URL_CBOE", environment["MACRO_URL_CBOE"])
        done = make_home(tmp_path).macro("fetch", "cboe", expect=1)
    said = " ".join((done.stdout + done.stderr).split())
    assert "series CBOE_VIX, CBOE_VIX_OPEN, CBOE_VIX_HIGH, CBOE_VIX_LOW of source cboe: HTTP 404" in said
    assert "404" in said
    assert "Traceback" not in said


def _ask(environment: Mapping[str, str], patch: pytest.MonkeyPatch) -> None:
    """Have all providers asked at a stand-in, without a key: who fails has further holders."""
    for name, value in environment.items():
        if name not in KEYS:
            patch.setenv(name, value)


UST = "raw/treasury_yields/UST_PAR_10Y"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts looked for on a machine without a network: the providers themselves are asked, and no name is known."""
    sought: list[str] = []
    for name in [n for n in os.environ if n.startswith("MACRO_URL_")]:
        monkeypatch.delenv(name)

    def unknown(host: str, *_: object, **__: object) -> None:
        sought.append(host)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    return sought


@pytest.mark.usefixtures("home")
def test_without_a_network_a_series_is_told_once_and_soon(offline: list[str], tmp_path: Path) -> None:
    done = make_home(tmp_path).macro("fetch", UST, expect=1)
    assert offline.count("home.treasury.gov") <= 4, "each try waits longer"
    said = " ".join((done.stdout + done.stderr).split())
    reason = "no network, or no such host: cannot resolve home.treasury.gov. Ask again later."
    assert done.stdout.count("FAILED") == 1
    assert said.count(reason) == 1
    assert f"FAILED {UST}: series UST_PAR_10Y of source treasury_yields: {reason}" in said
    for internal in ("gaierror", "Errno", "Temporary failure", "httpx", "Traceback"):
        assert internal not in said


@pytest.mark.usefixtures("home", "offline")
def test_without_a_network_many_series_are_told_in_a_few_lines(tmp_path: Path) -> None:
    done = make_home(tmp_path).macro("fetch", "ecb", "cboe", "nyfed", "tic", expect=1)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "warning"))]
    assert 2 <= len(lines) <= 3, "the first host, perhaps the second, and all others"
    assert "no network: neither" in " ".join(done.stdout.split())
    assert "more: no network" in " ".join(done.stdout.split())
    assert open_table(tmp_path / "lake", "raw/ecb") is None


@pytest.mark.usefixtures("home", "offline")
def test_what_others_do_not_serve_in_the_place_of_a_source_that_is_off_counts_when_it_was_named(tmp_path: Path) -> None:
    """Without a key FRED's keyless charts are asked, here in vain; unnamed, a source that is off is no failure."""
    lake = make_home(tmp_path)
    lake.macro("fetch", "raw/fred/UNRATE", expect=1)
    lake.macro("fetch", "raw/fred/GDPPOT", expect=1)
    lake.macro("fetch", "raw/fred/GDPPOT", "--dry-run")


class Rebased(World):
    """Providers whose every figure is a quarter larger than in the world before."""

    def _figures(self, series: Series) -> Mapping[date, float]:
        return {day: round(1.25 * value, 6) for day, value in super()._figures(series).items()}


def test_a_new_base_is_refused_and_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_home(tmp_path)
    latest = "SELECT value FROM series_as_of('CBOE_VIX', NULL) WHERE observation_date = '2020-03-02'"
    with serving() as environment:
        _ask(environment, monkeypatch)
        home.macro("fetch", "cboe")
        said = home.macro("accept", "CBOE_VIX", "--reason", "none", expect=2)
        assert "nothing to accept: its figures are in the base of the stored ones" in said.stderr + said.stdout
    before = home.macro("sql", "--csv", latest).stdout
    with serving(Rebased()) as environment:
        _ask(environment, monkeypatch)
        refused = home.macro("fetch", "cboe", "--all", expect=1)
        said = " ".join((refused.stdout + refused.stderr).split())
        assert "is 1.25 times the stored one" in said
        assert "macro accept CBOE_VIX" in said
        assert home.macro("sql", "--csv", latest).stdout == before
        taken = " ".join(home.macro("accept", "CBOE_VIX", "--reason", "synthetic", "--author", "ana").stdout.split())
        assert "is 1.25 times the stored one, by cboe: accepted by ana" in taken
        after = home.macro("sql", "--csv", latest).stdout
        assert float(after.split()[1]) == pytest.approx(1.25 * float(before.split()[1]))
        assert "Nothing is due" in home.macro("fetch", "raw/cboe/CBOE_VIX").stdout
        kept = home.macro("sql", "--csv", "SELECT provider, author, reason FROM audit.acceptances").stdout
        assert kept.split() == ["provider,author,reason", "cboe,ana,synthetic"]
        assert "Equal row for row" in home.macro("rebuild", "cboe").stdout


def test_the_catalog_is_searched_by_words_that_must_all_be_there(home: Home) -> None:
    said = home.macro("catalog", "VIX", "volatility").stdout
    assert "CBOE_VIX" in said
    assert "PAYEMS" not in said
    total, instruments = len(CATALOG.series), len(CATALOG.instruments)
    (counted,) = [line for line in said.splitlines() if f" of {total} series, " in line]
    assert f" of {instruments} instruments" in counted
    assert 0 < int(counted.split()[0]) < total


def test_words_rank_the_best_first_and_none_are_answered_with_the_nearest(home: Home) -> None:
    said = home.macro("catalog", "unemployment", "rate").stdout
    ids = [line.split()[0] for line in said.splitlines() if line.split() and line.split()[0] in CATALOG.series]
    assert ids[0] == "UNRATE"
    said = " ".join(home.macro("catalog", "payrols").stdout.split())
    assert "Nothing speaks of 'payrols'. Did you mean PAYEMS (Employees on nonfarm payrolls, total)" in said
    assert f"0 of {len(CATALOG.series)} series, 0 of" in said


def test_sources_are_listed_with_their_keys(home: Home) -> None:
    said = " ".join(home.macro("list", "sources").stdout.split())
    assert f"sources ({len(CATALOG.sources)})" in said
    assert f"fred, {len(CATALOG.series_of('fred'))} series, key FRED_API_KEY" in said
    assert "key BLS_API_KEY (optional)" in said


def test_the_page_of_the_catalog_is_up_to_date(home: Home) -> None:
    page = ROOT / "docs" / "catalog.md"
    made = home.macro("catalog", "--markdown").stdout
    stored = page.read_text(encoding="utf-8") if page.exists() else ""
    is_current = made == stored
    assert is_current, "docs/catalog.md is not what the catalog says: run `macro catalog --markdown > docs/catalog.md`"
    assert made.startswith("# Catalog\n")
    for name in (*CATALOG.sources, *CATALOG.series, *CATALOG.instruments):
        assert name in made
