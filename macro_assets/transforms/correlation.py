"""Correlations of series side by side: each pair over the rows in which both have a value."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl

CONSTANT = 1e-12
"""Share of the squares around the first value below which a variance is rounding: the series does not move."""

_SCHEMA = {"first": pl.String, "second": pl.String, "correlation": pl.Float64, "observations": pl.Int64}


def correlations(panel: pl.DataFrame, series: Sequence[str], min_obs: int = 2) -> pl.DataFrame:
    """The matrix of Pearson correlations, of all rows given.

    Parameters
    ----------
    panel
        A float column per series.
    series
        Which, in which order.
    min_obs
        Rows that a pair needs; fewer have no correlation, nor has a pair of which one does not move.

    Returns
    -------
    DataFrame
        `first`, `second`, `correlation`, `observations` (rows of the pair), each pair in both orders and with itself.
    """
    found, counts = _matrix(_values(panel, series), min_obs)
    return _long(series, found, counts)


def rolling(panel: pl.DataFrame, series: Sequence[str], window: int, min_obs: int | None = None) -> pl.DataFrame:
    """The matrix of each window of rows that ends at a date.

    Parameters
    ----------
    panel
        `observation_date`, by date, and a float column per series.
    window, min_obs
        Rows of a window, and how many of them a pair needs: all by default.

    Returns
    -------
    DataFrame
        `observation_date`, `first`, `second`, `correlation`, `observations`, by date from the first whole window on;
        each pair once, without those of a series with itself.

    Raises
    ------
    ValueError
        When the window has fewer than two rows, or `min_obs` is not within it.
    """
    needed = window if min_obs is None else min_obs
    if window < 2 or not 2 <= needed <= window:
        raise ValueError(f"expected a window of two rows or more and min_obs within it, got {window} and {needed}")
    values, upper = _values(panel, series), np.triu_indices(len(series), 1)
    ends = range(window, panel.height + 1)
    parts = [_matrix(values[end - window : end], needed) for end in ends]
    pairs = list(combinations(series, 2))
    dates = panel["observation_date"][window - 1 :]
    return pl.DataFrame(
        {
            "observation_date": dates.gather(np.repeat(np.arange(len(dates)), len(pairs))),
            "first": [first for first, _ in pairs] * len(dates),
            "second": [second for _, second in pairs] * len(dates),
            "correlation": np.concatenate([found[upper] for found, _ in parts] or [np.empty(0)]),
            "observations": np.concatenate([counts[upper] for _, counts in parts] or [np.empty(0)]),
        },
        {"observation_date": pl.Date, **_SCHEMA},
        strict=False,
    ).with_columns(pl.col("correlation").fill_nan(None))


def _values(panel: pl.DataFrame, series: Sequence[str]) -> np.ndarray:
    values = panel.select(pl.col(list(series)).cast(pl.Float64)).to_numpy().reshape(panel.height, len(series))
    return np.where(np.isfinite(values), values, np.nan)


def _matrix(values: np.ndarray, min_obs: int) -> tuple[np.ndarray, np.ndarray]:
    """Correlations (not a number where there is none) and rows of each pair: products of the centred values."""
    known = np.isfinite(values)
    first = np.where(known.any(axis=0), values[known.argmax(axis=0), range(values.shape[1])], 0.0) if len(values) else 0
    x, there = np.where(known, values - first, 0.0), known.astype(float)
    with np.errstate(all="ignore"):
        scale = np.abs(x).max(axis=0, initial=0.0)
        x = x / np.where(scale > 0, scale, 1.0)
        n = there.T @ there
        sums, squares = x.T @ there, (x * x).T @ there
        covariance = x.T @ x - sums * sums.T / n
        variance = squares - sums**2 / n
        moves = variance > CONSTANT * squares
        found = np.clip(covariance / np.sqrt(variance * variance.T), -1, 1)
    return np.where(moves & moves.T & (n >= max(min_obs, 2)), found, np.nan), n.astype(int)


def _long(series: Sequence[str], found: np.ndarray, counts: np.ndarray) -> pl.DataFrame:
    k = len(series)
    columns = {
        "first": [first for first in series for _ in range(k)],
        "second": list(series) * k,
        "correlation": found.ravel(),
        "observations": counts.ravel(),
    }
    return pl.DataFrame(columns, _SCHEMA).with_columns(pl.col("correlation").fill_nan(None))
