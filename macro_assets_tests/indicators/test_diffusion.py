"""The diffusion index: shares by hand, what stayed, what counts the other way, and what is missing."""

from __future__ import annotations

import polars as pl
import pytest

from macro_assets.indicators.diffusion import Parameters, check, compute
from macro_assets_tests.indicators.toys import FACTS, monthly


def of(
    months: int = 1, min_series: int = 2, falling: tuple[str, ...] = (), **series: list[float | None]
) -> list[float]:
    parameters = Parameters(months=months, min_series=min_series, falling=falling)
    return compute(monthly(**series), parameters)["value"].to_list()


def test_by_hand() -> None:
    """One rises, one falls, one stays, then all rise."""
    series: dict[str, list[float | None]] = {"A": [1, 2, 3], "B": [5, 4, 5], "C": [7, 7, 8]}
    assert of(**series) == [50.0, 100.0]
    assert of(**series, falling=("B", "C")) == [pytest.approx(100 * 2.5 / 3), pytest.approx(100 / 3)]
    assert of(months=2, **series) == [pytest.approx(100 * 2.5 / 3)]


def test_nothing_moves_and_all_falls() -> None:
    assert of(A=[1, 1, 0], B=[2, 2, 1]) == [50.0, 0.0]


def test_a_missing_change_is_left_out_while_there_are_enough() -> None:
    assert of(A=[1, 2, 3], B=[1, None, 2], C=[3, 2, 1]) == [50.0, 50.0]
    assert of(min_series=3, A=[1, 2, 3], B=[1, None, 2], C=[3, 2, 1]) == []


@pytest.mark.parametrize(
    ("parameters", "rows", "said"),
    [
        ({}, [("A", "M")], r"inputs: expected at least min_series \(2\), got 1"),
        ({}, [("A", "M"), ("B", "Q")], "inputs.1: expected a figure a month, B is 'Q'"),
        ({"falling": ("X",)}, [("A", "M"), ("B", "D")], "parameters.falling: X: expected some of the inputs A, B"),
    ],
)
def test_other_inputs_are_refused(
    parameters: dict[str, tuple[str, ...]], rows: list[tuple[str, str]], said: str
) -> None:
    facts = pl.DataFrame([(*row, "mean", "usd") for row in rows], FACTS, orient="row")
    with pytest.raises(ValueError, match=f"^{said}$"):
        check(Parameters.model_validate({"months": 1, "min_series": 2, **parameters}), facts)
