"""Figures of several series as a mixture of normal distributions, by expectation and maximization.

Dempster, Laird and Rubin (1977, Journal of the Royal Statistical Society B 39). Each month is judged by itself: unlike
a Markov chain a mixture knows nothing of the month before. States are told apart by the mean of the first series, in
rising order. The search has one start, so that the same figures give the same states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from macro_assets.transforms.regimes.errors import RegimeError

Array = np.ndarray

STEPS = 500
TOLERANCE = 1e-8
"""Of the mean log-likelihood between two steps, at which the search ends."""
RIDGE = 1e-6
"""Added to the variances, of figures with a deviation of one."""
LEAST = 5
"""Observations that a state must have."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Estimates, by state in the order of the labels, of figures less `center` over `scale`.

    `weights`: (k,); `means`: (k, d); `covariances`: (k, d, d).
    """

    center: Array
    scale: Array
    weights: Array
    means: Array
    covariances: Array
    loglikelihood: float
    observations: int


def fit(values: Array, states: int) -> Fit:
    """The mixture of some figures.

    Parameters
    ----------
    values
        A row a period, a column a series, none missing. The search starts from equal shares by size of the first.
    states
        How many.

    Raises
    ------
    RegimeError
        Of too few figures, of missing, infinite or constant ones, and where the likelihood is highest with fewer than
        :data:`LEAST` periods in a state.
    """
    values = np.asarray(values, dtype=float)
    rows, columns = values.shape
    if rows < (least := (LEAST + columns) * states):
        raise RegimeError(f"expected at least {least} periods, got {rows}")
    if not np.isfinite(values).all():
        raise RegimeError("expected figures that are numbers, some are missing or infinite")
    center, scale = values.mean(axis=0), values.std(axis=0)
    if (scale <= 1e-9 * np.maximum(1.0, np.abs(values).max(axis=0))).any():
        raise RegimeError("expected figures that differ, those of a series do not")
    z = (values - center) / scale
    ranks = np.argsort(np.argsort(z[:, 0], kind="stable"), kind="stable")
    share = np.eye(states)[ranks * states // rows]
    before = -np.inf
    for _ in range(STEPS):
        weights, means, covariances = _estimated(z, share)
        joint = _joint(z, weights, means, covariances)
        total = np.logaddexp.reduce(joint, axis=1)
        share, now = np.exp(joint - total[:, None]), float(total.mean())
        if now - before < TOLERANCE:
            break
        before = now
    if share.sum(axis=0).min() < LEAST:
        told = ", ".join(f"{s:.1f}" for s in share.sum(axis=0))
        raise RegimeError(f"expected {states} states with at least {LEAST} periods each, got {told}")
    order = np.argsort(means[:, 0], kind="stable")
    llf = float(total.sum() - rows * np.log(scale).sum())
    return Fit(center, scale, weights[order], means[order], covariances[order], llf, rows)


def probabilities(values: Array, estimates: Fit) -> Array:
    """Probability of each state given the figures of the period: a row a period, a column a state by label."""
    z = (np.asarray(values, dtype=float) - estimates.center) / estimates.scale
    joint = _joint(z, estimates.weights, estimates.means, estimates.covariances)
    found: Array = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])
    return found


def _estimated(z: Array, share: Array) -> tuple[Array, Array, Array]:
    """Weights, means and covariances of periods that belong to the states by these shares."""
    size = share.sum(axis=0) + 10 * np.finfo(float).eps
    means = (share.T @ z) / size[:, None]
    off = z[None] - means[:, None]
    covariances = np.einsum("nk,kni,knj->kij", share, off, off) / size[:, None, None]
    return size / size.sum(), means, covariances + RIDGE * np.eye(z.shape[1])


def _joint(z: Array, weights: Array, means: Array, covariances: Array) -> Array:
    """Log of weight times density: a row a period, a column a state.

    Element by element, without a matrix product: what comes out of a period must not depend, to the last bit, on how
    many stand beside it.
    """
    off = z[:, None] - means
    inverse = np.linalg.inv(covariances)
    series = range(z.shape[1])
    distance = sum(inverse[:, i, j] * off[..., i] * off[..., j] for i in series for j in series)
    _, volume = np.linalg.slogdet(covariances)
    joint: Array = np.log(weights) - 0.5 * (distance + volume + z.shape[1] * np.log(2 * np.pi))
    return joint
