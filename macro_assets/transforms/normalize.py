"""Observations in standard units, with what is computed of each: the rows of the long table of a family."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from macro_assets.transforms.library import transformed, zscores


def standard_units(known: pl.DataFrame, scales: pl.DataFrame) -> pl.DataFrame:
    """Observations in the standard unit of their series: the provider's number times the catalog's scale.

    Parameters
    ----------
    known
        One row per series and observation date: `source`, `series_id`, `observation_date`, `value` in the provider's
        unit, `release_time`.
    scales
        `source`, `series_id`, `scale`. Rows of series without one are left out.

    Returns
    -------
    DataFrame
        The columns of `known` as named above, by series and date.
    """
    return (
        known.join(scales, on=["source", "series_id"])
        .with_columns(value=pl.col("value") * pl.col("scale"))
        .select("source", "series_id", "observation_date", "value", "release_time")
        .sort("series_id", "observation_date")
    )


def normalized(
    known: pl.DataFrame, scales: pl.DataFrame, facts: pl.DataFrame, min_history: Mapping[str, int]
) -> pl.DataFrame:
    """Observations in standard units, each with its stationary value and its z-score.

    Parameters
    ----------
    known, scales
        See :func:`standard_units`.
    facts
        `series_id`, `frequency`, `transform`.
    min_history
        Observations before the first z-score, by frequency.

    Returns
    -------
    DataFrame
        `source`, `series_id`, `observation_date`, `value` (null where the provider says missing), `release_time`,
        `transformed`, `zscore` (both null where there is none), by series and date.
    """
    observations = standard_units(known, scales)
    stationary = transformed(observations, facts)
    scores = zscores(stationary, facts, min_history)
    key = ["source", "series_id", "observation_date"]
    return observations.join(
        stationary.rename({"value": "transformed"}), on=key, how="left", maintain_order="left"
    ).join(scores, on=key, how="left", maintain_order="left")
