"""Tests for a break in a series' mean or in its own dynamics, and for a drift of its distribution.

References: Chow (1960); Ploberger and Kraemer (1992) for the CUSUM of OLS residuals, whose supremum is that of a
Brownian bridge (the Kolmogorov distribution), with the long-run variance of Newey and West (1987) where residuals are
autocorrelated; Siddiqi (2006) for the population stability index; Kolmogorov and Smirnov for two samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from macro_assets.transforms.stationarity import UntestableError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Break:
    """What a test found: the statistic, its p-value under no break, and the position where a break is most likely."""

    statistic: float
    p_value: float
    at: int


@dataclass(frozen=True)
class Drift:
    """How far later figures are from earlier ones.

    `psi` is the population stability index by quantiles of the earlier figures; without any drift it is about
    `(bins - 1) (1 / later + 1 / earlier)`, so that the usual limit of 0.25 needs some tens of later figures. `p_value`
    is of the two-sample test of Kolmogorov and Smirnov.
    """

    psi: float
    p_value: float


def cusum(values: pl.Series, *, lags: int | None = None) -> Break:
    """Test whether the mean of figures in order of time is one.

    Parameters
    ----------
    lags
        Of the long-run variance; by default the integer part of `4 (n / 100) ** (2 / 9)`, 0 for none.

    Raises
    ------
    UntestableError
        Fewer than eight figures, or figures that do not vary.
    """
    import numpy as np
    from scipy.special import kolmogorov

    x = _figures(values, 8)
    n = len(x)
    errors = x - x.mean()
    bandwidth = int(4 * (n / 100) ** (2 / 9)) if lags is None else lags
    variance = errors @ errors / n
    for lag in range(1, bandwidth + 1):
        variance += 2 * (1 - lag / (bandwidth + 1)) * (errors[lag:] @ errors[:-lag]) / n
    if variance <= 1e-20 * (x @ x / n):
        raise UntestableError(f"expected figures that vary, all {n} are equal")
    path = np.abs(np.cumsum(errors)) / np.sqrt(n * variance)
    at = int(path.argmax())
    return Break(float(path[at]), float(kolmogorov(path[at])), at + 1)


def chow(values: pl.Series, at: int) -> Break:
    """Test whether a first-order autoregression is the same before a position and from it on: Chow's F test.

    Raises
    ------
    UntestableError
        Fewer than four pairs of figures on one side, or figures that do not vary.
    """
    import numpy as np
    from scipy.stats import f

    x = _figures(values, 8)
    y, design = x[1:], np.column_stack([np.ones(len(x) - 1), x[:-1]])
    split = at - 1
    if split < 4 or len(y) - split < 4:
        raise UntestableError(f"expected four pairs of figures on each side of {at}, got {len(x)} figures")
    pooled = _squares(y, design)
    apart = _squares(y[:split], design[:split]) + _squares(y[split:], design[split:])
    if apart <= 1e-20 * (y @ y):
        raise UntestableError(f"expected figures that vary, all {len(x)} lie on one line")
    k, free = design.shape[1], len(y) - 2 * design.shape[1]
    statistic = (pooled - apart) / k / (apart / free)
    return Break(float(statistic), float(f.sf(statistic, k, free)), at)


def drift(earlier: pl.Series, later: pl.Series, *, bins: int = 5) -> Drift:
    """How far the distribution of later figures is from that of earlier ones.

    Bins are equally likely among the earlier figures. An empty one counts as half a figure.

    Raises
    ------
    UntestableError
        Fewer earlier figures than two a bin, no later ones, or quantiles that are not apart.
    """
    import numpy as np
    from scipy.stats import ks_2samp

    before, after = _figures(earlier, 2 * bins), _figures(later, 1)
    edges = np.quantile(before, np.linspace(0, 1, bins + 1)[1:-1])
    if (np.diff(edges) <= 0).any():
        raise UntestableError(f"expected figures that vary, {bins} quantiles of {len(before)} are not apart")
    counts = [np.bincount(np.searchsorted(edges, x, side="left"), minlength=bins) for x in (before, after)]
    expected, found = (np.maximum(c, 0.5) / c.sum() for c in counts)
    psi = float(((found - expected) * np.log(found / expected)).sum())
    return Drift(psi, float(ks_2samp(before, after, method="asymp").pvalue))


def _figures(values: pl.Series, least: int) -> np.ndarray:
    x: np.ndarray = values.cast(pl.Float64).drop_nulls().drop_nans().to_numpy()
    if len(x) < least:
        raise UntestableError(f"expected {least} figures or more, got {len(x)}")
    return x


def _squares(y: np.ndarray, design: np.ndarray) -> float:
    import numpy as np

    errors = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(errors @ errors)
