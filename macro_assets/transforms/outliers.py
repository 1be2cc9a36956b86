"""Outliers by the rule of FRED-MD: what is further from the median than so many interquartile ranges.

References: McCracken and Ng (2016, Journal of Business & Economic Statistics 34), who ask for ten ranges of the
stationary series. Quartiles are interpolated linearly between the ordered values (NumPy's and pandas' default).
"""

from __future__ import annotations

import polars as pl


def flagged(
    observations: pl.DataFrame, ranges: float = 10.0, *, min_obs: int = 24, whole: bool = False
) -> pl.DataFrame:
    """Each observation with whether it is an outlier of its series.

    Parameters
    ----------
    observations
        `series_id`, `observation_date`, `value`, and what else goes with an observation; in any order of rows.
    ranges
        Interquartile ranges away from the median from beyond which a value is one.
    min_obs
        Values before the first that can be one.
    whole
        Median and quartiles of all values given, as of one vintage; by default of those up to each date, so that no
        later value decides.

    Returns
    -------
    DataFrame
        The rows by series and date, with `is_outlier`: false while the values are too few and where there is no value,
        and for all of a series whose quartiles are equal.
    """
    rows = observations.sort("series_id", "observation_date")
    value = pl.col("value").fill_nan(None)
    low, median, high = (_quantile(value, q, rows.height, whole).over("series_id") for q in (0.25, 0.5, 0.75))
    count = value.count().over("series_id") if whole else value.is_not_null().cum_sum().over("series_id")
    beyond = ((value - median).abs() > ranges * (high - low)) & (high > low) & (count >= min_obs)
    return rows.with_columns(is_outlier=beyond.fill_null(value=False))


def without(observations: pl.DataFrame) -> pl.DataFrame:
    """What :func:`flagged` gives, with null as the value of each outlier."""
    return observations.with_columns(value=pl.when(~pl.col("is_outlier")).then("value"))


def _quantile(value: pl.Expr, quantile: float, rows: int, whole: bool) -> pl.Expr:
    if whole:
        return value.quantile(quantile, interpolation="linear")
    return value.rolling_quantile(quantile, interpolation="linear", window_size=max(rows, 1), min_samples=1)
