"""What stands in for a component of an index that has no score of its own in a period.

Arrays are of periods by components, NaN where a component has no score.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from macro_assets.transforms.weighting import Moments, uniqueness

Numbers = np.ndarray[Any, Any]


def latest_of(scores: Numbers, periods: int) -> tuple[Numbers, Numbers]:
    """Of each score the row of the latest one, its own included, and whether it is missing and no older than that."""
    rows = np.arange(len(scores))[:, None]
    latest = np.maximum.accumulate(np.where(np.isfinite(scores), rows, -1), axis=0)
    age = rows - latest
    return latest, (latest >= 0) & (age > 0) & (age <= periods)


def factor_fill(scores: Numbers, loadings: Numbers, moments: Moments) -> Numbers:
    """What one factor, as the other components of the period show it, makes of each component.

    The mean of the component given the present ones, under a factor model of the standardized scores.

    Parameters
    ----------
    loadings, moments
        By period and component, estimated before it; NaN where there are none.
    """
    unique = uniqueness(loadings)
    with np.errstate(all="ignore"):
        y = (scores - moments.means) / moments.deviations
        present = np.isfinite(y) & np.isfinite(loadings)
        slope = np.where(present, loadings / unique, 0.0)
        known = 1 + np.where(present, loadings**2 / unique, 0.0).sum(axis=1, keepdims=True)
        factor = (slope * np.where(present, y, 0.0)).sum(axis=1, keepdims=True) / known
        made: Numbers = moments.means + moments.deviations * loadings * factor
        return made
