"""Making series stationary: FRED-MD transformation codes, and z-scores against a series' own past."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

_PERIODS_PER_YEAR = {"M": 12, "Q": 4, "A": 1}


def transformed(observations: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Every series by its FRED-MD code, at its own frequency.

    Codes (McCracken and Ng, 2016, Journal of Business & Economic Statistics 34): 1 level, 2 difference, 3 second
    difference, 4 log, 5 log difference, 6 second log difference, 7 difference of the growth rate. The step before a
    monthly, quarterly or annual observation is the period before: across a gap there is no difference. For daily and
    weekly series it is the observation before. The log of a number that is not positive is missing.

    Parameters
    ----------
    observations
        `source`, `series_id`, `observation_date`, `value`.
    facts
        `series_id`, `frequency`, `transform` (the code). Series without a row here are left out.

    Returns
    -------
    DataFrame
        `source`, `series_id`, `observation_date`, `value`, without rows that have no value.
    """
    facts = facts.select("series_id", "frequency", "transform")
    frame = observations.drop_nulls("value").join(facts, on="series_id").sort("series_id", "observation_date")
    date, frequency = pl.col("observation_date"), pl.col("frequency")
    per_year = frequency.replace_strict(_PERIODS_PER_YEAR, default=None, return_dtype=pl.Int32)
    period = date.dt.year() * per_year + (date.dt.month() - 1) * per_year // 12
    frame = frame.with_columns(period=period).with_columns(
        follows=(pl.col("period") - pl.col("period").shift(1).over("series_id") == 1)
        | pl.col("period").is_null() & (pl.col("series_id") == pl.col("series_id").shift(1))
    )

    def difference(column: str) -> pl.Expr:
        return pl.when("follows").then(pl.col(column) - pl.col(column).shift(1).over("series_id"))

    value = pl.col("value")
    frame = (
        frame.with_columns(
            log=pl.when(value > 0).then(value.log()),
            growth=pl.when("follows").then(value / value.shift(1).over("series_id") - 1),
        )
        .with_columns(d=difference("value"), dlog=difference("log"), dgrowth=difference("growth"))
        .with_columns(d2=difference("d"), d2log=difference("dlog"))
    )
    by_code = {1: "value", 2: "d", 3: "d2", 4: "log", 5: "dlog", 6: "d2log", 7: "dgrowth"}
    chosen = pl.coalesce(pl.when(pl.col("transform") == code).then(pl.col(c)) for code, c in by_code.items())
    return (
        frame.with_columns(value=pl.when(chosen.is_finite()).then(chosen))
        .drop_nulls("value")
        .select("source", "series_id", "observation_date", "value")
    )


def expanding_zscore(value: pl.Expr, group: str, min_history: int | pl.Expr) -> pl.Expr:
    """Z-score of each value against the values of its group up to and including it: no later value is used.

    The mean and standard deviation (n - 1) run from the group's first value on. Missing before `min_history` values,
    and where all values so far are equal. Rows must be sorted by date, without missing values.
    """
    centred = value - value.first().over(group)  # keeps the running sums of squares accurate
    n = pl.int_range(1, pl.len() + 1).over(group)
    mean = centred.cum_sum().over(group) / n
    variance = (centred.pow(2).cum_sum().over(group) - n * mean.pow(2)) / (n - 1)
    constant = value.cum_max().over(group) == value.cum_min().over(group)
    return pl.when((n >= min_history) & (n > 1) & ~constant).then((centred - mean) / variance.sqrt())


def zscores(stationary: pl.DataFrame, facts: pl.DataFrame, min_history: Mapping[str, int]) -> pl.DataFrame:
    """Expanding z-scores of stationary series.

    Parameters
    ----------
    stationary
        `source`, `series_id`, `observation_date`, `value`.
    facts
        `series_id`, `frequency`. Series without a row here are left out.
    min_history
        Observations before the first z-score, by frequency ('D', 'W', 'M', 'Q', 'A').

    Returns
    -------
    DataFrame
        `source`, `series_id`, `observation_date`, `zscore` (standard deviations).
    """
    needed = facts.select(
        "series_id", needed=pl.col("frequency").replace_strict(dict(min_history), return_dtype=pl.Int64)
    )
    return (
        stationary.join(needed, on="series_id")
        .sort("series_id", "observation_date")
        .with_columns(zscore=expanding_zscore(pl.col("value"), "series_id", pl.col("needed")))
        .drop_nulls("zscore")
        .select("source", "series_id", "observation_date", "zscore")
    )
