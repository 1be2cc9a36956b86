"""What became of a market after a date: its fall over the days ahead, and how often one came true by then."""

from __future__ import annotations

import polars as pl


def forward_drawdown(prices: pl.DataFrame, days: int) -> pl.DataFrame:
    """The deepest fall below a day's price over the days after it, by the day on which it is known.

    Parameters
    ----------
    prices
        `observation_date`, `value`: none missing, by date.
    days
        Rows after the day that are looked at.

    Returns
    -------
    DataFrame
        `observation_date`, `forward_drawdown` (percent, zero or below), `realized_on` (the last of the days), without
        the last `days` rows, of which it is not known yet.
    """
    lowest = pl.col("value").reverse().rolling_min(days).reverse().shift(-1)
    fall = 100 * (lowest / pl.col("value") - 1)
    return prices.select(
        "observation_date",
        forward_drawdown=fall.clip(upper_bound=0),
        realized_on=pl.col("observation_date").shift(-days),
    ).drop_nulls()


def hit_rates(regimes: pl.DataFrame, outcomes: pl.DataFrame, min_obs: int) -> pl.DataFrame:
    """How often what a regime says came true, of those that had come to their end by each date.

    Parameters
    ----------
    regimes
        `observation_date`, `regime`, one row a date, by date.
    outcomes
        `observation_date`, `realized_on`, `is_hit`: of some of the dates.
    min_obs
        Outcomes before the first rate.

    Returns
    -------
    DataFrame
        The rows with `confidence`: share of hits among the earlier rows with the same regime that had come to their end
        on the day or before it; null where there are fewer than `min_obs`.
    """
    ended = (
        regimes.select("observation_date", "regime")
        .join(outcomes, on="observation_date")
        .sort("realized_on")
        .with_columns(
            _hits=pl.col("is_hit").cast(pl.Int64).cum_sum().over("regime"),
            _count=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("regime"),
        )
        .select("regime", "_hits", "_count", observation_date="realized_on")
    )
    told = regimes.sort("observation_date").join_asof(ended, on="observation_date", by="regime", check_sortedness=False)
    rate = pl.when(pl.col("_count") >= min_obs).then(pl.col("_hits") / pl.col("_count"))
    return told.with_columns(confidence=rate).drop("_hits", "_count")
