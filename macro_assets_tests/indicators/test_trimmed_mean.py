"""The trimmed mean of an entry: the example of the functions through series, and what it asks of them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from macro_assets.indicators.trimmed_mean import EXAMPLE, Parameters, check, compute
from macro_assets_tests.indicators.toys import monthly

CHANGES, WEIGHTS = [-2.0, 0.1, 0.2, 0.3, 3.0], [10.0, 30.0, 30.0, 20.0, 10.0]
DALLAS = {
    "lower_pct": 24,
    "upper_pct": 31,
    "components": [{"change": f"C{i}", "weight": f"W{i}"} for i in range(len(CHANGES))],
}


def test_the_figures_of_a_month_and_a_month_without_one_of_them() -> None:
    series: dict[str, list[float | None]] = {f"C{i}": [c, c] for i, c in enumerate(CHANGES)}
    series |= {f"W{i}": [w, None if i == 3 else w] for i, w in enumerate(WEIGHTS)}
    found = compute(monthly(**series), Parameters.model_validate(DALLAS))
    assert found["trimmed_mean"].to_list() == [pytest.approx(0.1644444, abs=5e-8)]
    assert found["weighted_median"].to_list() == [pytest.approx(0.2)]


A, B = {"change": "A", "weight": "WA"}, {"change": "B", "weight": "WB"}


@pytest.mark.parametrize(
    ("changed", "inputs", "said"),
    [
        ({"lower_pct": 70, "upper_pct": 30}, "A WA B WB", "parameters.upper_pct: with lower_pct it leaves nothing"),
        ({}, "A WA B", "parameters.components: WB: expected some of the inputs A, WA, B"),
        ({}, "A WA B WB C", "inputs: no component is made of C"),
        ({"components": [A, B, A]}, "A WA B WB", "parameters.components: A, WA: expected each once"),
    ],
)
def test_components_that_are_not_the_inputs_are_refused(changed: dict[str, Any], inputs: str, said: str) -> None:
    parameters = Parameters.model_validate({**EXAMPLE["parameters"], "components": [A, B], **changed})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=f"^{said}$"):
        check(parameters, monthly(**{name: [1.0] for name in inputs.split()}).facts)


@pytest.mark.parametrize(("column", "value"), [("frequency", "D"), ("unit", "usd")])
def test_changes_are_monthly_and_in_percent(column: str, value: str) -> None:
    parameters = Parameters.model_validate({**EXAMPLE["parameters"], "components": [A, B]})  # type: ignore[dict-item]
    facts = monthly(A=[1.0], WA=[1.0], B=[1.0], WB=[1.0]).facts
    check(parameters, facts)
    with pytest.raises(ValueError, match=r"^inputs\.0: expected monthly figures, changes in percent, A is"):
        check(parameters, facts.with_columns(pl.lit(value).alias(column)))
