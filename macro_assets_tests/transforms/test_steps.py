"""Chains of transforms: how they are written, what is refused, and series of a long frame by their own steps."""

from __future__ import annotations

from datetime import date
from math import log, sqrt
from typing import Any

import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from macro_assets.catalog.kinds.step import Step, Steps
from macro_assets.transforms.library import TRANSFORMS
from macro_assets.transforms.steps import TransformError, check, expression, resolve, transformed_by
from macro_assets_tests.transforms.contract import HISTORIES, long_frame
from macro_assets_tests.transforms.synthetic import by_date, concat, months, observed

READ: TypeAdapter[tuple[Step, ...]] = TypeAdapter(Steps)


def steps(written: object) -> tuple[Step, ...]:
    """Steps as YAML writes them."""
    return READ.validate_python(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("spread", [("spread", {})]),
        ({"zscore": {"min_obs": 24}}, [("zscore", {"min_obs": 24})]),
        (["log", {"chg": {}}, {"chg": {"periods": 12}}], [("log", {}), ("chg", {}), ("chg", {"periods": 12})]),
        ([Step(name="log")], [("log", {})]),
        ([], []),
    ],
)
def test_steps_are_a_name_a_name_with_parameters_or_a_list(written: object, expected: list[Any]) -> None:
    assert [(s.name, s.parameters) for s in steps(written)] == expected


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (None, "expected a step as 'name' or {name: {parameter: value}}, got None"),
        ([["log"]], "expected a step as 'name' or"),
        ({"log": {}, "chg": {}}, "expected a step as 'name' or"),
        ({"chg": 12}, "expected parameters of 'chg' as {name: value}, got 12"),
        ("Per cent", "should match pattern"),
        ({"gap": {"window": float("inf")}}, "finite number"),
    ],
)
def test_what_is_no_step_is_refused(written: object, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        steps(written)
    assert says in str(refused.value)


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "units", "frequency", "says"),
    [
        (["log", "chgg"], ["usd"], "M", "step 2 'chgg' is no transform; did you mean 'chg'?"),
        ("xxxx", ["usd"], "M", "step 1 'xxxx' is no transform; there is base_100, bollinger, "),
        ("stationry", ["usd"], "M", "step 1 'stationry' is no transform; did you mean 'stationary'?"),
        ("stationary", ["usd"], "M", "step 1 'stationary' is for where a series' own code is known"),
        ("pca", ["usd"], "D", "step 1 'pca': expected a frequency of M, Q, A, got 'D'"),
        ("level", ["usd"], "H", "step 1 'level': expected a frequency of D, W, M, Q, A, got 'H'"),
        (["log", "log"], ["usd"], "M", "step 2 'log': expected a unit in which a ratio has a meaning"),
        (["pch", "pch"], ["usd"], "M", "got 'percent'"),
        ("spread", ["usd", "percent"], "M", "step 1 'spread': expected series of one unit, got 'usd' and 'percent'"),
        ("spread", ["usd"], "M", "step 1 'spread': expected 2 series, got 1"),
        ("spread", ["usd"] * 3, "M", "step 1 'spread': expected 2 series, got 3"),
        ("chg", ["usd", "usd"], "M", "expected steps that leave one series, they leave 2"),
        ({"chg": {"period": 2}}, ["usd"], "M", "step 1 'chg': 'period' is no parameter; did you mean 'periods'?"),
        ({"log": {"base": 2}}, ["usd"], "M", "step 1 'log': 'base' is no parameter; there is none"),
        ({"chg": {"periods": "2"}}, ["usd"], "M", "step 1 'chg': periods: Input should be a valid integer, got '2'"),
        ({"chg": {"periods": -1}}, ["usd"], "M", "step 1 'chg': periods: Input should be greater than 0, got -1"),
        ("zscore", ["usd"], "M", "step 1 'zscore': parameter 'min_obs' is missing"),
        ({"fred_md": {"code": 8}}, ["usd"], "M", "step 1 'fred_md': code: Input should be less than or equal to 7"),
        ({"gap": {"window": 3, "min_obs": 4}}, ["usd"], "M", "min_obs (4) must not be above window (3)"),
    ],
)
def test_a_step_that_cannot_be_is_refused_by_name(written: object, units: list[str], frequency: str, says: str) -> None:
    with pytest.raises(TransformError) as refused:
        check(steps(written), units, frequency)
    assert says in str(refused.value)


@pytest.mark.parametrize("written", ["chgg", {"chg": {"periods": 0}}, "spread"])
def test_what_cannot_be_is_no_expression_either(written: object) -> None:
    with pytest.raises(TransformError, match="step 1"):
        expression(steps(written), [pl.col("x")], "M")


@pytest.mark.parametrize("name", [name for name, t in TRANSFORMS.items() if t.adjusted_only])
def test_what_compares_periods_of_a_year_is_refused_of_figures_with_a_season(name: str) -> None:
    assert check(steps(name), ["usd"], "M", ["SAAR"]) == check(steps(name), ["usd"], "M")
    with pytest.raises(TransformError, match=f"step 2 '{name}': expected seasonally adjusted figures, got 'NSA'"):
        check(steps(["level", name]), ["usd"], "M", ["NSA"])
    assert check(steps(["seasonally_adjust", name]), ["usd"], "M", ["NSA"]) == "percent"
    with pytest.raises(TransformError, match=f"step 1 '{name}': expected seasonally adjusted"):
        check(steps([name, "seasonally_adjust"]), ["usd"], "M", ["NSA"])


def test_stationary_stands_for_the_code_of_the_series() -> None:
    resolved = resolve(steps(["stationary", {"zscore": {"min_obs": 24}}]), 5)
    assert resolved == steps([{"fred_md": {"code": 5}}, {"zscore": {"min_obs": 24}}])
    assert check(resolved, ["usd"], "M") == "standard_deviations"
    with pytest.raises(TransformError, match="step 1 'stationary': expected no parameters"):
        resolve(steps({"stationary": {"code": 5}}), 5)


# --- chains ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "units", "expected"),
    [
        ([], ["usd"], "usd"),
        (["log", "chg", "chg"], ["usd"], "log_points"),
        (["pch", "spread"], ["usd", "brl"], "percentage_points"),
        (["spread", {"gap": {"window": 12}}], ["percent", "percent"], "percentage_points"),
    ],
)
def test_the_unit_of_a_chain(written: object, units: list[str], expected: str) -> None:
    assert check(steps(written), units, "M") == expected


def test_a_step_of_one_series_is_done_to_each_of_several() -> None:
    panel = pl.DataFrame({"a": [100.0, 110.0, 110.0], "b": [100.0, None, 80.0]})
    both = expression(steps(["level", "spread"]), [pl.col("a"), pl.col("b")], "M")
    of_each = expression(steps(["pch", "spread"]), [pl.col("a"), pl.col("a") * 2], "M")
    assert panel.select(both, each=of_each).rows() == [(0.0, None), (None, 0.0), (30.0, 0.0)]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_an_expression_has_the_name_of_the_first_series(name: str) -> None:
    step = Step(name=name, parameters=dict(TRANSFORMS[name].example))
    columns = ["a", "b"][: TRANSFORMS[name].takes]
    panel = pl.DataFrame({c: [1.0, 2.0, 3.0] for c in columns})
    assert panel.select(expression((step,), [pl.col(c) for c in columns], "M")).columns == ["a"]


def test_no_steps_leave_a_series_as_it_is() -> None:
    frame = observed("X", months(1.0, None, 3.0))
    assert transformed_by(frame, {"X": ()}, {"X": "M"}).equals(frame.drop_nulls("value"))


# --- long frames -----------------------------------------------------------------------------------------------------

JAN, MAR, APR, MAY, JUN = (date(2020, m, 1) for m in (1, 3, 4, 5, 6))


def test_each_series_has_its_own_steps_and_frequency() -> None:
    quarters = {date(2019, 10, 1): 10.0, JAN: 11.0}
    days = {date(2020, 1, 3): 100.0, date(2020, 1, 6): 200.0}
    frame = concat(
        [observed("M", months(1.0, 3.0)), observed("Q", quarters), observed("D", days), observed("NO", days)]
    )
    own = {"M": steps("chg"), "Q": steps("pca"), "D": steps(["log", "chg"])}
    found = transformed_by(frame, own, {i: i for i in own})
    assert found.columns == frame.columns
    assert found["series_id"].to_list() == ["D", "M", "Q"]
    assert found["value"].to_list() == pytest.approx([log(2), 2, 100 * (1.1**4 - 1)])


def test_a_gap_counts_in_a_window_and_ends_a_difference() -> None:
    values = {JAN: 1.0, APR: 4.0, MAY: 6.0, JUN: 11.0}
    frame = observed("X", values)
    window = transformed_by(frame, {"X": steps({"gap": {"window": 3, "min_obs": 2}})}, {"X": "M"})
    assert by_date(window) == {MAY: 1.0, JUN: 4.0}
    assert by_date(transformed_by(frame, {"X": steps("chg")}, {"X": "M"})) == {MAY: 2.0, JUN: 5.0}
    # February is the period after January, whatever the day
    late = observed("X", {date(2020, 1, 31): 1.0, date(2020, 2, 29): 3.0})
    assert by_date(transformed_by(late, {"X": steps("chg")}, {"X": "M"})) == {date(2020, 2, 29): 2.0}


def test_two_figures_of_one_period_have_no_difference() -> None:
    frame = observed("X", {JAN: 1.0, date(2020, 1, 15): 3.0, date(2020, 2, 1): 4.0})
    assert by_date(transformed_by(frame, {"X": steps("chg")}, {"X": "M"})) == {date(2020, 2, 1): 1.0}


def test_a_score_goes_on_over_a_gap() -> None:
    found = transformed_by(observed("X", {JAN: 2.0, APR: 4.0}), {"X": steps({"zscore": {"min_obs": 2}})}, {"X": "M"})
    assert by_date(found) == pytest.approx({APR: sqrt(0.5)})


@pytest.mark.parametrize("frequency", ["D", "M"])
@pytest.mark.parametrize(
    "written", ["chg", ["log", "chg", "chg"], {"gap": {"window": 4, "min_obs": 2}}, ["pch", {"zscore": {"min_obs": 3}}]]
)
def test_later_rows_leave_earlier_ones_and_a_chain_is_that_of_the_panel(frequency: str, written: object) -> None:
    frame, chain = long_frame(frequency), steps(written)
    ids = frame["series_id"].unique().sort().to_list()
    whole = transformed_by(frame, dict.fromkeys(ids, chain), dict.fromkeys(ids, frequency))
    for day in frame["observation_date"].unique().sort()[1::7]:
        before = pl.col("observation_date") < day
        wild = frame.with_columns(value=pl.when(before).then("value").otherwise(1e6))
        for other in (frame.filter(before), wild):
            found = transformed_by(other, dict.fromkeys(ids, chain), dict.fromkeys(ids, frequency))
            assert found.filter(before).equals(whole.filter(before))
    if frequency == "M":
        wide = pl.DataFrame(dict(zip(ids, HISTORIES, strict=True))).select(
            expression(chain, [pl.col(i)], frequency).alias(i) for i in ids
        )
        for i in ids:
            assert whole.filter(series_id=i)["value"].to_list() == wide[i].drop_nulls().to_list()


def test_nothing_observed_is_nothing() -> None:
    empty = observed("X", {})
    assert transformed_by(empty, {"X": steps("chg")}, {"X": "M"}).equals(empty)
    assert transformed_by(observed("X", {JAN: 1.0}), {}, {}).equals(empty)
    assert transformed_by(observed("X", {JAN: None}), {"X": steps("pca")}, {"X": "M"}).equals(empty)


def test_steps_that_cannot_be_name_the_series() -> None:
    with pytest.raises(TransformError, match="X: step 1 'pca': expected a frequency of M, Q, A, got 'D'"):
        transformed_by(observed("X", {JAN: 1.0}), {"X": steps("pca")}, {"X": "D"})
