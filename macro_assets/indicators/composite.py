"""A composite indicator: components as expanding z-scores, signed, weighted, added; each contribution is kept."""

from __future__ import annotations

from math import ceil

import polars as pl

from macro_assets.catalog import Component, Indicator
from macro_assets.transforms.library import expanding_zscore


def composite(panel: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
    """The indicator, decomposed.

    For component i at month t, z is its expanding z-score (mean and standard deviation up to t), and its contribution
    is `sign * weight * z`. Weights are rescaled over the components present at t, so that the composite goes on when
    one is missing (as macrosynergy's `linear_composite(normalize_weights=True)` does); a month with fewer than
    `min_components` has no index.

    Parameters
    ----------
    panel
        `observation_date` (first of month, no month skipped) and one column per series, named by its id.
    indicator
        Components, signs, weights and minimum history.

    Returns
    -------
    DataFrame
        One row per month and component: `observation_date`, `component`, `component_value` (unit of the component),
        `zscore`, `sign`, `weight`, `contribution`, `index_value`. A month's contributions add up to its index_value.
    """
    parts = pl.concat(_part(panel, c) for c in indicator.components).sort("component", "observation_date")
    scored = parts.with_columns(
        zscore=expanding_zscore(pl.col("component_value"), "component", indicator.min_history_months)
    ).drop_nulls("zscore")
    month = "observation_date"
    return (
        scored.filter(pl.len().over(month) >= indicator.min_components)
        .with_columns(weight=pl.col("weight") / pl.col("weight").sum().over(month))
        .with_columns(contribution=pl.col("sign") * pl.col("weight") * pl.col("zscore"))
        .with_columns(index_value=pl.col("contribution").sum().over(month))
        .select(month, "component", "component_value", "zscore", "sign", "weight", "contribution", "index_value")
        .sort(month, "component")
    )


def _part(panel: pl.DataFrame, component: Component) -> pl.DataFrame:
    return (
        panel.sort("observation_date")
        .select(
            "observation_date",
            component=pl.lit(component.name),
            component_value=_value(component),
            sign=pl.lit(component.sign, dtype=pl.Int64),
            weight=pl.lit(component.weight),
        )
        .drop_nulls("component_value")
    )


def _value(component: Component) -> pl.Expr:
    """The component before standardization.

    level: the series. spread: first minus second. drawdown: percent below the highest value so far, as a positive
    number. gap: the series minus its mean over the trailing window, which ends at the month itself and of which nine in
    ten months are known.
    """
    series = pl.col(component.series[0])
    match component.formula:
        case "level":
            return series
        case "spread":
            return series - pl.col(component.series[1])
        case "drawdown":
            return 100 * (1 - series / series.cum_max())
        case "gap":
            window = component.window_months or 1
            return series - series.rolling_mean(window, min_samples=ceil(0.9 * window))
