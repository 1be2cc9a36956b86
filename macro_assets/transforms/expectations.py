"""What the figures before a period let one expect of it: an autoregression, estimated anew as of each period."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from macro_assets.transforms.frequency import MONTHS
from macro_assets.transforms.windows import Span, left_out

Numbers = np.ndarray[Any, Any]

CONDITION = 1e10
"""Of the scaled moments, from which on a regression is not identified."""


def expected_by_itself(
    figures: pl.DataFrame, frequency: str, lags: int, min_obs: int, spans: tuple[Span, ...] = ()
) -> pl.DataFrame:
    """Each figure of a monthly, quarterly or annual series with what those of the periods before let expect.

    Parameters
    ----------
    figures
        `observation_date`, `value` (known) and what else there is, by date.
    frequency
        'M', 'Q' or 'A'.
    lags, min_obs
        See :func:`autoregressive`.
    spans
        Spans of months that are not estimated on.

    Returns
    -------
    DataFrame
        The rows of `figures` with `expected`; null where nothing can be expected.
    """
    dates = figures["observation_date"]
    number = ((dates.dt.year().cast(pl.Int64) * 12 + dates.dt.month() - 1) // MONTHS[frequency]).to_numpy()
    if not len(number):
        return figures.with_columns(expected=pl.lit(None, dtype=pl.Float64))
    place = number - number[0]
    values, is_left_out = np.full(place[-1] + 1, np.nan), np.zeros(place[-1] + 1, dtype=bool)
    values[place], is_left_out[place] = figures["value"].to_numpy(), left_out(dates, spans)
    found = autoregressive(values, lags, min_obs, is_left_out)[place]
    return figures.with_columns(expected=pl.Series(found).fill_nan(None))


def autoregressive(values: Numbers, lags: int, min_obs: int, is_left_out: Numbers | None = None) -> Numbers:
    """The expectation of each period by the figures of those before.

    Least squares of a figure on a constant and the `lags` before it, over all periods before the one that is expected
    (no lags: their mean). All periods cost one pass, as the moments add up.

    Parameters
    ----------
    values
        One a period, in order of time, no period skipped; not a number where there is none.
    min_obs
        Periods that an estimate needs, at least two more than its coefficients.
    is_left_out
        Periods that are not estimated on, nor are those of which they are a lag; they are expected all the same.

    Returns
    -------
    array
        Not a number where too few periods are known, a lag is missing, or the figures before do not move.
    """
    n, k = len(values), lags + 1
    if n == 0:
        return values.astype(float)
    shifted = [np.concatenate([np.full(min(i, n), np.nan), values[: max(n - i, 0)]]) for i in range(1, k)]
    x = np.column_stack([np.ones(n), *shifted])
    left = np.zeros(n, dtype=bool) if is_left_out is None else is_left_out
    touched = [np.concatenate([np.zeros(min(i, n), dtype=bool), left[: max(n - i, 0)]]) for i in range(k)]
    is_known = np.isfinite(x).all(axis=1)
    counts = is_known & np.isfinite(values) & ~np.any(touched, axis=0)
    own, target = np.where(counts[:, None], x, 0.0), np.where(counts, values, 0.0)
    moments = _before(own[:, :, None] * own[:, None, :])
    products = _before(own * target[:, None])
    size = np.sqrt(np.diagonal(moments, axis1=1, axis2=2))
    enough = is_known & (_before(counts.astype(float)) >= max(min_obs, k + 2)) & (size > 0).all(axis=1)
    expected = np.full(n, np.nan)
    if enough.any():
        size = size[enough]
        scaled = moments[enough] / size[:, :, None] / size[:, None, :]
        is_sound = np.linalg.cond(scaled) < CONDITION
        safe = np.where(is_sound[:, None, None], scaled, np.eye(k))
        found = np.linalg.solve(safe, (products[enough] / size)[:, :, None])[:, :, 0] / size
        expected[enough] = np.where(is_sound, (found * x[enough]).sum(axis=1), np.nan)
    return expected


def _before(x: Numbers) -> Numbers:
    """Sums over the rows before each."""
    return np.concatenate([np.zeros_like(x[:1]), np.cumsum(x, axis=0)[:-1]])
