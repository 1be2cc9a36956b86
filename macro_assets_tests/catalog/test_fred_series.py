"""The series of FRED against FRED's own metadata, real figures, and the words of their units.

Each check is a function that returns problems, so that it can also be given wrong entries and must find them.
Recordings and data sets are read where they are there; the checks of the entries among themselves always run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Bounds, Holder, PublicationLag, Series, default_catalog
from macro_assets_tests.sources.wire import RECORDINGS, recordings

FRED = default_catalog().series_of("fred")
RECENT = default_catalog().series_of("fred_recent")
BY_CODE = {s.code: s for s in FRED}
SHARED = RECORDINGS.parent

METADATA_SINCE = date(2024, 10, 1)
"""Older metadata is in units and base years of its day."""

UNIT_SINCE = {
    **dict.fromkeys(("WRESBAL", "WTREGEN"), date(2025, 11, 13)),
    **dict.fromkeys(("TOTALSL", "REVOLSL", "NONREVSL"), date(2025, 8, 7)),
    "BOGMBASE": date(2024, 9, 24),
}
"""Day from which FRED publishes a series in its present unit, where that was another by a factor of 1000 before."""

SCALES = {"Billions": 1e9, "100 Million": 1e8, "Millions": 1e6, "Thousands": 1e3}
CURRENCIES = {
    "U.S. Dollar": "usd",
    "U.S. Dollars": "usd",
    "Euro": "eur",
    "U.K. Pound Sterling": "gbp",
    "Australian Dollar": "aud",
    "Japanese Yen": "jpy",
    "Canadian Dollars": "cad",
    "Swiss Francs": "chf",
    "Chinese Yuan Renminbi": "cny",
    "Indian Rupees": "inr",
    "South Korean Won": "krw",
    "Mexican Pesos": "mxn",
    "Brazilian Reals": "brl",
}
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
FRESH_WITHIN = {"D": 30, "W": 100, "M": 500, "Q": 400}
"""Most days of `staleness_days` that make sense for a frequency."""


# --- the checks ----------------------------------------------------------------------------------------------------


def code_problems(series: Iterable[Series]) -> Iterator[str]:
    """Codes are FRED's and unique; an id is its code."""
    seen: set[str] = set()
    for s in series:
        if not re.fullmatch(r"[A-Z0-9]+", s.code):
            yield f"{s.id}: code {s.code!r} is none of FRED's"
        if s.code in seen:
            yield f"{s.id}: code {s.code} is declared twice"
        seen.add(s.code)
        if s.id != s.code:
            yield f"{s.id}: id must be {s.code}"


def scale_of(words: str) -> float:
    """What a number in FRED's units is multiplied by, from the words of the unit."""
    return next((scale for word, scale in SCALES.items() if re.search(rf"\b{word}\b", words)), 1.0)


def unit_of(words: str) -> str | None:
    """The standard unit that FRED's words call for; None where the words alone do not tell."""
    if pair := re.fullmatch(r"(.+) to One (.+)", words):
        return "_per_".join(CURRENCIES[p] for p in pair.groups())
    if base := re.fullmatch(r"Index ([A-Z][a-z]{2} )?(\d{4})(?:-19(\d\d))?(:Q\d)? ?= ?100", words):
        month, year, until, quarter = base.groups()
        parts = [year, until, quarter and quarter[1:].lower(), month and f"{MONTHS.index(month.strip()) + 1:02d}"]
        return f"index_{'_'.join(p for p in parts if p)}_100"
    if chained := re.search(r"Chained (\d{4}) Dollars", words):
        return f"usd_{chained[1]}"
    if re.fullmatch(r"(Billions|Millions) of (U\.S\. |US )?Dollars|Dollars|U\.S\. Dollars", words):
        return "usd"
    if re.match(r"Percent\b", words):
        return "percent"
    return {"Ratio": "ratio", "Thousands of Persons": "persons", "Percentage Points": "percentage_points"}.get(words)


def unit_problems(series: Iterable[Series]) -> Iterator[str]:
    """`scale` and `unit` say the same as the words of `provider_unit`."""
    for s in series:
        if s.scale != scale_of(s.provider_unit):
            yield f"{s.id}: {s.provider_unit!r} is scaled by {s.scale:g}"
        wanted = unit_of(s.provider_unit)
        if wanted is not None and s.unit != wanted:
            yield f"{s.id}: {s.provider_unit!r} becomes {s.unit!r}, expected {wanted!r}"


def time_problems(series: Iterable[Series]) -> Iterator[str]:
    """Frequency, aggregation, lag and staleness agree."""
    for s in series:
        flow = s.provider_unit.startswith("Millions of") and s.seasonal_adjustment != "SAAR" and s.frequency in "MQ"
        if s.aggregation == "sum" and not flow:
            yield f"{s.id}: {s.provider_unit} per {s.frequency} ({s.seasonal_adjustment}) do not add up"
        if s.frequency == "D" and s.aggregation != "mean":
            yield f"{s.id}: figures of days are averaged, not {s.aggregation!r}"
        if s.staleness_days > FRESH_WITHIN[s.frequency]:
            yield f"{s.id}: fresh for {s.staleness_days} days at frequency {s.frequency}"
        if s.staleness_days <= s.publication_lag.days:
            yield f"{s.id}: stale after {s.staleness_days} days, but published after {s.publication_lag.days}"
        if s.seasonal_adjustment != "NSA" and s.frequency == "D":
            yield f"{s.id}: nothing daily is seasonally adjusted"
        if s.last_year is not None and s.last_year < s.first_year:
            yield f"{s.id}: ends before it begins"


def transform_problems(series: Iterable[Series]) -> Iterator[str]:
    """Logarithms (transforms 4 to 6) need values above zero, so bounds above or at it."""
    for s in series:
        if s.transform >= 4 and (s.bounds.low is None or s.bounds.low < 0):
            yield f"{s.id}: transform {s.transform} takes logarithms of values down to {s.bounds.low}"
        if s.bounds.low is None or s.bounds.high is None:
            yield f"{s.id}: a bound is missing"


def holder_problems(series: Iterable[Series]) -> Iterator[str]:
    """The chart of the same code has the same figures; what is projected or dated in hindsight has none."""
    for s in series:
        for h in s.holders:
            if h.source == "fred_graph" and ((h.code or s.code) != s.code or h.factor != 1):
                yield f"{s.id}: its chart is {s.code}, not {h.code} times {h.factor:g}"
            if h.source == "fred_graph" and not h.same:
                yield f"{s.id}: its chart has the very same figures"
        if s.holders and (s.code == "USREC" or (s.projections and s.frequency != "D")):
            yield f"{s.id}: a stand-in without vintages would tell the future"


def metadata_problems(series: Mapping[str, Series], found: Iterable[tuple[date, Mapping[str, Any]]]) -> Iterator[str]:
    """Entries say what FRED's metadata says: unit, frequency, adjustment, begin and end."""
    for asked, facts in found:
        s = series.get(facts["id"])
        if s is None or asked < UNIT_SINCE.get(s.code, METADATA_SINCE):
            continue
        pairs = {
            "units": (s.provider_unit, facts["units"]),
            "frequency_short": (s.frequency, facts["frequency_short"]),
            "seasonal_adjustment_short": (s.seasonal_adjustment, facts["seasonal_adjustment_short"]),
            "observation_start": (s.first_year, int(facts["observation_start"][:4])),
        }
        if "DISCONTINUED" in facts["title"]:
            pairs["observation_end"] = (s.last_year, int(facts["observation_end"][:4]))
        yield from (
            f"{s.id}: {field}: {ours!r}, FRED says {theirs!r}"
            for field, (ours, theirs) in pairs.items()
            if ours != theirs
        )


def value_problems(s: Series, values: pl.Series) -> Iterator[str]:
    """Real figures lie within `bounds`."""
    numbers = values.cast(pl.Float64).drop_nulls()
    low, high = s.bounds.low, s.bounds.high
    for name, bad in (("below", numbers.filter(numbers < low)), ("above", numbers.filter(numbers > high))):
        if len(bad):
            yield f"{s.id}: {len(bad)} of {len(numbers)} values are {name} its bounds ({low} to {high}): {bad[0]}"


# --- the entries ---------------------------------------------------------------------------------------------------


def test_there_are_series_of_every_kind() -> None:
    assert len(FRED) >= 115
    themes = {s.theme for s in FRED}
    assert themes >= {"output", "labor", "prices", "housing", "credit", "rates", "curve", "money", "fx", "volatility"}
    assert themes >= {"funding", "liquidity", "stress", "expectations", "commodities", "fiscal", "trade", "income"}
    assert {"EA", "DE", "JP", "GB", "CN", "BR"} <= {s.country for s in FRED}


def test_codes_and_ids() -> None:
    assert list(code_problems([*FRED, *RECENT])) == []


def test_names_that_are_none() -> None:
    assert not {"CPI", "JOLTS", "NAPM", "GOLDAMGBD228NLBM", "SP500", "DJIA", "BAMLH0A0HYM2"} & set(BY_CODE)
    assert BY_CODE["DFEDTARU"].theme == "rates"
    assert BY_CODE["TEDRATE"].last_year == 2022


@pytest.mark.parametrize("check", [unit_problems, time_problems, transform_problems, holder_problems])
def test_each_entry_agrees_with_itself(check: Any) -> None:
    assert list(check([*FRED, *RECENT])) == []


def test_metadata_that_was_recorded() -> None:
    found = [
        (min(r.recorded.date(), date.fromisoformat(facts.get("realtime_end", "9999-12-31"))), facts)
        for r in recordings("fred")
        if r.file.endswith(".json") and r.status == 200
        for facts in series_in(json.loads(r.body))
    ]
    if not found:
        pytest.skip(f"no metadata of FRED at {RECORDINGS}")
    assert list(metadata_problems(BY_CODE, found)) == []
    assert {facts["id"] for _, facts in found} & set(BY_CODE), "none of the series was recorded"


def series_in(body: Any) -> list[dict[str, Any]]:
    found = body.get("seriess", []) if isinstance(body, dict) else []
    return [f for f in found if isinstance(f, dict) and "units" in f]


def title_problems(titles: Mapping[str, str], bodies: Iterable[Any]) -> Iterator[str]:
    """Where a release has another title than FRED says; `titles` by the release's id."""
    for body in bodies:
        named = [(r.get("release_id"), r.get("release_name")) for r in body.get("release_dates", [])]
        named += [(r.get("id"), r.get("name")) for r in body.get("releases", [])]
        for release, name in named:
            if name and (ours := titles.get(str(release), name)) != name:
                yield f"release {release} is {name!r}, not {ours!r}"


TITLES = {r.id: r.title for r in default_catalog().releases.values() if r.source in ("fred", "fred_recent")}


def test_titles_of_releases_that_were_recorded() -> None:
    recorded = [json.loads(r.body) for r in recordings("fred") if r.file.endswith(".json") and r.status == 200]
    bodies = [body for body in recorded if isinstance(body, dict)]
    if not bodies:
        pytest.skip(f"no releases of FRED at {RECORDINGS}")
    assert list(title_problems(TITLES, bodies)) == []
    known = {str(r["release_id"]) for b in bodies for r in b.get("release_dates", []) if "release_name" in r}
    assert len(known & set(TITLES)) > 50


@pytest.mark.parametrize(
    "body",
    [
        {"release_dates": [{"release_id": 53, "release_name": "Gross National Product", "date": "2024-10-30"}]},
        {"releases": [{"id": 53, "name": "Gross National Product"}]},
    ],
)
def test_a_title_that_is_not_freds_is_found(body: dict[str, Any]) -> None:
    assert list(title_problems(TITLES, [body])) == [
        "release 53 is 'Gross National Product', not 'Gross Domestic Product'"
    ]


FILES = {
    **{f"macro_2017/{code}.csv": {code: code} for code in ("CPIAUCSL", "GDPC1", "PAYEMS", "UNRATE")},
    "conditions/NFCI.csv": {"NFCI": "NFCI"},
    "treasury/T10Y3M.csv": {"T10Y3M": "T10Y3M"},
    "treasury/par_yields_1990_2023.csv": {
        "1 Mo": "DGS1MO",
        "3 Mo": "DGS3MO",
        "2 Yr": "DGS2",
        "10 Yr": "DGS10",
        "30 Yr": "DGS30",
    },
    "recession/USREC_1960_2025.csv": {"USREC": "USREC"},
    "vix/vix-daily.csv": {"CLOSE": "VIXCLS"},
}
"""Real figures: file to its columns and the series they are of."""


@pytest.mark.parametrize("file", FILES)
def test_real_figures_lie_within_bounds(file: str) -> None:
    table = csv_of(SHARED / "data" / file)
    for column, code in FILES[file].items():
        assert table[column].cast(pl.Float64, strict=False).drop_nulls().len() > 50
        assert list(value_problems(BY_CODE[code], table[column])) == []


@pytest.mark.parametrize("folder", ["vintages/us", "data/fred_md"])
def test_figures_of_old_vintages_lie_within_bounds(folder: str) -> None:
    """Base years were others then, but not by much; units that were others by 1000 are left out."""
    checked = set()
    for file in vintages_in(folder):
        table = csv_of(file).filter(pl.nth(0).str.contains(r"\d"))
        for code in set(table.columns) & set(BY_CODE) - set(UNIT_SINCE):
            assert list(value_problems(BY_CODE[code], table[code])) == [], file
            checked.add(code)
    assert len(checked) >= 20


def test_transformations_are_those_of_fred_md() -> None:
    for file in vintages_in("data/fred_md"):
        codes = csv_of(file).filter(pl.nth(0) == "Transform:").row(0, named=True)
        shared = set(codes) & set(BY_CODE)
        assert len(shared) >= 20
        assert {c: BY_CODE[c].transform for c in shared} == {c: int(codes[c]) for c in shared}, file


def vintages_in(folder: str) -> list[Path]:
    files = sorted((SHARED / folder).glob("*.csv"))
    if not files:
        pytest.skip(f"no vintages at {SHARED / folder}")
    return files


def csv_of(path: Path) -> pl.DataFrame:
    if not path.is_file():
        pytest.skip(f"no real figures at {path}")
    return pl.read_csv(path, infer_schema=False, null_values=["", "."])


# --- wrong entries are found ---------------------------------------------------------------------------------------


def altered(code: str, /, **facts: Any) -> list[Series]:
    return [BY_CODE[code].model_copy(update=facts)]


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (altered("GDP", code="GDP-1"), "none of FRED's"),
        (altered("GDP", id="GDP_US"), "id must be GDP"),
        (altered("GDP", id="GDP_FRED"), "id must be GDP"),
        ([BY_CODE["GDP"], BY_CODE["GDP"]], "declared twice"),
    ],
)
def test_wrong_codes_are_found(series: list[Series], expected: str) -> None:
    assert expected in " ".join(code_problems(series))


@pytest.mark.parametrize(
    ("check", "series", "expected"),
    [
        (unit_problems, altered("GDP", scale=1e6), "scaled by 1e+06"),
        (unit_problems, altered("PAYEMS", scale=1.0), "scaled by 1"),
        (unit_problems, altered("JPNASSETS", scale=1e6), "scaled by 1e+06"),
        (unit_problems, altered("UNRATE", scale=100.0), "scaled by 100"),
        (unit_problems, altered("DHHNGSP", scale=1e6), "scaled by 1e+06"),
        (unit_problems, altered("UNRATE", unit="persons"), "expected 'percent'"),
        (unit_problems, altered("GDPC1", unit="usd_2009"), "expected 'usd_2017'"),
        (unit_problems, altered("INDPRO", unit="index_2012_100"), "expected 'index_2017_100'"),
        (unit_problems, altered("PPIFIS", unit="index_2009_12_100"), "expected 'index_2009_11_100'"),
        (unit_problems, altered("DEXJPUS", unit="usd_per_jpy"), "expected 'jpy_per_usd'"),
        (unit_problems, altered("DEXUSEU", unit="eur_per_usd"), "expected 'usd_per_eur'"),
        (time_problems, altered("GDP", aggregation="sum"), "do not add up"),
        (time_problems, altered("UNRATE", aggregation="sum"), "do not add up"),
        (time_problems, altered("DGS10", aggregation="last"), "are averaged"),
        (time_problems, altered("DGS10", staleness_days=120), "fresh for 120 days"),
        (time_problems, altered("GDP", staleness_days=20), "published after 31"),
        (time_problems, altered("DGS10", seasonal_adjustment="SA"), "nothing daily"),
        (time_problems, altered("TEDRATE", last_year=1980), "ends before"),
        (transform_problems, altered("NFCI", transform=5), "takes logarithms"),
        (transform_problems, altered("GDP", bounds=Bounds(low=0, high=None)), "a bound is missing"),
        (holder_problems, altered("DGS10", holders=(Holder(source="fred_graph", code="DGS2", same=True),)), "not DGS2"),
        (holder_problems, altered("DGS10", holders=(Holder(source="fred_graph", factor=0.01),)), "times 0.01"),
        (holder_problems, altered("DGS10", holders=(Holder(source="fred_graph"),)), "the very same figures"),
        (holder_problems, altered("USREC", holders=(Holder(source="fred_graph", same=True),)), "the future"),
        (holder_problems, altered("GDPPOT", holders=(Holder(source="fred_graph", same=True),)), "the future"),
    ],
)
def test_wrong_entries_are_found(check: Any, series: list[Series], expected: str) -> None:
    assert list(check([BY_CODE[series[0].code]])) == []
    assert expected in " ".join(check(series))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"provider_unit": "Millions of Dollars"}, "units"),
        ({"frequency": "M"}, "frequency_short"),
        ({"seasonal_adjustment": "SA"}, "seasonal_adjustment_short"),
        ({"first_year": 1959}, "observation_start"),
    ],
)
def test_entries_that_contradict_fred_are_found(facts: dict[str, Any], expected: str) -> None:
    said = {
        "id": "GDP",
        "title": "Synthetic",
        "units": "Billions of Dollars",
        "frequency_short": "Q",
        "seasonal_adjustment_short": "SAAR",
        "observation_start": "1947-01-01",
        "observation_end": "2025-01-01",
    }
    asked = date(2026, 1, 1)
    assert list(metadata_problems(BY_CODE, [(asked, said)])) == []
    wrong = {"GDP": BY_CODE["GDP"].model_copy(update=facts)}
    assert [p for p in metadata_problems(wrong, [(asked, said)]) if expected in p]
    ended = {**said, "title": "Synthetic (DISCONTINUED)"}
    assert "observation_end" in " ".join(metadata_problems(BY_CODE, [(asked, ended)]))
    assert list(metadata_problems(wrong, [(date(2012, 1, 1), said)])) == [], "in the unit of its day"


@pytest.mark.parametrize(("values", "expected"), [([4.1, -3.0], "below"), ([4.1, 400.0], "above")])
def test_figures_out_of_bounds_are_found(values: list[float], expected: str) -> None:
    assert expected in " ".join(value_problems(BY_CODE["UNRATE"], pl.Series(values)))
    assert list(value_problems(BY_CODE["UNRATE"], pl.Series([4.1, None, 14.7]))) == []


def test_a_lag_is_a_lag() -> None:
    """Rates that are out on the next business day are not known on a Saturday."""
    next_day = [s for s in FRED if s.release in ("18", "304", "445") and s.frequency == "D"]
    assert len(next_day) > 20
    assert {s.publication_lag.days for s in next_day} == {3}
    assert all(isinstance(s.publication_lag, PublicationLag) for s in FRED)
