"""Each transform by hand, FRED-MD's codes on long frames, and z-scores against a series' own past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import exp, log, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.catalog.kinds.step import Step
from macro_assets.transforms.library import TRANSFORMS, expanding_zscore
from macro_assets.transforms.normalize import transformed, zscores
from macro_assets.transforms.steps import TransformError, check, expression
from macro_assets_tests.transforms.synthetic import by_date, concat, facts_of, months, observed

Column = Sequence[float | None]


def made(
    name: str,
    parameters: Mapping[str, Any],
    *columns: Column,
    frequency: str = "M",
    dates: Sequence[date] | None = None,
) -> list[float | None]:
    """What a transform makes of columns of a panel, by default of months from January 2020 on."""
    names = [f"x{i}" for i in range(len(columns))]
    frame = pl.DataFrame(dict(zip(names, columns, strict=True)), schema=dict.fromkeys(names, pl.Float64))
    frame = frame.with_columns(observation_date=pl.Series(dates or list(months(*columns[0])), dtype=pl.Date))
    steps = (Step(name=name, parameters=dict(parameters)),)
    return frame.select(value=expression(steps, [pl.col(n) for n in names], frequency))["value"].to_list()


X: Column = (100.0, 110.0, 132.0, None, 66.0, 99.0, 99.0)
"""Growth of 10, 20, then (a month is missing) 50 and 0 percent."""

BY_HAND: Sequence[tuple[str, Mapping[str, Any], Column, Column]] = [
    ("level", {}, X, X),
    ("lin", {}, X, X),
    ("log", {}, X, [v and log(v) for v in X]),
    ("chg", {}, X, [None, 10, 22, None, None, 33, 0]),
    ("chg", {"periods": 2}, X, [None, None, 32, None, -66, None, 33]),
    ("pch", {}, X, [None, 10, 20, None, None, 50, 0]),
    ("pch", {"periods": 2}, X, [None, None, 32, None, -50, None, 50]),
    ("pca", {}, X, [None, 213.8428376721, 791.6100448256, None, None, 12874.6337890625, 0]),
    ("pca", {"periods": 2}, X, [None, None, 100 * (1.32**6 - 1), None, 100 * (0.5**6 - 1), None, 100 * (1.5**6 - 1)]),
    ("growth", {}, X, [None, 0.1, 0.2, None, None, 0.5, 0]),
    ("growth", {"periods": 2}, X, [None, None, 0.32, None, -0.5, None, 0.5]),
    ("fred_md", {"code": 1}, X, X),
    ("fred_md", {"code": 2}, X, [None, 10, 22, None, None, 33, 0]),
    ("fred_md", {"code": 3}, X, [None, None, 12, None, None, None, -33]),
    ("fred_md", {"code": 4}, X, [v and log(v) for v in X]),
    ("fred_md", {"code": 5}, X, [None, log(1.1), log(1.2), None, None, log(1.5), 0]),
    ("fred_md", {"code": 6}, X, [None, None, log(1.2 / 1.1), None, None, None, -log(1.5)]),
    ("fred_md", {"code": 7}, X, [None, None, 0.1, None, None, None, -0.5]),
    ("drawdown", {}, X, [0, 0, 0, None, 50, 25, 25]),
    # the window of three ends at the value: 132 - 114, 66 - 99 (of two), 99 - 82.5 (of two), 99 - 88
    ("gap", {"window": 3}, X, [None, None, 18, None, None, None, 11]),
    ("gap", {"window": 3, "min_obs": 2}, X, [None, 5, 18, None, -33, 16.5, 11]),
    # 2, 4: one above the mean, in deviations of sqrt 2; 9: four above the mean of 5, in deviations of sqrt 13
    ("zscore", {"min_obs": 2}, [2.0, None, 4.0, 9.0], [None, None, sqrt(0.5), 4 / sqrt(13)]),
    ("zscore", {"min_obs": 3}, [None, 2.0, 4.0, None, 9.0], [None, None, None, None, 4 / sqrt(13)]),
    ("zscore", {"min_obs": 2}, [0.1, 0.1, 0.1, 0.2], [None, None, None, 1.5]),
    # of windows: 4, 9 are 2.5 from their mean, in deviations of sqrt 12.5; equal values have no score
    ("zscore", {"min_obs": 2, "window": 2}, [2, None, 4, 9, 9], [None, None, None, sqrt(0.5), None]),
    ("zscore", {"min_obs": 2, "window": "40d"}, [2, 4, 9, 9], [None, sqrt(0.5), sqrt(0.5), None]),
    ("zscore", {"min_obs": 2, "window": "40d", "include_current": False}, [2, 4, 9, 9], [None] * 4),
    ("zscore", {"min_obs": 2, "window": "70d", "include_current": False}, [2, 4, 9], [None, None, 6 / sqrt(2)]),
    ("zscore", {"min_obs": 2, "window": 2, "include_current": False}, [2, 4, 9], [None, None, 6 / sqrt(2)]),
    ("zscore", {"min_obs": 2, "include_current": False}, [2, 4, None, 9], [None, None, None, 6 / sqrt(2)]),
    ("zscore", {"min_obs": 2, "neutral": "zero"}, [2, 4, 9], [None, 4 / sqrt(2), 9 / sqrt(13)]),
    ("zscore", {"min_obs": 2, "neutral": "median"}, [2, 4, 9], [None, sqrt(0.5), 5 / sqrt(13)]),
    ("zscore", {"min_obs": 2, "neutral": "median", "window": 2}, [2, 4, 9], [None, sqrt(0.5), sqrt(0.5)]),
    # what is left out is scored on the rest, before and after it
    (
        "zscore",
        {"min_obs": 2, "leave_out": [["2020-03", "2020-03"]]},
        [2, 4, 99, 9],
        [None, sqrt(0.5), 96 / sqrt(2), 4 / sqrt(13)],
    ),
    (
        "zscore",
        {"min_obs": 2, "leave_out": "pandemic"},
        [2, 4, 99, 99, 99, 99, 99, 9],
        [None, sqrt(0.5), *[96 / sqrt(2)] * 5, 4 / sqrt(13)],
    ),
    (
        "zscore",
        {"min_obs": 2, "window": 3, "leave_out": "pandemic"},
        [2, 4, 99, 99],
        [None, sqrt(0.5), 96 / sqrt(2), None],
    ),
    # estimated on 2, 4, 9 for all of the second quarter
    (
        "zscore",
        {"min_obs": 2, "reestimated": "quarter"},
        [2, 4, 9, 10, None, 30],
        [None, None, None, 5 / sqrt(13), None, 25 / sqrt(13)],
    ),
    ("percentile_rank", {"min_obs": 3}, [1, 3, 2, 3], [None, None, 50, 75]),
    ("percentile_rank", {"min_obs": 2, "window": 2}, [1, 3, 2, 3], [None, 75, 25, 75]),
    ("percentile_rank", {"min_obs": 2, "window": "40d"}, [1, 3, 2, 3], [None, 75, 25, 75]),
    ("percentile_rank", {"min_obs": 2, "include_current": False}, [1, 3, None, 2, 0], [None, None, None, 50, 0]),
    ("percentile_rank", {"min_obs": 2, "leave_out": [["2020-02", "2020-02"]]}, [1, 3, 2, 3], [None, None, 75, 250 / 3]),
    # quarters of 1, 2, 3 are 1.5 and 2.5; of 1, 2, 3, 10 they are 1.75 and 4.75
    ("winsorize", {"min_obs": 3, "tail": 0.25}, [1, 2, 3, 10, 2, -9], [None, None, None, 2.5, 2, 2]),
    ("winsorize", {"min_obs": 2, "deviations": 1.0}, [2, 4, 9, None], [None, None, 3 + sqrt(2), None]),
    ("winsorize", {"min_obs": 2, "deviations": 1.0, "window": 2}, [2, 4, -9], [None, None, 3 - sqrt(2)]),
    ("lag", {}, X, [None, 100, 110, None, None, 66, 99]),
    ("lag", {"periods": 2}, X, [None, None, 100, None, 132, None, 66]),
    ("base_100", {}, [None, 50.0, 60.0, None, 40.0], [None, 100, 120, None, 80]),
    ("base_100", {"at": "2020-02-01"}, X, [None, 100, 120, None, 60, 90, 90]),
    ("base_100", {"at": "2020-04-01"}, X, [None, None, None, None, 100, 150, 150]),
    ("mom", {}, X, [None, 10, 20, None, None, 50, 0]),
    ("yoy", {}, [100, 200, *[None] * 10, 105, 150], [*[None] * 12, 5, -25]),
    ("qoq_of_months", {}, [1, 2, 3, 4, 5, 6], [*[None] * 5, 150]),
    ("qoq_of_months", {"annualized": True}, [1, 2, 3, 4, 5, 6], [*[None] * 5, 100 * (2.5**4 - 1)]),
    ("yoy_of_rates", {}, [1.0] * 12 + [None], [*[None] * 11, 100 * (1.01**12 - 1), None]),
    ("yoy_of_rates", {}, [500.0, -50.0, *[0.0] * 10], [*[None] * 11, 200]),
    ("simple_return", {}, X, [None, 10, 20, None, None, 50, 0]),
    ("log_return", {}, X, [None, 100 * log(1.1), 100 * log(1.2), None, None, 100 * log(1.5), 0]),
    ("momentum", {"periods": 2}, X, [None, None, 32, None, -66, None, 33]),
    ("moving_average", {"window": 3}, [1, 2, 3, 4, 5], [None, None, 2, 3, 4]),
    ("moving_average", {"window": "40d", "min_obs": 1}, X, [100, 105, 121, None, 66, 82.5, 99]),
    ("rolling_sd", {"window": 3}, [1, 2, 3, 5, 7], [None, None, 1, sqrt(7 / 3), 2]),
    ("rolling_max", {"window": 2, "min_obs": 1}, [3, 1, 2, None, 0], [3, 3, 2, None, 0]),
    ("rolling_min", {"window": 2, "min_obs": 1}, [3, 1, 2, None, 0], [3, 1, 1, None, 0]),
    ("ewma", {"span": 3}, [None, 100, None, 110, 130], [None, 100, None, 105, 117.5]),
    ("rolling_volatility", {"window": 2, "annualized": False}, [1, exp(1), exp(3)], [None, None, 100 * sqrt(0.5)]),
    ("rolling_volatility", {"window": 2}, [1, exp(1), exp(3)], [None, None, 100 * sqrt(6)]),
    ("drawdown_duration", {}, X, [0, 0, 0, None, 2, 3, 4]),
    # averages of rises .5, then .5 + (2 - .5) / 2; of falls .5, then .5 / 2
    ("rsi", {"window": 2}, [1, 2, 1, 3], [None, None, 50, 100 * 1.25 / 1.5]),
    ("rsi", {"window": 2}, [1, 1, 1, 1], [None] * 4),
    ("macd", {"fast": 1, "slow": 3, "signal": 1}, [100, 110, 130], [None, None, 12.5]),
    ("macd", {"fast": 1, "slow": 2, "signal": 2, "line": "signal"}, [3, 6, 9], [None, None, 11 / 9]),
    ("macd", {"fast": 1, "slow": 2, "signal": 2, "line": "histogram"}, [3, 6, 9], [None, None, 1 / 9]),
    ("bollinger", {"window": 2}, [1, 3, 3], [None, 0.75, None]),
    ("bollinger", {"window": 2, "line": "upper"}, [1, 3, 3], [None, 4, 3]),
    ("bollinger", {"window": 2, "line": "lower"}, [1, 3, 3], [None, 0, 3]),
    ("bollinger", {"window": 2, "line": "width"}, [1, 3, 3], [None, 4, 0]),
    ("seasonally_adjust", {}, [5.0] * 38 + [None], [*[None] * 36, 5, 5, None]),
]
SPREAD = ([3.0, None, 5.0, 1.0], [1.0, 2.0, None, 4.0], [2.0, None, None, -3.0])


@pytest.mark.parametrize(("name", "parameters", "values", "expected"), BY_HAND)
def test_by_hand(name: str, parameters: Mapping[str, Any], values: Column, expected: Column) -> None:
    found = made(name, parameters, values)
    assert [v is None for v in found] == [v is None for v in expected]
    assert [v for v in found if v is not None] == pytest.approx([v for v in expected if v is not None], abs=1e-9)


def test_a_spread_is_the_first_minus_the_second() -> None:
    first, second, expected = SPREAD
    assert made("spread", {}, first, second) == expected


def test_every_transform_and_every_code_is_computed_by_hand() -> None:
    assert {name for name, *_ in BY_HAND} | {"spread"} == set(TRANSFORMS)
    assert {p["code"] for name, p, *_ in BY_HAND if name == "fred_md"} == set(range(1, 8))


@pytest.mark.parametrize(("frequency", "per_year"), [("M", 12), ("Q", 4), ("A", 1)])
def test_an_annual_rate_compounds_the_periods_of_a_year(frequency: str, per_year: int) -> None:
    assert made("pca", {}, [100.0, 110.0], frequency=frequency)[1] == pytest.approx(100 * (1.1**per_year - 1))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("log", [0.0, -1.0]),
        ("pch", [0.0, 1.0]),
        ("pca", [0.0, 0.0]),
        ("growth", [0.0, -1.0]),
        ("drawdown", [0.0, -1.0]),
        ("chg", [-1.5e308, 1.5e308]),
        ("mom", [-1.0, 2.0]),
        ("simple_return", [0.0, 2.0]),
        ("log_return", [-1.0, 2.0]),
        ("base_100", [0.0, 2.0]),
        ("base_100", [-1.0, 2.0]),
    ],
)
def test_what_is_not_finite_is_missing(name: str, values: Column) -> None:
    assert made(name, TRANSFORMS[name].example, values) == [None, None]


WILDER = """
44.3389 44.0902 44.1497 43.6124 44.3278 44.8264 45.0955 45.4245 45.8433 46.0826 45.8931 46.0328 45.6140 46.2820 46.2820
46.0028 46.0328 46.4116 46.2222 45.6439 46.2122 46.2521 45.7137 46.4515 45.7835 45.3548 44.0288 44.1783 44.2181 44.5672
43.4205 42.6628 43.1314
"""
STOCKCHARTS = (
    "70.53 66.32 66.55 69.41 66.36 57.97 62.93 63.26 56.06 62.38 54.71 50.42 39.99 41.46 41.87 45.46 37.30 33.08 37.77"
)


def test_the_relative_strength_index_is_that_of_stockcharts() -> None:
    """School.stockcharts.com, sheet cs-rsi: 33 closes, the index from the fifteenth on."""
    found = made("rsi", {}, [float(v) for v in WILDER.split()], frequency="D")
    assert found[:14] == [None] * 14
    assert [f"{v:.2f}" for v in found[14:]] == STOCKCHARTS.split()


def test_over_a_year_days_look_back_to_the_last_figure_before_the_day() -> None:
    """From 29 February to the 28th; to Friday from what was a Sunday; not to one that is more than six days before."""
    days = [
        date(2018, 12, 24),
        date(2019, 2, 28),
        date(2019, 6, 7),
        date(2020, 1, 2),
        date(2020, 2, 29),
        date(2020, 6, 9),
    ]
    found = made("yoy", {}, [50.0, 100.0, 200.0, 1.0, 110.0, 150.0], frequency="D", dates=days)
    assert found == [None, None, None, None, pytest.approx(10), pytest.approx(-25)]
    assert made("yoy", {}, [0.0, None, -4.0, 1.0, 2.0, 3.0], frequency="D", dates=days) == [None] * 6


def test_a_volatility_is_annualized_by_the_trading_days() -> None:
    found = made("rolling_volatility", {"window": 2}, [1, exp(1), exp(3)], frequency="D")
    assert found[2] == pytest.approx(100 * sqrt(0.5 * 252))


def test_rolling_scores_lose_no_digits_at_a_high_level() -> None:
    """Level 1e6 and a deviation of 0.01, to the score of two passes."""
    values = 1e6 + 0.01 * np.random.default_rng(5).standard_normal(600)
    found = made("zscore", {"min_obs": 252, "window": 252}, values.tolist(), frequency="D")
    windows = np.lib.stride_tricks.sliding_window_view(values, 252)
    expected = (windows[:, -1] - windows.mean(axis=1)) / windows.std(axis=1, ddof=1)
    assert found[251:] == pytest.approx(expected.tolist(), abs=1e-6)


@pytest.mark.parametrize("window", [5, "5d"])
def test_a_constant_window_has_no_score_whatever_was_before_it(window: object) -> None:
    values = [1e12, -3e-7, 5e8, 0.1, 7.3, *[0.1] * 8, 1e6]
    days = pl.date_range(date(2020, 1, 1), date(2020, 1, 14), eager=True).to_list()
    found = made("zscore", {"min_obs": 3, "window": window}, values, frequency="D", dates=days)
    assert [v is None for v in found] == [i in (0, 1, 9, 10, 11, 12) for i in range(14)]


@pytest.mark.parametrize(
    ("name", "written", "says"),
    [
        (
            "zscore",
            {"min_obs": 2, "window": "1y"},
            "window: Value error, expected a number of periods above 1, or days",
        ),
        ("zscore", {"min_obs": 5, "window": 4}, "min_obs (5) must not be above window (4)"),
        ("moving_average", {"window": "30d"}, "min_obs must be said of a window of days"),
        (
            "zscore",
            {"min_obs": 2, "leave_out": "covid"},
            "leave_out: Value error, expected pandemic, or a list of spans",
        ),
        ("zscore", {"min_obs": 2, "leave_out": [["2020-07", "2020-03"]]}, "expected a span to end after it begins"),
        ("zscore", {"min_obs": 2, "leave_out": [["2020-13", "2021-01"]]}, "leave_out.0.0: String should match pattern"),
        ("winsorize", {"min_obs": 2}, "expected one of tail and deviations"),
        ("winsorize", {"min_obs": 2, "tail": 0.1, "deviations": 2.0}, "expected one of tail and deviations"),
        ("macd", {"fast": 26, "slow": 12}, "fast (26) must be below slow (12)"),
        ("base_100", {"at": "2020-02-30"}, "at: Value error"),
    ],
)
def test_parameters_that_cannot_be_are_refused(name: str, written: dict[str, Any], says: str) -> None:
    with pytest.raises(TransformError) as refused:
        check((Step(name=name, parameters=written),), ["usd"], "M")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("name", "unit", "expected"),
    [
        ("level", "percent", "percent"),
        ("log", "usd", "log_usd"),
        ("chg", "persons", "persons"),
        ("chg", "percent", "percentage_points"),
        ("chg", "percent_of_gdp", "percentage_points_of_gdp"),
        ("pch", "usd", "percent"),
        ("pca", "usd_2017", "percent"),
        ("growth", "index_points", "fraction"),
        ("fred_md", "usd", "log_points"),
        ("drawdown", "index_points", "percent"),
        ("gap", "percent", "percentage_points"),
        ("zscore", "percent", "standard_deviations"),
        ("base_100", "usd", "index"),
        ("yoy_of_rates", "percent", "percent"),
        ("rolling_sd", "percent", "percentage_points"),
        ("drawdown_duration", "usd", "periods"),
        ("bollinger", "usd", "fraction"),
        ("winsorize", "percent", "percent"),
    ],
)
def test_units_by_hand(name: str, unit: str, expected: str) -> None:
    assert check((Step(name=name, parameters=dict(TRANSFORMS[name].example)),), [unit], "M") == expected


@pytest.mark.parametrize("code", [4, 5, 6, 7])
@pytest.mark.parametrize("unit", ["percent", "percentage_points", "percent_of_gdp", "balance_percent"])
def test_logs_and_ratios_of_rates_are_refused(code: int, unit: str) -> None:
    chain = {4: "log", 5: "log", 6: "log", 7: "growth"}[code]
    for step in (Step(name="fred_md", parameters={"code": code}), *(Step(name=n) for n in (chain, "pch", "pca"))):
        with pytest.raises(ValueError, match=rf"step 1 '{step.name}': expected a unit .* got '{unit}'"):
            check((step,), [unit], "M")


# --- the same numbers as before --------------------------------------------------------------------------------------


def wandering(seed: int, rows: int = 400) -> list[float | None]:
    """Figures with two decimals, one in twenty missing."""
    rng = np.random.default_rng(seed)
    values = (100 * np.exp(rng.normal(0, 0.01, rows).cumsum())).round(2)
    return [None if missing else float(v) for v, missing in zip(values, rng.random(rows) < 0.05, strict=True)]


@pytest.mark.parametrize(("name", "formula"), [
    ("level", pl.col("a")),
    ("spread", pl.col("a") - pl.col("b")),
    ("drawdown", 100 * (1 - pl.col("a") / pl.col("a").cum_max())),
    ("gap", pl.col("a") - pl.col("a").rolling_mean(120, min_samples=108)),
])  # fmt: skip
def test_formulas_of_the_stress_index_bit_for_bit(name: str, formula: pl.Expr) -> None:
    a, b = wandering(1), wandering(2)
    expected = pl.DataFrame({"a": a, "b": b}).select(formula).to_series().to_list()
    columns = [a, b] if name == "spread" else [a]
    assert made(name, {"window": 120, "min_obs": 108} if name == "gap" else {}, *columns) == expected
    assert any(v is not None for v in expected)


@pytest.mark.parametrize(("frequency", "months"), [("M", 1), ("Q", 3)])
def test_units_of_fred_as_pandas_computes_them_bit_for_bit(frequency: str, months: int) -> None:
    """Estimates multiply a last digit a thousand times: the nowcast is to stay the same to 1e-12."""
    column = wandering(3, 2000)
    level = pd.Series([nan if v is None else v for v in column])
    before = level.shift(1)
    expected = {
        "lin": level,
        "level": level,
        "chg": level - before,
        "pch": 100 * (level / before - 1),
        "pca": 100 * ((level / before) ** (12 / months) - 1),
    }
    for name, values in expected.items():
        assert made(name, {}, column, frequency=frequency) == [None if np.isnan(v) else v for v in values], name


# --- FRED-MD on long frames ------------------------------------------------------------------------------------------

JAN, FEB, MAR, APR, MAY, JUN, JUL = (date(2020, m, 1) for m in range(1, 8))
WITH_GAP = {JAN: 100.0, FEB: 110.0, MAR: 132.0, MAY: 66.0, JUN: 99.0, JUL: 99.0}
"""Growth of 10, 20, then (April is missing) 50 and 0 percent."""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1, WITH_GAP),
        (2, {FEB: 10, MAR: 22, JUN: 33, JUL: 0}),
        (3, {MAR: 12, JUL: -33}),
        (4, {d: log(v) for d, v in WITH_GAP.items()}),
        (5, {FEB: log(1.1), MAR: log(1.2), JUN: log(1.5), JUL: 0}),
        (6, {MAR: log(1.2) - log(1.1), JUL: -log(1.5)}),
        (7, {MAR: 0.1, JUL: -0.5}),
    ],
)
@pytest.mark.parametrize("april", [{}, {APR: None}], ids=["no row", "null"])
def test_codes_and_no_difference_across_a_missing_month(
    code: int, expected: dict[date, float], april: dict[date, None]
) -> None:
    found = transformed(concat([observed("X", {**WITH_GAP, **april})]), facts_of(X={"transform": code}))
    assert by_date(found) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (2, {FEB: -10, MAR: 5, APR: -6, MAY: 21, JUN: 20}),
        (4, {JAN: log(10), MAR: log(5), MAY: log(20), JUN: log(40)}),
        (5, {JUN: log(2)}),
        (6, {}),
        # the growth from 0 is not a number; -1.2 is the growth from 5 to -1, -21 from -1 to 20, 1 from 20 to 40
        (7, {MAY: -21 + 1.2, JUN: 1 + 21}),
    ],
)
def test_numbers_that_are_not_positive_have_no_log(code: int, expected: dict[date, float]) -> None:
    values = months(10.0, 0.0, 5.0, -1.0, 20.0, 40.0)
    found = transformed(observed("X", values), facts_of(X={"transform": code}))
    assert by_date(found) == pytest.approx(expected, abs=1e-12)


Q1, Q2, Q4 = date(2020, 1, 1), date(2020, 4, 1), date(2020, 10, 1)
FRIDAY, MONDAY, TUESDAY = date(2020, 1, 3), date(2020, 1, 6), date(2020, 1, 7)


@pytest.mark.parametrize(
    ("frequency", "values", "expected"),
    [
        ("Q", {Q1: 1.0, Q2: 3.0, Q4: 10.0, date(2021, 1, 1): 11.0}, {Q2: 2, date(2021, 1, 1): 1}),
        ("A", {date(2018, 1, 1): 1.0, date(2019, 1, 1): 3.0, date(2021, 1, 1): 9.0}, {date(2019, 1, 1): 2}),
        # a weekend and a holiday are no gap
        ("D", {FRIDAY: 1.0, MONDAY: 3.0, TUESDAY: None, date(2020, 1, 8): 4.0}, {MONDAY: 2, date(2020, 1, 8): 1}),
        ("W", {date(2020, 1, 3): 1.0, date(2020, 1, 17): 5.0}, {date(2020, 1, 17): 4}),
    ],
)
def test_the_step_is_the_period_before_or_for_days_the_observation_before(
    frequency: str, values: dict[date, float | None], expected: dict[date, float]
) -> None:
    found = transformed(observed("X", values), facts_of(X={"transform": 2, "frequency": frequency}))
    assert by_date(found) == expected


def test_december_is_followed_by_january() -> None:
    found = transformed(observed("X", months(1.0, 3.0, start=date(2019, 12, 1))), facts_of(X={"transform": 2}))
    assert by_date(found) == {JAN: 2}


@pytest.mark.parametrize("frequency", ["M", "D"])
@pytest.mark.parametrize("code", [2, 3, 5, 6, 7])
def test_no_difference_from_one_series_to_the_next(frequency: str, code: int) -> None:
    """A ends in the month before B starts: sorted below each other, they look like one series."""
    facts = facts_of(**{i: {"transform": code, "frequency": frequency} for i in "AB"})
    a, b = observed("A", months(1.0)), observed("B", months(5.0, start=FEB))
    assert transformed(concat([a, b]), facts).is_empty()


def test_each_series_has_its_own_code() -> None:
    facts = facts_of(A={"transform": 1}, B={"transform": 2})
    frames = [observed("A", months(1.0, 2.0)), observed("B", months(1.0, 2.0)), observed("RETIRED", months(1.0))]
    found = transformed(concat(frames), facts)
    assert found.select("series_id", "value").rows() == [("A", 1.0), ("A", 2.0), ("B", 1.0)]


# --- z-scores ------------------------------------------------------------------------------------------------------

# Hundredths between -10,000 and 10,000: synthetic figures as a provider would print them.
figures = st.integers(-1_000_000, 1_000_000).map(lambda n: n / 100)
histories = st.lists(st.one_of(figures, st.sampled_from([0.0, 1.5])), min_size=1, max_size=40)


def scores(values: list[float], min_history: int, other: list[float] | None = None) -> list[float | None]:
    """Expanding z-scores of one series, with another beside it."""
    frame = pl.DataFrame(
        {
            "series_id": ["X"] * len(values) + ["Y"] * len(other or []),
            "value": [*values, *(other or [])],
        },
        schema={"series_id": pl.String, "value": pl.Float64},
    ).with_columns(z=expanding_zscore(pl.col("value"), "series_id", min_history))
    return frame.filter(pl.col("series_id") == "X")["z"].to_list()


def brute_force(values: list[float], min_history: int) -> list[float | None]:
    found: list[float | None] = []
    for i in range(1, len(values) + 1):
        past = np.array(values[:i])
        if i < max(min_history, 2) or (past == past[0]).all():
            found.append(None)
        else:
            found.append((past[-1] - past.mean()) / past.std(ddof=1))
    return found


@settings(max_examples=150)
@given(values=histories, min_history=st.integers(1, 12), other=histories)
def test_a_score_is_that_of_the_textbook_on_the_past(values: list[float], min_history: int, other: list[float]) -> None:
    found, expected = scores(values, min_history, other), brute_force(values, min_history)
    assert [z is None for z in found] == [z is None for z in expected]
    assert [z for z in found if z is not None] == pytest.approx([z for z in expected if z is not None], abs=1e-7)


@settings(max_examples=100)
@given(values=histories, later=histories, min_history=st.integers(2, 12))
def test_later_values_leave_earlier_scores_bit_for_bit(
    values: list[float], later: list[float], min_history: int
) -> None:
    assert scores([*values, *later], min_history)[: len(values)] == scores(values, min_history)


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_a_high_level_costs_no_digits(offset: float) -> None:
    """Squares of a billion leave no digits for a variance of 1: sums are of differences from the first value."""
    noise = np.random.default_rng(20160629).integers(-4096, 4096, size=500) / 1024  # exact at both levels
    found, expected = scores((noise + offset).tolist(), 24), brute_force(noise.tolist(), 24)
    assert found[:23] == [None] * 23
    assert found[23:] == pytest.approx(expected[23:], abs=1e-9)


def test_a_constant_has_no_score_until_it_moves() -> None:
    assert scores([0.1] * 30, 2) == [None] * 30
    found = scores([0.1, 0.1, 0.1, 0.2], 2)
    assert found[:3] == [None] * 3
    assert found[3] == pytest.approx(1.5)  # 0.075 above the mean of 0.125, in standard deviations of 0.05


MIN_HISTORY = {"D": 5, "W": 4, "M": 3, "Q": 2, "A": 2}


def test_the_history_needed_depends_on_the_frequency() -> None:
    facts = facts_of(MONTH={}, QUARTER={"frequency": "Q"})
    frames = [
        observed("MONTH", months(1.0, 2.0, 3.0, 2.0)),
        observed("QUARTER", {Q1: 1.0, Q2: 3.0, date(2020, 7, 1): 2.0}),
    ]
    found = zscores(concat(frames), facts, MIN_HISTORY)
    assert found.columns == ["source", "series_id", "observation_date", "zscore"]
    assert by_date(found.filter(pl.col("series_id") == "MONTH"), "zscore") == pytest.approx({MAR: 1.0, APR: 0.0})
    assert by_date(found.filter(pl.col("series_id") == "QUARTER"), "zscore") == pytest.approx(
        {Q2: 0.5**0.5, date(2020, 7, 1): 0.0}  # 1 above the mean of 2, in standard deviations of sqrt(2)
    )


def test_a_series_of_a_frequency_without_a_minimum_is_refused() -> None:
    with pytest.raises(KeyError, match="'M'"):
        zscores(observed("MONTH", months(1.0)), facts_of(MONTH={}), {"D": 5})
