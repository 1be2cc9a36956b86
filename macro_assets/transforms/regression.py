"""What is expected of a figure given others of its date: least squares on the past, estimated anew by period."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from macro_assets.transforms.estimation import estimated_by_period
from macro_assets.transforms.windows import Span

Array = np.ndarray


class _TooFewError(ValueError):
    """There are too few rows to estimate on."""


_ESTIMATED = {"expected_value": pl.Float64, "estimated_through": pl.Date}


def expected_of(
    rows: pl.DataFrame, explained: str, on: Sequence[str], *, min_obs: int, every: str, leave_out: Sequence[Span] = ()
) -> pl.DataFrame:
    """The rows with what is expected of them by estimates of the beginning of their period.

    Parameters
    ----------
    rows
        `observation_date`, the explained column and those that it is regressed on; none missing, by date.
    min_obs
        Rows before the first estimates.
    every
        Periods, as Polars names them: '12mo' estimates each January on the rows up to December.
    leave_out
        Spans of months that are not estimated on; what is expected in them is said all the same.

    Returns
    -------
    DataFrame
        The rows with `expected_value` and `estimated_through` (last row of the estimates). Rows before the first
        estimates are left out. A column that never moved until then counts for nothing, and of columns that move as one
        each has its part.
    """
    dates, y, x = rows["observation_date"], rows[explained].to_numpy(), rows.select(on).to_numpy()
    month = pl.col("observation_date").dt.strftime("%Y-%m")
    left_out = pl.any_horizontal(month.is_null(), *(month.is_between(pl.lit(a), pl.lit(b)) for a, b in leave_out))
    is_kept = rows.select(~left_out).to_series().to_numpy()

    def estimate(count: int) -> tuple[float, Array]:
        sample = is_kept[:count]
        if sample.sum() < min_obs:
            raise _TooFewError
        return least_squares(x[:count][sample], y[:count][sample])

    made = [
        rows[begin:end].with_columns(
            expected_value=pl.Series(constant + np.einsum("ij,j->i", x[begin:end], slopes), dtype=pl.Float64),
            estimated_through=pl.lit(dates[size - 1]),
        )
        for begin, end, size, (constant, slopes) in estimated_by_period(dates, every, min_obs, estimate, _TooFewError)
    ]
    nothing = rows.clear().with_columns(pl.lit(None, t).alias(n) for n, t in _ESTIMATED.items())
    return pl.concat([nothing, *made])


def least_squares(x: Array, y: Array) -> tuple[float, Array]:
    """The constant and the slopes; the shortest slopes where the columns, each in its deviations, are collinear.

    Sums are NumPy's own, which do not depend on the threads of BLAS.

    Parameters
    ----------
    x
        A row per observation, a column per regressor.
    """
    centred, rise = x - x.mean(axis=0), y - y.mean()
    size = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    moves = size > 1e-9 * np.maximum(1.0, np.abs(x).max(axis=0, initial=0.0))
    scaled = np.where(moves, centred, 0.0) / np.where(moves, size, 1.0)
    moments = np.einsum("ij,ik->jk", scaled, scaled)
    found = np.linalg.lstsq(moments, np.einsum("ij,i->j", scaled, rise), rcond=1e-10)[0] / np.where(moves, size, 1.0)
    slopes: Array = np.where(moves, found, 0.0)
    return float(y.mean() - x.mean(axis=0) @ slopes), slopes
