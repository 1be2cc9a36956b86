"""What a rate over a year owes to the year before: base effects, paths and carry-over.

Rates are percent changes over a period; a year has `periods` of them, 12 of months. References: European Central Bank,
Monthly Bulletin, January 2005, box on base effects; March 2010, box on the carry-over effect.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def over_year(rates: pl.Expr, periods: int = 12) -> pl.Expr:
    """Rate over a year in percent, chained from those of its periods.

    Null before a year of rates, where one of them is missing, and where one is -100 or less.
    """
    logs = pl.when(rates > -100).then(rates / 100).log1p()
    return (logs.rolling_sum(periods).exp() - 1) * 100


def base_effect(rates: pl.Expr, periods: int = 12) -> pl.Expr:
    """What the rate over a year would change by if prices stood still: the rate of a year ago falls out.

    In percentage points; it is known a year before. With :func:`own_effect` it adds up to the change of the rate over a
    year.
    """
    before = over_year(rates, periods).shift(1)
    return (before + 100) * (1 / (1 + rates.shift(periods) / 100) - 1)


def own_effect(rates: pl.Expr, periods: int = 12) -> pl.Expr:
    """What the new rate adds to the rate over a year, in percentage points, the base effect taken off."""
    return over_year(rates, periods).diff() - base_effect(rates, periods)


def over_year_if(rates: Sequence[float], ahead: Sequence[float], periods: int = 12) -> list[float]:
    """What the rate over a year prints if the next periods print the rates `ahead`.

    Raises
    ------
    ValueError
        Fewer than `periods` rates are known, or a rate is -100 or less.
    """
    if len(rates) < periods:
        raise ValueError(f"rates: expected those of a year, at least {periods}, got {len(rates)}")
    if wrong := [r for r in (*rates[-periods:], *ahead) if not -100 < r < float("inf")]:
        raise ValueError(f"rates: expected percents above -100, got {', '.join(map(str, wrong))}")
    path = pl.Series([*rates[-periods:], *ahead], dtype=pl.Float64)
    chained = path.to_frame("rate").select(over_year(pl.col("rate"), periods)).to_series()
    return chained[periods:].to_list()


def carry_over(levels: pl.DataFrame, periods: int = 12) -> pl.DataFrame:
    """Growth of a year's mean that is certain already: if all that is left of it stood at the last level.

    Parameters
    ----------
    levels
        `observation_date` (first of the period) and `value`, each period once.

    Returns
    -------
    DataFrame
        `observation_date`, `this_year`, `next_year`: percent growth of the mean of the year of the date, and of that of
        the year after, if the level stayed where it is. At the last period of a year `this_year` is its growth. Null
        where a figure of the years that are compared is missing, or a mean is not positive.
    """
    year, value = pl.col("observation_date").dt.year(), pl.col("value").cast(pl.Float64)
    place = (pl.col("observation_date").dt.month().cast(pl.Int32) - 1) * periods // 12 + 1
    told = (
        levels.sort("observation_date")
        .with_columns(year=year, place=place, value=value)
        .with_columns(whole=pl.col("value").cum_count().over("year") == pl.col("place"))
        .with_columns(rest=(periods - pl.col("place")) * pl.col("value"))
        .with_columns(mean=(pl.col("value").cum_sum().over("year") + pl.col("rest")) / periods)
        .with_columns(mean=pl.when(pl.col("whole") & (pl.col("mean") > 0)).then("mean"))
    )
    of_years = told.filter(pl.col("place") == periods).select(year=pl.col("year") + 1, before="mean")
    return told.join(of_years, on="year", how="left", maintain_order="left").select(
        "observation_date",
        this_year=100 * (pl.col("mean") / pl.col("before") - 1),
        next_year=100 * (pl.col("value") / pl.col("mean") - 1),
    )
