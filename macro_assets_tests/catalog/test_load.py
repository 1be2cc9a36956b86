"""The catalog: it loads, and one broken thing in a file gives an error that names file, entry and field."""

from __future__ import annotations

import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from macro_assets.catalog import Catalog, CatalogError, Kind, UnknownNameError, load_catalog, names
from macro_assets.catalog.entries import Problem
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets_tests.catalog.conftest import SMALL
from macro_assets_tests.catalog.editing import edit

FILES = sorted(f.name for f in (files("macro_assets.catalog") / "data").iterdir() if f.is_file())


def error_of(folder: Path) -> str:
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    return str(caught.value)


def test_a_small_catalog_is_sound_until_it_is_broken(small: Path) -> None:
    assert set(load_catalog(small).sources) == set(SMALL)


def test_the_default_catalog_declares_the_real_data(catalog: Catalog) -> None:
    assert len(catalog.series) >= 55
    held = [*catalog.series.values(), *catalog.copies]
    codes = [(s.source, s.dataset, s.code, s.selector and s.selector.model_dump_json()) for s in held]
    assert len(set(codes)) == len(codes), "a provider's column is declared under two ids"
    assert all(name == s.id for name, s in catalog.series.items())
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
    assert names.normalized("own") in catalog.tables


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
            "  - id: GDPC1_MACRODATA\n",
            "  - id: GDPC1_MACRODATA\n    colour: blue\n",
            "sources/bundled.yaml: GDPC1_MACRODATA: colour: Extra inputs are not permitted",
            id="unknown field",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "    title: Real gross domestic product, chained 2005 dollars\n",
            "",
            "sources/bundled.yaml: GDPC1_MACRODATA: title: Field required",
            id="missing field",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "time_zone: America/New_York",
            "time_zone: America/Gotham",
            "GDPC1_MACRODATA: publication_lag.time_zone: Value error, 'America/Gotham' is not an IANA time zone",
            id="bad time zone",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "{days: 31, ",
            "{days: -8, ",
            "GDPC1_MACRODATA: publication_lag.days: Input should be greater than or equal to 0 (got -8)",
            id="negative lag",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "{days: 31, ",
            "{days: 31, late: {2013-10-01: 2013-09-09}, ",
            "GDPC1_MACRODATA: publication_lag: Value error, `late` has 2013-10-01: 2013-09-09, which is not later",
            id="late before its date",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "{low: 1000, high: 40000}",
            "{low: 40000, high: 1000}",
            "sources/bundled.yaml: GDPC1_MACRODATA: bounds: Value error, low (40000.0) must be below high (1000.0)",
            id="bounds reversed",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "{low: 1000, high: 40000}",
            "{low: .nan, high: 40000}",
            "sources/bundled.yaml: GDPC1_MACRODATA: bounds.low: Input should be a finite number",
            id="bound not finite",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "transform: 5",
            "transform: 8",
            "sources/bundled.yaml: GDPC1_MACRODATA: transform: Input should be less than or equal to 7 (got 8)",
            id="bad transform code",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "scale: 1000000000.0",
            "scale: 0",
            "sources/bundled.yaml: GDPC1_MACRODATA: scale: Input should be greater than 0 (got 0)",
            id="scale zero",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "frequency: Q",
            "frequency: quarterly",
            "GDPC1_MACRODATA: frequency: Input should be 'D', 'W', 'M', 'Q' or 'A' (got 'quarterly')",
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
            "staleness_days: 270",
            "staleness_days: 0",
            "sources/bundled.yaml: GDPC1_MACRODATA: staleness_days: Input should be greater than 0 (got 0)",
            id="staleness zero",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "- id: GDPC1_MACRODATA",
            "- id: Gdpc1",
            "sources/bundled.yaml: Gdpc1: id: String should match pattern",
            id="id in lower case",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "- id: PCECC96_MACRODATA",
            "- id: GDPC1_MACRODATA",
            "sources/bundled.yaml: GDPC1_MACRODATA: id: declared twice, first in sources/bundled.yaml",
            id="duplicate id",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "  - id: GDPC1_MACRODATA\n",
            "  - id: GDPC1_MACRODATA\n    holders: [{source: nobody, code: X}]\n",
            "sources/bundled.yaml: GDPC1_MACRODATA: holders: source 'nobody' is not declared",
            id="holder nobody declared",
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
            "sources/bundled.yaml: bundled: family: family 'freda' is not declared. Did you mean fred?",
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
            "indicators/recession.yaml",
            "inputs: [UNRATE]",
            "inputs: [UNRAT]",
            "indicators/recession.yaml: sahm_rule: inputs: series 'UNRAT' is not declared. Did you mean UNRATE",
            id="series of an indicator that nobody declared",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "inputs: [UNRATE]",
            "inputs: [indicators/economic_stres_index]",
            "indicators/recession.yaml: sahm_rule: inputs: table 'indicators/economic_stres_index' is not declared.",
            id="table of an indicator that nobody declared",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "inputs: [UNRATE]",
            "inputs: [unrate]",
            "indicators/recession.yaml: sahm_rule: inputs: series 'unrate' is not declared. Did you mean UNRATE",
            id="input that is no series and no table",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "inputs: [UNRATE]",
            "inputs: []",
            "indicators/recession.yaml: sahm_rule: inputs: Tuple should have at least 1 item",
            id="indicator of nothing",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "inputs: [UNRATE]",
            "inputs: [UNRATE, UNRATE]",
            "indicators/recession.yaml: sahm_rule: entry: Value error, an input is named twice",
            id="input of an indicator twice",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "inputs: [UNRATE]",
            "inputs: [indicators/sahm_rule]",
            "indicators/recession.yaml: sahm_rule: inputs: it would be made of itself, through indicators/sahm_rule",
            id="indicator of itself",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "inputs: [UNRATE]",
            "inputs: [charts/sahm_rule]",
            "indicators/recession.yaml: sahm_rule: inputs: it would be made of itself, through charts/sahm_rule,",
            id="indicator of a chart of itself",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "method: rise_over_low",
            "method: Rise over low",
            "indicators/recession.yaml: sahm_rule: method: String should match pattern",
            id="method that is no name",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "    method: rise_over_low\n",
            "",
            "indicators/recession.yaml: sahm_rule: method: Field required",
            id="indicator without a method",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "    real_time: true\n",
            "    real_time: true\n    shape: signals\n",
            "indicators/recession.yaml: sahm_rule: shape: 'signals' is not declared in tables.yaml. Did you mean",
            id="shape that nobody declared",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "    real_time: true\n",
            "    real_time: true\n    shape: forecasts\n",
            "indicators/recession.yaml: sahm_rule: shape: forecasts makes no table real_time/sahm_rule: entry:",
            id="shape that has the columns of as-of tables",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "    real_time: true\n",
            "",
            "indicators/recession.yaml: sahm_rule: entry: Value error, 'demo' names as-of months, which only an",
            id="demo without real_time",
        ),
        pytest.param(
            "indicators/recession.yaml",
            '"2016-06"',
            '"2016-13"',
            "indicators/recession.yaml: sahm_rule: demo.0: String should match pattern",
            id="demo of no month",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "{mean_months: 3, low_months: 12, threshold_pp: 0.5, missing_months: 1}",
            "[3, 12, 0.5]",
            "indicators/recession.yaml: sahm_rule: parameters: Input should be a valid dictionary",
            id="parameters that are a list",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "threshold_pp: 0.5",
            "threshold_pp: .nan",
            "indicators/recession.yaml: sahm_rule: parameters",
            id="parameter that is not a number",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "{rule: within, column: value, low: -2, high: 15}",
            "{column: value, low: -2, high: 15}",
            "indicators/recession.yaml: sahm_rule: rules.0.rule: Field required",
            id="rule without a name",
        ),
        pytest.param(
            "indicators/recession.yaml",
            "{rule: within, column: value, low: -2, high: 15}",
            "7",
            "indicators/recession.yaml: sahm_rule: rules.0: ",
            id="rule of a wrong form",
        ),
        pytest.param(
            "indicators/stress.yaml",
            "name: economic_stress_index",
            "name: sahm_rule",
            "indicators/stress.yaml: sahm_rule: name: declared twice, first in indicators/recession.yaml",
            id="two indicators of one name",
        ),
        pytest.param(
            "models/gdp.yaml",
            "{series: TCU,",
            "{series: TCUX,",
            "models/gdp.yaml: gdp_nowcast: inputs: series 'TCUX' is not declared. Did you mean TCU",
            id="dangling series of a model",
        ),
        pytest.param(
            "models/gdp.yaml",
            "{series: TCU,",
            "{series: BUSINV,",
            "models/gdp.yaml: gdp_nowcast: entry: Value error, an input series is named twice",
            id="input twice",
        ),
        pytest.param(
            "models/gdp.yaml",
            "target: {series: GDPC1,",
            "target: {series: SP500,",
            "models/gdp.yaml: gdp_nowcast: entry: Value error, target SP500 is not among the inputs",
            id="target not an input",
        ),
        pytest.param(
            "models/gdp.yaml",
            "target: {series: GDPC1, transform: pca,",
            "target: {series: GDPC1, transform: pch,",
            "models/gdp.yaml: gdp_nowcast: entry: Value error, target GDPC1 has another transform than the input of",
            id="target in another transform than the input",
        ),
        pytest.param(
            "models/gdp.yaml",
            "{series: TCU, transform: chg}",
            "{series: TCU, transform: {chg: {periods: 1}, log: {}}}",
            "models/gdp.yaml: gdp_nowcast: inputs.18.transform: Value error, expected a step as 'name' or",
            id="step of two names",
        ),
        pytest.param(
            "models/gdp.yaml",
            "{series: TCU, transform: chg}",
            "{series: TCU, transform: {chg: 12}}",
            "models/gdp.yaml: gdp_nowcast: inputs.18.transform: Value error, expected parameters of 'chg' as",
            id="parameter of a step without a name",
        ),
        pytest.param(
            "models/gdp.yaml",
            "{series: TCU, transform: chg}",
            "{series: TCU, transform: 5}",
            "models/gdp.yaml: gdp_nowcast: inputs.18.transform: Value error, expected a step as 'name' or",
            id="step that is a number",
        ),
        pytest.param(
            "models/gdp.yaml",
            "{series: TCU, transform: chg}",
            "{series: TCU}",
            "models/gdp.yaml: gdp_nowcast: inputs.18.transform: Field required",
            id="input without a transform",
        ),
        pytest.param(
            "models/gdp.yaml",
            "horizons: [-1, 0, 1]",
            "horizons: [1, 0, -1]",
            "models/gdp.yaml: gdp_nowcast: entry: Value error, horizons: expected rising numbers, each once, got",
            id="horizons out of order",
        ),
        pytest.param(
            "models/gdp.yaml",
            "refit_months: all",
            "refit_months: [0, 1, 2]",
            "models/gdp.yaml: gdp_nowcast: refit_months.0: Input should be greater than or equal to 1 (got 0)",
            id="refit in no month",
        ),
        pytest.param(
            "models/gdp.yaml",
            "benchmark: gdp_ar",
            "benchmark: gdp_arr",
            "models/gdp.yaml: gdp_nowcast: benchmark: model 'gdp_arr' is not declared. Did you mean gdp_ar",
            id="benchmark that is no model",
        ),
        pytest.param(
            "models/gdp.yaml",
            "benchmark: gdp_ar",
            "benchmark: gdp_nowcast",
            "models/gdp.yaml: gdp_nowcast: entry: Value error, a model is no benchmark of itself",
            id="benchmark of itself",
        ),
        pytest.param(
            "models/gdp.yaml",
            'backtest: {demo: ["2016-06"',
            'backtest: {demo: ["2016-13"',
            "models/gdp.yaml: gdp_nowcast: backtest.demo.0: String should match pattern",
            id="no such month",
        ),
        pytest.param(
            "models/gdp.yaml",
            "name: gdp_ar\n",
            "name: gdp_nowcast\n",
            "models/gdp.yaml: gdp_nowcast: name: declared twice, first in models/gdp.yaml",
            id="two models of one name",
        ),
        pytest.param(
            "charts/stress.yaml",
            "series: [BAA, AAA]",
            "series: [BAA, ABA]",
            "charts/stress.yaml: credit_spread: of.series: series 'ABA' is not declared",
            id="dangling series of a chart",
        ),
        pytest.param(
            "charts/stress.yaml",
            "[indicators/economic_stress_index]",
            "[indicators/economic_stress]",
            "charts/stress.yaml: economic_stress_index: of.tables: table 'indicators/economic_stress' is not",
            id="dangling table of a chart",
        ),
        pytest.param(
            "charts/stress.yaml",
            "{series: [BAA, AAA], frequency: M, steps: [spread]}",
            "{frequency: M, steps: [spread]}",
            "charts/stress.yaml: credit_spread: of: Value error, a chart is of series or else of tables: expected",
            id="chart of nothing",
        ),
        pytest.param(
            "charts/stress.yaml",
            "{series: [BAA, AAA],",
            "{series: [BAA, AAA], tables: [indicators/economic_stress_index],",
            "charts/stress.yaml: credit_spread: of: Value error, a chart is of series or else of tables: expected",
            id="chart of series and tables",
        ),
        pytest.param(
            "charts/stress.yaml",
            "{tables: [indicators/economic_stress_index]}",
            "{tables: [indicators/economic_stress_index], steps: [log]}",
            "charts/stress.yaml: economic_stress_index: of: Value error, 'frequency' and 'steps' are of series;",
            id="steps on tables",
        ),
        pytest.param(
            "charts/stress.yaml",
            "frequency: M, steps: [spread]}",
            "columns: [value]}",
            "charts/stress.yaml: credit_spread: of: Value error, 'columns' are of tables; series have a value alone",
            id="columns of series",
        ),
        pytest.param(
            "charts/stress.yaml",
            "frequency: M,",
            "frequency: monthly,",
            "charts/stress.yaml: credit_spread: of.frequency: Input should be 'M' (got 'monthly')",
            id="frequency of a chart",
        ),
        pytest.param(
            "charts/stress.yaml",
            "shade: recessions",
            "shade: reccessions",
            "charts/stress.yaml: economic_stress_index: shade: Input should be 'recessions' (got 'reccessions')",
            id="shade of something else",
        ),
        pytest.param(
            "charts/stress.yaml",
            "steps: [spread]",
            "steps: [[spread]]",
            "charts/stress.yaml: credit_spread: of.steps: Value error, expected a step as 'name' or",
            id="step that is a list",
        ),
        pytest.param(
            "charts/activity.yaml",
            "name: zscore_heatmap",
            "name: credit_spread",
            "charts/stress.yaml: credit_spread: name: declared twice, first in charts/activity.yaml",
            id="two charts of one name",
        ),
        pytest.param(
            "charts/activity.yaml",
            "charts:\n",
            "charts: [\n",
            "charts/activity.yaml: not valid YAML",
            id="YAML syntax",
        ),
        pytest.param(
            "charts/activity.yaml",
            "charts:\n",
            "diagrams:\n",
            "charts/activity.yaml: expected a list of entries under 'charts'",
            id="no list of entries",
        ),
        pytest.param(
            "charts/stress.yaml",
            "  - name: credit_spread\n",
            "  - nam: credit_spread\n",
            "charts/stress.yaml: entry 2: name: Field required",
            id="entry without a name",
        ),
        pytest.param(
            "tables.yaml",
            "release_time, transformed, zscore]",
            "release_time, transformed, zzscore]",
            "tables.yaml: normalized/{family}: columns: 'zzscore' is not in columns.yaml",
            id="unknown column",
        ),
        pytest.param(
            "tables.yaml",
            "[source, series_id, provider, observation_date, value, unit, release_time, trans",
            "[source, source, series_id, provider, observation_date, value, unit, release_time, trans",
            "tables.yaml: normalized/fred: entry: Value error, columns repeat: ['source']",
            id="column twice",
        ),
        pytest.param(
            "tables.yaml",
            "columns: [source, series_id, provider, observation_date, value, unit, release_time, transformed, zscore]",
            "columns:",
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
            "key: [as_of_month, name]",
            "key: [as_of_month, names]",
            "tables.yaml: diagnostics/gdp_nowcast: entry: Value error, key names columns the table does not have: "
            "['names']",
            id="key not a column",
        ),
        pytest.param(
            "tables.yaml",
            "    shape: forecasts\n",
            "    shape: forecast\n",
            "tables.yaml: forecasts/{model}: shape: 'forecast' is not declared in tables.yaml. Did you mean forecasts?",
            id="shape of a template that nobody declared",
        ),
        pytest.param(
            "tables.yaml",
            "  - name: maintenance/tables\n",
            "  - name: calendar/releases\n",
            "tables.yaml: calendar/releases: name: declared twice",
            id="two tables of one name",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "  - id: GDPC1_MACRODATA\n",
            "  - id: GDPC1_MACRODATA\n    source: fred\n",
            "sources/bundled.yaml: GDPC1_MACRODATA: source: the file's name says it already",
            id="series of another source",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "  - id: GDPC1_MACRODATA\n",
            "  - id: OBSERVATION_DATE\n",
            "sources/bundled.yaml: OBSERVATION_DATE: id: a column of ",
            id="series with the name of a column",
        ),
        pytest.param(
            "sources/bundled.yaml",
            "  - id: GDPC1_MACRODATA\n",
            "  - id: 'A\"; DROP VIEW raw.bundled'\n",
            'sources/bundled.yaml: A"; DROP VIEW raw.bundled: id: String should match pattern',
            id="series with SQL for a name",
        ),
        pytest.param(
            "columns.yaml",
            "rows_seen, dtype: int",
            "rows_seen, dtype: integer",
            "columns.yaml: rows_seen: dtype: Input should be 'str', 'int',",
            id="unknown dtype",
        ),
        pytest.param(
            "gaps.yaml",
            "page: https://ticdata",
            "page: ticdata",
            "gaps.yaml: us_tic_net_flows: page: String should match pattern",
            id="gap without a page that says so",
        ),
        pytest.param(
            "gaps.yaml",
            "name: us_tic_net_flows",
            "name: us_auction_tail",
            "gaps.yaml: us_auction_tail: name: declared twice",
            id="gap stated twice",
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
            "peak: 2007-12-01",
            "peak: 2009-07-01",
            "recessions.yaml: 2009-07-01: entry: Value error, peak (2009-07-01) must be before trough (2009-06-01)",
            id="peak after trough",
        ),
        pytest.param(
            "recessions.yaml",
            ", trough_announced: 2010-09-20",
            "",
            "recessions.yaml: 2007-12-01: entry: Value error, trough and trough_announced: expected both or",
            id="trough that nobody announced",
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


@pytest.mark.parametrize(
    ("series", "transform", "got"), [("GDPC1", "pch", "GDPC1 in pch"), ("UNRATE", "pca", "UNRATE in pca")]
)
def test_a_benchmark_of_another_target_is_refused(small: Path, series: str, transform: str, got: str) -> None:
    file = small / "models/gdp.yaml"
    before, name, rival = file.read_text(encoding="utf-8").partition("name: gdp_ar")
    other = rival.replace("series: GDPC1, transform: pca", f"series: {series}, transform: {transform}")
    file.write_text(before + name + other, encoding="utf-8")
    expected = f"gdp_nowcast: benchmark: gdp_ar forecasts {got}, expected the target GDPC1 in pca"
    assert f"models/gdp.yaml: {expected}" in error_of(small)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(small: Path, file: str) -> None:
    (small / file).unlink()
    assert f"{file}: the file is missing" in error_of(small)


@pytest.mark.parametrize("kind", ["sources", "indicators", "models", "charts"])
def test_a_missing_folder_is_named(small: Path, kind: str) -> None:
    shutil.rmtree(small / kind)
    assert f"{kind}: the folder is missing" in error_of(small)


@pytest.mark.parametrize("text", ["", "- a\n- list\n", "only text\n"])
def test_a_file_that_is_no_mapping_is_refused(small: Path, text: str) -> None:
    (small / "models/gdp.yaml").write_text(text, encoding="utf-8")
    assert "models/gdp.yaml: expected a mapping at the top" in error_of(small)


def test_several_problems_are_reported_at_once(small: Path) -> None:
    edit(small, "sources/bundled.yaml", "transform: 5", "transform: 8")
    edit(small, "tables.yaml", "transformed, zscore]", "transformed, zzscore]")
    edit(small, "charts/stress.yaml", "[indicators/economic_stress_index]", "[indicators/nothing]")
    lines = error_of(small).splitlines()
    for place in (
        "sources/bundled.yaml: GDPC1_MACRODATA: transform:",
        "tables.yaml: normalized/{family}:",
        "charts/stress.yaml: economic_stress_index:",
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
        indicator.rules[0],
        model,
        model.inputs[0],
        model.target.transform[0],
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
    assert nearest in re.findall(r"(\S+) \(", found[2])


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("payrols", "PAYEMS (Employees on nonfarm payrolls, total)"),
        ("unemploy", "UNEMPLOY (Unemployed persons), UNRATE ("),
        ("GDPC1_FRED", "GDPC1 (Real gross domestic product"),
        ("PAYEMZ", "PAYEMS ("),
    ],
)
def test_titles_and_old_ids_lead_to_a_series(catalog: Catalog, asked: str, first: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        catalog.one_series(asked)
    assert str(caught.value).startswith(f"unknown series '{asked}'. Did you mean {first}")


def test_a_name_of_any_length_is_answered_briefly(catalog: Catalog) -> None:
    with pytest.raises(UnknownNameError) as caught:
        catalog.one_series("x" * 100_000)
    assert len(str(caught.value)) < 500
    assert len(str(Problem("own.yaml", "x" * 100_000, "field: " + "y" * 100_000))) < 2_100


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
    edit(small, "indicators/recession.yaml", "mean_months: 3", "mean_months: 3, mean_months: 2")
    assert "indicators/recession.yaml: not valid YAML: the key 'mean_months' is given twice" in error_of(small)


def test_a_series_declared_wrongly_is_not_also_undeclared(small: Path) -> None:
    edit(small, "sources/fred.yaml", "{id: UNRATE,", "{id: UNRATE, nonsense: 1,")
    assert "UNRATE: nonsense" in error_of(small)
    assert "is not declared" not in error_of(small)
