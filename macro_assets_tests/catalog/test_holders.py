"""Who has a series: its home, holders that its entry names, sources with a copy; what each states, what is refused."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from macro_assets.catalog import Bounds, Catalog, CatalogError, Holder, Series, load_catalog
from macro_assets.catalog.derive import holdings_frame
from macro_assets_tests.catalog.editing import edit
from macro_assets_tests.catalog.test_releases import FIELDS, SOURCE, lag
from macro_assets_tests.sources.own_files import SHIPPED, catalog_of, declare

FULL = {**FIELDS, "publication_lag": lag(1), "licence": "of the home"}
LIVE = {**SOURCE, "api": {"base_url": "https://example.org", "requests_per_second": 1}}
A = {"id": "A", "title": "A", "code": "a", "dataset": "set", "unit": "usd", "scale": 1000.0}


def write(own: Path, name: str, source: Mapping[str, Any] = SOURCE, **document: Any) -> None:
    """A source's file; JSON is YAML."""
    (own / f"{name}.yaml").write_text(json.dumps({"source": source, "series": [], **document}), encoding="utf-8")


def with_copy(own: Path, *copies: Mapping[str, Any], **document: Any) -> Catalog:
    """A series `A` whose home is `toy`, and a source `other` with copies of it."""
    write(own, "toy", defaults=FULL, series=[A])
    write(own, "other", **{"series": list(copies), **document})
    return catalog_of(own)


def told(catalog: Catalog, own: Path) -> list[str]:
    """What was refused, files by their names alone."""
    return sorted(str(p).replace(f"{own}{os.sep}", "") for p in catalog.refused)


# --- what a holder has -----------------------------------------------------------------------------------------------


def test_a_series_is_held_by_its_home_then_whom_its_entry_names_then_sources_with_a_copy(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path, name)
    other_unit = {"source": "one", "unit": "eur", "bounds": {"low": 1, "high": 2}}
    holders = [{"source": "two", "factor": 0.001, "code": "x"}, other_unit]
    write(tmp_path, "toy", defaults=FULL, series=[{**A, "holders": holders}])
    write(tmp_path, "copies", series=[{"of": "A", "unit": "index_2009_100", "scale": 1.0, "first_year": 2010}])
    catalog = catalog_of(tmp_path)
    assert told(catalog, tmp_path) == []
    held = catalog.holdings("A")
    assert [(h.provider, h.table, h.factor, h.same) for h in held] == [
        ("toy", "toy", 1, False),
        ("two", "toy", 0.001, False),
        ("one", "toy", 1, False),
        ("copies", "copies", 1, False),
    ]
    assert [(h.series.unit, h.series.scale, h.series.first_year) for h in held] == [
        ("usd", 1000, 2000),
        ("usd", 1000, 2000),
        ("eur", 1000, 2000),
        ("index_2009_100", 1, 2010),
    ]
    assert held[0].series is catalog.series["A"]
    assert held[2].series.bounds == Bounds(low=1, high=2)
    assert catalog.series_of("copies") == (held[3].series,)
    assert catalog.series_of("toy") == (held[0].series,)
    assert catalog.series_of("one") == (), "rows of those who are asked are in the home's table"


def test_elsewhere_a_series_has_its_code_and_nothing_else_that_says_where_it_is(tmp_path: Path) -> None:
    write(tmp_path, "one")
    release = {"7": {"title": "Report"}}
    cell = {"date": "d", "value": "v", "meaning": "day"}
    entry = {**A, "release": "7", "selector": cell, "holders": [{"source": "one"}]}
    write(tmp_path, "toy", releases=release, defaults=FULL, series=[entry])
    write(tmp_path, "other", series=[{"of": "A", "dataset": "file", "code": "column"}])
    home, asked, copy = (h.series for h in catalog_of(tmp_path).holdings("A"))
    assert (home.dataset, home.code, home.release, home.selector is not None) == ("set", "a", "7", True)
    assert (asked.dataset, asked.code, asked.release, asked.selector, asked.holders) == (None, "a", None, None, ())
    assert (copy.dataset, copy.code, copy.release, copy.selector, copy.holders) == ("file", "column", None, None, ())
    assert (copy.id, copy.title, copy.frequency, copy.licence) == ("A", "A", home.frequency, home.licence)


def test_several_sources_may_have_a_copy(tmp_path: Path) -> None:
    write(tmp_path, "another", series=[{"of": "A"}])
    catalog = with_copy(tmp_path, {"of": "A"})
    assert [h.provider for h in catalog.holdings("A")] == ["toy", "another", "other"]


def test_a_copy_takes_of_the_defaults_what_may_differ(tmp_path: Path) -> None:
    """Of its group, then the group's release, then the file; what all series of a group are is not asked of a copy."""
    file = {**FULL, "unit": "percent", "scale": 2.0, "licence": "of the file", "title": "T"}
    group = {"dataset": "of the group", "frequency": "A", "theme": "prices", "release": "7", "unit": "eur"}
    releases = {"7": {"title": "Report", "publication_lag": lag(9)}}
    groups = [{"defaults": group, "series": [{"of": "A", "unit": "brl"}]}]
    catalog = with_copy(tmp_path, releases=releases, defaults=file, groups=groups)
    assert told(catalog, tmp_path) == []
    home, copy = (h.series for h in catalog.holdings("A"))
    assert (copy.dataset, copy.unit, copy.scale, copy.licence) == ("of the group", "brl", 2.0, "of the file")
    assert copy.publication_lag.days == 9
    assert (copy.frequency, copy.theme, copy.title) == (home.frequency, home.theme, "A")


def test_a_column_of_a_folder_is_a_copy_and_no_series_beside_it(tmp_path: Path) -> None:
    place = declare(tmp_path, {"prefix": "MY_"}, [{"of": "A", "code": "Jobs"}, {"of": "B"}])
    (place / "a.csv").write_text("Date,Jobs,B,C\n2020-01-01,1,2,3\n")
    write(tmp_path, "toy", defaults=FULL, series=[A, {"id": "B", "title": "B", "code": "b"}])
    catalog = catalog_of(tmp_path)
    assert told(catalog, tmp_path) == []
    assert [(s.id, s.code) for s in catalog.series_of("mine")] == [("MY_C", "C"), ("A", "Jobs"), ("B", "B")]
    assert all(s.folder == catalog.sources["mine"].folder for s in catalog.series_of("mine"))


def test_the_frame_has_a_row_for_each_holder(catalog: Catalog) -> None:
    rows = holdings_frame(catalog, ["INDPRO", "SP500"]).to_dicts()
    assert [(r["series_id"], r["rank"], r["provider"], r["source"], r["unit"], r["same"]) for r in rows] == [
        ("INDPRO", 0, "fred", "fred", "index_2017_100", False),
        ("INDPRO", 1, "fred_graph", "fred", "index_2017_100", True),
        ("INDPRO", 2, "bundled", "fred", "index_2012_100", False),
        *[
            ("SP500", rank, provider, "yahoo_chart", "index_points", False)
            for rank, provider in enumerate(["yahoo_chart", "fred_recent", "fred_graph", "bundled"])
        ],
    ]
    assert {r["staleness_days"] for r in rows if r["series_id"] == "INDPRO"} == {120}
    every = holdings_frame(catalog)
    assert every["series_id"].unique(maintain_order=True).to_list() == list(catalog.series)
    assert every.height == sum(len(catalog.holdings(s)) for s in catalog.series)


# --- what is refused -------------------------------------------------------------------------------------------------


def test_two_homes_of_one_id_are_named_with_what_to_do(small: Path) -> None:
    edit(small, "sources/bundled.yaml", "  - id: GDPC1_MACRODATA\n", "  - id: GDPC1\n")
    with pytest.raises(CatalogError) as caught:
        load_catalog(small)
    assert str(caught.value).splitlines()[1:] == [
        "  sources/fred.yaml: GDPC1: id: declared twice, first in sources/bundled.yaml. A series has one home: state "
        "`of` here with what differs, or give another series an id of its own.",
        "  sources/bundled.yaml: of: GDPC1: of: bundled is its home",
    ]


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        ([{"of": "AA"}], "other.yaml: of: AA: of: series 'AA' is not declared. Did you mean A?"),
        ([{"of": "A"}, {"of": "A", "code": "b"}], "other.yaml: of: A: of: declared twice"),
        ([{"of": "A", "title": "B"}], "other.yaml: of: A: title: Extra inputs are not permitted"),
        ([{"of": "A", "frequency": "Q"}], "other.yaml: of: A: frequency: Extra inputs are not permitted"),
        ([{"of": "A", "staleness_days": 7}], "other.yaml: of: A: staleness_days: Extra inputs are not permitted"),
        ([{"of": "A", "same": True}], "other.yaml: of: A: same: Extra inputs are not permitted"),
        ([{"of": "A", "id": "B"}], "other.yaml: of: A: id: Extra inputs are not permitted"),
        ([{"of": "A", "source": "toy"}], "other.yaml: of: A: source: the file's name says it already"),
        ([{"of": "A", "scale": 0}], "other.yaml: of: A: scale: Input should be greater than 0 (got 0)"),
        ([{"of": "a"}], "other.yaml: of: a: of: String should match pattern"),
        ([{"of": None}], "other.yaml: of: None: of: Input should be a valid string (got None)"),
        ([{"of": ["A"]}], "other.yaml: of: ['A']: of: Input should be a valid string"),
    ],
)
def test_a_broken_copy_is_named_and_left_out(tmp_path: Path, copies: list[dict[str, Any]], expected: str) -> None:
    catalog = with_copy(tmp_path, *copies)
    (text,) = told(catalog, tmp_path)
    assert text.startswith(expected)
    assert set(catalog.sources) == {"toy", "other"}
    assert set(catalog.series) == {"A"}


def test_a_source_has_no_copy_of_its_own_series_nor_one_beside_what_the_entry_says_of_it(tmp_path: Path) -> None:
    write(tmp_path, "toy", defaults=FULL, series=[{**A, "holders": [{"source": "other"}]}, {"of": "A"}])
    write(tmp_path, "other", series=[{"of": "A"}])
    catalog = catalog_of(tmp_path)
    assert told(catalog, tmp_path) == [
        "other.yaml: of: A: of: other is a holder of it already, in toy.yaml",
        "toy.yaml: of: A: of: toy is its home",
    ]
    assert [h.provider for h in catalog.holdings("A")] == ["toy", "other"]


@pytest.mark.parametrize(
    ("holders", "expected"),
    [
        (["toy"], "holders: 'toy' is named twice, or is the home of the series. Name each once."),
        (["one", "one"], "holders: 'one' is named twice, or is the home of the series. Name each once."),
        ([{"factor": 0.001}], "holders: 'one' has the very same figures, but a factor or another unit."),
        ([{"unit": "eur"}], "holders: 'one' has the very same figures, but a factor or another unit."),
        ([{"scale": 1.0}], "holders: 'one' has the very same figures, but a factor or another unit."),
        ([{"provider_unit": "Euros"}], "holders: 'one' has the very same figures, but a factor or another unit."),
        ([{"title": "B"}], "holders.0.title: Extra inputs are not permitted"),
        ([{"factor": 0}], "holders.0.factor: Input should be greater than 0 (got 0)"),
    ],
)
def test_a_contradiction_of_holders_is_refused(tmp_path: Path, holders: Sequence[Any], expected: str) -> None:
    write(tmp_path, "one")
    stated = [{"source": h} if isinstance(h, str) else {"source": "one", "same": True, **h} for h in holders]
    write(tmp_path, "toy", defaults=FULL, series=[{**A, "holders": stated}])
    catalog = catalog_of(tmp_path)
    (text,) = told(catalog, tmp_path)
    assert text.startswith("toy.yaml: A: ")
    assert expected in text
    assert not catalog.series


def test_the_very_same_figures_may_be_known_at_another_time_and_from_another_year(tmp_path: Path) -> None:
    write(tmp_path, "one")
    there = {"source": "one", "same": True, "factor": 1, "unit": "usd", "code": "x", "first_year": 2010}
    write(tmp_path, "toy", defaults=FULL, series=[{**A, "holders": [{**there, "publication_lag": lag(5)}]}])
    _, held = catalog_of(tmp_path).holdings("A")
    assert (held.same, held.series.publication_lag.days, held.series.first_year) == (True, 5, 2010)


def test_a_folder_is_no_holder_that_another_entry_names(tmp_path: Path) -> None:
    (declare(tmp_path, {"prefix": "MY_"}) / "a.csv").write_text("Date,C\n2020-01-01,1\n")
    write(tmp_path, "toy", defaults=FULL, series=[{**A, "holders": [{"source": "mine"}]}])
    catalog = catalog_of(tmp_path)
    assert told(catalog, tmp_path) == ["toy.yaml: A: holders: mine is a folder; state `of: A` in its file instead"]
    assert set(catalog.series) == {"MY_C"}


# --- the user's own folder -------------------------------------------------------------------------------------------


def test_an_own_source_may_have_a_copy_of_a_shipped_series(small: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    write(own, "mine", series=[{"of": "PAYEMS"}, {"of": "PAYEM"}])
    catalog = load_catalog(small, own)
    (text,) = told(catalog, own)
    assert text.startswith("mine.yaml: of: PAYEM: of: series 'PAYEM' is not declared. Did you mean PAYEMS")
    assert [h.provider for h in catalog.holdings("PAYEMS")] == ["fred", "fred_graph", "bundled", "mine"]
    assert [s.id for s in catalog.series_of("mine")] == ["PAYEMS"]
    assert "raw/mine" in catalog.tables
    assert catalog.series == load_catalog(small).series


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"unit": 1}, "toy.yaml: A: unit: Input should be a valid string (got 1)"),
        ({"holders": [{"source": "nobody"}]}, "toy.yaml: A: holders: source 'nobody' is not declared."),
    ],
)
def test_a_copy_of_an_own_series_that_is_left_out_goes_with_it(tmp_path: Path, wrong: dict[str, Any], why: str) -> None:
    write(tmp_path, "toy", defaults=FULL, series=[{**A, **wrong}, {"id": "B", "title": "B"}])
    write(tmp_path, "other", series=[{"of": "A"}, {"of": "B"}])
    catalog = catalog_of(tmp_path)
    assert told(catalog, tmp_path) == ["other.yaml: of: A: of: series 'A' is left out", why]
    assert [(c.id, c.source) for c in catalog.copies] == [("B", "other")]


def test_copies_of_a_source_that_is_left_out_go_with_it(tmp_path: Path) -> None:
    catalog = with_copy(tmp_path, {"of": "A"}, source={**SOURCE, "family": "nobody"})
    assert set(catalog.sources) == {"toy"}
    assert catalog.copies == ()
    assert len(told(catalog, tmp_path)) == 1


def test_what_is_wrong_with_a_shipped_series_is_not_told_of_its_copy(small: Path) -> None:
    edit(small, "sources/fred.yaml", "{id: UNRATE,", "{id: UNRATE, nonsense: 1,")
    with pytest.raises(CatalogError) as caught:
        load_catalog(small)
    assert "of: UNRATE" not in str(caught.value)


# --- the shipped catalog ---------------------------------------------------------------------------------------------


def id_problems(series: Iterable[Series]) -> Iterator[str]:
    """No id says who serves it where FRED has the concept, and a unit spells its base in one way."""
    for s in series:
        if s.id.endswith("_FRED") or s.id == "YAHOO_SP500":
            yield f"{s.id}: a series has FRED's id where FRED has it"
        if re.match(r"index_\d{4}", s.unit) and not s.unit.endswith("_100"):
            yield f"{s.id}: unit {s.unit!r}, expected {s.unit + '_100'!r}"


def holder_problems(catalog: Catalog) -> Iterator[str]:
    """A holder's code, unit and scale are what it says it holds."""
    for series_id, home in catalog.series.items():
        for h in catalog.holdings(series_id)[1:]:
            there = h.series
            if there.source.startswith("fred") and home.source.startswith("fred") and there.code != series_id:
                yield f"{series_id}: {h.provider} has it as {there.code}, FRED's id is {series_id}"
            if (there.unit != home.unit) != (there.provider_unit != home.provider_unit):
                yield f"{series_id}: {h.provider} has {there.provider_unit!r} as {there.unit!r}"
            if there.scale != home.scale and there.unit == home.unit and h.factor == 1:
                yield f"{series_id}: {h.provider} has another scale, but the unit of its home"


def keyless_problems(catalog: Catalog) -> Iterator[str]:
    """What FRED has with a key is had without one, but for what nobody could say when it was known."""
    for s in catalog.series_of("fred"):
        keyless = [h for h in catalog.holdings(s.id) if (api := catalog.sources[h.provider].api) is None or not api.key]
        if not keyless and not (s.projections or s.id == "USREC"):
            yield f"{s.id}: nobody has it without a key"


def shipped_problems(catalog: Catalog) -> list[str]:
    series = [*catalog.series.values(), *(h.series for i in catalog.series for h in catalog.holdings(i)[1:])]
    return [*id_problems(series), *holder_problems(catalog), *keyless_problems(catalog)]


def test_one_concept_has_one_id(catalog: Catalog) -> None:
    assert shipped_problems(catalog) == []
    assert {c.source for c in catalog.copies} == {"bundled"}
    other_base = {c.id for c in catalog.copies if c.unit != catalog.series[c.id].unit}
    assert other_base == {"INDPRO", "DSPIC96", "PCEPILFE", "PCEPI", "PCEC96", "GDPC1", "ULCNFB", "A261RX1Q020SBEA"}
    own = {s.id for s in catalog.series_of("bundled")} - {c.id for c in catalog.copies}
    assert {"CPILFESL_ARCH", "GDPC1_MACRODATA"} <= own, "other concepts than FRED's of that name"
    assert [catalog.series[i].source for i in ("SP500", "DJIA")] == ["yahoo_chart", "yahoo_chart"]


@pytest.mark.parametrize(
    ("series_id", "facts", "expected"),
    [
        ("PAYEMS_FRED", {"id": "PAYEMS_FRED"}, "PAYEMS_FRED: a series has FRED's id"),
        ("INDPRO", {"unit": "index_2017"}, "INDPRO: unit 'index_2017', expected 'index_2017_100'"),
        ("UNRATE", {"holders": (Holder(source="fred_graph", code="U6RATE"),)}, "fred_graph has it as U6RATE"),
        ("UNRATE", {"holders": (Holder(source="fred_graph", unit="share"),)}, "fred_graph has 'Percent' as 'share'"),
        ("UNRATE", {"holders": (Holder(source="fred_graph", scale=0.01),)}, "fred_graph has another scale"),
        ("GDP", {"holders": ()}, "GDP: nobody has it without a key"),
    ],
)
def test_a_wrong_holder_is_found(catalog: Catalog, series_id: str, facts: dict[str, Any], expected: str) -> None:
    series = catalog.series[series_id.removesuffix("_FRED")].model_copy(update=facts)
    assert expected in " ".join(shipped_problems(replace(catalog, series={**catalog.series, series_id: series})))


def test_every_offline_copy_is_loaded_from_the_shipped_files() -> None:
    catalog = load_catalog(SHIPPED)
    assert len(catalog.copies) == 41
    assert len(catalog.series) == 725
