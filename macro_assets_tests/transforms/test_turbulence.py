"""Turbulence and absorption in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from macro_assets.transforms.turbulence import absorption, squared_distance, turbulence

R = np.array([[1.0, 1.0, 0.0], [1.0, -2.0, 2.0]])


def test_with_the_identity_it_is_the_squared_norm() -> None:
    assert squared_distance(R, np.zeros(3), np.eye(3)) == pytest.approx([2.0, 9.0])
    assert squared_distance(R + 5, np.full(3, 5.0), np.eye(3)) == pytest.approx([2.0, 9.0])


def test_moves_against_the_correlation_are_more_turbulent() -> None:
    """Variance 1, correlation 1/2: (r1^2 + r2^2 - r1 r2) / (3/4)."""
    covariance = np.array([[1.0, 0.5], [0.5, 1.0]])
    rows = np.array([[1.0, 1.0], [1.0, -1.0]])
    assert squared_distance(rows, np.zeros(2), covariance) == pytest.approx([4 / 3, 4.0])


@pytest.mark.parametrize("covariance", [np.ones((2, 2)), np.diag([1.0, 0.0])])
def test_a_covariance_without_inverse_has_no_distance(covariance: np.ndarray) -> None:
    assert squared_distance(R[:, :2], np.zeros(2), covariance) is None


def test_a_period_is_measured_by_the_days_before_it() -> None:
    returns = np.random.default_rng(7).normal(size=(60, 2))
    found = turbulence(returns, [0, 20, 40], 15)
    assert np.isnan(found[:20]).all()
    expected = squared_distance(returns[40:], returns[:40].mean(axis=0), np.cov(returns[:40].T))
    assert found[40:] == pytest.approx(expected)
    later = np.where(np.arange(60)[:, None] >= 40, 1e6 * returns, returns)
    assert turbulence(later, [0, 20, 40], 15)[:40].tobytes() == found[:40].tobytes()
    rolling = squared_distance(returns[40:], returns[20:40].mean(axis=0), np.cov(returns[20:40].T))
    assert turbulence(returns, [0, 20, 40], 15, 20)[40:] == pytest.approx(rolling)


def test_what_moves_as_one_is_absorbed_whole() -> None:
    one = np.random.default_rng(7).normal(size=30)
    assert absorption(np.column_stack([one, 2 * one, -one]), 20, 10, 1)[19:] == pytest.approx(np.ones(11))


def test_of_independent_series_each_factor_absorbs_its_part() -> None:
    """Orthogonal returns of variance 1 and 1; of variance 4 and 1 the larger has 4/5. Days of weight 1 and 1/2."""
    signs = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert absorption(signs, 4, 1e12, 1)[-1] == pytest.approx(0.5)
    assert absorption(signs * [2, 1], 4, 1e12, 1)[-1] == pytest.approx(0.8)
    assert absorption(np.array([[0.0, 1.0], [3.0, 1.0], [0.0, 2.0]]), 3, 1, 1)[-1] == pytest.approx(_by_hand())
    assert np.isnan(absorption(np.zeros((5, 2)), 4, 10, 1)).all()


def _by_hand() -> float:
    """Weights 1/7, 2/7, 4/7: variances 90/49 and 12/49, covariance -24/49."""
    a, b, c = 90 / 49, 12 / 49, -24 / 49
    return ((a + b) / 2 + (((a - b) / 2) ** 2 + c**2) ** 0.5) / (a + b)
