"""One factor of many series: the first principal component of a sample, and what it is of other rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Numbers = np.ndarray[Any, Any]

STILL = 1e-9
"""Standard deviation, as a share of the size of the figures, below which a series does not move."""


class Factor(NamedTuple):
    """What a sample says of the factor: of each series mean, deviation and weight, and the factor's own deviation.

    A series that does not move in the sample has the weight 0.
    """

    mean: Numbers
    deviation: Numbers
    weights: Numbers
    scale: float


def first_factor(values: Numbers, anchor: int) -> Factor | None:
    """The first principal component of the series' correlations over the rows that have them all.

    Parameters
    ----------
    values
        Rows by series; not a number where there is none.
    anchor
        Column of the series that rises with the factor: it decides the sign, which the data do not.

    Returns
    -------
    Factor or None
        None of fewer than three whole rows, and where the anchor does not move or has no part in the factor.
    """
    sample = values[np.isfinite(values).all(axis=1)]
    if len(sample) < 3:
        return None
    mean, deviation = sample.mean(axis=0), sample.std(axis=0, ddof=1)
    moves = deviation > STILL * np.abs(sample).max(axis=0)
    if not moves[anchor]:
        return None
    scores = (sample[:, moves] - mean[moves]) / deviation[moves]
    weights = np.zeros(values.shape[1])
    weights[moves] = np.linalg.eigh(scores.T @ scores)[1][:, -1]
    if abs(weights[anchor]) < STILL:
        return None
    weights *= np.sign(weights[anchor])
    scale = float((scores @ weights[moves]).std(ddof=1))
    return Factor(mean, np.where(moves, deviation, 1.0), weights, scale)


def of_rows(values: Numbers, factor: Factor, min_share: float) -> Numbers:
    """The factor of each row, in its own deviations: least squares on the series that are known.

    It is the weighted sum of the scores over the sum of the squared weights, both of the known series. A row in which
    these have less than `min_share` of the squared weights is not a number.
    """
    scores = (values - factor.mean) / factor.deviation
    known = np.isfinite(scores)
    share = (known * factor.weights**2).sum(axis=1)  # by row: a product of matrices rounds by the number of rows
    enough = share >= max(min_share - STILL, STILL)
    sums = (np.where(known, scores, 0.0) * factor.weights).sum(axis=1)
    return np.where(enough, sums / np.where(enough, share, 1.0) / factor.scale, np.nan)
