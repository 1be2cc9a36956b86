"""Latest readings, information states and measures of core inflation: by hand, and what they refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from macro_assets.indicators import core_measures, information_states, latest_readings
from macro_assets.indicators.protocol import Given
from macro_assets_tests.indicators.toys import monthly


def released(given: Given, days: int = 40) -> Given:
    """With the columns that derivations give beside series, date and value: out `days` after the month's first."""
    when = pl.col("observation_date").cast(pl.Datetime("us", "UTC")).dt.offset_by(f"{days}d")
    told = given.observations.with_columns(release_time=when, provider=pl.lit("bls"), unit=pl.lit("percent"))
    return Given(told, given.facts)


# --- latest readings -----------------------------------------------------------------------------------------------


def readings(*series: str, steps: str = "level", min_obs: int = 3) -> latest_readings.Parameters:
    told = [{"series": s, "country": "US", "steps": steps} for s in series]
    return latest_readings.Parameters.model_validate({"min_obs": min_obs, "readings": told})


def test_the_latest_figure_stands_beside_the_one_before() -> None:
    """4 after 1, 2, 3, 2: mean 2.4, deviation 1.3^(1/2), nine tenths below; the other has too few for a score."""
    given = released(monthly(A=[1, 2, 3, 2, 4], B=[7, 8]))
    b, a = latest_readings.compute(given, readings("B", "A")).rows(named=True)
    assert list(a) == [
        *("series_id", "country", "observation_date", "value", "unit", "previous_value"),
        *("change", "zscore", "percentile", "provider", "release_time"),
    ]
    expected = ("A", "US", date(2020, 5, 1), 4, "percent", 2, 2, pytest.approx(1.6 / 1.3**0.5), pytest.approx(90.0))
    assert tuple(a.values()) == (*expected, "bls", datetime(2020, 5, 1, tzinfo=UTC) + timedelta(days=40))
    assert (b["value"], b["change"], b["zscore"], b["percentile"]) == (8, 1, None, None)


def test_a_series_without_figures_has_no_row_and_one_alone_has_nothing_before_it() -> None:
    given = released(monthly(A=[1], B=[None]))
    (row,) = latest_readings.compute(given, readings("A", "B", steps="chg")).rows(named=True)
    assert (row["series_id"], row["previous_value"], row["change"], row["zscore"]) == ("A", None, None, None)


def test_the_score_is_of_the_change_where_the_steps_say_so() -> None:
    (row,) = latest_readings.compute(released(monthly(A=[1, 2, 4, 7])), readings("A", steps="chg")).rows(named=True)
    assert (row["zscore"], row["percentile"]) == (pytest.approx(1.0), pytest.approx(250 / 3))


# --- information states --------------------------------------------------------------------------------------------


def states(*series: str, **more: Any) -> information_states.Parameters:
    told = {"lags": 0, "min_periods": 3, "min_obs": 2, "states": [{"series": s, "steps": "level"} for s in series]}
    return information_states.Parameters.model_validate({**told, **more})


def test_a_surprise_is_scored_by_those_known_before() -> None:
    """Of 1, 2, 3 the mean is 2: 4 surprises by 2, then 7.5 by 5, then 0 by -3.5; their deviation before is 2.1."""
    found = information_states.compute(released(monthly(A=[1, 2, 3, 4, 7.5, 0])), states("A"))
    assert found["observation_date"].to_list() == [date(2020, m, 1) for m in (4, 5, 6)]
    assert found["surprise"].to_list() == pytest.approx([2.0, 5.0, -3.5])
    deviation = 4.5**0.5
    assert found["surprise_sd"].to_list() == [None, None, pytest.approx(deviation)]
    assert found["zscore"].to_list() == [None, None, pytest.approx(-3.5 / deviation)]


def test_rows_are_in_order_of_release_and_what_came_at_once_is_not_before() -> None:
    """April was revised with June: it stands there, and is in the deviation of neither."""
    given = released(monthly(A=[1, 2, 3, 4, 7.5, 0, 9], B=[1, 2, 3, 4, 5, 6, 7]))
    june = pl.col("release_time").filter(pl.col("observation_date") == date(2020, 6, 1)).first()
    is_april = (pl.col("series_id") == "A") & (pl.col("observation_date") == date(2020, 4, 1))
    revised = given.observations.with_columns(release_time=pl.when(is_april).then(june).otherwise("release_time"))
    found = information_states.compute(Given(revised, given.facts), states("A", "B"))
    assert found["release_time"].is_sorted()
    a = found.filter(series_id="A")
    assert a["observation_date"].to_list() == [date(2020, m, 1) for m in (5, 4, 6, 7)]
    spread = pl.Series([2.0, 5.0, -3.5]).std()
    assert a["surprise_sd"].to_list() == [None, None, None, pytest.approx(spread)]


def test_months_left_out_surprise_but_are_in_no_deviation() -> None:
    given = released(monthly(A=[1, 2, 3, 4, 99, 1, 0]))
    found = information_states.compute(given, states("A", leave_out=[["2020-05", "2020-05"]]))
    assert found["surprise"].to_list() == pytest.approx([2.0, 96.5, -1.5, -2.2])
    assert found["surprise_sd"].to_list() == [None, None, None, pytest.approx((3.5**2 / 2) ** 0.5)]


# --- cores ---------------------------------------------------------------------------------------------------------


def cores(min_measures: int = 2) -> core_measures.Parameters:
    told = [
        {"name": "chained", "series": "A", "steps": "yoy_of_rates"},
        {"name": "rate", "series": "B", "steps": "level"},
    ]
    return core_measures.Parameters.model_validate({"min_measures": min_measures, "measures": told})


def test_measures_stand_side_by_side_over_twelve_months() -> None:
    """Twelve months of which one has 3 %, and 2 %: their mean is 2.5 %; a month later only one has come out."""
    given = monthly(A=[0.0] * 11 + [3.0, 1.0], B=[None] * 11 + [2.0, None])
    rows = core_measures.compute(given, cores()).rows()
    december, january = date(2020, 12, 1), date(2021, 1, 1)
    assert rows == [
        (december, "chained", pytest.approx(3.0), pytest.approx(2.5)),
        (december, "rate", 2.0, pytest.approx(2.5)),
        (january, "chained", pytest.approx(4.03), None),
    ]


# --- refusals ------------------------------------------------------------------------------------------------------

LEVELS = core_measures.Parameters.model_validate(
    {"min_measures": 1, "measures": [{"name": s.lower(), "series": s, "steps": "level"} for s in "AB"]}
)
ENTRIES = {
    "readings": (latest_readings, readings("A", "B")),
    "states": (information_states, states("A", "B")),
    "measures": (core_measures, cores()),
}


@pytest.mark.parametrize("field", ENTRIES)
def test_series_that_are_not_the_inputs_are_refused(field: str) -> None:
    module, parameters = ENTRIES[field]
    facts = monthly(A=[1.0], B=[1.0]).facts.with_columns(seasonal_adjustment=pl.lit("SA"))
    module.check(parameters, facts)
    with pytest.raises(ValueError, match=rf"^parameters\.{field}: expected the inputs A, got A, B"):
        module.check(parameters, facts.head(1))


@pytest.mark.parametrize(
    ("module", "parameters", "changed", "said"),
    [
        (latest_readings, readings("A", "B", steps="lg"), {}, "parameters.readings.0.steps: step 1 'lg' is no transf"),
        (information_states, states("A", "B"), {"frequency": "D"}, "parameters.states.0: expected a frequency of M, Q"),
        (core_measures, cores(), {"frequency": "Q"}, "parameters.measures.0: expected monthly figures, A is 'Q'"),
        (
            core_measures,
            LEVELS,
            {"unit": "usd"},
            "parameters.measures.0.steps: expected steps that give percent, they give",
        ),
        (core_measures, cores(3), {}, "parameters.min_measures: expected 2 at most, got 3"),
    ],
)
def test_entries_that_cannot_be_are_refused(
    module: ModuleType, parameters: Any, changed: dict[str, str], said: str
) -> None:
    facts = monthly(A=[1.0], B=[1.0]).facts.with_columns(seasonal_adjustment=pl.lit("SA"))
    with pytest.raises(ValueError, match=f"^{said}"):
        module.check(parameters, facts.with_columns(pl.lit(v).alias(k) for k, v in changed.items()))
