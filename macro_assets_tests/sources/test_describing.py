"""What providers say of a series, read by each describer: their forms, and what is refused. Answers are synthetic."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.describing.protocol import LONGEST, Describer, Description, Found, asked, describer, plain
from macro_assets.sources.describing.words import standard_unit
from macro_assets.sources.errors import AuthError, NotFoundError, SchemaError, SourceError, TransientError
from macro_assets_tests.loopback import Loopback, Scripted
from macro_assets_tests.sources.wire import RECORDINGS, recordings

CATALOG = default_catalog()
DESCRIBED = ("fred", "bcb_sgs", "dbnomics", "ecb", "worldbank")


def of(source: str) -> Describer:
    found = describer(CATALOG.sources[source])
    assert found is not None
    return found


Answers = Mapping[str, Any]
"""Bodies by path; what is no bytes becomes JSON."""


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def ask(source: str, answers: Answers, code: str | None = None, words: str = "") -> Any:
        scripts = {
            path: answer if isinstance(answer, Scripted) else Scripted(body=_body(answer))
            for path, answer in answers.items()
        }
        with Loopback(scripts) as server:
            monkeypatch.setenv(f"MACRO_URL_{source.upper()}", server.url)
            monkeypatch.setenv(f"MACRO_RATE_{source.upper()}", "1000")
            monkeypatch.setenv("FRED_API_KEY", "synthetic-key-0123456789")
            speaks, declared = of(source), CATALOG.sources[source]
            if code is None:
                assert speaks.search is not None
                return asked(declared, speaks.search(words, 5))
            return asked(declared, speaks.describe(*speaks.named(code)))

    return ask


def _body(answer: Any) -> bytes:
    return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def test_those_who_can_be_asked_about_their_series() -> None:
    able = [name for name, source in CATALOG.sources.items() if describer(source)]
    assert sorted(able) == sorted(DESCRIBED)
    assert [n for n in DESCRIBED if of(n).search is None] == ["ecb"]
    assert [n for n in DESCRIBED if of(n).own_ids] == ["fred"]


# --- FRED ----------------------------------------------------------------------------------------------------------

SERIES = {
    "id": "SYN1",
    "title": "Synthetic rate",
    "units": "Percent",
    "frequency": "Monthly",
    "frequency_short": "M",
    "seasonal_adjustment_short": "NSA",
    "observation_start": "2024-01-01",
    "observation_end": "2024-02-01",
}
ROW = {"realtime_start": "2024-03-01", "realtime_end": "9999-12-31"}
FRED: dict[str, Any] = {
    "/fred/series": {"seriess": [SERIES]},
    "/fred/series/release": {"releases": [{"id": 10, "name": "Synthetic release"}]},
    "/fred/series/tags": {"tags": [{"name": "usa", "group_id": "geo"}, {"name": "copyrighted", "group_id": "cc"}]},
    "/fred/series/observations": {
        "count": 2,
        "offset": 0,
        "observations": [{**ROW, "date": "2024-01-01", "value": "."}, {**ROW, "date": "2024-02-01", "value": "-1.5"}],
    },
}


def fred(**changed: Any) -> dict[str, Any]:
    return {**FRED, "/fred/series": {"seriess": [{**SERIES, **changed}]}}


def test_fred_says_what_it_is_and_whose(ask: Callable[..., Any]) -> None:
    told: Description = ask("fred", FRED, "syn1")
    assert (told.code, told.title, told.unit, told.frequency) == ("SYN1", "Synthetic rate", "Percent", "M")
    assert (told.country, told.licence, told.release) == ("US", "Copyrighted; via FRED", ("10", "Synthetic release"))
    assert told.figures["value"].to_list() == [None, -1.5]
    assert told.notes == ()


def test_fred_without_tags_and_release_still_describes(ask: Callable[..., Any]) -> None:
    bare = {path: FRED[path] for path in ("/fred/series", "/fred/series/observations")}
    told: Description = ask("fred", bare, "SYN1")
    assert (told.country, told.release) == (None, None)
    assert "--country" in told.notes[0]


def test_what_fred_has_of_another_country_is_not_called_american(ask: Callable[..., Any]) -> None:
    told = ask("fred", {**FRED, "/fred/series/tags": {"tags": [{"name": "japan", "group_id": "geo"}]}}, "SYN1")
    assert told.country == "WW"
    assert told.notes == ("FRED tags it japan: state its country, as --country JP.",)


@pytest.mark.parametrize(
    ("answers", "kind", "said"),
    [
        (fred(frequency="Semiannual", frequency_short="SA"), SchemaError, "says its figures are 'Semiannual'"),
        (fred(frequency="5 Year", frequency_short="5Y"), SchemaError, "says its figures are '5 Year'"),
        (fred(seasonal_adjustment_short="NA"), SchemaError, "says 'NA' of its seasonal adjustment"),
        (fred(title=7), SchemaError, "expected 'title' to be str"),
        ({**FRED, "/fred/series": {"seriess": []}}, SchemaError, "expected the member 'seriess.0'"),
        ({**FRED, "/fred/series": b"<html><body>busy</body></html>"}, SchemaError, "got a page of HTML"),
        (
            {
                "/fred/series": Scripted(
                    400, b'{"error_code":400,"error_message":"Bad Request.  The series does not exist."}'
                )
            },
            NotFoundError,
            "FRED does not know the series",
        ),
        (
            {
                "/fred/series": Scripted(
                    400, b'{"error_code":400,"error_message":"The value for variable api_key is not."}'
                )
            },
            AuthError,
            "FRED refuses the key",
        ),
        ({"/fred/series": Scripted(503)}, TransientError, "HTTP 503"),
    ],
)
def test_what_fred_does_not_say(ask: Callable[..., Any], answers: Answers, kind: type[SourceError], said: str) -> None:
    with pytest.raises(kind, match=said):
        ask("fred", answers, "SYN1")


def test_a_search_at_fred(ask: Callable[..., Any]) -> None:
    found = ask("fred", {"/fred/series/search": {"seriess": [SERIES]}}, words="synthetic rate")
    assert found == [Found("SYN1", "Synthetic rate", "Percent", "Monthly", "2024-01-01", "2024-02-01")]


def recorded(part: str) -> bytes:
    """What FRED answered, where the recordings are there."""
    found = [r for r in recordings("fred") if part in r.file and r.status == 200]
    if not found:
        pytest.skip(f"no {part} of FRED at {RECORDINGS}")
    return found[-1].body


def test_fred_describes_gdp_as_it_was_recorded(ask: Callable[..., Any]) -> None:
    paths = {"": "series-GDP-2024", "/release": "series-release-GDP", "/tags": "series-tags-GDP"}
    answers = {f"/fred/series{path}": recorded(part) for path, part in paths.items()}
    told = ask("fred", {**answers, "/fred/series/observations": recorded("series-observations-GDP-2024")}, "GDP")
    assert (told.title, told.unit, told.frequency) == ("Gross Domestic Product", "Billions of Dollars", "Q")
    assert (told.seasonal_adjustment, told.country, told.release) == ("SAAR", "US", ("53", "Gross Domestic Product"))
    assert told.licence == "Public domain: citation requested; via FRED"
    assert (told.figures["observation_date"].min(), told.figures["observation_date"].max().year) == (
        date(1946, 1, 1),
        2024,
    )


def test_a_list_of_series_that_fred_gave(ask: Callable[..., Any]) -> None:
    """Of a category, in the form that a search has too."""
    body = recorded("category-series-125")
    found = ask("fred", {"/fred/series/search": body}, words="trade")
    assert len(found) == json.loads(body)["count"]
    assert Found("BOPBCA", "Balance on Current Account (DISCONTINUED)", "Billions of Dollars", "Quarterly",
                 "1960-01-01", "2014-01-01") in found  # fmt: skip


# --- Banco Central do Brasil ---------------------------------------------------------------------------------------

PORTAL = "/api/3/action/package_search"
LISTED = {
    "codigo_sgs": "99999",
    "title": "Série sintética",
    "periodicidade": "mensal",
    "unidade_medida": "Milhões de reais",
    "inicio_periodo": "01-03-2021",
}
FIGURES = "/dados/serie/bcdata.sgs.99999/dados"
ROWS = [
    {"data": "01/03/2021", "valor": "1.5"},
    {"data": "01/04/2021", "valor": ""},
    {"data": "01/05/2021", "valor": "2"},
]


def test_the_bank_s_portal_says_what_it_is(ask: Callable[..., Any]) -> None:
    told = ask("bcb_sgs", {PORTAL: {"result": {"results": [LISTED]}}, FIGURES: ROWS}, "99999")
    assert (told.title, told.unit, told.frequency, told.country) == ("Série sintética", "Milhões de reais", "M", "BR")
    assert told.figures["observation_date"].min() == date(2021, 3, 1)
    assert told.notes == ()


@pytest.mark.parametrize(
    "portal", [{"result": {"results": []}}, b"<html>busy</html>", {"result": {"results": [7]}}, Scripted(404)]
)
def test_without_the_portal_there_are_the_figures(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, portal: Any
) -> None:
    monkeypatch.setattr("macro_assets.sources.describing.bcb_sgs._EARLIEST", date(2021, 1, 1))
    told = ask("bcb_sgs", {PORTAL: portal, FIGURES: ROWS}, "99999")
    assert (told.title, told.unit, told.frequency) == (None, None, None)
    assert "--title" in told.notes[0]
    assert told.figures.height == 3


def test_what_the_bank_does_not_have(ask: Callable[..., Any]) -> None:
    nothing = Scripted(404, b'{"erro":{"detail":"Value(s) not found"}}')
    with pytest.raises(NotFoundError, match="no figures of series 99999"):
        ask("bcb_sgs", {PORTAL: {"result": {"results": [LISTED]}}, FIGURES: nothing}, "99999")
    half = {"result": {"results": [{**LISTED, "periodicidade": "semestral"}]}}
    with pytest.raises(SchemaError, match="says its figures are 'semestral'"):
        ask("bcb_sgs", {PORTAL: half, FIGURES: ROWS}, "99999")
    with pytest.raises(NotFoundError, match="no code of SGS"):
        ask("bcb_sgs", {}, "IPCA")


def test_a_search_at_the_bank(ask: Callable[..., Any]) -> None:
    (found,) = ask("bcb_sgs", {PORTAL: {"result": {"results": [LISTED, {"title": "no series"}]}}}, words="sintética")
    assert (found.code, found.title, found.frequency, found.first) == (
        "99999",
        "Série sintética",
        "mensal",
        "01-03-2021",
    )


# --- DBnomics ------------------------------------------------------------------------------------------------------

DOC = {
    "provider_code": "XXX",
    "dataset_code": "SYN",
    "series_code": "M.A",
    "series_name": "Synthetic – [/red] index",
    "@frequency": "monthly",
    "dimensions": {"unit": "IX", "geo": "FR", "s_adj": "SA"},
    "period_start_day": ["2024-01-01", "2024-02-01"],
    "value": [1.5, "NA"],
}
DIMENSIONS = {
    "dimensions_labels": {"unit": "Unit of measure", "s_adj": "Seasonal adjustment"},
    "dimensions_values_labels": {"unit": {"IX": "Index, 2015=100"}, "s_adj": [["SA", "Seasonally adjusted data"]]},
}


def dbnomics(**changed: Any) -> dict[str, Any]:
    page = {"docs": [{**DOC, **changed}], "num_found": 1}
    provider = {"name": "Synthetic agency", "terms_of_use": "https://example.org/terms"}
    return {"/series/XXX/SYN/M.A": {"series": page, "dataset": DIMENSIONS, "provider": provider}}


def test_dbnomics_says_it_by_dimensions(ask: Callable[..., Any]) -> None:
    told = ask("dbnomics", dbnomics(), "XXX/SYN/M.A")
    assert (told.title, told.unit, told.frequency) == ("Synthetic – [/red] index", "Index, 2015=100", "M")
    assert (told.seasonal_adjustment, told.country) == ("SA", "FR")
    assert told.licence == "Synthetic agency (https://example.org/terms); collected by DBnomics"


@pytest.mark.parametrize(
    ("dimensions", "country", "adjusted"),
    [
        ({"REF_AREA": "U2", "ADJUSTMENT": "N"}, "EA", "NSA"),
        ({"geo": "EA20", "s_adj": "Not seasonally adjusted"}, "EA", "NSA"),
        ({"geo": "USA", "s_adj": "Neither seasonally nor working day adjusted"}, "WW", "NSA"),
        ({}, "WW", "NSA"),
    ],
)
def test_dimensions_that_say_little(
    ask: Callable[..., Any], dimensions: dict[str, str], country: str, adjusted: str
) -> None:
    told = ask("dbnomics", dbnomics(dimensions=dimensions), "XXX/SYN/M.A")
    assert (told.country, told.seasonal_adjustment, told.unit) == (country, adjusted, None)
    assert bool(told.notes) == (country == "WW")


def test_what_dbnomics_does_not_have(ask: Callable[..., Any]) -> None:
    with pytest.raises(SchemaError, match="says its figures are 'bi-annual'"):
        ask("dbnomics", dbnomics(**{"@frequency": "bi-annual"}), "XXX/SYN/M.A")
    with pytest.raises(SchemaError, match="in another form than expected: AttributeError"):
        ask("dbnomics", dbnomics(dimensions=["FR"]), "XXX/SYN/M.A")
    with pytest.raises(NotFoundError, match="HTTP 404"):
        ask("dbnomics", {"/series/XXX/SYN/M.A": Scripted(404, b'{"message": "not found"}')}, "XXX/SYN/M.A")
    with pytest.raises(NotFoundError, match="provider/dataset/series"):
        ask("dbnomics", {}, "XXX/SYN")


def test_a_search_at_dbnomics_is_one_of_data_sets_and_then_of_their_series(ask: Callable[..., Any]) -> None:
    datasets = {"results": {"docs": [{"provider_code": "XXX", "code": "SYN", "name": "Prices"}], "num_found": 1}}
    answers = {"/search": datasets, "/series/XXX/SYN": {"series": {"docs": [DOC], "num_found": 1}}}
    (found,) = ask("dbnomics", answers, words="index")
    assert (found.code, found.title, found.frequency) == ("XXX/SYN/M.A", "Prices: Synthetic – [/red] index", "monthly")


# --- European Central Bank -----------------------------------------------------------------------------------------

ECB = """KEY,FREQ,REF_AREA,ADJUSTMENT,TIME_PERIOD,OBS_VALUE,COLLECTION,TITLE,TITLE_COMPL,UNIT,UNIT_MULT
SYN.M.U2.Y.A,M,U2,Y,2024-01,1.5,E,Short,"Synthetic stock, long",EUR,6
SYN.M.U2.Y.A,M,U2,Y,2024-02,-2,E,Short,"Synthetic stock, long",EUR,6
"""


@pytest.mark.parametrize("code", ["SYN/M.U2.Y.A", "SYN.M.U2.Y.A", "syn/M.U2.Y.A"])
def test_the_portal_says_it_by_attributes(ask: Callable[..., Any], code: str) -> None:
    told = ask("ecb", {"/data/SYN/M.U2.Y.A": ECB.encode()}, code)
    assert (told.dataset, told.code, told.title) == ("SYN", "M.U2.Y.A", "Synthetic stock, long")
    assert (told.unit, told.frequency, told.seasonal_adjustment) == ("Millions of EUR", "M", "SA")
    assert (told.country, told.aggregation) == ("EA", "last")
    assert told.figures["value"].to_list() == [1.5, -2]


def test_what_the_ecb_does_not_have(ask: Callable[..., Any]) -> None:
    with pytest.raises(SchemaError, match="'half-yearly'"):
        ask("ecb", {"/data/SYN/M.U2.Y.A": ECB.replace(",M,U2", ",H,U2").encode()}, "SYN/M.U2.Y.A")
    with pytest.raises(NotFoundError, match="knows no series SYN/M.U2.Y.A"):
        ask("ecb", {"/data/SYN/M.U2.Y.A": Scripted(404, b"No results found.")}, "SYN/M.U2.Y.A")
    with pytest.raises(SchemaError, match="expected the series"):
        ask("ecb", {"/data/SYN/M.U2.Y.B": ECB.encode()}, "SYN/M.U2.Y.B")
    with pytest.raises(NotFoundError, match="no key of the ECB"):
        ask("ecb", {}, "EXR")


# --- World Bank ----------------------------------------------------------------------------------------------------

ABOUT = {"page": 1, "pages": 1, "total": 1}
INDICATOR = {"id": "SYN.TOTL", "name": "Synthetic total (current US$)", "unit": ""}
LAND = {"id": "BRA", "iso2Code": "BR", "name": "Brazil", "region": {"id": "LCN", "value": "Latin America"}}
WORLDBANK: dict[str, Any] = {
    "/indicator/SYN.TOTL": [ABOUT, [INDICATOR]],
    "/country/BRA": [ABOUT, [LAND]],
    "/country/BRA/indicator/SYN.TOTL": [ABOUT, [{"date": "2024", "value": 2.5}, {"date": "2023", "value": None}]],
}


@pytest.mark.parametrize("code", ["SYN.TOTL/BRA", "BRA/SYN.TOTL", "syn.totl/bra"])
def test_the_bank_names_indicator_and_country(ask: Callable[..., Any], code: str) -> None:
    told = ask("worldbank", WORLDBANK, code)
    assert (told.code, told.title) == ("BRA/SYN.TOTL", "Synthetic total (current US$), Brazil")
    assert (told.unit, told.country) == ("current US$", "BR")
    assert told.figures["observation_date"].to_list() == [date(2024, 1, 1), date(2023, 1, 1)]


@pytest.mark.parametrize(
    ("land", "country"),
    [
        ({"iso2Code": "1W", "region": {"id": "NA", "value": "Aggregates"}}, "WW"),
        ({"iso2Code": "XD", "region": {"id": "NA", "value": "Aggregates"}}, "WW"),
        ({"iso2Code": "XC", "region": {"id": "NA", "value": "Aggregates"}}, "EA"),
        ({"iso2Code": "XK", "region": {"id": "ECS", "value": "Europe"}}, "XK"),
    ],
)
def test_groups_are_no_countries(ask: Callable[..., Any], land: dict[str, Any], country: str) -> None:
    told = ask("worldbank", {**WORLDBANK, "/country/BRA": [ABOUT, [{**LAND, **land}]]}, "SYN.TOTL/BRA")
    assert told.country == country


def test_what_the_world_bank_does_not_have(ask: Callable[..., Any]) -> None:
    unknown = [{"message": [{"id": "120", "key": "Invalid value", "value": "not valid"}]}]
    with pytest.raises(NotFoundError, match="does not know it"):
        ask("worldbank", {**WORLDBANK, "/indicator/SYN.TOTL": unknown}, "SYN.TOTL/BRA")
    with pytest.raises(NotFoundError, match="no code of the World Bank"):
        ask("worldbank", {}, "GDP")


def test_a_search_at_the_world_bank(ask: Callable[..., Any]) -> None:
    series = {"id": "Series", "variable": [{"id": "SYN.TOTL", "name": "Synthetic total (%)", "metatype": []}]}
    countries = {"id": "Country", "variable": [{"id": "BRA", "metatype": []}]}
    answers = {"/sources/2/search/solid%20fuel": {"source": [{"id": "2", "concept": [countries, series]}]}}
    assert ask("worldbank", answers, words="solid fuel") == [Found("SYN.TOTL", "Synthetic total (%)", "%")]


# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "unit", "scale"),
    [
        ("Percent", "percent", 1.0),
        ("Percent Change from Year Ago", "percent", 1.0),
        ("Percent of GDP", "percent_of_gdp", 1.0),
        ("Percentage Points", "percentage_points", 1.0),
        ("Billions of Dollars", "usd", 1e9),
        ("Millions of U.S. Dollars", "usd", 1e6),
        ("Billions of Chained 2017 Dollars", "usd_2017", 1e9),
        ("Thousands of Persons", "persons", 1e3),
        ("Level in Thousands", "units", 1e3),
        ("Index 1982-1984=100", "index_1982_84_100", 1.0),
        ("Index, 2015 = 100", "index_2015_100", 1.0),
        ("Index", "index", 1.0),
        ("Milhões de reais", "brl", 1e6),
        ("Mil unidades", "unidades", 1e3),
        ("Bilhão", "units", 1e9),
        ("Milhagem", "milhagem", 1.0),
        ("Pontos percentuais", "percentage_points", 1.0),
        ("Var. % mensal", "percent", 1.0),
        ("Not stated", "unknown", 1.0),
        ("★", "units", 1.0),
    ],
)
def test_units(stated: str, unit: str, scale: float) -> None:
    assert standard_unit(stated) == (unit, scale)


def test_a_text_is_on_one_line_and_shows_what_it_is() -> None:
    assert plain("a\n\tb\x1b[31m\u202e\u200bc") == "a b[31mc"
    assert len(plain("x" * 10_000)) == LONGEST
    with pytest.raises(SchemaError, match="expected text, got int"):
        plain(7)
