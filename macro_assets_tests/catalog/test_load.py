"""The catalog: it loads, and one broken thing in a file gives an error that names file, entry and field."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from macro_assets.catalog import Catalog, CatalogError, Kind, UnknownNameError, load_catalog, names
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets_tests.catalog.editing import edit

FILES = sorted(f.name for f in (files("macro_assets.catalog") / "data").iterdir() if f.is_file())


def error_of(folder: Path) -> str:
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    return str(caught.value)


@pytest.fixture
def small(folder: Path) -> Path:
    """The catalog's files with one source and no instruments, to be broken: read in an eighth of the time."""
    for file in (folder / "sources").iterdir():
        if file.name != "bundled.yaml":
            file.unlink()
    (folder / "instruments.yaml").write_text("instruments: []\n", encoding="utf-8")
    return folder


def test_a_small_catalog_is_sound_until_it_is_broken(small: Path) -> None:
    assert set(load_catalog(small).sources) == {"bundled"}


def test_the_default_catalog_declares_the_real_data(catalog: Catalog) -> None:
    assert len(catalog.series) >= 55
    codes = [
        (s.source, s.dataset, s.code, s.selector and s.selector.model_dump_json()) for s in catalog.series.values()
    ]
    assert len(set(codes)) == len(codes), "a provider's column is declared under two ids"
    assert all(name == s.id for name, s in catalog.series.items())
    assert catalog.series_of("bundled") == tuple(s for s in catalog.series.values() if s.source == "bundled")
    assert catalog.series_of("nobody") == ()


def test_tables_named_with_a_placeholder_exist_once_for_each(catalog: Catalog) -> None:
    assert {n for n in catalog.tables if n.startswith("charts/")} == {f"charts/{c}" for c in catalog.charts}
    assert {n for n in catalog.tables if n.startswith("raw/")} == {f"raw/{s}" for s in catalog.sources}
    families = {n.split("/")[1] for n in catalog.tables if n.startswith("normalized/")}
    assert families == {f for f in catalog.families if catalog.sources_of(f)}
    assert catalog.families["brazil"].title in catalog.tables["normalized/brazil"].title
    assert catalog.tables["landing/bundled"].layer == "landing"
    assert not any("{" in f"{t.name}{t.title}{t.description}" for t in catalog.tables.values())


def test_there_is_a_view_for_each_kind_and_two_are_more_than_observations(catalog: Catalog) -> None:
    assert {v.kind for v in catalog.views.values() if v.kind} == set(get_args(Kind))
    assert {n for n, v in catalog.views.items() if not v.is_observed} == {
        "normalized/transformed",
        "normalized/zscores",
    }


def test_the_graph_begins_with_few_families_of_few_inputs(catalog: Catalog) -> None:
    """What a person can look at: at most eight groups, each with its raw tables and the decisions about them."""
    assert len(catalog.families) <= 8
    inputs = {f: len(catalog.sources_of(f)) + 1 for f in catalog.families}
    assert {f: n for f, n in inputs.items() if not 4 <= n <= 11} == {"own": 1}
    assert sum(inputs.values()) == len(catalog.sources) + len(catalog.families)


def test_a_source_that_says_no_family_is_the_user_s_own(small: Path) -> None:
    edit(small, "sources/bundled.yaml", "  family: fred\n", "")
    catalog = load_catalog(small)
    assert [s.name for s in catalog.sources_of("own")] == ["bundled"]
    assert [n for n in catalog.tables if n.startswith("normalized/")] == [names.normalized("own")]


def test_themes_of_one_sort_of_figure_are_of_its_kind(catalog: Catalog) -> None:
    """A new series that forgot to state its kind is seen here; other themes are of several kinds."""
    of_theme = {
        **dict.fromkeys(("curve",), "curves"),
        **dict.fromkeys(("fiscal",), "fiscal_data"),
        **dict.fromkeys(("flows", "positioning"), "flow_data"),
        **dict.fromkeys(("volatility", "factors", "energy"), "market_data"),
        **dict.fromkeys(("labor", "prices", "output", "income", "consumption", "money", "stress"), "macro_series"),
    }
    told = {s.id: s.kind for s in catalog.series.values() if s.theme in of_theme}
    assert {s: k for s, k in told.items() if k != of_theme[catalog.series[s].theme]} == {}
    assert set(told.values()) == set(get_args(Kind))


@pytest.mark.parametrize(
    ("series_id", "kind"),
    [
        ("DFEDTARU", "macro_series"),
        ("EFFR", "market_data"),
        ("BR_SELIC_TARGET", "macro_series"),
        ("BR_CDI_ANNUAL", "market_data"),
        ("MORTGAGE30US", "macro_series"),
        ("DTB3", "curves"),
        ("SP500", "market_data"),
        ("SP500_VOLUME", "flow_data"),
        ("WDTGAL", "fiscal_data"),
        ("WALCL", "macro_series"),
    ],
)
def test_a_rate_that_a_central_bank_sets_is_no_market_data(catalog: Catalog, series_id: str, kind: str) -> None:
    assert catalog.series[series_id].kind == kind


def test_nullable_is_a_fact_of_the_table_not_of_the_column(catalog: Catalog) -> None:
    nullable = {t: {c.name: c.nullable for c in catalog.tables[t].columns} for t in catalog.tables}
    assert nullable["raw/bundled"]["value"]
    assert not nullable["audit/invalidations"]["release_time"]
    assert nullable["normalized/fred"]["value"]
    assert not nullable["normalized/fred"]["release_time"]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        pytest.param(
            "sources/bundled.yaml",
            "  - id: PAYEMS\n",
            "  - id: PAYEMS\n    colour: blue\n",
            "sources/bundled.yaml: PAYEMS: colour: Extra inputs are not permitted",
            id="unknown field",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "    title: All employees, total nonfarm\n",
            "",
            "sources/bundled.yaml: PAYEMS: title: Field required",
            id="missing field",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "time_zone: America/New_York",
            "time_zone: America/Gotham",
            "PAYEMS: publication_lag.time_zone: Value error, 'America/Gotham' is not an IANA time zone",
            id="bad time zone",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "{days: 8, ",
            "{days: -8, ",
            "sources/bundled.yaml: PAYEMS: publication_lag.days: Input should be greater than or equal to 0 (got -8)",
            id="negative lag",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "{days: 8, ",
            "{days: 8, late: {2013-10-01: 2013-09-09}, ",
            "PAYEMS: publication_lag: Value error, `late` has 2013-10-01: 2013-09-09, which is not later",
            id="late before its date",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "{low: 40000, high: 300000}",
            "{low: 300000, high: 40000}",
            "sources/bundled.yaml: PAYEMS: bounds: Value error, low (300000.0) must be below high (40000.0)",
            id="bounds reversed",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "{low: 40000, high: 300000}",
            "{low: .nan, high: 300000}",
            "sources/bundled.yaml: PAYEMS: bounds.low: Input should be a finite number",
            id="bound not finite",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "transform: 5",
            "transform: 8",
            "sources/bundled.yaml: PAYEMS: transform: Input should be less than or equal to 7 (got 8)",
            id="bad transform code",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "scale: 1000.0",
            "scale: 0",
            "sources/bundled.yaml: PAYEMS: scale: Input should be greater than 0 (got 0)",
            id="scale zero",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "frequency: M",
            "frequency: monthly",
            "sources/bundled.yaml: PAYEMS: frequency: Input should be 'D', 'W', 'M', 'Q' or 'A' (got 'monthly')",
            id="bad frequency",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "kind: curves",
            "kind: curve",
            "sources/bundled.yaml: TB3MS_MACRODATA: kind: Input should be 'market_data', 'macro_series',",
            id="no such kind",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "staleness_days: 120",
            "staleness_days: 0",
            "sources/bundled.yaml: PAYEMS: staleness_days: Input should be greater than 0 (got 0)",
            id="staleness zero",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "- id: PAYEMS",
            "- id: Payems",
            "sources/bundled.yaml: Payems: id: String should match pattern",
            id="id in lower case",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "- id: JTSJOL",
            "- id: PAYEMS",
            "sources/bundled.yaml: PAYEMS: id: declared twice; a series needs a name of its own",
            id="duplicate id",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "  - id: PAYEMS\n",
            "  - id: PAYEMS\n    fallback: [{source: nobody, code: X}]\n",
            "sources/bundled.yaml: PAYEMS: fallback: source 'nobody' is not declared",
            id="fallback nobody declared",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "source:\n",
            "source:\n  name: bundles\n",
            "sources/bundled.yaml: source: name is 'bundles', expected 'bundled', the file's name",
            id="wrong source",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "defaults: {country: US}",
            "defaults: [US]",
            "sources/bundled.yaml: defaults: expected a mapping, got list",
            id="defaults not a mapping",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "source:\n",
            "source:\n  colour: blue\n",
            "sources/bundled.yaml: bundled: colour: Extra inputs",
            id="unknown field of a source",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "family: fred",
            "family: freda",
            "sources/bundled.yaml: bundled: family: 'freda' is not declared in families.yaml",
            id="family nobody declared",
        ),
        pytest.param(
            "families.yaml",
            "  - name: brazil\n",
            "  - name: brazil\n    colour: green\n",
            "families.yaml: brazil: colour: Extra inputs",
            id="unknown field of a family",
        ),
        pytest.param(
            "views.yaml",
            "takes: {value: transformed}",
            "takes: {value: transformd}",
            "views.yaml: normalized/transformed: takes: 'transformd' is no column of normalized/fred",
            id="view of a column that the tables lack",
        ),
        pytest.param(
            "views.yaml",
            "takes: {value: transformed}",
            "takes: {valve: transformed}",
            "views.yaml: normalized/transformed: entry: Value error, 'takes' names columns the view does not have",
            id="view takes for a column that it lacks",
        ),
        pytest.param(
            "views.yaml",
            "[source, series_id, observation_date, zscore]",
            "[series_id, observation_date, zscore]",
            "views.yaml: normalized/zscores: entry: Value error, columns: expected source, series_id, observation_date",
            id="view without a source",
        ),
        pytest.param(
            "views.yaml",
            "    monthly: true",
            "    monthly: true\n    takes: {value: zscore}",
            "views.yaml: normalized/monthly: entry: Value error, columns: expected value alone after source",
            id="monthly view of something else",
        ),
        pytest.param(
            "views.yaml",
            "nullable: [value]",
            "nullable: [zscore]",
            "views.yaml: normalized/observations: nullable: 'zscore' is not among its columns",
            id="nullable not a column of a view",
        ),
        pytest.param(
            "views.yaml",
            "name: normalized/zscores",
            "name: normalized/fred",
            "views.yaml: normalized/fred: name: a table of tables.yaml has it",
            id="view named as a table",
        ),
        pytest.param(
            "indicators.yaml",
            "[VIXCLS]",
            "[VIXCLZ]",
            "indicators.yaml: economic_stress_index: series 'VIXCLZ' is not declared",
            id="dangling series of an indicator",
        ),
        pytest.param(
            "indicators.yaml",
            "weight: 0.25",
            "weight: 0.35",
            "indicators.yaml: economic_stress_index: entry: Value error, weights of the components must add up to 1, "
            "they add up to 1.1",
            id="weights",
        ),
        pytest.param(
            "indicators.yaml",
            "min_components: 3",
            "min_components: 5",
            "min_components is 5, but there are 4 components",
            id="min_components",
        ),
        pytest.param(
            "indicators.yaml",
            "[BAA, AAA]",
            "[BAA]",
            "indicators.yaml: economic_stress_index: components.1: Value error, formula 'spread' takes 2 series, got 1",
            id="spread of one series",
        ),
        pytest.param(
            "indicators.yaml",
            "        window_months: 120\n",
            "",
            "indicators.yaml: economic_stress_index: components.3: Value error, window_months is for the formula 'gap'",
            id="gap without window",
        ),
        pytest.param(
            "indicators.yaml",
            "sign: 1",
            "sign: 2",
            "indicators.yaml: economic_stress_index: components.0.sign: Input should be -1 or 1 (got 2)",
            id="sign",
        ),
        pytest.param(
            "models.yaml",
            "{series: TCU,",
            "{series: TCUX,",
            "models.yaml: gdp_nowcast: series 'TCUX' is not declared",
            id="dangling series of a model",
        ),
        pytest.param(
            "models.yaml",
            "{series: TCU,",
            "{series: BUSINV,",
            "models.yaml: gdp_nowcast: entry: Value error, an input series is named twice",
            id="input twice",
        ),
        pytest.param(
            "models.yaml",
            "target: GDPC1",
            "target: SP500",
            "models.yaml: gdp_nowcast: entry: Value error, target SP500 is not among the inputs",
            id="target not an input",
        ),
        pytest.param(
            "models.yaml",
            '"2016-06"',
            '"2016-13"',
            "models.yaml: gdp_nowcast: demo_partitions.0: String should match pattern",
            id="no such month",
        ),
        pytest.param(
            "charts.yaml",
            "series: [BAA, AAA]",
            "series: [BAA, ABA]",
            "charts.yaml: credit_spread: series 'ABA' is not declared",
            id="dangling series of a chart",
        ),
        pytest.param(
            "charts.yaml",
            "inputs: [indicators/economic_stress_index]",
            "inputs: [indicators/economic_stress]",
            "charts.yaml: economic_stress_index: inputs: table 'indicators/economic_stress' is not declared in "
            "tables.yaml",
            id="dangling table of a chart",
        ),
        pytest.param(
            "charts.yaml",
            "indicator: economic_stress_index",
            "indicator: economic_stress",
            "charts.yaml: economic_stress_index: indicator: 'economic_stress' is not declared in indicators.yaml",
            id="dangling indicator of a chart",
        ),
        pytest.param(
            "charts.yaml",
            "model: gdp_nowcast",
            "model: gdp_forecast",
            "charts.yaml: gdp_nowcast: model: 'gdp_forecast' is not declared in models.yaml",
            id="dangling model of a chart",
        ),
        pytest.param(
            "charts.yaml",
            "    series: [BAA, AAA]\n",
            "",
            "charts.yaml: credit_spread: entry: Value error, a chart draws the tables of its inputs or else its series",
            id="chart of nothing",
        ),
        pytest.param(
            "charts.yaml",
            "charts:\n",
            "charts: [\n",
            "charts.yaml: not valid YAML",
            id="YAML syntax",
        ),
        pytest.param(
            "charts.yaml",
            "charts:\n",
            "diagrams:\n",
            "charts.yaml: expected a list of entries under 'charts'",
            id="no list of entries",
        ),
        pytest.param(
            "charts.yaml",
            "  - name: gdp_nowcast\n",
            "  - nam: gdp_nowcast\n",
            "charts.yaml: entry 2: name: Field required",
            id="entry without a name",
        ),
        pytest.param(
            "tables.yaml",
            "[source, series_id, observation_date, value, release_time, transformed, zscore]",
            "[source, series_id, observation_date, value, release_time, transformed, zzscore]",
            "tables.yaml: normalized/{family}: columns: 'zzscore' is not in columns.yaml",
            id="unknown column",
        ),
        pytest.param(
            "tables.yaml",
            "[source, series_id, observation_date, value, release_time, transformed, zscore]",
            "[source, source, series_id, observation_date, value, release_time, transformed, zscore]",
            "tables.yaml: normalized/fred: entry: Value error, columns repeat: ['source']",
            id="column twice",
        ),
        pytest.param(
            "tables.yaml",
            "    columns: [source, series_id, observation_date, value, release_time, transformed, zscore]",
            "    columns:",
            "tables.yaml: normalized/{family}: columns: expected a list of names (got None)",
            id="columns empty",
        ),
        pytest.param(
            "tables.yaml",
            "nullable: [error, last",
            "nullable: [errors, last",
            "tables.yaml: fetch_log/{source}: nullable: 'errors' is not among its columns",
            id="nullable not a column",
        ),
        pytest.param(
            "tables.yaml",
            "key: [as_of_month, target_quarter]",
            "key: [as_of_month, quarter]",
            "tables.yaml: forecasts/gdp_nowcast: entry: Value error, key names columns the table does not have: "
            "['quarter']",
            id="key not a column",
        ),
        pytest.param(
            "columns.yaml",
            "rows_seen, dtype: int",
            "rows_seen, dtype: integer",
            "columns.yaml: rows_seen: dtype: Input should be 'str', 'int',",
            id="unknown dtype",
        ),
        pytest.param(
            "recessions.yaml",
            "2007-12-01",
            "2007-12-02",
            "recessions.yaml: 2007-12-02: peak: Value error, 2007-12-02 must be the first day of its month",
            id="peak not a month",
        ),
        pytest.param(
            "recessions.yaml",
            "{peak: 2007-12-01, trough: 2009-06-01}",
            "{peak: 2009-06-01, trough: 2007-12-01}",
            "recessions.yaml: 2009-06-01: entry: Value error, peak (2009-06-01) must be before trough (2007-12-01)",
            id="peak after trough",
        ),
        pytest.param(
            "recessions.yaml",
            "2007-12-01",
            "2007-13-01",
            "recessions.yaml: not valid YAML",
            id="no such date",
        ),
    ],
)
def test_one_broken_thing_is_named_by_file_entry_and_field(
    small: Path, file: str, old: str, new: str, expected: str
) -> None:
    edit(small, file, old, new)
    assert expected in error_of(small)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(small: Path, file: str) -> None:
    (small / file).unlink()
    assert f"{file}: the file is missing" in error_of(small)


@pytest.mark.parametrize("text", ["", "- a\n- list\n", "only text\n"])
def test_a_file_that_is_no_mapping_is_refused(small: Path, text: str) -> None:
    (small / "models.yaml").write_text(text, encoding="utf-8")
    assert "models.yaml: expected a mapping at the top" in error_of(small)


def test_several_problems_are_reported_at_once(small: Path) -> None:
    edit(small, "sources/bundled.yaml", "transform: 5", "transform: 8")
    edit(small, "tables.yaml", "transformed, zscore]", "transformed, zzscore]")
    edit(small, "charts.yaml", "inputs: [indicators/economic_stress_index]", "inputs: [indicators/nothing]")
    lines = error_of(small).splitlines()
    for place in (
        "sources/bundled.yaml: PAYEMS: transform:",
        "tables.yaml: normalized/{family}:",
        "charts.yaml: economic_stress_index:",
    ):
        assert [line for line in lines if line.strip().startswith(place)], f"{place} is not in {lines}"


def declarations(catalog: Catalog) -> list[Declaration]:
    indicator = next(iter(catalog.indicators.values()))
    series = catalog.one_series("PAYEMS")
    table = catalog.one_table("normalized/fred")
    model = next(iter(catalog.models.values()))
    return [
        catalog.sources["bundled"],
        series,
        series.bounds,
        series.publication_lag,
        table,
        table.columns[0],
        indicator,
        indicator.components[0],
        model,
        model.inputs[0],
        next(iter(catalog.charts.values())),
        catalog.recessions[0],
        catalog.families["fred"],
        catalog.views["normalized/monthly"],
        next(iter(catalog.releases.values())),
    ]


def test_declarations_are_frozen(catalog: Catalog) -> None:
    for declaration in declarations(catalog):
        field = next(iter(type(declaration).model_fields))
        with pytest.raises(ValidationError, match="frozen"):
            setattr(declaration, field, getattr(declaration, field))


@pytest.mark.parametrize(("asked", "nearest"), [("PAYEM", "PAYEMS"), ("payems", "PAYEMS"), ("GDPC", "GDPC1")])
def test_an_unknown_series_is_answered_with_the_nearest(catalog: Catalog, asked: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        catalog.one_series(asked)
    found = re.fullmatch(
        r"unknown series '(.+)'\. Did you mean (.+)\? `macro list` shows all names\.", str(caught.value)
    )
    assert found is not None
    assert found[1] == asked
    assert nearest in found[2].split(", ")


def test_an_unknown_table_is_answered_with_the_nearest(catalog: Catalog) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean normalized/us_markets"):
        catalog.one_table("normalized/us_market")


def test_a_name_like_no_other_gets_no_guess(catalog: Catalog) -> None:
    with pytest.raises(UnknownNameError) as caught:
        catalog.one_series("Ω")
    assert str(caught.value) == "unknown series 'Ω'. `macro list` shows all names."


def test_the_same_files_are_the_same_catalog(folder: Path, catalog: Catalog) -> None:
    assert load_catalog(folder) == catalog


def test_a_key_given_twice_is_refused(small: Path) -> None:
    edit(small, "indicators.yaml", "    min_components: 3", "    min_components: 3\n    min_components: 2")
    assert "indicators.yaml: not valid YAML: the key 'min_components' is given twice" in error_of(small)


def test_a_series_declared_wrongly_is_not_also_undeclared(small: Path) -> None:
    edit(small, "sources/bundled.yaml", "  - id: UNRATE\n", "  - id: UNRATE\n    nonsense: 1\n")
    assert "UNRATE: nonsense" in error_of(small)
    assert "is not declared" not in error_of(small)
