"""The composite indicator on tiny synthetic panels, against numbers computed by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from math import sqrt
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.graph.versions import facts as facts_text
from macro_assets.indicators.composite import EXAMPLE, Parameters, check, compute
from macro_assets_tests.indicators.toys import FACTS, monthly

JAN, FEB, MAR, APR, MAY = (date(2020, m, 1) for m in range(1, 6))


def component(name: str, **fields: Any) -> dict[str, Any]:
    plain = {"of": [name.upper()], "title": name, "steps": "level", "sign": 1, "weight": 1.0}
    return {"name": name, **plain, **fields}


def parameters(*components: dict[str, Any], min_history: int = 2, min_components: int = 1) -> Parameters:
    return Parameters.model_validate(
        {"components": components, "min_history_months": min_history, "min_components": min_components}
    )


def composite(columns: Mapping[str, Sequence[float | None]], told: Parameters) -> pl.DataFrame:
    """The index of monthly series from January 2020 on."""
    return compute(monthly(JAN, **columns), told)


def of(found: pl.DataFrame, name: str, column: str) -> dict[date, float]:
    rows = found.filter(pl.col("component") == name)
    return dict(rows.select("observation_date", column).iter_rows())


TWO = parameters(component("a", weight=0.25), component("b", weight=0.75, sign=-1))


def test_hand_computed_index() -> None:
    """a = 1, 2, 3: z = sqrt(1/2) (0.5 over sqrt(0.5)), then 1. b = 3, 1, 5: z = -sqrt(1/2), then (5 - 3) / 2 = 1."""
    found = composite({"A": [1, 2, 3], "B": [3, 1, 5]}, TWO)
    expected = [
        (FEB, "a", 2.0, sqrt(0.5), 1, 0.25, 0.25 * sqrt(0.5), sqrt(0.5)),
        (FEB, "b", 1.0, -sqrt(0.5), -1, 0.75, 0.75 * sqrt(0.5), sqrt(0.5)),
        (MAR, "a", 3.0, 1.0, 1, 0.25, 0.25, -0.5),
        (MAR, "b", 5.0, 1.0, -1, 0.75, -0.75, -0.5),
    ]
    numbers = ("component_value", "zscore", "sign", "weight", "contribution", "index_value")
    rows = found.select("observation_date", "component", *numbers).rows()
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    for row, wanted in zip(rows, expected, strict=True):
        assert row[2:] == pytest.approx(wanted[2:], abs=1e-12)
    assert set(found["component_state"]) == {"observed"}
    assert not found["is_composition_changed"].any()


def test_contributions_add_up_to_the_index() -> None:
    a = [1.0, 4.0, 2.0, 8.0, 5.0, 7.0]
    found = composite({"A": a, "B": [2.0, 7.0, 1.0, None, 8.0, 2.0]}, TWO)
    months = found.group_by("observation_date").agg(
        pl.col("contribution", "weight").sum(), pl.col("index_value").first(), n=pl.col("index_value").n_unique()
    )
    assert months.height == 5
    assert months["contribution"].to_list() == pytest.approx(months["index_value"].to_list(), abs=1e-12)
    assert months["weight"].to_list() == pytest.approx([1.0] * 5, abs=1e-12)
    assert months["n"].to_list() == [1] * 5


def test_a_missing_component_leaves_its_weight_to_the_others() -> None:
    three = parameters(component("a", weight=0.25), component("b", weight=0.5), component("c", weight=0.25))
    found = composite({"A": [1, 2, 3], "B": [1, 2, None], "C": [1, 2, 3]}, three)
    assert of(found, "a", "weight") == {FEB: 0.25, MAR: 0.5}
    assert of(found, "c", "weight") == {FEB: 0.25, MAR: 0.5}
    assert of(found, "b", "weight") == {FEB: 0.5}
    assert of(found, "a", "index_value")[MAR] == pytest.approx(1.0)


def test_a_month_with_too_few_components_has_no_row() -> None:
    both = parameters(component("a", weight=0.5), component("b", weight=0.5), min_components=2)
    found = composite({"A": [1, 2, 3, 4], "B": [1, 2, None, 4]}, both)
    assert found["observation_date"].unique().sort().to_list() == [FEB, APR]


def test_a_component_counts_from_its_minimum_history_on() -> None:
    late = parameters(component("a", weight=0.5), component("b", weight=0.5), min_history=3)
    found = composite({"A": [1, 2, 3, 5, 4], "B": [None, None, 1, 2, 3]}, late)
    assert list(of(found, "a", "weight").items()) == [(MAR, 1.0), (APR, 1.0), (MAY, 0.5)]
    assert list(of(found, "b", "weight")) == [MAY]


def test_a_constant_component_does_not_count() -> None:
    found = composite({"A": [1, 2, 3], "B": [7, 7, 7]}, TWO)
    assert set(found["component"]) == {"a"}


@pytest.mark.parametrize(
    ("fields", "columns", "expected"),
    [
        ({"steps": "level"}, {"X": [3, 1, 2]}, {FEB: 1, MAR: 2}),
        ({"steps": "spread", "of": ["X", "Y"]}, {"X": [7, 9, 8], "Y": [5, 6, 8]}, {FEB: 3, MAR: 0}),
        # percent below the highest so far: the low of 80 is 20% below 100, 90 is 25% below 120
        ({"steps": "drawdown"}, {"X": [100, 80, 120, 90]}, {FEB: 20, MAR: 0, APR: 25}),
        # 3 - (1 + 3) / 2, 2 - (3 + 2) / 2, 8 - (2 + 8) / 2; January has no full window
        ({"steps": {"gap": {"window": 2}}}, {"X": [1, 3, 2, 8]}, {MAR: -0.5, APR: 3}),
        # changes of 2, 0, 1, 0
        ({"steps": ["spread", "chg"], "of": ["X", "Y"]}, {"X": [7, 9, 8, 9], "Y": [5, 9, 7, 9]}, {MAR: 1, APR: -1}),
        # a month in which one side of a spread is missing has none
        ({"steps": "spread", "of": ["X", "Y"]}, {"X": [7, 9, 8, 9], "Y": [5, None, 8, 1]}, {MAR: 0, APR: 8}),
        ({"steps": "drawdown"}, {"X": [100, None, 50, 100]}, {MAR: 50, APR: 0}),
    ],
)
def test_steps(fields: dict[str, Any], columns: dict[str, list[float | None]], expected: dict[date, float]) -> None:
    one = parameters(component("part", **{"of": ["X"], **fields}))
    assert of(composite(columns, one), "part", "component_value") == pytest.approx(expected, abs=1e-12)


def test_the_order_of_rows_does_not_matter() -> None:
    parts = parameters(
        component("a", weight=0.5, steps="drawdown"), component("b", weight=0.5, steps={"gap": {"window": 2}})
    )
    given = monthly(A=[1, 5, 3, 4, 2], B=[3, 1, 5, 2, 2])
    assert compute(replace(given, observations=given.observations.reverse()), parts).equals(compute(given, parts))


def test_the_sign_turns_a_contribution_around() -> None:
    frame = {"A": [1, 5, 3, 4]}
    up, down = (composite(frame, parameters(component("a", sign=s))) for s in (1, -1))
    assert down["contribution"].to_list() == [-c for c in up["contribution"]]
    assert down["index_value"].to_list() == [-c for c in up["index_value"]]
    assert down["zscore"].to_list() == up["zscore"].to_list()


@pytest.mark.parametrize("later", [[1e6, -1e6], [None, 3.5]])
def test_later_values_leave_earlier_rows_bit_for_bit(later: list[float | None]) -> None:
    parts = parameters(
        component("a", weight=0.4, steps={"gap": {"window": 3}}),
        component("b", weight=0.3, steps="drawdown"),
        component("c", weight=0.3, steps="spread", of=["A", "B"], sign=-1),
    )
    a, b = [3.1, 4.7, 2.2, 5.9, 5.3, 4.4], [10.1, 9.7, 11.3, 10.2, 12.5, 11.9]
    before = composite({"A": a, "B": b}, parts)
    after = composite({"A": [*a, *later], "B": [*b, *later]}, parts)
    assert before.height > 0
    assert after.filter(pl.col("observation_date") <= before["observation_date"].max()).equals(before)


def test_nothing_observed_is_no_index() -> None:
    assert composite({"A": [None, None], "B": [None, None]}, TWO).is_empty()


def test_a_missing_month_does_not_stretch_the_window_of_a_gap() -> None:
    """A synthetic 20-month window: the month before the window must not count when one inside is missing."""
    values: list[float | None] = [1000.0, *[1.0] * 20]
    values[10] = None
    one = parameters(component("part", of=["X"], steps={"gap": {"window": 20, "min_obs": 18}}))
    gaps = composite({"X": values}, one)["component_value"].to_list()
    assert gaps[-1] == 0
    assert gaps[-2] < -50  # 1 minus the mean of eighteen ones and 1000


# --- what an entry says --------------------------------------------------------------------------------------------


def test_titles_are_no_part_of_what_is_computed() -> None:
    told, retitled = (parameters(component("a", title=title)) for title in ("Old words", "New words"))
    other = parameters(component("a", title="Old words", steps="chg"))
    assert facts_text(told) == facts_text(retitled) != facts_text(other)
    assert retitled.components[0].title == "New words"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"components": [component("a", weight=0.5), component("b", weight=0.4)]}, "add up to 1, they add up to 0.9"),
        ({"min_components": 2}, "min_components is 2, but there are 1 components"),
        ({"min_components": 0}, "greater than 0"),
        ({"min_history_months": 1}, "greater than 1"),
        ({"min_history_months": "24"}, "valid integer"),
        ({"components": []}, "at least 1 item"),
        ({"components": [component("a", weight=0.5), component("a", weight=0.5)]}, "components have one name: a"),
        ({"components": [component("a", weight="1")]}, "valid number"),
        ({"components": [component("a", sign=2)]}, "Input should be -1 or 1"),
        ({"components": [component("a", of=[])]}, "at least 1 item"),
        ({"components": [component("a", steps=[])]}, "at least 1 item"),
        ({"components": [component("a", formula="level")]}, "Extra inputs are not permitted"),
    ],
)
def test_parameters_that_cannot_be_are_refused(changed: dict[str, Any], said: str) -> None:
    good: dict[str, Any] = {"min_history_months": 2, "min_components": 1, "components": [component("a")]}
    Parameters.model_validate(good)
    with pytest.raises(ValidationError, match=said):
        Parameters.model_validate({**good, **changed})


def facts(adjusted: str = "SA", **units: str) -> pl.DataFrame:
    rows = [(s, "D", "mean", unit, adjusted) for s, unit in units.items()]
    return pl.DataFrame(rows, (*FACTS, "seasonal_adjustment"), orient="row")


def test_inputs_that_its_components_are_made_of_are_admitted() -> None:
    told = Parameters.model_validate(EXAMPLE["parameters"])
    check(told, facts(UNRATE="percent", VIXCLS="percent", BAA="percent", AAA="percent"))


@pytest.mark.parametrize(
    ("changed", "units", "said"),
    [
        ({}, {"A": "percent"}, "parameters.components.1.of: B: expected some of the inputs A"),
        ({}, {"A": "percent", "B": "usd", "C": "usd"}, "inputs: no component is made of C"),
        (
            {"steps": "spred"},
            {"A": "percent", "B": "usd"},
            "parameters.components.1.steps: step 1 'spred' is no transform; did you mean 'spread'?",
        ),
        (
            {"steps": "spread"},
            {"A": "percent", "B": "usd"},
            "parameters.components.1.steps: step 1 'spread': expected 2 series, got 1",
        ),
        (
            {"of": ["A", "B"]},
            {"A": "percent", "B": "usd"},
            "parameters.components.1.steps: expected steps that leave one series, they leave 2",
        ),
        (
            {"of": ["A", "B"], "steps": "spread"},
            {"A": "percent", "B": "usd"},
            "parameters.components.1.steps: step 1 'spread': expected series of one unit, got 'percent' and 'usd'",
        ),
        (
            {"steps": ["level", "pch"]},
            {"A": "usd", "B": "percent"},
            "parameters.components.1.steps: step 2 'pch': expected a unit in which a ratio has a meaning",
        ),
        (
            {"steps": {"gap": {"window": "2"}}},
            {"A": "usd", "B": "percent"},
            "parameters.components.1.steps: step 1 'gap': window: Value error, expected a number of periods above 1",
        ),
    ],
)
def test_components_that_cannot_be_made_of_the_inputs_are_refused(
    changed: dict[str, Any], units: dict[str, str], said: str
) -> None:
    told = parameters(component("a", weight=0.5), component("b", **{"weight": 0.5, **changed}))
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        check(told, facts(**units))


def test_a_step_that_needs_adjusted_figures_is_refused_of_others() -> None:
    told = parameters(
        component("a", steps="mom"),
    )
    check(told, facts(A="usd"))
    said = "parameters.components.0.steps: step 1 'mom': expected seasonally adjusted figures, got 'NSA'"
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        check(told, facts(adjusted="NSA", A="usd"))
    check(parameters(component("a", steps=["seasonally_adjust", "mom"])), facts(adjusted="NSA", A="usd"))
