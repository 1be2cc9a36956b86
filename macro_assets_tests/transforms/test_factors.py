"""One factor: weights and sign, months that lack a series, and samples of which there is none."""

from __future__ import annotations

import numpy as np
import pytest

from macro_assets.transforms.factors import first_factor, of_rows

A = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 3.0])
B = np.array([2.0, 1.0, 5.0, 4.0, 4.0, 2.0])
RHO = float(np.corrcoef(A, B)[0, 1])


def test_of_two_series_it_is_the_sum_of_the_scores_over_its_deviation() -> None:
    """Eigenvector (1, 1) / sqrt 2 with eigenvalue 1 + rho."""
    panel = np.column_stack([A, B])
    factor = first_factor(panel, 0)
    assert factor is not None
    assert factor.weights == pytest.approx([0.5**0.5, 0.5**0.5])
    scores = [(x - x.mean()) / x.std(ddof=1) for x in (A, B)]
    assert of_rows(panel, factor, 1.0) == pytest.approx(sum(scores) / (2 * (1 + RHO)) ** 0.5)


def test_a_row_that_lacks_a_series_is_that_of_the_other() -> None:
    factor = first_factor(np.column_stack([A, B]), 0)
    assert factor is not None
    row = np.array([[5.0, np.nan]])
    score = (5 - A.mean()) / A.std(ddof=1)
    assert of_rows(row, factor, 0.5) == pytest.approx([score * 2**0.5 / (1 + RHO) ** 0.5])
    assert np.isnan(of_rows(row, factor, 0.6)).all()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_anchor_decides_the_sign_in_any_order_of_series(order: tuple[int, ...]) -> None:
    """B against its sign: the index is the same, and rises with the anchor."""
    panel = np.column_stack([A, -B, A + B])
    expected = of_rows(panel, _factor(panel, 0), 1.0)
    shuffled = panel[:, order]
    found = of_rows(shuffled, _factor(shuffled, order.index(0)), 1.0)
    assert found == pytest.approx(expected)
    assert np.corrcoef(found, A)[0, 1] > 0
    assert of_rows(panel, _factor(panel, 1), 1.0) == pytest.approx(-expected)


def test_what_does_not_move_has_no_weight_and_is_no_anchor() -> None:
    panel = np.column_stack([A, B, np.full(6, 0.3)])
    assert _factor(panel, 0).weights[2] == 0
    assert first_factor(panel, 2) is None
    assert first_factor(panel[:2], 0) is None


def _factor(panel, anchor):  # type: ignore[no-untyped-def]
    factor = first_factor(panel, anchor)
    assert factor is not None
    return factor
