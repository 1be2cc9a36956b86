"""Methods of regimes: thresholds by hand and at them, both readings, measured confidence, estimates as of each year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.catalog import Catalog
from macro_assets.indicators import crisis_shock, markov_regime, mixture_regime, regime_history, threshold_regime
from macro_assets.indicators.protocol import Given
from macro_assets_tests.indicators.toys import FACTS, daily, monthly

RULE: Mapping[str, Any] = {
    "volatility": "VIX",
    "credit": ["CREDIT"],
    "repo": ["SOFR", "EFFR"],
    "prices": "SHARES",
    "crisis": {"volatility": 40, "volatility_change": 10, "credit_bp": 200, "repo_bp": 100},
    "elevated": {"volatility": 25, "volatility_change": 5, "credit_bp": 150, "repo_bp": 50},
    "crisis_signals": 3,
    "crisis_signals_of_elevated": 2,
    "elevated_signals": 2,
    "counted": ["volatility", "credit"],
    "volatility_suffices": False,
    "min_signals": 3,
    "outcome": {"days": 2, "fall_pct": 5, "min_obs": 1},
}

NAMED: Sequence[str] = ("VIX", "CREDIT", "SOFR", "EFFR", "SHARES")


def rule(**changed: Any) -> threshold_regime.Parameters:
    return threshold_regime.Parameters.model_validate({**RULE, **changed})


def last(vix: float, credit: float | None, repo: float | None, before: float = 12, **changed: Any) -> dict[str, Any]:
    """The last of two days: volatility and before, the spread of bonds and the rate of repo over 1 %, in percent."""
    rate = None if repo is None else 1 + repo
    given = daily(VIX=[before, vix], CREDIT=[1.0, credit], SOFR=[1.0, rate], EFFR=[1.0, 1.0], SHARES=[100.0, 100.0])
    return threshold_regime.compute(given, rule(**changed)).row(-1, named=True)


# --- the rule ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vix", "credit", "repo", "before", "regime", "fired"),
    [
        (18.5, 1.2, 0.15, 18, "steady", ""),
        (41, 2.1, 1.1, 40, "crisis", "volatility credit repo"),
        (41, 2.1, 1.1, 12, "crisis", "volatility volatility_change credit repo"),
        (41, 2.1, 0.1, 40, "elevated", "volatility credit"),
        (24, 1.2, 1.1, 12, "elevated", "volatility_change repo"),
        (26, 1.6, 0.1, 25, "elevated", ""),
        (26, 1.4, 0.1, 25, "steady", ""),
        (24, 1.6, 0.6, 18, "steady", ""),  # of the lower thresholds, those of the change and of repo do not count
    ],
)
def test_the_rule_by_hand(vix: float, credit: float, repo: float, before: float, regime: str, fired: str) -> None:
    found = last(vix, credit, repo, before)
    assert (found["regime"], found["crisis_signals"]) == (regime, fired)


def test_a_threshold_is_passed_above_it_not_at_it() -> None:
    """At 40, 10, 200 and 100 nothing of a crisis fires, whatever binary fractions make of 1.58 less 0.58."""
    at = last(40, 2.0, 1.0, 30)
    assert (at["regime"], at["crisis_signals"]) == ("elevated", "")
    assert at["elevated_signals"] == "volatility volatility_change credit repo"
    lower = last(25, 1.5, 0.5, 20)
    assert (lower["regime"], lower["elevated_signals"]) == ("steady", "")
    above = last(40.01, 2.01, 1.01, 30)
    assert (above["regime"], above["crisis_signals"]) == ("crisis", "volatility volatility_change credit repo")
    cents = [n / 100 for n in range(400)]
    points = {"SOFR": [(n + 100) / 100 for n in range(400)], "EFFR": cents}
    same = daily(VIX=[12.0] * 400, CREDIT=[1.0] * 400, SHARES=[100.0] * 400, **points)
    assert set(threshold_regime.compute(same, rule())["crisis_signals"]) == {""}


@pytest.mark.parametrize(("suffices", "regime"), [(False, "steady"), (True, "elevated")])
def test_both_readings_of_the_elevated_rule(suffices: bool, regime: str) -> None:
    """Volatility alone above 25: two signals are asked for, or it is enough."""
    assert last(26, 1.0, 0.0, 25, volatility_suffices=suffices)["regime"] == regime
    assert last(25, 1.0, 0.0, 25, volatility_suffices=suffices)["regime"] == "steady"


def test_a_signal_that_is_not_known_does_not_fire_and_is_told() -> None:
    found = last(41, 2.1, None, 40)
    assert (found["regime"], found["signals_known"], found["repo_spread_bp"]) == ("elevated", 3, None)
    assert last(41, 2.1, 1.1, 40)["repo_spread_bp"] == pytest.approx(110)
    given = daily(VIX=[20.0, 41.0], CREDIT=[1.0, None], SOFR=[1.0, None], EFFR=[1.0, 1.0], SHARES=[100.0, 90.0])
    assert threshold_regime.compute(given, rule())["observation_date"].to_list() == [date(2020, 1, 1)]
    alone = threshold_regime.compute(given, rule(min_signals=2))
    assert alone["signals_known"].to_list() == [3, 2]


def test_confidence_is_the_measured_hit_rate() -> None:
    """Of six elevated days, after which 10 % were lost in two days or nothing; each outcome is known two days later."""
    prices = [100.0, 100, 90, 90, 90, 90, 90, 90]
    given = daily(VIX=[30.0] * 8, CREDIT=[1.6] * 8, SOFR=[1.0] * 8, EFFR=[1.0] * 8, SHARES=prices)
    found = threshold_regime.compute(given, rule())
    assert set(found["regime"]) == {"elevated"}
    assert found["confidence"].to_list() == [None, None, 1, 1, pytest.approx(2 / 3), 0.5, 0.4, pytest.approx(1 / 3)]
    calm = given.observations.with_columns(
        value=pl.when(pl.col("series_id") == "VIX").then(12.0).otherwise(pl.col("value"))
    )
    steady = threshold_regime.compute(Given(calm, given.facts), rule())
    assert steady["confidence"].to_list() == [None, None, 0, 0, pytest.approx(1 / 3), 0.5, 0.6, pytest.approx(2 / 3)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"elevated": {**RULE["elevated"], "volatility": 41}},
            "its threshold of volatility must not be above",
        ),
        ({"repo": [], "credit": [], "min_signals": 3}, "min_signals: expected at most the 2 signals"),
        ({"credit": ["A", "B", "C"]}, "credit"),
        ({"counted": ["vix"]}, "counted"),
        ({"crisis": {"volatility": 40}}, "crisis.volatility_change"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(changed: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        rule(**changed)
    assert said in str(refused.value)


def facts(**changed: tuple[str, str]) -> pl.DataFrame:
    """Frequency and unit of each input."""
    told = dict.fromkeys(NAMED, ("D", "percent")) | {"SHARES": ("D", "index_points")} | changed
    return pl.DataFrame([(n, f, "mean", u) for n, (f, u) in told.items()], FACTS, orient="row")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"OTHER": ("D", "percent")}, "inputs: expected those that the parameters name, not in both: OTHER"),
        ({"CREDIT": ("M", "percent")}, "inputs.1: expected a series of frequency D"),
        ({"CREDIT": ("D", "basis_points")}, "inputs.1: expected a unit of percent, CREDIT is in 'basis_points'"),
    ],
)
def test_inputs_that_are_not_what_the_rule_measures_are_refused(changed: Any, said: str) -> None:
    threshold_regime.check(rule(), facts())
    with pytest.raises(ValueError, match=f"^{said}"):
        threshold_regime.check(rule(), facts(**changed))


def test_the_catalog_has_the_thresholds_of_the_rule_and_both_readings(catalog: Catalog) -> None:
    """Reference R-36: 40, 10, 200 and 100; 25, 5, 150 and 50; three of four."""
    for name, suffices in (("threshold_regime", False), ("threshold_regime_wide", True)):
        told = catalog.indicators[name].parameters
        assert {k: told[k] for k in ("crisis", "elevated", "crisis_signals", "elevated_signals")} == {
            k: RULE[k] for k in ("crisis", "elevated", "crisis_signals", "elevated_signals")
        }
        assert told["volatility_suffices"] is suffices


# --- the overlay ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vix", "spread", "expected"),
    [
        (80, 4.0, (2, 1.8, (5 + 2.34 + 1.5) / 3)),
        (20, 1.0, (0.5, 0.5, (1.25 + 0.65 + 1.5) / 3)),
        (200, 9.0, (2, 1.8, 2.946666667)),
    ],
)
def test_the_multiplier_of_a_crisis_by_the_numbers_of_the_catalog(
    vix: float, spread: float, expected: tuple[float, ...], catalog: Catalog
) -> None:
    """Reference R-36, worked out there: 2.94667 and 1.13333; both factors have a cap."""
    parameters = crisis_shock.Parameters.model_validate(catalog.indicators["crisis_shock"].parameters)
    ((_, *found),) = crisis_shock.compute(daily(VIX=[vix], SPREAD=[spread]), parameters).rows()
    assert found == pytest.approx(expected)


def test_the_overlay_takes_a_volatility_and_a_spread_in_percent(catalog: Catalog) -> None:
    parameters = crisis_shock.Parameters.model_validate(catalog.indicators["crisis_shock"].parameters)
    given = daily(VIX=[20.0], SPREAD=[1.0]).facts
    crisis_shock.check(parameters, given)
    with pytest.raises(ValueError, match="^inputs: expected 2 series, got VIX"):
        crisis_shock.check(parameters, given.head(1))
    with pytest.raises(ValueError, match="^inputs.0: expected a unit of percent"):
        crisis_shock.check(parameters, given.with_columns(unit=pl.lit("basis_points")))


# --- estimated regimes ---------------------------------------------------------------------------------------------

STRETCHES = np.sin(np.arange(240) / 20) > 0.7
"""Months of twenty years that are turbulent."""


def simulated(seed: int = 7) -> list[float]:
    """Returns with a deviation of one, and of four in the stretches."""
    return (np.random.default_rng(seed).normal(0, 1 + 3 * STRETCHES)).tolist()


MARKOV = markov_regime.Parameters.model_validate(
    {
        "steps": "level",
        "names": ["calm", "turbulent"],
        "label_by": "variance",
        "switching_variance": True,
        "min_obs": 96,
        "refit_months": 24,
    }
)


def turbulent(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(regime="turbulent")


def test_a_markov_regime_is_found_and_estimated_on_the_months_before() -> None:
    rows = turbulent(markov_regime.compute(monthly(date(2000, 1, 1), X=simulated()), MARKOV))
    assert rows["observation_date"].min() == date(2008, 1, 1)
    assert rows["estimated_through"].unique().sort().to_list() == [date(y, 12, 1) for y in range(2007, 2019, 2)]
    truth = STRETCHES[-rows.height :]
    assert (rows["is_in_force"].to_numpy() == truth).mean() > 0.85
    assert rows["staying_probability"].is_between(0.5, 1).all()


def test_probabilities_of_a_month_add_up_to_one_and_one_regime_is_in_force() -> None:
    rows = markov_regime.compute(monthly(date(2000, 1, 1), X=simulated()), MARKOV)
    sums = rows.group_by("observation_date").agg(pl.col("regime_probability").sum(), pl.col("is_in_force").sum())
    assert sums["regime_probability"].to_numpy() == pytest.approx(1)
    assert set(sums["is_in_force"]) == {1}


def test_the_last_figure_times_a_million_moves_no_month_before() -> None:
    """Filtered, not smoothed, and no estimate of a later year."""
    values = simulated()
    before = markov_regime.compute(monthly(date(2000, 1, 1), X=values), MARKOV)
    moved = markov_regime.compute(monthly(date(2000, 1, 1), X=[*values[:-1], 1e6 * values[-1]]), MARKOV)
    assert moved.head(moved.height - 2).equals(before.head(before.height - 2))


def test_months_left_out_are_judged_but_not_estimated_on() -> None:
    """Three months of wild figures: left out they leave the other months' estimates as if they had been usual."""
    values = simulated()
    wild = [*values[:100], 90.0, -90.0, 90.0, *values[103:]]
    lenient = MARKOV.model_copy(update={"leave_out": (("2008-05", "2008-07"),)})
    taken, left = (turbulent(markov_regime.compute(monthly(date(2000, 1, 1), X=wild), p)) for p in (MARKOV, lenient))
    spell = pl.col("observation_date").is_between(date(2008, 5, 1), date(2008, 7, 1))
    assert left.filter(spell)["is_in_force"].all()
    calm = pl.col("observation_date") > date(2010, 1, 1)
    truth = STRETCHES[-left.filter(calm).height :]
    assert (left.filter(calm)["is_in_force"].to_numpy() == truth).mean() > 0.85
    assert (taken.filter(calm)["is_in_force"].to_numpy() == truth).mean() < 0.85


def test_months_left_out_do_not_count_for_the_first_estimates() -> None:
    early = MARKOV.model_copy(update={"leave_out": (("2000-01", "2003-12"),)})
    rows = markov_regime.compute(monthly(date(2000, 1, 1), X=simulated()), early)
    assert rows["observation_date"].min() == date(2012, 1, 1)
    features = mixture_regime.Parameters.model_validate(
        {
            "features": [{"name": "x", "of": ["X"], "steps": "level"}],
            "names": ["low", "high"],
            "min_obs": 96,
            "leave_out": [["2000-01", "2003-12"]],
        }
    )
    states = mixture_regime.compute(monthly(date(2000, 1, 1), X=simulated()), features)
    assert states["observation_date"].min() == date(2012, 1, 1)


def test_a_month_without_a_figure_has_no_row() -> None:
    values: list[float | None] = list(simulated())
    values[200] = None
    rows = markov_regime.compute(monthly(date(2000, 1, 1), X=values), MARKOV)
    assert date(2016, 9, 1) not in rows["observation_date"].to_list()
    assert rows["observation_date"].max() == date(2019, 12, 1)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"names": ["a", "a"]}, "names: expected each once"),
        ({"label_by": "variance", "switching_variance": False}, "label_by"),
        ({"label_by": "median"}, "label_by"),
        ({"order": 9}, "order"),
        ({"refit_months": 6}, "refit_months"),
    ],
)
def test_parameters_that_make_no_model_are_refused(changed: Mapping[str, Any], said: str) -> None:
    told = {"steps": "level", "names": ["a", "b"], "min_obs": 60, **changed}
    with pytest.raises(ValidationError, match=said):
        markov_regime.Parameters.model_validate(told)


MIXTURE = mixture_regime.Parameters.model_validate(
    {
        "features": [
            {"name": "volatility", "of": ["V"], "steps": "level"},
            {"name": "credit", "of": ["B", "A"], "steps": "spread"},
        ],
        "names": ["calm", "turbulent"],
        "min_obs": 60,
    }
)


def test_states_of_a_mixture_are_found_whatever_the_order_of_the_months() -> None:
    draw = np.random.default_rng(7)
    volatility = draw.normal(15 + 20 * STRETCHES, 3)
    spread = draw.normal(1 + 2 * STRETCHES, 0.5)
    given = monthly(date(2000, 1, 1), V=volatility.tolist(), A=[5.0] * 240, B=(5 + spread).tolist())
    rows = turbulent(mixture_regime.compute(given, MIXTURE))
    truth = STRETCHES[-rows.height :]
    assert (rows["is_in_force"].to_numpy() == truth).mean() > 0.97
    assert rows["staying_probability"].null_count() == rows.height
    assert rows["observation_date"].min() == date(2005, 1, 1)


def in_percent(names: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({"series_id": [*names], "unit": "percent", "seasonal_adjustment": "NSA"})


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (["V", "B"], "parameters.features.1.of: A: expected some of the inputs V, B"),
        (["V", "B", "A", "C"], "inputs: no feature is made of C"),
    ],
)
def test_features_that_are_not_made_of_the_inputs_are_refused(inputs: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        mixture_regime.check(MIXTURE, in_percent(inputs))


def test_steps_that_do_not_make_one_series_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^parameters\.steps: "):
        markov_regime.check(MARKOV, in_percent("AB"))


# --- side by side --------------------------------------------------------------------------------------------------


def test_regimes_side_by_side_and_their_changes() -> None:
    """A rule's table and one with probabilities: each counted by itself."""
    days = [date(2020, 1, n) for n in (1, 2, 3)]
    by_rule = pl.DataFrame({"observation_date": days, "regime": ["steady", "steady", "crisis"]})
    told = {"regime": ["calm", "turbulent"], "regime_probability": [0.25, 0.75], "is_in_force": [False, True]}
    estimated = pl.DataFrame({"observation_date": days[:1] * 2, **told})
    given = Given(pl.DataFrame(), in_percent(""), {"indicators/rule": by_rule, "indicators/chain": estimated})
    rows = regime_history.compute(given, regime_history.Parameters())
    assert rows.select("observation_date", "component", "regime", "regime_probability", "spell_periods").rows() == [
        (days[0], "chain", "turbulent", 0.75, 1),
        (days[0], "rule", "steady", None, 1),
        (days[1], "rule", "steady", None, 2),
        (days[2], "rule", "crisis", None, 1),
    ]
    (change,) = regime_history.compute(given, regime_history.Parameters(changes_only=True)).rows(named=True)
    assert (change["observation_date"], change["previous_regime"], change["switches"]) == (days[2], "steady", 1)


def test_series_have_no_regimes_to_set_side_by_side() -> None:
    with pytest.raises(ValueError, match="^inputs: expected tables of regimes, got the series A, B"):
        regime_history.check(regime_history.Parameters(), in_percent("AB"))
