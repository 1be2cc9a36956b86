"""The rise over a low: the Sahm rule's published figures in real time, and what is missing or on the edge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from macro_assets.indicators.rise_over_low import EXAMPLE, Parameters, check, compute
from macro_assets_tests.indicators.toys import FACTS, monthly

SAHM = Parameters.model_validate(EXAMPLE["parameters"])
RELEASED = [3.5, 3.4, 3.7, 3.6, 3.5, 3.8, 3.8, 3.9, 3.7, 3.7, 3.7, 3.9, 3.8, 3.9, 4.0, 4.1, 4.3, 4.2, 4.1, 4.1]
"""The unemployment rate of March 2023 to October 2024, each month as it was first released (BLS, percent)."""


def small(mean: int, low: int, threshold: float = 0.5) -> Parameters:
    return Parameters(mean_months=mean, low_months=low, threshold_pp=threshold)


def of(values: Sequence[float | None], parameters: Parameters) -> dict[int, Any]:
    """Value and signal by the place of the month among the values."""
    found = compute(monthly(date(2020, 1, 1), X=values), parameters)
    return {(d.year - 2020) * 12 + d.month - 1: (v, s) for d, v, s in found.iter_rows()}


def test_published_figures_of_the_sahm_rule_in_real_time() -> None:
    """SAHMREALTIME of June to October 2024 (FRED): the last value of what was known when each month came out.

    A low that counted the month itself would give .40, .50, .50, .50, .43.
    """
    found = {}
    for known in range(16, 21):
        rows = compute(monthly(date(2023, 3, 1), UNRATE=RELEASED[:known]), SAHM)
        month, value, signal = rows.row(-1)
        found[month] = (round(value, 2), signal)
    assert found == {
        date(2024, 6, 1): (0.43, False),
        date(2024, 7, 1): (0.53, True),
        date(2024, 8, 1): (0.57, True),
        date(2024, 9, 1): (0.5, True),
        date(2024, 10, 1): (0.43, False),
    }


def test_by_hand() -> None:
    """Means of two: 2, 3, 3.5, 2.5. Lows of the two before: 2 at 3.5, 3 at 2.5."""
    assert of([1, 3, 3, 4, 1], small(2, 2, 1.5)) == {3: (1.5, True), 4: (-0.5, False)}


def test_the_month_itself_is_not_in_its_low() -> None:
    assert of([5, 5, 4], small(1, 2)) == {2: (-1.0, False)}


def test_a_rise_of_just_the_threshold_fires_whatever_the_binary_fractions() -> None:
    """In published figures a rise of 0.50 is a signal; 4.2 - 3.7 as binary fractions is above or below a half."""
    for tenths in range(20, 120):
        low, high, less = tenths / 10, (tenths + 5) / 10, (tenths + 4) / 10
        assert of([low] * 15 + [high] * 3, SAHM)[17] == (pytest.approx(0.5), True)
        assert of([low] * 15 + [high, high, less], SAHM)[17] == (pytest.approx(0.5 - 0.1 / 3), False)


def test_a_rise_that_only_rounding_makes_a_signal_is_none() -> None:
    assert of([4.0, 4.499], small(1, 1)) == {1: (pytest.approx(0.499), False)}


def test_a_missing_month_leaves_out_every_month_that_needs_it() -> None:
    """Means of two months need both (4 and 5 lack one), and lows of two means need both (6 and 7 lack one)."""
    values: list[float | None] = [1, 2, 3, 4, None, 6, 7, 8, 9, 10]
    assert list(of(values, small(2, 2))) == [3, 8, 9]


def test_too_short_a_history_has_no_row() -> None:
    assert compute(monthly(X=RELEASED[:14]), SAHM).is_empty()
    assert compute(monthly(X=RELEASED[:15]), SAHM).height == 1


# --- what it asks of its inputs ------------------------------------------------------------------------------------


def facts(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), dict.fromkeys(FACTS, pl.String), orient="row")


def test_one_monthly_series_in_percent_is_admitted() -> None:
    check(SAHM, facts(("UNRATE", "M", "mean", "percent")))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "inputs: expected one series, got none"),
        ([("A", "M", "mean", "percent"), ("B", "M", "mean", "percent")], "inputs: expected one series, got A, B"),
        ([("A", "W", "mean", "percent")], "inputs.0: expected a series of frequency M, A is 'W'"),
        ([("A", "M", "mean", "persons")], "inputs.0: expected a series of unit percent, A is 'persons'"),
    ],
)
def test_other_inputs_are_refused(rows: list[tuple[str, str, str, str]], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        check(SAHM, facts(*rows))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"mean_months": 0}, "mean_months"),
        ({"mean_months": "3"}, "mean_months"),
        ({"mean_months": True}, "mean_months"),
        ({"low_months": 1.5}, "low_months"),
        ({"threshold_pp": 0}, "threshold_pp"),
        ({"threshold": 0.5}, "threshold"),
    ],
)
def test_other_parameters_are_refused(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Parameters.model_validate({**SAHM.model_dump(), **changed})
    assert [e["loc"] for e in refused.value.errors()] == [(field,)]


def test_a_month_may_be_missing_where_that_is_declared() -> None:
    """A survey that was left out in a month: that month has no row, and those around it the mean of what there is."""
    lenient = Parameters(mean_months=3, low_months=2, threshold_pp=0.5, missing_months=1)
    values = [4, 4, 4, 4, 4, None, 4.6, 4.6, 4.6]
    rises = {place: round(value, 10) for place, (value, _) in of(values, lenient).items()}
    assert set(rises) == {4, 6, 7, 8}, "the sample has its beginning all the same"
    assert rises[6] == round((4 + 4.6) / 2 - 4, 10)
    assert rises[7] == round(4.6 - 4, 10)
    assert set(of(values, small(3, 2))) == {4}, "where it is not, a mean and a low need all their months"


def test_not_all_months_of_a_mean_may_be_missing() -> None:
    with pytest.raises(ValidationError, match="expected fewer than mean_months"):
        Parameters(mean_months=3, low_months=2, threshold_pp=0.5, missing_months=3)
