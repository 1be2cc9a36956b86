"""Two states of a hidden chain: a simulated truth, one step by hand, statsmodels' likelihood, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from macro_assets.transforms.two_states import States, StatesError, begun_and_ended, fit, told_later

TRUTH = States((-2.0, 4.0), (0.75, 0.95), 4.0, 0.0)


def simulated(size: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Figures of a chain, and whether its state was the low one."""
    draw = np.random.default_rng(seed)
    low = np.zeros(size, dtype=bool)
    for t in range(1, size):
        low[t] = draw.random() < (TRUTH.staying[0] if low[t - 1] else 1 - TRUTH.staying[1])
    return np.where(low, *TRUTH.means) + draw.normal(size=size) * TRUTH.variance**0.5, low


def test_a_simulated_truth_is_found_again() -> None:
    values, low = simulated(1500)
    found = fit(values)
    assert found.means == pytest.approx(TRUTH.means, abs=0.4)
    assert found.staying == pytest.approx(TRUTH.staying, abs=0.06)
    assert found.variance == pytest.approx(TRUTH.variance, rel=0.1)
    later = told_later(values, found)[1:]
    called = begun_and_ended(later, 0.67, 0.33)
    assert np.mean(called == low[:-1]) > 0.93
    assert later[low[:-1]].mean() > 0.7 > 0.15 > later[~low[:-1]].mean()


def test_the_likelihood_is_that_of_statsmodels() -> None:
    """A published model's code at our estimates: no better ones are near, and its likelihood is the same number."""
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    values, _ = simulated(300)
    found = fit(values)
    (stay, stay_high), (low, high) = found.staying, found.means
    ours = [stay, 1 - stay_high, low, high, found.variance]
    model = MarkovRegression(values, k_regimes=2)
    assert model.loglike(ours) == pytest.approx(found.loglikelihood, abs=1e-4)
    for place in range(len(ours)):
        for change in (0.99, 1.01):
            near = [v * (change if n == place else 1) for n, v in enumerate(ours)]
            assert model.loglike(near) < found.loglikelihood


def test_one_step_by_hand() -> None:
    """Densities of 0 and 6: likely 1 and 0 of the low state but for a part e; the chain begins at its long run, 1/6."""
    low, high = np.exp(-((0 + 2) ** 2) / 8), np.exp(-((0 - 4) ** 2) / 8)
    first = 1 / 6 * low / (1 / 6 * low + 5 / 6 * high)
    low, high = np.exp(-((6 + 2) ** 2) / 8), np.exp(-((6 - 4) ** 2) / 8)
    was_low = first * (0.75 * low + 0.25 * high)
    was_high = (1 - first) * (0.05 * low + 0.95 * high)
    later = told_later([0.0, 6.0], TRUTH)
    assert np.isnan(later[0])
    assert later[1] == pytest.approx(was_low / (was_low + was_high), abs=1e-12)
    assert later[1] < first, "a high figure after it speaks against the low state"


def test_time_passes_over_a_missing_figure() -> None:
    whole = told_later([-5.0, np.nan, np.nan, np.nan], TRUTH)[1:]
    assert whole[0] > whole[1] > whole[2] > TRUTH.low_share


def test_a_state_is_on_from_one_bound_to_the_other() -> None:
    probabilities = np.array([np.nan, 0.5, 0.67, 0.68, 0.34, np.nan, 0.33, 0.32, 0.66, 0.9])
    assert begun_and_ended(probabilities, 0.67, 0.33).tolist() == [False] * 3 + [True] * 4 + [False] * 2 + [True]
    assert begun_and_ended(np.array([]), 0.67, 0.33).tolist() == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, 2.0] * 4, "at least 10 figures, got 8"),
        ([1.0] * 20, "figures that differ"),
        ([1.0, 5.0] * 10, "vary within"),
        ([np.nan] * 20, "got 0"),
    ],
)
def test_figures_that_tell_no_states_apart_are_refused(values: list[float], said: str) -> None:
    with pytest.raises(StatesError, match=said):
        fit(values)
