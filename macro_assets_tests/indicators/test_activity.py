"""The index of activity by its factor, flows of labor, the credit impulse, and what they refuse."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from macro_assets.indicators import credit_impulse, factor_index, labor_flows
from macro_assets.indicators.protocol import Given
from macro_assets_tests.indicators.toys import FIGURES, monthly

FACTS = ("series_id", "frequency", "aggregation", "unit", "seasonal_adjustment")
A = [1.0, 2.0, 4.0, 3.0, 5.0, 3.0, 1.0, 2.0, 4.0, 3.0, 5.0, 3.0]
B = [2.0, 1.0, 5.0, 4.0, 4.0, 2.0, 2.0, 1.0, 5.0, 4.0, 4.0, 2.0]


def index(anchor: str = "A", **more: Any) -> factor_index.Parameters:
    components = [{"series": s, "steps": "level"} for s in ("A", "B")]
    return factor_index.Parameters.model_validate({"anchor": anchor, "min_obs": 12, "components": components, **more})


def test_the_index_of_a_year_is_by_the_factor_of_the_year_before() -> None:
    """Two series: the sum of the scores over the root of 2 (1 + rho); in March B has not come out."""
    found = factor_index.compute(monthly(A=[*A, 5, 1, 1], B=[*B, 4, 1, None]), index())
    rho = float(np.corrcoef(A, B)[0, 1])
    a, b = ([(v - np.mean(x)) / np.std(x, ddof=1) for v in (x[4], 1)] for x in (A, B))
    whole = [(a[i] + b[i]) / (2 * (1 + rho)) ** 0.5 for i in (0, 1)]
    edge = a[1] * 2**0.5 / (1 + rho) ** 0.5
    assert found["observation_date"].to_list() == [date(2021, m, 1) for m in (1, 2, 3)]
    assert found["value"].to_list() == pytest.approx([*whole, edge])
    assert found["series_known"].to_list() == [2, 2, 1]
    assert found["trailing_mean"].to_list() == [None, None, pytest.approx((sum(whole) + edge) / 3)]
    assert found["signal"].to_list() == [None, None, False]
    assert found["estimated_through"].unique().to_list() == [date(2020, 12, 1)]


def test_the_signal_is_a_mean_below_the_threshold() -> None:
    given = monthly(A=[*A, 1, 1, 1, 5], B=[*B, 1, 1, 1, 4])
    assert factor_index.compute(given, index())["signal"].to_list() == [None, None, True, False]
    low = factor_index.compute(given, index(threshold=-5))
    assert low["signal"].to_list() == [None, None, False, False]


def test_months_left_out_are_no_sample() -> None:
    """Without the last month of the year there are too few."""
    given = monthly(A=[*A, 1], B=[*B, 1])
    assert factor_index.compute(given, index(leave_out=[["2020-12", "2020-12"]])).is_empty()


def test_the_sign_is_that_of_the_anchor_in_every_year_and_a_series_that_ended_is_gone_without() -> None:
    """Of three series two rise with the factor and one falls; in the last year it has ended."""
    draw = np.random.default_rng(7)
    common = draw.normal(size=72)
    a, b, c = (sign * common + 0.5 * draw.normal(size=72) for sign in (1, 1, -1))
    given = monthly(A=a.tolist(), B=b.tolist(), C=[*c[:60].tolist(), *[None] * 12])
    parts = [{"series": s, "steps": "level"} for s in "ABC"]
    for anchor, values in (("A", a), ("C", c)):
        asked = factor_index.Parameters.model_validate({"anchor": anchor, "min_obs": 12, "components": parts})
        found = factor_index.compute(given, asked)["value"].to_numpy()
        assert len(found) == 60
        for year in range(4):
            own = slice(12 * year, 12 * year + 12)
            assert np.corrcoef(found[own], values[12:][own])[0, 1] > 0.8
        assert np.corrcoef(found[48:], a[60:])[0, 1] * (1 if anchor == "A" else -1) > 0.8
    assert factor_index.compute(given, asked)["series_known"].to_list() == [3] * 48 + [2] * 12


@pytest.mark.parametrize(
    ("anchor", "changed", "said"),
    [
        ("C", {}, "parameters.anchor: expected one of A, B, got C"),
        ("A", {"series_id": "C"}, "parameters.components: expected the inputs"),
        ("A", {"frequency": "Q"}, "parameters.components.0: expected a figure a month, A is 'Q'"),
    ],
)
def test_components_that_cannot_be_are_refused(anchor: str, changed: dict[str, str], said: str) -> None:
    facts = monthly(A=A, B=B).facts.with_columns(seasonal_adjustment=pl.lit("SA"))
    factor_index.check(index(), facts)
    with pytest.raises(ValueError, match=f"^{said}"):
        factor_index.check(index(anchor), facts.with_columns(pl.lit(v).alias(k) for k, v in changed.items()))


# --- labor ---------------------------------------------------------------------------------------------------------

FLOWS = labor_flows.Parameters.model_validate({n: n.upper() for n in labor_flows.Parameters.model_fields})


def test_flows_of_a_month_and_of_one_that_lacks_the_unemployed() -> None:
    given = monthly(QUITS=[2.4, 2], HIRES=[4, 3.5], LAYOFFS=[1.2, 1], OPENINGS=[9e6, 8e6], UNEMPLOYED=[6e6, None])
    first, second = labor_flows.compute(given, FLOWS).rows()
    assert first == (date(2020, 1, 1), 2.4, 4, 1.2, pytest.approx(0.4), pytest.approx(2.0), 1.5)
    assert second[-2:] == (2.0, None)


def test_flows_in_another_unit_are_refused() -> None:
    facts = pl.DataFrame(
        [(s.upper(), "M", "mean", unit) for s, unit in labor_flows._UNITS.items()], FACTS[:4], orient="row"
    )
    labor_flows.check(FLOWS, facts)
    with pytest.raises(ValueError, match=r"^parameters.quits: expected monthly figures in percent, QUITS is 'M', in x"):
        labor_flows.check(FLOWS, facts.with_columns(unit=pl.lit("x")))
    with pytest.raises(ValueError, match=r"^parameters.unemployed: UNEMPLOYED: expected one of the inputs"):
        labor_flows.check(FLOWS, facts.head(4))
    more = pl.concat([facts, facts.head(1).with_columns(series_id=pl.lit("MORE"))])
    with pytest.raises(ValueError, match="^inputs: nothing is read of MORE"):
        labor_flows.check(FLOWS, more)


# --- credit --------------------------------------------------------------------------------------------------------

CREDIT = credit_impulse.Parameters(credit="CREDIT", gdp="GDP")


def credit(stocks: list[float], frequency: str = "Q", adjustment: str = "SAAR") -> Given:
    """Stock and GDP of 400 by quarter from 2020 on; of months the stock of the third is told."""
    quarters = [date(2020 + n // 4, n % 4 * 3 + 1, 1) for n in range(len(stocks))]
    days = [q.replace(month=q.month + 2) if frequency == "M" else q for q in quarters]
    rows = [("CREDIT", d, s) for d, s in zip(days, stocks, strict=True)] + [("GDP", q, 400.0) for q in quarters]
    facts = [("CREDIT", frequency, "last", "usd", "SA"), ("GDP", "Q", "mean", "usd", adjustment)]
    return Given(pl.DataFrame(rows, FIGURES, orient="row"), pl.DataFrame(facts, FACTS, orient="row"))


def test_the_impulse_is_the_change_of_the_flow_over_gdp() -> None:
    """Stock 100 a year, then 120, then 160: flows of 5 and 10 % of a GDP of 400, an impulse of 5 points."""
    stocks = [100.0] * 4 + [120.0] * 4 + [160.0]
    (row,) = credit_impulse.compute(credit(stocks), CREDIT).rows()
    assert row == (date(2022, 1, 1), pytest.approx(10.0), pytest.approx(5.0))
    (row,) = credit_impulse.compute(credit(stocks, adjustment="NSA"), CREDIT).rows()
    assert row[1:] == (pytest.approx(2.5), pytest.approx(1.25))


def test_a_quarter_whose_end_has_no_figure_has_no_row() -> None:
    stocks = [100.0] * 4 + [120.0] * 4 + [160.0, 160.0]
    whole = credit(stocks, "M")
    assert credit_impulse.compute(whole, CREDIT)["observation_date"].to_list() == [date(2022, 1, 1), date(2022, 4, 1)]
    day = pl.col("observation_date")
    early = whole.observations.with_columns(
        pl.when(day == date(2022, 6, 1)).then(date(2022, 5, 1)).otherwise(day).alias("observation_date")
    )
    found = credit_impulse.compute(Given(early, whole.facts), CREDIT)
    assert found["observation_date"].to_list() == [date(2022, 1, 1)]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ([("CREDIT", "M", "usd")], "inputs: expected CREDIT and GDP, got CREDIT"),
        ([("CREDIT", "M", "usd"), ("GDP", "M", "usd")], "parameters.gdp: expected a series of frequency Q, it is 'M'"),
        ([("CREDIT", "A", "usd"), ("GDP", "Q", "usd")], "parameters.credit: expected a frequency of D, W, M, Q"),
        ([("CREDIT", "M", "brl"), ("GDP", "Q", "usd")], "parameters.credit: expected the unit 'usd' of GDP"),
    ],
)
def test_what_is_no_credit_and_gdp_is_refused(facts: list[tuple[str, str, str]], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        credit_impulse.check(CREDIT, pl.DataFrame(facts, ("series_id", "frequency", "unit"), orient="row"))
