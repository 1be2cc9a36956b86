"""Observations in standard units, in one long table for all sources."""

from __future__ import annotations

import polars as pl

from macro_assets.catalog import Catalog
from macro_assets.catalog.derive import series_frame


def standard_units(known: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Observations in the standard unit of their series: the provider's number times the catalog's scale.

    Parameters
    ----------
    known
        One row per series and observation date: `source`, `series_id`, `observation_date`, `value` in the provider's
        unit, `release_time`.

    Returns
    -------
    DataFrame
        The same columns; rows of series the catalog no longer has are left out.
    """
    scales = series_frame(catalog).select("source", "series_id", "scale")
    return (
        known.join(scales, on=["source", "series_id"])
        .with_columns(value=pl.col("value") * pl.col("scale"))
        .select("source", "series_id", "observation_date", "value", "release_time")
        .sort("series_id", "observation_date")
    )
