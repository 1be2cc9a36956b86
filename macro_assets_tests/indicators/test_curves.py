"""Tables of curves: factors, zero curves, spreads and breakevens, against known answers."""

from __future__ import annotations

from datetime import date
from math import exp, log
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.catalog import Catalog
from macro_assets.indicators import breakeven, curve_measures, curve_spreads, term_premium, yield_curve, zero_curve
from macro_assets.quality import check_table
from macro_assets_tests.indicators.toys import daily

YEARS = [0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0]
NAMES = [f"Y{n}" for n in range(len(YEARS))]
MATURITIES = dict(zip(NAMES, YEARS, strict=True))


def told(module: Any, given: Any, **parameters: Any) -> pl.DataFrame:
    declared = module.Parameters.model_validate(parameters)
    if hasattr(module, "check"):
        module.check(declared, given.facts)
    return module.compute(given, declared)


def days(*curves: list[float] | float) -> Any:
    """A curve a day; a number alone is a flat one."""
    rates = [c if isinstance(c, list) else [c] * len(YEARS) for c in curves]
    return daily(**{name: [row[n] for row in rates] for n, name in enumerate(NAMES)})


# --- level, slope and curvature ------------------------------------------------------------------------------------


def form(t: float) -> float:
    """Level 4, slope -2, curvature 1, tau 2."""
    decay = (1 - exp(-t / 2)) / (t / 2)
    return 4 - 2 * decay + (decay - exp(-t / 2))


def test_a_curve_of_the_form_is_found_again() -> None:
    found = told(yield_curve, days([form(t) for t in YEARS]), form="nelson_siegel", maturities=MATURITIES)
    (row,) = found.to_dicts()
    assert [row[c] for c in ("level", "slope", "curvature", "tau")] == pytest.approx([4, -2, 1, 2], abs=1e-3)
    assert (row["points"], row["is_identified"], row["second_tau"]) == (7, True, None)
    assert row["rmse_bp"] < 1e-3


def test_a_flat_curve_is_flagged_and_carries_no_tau_of_the_day_before() -> None:
    found = told(yield_curve, days([form(t) for t in YEARS], 4.0), form="nelson_siegel", maturities=MATURITIES)
    row = found.row(1, named=True)
    assert [row[c] for c in ("level", "slope", "curvature")] == pytest.approx([4, 0, 0], abs=1e-9)
    assert (row["tau"], row["is_identified"]) == (None, False)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"form": "svensson", "maturities": dict(list(MATURITIES.items())[:6])}, "Y6 is on one side alone"),
        ({"form": "nelson_siegel", "maturities": {**MATURITIES, "Z": 7.0}}, "Z is on one side alone"),
        ({"form": "nelson_siegel", "maturities": {**MATURITIES, "Y6": 5.0}}, "expected positive ones, each once"),
        ({"form": "nelson_siegel", "maturities": {**MATURITIES, "Y6": -5.0}}, "expected positive ones, each once"),
        ({"form": "spline", "maturities": MATURITIES}, "Input should be 'nelson_siegel' or 'svensson'"),
    ],
)
def test_tenors_that_are_not_those_of_the_inputs_are_refused(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        told(yield_curve, days(4.0), **parameters)


def test_too_few_yields_for_the_form_are_refused() -> None:
    given = daily(A=[4.0], B=[4.0], C=[4.0], D=[4.0])
    maturities = {"A": 1.0, "B": 2.0, "C": 3.0, "D": 5.0}
    with pytest.raises(ValueError, match="inputs: nelson_siegel takes 5 yields, got 4"):
        told(yield_curve, given, form="nelson_siegel", maturities=maturities)


def test_the_residuals_tell_a_tenor_that_is_another(catalog: Catalog) -> None:
    """Every fit of the catalog has a rule on its residuals; of exchanged tenors it fails."""
    fits = [i for i in catalog.indicators.values() if i.method == "yield_curve"]
    assert {r.rule for i in fits for r in i.rules} == {"fits_are_close"}
    table = catalog.one_table("indicators/us_yield_curve")
    steep = [0.1, 0.2, 0.5, 1.5, 2.2, 3.0, 4.0]
    right = told(yield_curve, days(steep), form="nelson_siegel", maturities=MATURITIES)
    exchanged = {**MATURITIES, "Y3": 10.0, "Y6": 2.0}
    wrong = told(yield_curve, days(steep), form="nelson_siegel", maturities=exchanged)
    assert check_table(right, table).passed
    assert not check_table(wrong, table).passed


# --- zero curves ---------------------------------------------------------------------------------------------------


def test_a_flat_par_curve_has_flat_zero_and_forward_rates() -> None:
    """5 % by half-years is 2 ln 1.025 continuously, and the bill of three months pays the same."""
    bill = 100 * (1.025**0.5 - 1) / 0.25
    found = told(
        zero_curve, days([bill, *[5.0] * 6]), quotes="par", maturities=MATURITIES, tenors=[0.5, 0.75, 1, 5, 10]
    )
    flat = 200 * log(1.025)
    assert found["zero_rate"].to_list() == pytest.approx([flat] * 5, abs=1e-8)
    assert found["forward_rate"].to_list() == pytest.approx([flat] * 5, abs=1e-6)
    assert found["par_rate"].to_list() == [pytest.approx(5.0), None, *[pytest.approx(5.0)] * 3]


def test_zero_rates_of_hagan_and_west_in_annual_compounding() -> None:
    """Forward rates of their own example, of zero rates that compound once a year of 252 business days."""
    zero = [2.75, 4.0, 4.75, 5.0, 4.75]
    given = daily(**{f"Z{n}": [100 * (exp(z / 100) - 1)] for n, z in enumerate(zero, 1)})
    maturities = {f"Z{n}": 252.0 * n for n in range(1, 6)}
    tenors = [0.3, 1.3, 2.1, 4.5]
    found = told(zero_curve, given, quotes="zero", maturities=maturities, per_year=252, tenors=tenors)
    assert found["forward_rate"].to_list() == pytest.approx([2.29375, 5.010625, 6.09, 3.625], abs=1e-6)


def test_past_the_last_yield_of_a_day_there_is_no_row() -> None:
    given = daily(A=[4.0, 4.0], B=[4.0, 4.0], C=[4.0, 4.0], D=[4.0, None])
    parameters = {"maturities": {"A": 1, "B": 2, "C": 3, "D": 10}, "tenors": [3, 10]}
    found = told(zero_curve, given, quotes="par", **parameters)
    assert found.select("observation_date", "tenor_years").rows() == [
        (date(2020, 1, 1), 3.0),
        (date(2020, 1, 1), 10.0),
        (date(2020, 1, 2), 3.0),
    ]


def test_negative_rates_have_a_curve_and_rates_of_hundreds_of_percent_none() -> None:
    found = told(zero_curve, days(-0.5, 500.0), quotes="par", maturities=MATURITIES, tenors=[1, 10])
    assert found["observation_date"].unique().to_list() == [date(2020, 1, 1)]
    assert (found["zero_rate"] < 0).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"maturities": {**MATURITIES, "Y3": 2.25}}, "expected half-years of bonds at par, got 2.25"),
        ({"tenors": [1, 11]}, "parameters.tenors: expected some above 0 and up to 10"),
        ({"tenors": [0]}, "parameters.tenors: expected some above 0"),
        ({"tenors": [1, 1]}, "parameters.tenors: one is named twice"),
    ],
)
def test_curves_that_cannot_be_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        told(zero_curve, days(4.0), **{"quotes": "par", "maturities": MATURITIES, "tenors": [1], **change})


# --- measures ------------------------------------------------------------------------------------------------------

MEASURES = {"quotes": "par", "maturities": MATURITIES, "tenors": [1, 5], "horizon": 0.25}


def test_on_a_flat_curve_nothing_is_earned_over_cash_and_the_bond_at_par_is_measured() -> None:
    """Of 5 % over five years: (1 - 1.025^-10) / 0.05 = 4.3760; the value of a basis point is a ten-thousandth of it."""
    bill = 100 * (1.025**0.5 - 1) / 0.25
    found = told(curve_measures, days([bill, *[5.0] * 6]), **MEASURES)
    assert found["tenor_years"].to_list() == [1.0, 5.0]
    assert found["carry"].to_list() == pytest.approx([0, 0], abs=1e-7)
    assert found["roll_down"].to_list() == pytest.approx([0, 0], abs=1e-7)
    duration = (1 - 1.025**-10) / 0.05
    row = found.row(1, named=True)
    assert (row["bond_yield"], row["modified_duration"]) == pytest.approx((5.0, duration), abs=1e-8)
    assert row["dv01"] == pytest.approx(duration / 100, abs=1e-10)


def test_zero_rates_are_those_of_bonds_without_coupon() -> None:
    """Of 10 % once a year over two: 2 / 1.1 years, convexity 2 x 3 / 1.1^2."""
    given, told_of = daily(A=[10.0], B=[10.0], C=[10.0]), {"A": 63, "B": 252, "C": 504}
    found = told(curve_measures, given, quotes="zero", per_year=252, maturities=told_of, tenors=[2], horizon=0.25)
    row = found.row(0, named=True)
    assert (row["bond_yield"], row["modified_duration"]) == pytest.approx((10.0, 2 / 1.1))
    assert row["convexity"] == pytest.approx(6 / 1.21)


def test_a_rising_curve_pays_carry_and_roll_down() -> None:
    found = told(curve_measures, days([1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0]), **MEASURES)
    assert (found["carry"] > 0).all()
    assert (found["roll_down"] > 0).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tenors": [1.25, 2]}, "parameters.tenors: expected half-years of bonds at par, got 1.25"),
        ({"horizon": 1.0}, "parameters.horizon: expected less than the first tenor, 1"),
    ],
)
def test_bonds_that_cannot_be_measured_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        told(curve_measures, days(4.0), **{**MEASURES, **change})


# --- spreads and breakevens ----------------------------------------------------------------------------------------


def test_a_slope_and_a_butterfly_by_hand() -> None:
    given = daily(A=[4.0, 4.0], B=[4.5, None], C=[4.4, 4.1])
    spreads = {"slope": {"C": 1, "A": -1}, "fly": {"B": 2, "A": -1, "C": -1}}
    found = told(curve_spreads, given, spreads=spreads)
    assert [(r[0].day, r[1], pytest.approx(r[2])) for r in found.rows()] == [
        (1, "fly", 60),
        (1, "slope", 40),
        (2, "slope", 10),
    ]


def test_a_parallel_shift_is_no_spread() -> None:
    with pytest.raises(ValidationError, match=r"spreads\.s: expected two weights or more that add up to 0"):
        curve_spreads.Parameters.model_validate({"spreads": {"s": {"A": 1, "B": -0.5}}})


def test_breakevens_by_fisher_and_by_difference() -> None:
    pair = {"nominal": "N", "real": "R", "years": 5}
    given = daily(N=[12.0, 12.0], R=[6.0, -100.0])
    by_fisher = told(breakeven, given, rule="fisher", pairs=[pair])
    assert by_fisher.rows() == [(date(2020, 1, 1), 5.0, 12.0, 6.0, pytest.approx(5.6603774, abs=1e-7))]
    assert told(breakeven, given, rule="difference", pairs=[pair])["breakeven_rate"].to_list() == [6.0, 112.0]


def test_bonds_that_fall_due_are_of_a_tenor_that_shrinks_to_nothing() -> None:
    pair = {"nominal": "N", "real": "R", "due": "2020-01-03"}
    found = told(breakeven, daily(N=[12.0] * 5, R=[6.0] * 5), rule="fisher", pairs=[pair])
    assert found["tenor_years"].to_list() == pytest.approx([2 / 365.25, 1 / 365.25])


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([{"nominal": "N", "real": "R"}], "expected one of 'years' and 'due'"),
        ([{"nominal": "N", "real": "X", "years": 5}], r"pairs\.0\.real: expected an input in percent, X is no input"),
        ([{"nominal": "N", "real": "N", "years": 5}], "inputs: no pair is made of R"),
        ([{"nominal": "N", "real": "R", "years": 5}] * 2, "two pairs have one maturity"),
    ],
)
def test_pairs_that_cannot_be_are_refused(pairs: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        told(breakeven, daily(N=[12.0], R=[6.0]), rule="fisher", pairs=pairs)


def test_a_yield_is_its_premium_and_the_rate_that_is_expected() -> None:
    found = told(term_premium, daily(Y=[4.0, 4.1, None], P=[0.5, None, 0.4]))
    assert found.rows() == [(date(2020, 1, 1), 4.0, 0.5, 3.5)]
    with pytest.raises(ValueError, match="inputs: expected a yield and its term premium, got Y"):
        told(term_premium, daily(Y=[4.0]))


def test_the_maturities_of_the_catalog_are_those_of_the_titles(catalog: Catalog) -> None:
    for indicator in catalog.indicators.values():
        maturities = indicator.parameters.get("maturities")
        if isinstance(maturities, dict) and "UST" in next(iter(maturities)):
            titles = {s: catalog.one_series(s).title for s in maturities}
            years = [s for s, title in titles.items() if " year" in title]
            assert years
            assert all(f", {maturities[s]:g} year" in titles[s] for s in years)
            months = [s for s, title in titles.items() if " month" in title]
            assert all(f", {12 * float(str(maturities[s])):g} month" in titles[s] for s in months)
