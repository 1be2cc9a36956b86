"""The probit: the probability of an event as the normal distribution of a line, by maximum likelihood.

Newton's method on a likelihood that is concave (Greene, Econometric Analysis, chapter on models for discrete choice),
always from zero, so that the same figures give the same estimates. Where a line tells all events from all else, or all
but some on the line itself, the likelihood has no maximum: that is refused, and no large number is given for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray

STEPS = 50
"""Of Newton's method: where there is a maximum, some eight find it."""
CLOSE = 1e-12
"""Share of the likelihood that a last step would still gain."""
COLLINEAR = 1e-10
"""Part of a regressor, by length, that the others must leave unexplained."""
SEPARATED = 1e-5
"""What the curvature must keep, in each direction, of that of a sum of squares: where events are separated, nothing."""


class ProbitError(ValueError):
    """Figures of which no probit can be estimated: the message says what was expected and what came."""


@dataclass(frozen=True)
class Probit:
    """Estimates: the constant first, then the slopes; with standard errors by the curvature that is observed."""

    coefficients: tuple[float, ...]
    standard_errors: tuple[float, ...]
    loglikelihood: float
    null_loglikelihood: float
    observations: int

    @property
    def pseudo_r2(self) -> float:
        """McFadden's: by what share the likelihood is better than that of the frequency alone."""
        return 1 - self.loglikelihood / self.null_loglikelihood

    def probability(self, regressors: ArrayLike) -> Array:
        """Of the event at regressors as :func:`fit` takes them."""
        return probability(regressors, self.coefficients)


def probability(regressors: ArrayLike, coefficients: ArrayLike) -> Array:
    """Probability of the event at regressors, a row each, or a number each of a single one; constant first."""
    from scipy.special import ndtr

    found: Array = ndtr(_with_constant(regressors) @ np.asarray(coefficients, dtype=float))
    return found


def fit(events: ArrayLike, regressors: ArrayLike) -> Probit:
    """Estimates of some events.

    Parameters
    ----------
    events
        1 where it happened, 0 where not.
    regressors
        A row an observation, a column a regressor, without the constant; of a single one, its values.

    Raises
    ------
    ProbitError
        Where figures are missing or no 0 or 1, the event always or never happened, regressors are constant or
        collinear, or the events are separated.
    """
    y, x = np.asarray(events, dtype=float), _with_constant(regressors)
    _refuse(y, x)
    scale = np.fmax(np.linalg.norm(x, axis=0), np.finfo(float).tiny)
    apart, mixed = np.linalg.qr(x / scale)
    if np.abs(np.diag(mixed)).min() < COLLINEAR:
        raise ProbitError(
            f"expected regressors that differ and vary apart, got collinear ones in {y.size} observations"
        )
    beta, information, likelihood = _maximum((2 * y - 1)[:, None] * apart)
    back = np.linalg.inv(mixed) / scale[:, None]
    share = float(y.mean())
    return Probit(
        tuple((back @ beta).tolist()),
        tuple(np.sqrt(np.diag(back @ np.linalg.inv(information) @ back.T)).tolist()),
        likelihood,
        float(y.size * (share * np.log(share) + (1 - share) * np.log(1 - share))),
        y.size,
    )


def _maximum(side: Array) -> tuple[Array, Array, float]:
    """Coefficients of orthonormal regressors that have the sign of what happened, the curvature there, the likelihood.

    Where events are separated the coefficients grow without end, and the curvature is lost in some direction.
    """
    beta, before = np.zeros(side.shape[1]), -np.inf
    for _ in range(STEPS):
        line = side @ beta
        likelihood, hazard = _likelihood(line)
        information = (side * (hazard * (hazard + line))[:, None]).T @ side
        if np.linalg.eigvalsh(information)[0] < SEPARATED:
            break
        if likelihood - before <= CLOSE * abs(likelihood):
            return beta, information, likelihood
        beta, before = beta + np.linalg.solve(information, side.T @ hazard), likelihood
    raise ProbitError(f"the events are separated: a line tells those of {len(side)} observations apart")


def _with_constant(regressors: ArrayLike) -> Array:
    x = np.asarray(regressors, dtype=float)
    x = x[:, None] if x.ndim == 1 else x
    return np.column_stack([np.ones(len(x)), x])


def _likelihood(line: Array) -> tuple[float, Array]:
    """Log-likelihood, and the density over the probability of what happened."""
    from scipy.special import log_ndtr

    log = log_ndtr(line)
    return float(log.sum()), np.exp(-(line**2) / 2 - np.log(2 * np.pi) / 2 - log)


def _refuse(y: Array, x: Array) -> None:
    if y.ndim != 1 or len(x) != y.size:
        raise ProbitError(f"expected an event for each observation, got {y.size} events and {len(x)} observations")
    if not (np.isin(y, (0, 1)).all() and np.isfinite(x).all()):
        raise ProbitError("expected events that are 0 or 1 and regressors that are numbers, got others or missing ones")
    if y.size == 0 or y.min() == y.max():
        raise ProbitError(f"expected some that happened and some that did not, got {int(y.sum())} of {y.size}")
    if len(x) < x.shape[1]:
        raise ProbitError(f"expected more than {x.shape[1]} observations, got {y.size}")
