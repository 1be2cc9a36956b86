"""Mixtures: against scikit-learn, a simulated truth, order of the states, each month by itself, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from macro_assets.transforms.regimes.errors import RegimeError
from macro_assets.transforms.regimes.mixture import fit, probabilities


@pytest.fixture(scope="module")
def clouds() -> tuple[np.ndarray, np.ndarray]:
    """Two clouds of 200 and 100 points, in units far apart, shuffled: points and which is which."""
    draw = np.random.default_rng(7)
    high = draw.permutation(np.repeat([False, True], [200, 100]))
    points = draw.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 300)
    points[high] = draw.multivariate_normal([3, -1], [[2, 0], [0, 0.5]], 100)
    return points * [100, 0.01], high


def test_it_is_the_mixture_that_scikit_learn_finds(clouds: tuple[np.ndarray, np.ndarray]) -> None:
    from sklearn.mixture import GaussianMixture

    points, high = clouds
    found = fit(points, 2)
    z = (points - found.center) / found.scale
    peer = GaussianMixture(2, tol=1e-8, max_iter=500, random_state=0).fit(z)
    order = np.argsort(peer.means_[:, 0])
    assert found.means == pytest.approx(peer.means_[order], abs=1e-3)
    assert found.covariances == pytest.approx(peer.covariances_[order], abs=1e-3)
    assert found.weights == pytest.approx(peer.weights_[order], abs=1e-3)
    assert found.loglikelihood == pytest.approx(300 * (peer.score(z) - np.log(found.scale).sum()), abs=0.01)
    told = probabilities(points, found)
    assert told == pytest.approx(peer.predict_proba(z)[:, order], abs=1e-3)
    assert ((told[:, 1] > 0.5) == high).mean() > 0.95


def test_states_are_in_rising_order_of_the_first_series(clouds: tuple[np.ndarray, np.ndarray]) -> None:
    points, _ = clouds
    plain, turned = fit(points, 2), fit(points * [-1, 1], 2)
    assert plain.means[0, 0] < plain.means[1, 0]
    assert turned.weights == pytest.approx(plain.weights[::-1], abs=1e-3)
    assert probabilities(points * [-1, 1], turned) == pytest.approx(probabilities(points, plain)[:, ::-1], abs=1e-3)


def test_a_month_is_judged_alike_alone_and_among_others(clouds: tuple[np.ndarray, np.ndarray]) -> None:
    """To the last bit: else a later month would move an earlier one."""
    points, _ = clouds
    found = fit(points, 2)
    whole = probabilities(points, found)
    assert all(np.array_equal(probabilities(points[:n], found), whole[:n]) for n in range(1, 40))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.ones((13, 2)), "expected at least 14 periods, got 13"),
        (np.append(np.zeros((20, 1)), [[np.inf]], axis=0), "some are missing or infinite"),
        (np.column_stack([np.arange(20.0), np.ones(20)]), "those of a series do not"),
        (np.append(np.linspace(0, 1, 40), [1e4, 1e4]).reshape(-1, 1), "at least 5 periods each"),
    ],
)
def test_figures_that_tell_no_states_apart_are_refused(values: np.ndarray, said: str) -> None:
    with pytest.raises(RegimeError, match=said):
        fit(values, 2)
