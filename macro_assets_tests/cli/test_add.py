"""`macro add` and `macro search` against the stand-ins: what is written is in the catalog and fetched, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from macro_assets.catalog import Catalog, default_catalog, load_catalog
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets_tests.conftest import Home, make_home
from macro_assets_tests.loopback import Loopback, Scripted
from macro_assets_tests.providers import World
from macro_assets_tests.providers.server import serving
from macro_assets_tests.sources.own_files import SHIPPED

COMMON = {"theme": "own", "first_year": 2015, "transform": 2, "staleness_days": 200, "aggregation": "mean"}
MONTHLY = {"frequency": "M", "seasonal_adjustment": "NSA", "bounds": {"low": -50.0, "high": 50.0}}
LAG = {"publication_lag": {"days": 40, "time": "12:00", "time_zone": "UTC"}}
KNOWN: dict[str, dict[str, Any]] = {
    "fred": {"id": "UNRATENSA", "title": "Unemployment [bold]rate[/nope]", "provider_unit": "Percent", "release": "50"},
    "bcb_sgs": {"id": "BCB", "code": "20786", "title": "Spread médio", "provider_unit": "Pontos percentuais"},
    "dbnomics": {
        "id": "DBN",
        "code": "BIS/WS_EER/M.R.B.BR",
        "title": "Real rate",
        "provider_unit": "Index, 2020 = 100",
    },
    "ecb": {"id": "ECB", "dataset": "EXR", "code": "M.USD.EUR.SP00.A", "title": "Rate", "provider_unit": "Percent"},
    "worldbank": {
        "id": "WB",
        "code": "BRA/SP.DYN.LE00.IN",
        "title": "Expected years",
        "provider_unit": "%",
        "frequency": "A",
    },
}
"""Series that the providers have and the package's catalog has not."""

CODES = {s: f"{e['dataset']}/{e['code']}" if "dataset" in e else e.get("code", e["id"]) for s, e in KNOWN.items()}
IDS = {
    "fred": "UNRATENSA",
    "bcb_sgs": "BCB_SGS_20786",
    "dbnomics": "DBNOMICS_BIS_WS_EER_M_R_B_BR",
    "ecb": "ECB_EXR_M_USD_EUR_SP00_A",
    "worldbank": "WORLDBANK_BRA_SP_DYN_LE00_IN",
}


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Stand-ins that know more than the package's catalog."""
    theirs = tmp_path_factory.mktemp("theirs")
    for source, entry in KNOWN.items():
        lag = {} if source == "fred" else LAG
        filled = {**COMMON, **MONTHLY, "unit": "percent", "scale": 1.0, "country": "BR", **lag, **entry}
        document = {"source": source, "series": [filled]}
        (theirs / f"{source}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    catalog = load_catalog(SHIPPED, theirs)
    assert catalog.refused == ()
    with serving(World(catalog=catalog)) as environment:
        yield environment


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, providers: dict[str, str]) -> Iterator[Home]:
    """A home with an empty folder of the user's own, for what writes nothing: the catalog is read once."""
    folder = tmp_path_factory.mktemp("asking")
    (folder / "own").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**providers, "COLUMNS": "200", "MACRO_CATALOG": str(folder / "own")}.items():
            patch.setenv(name, value)
        default_catalog.cache_clear()
        yield make_home(folder)
    default_catalog.cache_clear()
    assert list((folder / "own").iterdir()) == [], "something was written"


@pytest.fixture
def own(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the user's own to write into."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("MACRO_CATALOG", str(folder))
    default_catalog.cache_clear()
    yield folder
    default_catalog.cache_clear()


def mine(own: Path) -> Catalog:
    catalog = load_catalog(SHIPPED, own)
    assert catalog.refused == ()
    return catalog


# --- what it does --------------------------------------------------------------------------------------------------


def test_a_series_is_written_and_fetched_and_there(home: Home, own: Path) -> None:
    source, series_id = "worldbank", IDS["worldbank"]
    done = home.macro("add", source, CODES[source])
    file = own / f"{series_id.lower()}.yaml"
    assert done.stdout.startswith(file.read_text(encoding="utf-8"))
    assert f"{file} is written" in done.stdout.replace("\n", " ")
    catalog = mine(own)
    assert catalog.series[series_id].source == source
    stored = Lakehouse(home.lake, catalog).read(f"raw/{source}")
    assert stored["series_id"].unique().to_list() == [series_id]
    assert stored["value"].drop_nulls().len() > 10
    again = home.macro("add", source, CODES[source])
    assert again.stdout.startswith(f"{series_id} is in the catalog already, in {file}")
    assert series_id in home.macro("catalog", series_id.lower()).stdout
    assert "never fetched" not in home.macro("fetch", f"raw/{source}/{series_id}", "--dry-run").stdout


@pytest.mark.parametrize("source", KNOWN)
def test_a_dry_run_shows_an_entry_that_the_catalog_takes(home: Home, tmp_path: Path, source: str) -> None:
    done = home.macro("add", source, CODES[source], "--dry-run")
    assert "Nothing is written." in done.stderr
    (tmp_path / "shown.yaml").write_text(done.stdout, encoding="utf-8")
    series = mine(tmp_path).series[IDS[source]]
    told = KNOWN[source]
    assert (series.source, series.code) == (source, told.get("code", IDS[source]))
    assert told["title"] in series.title
    assert series.frequency == told.get("frequency", "M")
    low, high = series.bounds.low, series.bounds.high
    assert low is not None
    assert high is not None
    assert low < -50 < 50 < high


def test_what_a_series_of_fred_takes_from_its_release(home: Home) -> None:
    shown = yaml.safe_load(home.macro("add", "fred", "unratensa", "--dry-run").stdout)
    (entry,) = shown["series"]
    assert (entry["release"], entry["licence"]) == ("50", "Public domain: citation requested; via FRED")
    assert "publication_lag" not in entry
    assert "releases" not in shown


def test_what_the_user_states_counts(home: Home) -> None:
    stated = ("--id", "MINE", "--title", "Mine", "--unit", "Millions of Euros", "--country", "DE")
    (entry,) = yaml.safe_load(home.macro("add", "ecb", CODES["ecb"], *stated, "--dry-run").stdout)["series"]
    assert [entry[k] for k in ("id", "title", "scale", "country")] == ["MINE", "Mine", 1e6, "DE"]


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("fred", "payems", "PAYEMS is in the catalog already, in sources/fred.yaml: "),
        ("bcb_sgs", "433", "BR_IPCA_MOM is in the catalog already, in sources/bcb_sgs.yaml: "),
        ("worldbank", "SP.POP.TOTL", "WW_POPULATION is in the catalog already"),
        ("ecb", "EXR.D.USD.EUR.SP00.A", "ECB_EUR_USD is in the catalog already"),
    ],
)
def test_what_is_there_is_told_without_asking(
    home: Home, monkeypatch: pytest.MonkeyPatch, source: str, code: str, said: str
) -> None:
    monkeypatch.setenv(f"MACRO_URL_{source.upper()}", "http://127.0.0.1:1")
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    assert home.macro("add", source, code).stdout.startswith(said)


# --- what it refuses -----------------------------------------------------------------------------------------------


def refused(home: Home, *arguments: str) -> str:
    done = home.macro(*arguments, expect=2)
    assert done.stderr.startswith("macro: ")
    assert done.stdout == ""
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fred", "NO_SUCH"), "FRED does not know the series"),
        (("bcb_sgs", "99999"), "no figures of series 99999"),
        (("dbnomics", "XXX/SYN/M.A"), "HTTP 404"),
        (("ecb", "EXR/M.XXX.EUR.SP00.A"), "knows no series EXR/M.XXX.EUR.SP00.A"),
        (("worldbank", "NO.SUCH/BRA"), "does not know it"),
        (("fredd", "UNRATENSA"), "unknown source 'fredd'. Did you mean fred"),
        (("cboe", "VIX"), "cboe cannot be asked about its series; bcb_sgs, dbnomics, ecb, fred, worldbank can"),
        (("fred", "UNRATENSA", "--id", "unratensa"), "'unratensa' is no id"),
        (("fred", "UNRATENSA", "--id", "../x"), "'../x' is no id"),
        (("fred", "UNRATENSA", "--id", "PAYEMS"), "PAYEMS is the id of another series"),
    ],
)
def test_what_cannot_be_added(home: Home, arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(home, "add", *arguments)


def test_what_the_catalog_does_not_take_is_not_left_there(home: Home, own: Path) -> None:
    done = home.macro("add", "fred", "UNRATENSA", "--country", "Brazil", expect=2)
    assert "unratensa.yaml: UNRATENSA: country: " in done.stderr.replace("\n", "")
    assert list(own.iterdir()) == []
    assert "UNRATENSA" not in default_catalog().series


def test_without_a_key_fred_says_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRED_API_KEY")
    assert "the environment has no FRED_API_KEY. A key is had at https://" in refused(home, "add", "fred", "UNRATENSA")
    assert "FRED_API_KEY" in refused(home, "search", "rate", "--source", "fred")


def test_without_a_folder_nothing_is_asked(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MACRO_CATALOG")
    monkeypatch.setenv("MACRO_URL_FRED", "http://127.0.0.1:1")
    said = refused(home, "add", "fred", "UNRATENSA")
    assert "MACRO_CATALOG is not set" in said
    assert "--dry-run writes the entry to the terminal" in said


def test_a_file_that_is_there_stays(home: Home, own: Path) -> None:
    (own / "unratensa.yaml").write_text("charts: []\n", encoding="utf-8")
    assert "unratensa.yaml is there already" in refused(home, "add", "fred", "UNRATENSA")
    assert (own / "unratensa.yaml").read_text(encoding="utf-8") == "charts: []\n"


def test_without_a_network(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MACRO_URL_FRED", "http://127.0.0.1:1")
    assert "127.0.0.1 refuses the connection" in refused(home, "add", "fred", "UNRATENSA")


@pytest.mark.parametrize("body", [b"<html><body>busy</body></html>", b"", b'{"seriess": "x"}', b"\xff\xfe"])
def test_an_answer_that_is_none(home: Home, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    with Loopback({}, otherwise=Scripted(body=body)) as server:
        monkeypatch.setenv("MACRO_URL_FRED", server.url)
        assert "expected" in refused(home, "add", "fred", "UNRATENSA")


def test_a_fetch_that_fails_leaves_the_entry(home: Home, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was described can be had later."""
    monkeypatch.setattr("macro_assets.orchestration.refresh.askable", lambda *_: ("somebody",))
    monkeypatch.setattr("macro_assets.sources.providers.worldbank.plan", lambda *_: [])
    done = home.macro("add", "worldbank", CODES["worldbank"], expect=1)
    assert "`macro fetch raw/worldbank/WORLDBANK_BRA_SP_DYN_LE00_IN` asks for it again" in done.stderr.replace(
        "\n", " "
    )
    assert IDS["worldbank"] in mine(own).series


# --- search --------------------------------------------------------------------------------------------------------


def test_the_catalog_is_searched_by_titles(home: Home) -> None:
    lines = home.macro("search", "unemployment", "rate").stdout.splitlines()
    assert lines[1].split()[0] == "UNRATE"
    assert "series of the catalog" in lines[-1]
    assert "bcb_sgs, dbnomics, fred, worldbank" in lines[-1]
    assert home.macro("search", "PAYEMS").stdout.splitlines()[1].split()[0] == "PAYEMS"
    assert home.macro("search", "no-such-word").stdout.startswith("0 of ")
    assert len(home.macro("search", "index", "--limit", "3").stdout.splitlines()) == 5


@pytest.mark.parametrize(
    ("source", "words", "code"),
    [
        ("fred", "[bold]rate[/nope]", "UNRATENSA"),
        ("bcb_sgs", "spread médio", "20786"),
        ("dbnomics", "real rate", "BIS/WS_EER/M.R.B.BR"),
        ("worldbank", "expected years", "SP.DYN.LE00.IN"),
    ],
)
def test_a_provider_is_searched(home: Home, source: str, words: str, code: str) -> None:
    said = home.macro("search", words, "--source", source).stdout
    assert any(line.split()[0] == code for line in said.splitlines()[1:] if line.strip()), said
    assert f"`macro add {source} CODE` adds one" in said


def test_what_a_title_has_is_no_markup(home: Home) -> None:
    assert "Unemployment [bold]rate[/nope]" in home.macro("search", "unemployment", "--source", "fred").stdout


def test_what_is_in_the_catalog_already_is_told(home: Home) -> None:
    said = home.macro("search", "nonfarm", "payrolls", "--source", "fred").stdout
    (line,) = [x for x in said.splitlines() if "PAYEMS" in x]
    assert line.split()[0] == line.split()[-1] == "PAYEMS"


def test_a_provider_without_a_search_says_so(home: Home) -> None:
    assert "ecb has no search for programs" in refused(home, "search", "inflation", "--source", "ecb")
    assert "unknown source 'feds'" in refused(home, "search", "inflation", "--source", "feds")
    assert "nothing to search for" in refused(home, "search", " ")
