"""Methods of daily markets: the term structure by hand, units and order of inputs, and the inputs that they refuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.indicators import garch, har, range_volatility, realized_volatility, vix_term_structure
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.volatility.garch import Garch, as_of_each
from macro_assets_tests.indicators.toys import FACTS, FIGURES

FIRST = date(2015, 1, 1)


def daily(unit: str = "index_points", **columns: Sequence[float | None]) -> Given:
    """Daily series by their ids; None is a day whose figure is missing."""
    rows = [(name, FIRST + timedelta(n), v) for name, values in columns.items() for n, v in enumerate(values)]
    return Given(pl.DataFrame(rows, FIGURES, orient="row"), facts(*((name, "D", unit) for name in columns)))


def facts(*told: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame([(name, often, "last", unit) for name, often, unit in told], FACTS, orient="row")


VIX = vix_term_structure.Parameters(tenors={"SHORT": 9, "MONTH": 30, "LONG": 93}, anchor=30)


def structure(**columns: Sequence[float | None]) -> list[tuple[Any, ...]]:
    return vix_term_structure.compute(daily("percent", **columns), VIX).drop("observation_date").rows()


def test_a_term_structure_by_hand() -> None:
    """Between 9 and 30 days (22^2 30 - 20^2 9) / 21, between 30 and 93 days (24^2 93 - 22^2 30) / 63."""
    near, far = math.sqrt((22**2 * 30 - 20**2 * 9) / 21), math.sqrt((24**2 * 93 - 22**2 * 30) / 63)
    assert structure(SHORT=[20], MONTH=[22], LONG=[24]) == [
        (9, 20, None, pytest.approx(20 / 22)),
        (30, 22, pytest.approx(near), 1),
        (93, 24, pytest.approx(far), pytest.approx(24 / 22)),
    ]


def test_what_a_day_lacks_is_missing_and_a_variance_below_zero_has_no_root() -> None:
    """80 to 30 over 9 and 30 days is no variance between them; without the month nothing is compared with it."""
    assert structure(SHORT=[80], MONTH=[30], LONG=[None]) == [(9, 80, None, pytest.approx(80 / 30)), (30, 30, None, 1)]
    (short, long) = structure(SHORT=[20], MONTH=[0], LONG=[20])
    assert (short, long) == ((9, 20, None, None), (93, 20, pytest.approx(20), None))


def test_volatilities_of_a_model_are_by_the_year_and_returns_are_logarithms() -> None:
    """Of a price that moves at random for four years: the same as of its returns in percent, times the root of 252."""
    steps = np.random.default_rng(7).normal(0, 0.01, 4 * 366) * (1 + np.sin(np.arange(4 * 366) / 50) / 2)
    prices = (100 * np.exp(np.cumsum(steps))).tolist()
    parameters = garch.Parameters(leverage=False, min_obs=500, horizon=5)
    found = garch.compute(daily(X=prices), parameters)
    days = [FIRST + timedelta(n) for n in range(1, len(steps))]
    returns = pl.DataFrame({"observation_date": days, "value": 100 * np.diff(np.log(prices))})
    expected = as_of_each(returns, Garch(leverage=False), min_obs=500, every="1y", horizon=5)
    assert found["observation_date"].min() == date(2017, 1, 1)
    for name in ("conditional_volatility", "next_volatility", "expected_volatility"):
        assert (found[name] / expected[name]).to_list() == [pytest.approx(math.sqrt(252), rel=1e-6)] * expected.height


def test_open_high_low_and_close_are_taken_in_the_order_of_the_entry() -> None:
    given = daily(O=[10, 11], H=[12, 13], L=[9, 10], C=[11, 12])
    parameters = range_volatility.Parameters(window=2, min_obs=2)
    assert range_volatility.compute(given, parameters)["day_state"].to_list() == ["whole", "whole"]
    exchanged = Given(given.observations, given.facts[[0, 2, 1, 3]])
    assert range_volatility.compute(exchanged, parameters)["day_state"].to_list() == ["refused", "refused"]


def test_each_series_has_its_own_realized_volatility() -> None:
    """One rises by 1 % a day and one by 2; the day that one lacks is no day of it."""
    one, two = ([100 * math.exp(rate * n) for n in range(6)] for rate in (0.01, 0.02))
    found = realized_volatility.compute(
        daily(ONE=[*one[:3], None, *one[3:]], TWO=two), realized_volatility.Parameters(window=3)
    )
    root = math.sqrt(252)
    assert dict(found.group_by("series_id").agg("volatility").iter_rows()) == {
        "ONE": [pytest.approx(root)] * 3,
        "TWO": [pytest.approx(2 * root)] * 3,
    }


OF_ONE = {"min_obs": 250, "horizon": 1}
"""Parameters of the methods of one series."""


@pytest.mark.parametrize(
    ("method", "parameters", "given", "said"),
    [
        (garch, OF_ONE, [("X", "D", "usd"), ("Y", "D", "usd")], "inputs: expected 1 series, got X, Y"),
        (garch, OF_ONE, [("X", "M", "usd")], "inputs.0: expected a series of frequency D, X is 'M'"),
        (garch, OF_ONE, [("X", "D", "percent")], "inputs.0: expected a unit in which a ratio"),
        (har, OF_ONE, [("X", "W", "percent")], "inputs.0: expected a series of frequency D"),
        (realized_volatility, {"window": 5}, [("X", "D", "usd"), ("Y", "D", "percent")], "inputs.1: expected a unit"),
        (range_volatility, {"window": 5, "min_obs": 5}, [("X", "D", "usd")], "inputs: expected 4 series, got X"),
        (
            range_volatility,
            {"window": 5, "min_obs": 5},
            [("O", "D", "usd"), ("H", "D", "usd"), ("L", "D", "usd"), ("C", "D", "brl")],
            "inputs: expected open, high, low and close in one unit, got usd, usd, usd, brl",
        ),
        (
            vix_term_structure,
            VIX.model_dump(),
            [("SHORT", "D", "percent")],
            "parameters.tenors: expected the inputs and no other series, LONG, MONTH is",
        ),
        (
            vix_term_structure,
            VIX.model_dump(),
            [("SHORT", "D", "percent"), ("MONTH", "D", "usd"), ("LONG", "D", "percent")],
            "inputs.1: expected percent, MONTH is in 'usd'",
        ),
    ],
)
def test_inputs_of_another_kind_are_refused(
    method: Any, parameters: dict[str, Any], given: list[tuple[str, str, str]], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        method.check(method.Parameters.model_validate(parameters), facts(*given))


@pytest.mark.parametrize(
    ("method", "parameters", "said"),
    [
        (range_volatility, {"window": 5, "min_obs": 6}, "min_obs"),
        (vix_term_structure, {"tenors": {"A": 9, "B": 9}, "anchor": 9}, "two indices look ahead as many days"),
        (vix_term_structure, {"tenors": {"A": 9, "B": 30}, "anchor": 31}, "no index looks 31 days ahead"),
        (har, {"lags": [5, 5], "horizon": 1, "min_obs": 9}, "lags: expected each once"),
        (garch, {"min_obs": 100, "horizon": 21}, "greater than or equal to 250"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(method: Any, parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        method.Parameters.model_validate(parameters)
