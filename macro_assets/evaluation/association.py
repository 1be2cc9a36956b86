"""Do two variables go together, and how sure is it: coefficients with p-values that know of overlap and of panels.

Returns over several periods that overlap repeat each other, and markets move together on one day. Taken as independent
they make p-values far too small; here the terms of one date count as one, and those of neighbouring dates are allowed
to be alike (Newey and West, 1987, Econometrica 55).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]

MIN_DATES = 24
"""Dates without which nothing is said of dependence: with fewer, its estimate is worth nothing."""


def pearson(x: Numbers, y: Numbers) -> float | None:
    """Pearson's correlation; none where one of the two is constant or there are fewer than three."""
    if len(x) < 3 or _is_constant(x) or _is_constant(y):
        return None
    return float(np.clip(np.mean(_scored(x) * _scored(y)), -1, 1))


def kendall(x: Numbers, y: Numbers) -> float | None:
    """Kendall's tau-b; none where one of the two is constant or there are fewer than three."""
    if len(x) < 3 or _is_constant(x) or _is_constant(y):
        return None
    from scipy.stats import kendalltau

    return float(kendalltau(x, y).statistic)


def independent_pvalues(x: Numbers, y: Numbers) -> tuple[float | None, float | None]:
    """P-values of both where the pairs are independent, as SciPy has them."""
    if pearson(x, y) is None:
        return None, None
    from scipy.stats import kendalltau, pearsonr

    return float(pearsonr(x, y).pvalue), float(kendalltau(x, y).pvalue)


def dependent_pvalues(x: Numbers, y: Numbers, dates: Numbers, lags: int) -> tuple[float | None, float | None]:
    """P-values of both where pairs of one date, and of dates up to `lags` apart, may depend on each other.

    Of Pearson's that of the slope of y on x, of Kendall's that of the mean sign of a pair with all others (Dehling et
    al., 2017, Econometric Theory 33), both against Student's t with two degrees less than there are dates. None where
    there are fewer than `MIN_DATES`.
    """
    if pearson(x, y) is None or (count := len(np.unique(dates))) < MIN_DATES:
        return None, None
    a, b = _scored(x), _scored(y)
    slope = float(np.mean(a * b))
    signs = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    own = signs.sum(axis=1) / (len(x) - 1)
    tau = float(own.mean())
    return (
        _pvalue(slope, a * (b - slope * a), dates, lags, count - 2),
        _pvalue(tau, 2 * (own - tau), dates, lags, count - 2),
    )


def area_under_curve(signal: Numbers, is_up: Numbers) -> float | None:
    """Share of pairs of one that went up and one that did not in which the first had the higher signal; ties half."""
    ups, downs = int(is_up.sum()), int((~is_up).sum())
    if not ups or not downs:
        return None
    from scipy.stats import rankdata

    return float((rankdata(signal)[is_up].sum() - ups * (ups + 1) / 2) / (ups * downs))


def _pvalue(estimate: float, terms: Numbers, dates: Numbers, lags: int, freedom: int) -> float:
    """Two-sided p-value of a mean, from its terms around it."""
    from scipy.stats import t

    _, of = np.unique(dates, return_inverse=True)
    sums = np.bincount(of, weights=terms)
    variance = float(sums @ sums)
    for lag in range(1, min(lags, len(sums) - 1) + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(sums[lag:] @ sums[:-lag])
    error = max(variance, 0.0) ** 0.5 / len(terms)
    if error <= 1e-12:  # a fit without residual
        return 0.0 if abs(estimate) > 1e-12 else 1.0
    return float(2 * t.sf(abs(estimate) / error, freedom))


def _scored(x: Numbers) -> Numbers:
    scored: Numbers = (x - x.mean()) / x.std()
    return scored


def _is_constant(x: Numbers) -> bool:
    return bool(np.ptp(x) <= 1e-12 * np.abs(x).max())
