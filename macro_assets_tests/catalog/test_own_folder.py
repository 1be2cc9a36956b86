"""The user's own folder of catalog files: what is wrong in it is left out alone, with what needs it, and told."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from macro_assets.catalog import Catalog, CatalogError, load_catalog, names
from macro_assets.catalog.entries import Problem
from macro_assets.catalog.references import dangling, without
from macro_assets_tests.catalog.conftest import SMALL
from macro_assets_tests.catalog.editing import edit
from macro_assets_tests.sources.own_files import declare

INDICATOR: dict[str, Any] = {
    "name": "my_rule",
    "title": "My rule",
    "description": "Rise of the unemployment rate.",
    "method": "rise_over_low",
    "shape": "signal",
    "inputs": ["UNRATE"],
    "reference": "none: synthetic",
}
MODEL: dict[str, Any] = {
    "name": "my_model",
    "title": "My model",
    "description": "Payrolls from their own past.",
    "method": "ar",
    "target": {"series": "PAYEMS", "transform": "chg", "unit": "persons"},
    "horizons": [1],
    "inputs": [{"series": "PAYEMS", "transform": "chg"}],
    "sample_start": "2000-01-01",
    "reference": "none: synthetic",
}
CHART: dict[str, Any] = {
    "name": "my_chart",
    "title": "My chart",
    "subtitle": "Percent",
    "description": "The unemployment rate.",
    "draws": "lines",
    "of": {"series": ["UNRATE"]},
    "section": "own",
}


def write(own: Path, name: str, **document: Any) -> Path:
    """A file of the folder; entries are given as mappings or lists of them."""
    listed = {
        k: v if isinstance(v, list) or k not in ("indicators", "models", "charts") else [v] for k, v in document.items()
    }
    file = own / f"{name}.yaml"
    file.write_text(yaml.safe_dump(listed), encoding="utf-8")
    return file


def told(catalog: Catalog, own: Path) -> list[str]:
    """What was refused, files by their names alone."""
    return sorted(str(p).replace(f"{own}{os.sep}", "") for p in catalog.refused)


def there(catalog: Catalog) -> set[str]:
    """Entries and tables that are not the package's."""
    entries = [("indicators", catalog.indicators), ("models", catalog.models), ("charts", catalog.charts)]
    found = {f"{kind}: {n}" for kind, among in entries for n in among if n.startswith("my_")}
    return found | {n for n in catalog.tables if n.partition("/")[2].startswith("my_")}


OF_INDICATOR = {"indicators: my_rule", "indicators/my_rule"}
OF_MODEL = {"models: my_model", *(f"{layer}/my_model" for layer in names.OF_MODELS if layer != "news")}
OF_CHART = {"charts: my_chart", "charts/my_chart"}


# --- what a folder may have ----------------------------------------------------------------------------------------


def test_entries_of_all_kinds_are_taken_up_from_any_file(small: Path, own: Path) -> None:
    write(own, "one", indicators=INDICATOR, models=MODEL)
    file = write(own, "two", charts=CHART)
    catalog = load_catalog(small, own)
    assert catalog.refused == ()
    assert there(catalog) == OF_INDICATOR | OF_MODEL | OF_CHART
    assert catalog.origin("charts", "my_chart") == str(file)
    shipped = load_catalog(small)
    assert set(shipped.tables) == {t for t in catalog.tables if not t.partition("/")[2].startswith("my_")}


def test_a_real_time_indicator_and_a_model_with_news_have_their_tables(small: Path, own: Path) -> None:
    write(own, "mine", indicators={**INDICATOR, "real_time": True}, models={**MODEL, "news": True})
    catalog = load_catalog(small, own)
    assert {"real_time/my_rule", "news/my_model"} <= there(catalog)
    assert catalog.series_behind("real_time/my_rule") == ("UNRATE",)


def test_an_own_indicator_stands_on_own_series_beside_it(small: Path, own: Path) -> None:
    declare(own, {}, [{"id": "MY_GDP", "code": "GDP"}])
    document = yaml.safe_load((own / "mine.yaml").read_text())
    write(own, "mine", **document, indicators={**INDICATOR, "inputs": ["MY_GDP", "UNRATE"]})
    catalog = load_catalog(small, own)
    assert catalog.refused == ()
    assert catalog.series_behind("indicators/my_rule") == ("MY_GDP", "UNRATE")
    assert {"raw/mine", "normalized/own"} <= set(catalog.tables)


def test_a_chart_of_an_own_indicator_of_an_own_indicator(small: Path, own: Path) -> None:
    second = {**INDICATOR, "name": "my_second", "inputs": ["indicators/my_rule", "PAYEMS"]}
    write(own, "a", charts={**CHART, "of": {"tables": ["indicators/my_second"]}})
    write(own, "b", indicators=[second, INDICATOR])
    catalog = load_catalog(small, own)
    assert catalog.refused == ()
    assert catalog.series_behind("indicators/my_second") == ("PAYEMS", "UNRATE")


def test_hidden_files_and_other_endings_are_not_read(small: Path, own: Path) -> None:
    for name in (".#mine.yaml", ".yaml", "mine.yaml~", "mine.yml", "notes.txt"):
        (own / name).write_text("source: [", encoding="utf-8")
    assert load_catalog(small, own) == load_catalog(small)


# --- what is wrong stops nothing else ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("indicators: [", "broken.yaml: not valid YAML: "),
        ("indicators: []\nindicators: []\n", "broken.yaml: not valid YAML: the key 'indicators' is given twice"),
        ("a: 2020-13-01\n", "broken.yaml: not valid YAML: month must be in 1..12"),
        ("- my_rule\n", "broken.yaml: expected a mapping at the top, got list"),
        ("", "broken.yaml: expected a mapping at the top, got NoneType"),
        ("{}\n", "broken.yaml: the file is empty; expected source, "),
        (
            "indicator: []\n",
            "broken.yaml: indicator: expected one of source, defaults, releases, series, groups, indica",
        ),
        ("defaults: {owner: me}\n", "broken.yaml: defaults: this is of a source, but the file has no 'source'"),
        ("indicators: my_rule\n", "broken.yaml: expected a list of entries under 'indicators'"),
        ("models: [my_model]\n", "broken.yaml: expected a list of entries under 'models'"),
        ("source: mine\n", "broken.yaml: expected a mapping under 'source', got str"),
        ("source: {}\nseries: {}\n", "broken.yaml: expected a list of entries under 'series'"),
        ("source: {}\nseries: []\ngroups: [{1: 2, a: b}]\n", "broken.yaml: groups: '1' is neither 'defaults' nor"),
        ("indicators: [{}]\n", "broken.yaml: entry 1: name: Field required"),
        ("indicators: [{name: [a]}]\n", "broken.yaml: ['a']: name: Input should be a valid string"),
        ("indicators: [{1: 2}]\n", "broken.yaml: entry 1: "),
        ("charts: [&a {of: *a}]\n", "broken.yaml: "),
        ("a: " + "[" * 5000, "broken.yaml: not valid YAML: "),
    ],
)
def test_a_file_of_another_form_stops_no_other(small: Path, own: Path, text: str, says: str) -> None:
    (own / "broken.yaml").write_text(text, encoding="utf-8")
    write(own, "sound", indicators=INDICATOR)
    catalog = load_catalog(small, own)
    assert there(catalog) == OF_INDICATOR
    assert [t for t in told(catalog, own) if t.startswith(says)], told(catalog, own)
    assert all(t.startswith("broken.yaml: ") for t in told(catalog, own))


def test_a_file_that_cannot_be_read_stops_no_other(small: Path, own: Path) -> None:
    (own / "latin.yaml").write_bytes("source: {title: ação}\n".encode("latin-1"))
    (own / "folder.yaml").mkdir()
    (own / "gone.yaml").symlink_to(own / "nowhere")
    write(own, "sound", indicators=INDICATOR)
    catalog = load_catalog(small, own)
    assert there(catalog) == OF_INDICATOR
    assert [t.partition(":")[0] for t in told(catalog, own)] == ["folder.yaml", "gone.yaml", "latin.yaml"]


def test_a_folder_that_cannot_be_read_is_told(small: Path, own: Path) -> None:
    (own / "file").touch()
    catalog = load_catalog(small, own / "file")
    assert told(catalog, own) == ["file: cannot be read: Not a directory"]
    assert catalog.tables == load_catalog(small).tables


def test_what_came_is_told_briefly(small: Path, own: Path) -> None:
    """By aliases within each other it would be a text of gigabytes."""
    rows = [f"  - &l{n} [{', '.join([f'*l{n - 1}'] * 9) if n else 'x'}]" for n in range(12)]
    text = "\n".join(["x:", *rows, "indicators: [{name: my_rule, title: *l11}]"])
    (own / "mine.yaml").write_text(text, encoding="utf-8")
    assert max(map(len, told(load_catalog(small, own), own))) < 3000


def test_what_is_right_in_a_file_stands_beside_what_is_wrong(small: Path, own: Path) -> None:
    write(own, "mine", indicator=[], indicators=INDICATOR, models="my_model", charts=CHART)
    catalog = load_catalog(small, own)
    assert there(catalog) == OF_INDICATOR | OF_CHART
    assert [t.partition(" ")[0] for t in told(catalog, own)] == ["mine.yaml:", "mine.yaml:"]


@pytest.mark.parametrize(
    ("kind", "entry", "says"),
    [
        ("indicators", {**INDICATOR, "colour": "blue"}, "my_rule: colour: Extra inputs are not permitted"),
        (
            "indicators",
            {**INDICATOR, "inputs": ["UNRATT"]},
            "my_rule: inputs: series 'UNRATT' is not declared. Did you",
        ),
        (
            "indicators",
            {**INDICATOR, "inputs": ["unrate"]},
            "my_rule: inputs: series 'unrate' is not declared. Did you",
        ),
        ("indicators", {**INDICATOR, "inputs": ["a/b/c"]}, "my_rule: inputs.0: String should match pattern"),
        (
            "indicators",
            {**INDICATOR, "inputs": ["real_time/my_rule"]},
            "my_rule: inputs: table 'real_time/my_rule' is not declared.",
        ),
        ("indicators", {**INDICATOR, "inputs": ["indicators/my_rule"]}, "my_rule: inputs: it would be made of itself"),
        ("indicators", {**INDICATOR, "shape": "signals"}, "my_rule: shape: 'signals' is not declared in tables.yaml."),
        (
            "indicators",
            {**INDICATOR, "shape": "forecasts", "real_time": True},
            "my_rule: shape: forecasts makes no table real_time/my_rule: entry: Value error, columns repeat",
        ),
        ("indicators", {**INDICATOR, "demo": ["2016-06"]}, "my_rule: entry: Value error, 'demo' names as-of months"),
        *(
            (
                "indicators",
                {**INDICATOR, "real_time": True, "demo": {"first": "2016-06", **last}},
                f"my_rule: demo: {said}",
            )
            for last, said in (
                ({"last": "2016-13"}, "Value error, expected months, or their first and last as '2016-06'"),
                ({"until": "2016-07"}, "Value error, expected months, or their first and last as '2016-06'"),
                ({"last": "2016-05"}, "Value error, first (2016-06) must not be after last (2016-05)"),
            )
        ),
        ("indicators", {**INDICATOR, "optional": ["PAYEMS"]}, "my_rule: entry: Value error, 'optional' names PAYEMS"),
        ("indicators", {**INDICATOR, "rules": [3]}, "my_rule: rules.0: "),
        ("models", {**MODEL, "inputs": [{"series": "PAYEMSS", "transform": "chg"}]}, "my_model: entry: Value error, t"),
        ("models", {**MODEL, "benchmark": "gdp_a"}, "my_model: benchmark: model 'gdp_a' is not declared. Did you mean"),
        (
            "models",
            {**MODEL, "benchmark": "gdp_ar"},
            "my_model: benchmark: gdp_ar forecasts GDPC1 in pca, expected the",
        ),
        ("charts", {**CHART, "of": {"series": ["UNRATED"]}}, "my_chart: of.series: series 'UNRATED' is not declared."),
        (
            "charts",
            {**CHART, "of": {"tables": ["indicators/sahm_rul"]}},
            "my_chart: of.tables: table 'indicators/sahm_rul' is not declared. Did you mean indicators/sahm_rule",
        ),
        ("charts", {**CHART, "of": {}}, "my_chart: of: Value error, a chart is of series or else of tables"),
    ],
)
def test_a_broken_entry_is_left_out_alone(small: Path, own: Path, kind: str, entry: dict[str, Any], says: str) -> None:
    sound = {"indicators": INDICATOR, "models": MODEL, "charts": CHART}[kind]
    write(own, "mine", **{kind: [entry, {**sound, "name": "my_other"}]})
    catalog = load_catalog(small, own)
    texts = told(catalog, own)
    assert any(t.startswith(f"mine.yaml: {says}") for t in texts), texts
    assert {t.split(": ")[1] for t in texts} == {sound["name"]}
    assert f"{kind}: my_other" in there(catalog)
    assert not any("my_rule" in n or "my_model" in n or "my_chart" in n for n in there(catalog))
    assert list(dangling(catalog)) == []


def test_what_needs_a_broken_entry_goes_with_it_and_says_so(small: Path, own: Path) -> None:
    """Five entries deep; what does not need it stays."""
    declare(own, {}, [{"id": "MY_GDP", "code": "GDP", "colour": "blue"}, {"id": "MY_CPI", "code": "CPI"}])
    first = {**INDICATOR, "name": "my_first", "inputs": ["MY_GDP"]}
    second = {**INDICATOR, "name": "my_second", "inputs": ["indicators/my_first"]}
    third = {**INDICATOR, "name": "my_third", "inputs": ["indicators/my_second", "UNRATE"]}
    write(own, "a", charts=[{**CHART, "of": {"tables": ["indicators/my_third"]}}, {**CHART, "name": "my_sound"}])
    write(own, "b", indicators=[third, second, first, {**INDICATOR, "inputs": ["MY_CPI"]}])
    catalog = load_catalog(small, own)
    assert there(catalog) == OF_INDICATOR | {"charts: my_sound", "charts/my_sound"}
    assert told(catalog, own) == [
        "a.yaml: my_chart: of.tables: table 'indicators/my_third' is left out",
        "b.yaml: my_first: inputs: series 'MY_GDP' is left out",
        "b.yaml: my_second: inputs: table 'indicators/my_first' is left out",
        "b.yaml: my_third: inputs: table 'indicators/my_second' is left out",
        "mine.yaml: MY_GDP: colour: Extra inputs are not permitted",
    ]
    assert "MY_CPI" in catalog.series


def test_an_indicator_of_no_method_goes_with_what_needs_it(small: Path, own: Path) -> None:
    """Its shape would be its method's, which there is not."""
    stated = {k: v for k, v in INDICATOR.items() if k != "shape"}
    write(
        own,
        "a",
        indicators={**stated, "method": "rise_over_lo"},
        charts={**CHART, "of": {"tables": ["indicators/my_rule"]}},
    )
    catalog = load_catalog(small, own)
    assert there(catalog) == set()
    assert told(catalog, own) == [
        "a.yaml: my_chart: of.tables: table 'indicators/my_rule' is left out",
        "a.yaml: my_rule: method: no method 'rise_over_lo' in macro_assets/indicators. Did you mean rise_over_low?",
    ]


def test_indicators_made_of_each_other_go_and_the_package_stays(small: Path, own: Path) -> None:
    entries = {f"my_{a}": f"my_{b}" for a, b in ("ab", "bc", "ca", "da")}
    write(
        own, "mine", indicators=[{**INDICATOR, "name": n, "inputs": [f"indicators/{of}"]} for n, of in entries.items()]
    )
    catalog = load_catalog(small, own)
    assert there(catalog) == set()
    assert set(catalog.indicators) == set(load_catalog(small).indicators)
    circle, hanging = told(catalog, own)[:3], told(catalog, own)[3]
    assert all("inputs: it would be made of itself, through indicators/my_" in text for text in circle)
    assert hanging == "mine.yaml: my_d: inputs: table 'indicators/my_a' is left out"


# --- sources -------------------------------------------------------------------------------------------------------


def test_a_broken_series_leaves_the_other_series(small: Path, own: Path) -> None:
    declare(own, {}, [{"id": "MY_A", "code": "A", "unit": 1}, {"id": "MY_B", "code": "B"}, {"id": "my_c", "code": "C"}])
    catalog = load_catalog(small, own)
    assert [s.id for s in catalog.series_of("mine")] == ["MY_B"]
    assert [t.partition(": unit")[0].partition(": id")[0] for t in told(catalog, own)] == [
        "mine.yaml: MY_A",
        "mine.yaml: my_c",
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": {"title": "T"}}, "mine.yaml: mine: description: Field required"),
        ({"source": []}, "mine.yaml: expected a mapping under 'source', got list"),
        ({"releases": {"7": {}}}, "mine.yaml: releases: 7: title: Field required"),
        ({"releases": 7}, "mine.yaml: releases: expected a mapping of ids, each to a mapping of fields"),
        ({"groups": [{"serie": []}]}, "mine.yaml: groups: 'serie' is neither 'defaults' nor 'series'"),
        ({"series": "MY_GDP"}, "mine.yaml: expected a list of entries under 'series'"),
        ({"defaults": []}, "mine.yaml: defaults: expected a mapping, got list"),
        ({"defaults": {"release": "9"}}, "mine.yaml: defaults: release: '9' is not declared under 'releases'"),
    ],
)
def test_a_broken_source_is_left_out_with_its_series_and_what_needs_them(
    small: Path, own: Path, change: dict[str, Any], says: str
) -> None:
    declare(own, {}, [{"id": "MY_GDP", "code": "GDP"}])
    document = {**yaml.safe_load((own / "mine.yaml").read_text()), **change}
    of_it = {**INDICATOR, "name": "my_other", "inputs": ["MY_GDP"]}
    write(own, "mine", **document, indicators=[INDICATOR, of_it], models=MODEL)
    catalog = load_catalog(small, own)
    assert "mine" not in catalog.sources
    assert catalog.series.keys() == load_catalog(small).series.keys()
    assert not {"raw/mine", "landing/mine", "fetch_log/mine", "normalized/own"} & set(catalog.tables)
    assert there(catalog) == OF_INDICATOR | OF_MODEL
    of_indicator = [t for t in told(catalog, own) if t.startswith("mine.yaml: my_other: inputs: series 'MY_GDP' is ")]
    of_source = [t for t in told(catalog, own) if t not in of_indicator]
    assert (len(of_indicator), of_source[0][: len(says)]) == (1, says)
    assert not [t for t in of_source if "MY_GDP" in t]


@pytest.mark.parametrize("path", ["nowhere", "~nobody_of_that_name/files", "a\0b"])
def test_a_folder_whose_files_are_gone_takes_its_source_alone(small: Path, own: Path, path: str) -> None:
    place = declare(own, {"prefix": "MY_"}, name="gone")
    place.rmdir()
    edit(own, "gone.yaml", "path: files", f"path: {yaml.safe_dump(path)[:-1].removesuffix(chr(10) + '...')}")
    document = yaml.safe_load((own / "gone.yaml").read_text())
    write(own, "gone", **document, indicators=INDICATOR)
    declare(own, {}, [{"id": "MY_GDP", "code": "GDP"}])
    catalog = load_catalog(small, own)
    assert set(catalog.sources) == {*SMALL, "mine"}
    assert there(catalog) == OF_INDICATOR
    (text,) = told(catalog, own)
    assert text.startswith("gone.yaml: gone: folder: ")
    assert "cannot be read" in text


@pytest.mark.parametrize("name", ["OBSERVATION_DATE", "SERIES_ID", "VALUE", "ZSCORE"])
def test_a_series_with_the_name_of_a_column_is_left_out(small: Path, own: Path, name: str) -> None:
    """Side by side it and the column would be one name to SQL, and nothing of the panel could be read."""
    declare(own, {}, [{"id": name, "code": "A"}, {"id": "MINE", "code": "B"}])
    catalog = load_catalog(small, own)
    (problem,) = told(catalog, own)
    assert problem.startswith(f"mine.yaml: {name}: id: a column of ")
    assert name not in catalog.series
    assert "MINE" in catalog.series


def test_a_source_of_a_shipped_name_is_left_out_and_the_package_s_stays(small: Path, own: Path) -> None:
    declare(own, {}, [{"id": "MY_GDP", "code": "GDP"}], name="bundled")
    document = yaml.safe_load((own / "bundled.yaml").read_text())
    write(own, "bundled", **document, indicators=INDICATOR)
    catalog = load_catalog(small, own)
    assert told(catalog, own) == [
        "bundled.yaml: bundled: source: 'bundled' is declared in sources/bundled.yaml already"
    ]
    assert catalog.sources == load_catalog(small).sources
    assert catalog.series == load_catalog(small).series
    assert there(catalog) == OF_INDICATOR


def test_a_series_says_no_source_but_its_file_s(small: Path, own: Path) -> None:
    """It would be among the package's series, and in their tables."""
    declare(own, {}, [{"id": "MY_GDP", "code": "GDP", "source": "bundled"}, {"id": "PAYEMS", "source": "bundled"}])
    catalog = load_catalog(small, own)
    assert catalog.series == load_catalog(small).series
    assert "mine.yaml: MY_GDP: source: the file's name says it already" in told(catalog, own)


# --- names ---------------------------------------------------------------------------------------------------------


def test_an_entry_with_the_name_of_one_of_the_package_is_left_out(small: Path, own: Path) -> None:
    shipped = load_catalog(small)
    write(
        own,
        "mine",
        indicators=[{**INDICATOR, "name": "sahm_rule"}, INDICATOR],
        models={**MODEL, "name": "gdp_ar"},
        charts={**CHART, "name": "sahm_rule"},
    )
    catalog = load_catalog(small, own)
    assert told(catalog, own) == [
        "mine.yaml: gdp_ar: name: declared twice, first in models/gdp.yaml",
        "mine.yaml: sahm_rule: name: declared twice, first in charts/activity.yaml",
        "mine.yaml: sahm_rule: name: declared twice, first in indicators/recession.yaml",
    ]
    assert there(catalog) == OF_INDICATOR
    assert all(catalog.tables[name] == table for name, table in shipped.tables.items())
    assert (catalog.models, catalog.charts) == (shipped.models, shipped.charts)
    assert catalog.origin("indicators", "sahm_rule") == "indicators/recession.yaml"


def test_a_series_of_the_package_stays_whatever_is_wrong_with_its_namesake(small: Path, own: Path) -> None:
    declare(own, {}, [{"id": "PAYEMS", "code": "P", "release": "9"}, {"id": "UNRATE", "code": "U", "unit": 1}])
    catalog = load_catalog(small, own)
    assert catalog.series == load_catalog(small).series
    assert len(told(catalog, own)) >= 2


def test_of_two_files_with_one_name_the_first_stays(small: Path, own: Path) -> None:
    write(own, "b", indicators={**INDICATOR, "title": "Second"})
    first = write(own, "a", indicators={**INDICATOR, "title": "First"})
    catalog = load_catalog(small, own)
    assert catalog.indicators["my_rule"].title == "First"
    assert told(catalog, own) == [f"b.yaml: my_rule: name: declared twice, first in {first.name}"]


def test_a_name_is_taken_within_its_kind_alone(small: Path, own: Path) -> None:
    """The chart of an indicator has its name; a broken indicator does not take a model of its name along."""
    broken = {**INDICATOR, "inputs": ["NOTHING"]}
    write(own, "mine", indicators=broken, models={**MODEL, "name": "my_rule"}, charts={**CHART, "name": "my_rule"})
    catalog = load_catalog(small, own)
    assert {"models: my_rule", "charts: my_rule", "forecasts/my_rule", "charts/my_rule"} <= there(catalog)
    assert "indicators/my_rule" not in catalog.tables


# --- the package ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("sources/bundled.yaml", "transform: 5", "transform: 8"),
        ("indicators/recession.yaml", "[UNRATE]", "[UNRATT]"),
        ("charts/stress.yaml", "charts:", "charts: ["),
        ("tables.yaml", "shape: forecasts", "shape: forecast"),
    ],
)
def test_an_error_of_the_package_still_refuses_the_whole(small: Path, own: Path, file: str, old: str, new: str) -> None:
    write(own, "mine", indicators=[INDICATOR, {"name": "broken"}])
    edit(small, file, old, new)
    with pytest.raises(CatalogError) as caught:
        load_catalog(small, own)
    assert file in str(caught.value)
    assert "mine.yaml" not in str(caught.value)


def test_an_entry_of_the_package_is_never_left_out(small: Path) -> None:
    catalog = load_catalog(small)
    with pytest.raises(CatalogError, match=r"indicators/recession\.yaml: sahm_rule: method: is none"):
        without(catalog, [Problem("indicators/recession.yaml", "sahm_rule", "method: is none", "indicators")])


def test_an_entry_found_wrong_elsewhere_is_left_out_with_what_needs_it(small: Path, own: Path) -> None:
    """What methods say of their parameters is known to the graph alone."""
    of_it = {**CHART, "of": {"tables": ["indicators/my_rule"]}}
    file = write(
        own, "mine", indicators={**INDICATOR, "real_time": True}, charts=[of_it, {**CHART, "name": "my_other"}]
    )
    catalog = load_catalog(small, own)
    less = without(catalog, [Problem(str(file), "my_rule", "method: is none", "indicators")])
    assert told(less, own) == [
        "mine.yaml: my_chart: of.tables: table 'indicators/my_rule' is left out",
        "mine.yaml: my_rule: method: is none",
    ]
    assert there(less) == {"charts: my_other", "charts/my_other"}
    assert without(catalog, []) is catalog


def test_layers_of_the_templates_are_those_that_entries_are_known_by(small: Path) -> None:
    text = yaml.safe_load((small / "tables.yaml").read_text())
    kinds = {"source": "sources", "family": "families", "indicator": "indicators", "model": "models", "chart": "charts"}
    kinds |= {"score": "scores"}
    templates: Iterable[list[str]] = (t["name"].split("/") for t in text["tables"] if "{" in t["name"])
    declared = {(kinds[word.strip("{}")], layer) for layer, word in templates}
    assert declared == {(kind, layer) for kind, layers in names.LAYERS.items() for layer in layers}
