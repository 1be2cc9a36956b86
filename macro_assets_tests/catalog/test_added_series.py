"""A file of the user's own that adds series to a source which another file declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from macro_assets.catalog import Catalog, load_catalog
from macro_assets_tests.sources.own_files import declare

UNRATENSA: dict[str, Any] = {
    "id": "UNRATENSA",
    "title": "Unemployment rate, not seasonally adjusted",
    "unit": "percent",
    "provider_unit": "Percent",
    "frequency": "M",
    "seasonal_adjustment": "NSA",
    "theme": "labor",
    "first_year": 1948,
    "transform": 2,
    "bounds": {"low": 0.5, "high": 30},
    "staleness_days": 120,
    "aggregation": "mean",
    "release": "50",
}
LAG = {"days": 40, "time": "08:30", "time_zone": "America/New_York"}


def write(own: Path, name: str, **document: Any) -> Path:
    (own / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return own / f"{name}.yaml"


def told(catalog: Catalog, own: Path) -> list[str]:
    return sorted(str(p).replace(f"{own}/", "") for p in catalog.refused)


def test_an_added_series_takes_what_the_source_s_file_states(small: Path, own: Path) -> None:
    file = write(own, "unratensa", source="fred", series=[UNRATENSA])
    catalog = load_catalog(small, own)
    assert catalog.refused == ()
    added, shipped = catalog.series["UNRATENSA"], catalog.series["UNRATE"]
    assert (added.source, added.country, added.scale) == ("fred", "US", 1.0)
    assert added.publication_lag == shipped.publication_lag
    assert added.holders == shipped.holders
    assert catalog.origin("series", "UNRATENSA") == str(file)
    assert catalog.origin("sources", "fred") == "sources/fred.yaml"
    assert added in catalog.series_of("fred")
    before = load_catalog(small)
    assert set(catalog.tables) == set(before.tables)
    assert catalog.sources == before.sources


def test_its_own_defaults_win_and_several_files_add(small: Path, own: Path) -> None:
    write(own, "one", source="fred", defaults={"country": "CA"}, series=[UNRATENSA])
    write(own, "two", source="fred", groups=[{"defaults": {"country": "MX"}, "series": [{**UNRATENSA, "id": "OTHER"}]}])
    catalog = load_catalog(small, own)
    assert catalog.refused == ()
    assert [catalog.series[i].country for i in ("UNRATENSA", "OTHER", "UNRATE")] == ["CA", "MX", "US"]


def test_a_release_that_the_source_lacks_is_declared_with_the_series(small: Path, own: Path) -> None:
    of_release = {"9999": {"title": "Synthetic release", "publication_lag": LAG}}
    for name in ("one", "two"):  # each stands alone: either file may go
        series = [{**UNRATENSA, "id": name.upper(), "release": "9999"}]
        write(own, name, source="fred", releases=of_release, series=series)
    catalog = load_catalog(small, own)
    assert catalog.refused == ()
    assert catalog.releases["fred/9999"].title == "Synthetic release"
    assert [catalog.series[i].publication_lag.days for i in ("ONE", "TWO")] == [40, 40]


def test_a_release_is_not_declared_anew(small: Path, own: Path) -> None:
    """The figures of all its series would come later, or earlier, for the sake of one."""
    write(own, "one", source="fred", releases={"50": {"title": "Mine"}}, series=[UNRATENSA])
    catalog = load_catalog(small, own)
    assert told(catalog, own) == ["one.yaml: releases: 50: declared already, and otherwise"]
    assert catalog.releases == load_catalog(small).releases


def test_a_copy_may_be_added(small: Path, own: Path) -> None:
    write(own, "one", source="yahoo_chart", series=[{"of": "BAA", "code": "SYN"}])
    catalog = load_catalog(small, own)
    assert catalog.refused == ()
    assert [h.provider for h in catalog.holdings("BAA")][-1] == "yahoo_chart"


def test_series_of_a_source_of_the_user_s_own(small: Path, own: Path) -> None:
    """But a folder of files says itself what it has."""
    declare(own, {}, [{"id": "MY_GDP", "code": "GDP"}])
    write(own, "one", source="mine", series=[{"id": "MY_CPI", "code": "CPI"}])
    catalog = load_catalog(small, own)
    (said,) = told(catalog, own)
    assert said.startswith("one.yaml: source: mine is a folder of files; its series are stated in ")
    assert "MY_CPI" not in catalog.series
    assert "MY_GDP" in catalog.series


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"source": "fredd"},
            "one.yaml: expected a mapping under 'source', got str: no source 'fredd' is declared. Did you mean fred",
        ),
        ({"series": "UNRATENSA"}, "one.yaml: expected a list of entries under 'series'"),
        ({"series": [{**UNRATENSA, "unti": "x"}]}, "one.yaml: UNRATENSA: unti: Extra inputs are not permitted"),
        (
            {"series": [{**UNRATENSA, "id": "UNRATE"}]},
            "one.yaml: UNRATE: id: declared twice, first in sources/",
        ),
        ({"series": [{**UNRATENSA, "release": "0"}]}, "one.yaml: UNRATENSA: release: '0' is not declared"),
        (
            {"series": [{**UNRATENSA, "source": "bundled"}]},
            "one.yaml: UNRATENSA: source: the file's name says it",
        ),
        ({"releases": {"50": {"titel": "x"}}}, "one.yaml: releases: 50: titel: Extra inputs are not permitted"),
        ({"defaults": []}, "one.yaml: defaults: expected a mapping, got list"),
        ({"source": ["fred"]}, "one.yaml: expected a mapping under 'source', got list"),
    ],
    ids=lambda v: next(iter(v)) if isinstance(v, dict) else "",
)
def test_what_is_wrong_is_left_out_and_told(small: Path, own: Path, changed: dict[str, Any], said: str) -> None:
    write(own, "one", **{"source": "fred", "series": [UNRATENSA], **changed})
    catalog = load_catalog(small, own)
    assert any(text.startswith(said) for text in told(catalog, own)), told(catalog, own)
    assert catalog.series == load_catalog(small).series


def test_what_needs_a_series_that_was_left_out_is_told_so(small: Path, own: Path) -> None:
    write(own, "one", source="fredd", series=[UNRATENSA])
    indicator = {
        "name": "my_rule",
        "title": "My rule",
        "description": "Rise of the unemployment rate.",
        "method": "rise_over_low",
        "shape": "signal",
        "inputs": ["UNRATENSA"],
        "reference": "none: synthetic",
    }
    write(own, "two", indicators=[indicator])
    catalog = load_catalog(small, own)
    assert "two.yaml: my_rule: inputs: series 'UNRATENSA' is left out" in told(catalog, own)
