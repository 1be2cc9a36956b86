"""A figure with one mean in each of two states of a hidden chain, and one variance: the low state, told a figure later.

Estimated by maximum likelihood, always from the same start: some steps of expectation and maximization (Hamilton 1990,
Journal of Econometrics 45), then by the slope that these give. With one variance the likelihood has a bound, so that a
state may be rare, as recessions are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray

LEAST = 10
"""Figures below which nothing is estimated."""
STEPS = 20
"""Of expectation and maximization, before the likelihood is climbed by its slope."""
CLOSE = 1e-6
"""Slope of the likelihood, a figure, at which the search ends."""
LOW = 0.25
"""Share of the figures, the lowest, that the search takes for the low state first."""


class StatesError(ValueError):
    """Figures that tell no two states apart: the message says what was expected and what came."""


@dataclass(frozen=True)
class States:
    """Estimates, of the low state first: means, probabilities of staying; and the variance of both."""

    means: tuple[float, float]
    staying: tuple[float, float]
    variance: float
    loglikelihood: float

    @property
    def low_share(self) -> float:
        """In the long run."""
        leaving = 1 - np.asarray(self.staying)
        return float(leaving[1] / leaving.sum()) if leaving.sum() > 0 else 0.5


def fit(values: ArrayLike) -> States:
    """The states of some figures.

    Parameters
    ----------
    values
        In order of time; NaN where one is missing, over which time passes.

    Raises
    ------
    StatesError
        Of fewer than :data:`LEAST` figures, of constant ones, and where not one figure is in one of the states.
    """
    return _fit(tuple(np.asarray(values, dtype=float).tolist()))


@lru_cache(maxsize=512)
def _fit(told: tuple[float, ...]) -> States:
    values = np.asarray(told)
    known = values[np.isfinite(values)]
    if known.size < LEAST:
        raise StatesError(f"expected at least {LEAST} figures, got {known.size}")
    if np.ptp(known) <= 1e-9 * max(1.0, float(np.abs(known).max())):
        raise StatesError(f"expected figures that differ, all are {known[0]:g}")
    cut = float(np.quantile(known, LOW))
    means = (float(known[known <= cut].mean()), float(known[known > cut].mean()))
    within = _within(known, float(np.mean(np.where(known <= cut, known - means[0], known - means[1]) ** 2)))
    states = States(means, (0.8, 0.9), within, -np.inf)
    for _ in range(STEPS):
        states = _maximized(values, states)
    return _climbed(values, states)


def _climbed(values: Array, states: States) -> States:
    """The highest likelihood near some estimates, over their means, log variance and logits of staying."""
    from scipy.optimize import minimize
    from scipy.special import expit, logit

    scale = states.variance**0.5

    def made(at: Array) -> States:
        means, staying = (at[:2] * scale).tolist(), expit(np.clip(at[3:], -_FAR, _FAR)).tolist()
        return States((means[0], means[1]), (staying[0], staying[1]), float(np.exp(at[2])) * scale**2, 0.0)

    def loss(at: Array) -> tuple[float, Array]:
        loglikelihood, slope = _slope(values, made(at), scale)
        return -loglikelihood / values.size, -slope / values.size

    begin = np.array([*np.asarray(states.means) / scale, 0.0, *np.clip(logit(states.staying), -_FAR, _FAR)])
    found = minimize(loss, begin, jac=True, method="BFGS", options={"gtol": CLOSE})
    best = made(found.x)
    order = [int(n) for n in np.argsort(best.means)]
    low, _, loglikelihood = _smoothed(values, best)
    _refuse_empty(low[np.isfinite(values)])
    means, staying = ([float(told[n]) for n in order] for told in (best.means, best.staying))
    return States((means[0], means[1]), (staying[0], staying[1]), best.variance, loglikelihood)


def _slope(values: Array, states: States, scale: float) -> tuple[float, Array]:
    """The log-likelihood and its slope: that of the figures and states together, expected given the figures."""
    low, both, loglikelihood = _smoothed(values, states)
    known = np.isfinite(values)
    apart = values[known][:, None] - np.asarray(states.means)
    weights = np.column_stack([low, 1 - low])[known]
    by_mean = (weights * apart).sum(axis=0) / states.variance * scale
    by_variance = ((weights * apart**2).sum() / states.variance - known.sum()) / 2
    staying, first = np.asarray(states.staying), np.array([low[0], 1 - low[0]])
    steps = np.diag(both) * (1 - staying) - (both.sum(axis=1) - np.diag(both)) * staying
    begin = staying * (1 - staying) / max(2 - staying.sum(), 1e-300) - (1 - first) * staying
    return loglikelihood, np.array([*by_mean, by_variance, *(steps + begin)])


_FAR = 15.0
"""Logit beyond which a probability is taken as 0 or 1."""


def _maximized(values: Array, states: States) -> States:
    """Estimates given how probable the states are of each figure, and how often each follows each, by the last ones."""
    low, both, loglikelihood = _smoothed(values, states)
    known = np.isfinite(values)
    _refuse_empty(low[known])
    weights, figures = np.stack([low, 1 - low])[:, known], values[known]
    means = weights @ figures / weights.sum(axis=1)
    variance = _within(figures, float((weights * (figures - means[:, None]) ** 2).sum() / figures.size))
    staying = np.diag(both) / both.sum(axis=1)
    return States((float(means[0]), float(means[1])), (float(staying[0]), float(staying[1])), variance, loglikelihood)


def _refuse_empty(low: Array) -> None:
    if (least := min(low.sum(), (1 - low).sum())) < 1:
        raise StatesError(f"expected a figure in each of two states, of {low.size} one has {least:.1f}")


def _within(figures: Array, variance: float) -> float:
    """The variance, if there is any."""
    if variance <= 1e-12 * float(np.var(figures)):
        raise StatesError(f"expected figures that vary within two states, {figures.size} do not")
    return variance


def _smoothed(values: Array, states: States) -> tuple[Array, Array, float]:
    """Probability of the low state of each figure given all, expected number of steps by states, and the likelihood."""
    low, (stay, stay_high) = _likely(values, states), states.staying
    predicted, filtered, loglikelihood = [], [], 0.0
    expected = states.low_share
    for in_low, in_high in low:
        predicted.append(expected)
        one, other = expected * in_low, (1 - expected) * in_high
        loglikelihood += np.log(one + other)
        filtered.append(one / (one + other))
        expected = filtered[-1] * stay + (1 - filtered[-1]) * (1 - stay_high)
    known, both = filtered[-1], np.zeros((2, 2))
    smoothed = [known]
    for now, ahead in zip(reversed(filtered[:-1]), reversed(predicted[1:]), strict=True):
        to_low, to_high = _share(known, ahead), _share(1 - known, 1 - ahead)
        steps = (now * stay * to_low, now * (1 - stay) * to_high), (
            (1 - now) * (1 - stay_high) * to_low, (1 - now) * stay_high * to_high,
        )  # fmt: skip
        both += steps
        known = sum(steps[0])
        smoothed.append(known)
    constant = np.isfinite(values).sum() * np.log(2 * np.pi * states.variance) / 2
    return np.clip(smoothed[::-1], 0, 1), both, float(loglikelihood + _scale(values, states) - constant)


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _distances(values: Array, states: States) -> Array:
    """Half the squared distance of each figure from both means, in variances; 0 where it is missing."""
    return np.asarray(np.nan_to_num((values[:, None] - np.asarray(states.means)) ** 2 / states.variance / 2, nan=0.0))


def _scale(values: Array, states: States) -> float:
    return -float(_distances(values, states).min(axis=1).sum())


def _likely(values: Array, states: States) -> list[list[float]]:
    """Likelihood of each figure in both states over that in the likelier one."""
    distance = _distances(values, states)
    found: list[list[float]] = np.exp(distance.min(axis=1, keepdims=True) - distance).tolist()
    return found


def told_later(values: ArrayLike, states: States) -> Array:
    """Probability that the low state held a figure ago, given the figures up to each; NaN of the first.

    Parameters
    ----------
    values
        As :func:`fit` takes them.
    """
    figures, (stay, stay_high) = np.asarray(values, dtype=float), states.staying
    found, filtered = np.full(len(figures), np.nan), states.low_share
    for place, (in_low, in_high) in enumerate(_likely(figures, states)):
        was_low = filtered * stay * in_low, filtered * (1 - stay) * in_high
        was_high = (1 - filtered) * (1 - stay_high) * in_low, (1 - filtered) * stay_high * in_high
        whole = sum(was_low) + sum(was_high)
        if place:
            found[place] = sum(was_low) / whole
        filtered = (was_low[0] + was_high[0]) / whole
    return np.asarray(np.clip(found, 0, 1))


def begun_and_ended(probabilities: Array, begins_above: float, ends_below: float) -> Array:
    """Whether a state is on: it begins where its probability is above one bound, and ends where it is below the other.

    Between the two it stays as it was, and so where nothing is known; before it ever began it is off.
    """
    turns = np.select([probabilities > begins_above, probabilities < ends_below], [1, 0], default=-1)
    last = np.maximum.accumulate(np.where(turns >= 0, np.arange(len(turns)), -1))
    return np.asarray((last >= 0) & (turns[last] == 1))
