"""Missing values: where they are, and what may stand in their place; whatever is filled is flagged.

Functions take and give `series_id`, `observation_date`, `value`, a row per series and date, null where there is no
value. Nothing is put before the first value of a series.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import polars as pl

from macro_assets.transforms.frequency import EVERY as CALENDAR

EVERY: Mapping[str, str] = {"W": "1w", **CALENDAR}
RATIOS = np.logspace(-3, 3, 61)
"""Variances of the level's steps over that of the noise, among which the local level chooses."""


def on_calendar(observations: pl.DataFrame, frequency: str) -> pl.DataFrame:
    """The observations with a row without value for each period missed, from a series' first to its last.

    Raises
    ------
    ValueError
        For daily series: which days have a figure is their market's to say.
    """
    if frequency not in EVERY:
        raise ValueError(f"expected a frequency of {', '.join(EVERY)}, got {frequency!r}")
    rows = observations.select("series_id", "observation_date", "value").sort("series_id", "observation_date")
    spans = rows.group_by("series_id", maintain_order=True).agg(
        observation_date=pl.date_ranges(
            pl.col("observation_date").min(), pl.col("observation_date").max(), EVERY[frequency]
        ).first()
    )
    dates = spans.explode("observation_date").drop_nulls()
    return dates.join(rows, on=["series_id", "observation_date"], how="full", coalesce=True).sort(
        "series_id", "observation_date"
    )


def carried(observations: pl.DataFrame, limit: int) -> pl.DataFrame:
    """The value before stands in the place of a missing one, over at most so many rows.

    Returns
    -------
    DataFrame
        The rows by series and date, with `is_filled`.
    """
    return _flagged(observations, pl.col("value").forward_fill(limit=limit).over("series_id"))


def interpolated(observations: pl.DataFrame, *, two_sided: bool = False) -> pl.DataFrame:
    """On the line between the value before and the value after, by rows.

    It uses what came later, so the caller must say so: for a drawing, never for what is computed as of a date.

    Returns
    -------
    DataFrame
        The rows by series and date, with `is_filled`; after the last value nothing is filled.

    Raises
    ------
    ValueError
        Unless `two_sided` is declared.
    """
    if not two_sided:
        raise ValueError("interpolation uses later values: declare two_sided=True, or use carried or filtered")
    return _flagged(observations, pl.col("value").interpolate().over("series_id"))


def filtered(observations: pl.DataFrame, min_obs: int = 10) -> pl.DataFrame:
    """The level that a Kalman filter has when a value is missing: a random walk in noise, estimated on what was before.

    The ratio of the two variances is that of :data:`RATIOS` with the highest likelihood of the values before the gap;
    the first value begins the level (diffuse). Durbin and Koopman (2012), Time Series Analysis by State Space Methods,
    chapter 2.

    Parameters
    ----------
    min_obs
        Values before the first gap that is filled.

    Returns
    -------
    DataFrame
        The rows by series and date, with `is_filled`.
    """
    rows = observations.sort("series_id", "observation_date").with_columns(pl.col("value").cast(pl.Float64))
    parts = [_filled(part, min_obs) for part in rows.partition_by("series_id", maintain_order=True)]
    return pl.concat(parts) if parts else rows.with_columns(is_filled=pl.lit(value=False))


def level(values: np.ndarray) -> np.ndarray:
    """The level expected for each row before its value is seen; not a number before there is one.

    `values` has not-a-number for what is missing. Each row is computed from the rows before it alone.
    """
    expected = np.full(len(values), np.nan)
    mean, variance = np.zeros_like(RATIOS), np.zeros_like(RATIOS)
    squares, logs, seen = np.zeros_like(RATIOS), np.zeros_like(RATIOS), 0
    with np.errstate(over="ignore", invalid="ignore"):
        for row, value in enumerate(values):
            if seen:
                variance = variance + RATIOS
                likelihood = -logs - (seen - 1) * np.log(np.maximum(squares, np.finfo(float).tiny))
                expected[row] = mean[likelihood.argmax()]
            if not math.isfinite(value):
                continue
            if not seen:
                mean, variance = np.full_like(RATIOS, value), np.ones_like(RATIOS)
            else:
                error, spread = value - mean, variance + 1
                squares, logs = squares + error**2 / spread, logs + np.log(spread)
                mean, variance = mean + variance / spread * error, variance / spread
            seen += 1
    return np.where(np.isfinite(expected), expected, np.nan)


def _filled(part: pl.DataFrame, min_obs: int) -> pl.DataFrame:
    expected = pl.Series(level(part["value"].fill_null(math.nan).to_numpy()), nan_to_null=True)
    known = part["value"].is_not_null().cum_sum()
    return _flagged(part, pl.col("value").fill_null(pl.when(known >= min_obs).then(expected)))


def _flagged(observations: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    rows = observations.sort("series_id", "observation_date")
    filled = rows.with_columns(value=value)
    return filled.with_columns(is_filled=rows["value"].is_null() & filled["value"].is_not_null())
