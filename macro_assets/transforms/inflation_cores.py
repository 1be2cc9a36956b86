"""Core inflation: the weighted trimmed mean and the weighted median of the components' changes.

Components are ordered by their change, and a share of the weight is left out at either end. One that the boundary
splits keeps what of its weight lies inside, as at the Federal Reserve Bank of Dallas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl


class Trim(NamedTuple):
    """Percent of the weight left out below and above."""

    lower_pct: float
    upper_pct: float


TRIMS: Mapping[str, Trim] = {"dallas": Trim(24, 31), "cleveland": Trim(8, 8), "bcb": Trim(20, 20)}
"""Of the trimmed mean PCE (Dallas), the 16 % trimmed mean CPI (Cleveland) and the IPCA-MA (Banco Central do Brasil)."""

ROUNDING = 1e-12
"""What a sum of shares of weight may be off."""


def cores(components: pl.DataFrame, trim: Trim) -> pl.DataFrame:
    """Trimmed mean and median of each date.

    Parameters
    ----------
    components
        `observation_date`, `component`, `change` (percent), `weight` (any unit); in any order of rows.
    trim
        What is left out.

    Returns
    -------
    DataFrame
        `observation_date`, `trimmed_mean`, `weighted_median` (percent), by date. Where half the weight ends with one
        component the median is the mean of it and the next. A date has no row where a change or weight is missing or a
        weight is negative, or none is positive.

    Raises
    ------
    ValueError
        When the trim leaves nothing.
    """
    if not (trim.lower_pct >= 0 and trim.upper_pct >= 0 and trim.lower_pct + trim.upper_pct < 100):
        raise ValueError(f"expected shares from 0 % that leave something, got {trim.lower_pct} and {trim.upper_pct} %")
    date, weight, change = pl.col("observation_date"), pl.col("weight"), pl.col("change")
    sound = (change.is_finite() & weight.is_finite() & (weight >= 0)).fill_null(value=False)
    low, high = trim.lower_pct / 100, 1 - trim.upper_pct / 100
    end, half = pl.col("_end"), 0.5
    kept = pl.col("_kept")
    return (
        components.filter(sound.all().over(date), (weight.sum() > 0).over(date))
        .sort("observation_date", "change", "component")
        .with_columns(_share=weight / weight.sum().over(date))
        .with_columns(_end=pl.col("_share").cum_sum().over(date))
        .with_columns(_kept=(pl.min_horizontal(end, high) - pl.max_horizontal(end - pl.col("_share"), low)).clip(0))
        .filter(pl.col("_share") > 0)
        .group_by("observation_date", maintain_order=True)
        .agg(
            trimmed_mean=(kept / kept.sum() * change).sum(),
            weighted_median=change.filter(end >= half - ROUNDING).first() / 2
            + change.filter(end > half + ROUNDING).first() / 2,
        )
    )
