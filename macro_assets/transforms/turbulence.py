"""How unusual the returns of a day are together, and how much of all variance a few factors absorb."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]

CONDITION = 1e10
"""Of the correlations, from which on they have no inverse."""


def squared_distance(rows: Numbers, mean: Numbers, covariance: Numbers) -> Numbers | None:
    """Squared Mahalanobis distance of each row, (r - m)' C^-1 (r - m) (Kritzman and Li, 2010, equation 1).

    With independent returns of variance one it is the squared norm. None where the covariance has no inverse: a series
    does not move, or one is made of others.
    """
    deviation = np.sqrt(np.diagonal(covariance))
    if not (deviation > 0).all():
        return None
    correlation = covariance / np.outer(deviation, deviation)
    if not np.linalg.cond(correlation) < CONDITION:
        return None
    scores = (rows - mean) / deviation
    distances: Numbers = (scores * np.linalg.solve(correlation, scores.T).T).sum(axis=1)
    return distances


def turbulence(returns: Numbers, starts: Sequence[int], min_obs: int, window: int | None = None) -> Numbers:
    """The distance of each day from what was usual before its period.

    Parameters
    ----------
    returns
        Days by series, all known.
    starts
        Rows at which periods begin, the first of them 0. Mean and covariance (n - 1) are of the days before.
    min_obs
        Days before a period that it needs.
    window
        Of the days before, how many count; None for all.
    """
    found = np.full(len(returns), np.nan)
    for start, end in zip(starts, [*starts, len(returns)][1:], strict=True):
        sample = returns[max(start - window, 0) if window else 0 : start]
        if len(sample) < max(min_obs, 2):
            continue
        covariance = np.atleast_2d(np.cov(sample, rowvar=False))
        distances = squared_distance(returns[start:end], sample.mean(axis=0), covariance)
        if distances is not None:
            found[start:end] = distances
    return found


def absorption(returns: Numbers, window: int, half_life: float, factors: int) -> Numbers:
    """Share of all variance that the largest eigenvectors of the covariance absorb (Kritzman and others, 2011).

    Parameters
    ----------
    returns
        Days by series, all known.
    window
        Days of the covariance, which end with the day itself.
    half_life
        Days after which one counts half.
    factors
        How many eigenvectors.

    Returns
    -------
    array
        From 0 to 1, and 1 where all series move as one; not a number before the first whole window, and where nothing
        moves.
    """
    weights = 0.5 ** (np.arange(window)[::-1] / half_life)
    weights /= weights.sum()
    found = np.full(len(returns), np.nan)
    for end in range(window, len(returns) + 1):
        sample = returns[end - window : end]
        centred = sample - weights @ sample
        variances = np.linalg.eigvalsh((centred * weights[:, None]).T @ centred)
        total = variances.sum()
        if total > 0:
            found[end - 1] = min(variances[-factors:].sum() / total, 1.0)
    return found
