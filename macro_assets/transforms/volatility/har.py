"""The heterogeneous autoregression of volatility: a regression on its means of a day, a week and a month.

Corsi (2009, Journal of Financial Econometrics 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from macro_assets.transforms.estimation import estimated_by_period
from macro_assets.transforms.volatility.errors import VolatilityError

LAGS = (1, 5, 22)
"""A day, a week and a month of trading days."""

Array = np.ndarray


@dataclass(frozen=True)
class Fit:
    """Estimates by least squares: of the mean of the next `horizon` values on trailing means of `lags` values."""

    lags: tuple[int, ...]
    horizon: int
    constant: float
    slopes: tuple[float, ...]
    observations: int

    def forecasts(self, values: Array) -> Array:
        """What is expected after each value; NaN before the longest mean is known."""
        expected: Array = self.constant + np.einsum("ij,j->i", trailing_means(values, self.lags), np.array(self.slopes))
        return expected


def trailing_means(values: Array, lags: Sequence[int]) -> Array:
    """A column for each lag: the mean of as many values, the row's own the last; NaN where there are not as many."""
    values = np.asarray(values, dtype=float)
    columns = np.full((values.size, len(lags)), np.nan)
    for column, lag in enumerate(lags):
        if values.size >= lag:
            columns[lag - 1 :, column] = np.lib.stride_tricks.sliding_window_view(values, lag).mean(axis=1)
    return columns


def fit(values: Array, lags: Sequence[int] = LAGS, horizon: int = 1) -> Fit:
    """The regression on all values, of those whose next `horizon` values are among them.

    Parameters
    ----------
    values
        Volatilities in order of time, none missing.

    Raises
    ------
    VolatilityError
        Of missing values, of fewer than ten for each slope, and of those that do not tell the slopes apart, as
        constant ones.
    """
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        raise VolatilityError("expected values that are numbers, some are missing or infinite")
    first, last = max(lags) - 1, values.size - horizon
    if last - first < 10 * len(lags):
        raise VolatilityError(
            f"expected at least {10 * len(lags) + first + horizon} values for lags {list(lags)}, got {values.size}"
        )
    x = trailing_means(values, lags)[first:last]
    y = np.lib.stride_tricks.sliding_window_view(values[1:], horizon).mean(axis=1)[first:]
    slopes = _slopes(x - x.mean(axis=0), y - y.mean())
    return Fit(tuple(lags), horizon, float(y.mean() - x.mean(axis=0) @ slopes), tuple(slopes.tolist()), len(y))


def _slopes(x: Array, y: Array) -> Array:
    """Least squares of centred columns; their sums are NumPy's own, which do not depend on threads of BLAS."""
    scale = np.sqrt(np.einsum("ij,ij->j", x, x))
    if not (scale > 1e-9 * max(1.0, float(np.abs(x).max()))).all():
        raise VolatilityError("expected values that differ")
    x = x / scale
    moments = np.einsum("ij,ik->jk", x, x)
    if np.linalg.eigvalsh(moments)[0] < 1e-10:
        raise VolatilityError("the values do not tell the slopes apart")
    slopes: Array = np.linalg.solve(moments, np.einsum("ij,i->j", x, y)) / scale
    return slopes


def as_of_each(values: pl.DataFrame, *, lags: Sequence[int], horizon: int, min_obs: int, every: str) -> pl.DataFrame:
    """Forecasts by day, with estimates of each period from the values before it.

    Parameters
    ----------
    values
        `observation_date`, `value`, none missing, by date.
    min_obs
        Values before the first estimates.
    every
        Periods, as Polars names them: '1y' estimates each January on the values up to December.

    Returns
    -------
    DataFrame
        `observation_date`, `value`, `expected_value` (mean expected of the next `horizon` values), `estimated_through`
        (last day of the estimates). Days before the first estimates have no row.
    """
    figures, days = values["value"].to_numpy(), values["observation_date"]
    found = estimated_by_period(days, every, min_obs, lambda n: fit(figures[:n], lags, horizon), VolatilityError)
    rows = [
        values[begin:end].select(
            "observation_date",
            "value",
            expected_value=pl.Series(estimates.forecasts(figures[:end])[begin:]),
            estimated_through=pl.lit(days[size - 1]),
        )
        for begin, end, size, estimates in found
    ]
    schema = {
        "observation_date": pl.Date,
        "value": pl.Float64,
        "expected_value": pl.Float64,
        "estimated_through": pl.Date,
    }
    return pl.concat([pl.DataFrame(schema=schema), *rows])
