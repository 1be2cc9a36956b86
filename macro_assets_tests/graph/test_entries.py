"""An entry that its room refuses is named by file, entry and field; one of the user's own never stops the others."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from macro_assets.catalog import CatalogError, load_catalog
from macro_assets.catalog.rooms import method_names
from macro_assets.graph.declared import graph
from macro_assets_tests.catalog.conftest import folder  # noqa: F401
from macro_assets_tests.catalog.editing import edit

RECESSION, STRESS, GDP = "indicators/recession.yaml", "indicators/stress.yaml", "models/gdp.yaml"

REFUSED = {
    "no such method of an indicator": (
        RECESSION,
        "method: rise_over_low",
        "method: rise_over_lo",
        "indicators/recession.yaml: sahm_rule: method: no method 'rise_over_lo' in macro_assets/indicators. "
        "Did you mean rise_over_low?",
    ),
    "a helper of the room is no method": (
        RECESSION,
        "method: rise_over_low",
        "method: protocol",
        "indicators/recession.yaml: sahm_rule: method: no method 'protocol' in macro_assets/indicators",
    ),
    "a parameter of the wrong type": (
        RECESSION,
        "mean_months: 3",
        "mean_months: three",
        "indicators/recession.yaml: sahm_rule: parameters.mean_months: Input should be a valid integer",
    ),
    "a parameter that there is not": (
        RECESSION,
        "threshold_pp: 0.5",
        "threshold_p: 0.5",
        "parameters.threshold_p: Extra inputs are not permitted. Did you mean threshold_pp?",
    ),
    "a shape that the method does not give": (
        RECESSION,
        "method: rise_over_low\n",
        "method: rise_over_low\n    shape: contributions\n",
        "recession.yaml: sahm_rule: shape: method rise_over_low gives the shape 'signal', got 'contributions'",
    ),
    "a rule that there is not": (
        RECESSION,
        "rule: within",
        "rule: witin",
        "indicators/recession.yaml: sahm_rule: rules.0: 'witin' is no rule",
    ),
    "a rule with an unknown argument": (
        RECESSION,
        "low: -2",
        "lowest: -2",
        "indicators/recession.yaml: sahm_rule: rules.0: within: lowest: is no argument of it",
    ),
    "a rule on a column that there is not": (
        RECESSION,
        "column: value",
        "column: valeu",
        "rules.0: within: the table has no column 'valeu', it has observation_date, signal, value. Did you mean value?",
    ),
    "a method that asks for another unit": (
        RECESSION,
        "inputs: [UNRATE]",
        "inputs: [PAYEMS]",
        "indicators/recession.yaml: sahm_rule: inputs",
    ),
    "a component of a series that is no input": (
        STRESS,
        "inputs: [VIXCLS, BAA, AAA, SP500, UNRATE]",
        "inputs: [VIXCLS, BAA, AAA, SP500]",
        "indicators/stress.yaml: economic_stress_index: parameters.components.3",
    ),
    "a step that there is not": (
        STRESS,
        "steps: [drawdown]",
        "steps: [drawdwn]",
        "indicators/stress.yaml: economic_stress_index: parameters.components.2",
    ),
    "a step on a unit that it does not admit": (
        STRESS,
        "of: [VIXCLS], steps: [level]",
        "of: [VIXCLS], steps: [pch]",
        "indicators/stress.yaml: economic_stress_index: parameters.components.0",
    ),
    "no such method of a model": (
        GDP,
        "method: dynamic_factor",
        "method: dynamic_factors",
        "models/gdp.yaml: gdp_nowcast: method: no method 'dynamic_factors' in macro_assets/models. "
        "Did you mean dynamic_factor?",
    ),
    "a model that has no news": (
        GDP,
        "method: ar\n",
        "method: ar\n    news: true\n",
        "models/gdp.yaml: gdp_ar: news: method ar does not say why its forecasts moved",
    ),
    "a unit that the transform does not give": (
        GDP,
        "unit: percent}",
        "unit: usd}",
        "models/gdp.yaml: gdp_nowcast: target.unit",
    ),
    "a transform on a unit that it does not admit": (
        GDP,
        "{series: UNRATE, transform: chg}",
        "{series: UNRATE, transform: pch}",
        "models/gdp.yaml: gdp_nowcast: inputs.6.transform",
    ),
    "no such family of charts": (
        "charts/stress.yaml",
        "draws: stacked",
        "draws: stack",
        "charts/stress.yaml: economic_stress_index: draws: nothing draws 'stack': expected one of heatmap, lines,",
    ),
    "a column that the table has not": (
        "charts/activity.yaml",
        "columns: [value]",
        "columns: [velue]",
        "charts/activity.yaml: sahm_rule: of.columns: 'velue' is no column of indicators/sahm_rule",
    ),
    "series of other units side by side": (
        "charts/stress.yaml",
        "series: [BAA, AAA]",
        "series: [BAA, PAYEMS]",
        "charts/stress.yaml: credit_spread: of.steps: BAA and PAYEMS: step 1 'spread': expected series of one unit",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_room_refuses_is_named_by_file_entry_and_field(folder: Path, case: str) -> None:  # noqa: F811
    file, old, new, expected = REFUSED[case]
    edit(folder, file, old, new)
    with pytest.raises(CatalogError) as caught:
        graph(load_catalog(folder))
    assert expected in str(caught.value)


@pytest.mark.parametrize("room", ["indicators", "models"])
def test_a_helper_of_a_room_is_offered_to_nobody(room: str) -> None:
    offered = method_names(room)
    assert "protocol" not in offered
    assert all(hasattr(import_module(f"macro_assets.{room}.{name}"), "Parameters") for name in offered)


OWN = """
indicators:
  - name: my_rise
    title: Rise of the unemployment rate
    description: As the Sahm rule, over half a year.
    method: rise_over_low
    shape: signal
    inputs: [UNRATE]
    parameters: {mean_months: 3, low_months: 6, threshold_pp: 0.5}
    real_time: true
    reference: none, it is invented
  - name: my_twin
    title: A twin with a mistake
    description: It cannot be.
    method: rise_over_low
    shape: signal
    inputs: [UNRATE]
    parameters: {mean_months: three, low_months: 6, threshold_pp: 0.5}
    reference: none, it is invented
charts:
  - name: my_chart
    title: Rise
    subtitle: Percentage points
    description: The rise.
    draws: lines
    of: {tables: [indicators/my_rise], columns: [value]}
    section: recession
  - name: my_twins_chart
    title: Rise
    subtitle: Percentage points
    description: The rise.
    draws: lines
    of: {tables: [indicators/my_twin], columns: [value]}
    section: recession
"""


def test_a_broken_entry_of_one_s_own_is_left_out_with_what_reads_it(folder: Path, tmp_path: Path) -> None:  # noqa: F811
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.yaml").write_text(OWN)
    catalog = load_catalog(folder, own)
    assert catalog.refused == (), "the catalog itself sees nothing wrong"
    found = graph(catalog)
    made = {t for d in found.derivations for t in d.tables}
    assert {"indicators/my_rise", "real_time/my_rise", "charts/my_chart", "indicators/sahm_rule"} <= made
    assert not made & {"indicators/my_twin", "charts/my_twins_chart"}
    assert "indicators/my_twin" not in found.catalog.tables
    mistake, below = map(str, found.catalog.refused)
    assert mistake.startswith(f"{own / 'mine.yaml'}: my_twin: parameters.mean_months: Input should be a valid integer")
    why = "of.tables: table 'indicators/my_twin' is left out"
    assert below == f"{own / 'mine.yaml'}: my_twins_chart: {why}"
