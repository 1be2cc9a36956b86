"""Loadings, correlations and portfolio weights against numbers by hand; what stands in for a missing score."""

from __future__ import annotations

import numpy as np
import pytest

from macro_assets.transforms.filling import factor_fill, latest_of
from macro_assets.transforms.weighting import (
    Moments,
    ewma_correlations,
    first_component,
    held_from,
    moments_before,
    one_factor,
    oriented,
    portfolio,
)

NAN = float("nan")


def equal(correlation: float, n: int = 3) -> np.ndarray:
    return np.full((n, n), correlation) + (1 - correlation) * np.eye(n)


def test_portfolio_of_the_published_example() -> None:
    """The CISS of three parts: the index and Euler's contributions, recomputed to seven digits."""
    parts = np.array([[0.2, 0.5, 0.9]])
    some = np.array([[1, 0.5, 0.2], [0.5, 1, 0.3], [0.2, 0.3, 1]])
    contributions = portfolio(parts, some[None])
    assert contributions[0] == pytest.approx([0.1014678, 0.3503056, 0.7899995], abs=1e-7)
    assert contributions.sum() == pytest.approx(1.2417729, abs=1e-7)
    assert portfolio(parts, equal(1.0)[None]).sum() == pytest.approx(1.6, abs=1e-12)
    assert portfolio(parts, equal(0.0)[None]).sum() == pytest.approx(1.0488089, abs=1e-7)
    assert portfolio(np.zeros((1, 3)), equal(1.0)[None]).tolist() == [[0, 0, 0]]


def test_moments_are_of_the_scores_before_and_of_those_that_both_have() -> None:
    scores = np.random.default_rng(1).normal(size=(40, 3)) @ [[1, 0.5, 0], [0, 1, -0.7], [0, 0, 1]]
    scores[5, 0] = scores[9, 1] = NAN
    found = moments_before(scores, np.array([30]), 10)
    before = scores[:30]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        both = np.isfinite(before[:, [i, j]]).all(axis=1)
        wanted = np.corrcoef(before[both, i], before[both, j])[0, 1]
        assert found.correlations[0, i, j] == pytest.approx(wanted, abs=1e-12)
    assert found.counts.tolist() == [[29, 29, 30]]
    assert found.means[0] == pytest.approx(np.nanmean(before, axis=0))
    assert found.deviations[0] == pytest.approx(np.nanstd(before, axis=0, ddof=1))
    few = moments_before(scores, np.array([8]), 10)
    assert not few.correlations.any()


def test_a_component_that_does_not_vary_is_correlated_with_nothing() -> None:
    scores = np.column_stack([np.arange(9.0), np.full(9, 2.0), np.arange(9.0) ** 2])
    found = moments_before(scores, np.array([9]), 3).correlations
    assert found[0, 1].tolist() == [0, 0, 0]
    for loadings in (first_component(found), one_factor(found)):
        assert loadings[0, 1] == pytest.approx(0, abs=1e-12)
        assert np.isfinite(loadings).all()


def test_one_factor_of_three_is_known_in_closed_form() -> None:
    """With three components the factor fits all correlations: a^2 = r12 r13 / r23."""
    a, b, c = 0.9, 0.6, -0.4
    r = np.array([[1, a * b, a * c], [a * b, 1, b * c], [a * c, b * c, 1]])
    assert oriented(one_factor(r[None]), 0)[0] == pytest.approx([a, b, c], abs=1e-6)


def test_loadings_of_one_matrix_do_not_depend_on_others() -> None:
    draw = np.random.default_rng(2)
    stack = np.stack([np.corrcoef(draw.normal(size=(4, 30)) + draw.normal(size=30)) for _ in range(5)])
    for estimate in (one_factor, first_component):
        assert (estimate(stack)[:2] == estimate(stack[:2])).all()


def test_first_component_of_equal_correlations_is_equal_weights() -> None:
    found = oriented(first_component(equal(0.5)[None]), 2)
    assert found[0] == pytest.approx([3**-0.5] * 3)
    assert oriented(-found, 2) == pytest.approx(found)


def test_estimates_hold_until_the_next() -> None:
    found = held_from(np.array([[1.0], [2.0]]), np.array([1, 3]), 5)
    assert np.isnan(found[0, 0])
    assert found[1:, 0].tolist() == [1, 1, 2, 2]
    assert np.isnan(held_from(np.empty((0, 2)), np.array([], dtype=int), 3)).all()


def test_ewma_correlations_by_hand() -> None:
    """Deviations (.5, .5), then (.5, -.5) with decay .5: a covariance of 0; then nothing of b: a's alone goes on."""
    scores = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, NAN]])
    found = ewma_correlations(scores, 0.5)[:, 0, 1]
    assert found[0] == pytest.approx(1)
    assert found[1] == pytest.approx((0.5 * 0.125 - 0.125) / (0.5 * 0.125 + 0.125))
    assert abs(found[2]) < abs(found[1])
    same = ewma_correlations(np.random.default_rng(3).uniform(size=(20, 1)).repeat(3, axis=1), 0.93)
    assert same == pytest.approx(1.0)


def test_ewma_correlations_are_those_of_something_whatever_is_missing() -> None:
    draw = np.random.default_rng(4)
    scores = draw.uniform(size=(200, 4))
    scores[draw.uniform(size=scores.shape) < 0.3] = NAN
    found = ewma_correlations(scores, 0.8)
    assert np.linalg.eigvalsh(found).min() > -1e-12
    assert np.abs(found).max() <= 1 + 1e-12


# --- what stands in ------------------------------------------------------------------------------------------------


def test_the_latest_score_stands_in_up_to_its_age() -> None:
    scores = np.array([[NAN], [1.0], [NAN], [NAN], [NAN]])
    latest, stands_in = latest_of(scores, 2)
    assert latest[:, 0].tolist() == [-1, 1, 1, 1, 1]
    assert stands_in[:, 0].tolist() == [False, False, True, True, False]


def test_of_two_components_the_factor_says_the_regression() -> None:
    """Means 1 and 2, deviations 2 and 3, correlation .6: of the first at 5 (two deviations up) 2 + 3 x .6 x 2 = 5.6."""
    r = equal(0.6, 2)[None]
    told = Moments(np.array([[9, 9]]), np.array([[1.0, 2.0]]), np.array([[2.0, 3.0]]), r)
    found = factor_fill(np.array([[5.0, NAN]]), one_factor(r), told)
    assert found[0, 1] == pytest.approx(5.6, abs=1e-6)
    nothing = factor_fill(np.array([[NAN, NAN]]), one_factor(r), told)
    assert nothing[0].tolist() == [1.0, 2.0]
