"""Weights of the parts of an index, estimated of nothing but their past: loadings, correlations, portfolio weighting.

Arrays are of periods by components, NaN where a component has no score.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Numbers = np.ndarray[Any, Any]

LEAST_UNIQUE = 0.005
"""Share of a component that no factor may explain: below it the likelihood has no maximum (Heywood cases)."""

CLOSE, STEPS, NEAR, RIDGE = 1e-8, 60, 0.9, 1e-10
"""Of the search for loadings: the move that ends it, most moves, how far out it starts, what keeps it defined."""


class Moments(NamedTuple):
    """Of scores before some periods: counts, means, standard deviations (by component) and correlations (by pair)."""

    counts: Numbers
    means: Numbers
    deviations: Numbers
    correlations: Numbers


def moments_before(scores: Numbers, periods: Numbers, least: int) -> Moments:
    """Moments of all scores before each of some periods, of a pair of those that both have.

    Pairs with fewer than `least` joint scores, or one of which does not vary, have a correlation of zero.
    """
    known = np.isfinite(scores)
    x, m = np.where(known, scores, 0.0), known.astype(float)
    n, sums, squares, products = (
        np.concatenate([np.zeros((1, *pairs.shape[1:])), pairs.cumsum(axis=0)])[periods]
        for pairs in (a[:, :, None] * b[:, None, :] for a, b in ((m, m), (x, m), (x * x, m), (x, x)))
    )
    with np.errstate(all="ignore"):
        variance = squares - sums**2 / n
        varies = (n >= least) & (variance > 1e-12 * n) & (variance.swapaxes(1, 2) > 1e-12 * n)
        scale = np.sqrt(variance * variance.swapaxes(1, 2))
        correlation = np.where(varies, (products - sums * sums.swapaxes(1, 2) / n) / scale, 0.0)
        count, mean = _diagonals(n), _diagonals(sums / n)
        deviation = np.sqrt(_diagonals(variance) / (count - 1))
    own = np.eye(scores.shape[1], dtype=bool)
    return Moments(count, mean, deviation, np.where(own, _diagonals(varies)[:, None, :] * 1.0, correlation))


def first_component(correlations: Numbers) -> Numbers:
    """Loadings of the first principal component of each correlation matrix, of length one and of either sign."""
    return np.linalg.eigh(correlations)[1][:, :, -1]


def one_factor(correlations: Numbers) -> Numbers:
    """Loadings of the one factor of each correlation matrix by maximum likelihood, of either sign.

    By Fisher's scoring from the first principal component, with half the step where it would not be uphill; of a
    correlation matrix the variances fit at the maximum, so that the loadings are all there is to estimate (Lawley and
    Maxwell, 1971, Factor analysis as a statistical method). A component that is correlated with no other has a loading
    of zero.
    """
    own = np.eye(correlations.shape[1], dtype=bool)
    told, most = np.where(own, 1.0, correlations), np.sqrt(1 - LEAST_UNIQUE)
    values, vectors = np.linalg.eigh(correlations)
    start = vectors[:, :, -1] * np.sqrt(np.maximum(values[:, -1:], 0)) * NEAR
    loading: Numbers = np.clip(start, -most, most)
    likelihood, reach = _likelihood(told, loading), np.ones((len(told), 1))
    moving = np.arange(len(told))
    for _ in range(STEPS):
        if not len(moving):
            break
        old = loading[moving]
        new = np.clip(old + reach[moving] * _uphill(told[moving], old, most), -most, most)
        found = _likelihood(told[moving], new)
        better = found >= likelihood[moving]
        loading[moving[better]], likelihood[moving[better]] = new[better], found[better]
        reach[moving] = np.where(better[:, None], np.minimum(2 * reach[moving], 1), reach[moving] / 2)
        moving = moving[np.abs(new - old).max(axis=1, initial=0) > CLOSE]
    return loading


def _implied(loadings: Numbers) -> Numbers:
    own = np.eye(loadings.shape[1], dtype=bool)
    return np.where(own, 1.0, loadings[:, :, None] * loadings[:, None, :])


def _likelihood(correlations: Numbers, loadings: Numbers) -> Numbers:
    """Twice the log-likelihood per observation, but for a constant."""
    implied = _implied(loadings)
    found: Numbers = -np.linalg.slogdet(implied)[1] - (np.linalg.inv(implied) * correlations).sum(axis=(1, 2))
    return found


def _uphill(correlations: Numbers, loadings: Numbers, most: float) -> Numbers:
    """The step of Fisher's scoring; none of a loading that is at its bound and would pass it."""
    own = np.eye(loadings.shape[1], dtype=bool)
    implied = _implied(loadings)
    precision, others = np.linalg.inv(implied), np.where(own, 0.0, loadings[:, None, :])
    slope = (precision @ (correlations - implied) @ precision * others).sum(axis=2)
    turned = others @ precision
    information = turned * turned.swapaxes(1, 2) + precision * (turned @ others.swapaxes(1, 2))
    bound = (np.abs(loadings) >= most) & (slope * loadings > 0)
    slope = np.where(bound, 0.0, slope)
    information = np.where(bound[:, :, None] | bound[:, None, :], own * 1.0, information)
    return np.linalg.solve(information + RIDGE * own, slope[:, :, None])[:, :, 0]


def uniqueness(loadings: Numbers) -> Numbers:
    """What the factor leaves of the variance of each standardized component."""
    found: Numbers = np.maximum(1 - loadings**2, LEAST_UNIQUE)
    return found


def oriented(loadings: Numbers, anchor: int) -> Numbers:
    """The same loadings with a sign by which that of the anchor is not below zero."""
    return loadings * np.where(loadings[:, anchor : anchor + 1] < 0, -1.0, 1.0)


def held_from(estimates: Numbers, periods: Numbers, n: int) -> Numbers:
    """Estimates made at some periods as they hold in each of n periods: from their own to the next; NaN before."""
    if not len(periods):
        return np.full((n, *estimates.shape[1:]), np.nan)
    latest = np.searchsorted(periods, np.arange(n), side="right") - 1
    before = (latest < 0).reshape(-1, *[1] * (estimates.ndim - 1))
    return np.where(before, np.nan, estimates[np.maximum(latest, 0)])


def ewma_correlations(scores: Numbers, decay: float, centre: float = 0.5) -> Numbers:
    """Correlations of scores about their centre at each period, exponentially weighted, with those of the period.

    A component without a score adds nothing to the period, so that each matrix is one of correlations.

    Source: Hollo, Kremer and Lo Duca (2012), CISS - a composite indicator of systemic stress, ECB working paper 1426,
    whose decay is 0.93 a week.
    """
    x = np.where(np.isfinite(scores), scores - centre, 0.0)
    products = x[:, :, None] * x[:, None, :] * (1 - decay)
    state, found = np.zeros(products.shape[1:]), np.empty_like(products)
    for period, product in enumerate(products):
        state = decay * state + product
        found[period] = state
    deviation = np.sqrt(_diagonals(found))
    scale = deviation[:, :, None] * deviation[:, None, :]
    own = np.eye(scores.shape[1], dtype=bool)
    return np.where(own, 1.0, np.divide(found, scale, out=np.zeros_like(found), where=scale > 0))


def portfolio(parts: Numbers, correlations: Numbers) -> Numbers:
    """What each part contributes to the root of `parts' C parts`, that of a portfolio: they add up to it.

    With all correlations one it is the sum of the parts, with none the root of the sum of their squares (Euler's rule).

    Parameters
    ----------
    parts
        Weight times score by period and component, zero where there is none.
    correlations
        By period.
    """
    together = (correlations * parts[:, None, :]).sum(axis=2)
    square = parts * together
    index = np.sqrt(np.maximum(square.sum(axis=1, keepdims=True), 0))
    found: Numbers = np.divide(square, index, out=np.zeros_like(square), where=index > 0)
    return found


def _diagonals(matrices: Numbers) -> Numbers:
    return np.diagonal(matrices, axis1=1, axis2=2)
