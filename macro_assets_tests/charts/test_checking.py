"""An entry of a chart is refused before anything is drawn: field, what was expected, what came, the nearest name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from macro_assets.catalog import Catalog, Chart
from macro_assets.charts.checking import problems
from macro_assets_tests.charts import synthetic as s

LINES = {"name": "one", "title": "", "subtitle": "", "description": "", "section": "synthetic", "draws": "lines"}
SERIES = {"of": {"series": ["BAA", "AAA"]}}
OF: Any = {"of": {"tables": ["indicators/sahm"], "columns": ["value"]}}
TABLE = {"of": {"tables": ["indicators/sahm"]}}


def found(**fields: Any) -> list[str]:
    """What is wrong with an entry in the synthetic catalog."""
    return list(problems(Chart.model_validate({**LINES, **fields}), s.catalog()))


@pytest.mark.parametrize("fields", [SERIES, TABLE, {"of": {"series": ["GDPC1", "BAA"]}}], ids=str)
def test_a_good_entry_has_no_problem(fields: dict[str, Any]) -> None:
    assert found(**fields) == []


def test_the_charts_of_the_catalog_have_no_problem(catalog: Catalog) -> None:
    assert [text for chart in catalog.charts.values() for text in problems(chart, catalog)] == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({**SERIES, "draws": "line"}, "draws: nothing draws 'line': expected one of .* Did you mean lines"),
        ({**SERIES, "parameters": {"level": {}}}, "parameters.level: .*Did you mean levels"),
        ({**SERIES, "parameters": {"levels": {"Goal": "high"}}}, "parameters.levels.Goal: .*got 'high'"),
        ({**OF, "parameters": {"by": "value", "lines": {"x": "X"}}}, "parameters.by: expected a column of texts of"),
        ({**OF, "parameters": {"by": "value"}}, "parameters.lines: expected one to 6 texts of value .* got 0"),
        ({**SERIES, "parameters": {"by": "market"}}, "parameters.by: expected one table and one of its 'columns'"),
        ({"of": {"series": ["BAA", "BAA"]}}, "of.series: a series is named twice"),
        ({"of": {"series": ["BAA", "GDPC1"], "steps": "spread"}}, "of.frequency: spread takes .* got M, Q"),
        ({"of": {"series": ["BAA"], "steps": "spread"}}, "of.steps: BAA: .*'spread': expected 2 series, got 1"),
        ({"of": {"series": ["BAA"], "steps": "sprad"}}, "of.steps: BAA: step 1 'sprad'.*did you mean 'spread'"),
        ({"of": {"series": ["BAA"], "steps": "pch"}}, "of.steps: BAA: step 1 'pch': .*got 'percent'"),
        ({"of": {"series": ["BAA"], "steps": [{"zscore": {"min_ob": 3}}]}}, "of.steps: BAA: .*min_ob"),
        ({"of": {"tables": ["indicators/sahm"], "columns": ["values"]}}, "of.columns: 'values' .*Did you mean value"),
        ({**SERIES, "draws": "stacked"}, "of.tables: expected one table of contributions, got 0"),
        (
            {**TABLE, "draws": "stacked"},
            "of.tables: indicators/sahm lacks component, component_state, contribution, index_value",
        ),
        ({**TABLE, "draws": "heatmap"}, "parameters.row: expected the column of texts of indicators/sahm .* got None"),
        ({**TABLE, "draws": "heatmap", "parameters": {"row": "value"}}, "parameters.row: expected the column of texts"),
        ({"of": {"tables": ["indicators/sahm"]}, "draws": "heatmap"}, "of.columns: expected one column of numbers"),
        ({"of": {"tables": ["indicators/sahm", "indicators/stress"]}, "draws": "heatmap"}, "series or one table, got"),
        ({**SERIES, "draws": "heatmap", "parameters": {"rows": {"BAA": "Yield"}}}, "parameters.rows: is of a table"),
        ({**SERIES, "draws": "heatmap", "shade": "recessions"}, "shade: a heatmap has nothing shaded"),
        ({**TABLE, "draws": "nowcast_news", "shade": "recessions"}, "shade: a nowcast has nothing shaded"),
        ({**TABLE, "draws": "nowcast_news"}, "of.tables: expected two, "),
        (
            {"of": {"tables": ["indicators/sahm", "indicators/stress"]}, "draws": "nowcast_news"},
            "of.tables: indicators/sahm lacks as_of",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_field(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        raise ValueError("\n".join(found(**fields)))


def test_two_units_have_no_spread() -> None:
    catalog = s.catalog()
    other = catalog.series["AAA"].model_copy(update={"unit": "usd"})
    changed = replace(catalog, series={**catalog.series, "AAA": other})
    assert [text for text in problems(s.SPREAD, changed) if "of.steps: BAA and AAA" in text and "unit" in text]


def test_more_lines_than_colours_are_refused_and_columns_choose() -> None:
    catalog = s.catalog()
    wide = s.table("indicators/wide", {f"v{i}": "float" for i in range(7)})
    changed = replace(catalog, tables={**catalog.tables, wide.name: wide})
    chart = Chart.model_validate({**LINES, "of": {"tables": [wide.name]}})
    assert [text for text in problems(chart, changed) if "at most 6 lines, got 7" in text]
    fewer = Chart.model_validate({**LINES, "of": {"tables": [wide.name], "columns": ["v0", "v1"]}})
    assert list(problems(fewer, changed)) == []


def test_lines_run_over_dates() -> None:
    catalog = s.catalog()
    table = s.table("diagnostics/any", {"value": "float"})
    undated = table.model_copy(update={"columns": table.columns[1:]})
    changed = replace(catalog, tables={**catalog.tables, table.name: undated})
    chart = Chart.model_validate({**LINES, "of": {"tables": [table.name]}})
    assert list(problems(chart, changed)) == [
        "of.tables: diagnostics/any has no observation_date, over which lines run"
    ]
