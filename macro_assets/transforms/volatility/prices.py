"""Prices by trading day, side by side, and their returns."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

TRADING_DAYS = 252
"""Days of a year by which a daily variance is made annual, unless it is said otherwise."""


def by_day(observations: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Series side by side, one row per date on which any of them has a figure.

    Parameters
    ----------
    observations
        `series_id`, `observation_date`, `value`; at most one row per series and date, in any order.
    names
        Column that each series becomes.

    Returns
    -------
    DataFrame
        `observation_date` and a float column by each name, by date; null where there is nothing.
    """
    own = observations.filter(pl.col("series_id").is_in(list(names))).drop_nulls("value")
    wide = own.pivot(on="series_id", index="observation_date", values="value")
    lacking = [pl.lit(None, dtype=pl.Float64).alias(s) for s in names if s not in wide.columns]
    columns = [pl.col(s).alias(name) for s, name in names.items()]
    return wide.with_columns(lacking).select("observation_date", *columns).sort("observation_date")


def positive(price: pl.Expr) -> pl.Expr:
    """The price, or null where it is no number above zero: it has no logarithm."""
    return pl.when((price > 0) & price.is_finite()).then(price)


def log_return(price: pl.Expr) -> pl.Expr:
    """Logarithm of a price over that of the row before; null where either is missing or not above zero."""
    return positive(price).log().diff()
