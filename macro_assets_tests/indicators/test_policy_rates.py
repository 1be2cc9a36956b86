"""Real rates, Taylor rules and the expected path of Selic, against numbers computed by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from macro_assets.indicators import real_policy_rate, selic_path, taylor_rule
from macro_assets.indicators.protocol import Given
from macro_assets_tests.indicators.toys import FACTS, daily, monthly


def facts(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Facts of series by id, frequency and unit; none is seasonally adjusted."""
    found = pl.DataFrame([(s, f, "mean", u) for s, f, u in rows], FACTS, orient="row")
    return found.with_columns(seasonal_adjustment=pl.lit("NSA"))


# --- real rates ----------------------------------------------------------------------------------------------------


def real_rates(given: Given, **told: Any) -> list[tuple[float, ...]]:
    found = real_policy_rate.compute(given, real_policy_rate.Parameters.model_validate(told))
    return found.drop("observation_date").rows()


def test_twelve_percent_over_six_is_not_six_by_fishers_rule() -> None:
    given = monthly(RATE=[12.0], EXPECTED=[6.0])
    assert real_rates(given, rule="fisher") == [(12.0, 6.0, pytest.approx(5.6603774, abs=1e-7))]
    assert real_rates(given, rule="difference") == [(12.0, 6.0, 6.0)]


def test_prices_become_inflation_by_the_steps() -> None:
    given = monthly(RATE=[5.0] * 13, PRICES=[100.0, *[101.0] * 11, 103.0])
    found = real_rates(given, rule="difference", inflation=[{"pch": {"periods": 12}}])
    assert found == [(5.0, pytest.approx(3.0), pytest.approx(2.0))]


def test_money_that_is_worth_nothing_has_no_real_rate() -> None:
    assert real_rates(monthly(RATE=[12.0], EXPECTED=[-100.0]), rule="fisher") == []


@pytest.mark.parametrize(
    ("told", "steps", "said"),
    [
        ((("A", "M", "percent"),), "level", "inputs: expected a rate and inflation or prices, got A"),
        ((("A", "M", "usd"), ("B", "M", "percent")), "level", "inputs.0: expected a rate in percent, A is in 'usd'"),
        ((("A", "M", "percent"), ("B", "M", "index")), "level", "expected steps that give percent, they give 'index'"),
        ((("A", "M", "percent"), ("B", "M", "index")), "levle", "parameters.inflation: step 1 'levle' is no transform"),
        ((("A", "M", "percent"), ("B", "M", "index")), "pca", "step 1 'pca': expected seasonally adjusted figures"),
    ],
)
def test_what_makes_no_real_rate_is_refused(told: Any, steps: str, said: str) -> None:
    parameters = real_policy_rate.Parameters.model_validate({"rule": "fisher", "inflation": steps})
    with pytest.raises(ValueError, match=said):
        real_policy_rate.check(parameters, facts(*told))


# --- the Taylor rule -----------------------------------------------------------------------------------------------

ECONOMY = (("RATE", "M", "percent"), ("PRICES", "M", "index"), ("OUTPUT", "Q", "usd"), ("POTENTIAL", "Q", "usd"))


def economy(rate: float = 5.0, prices: float = 104.0, potential: float = 100.0, missing: date | None = None) -> Given:
    """Two years: prices rise to a level in the second, output of 102 stands over potential."""
    months = pl.date_range(date(2020, 1, 1), date(2021, 12, 1), "1mo", eager=True)
    quarters = months.gather_every(3)
    first = pl.Series(months.dt.year() == 2020)
    told = {
        "RATE": (months, [rate] * 24),
        "PRICES": (months, [100.0 if f else prices for f in first]),
        "OUTPUT": (quarters, [102.0] * 8),
        "POTENTIAL": (quarters, [potential] * 8),
    }
    rows = [(s, d, v) for s, (dates, values) in told.items() for d, v in zip(dates, values, strict=True)]
    frame = pl.DataFrame(rows, ["series_id", "observation_date", "value"], orient="row")
    lost = (pl.col("series_id") == "RATE") & pl.col("observation_date").is_in([missing])
    return Given(frame.filter(~lost), facts(*ECONOMY))


def taylor(given: Given, on_gap: float = 0.5) -> pl.DataFrame:
    parameters = {"neutral_rate": 2.0, "target": 2.0, "on_inflation": 0.5, "on_gap": on_gap}
    return taylor_rule.compute(given, taylor_rule.Parameters.model_validate(parameters))


@pytest.mark.parametrize(("on_gap", "prescribed"), [(0.5, 8.0), (1.0, 9.0)])
def test_the_rule_by_hand(on_gap: float, prescribed: float) -> None:
    """Inflation 4, output gap 2: 2 + 4 + 0.5 x 2 + 0.5 x 2 = 8; with the whole gap 9."""
    found = taylor(economy(), on_gap)
    assert found["observation_date"].to_list() == [date(2021, m, 1) for m in (1, 4, 7, 10)]
    told = pytest.approx((5.0, 4.0, 2.0, prescribed, 5.0 - prescribed))
    assert [row[1:] for row in found.rows()] == [told] * 4


def test_at_target_without_a_gap_the_rule_says_neutral_and_target() -> None:
    assert taylor(economy(prices=102.0, potential=102.0))["prescribed_rate"].to_list() == [pytest.approx(4.0)] * 4


def test_a_quarter_that_lacks_a_month_has_no_row() -> None:
    found = taylor(economy(missing=date(2021, 5, 1)))
    assert found["observation_date"].dt.month().to_list() == [1, 7, 10]


def test_no_potential_no_row() -> None:
    assert taylor(economy(potential=0.0)).is_empty()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (ECONOMY[:3], "inputs: expected policy rate, price index, output, potential output, got RATE, PRICES, OUTPUT"),
        (
            (*ECONOMY[:2], ECONOMY[3], ("P", "A", "usd")),
            "expected the potential output at frequency Q, P has A",
        ),
        ((("R", "M", "index"), *ECONOMY[1:]), "inputs.0: expected the policy rate in percent, it is in 'index'"),
        ((*ECONOMY[:3], ("P", "Q", "usd_2017")), "inputs.3: expected the unit of output, 'usd', got 'usd_2017'"),
    ],
)
def test_inputs_that_make_no_rule_are_refused(told: Any, said: str) -> None:
    parameters = taylor_rule.Parameters.model_validate(taylor_rule.EXAMPLE["parameters"])
    with pytest.raises(ValueError, match=said):
        taylor_rule.check(parameters, facts(*told))


# --- the path of Selic ---------------------------------------------------------------------------------------------

PATH = {"policy": "SELIC", "expected": {"Y0": 0, "Y1": 1}, "curve": {"DI_1Y": 252, "DI_2Y": 504}}


def path(first: date, **columns: list[float | None]) -> pl.DataFrame:
    given = daily(first, **{n: columns.get(n, []) for n in ("SELIC", "Y0", "Y1", "DI_1Y", "DI_2Y")})
    return selic_path.compute(given, selic_path.Parameters.model_validate(PATH))


def test_the_path_beside_the_rate_of_the_day_and_the_forward_rate() -> None:
    """1.12^2 / 1.10 - 1 = 14.0364 % between one year and two; the first rate before one."""
    found = path(date(2023, 1, 2), SELIC=[13.75], Y0=[12.5], Y1=[9.0], DI_1Y=[10.0], DI_2Y=[12.0])
    forward = 100 * (1.12**2 / 1.10 - 1)
    assert [row[1:] for row in found.rows()] == [
        (date(2023, 12, 31), 13.75, 12.5, -1.25, pytest.approx(10.0), pytest.approx(-2.5)),
        (date(2024, 12, 31), 13.75, 9.0, -4.75, pytest.approx(forward), pytest.approx(forward - 9.0)),
    ]


def test_past_the_curve_there_is_no_forward_rate_and_without_one_the_path_is_still_there() -> None:
    found = path(date(2023, 1, 2), SELIC=[13.75, 13.75], Y1=[9.0, 9.1], DI_1Y=[10.0, None])
    assert found["expected_change"].to_list() == pytest.approx([-4.75, -4.65])
    assert found["forward_rate"].to_list() == [None, None]


def test_the_policy_rate_of_days_before_counts_for_a_week() -> None:
    found = path(date(2023, 1, 2), SELIC=[13.75], Y0=[None, 12.5, *[None] * 5, 12.25, 12.0])
    assert found["observation_date"].dt.day().to_list() == [3, 9]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"policy": "SELICC"}, "SELIC, SELICC is on one side alone"),
        ({"expected": {"Y0": 0, "Y1": 0}}, "parameters.expected: two series have one number"),
    ],
)
def test_roles_that_do_not_fit_are_refused(change: dict[str, Any], said: str) -> None:
    told = [(s, "D", "percent") for s in ("SELIC", "Y0", "Y1", "DI_1Y", "DI_2Y")]
    with pytest.raises(ValueError, match=said):
        selic_path.check(selic_path.Parameters.model_validate({**PATH, **change}), facts(*told))
