"""Releases of a source's file: what their series take from them, what is refused; and what an entry need not say."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from macro_assets.catalog import Catalog, Release, Series
from macro_assets_tests.sources.own_files import DEFAULTS, catalog_of

LEVELS = ("entry", "group", "release", "file")
SOURCE = {"title": "Toy", "description": "A toy.", "url": "https://example.org", "owner": "team:research"}
FIELDS: dict[str, Any] = {
    **{k: v for k, v in DEFAULTS.items() if k not in ("licence", "publication_lag")},
    "unit": "percent",
    "provider_unit": "Percent",
    "scale": 1.0,
    "first_year": 2000,
    "transform": 1,
    "bounds": {"low": None, "high": None},
    "staleness_days": 100,
    "aggregation": "mean",
}
"""What a series needs beside its names and what a release may say."""


def lag(days: int) -> dict[str, Any]:
    return {"days": days, "time": "08:30", "time_zone": "UTC"}


def catalog_with(own: Path, **document: Any) -> Catalog:
    """The catalog of one source file; JSON is YAML."""
    (own / "toy.yaml").write_text(json.dumps({"source": SOURCE, **document}), encoding="utf-8")
    return catalog_of(own)


def one(own: Path, *, entry: Any, group: Any, release: Any, file: Any, named: str = "entry") -> Series:
    """A series by what each level states; `named` is the level that names the release."""
    levels = {"entry": {"id": "A", "title": "A", **entry}, "group": group, "file": {**FIELDS, **file}}
    levels[named] = {**levels[named], "release": "7"}
    document = {
        "releases": {"7": {"title": "Report", **release}, "8": {"title": "Another", "licence": "of another"}},
        "defaults": levels["file"],
        "groups": [{"defaults": levels["group"], "series": [levels["entry"]]}],
    }
    return catalog_with(own, **document).series["A"]


@pytest.mark.parametrize("named", ["entry", "group", "file"])
@pytest.mark.parametrize("states", [s for s in product([True, False], repeat=4) if any(s)])
def test_the_nearest_that_states_a_field_wins(tmp_path: Path, states: tuple[bool, ...], named: str) -> None:
    """The entry over its group over the release over the file's defaults, whichever of them names the release."""
    stating = [level for level, does in zip(LEVELS, states, strict=True) if does]
    facts = {
        level: {"licence": f"of the {level}", "publication_lag": lag(LEVELS.index(level))} if level in stating else {}
        for level in LEVELS
    }
    series = one(tmp_path, **facts, named=named)
    assert series.licence == f"of the {stating[0]}"
    assert series.publication_lag.days == LEVELS.index(stating[0])


def test_one_field_may_be_the_releases_and_another_not(tmp_path: Path) -> None:
    release = {"licence": "of the release", "publication_lag": lag(5)}
    series = one(tmp_path, entry={"publication_lag": lag(9)}, group={}, release=release, file={})
    assert (series.licence, series.publication_lag.days) == ("of the release", 9)


def test_a_series_without_a_release_takes_nothing_from_one(tmp_path: Path) -> None:
    releases = {"7": {"title": "Report", "licence": "of the release", "publication_lag": lag(5)}}
    file = {**FIELDS, "licence": "of the file", "publication_lag": lag(1)}
    series = [{"id": "A", "title": "A"}, {"id": "B", "title": "B", "release": "7"}]
    catalog = catalog_with(tmp_path, releases=releases, defaults=file, series=series)
    assert [s.licence for s in catalog.series.values()] == ["of the file", "of the release"]
    assert catalog.series["A"].release is None


def test_the_catalog_offers_its_releases(tmp_path: Path, catalog: Catalog) -> None:
    toy = catalog_with(tmp_path, releases={"7": {"title": "Report", "publication_lag": lag(5)}}, series=[])
    assert toy.releases == {
        "toy/7": Release.model_validate({"source": "toy", "id": "7", "title": "Report", "publication_lag": lag(5)})
    }
    assert catalog.releases["fred/53"].title == "Gross Domestic Product"
    named = {f"{s.source}/{s.release}" for s in catalog.series.values() if s.release}
    assert named == set(catalog.releases), "a release without a series, or a series without its release"


@pytest.mark.parametrize(
    ("releases", "expected"),
    [
        pytest.param({"7": {}}, "toy.yaml: releases: 7: title: Field required", id="no title"),
        pytest.param({"7": {"title": "T", "lag": 1}}, "releases: 7: lag: Extra inputs", id="unknown field"),
        pytest.param({"": {"title": "T"}}, "releases: : id: String should have at least 1 character", id="no id"),
        pytest.param(
            {"7": {"title": "T", "publication_lag": {**lag(1), "time_zone": "Mars/Olympus"}}},
            "releases: 7: publication_lag.time_zone: Value error, 'Mars/Olympus' is not an IANA time zone",
            id="bad time zone",
        ),
        pytest.param({"7": {"title": "T", "id": "8"}}, "releases: 7: id: its key and the file's name say it", id="id"),
        pytest.param({"7": {"title": "T", "source": "fred"}}, "releases: 7: source: its key and the", id="source"),
        pytest.param({"7": "Report"}, "toy.yaml: releases: expected a mapping of ids, each to a mapping", id="a text"),
        pytest.param([{"id": "7"}], "toy.yaml: releases: expected a mapping of ids, each to a mapping", id="a list"),
    ],
)
def test_a_broken_release_is_named_alone(tmp_path: Path, releases: Any, expected: str) -> None:
    """Its series, which have no lag without it, are not blamed."""
    series = [{**FIELDS, "id": "A", "title": "A", "licence": "none", "release": "7"}]
    (problem,) = catalog_with(tmp_path, releases=releases, series=series).refused
    assert expected in str(problem)


@pytest.mark.parametrize(
    ("releases", "expected"),
    [
        ("{'7': {title: A}, '7': {title: B}}", "toy.yaml: not valid YAML: the key '7' is given twice"),
        ("{7: {title: A}}", "toy.yaml: releases: 7: id: Input should be a valid string (got 7)"),
    ],
)
def test_an_id_is_a_text_and_given_once(tmp_path: Path, releases: str, expected: str) -> None:
    text = f"source: {json.dumps(SOURCE)}\nreleases: {releases}\nseries: []\n"
    (tmp_path / "toy.yaml").write_text(text, encoding="utf-8")
    (problem,) = catalog_of(tmp_path).refused
    assert expected in str(problem)


@pytest.mark.parametrize(
    ("level", "name", "expected"),
    [
        ("entry", "9", "toy.yaml: A: release: '9' is not declared under 'releases'"),
        ("group", "53", "toy.yaml: A: release: '53' is not declared under 'releases'"),  # it is one of FRED's
        ("file", "9", "toy.yaml: defaults: release: '9' is not declared under 'releases'"),
        ("entry", 7, "toy.yaml: A: release: Input should be a valid string (got 7)"),
    ],
)
def test_a_release_that_the_file_does_not_declare_is_refused(
    tmp_path: Path, level: str, name: object, expected: str
) -> None:
    levels: dict[str, dict[str, Any]] = {"entry": {}, "group": {}, "file": {"publication_lag": lag(1), "licence": "x"}}
    levels[level]["release"] = name
    document = {
        "releases": {"7": {"title": "Report"}},
        "defaults": {**FIELDS, **levels["file"]},
        "groups": [{"defaults": levels["group"], "series": [{"id": "A", "title": "A", **levels["entry"]}]}],
    }
    catalog = catalog_with(tmp_path, **document)
    assert [expected in str(problem) for problem in catalog.refused] == [True]
    assert "A" not in catalog.series


# --- what an entry need not say --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "code", "elsewhere"),
    [
        ({}, "A", ["A"]),
        ({"code": "a.1"}, "a.1", ["a.1"]),
        ({"holders": [{"source": "one"}, {"source": "two", "code": "b"}]}, "A", ["A", "b"]),
        ({"holders": []}, "A", []),
    ],
)
def test_a_code_is_the_id_and_a_holders_code_that_of_the_series(
    entry: dict[str, Any], code: str, elsewhere: list[str]
) -> None:
    facts = {**FIELDS, "source": "toy", "publication_lag": lag(1), "licence": "none", "holders": [{"source": "one"}]}
    series = Series.model_validate({**facts, "id": "A", "title": "A", **entry})
    assert (series.code, [series.at(h).code for h in series.holders]) == (code, elsewhere)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"id": "A", "code": None}, "toy.yaml: A: code: Input should be a valid string (got None)"),
        ({"id": "A", "holders": "toy"}, "toy.yaml: A: holders: Input should be a valid tuple (got 'toy')"),
        ({"id": "A", "holders": ["toy"]}, "toy.yaml: A: holders.0: Input should be a valid dictionary or instance"),
        ({}, "toy.yaml: entry 1: id: Field required"),
    ],
)
def test_a_wrong_code_or_holder_is_named(tmp_path: Path, entry: dict[str, Any], expected: str) -> None:
    defaults = {**FIELDS, "title": "A", "publication_lag": lag(1), "licence": "none"}
    catalog = catalog_with(tmp_path, defaults=defaults, series=[entry])
    assert expected in "\n".join(map(str, catalog.refused))
    assert not catalog.series
