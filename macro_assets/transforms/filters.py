"""Trend and cycle: Hodrick-Prescott, Baxter-King and Hamilton.

By default the cycle of a date knows no figure after it. What knows them is asked for (`full_sample`), and Baxter-King
always does: it is for looking back.

References: Hodrick and Prescott (1997, Journal of Money, Credit and Banking 29); Stock and Watson (1999, Journal of
Monetary Economics 44) on the one-sided filter; Baxter and King (1999, Review of Economics and Statistics 81); Hamilton
(2018, Review of Economics and Statistics 100).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np

_FEWEST = 3
"""Figures through which a trend need not run exactly."""


def hodrick_prescott(
    values: pl.Series, smoothing: float, *, min_obs: int = _FEWEST, full_sample: bool = False
) -> pl.Series:
    """Deviations from the Hodrick-Prescott trend.

    Parameters
    ----------
    values
        In order of time on a regular calendar; the trend runs on through a gap.
    smoothing
        Weight of the trend's second differences: 1,600 of quarters, 129,600 of months.
    min_obs
        Figures before the first cycle.
    full_sample
        Whether the trend is that of all the figures. Else that of a date is the end of the trend of the figures to it.

    Returns
    -------
    Series
        In the unit of the figures; null where one is missing and where too few are known.

    Raises
    ------
    ValueError
        `smoothing` is not positive, or `min_obs` is under 3: a line through two figures leaves no cycle.
    """
    import numpy as np

    if not (0 < smoothing < float("inf")):
        raise ValueError(f"smoothing: expected a positive number, got {smoothing}")
    if min_obs < _FEWEST:
        raise ValueError(f"min_obs: expected at least {_FEWEST}, got {min_obs}")
    x = _numbers(values)
    cycle, known = np.full(len(x), np.nan), np.flatnonzero(~np.isnan(x))
    if full_sample:
        if len(known) >= min_obs:
            kept = slice(int(known[0]), int(known[-1]) + 1)
            cycle[kept] = x[kept] - _trend(x[kept], smoothing)
    else:
        for at in known[min_obs - 1 :]:
            cycle[at] = x[at] - _trend(x[known[0] : at + 1], smoothing)[-1]
    return _series(values, cycle)


def _trend(x: np.ndarray, smoothing: float) -> np.ndarray:
    """Solve (W + smoothing D'D) trend = W x: D takes second differences, W is one where a figure is known."""
    import numpy as np
    from scipy.linalg import solveh_banded

    known, size = ~np.isnan(x), len(x)
    bands = np.zeros((3, size))  # of the upper triangle, the diagonal last
    bands[2] = known
    bands[2, :-2] += smoothing
    bands[2, 1:-1] += 4 * smoothing
    bands[2, 2:] += smoothing
    bands[1, 1:-1] -= 2 * smoothing
    bands[1, 2:] -= 2 * smoothing
    bands[0, 2:] += smoothing
    trend: np.ndarray = solveh_banded(bands, np.where(known, x, 0.0))
    return trend


def baxter_king(values: pl.Series, shortest: float, longest: float, leads: int) -> pl.Series:
    """Swings of some lengths: a symmetric moving average, which knows as many later figures as earlier ones.

    Parameters
    ----------
    values
        In order of time on a regular calendar.
    shortest, longest
        Periods that a swing lasts: 6 and 32 of quarters.
    leads
        Figures before and after a date that its mean takes in: 12 of quarters. A cycle is known so much later.

    Returns
    -------
    Series
        In the unit of the figures; null at both ends and within `leads` of a missing figure.

    Raises
    ------
    ValueError
        `leads` is under 1, or the lengths are not two of at least 2, in their order.
    """
    import numpy as np

    if leads < 1:
        raise ValueError(f"leads: expected at least 1, got {leads}")
    if not (2 <= shortest < longest):
        raise ValueError(f"shortest, longest: expected at least 2 and more than that, got {shortest} and {longest}")
    x, lag = _numbers(values), np.arange(1, leads + 1)
    high, low = 2 * np.pi / shortest, 2 * np.pi / longest
    half = (np.sin(high * lag) - np.sin(low * lag)) / (np.pi * lag)
    weights = np.concatenate([half[::-1], [(high - low) / np.pi], half])
    cycle = np.full(len(x), np.nan)
    if len(x) >= len(weights):
        cycle[leads : len(x) - leads] = np.convolve(x, weights - weights.mean(), "valid")
    return _series(values, cycle)


def hamilton(
    values: pl.Series, horizon: int, lags: int, *, min_obs: int | None = None, full_sample: bool = False
) -> pl.Series:
    """What was not foreseen some periods before: residuals of a regression on the figures then.

    Parameters
    ----------
    values
        In order of time on a regular calendar.
    horizon, lags
        Periods ahead, and figures that it is foreseen from: 8 and 4 of quarters, 24 and 12 of months.
    min_obs
        Periods with all of them before the first cycle; by default twice the coefficients.
    full_sample
        Whether the coefficients are those of all the figures. Else those of a date are estimated up to it.

    Returns
    -------
    Series
        In the unit of the figures; null where the figure or one of its lags is missing, and where too few are known.

    Raises
    ------
    ValueError
        `horizon` or `lags` is under 1, or `min_obs` leaves no error.
    """
    import numpy as np

    if horizon < 1 or lags < 1:
        raise ValueError(f"horizon, lags: expected at least 1, got {horizon} and {lags}")
    fewest = 2 * (lags + 1) if min_obs is None else min_obs
    if fewest < lags + 2:
        raise ValueError(f"min_obs: expected more than the {lags + 1} coefficients, got {fewest}")
    x = _numbers(values)
    cycle = np.full(len(x), np.nan)
    shifted = [
        np.concatenate([np.full(min(n, len(x)), np.nan), x[: max(len(x) - n, 0)]])
        for n in range(horizon, horizon + lags)
    ]
    regressors = np.column_stack([np.ones(len(x)), *shifted])
    whole = np.flatnonzero(~np.isnan(regressors).any(axis=1) & ~np.isnan(x))
    if full_sample and len(whole) >= fewest:
        cycle[whole] = _residuals(regressors[whole], x[whole])
    elif not full_sample:
        for count in range(fewest, len(whole) + 1):
            cycle[whole[count - 1]] = _residuals(regressors[whole[:count]], x[whole[:count]])[-1]
    return _series(values, cycle)


def _residuals(regressors: np.ndarray, explained: np.ndarray) -> np.ndarray:
    """Of least squares; those of the shortest solution where the regressors are collinear."""
    import numpy as np

    residuals: np.ndarray = explained - regressors @ np.linalg.lstsq(regressors, explained, rcond=None)[0]
    return residuals


def _numbers(values: pl.Series) -> np.ndarray:
    """The figures, those that are missing or infinite as NaN."""
    import numpy as np

    x = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isfinite(x), x, np.nan)


def _series(values: pl.Series, cycle: np.ndarray) -> pl.Series:
    return pl.Series(values.name, cycle, dtype=pl.Float64).fill_nan(None)
