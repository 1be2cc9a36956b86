"""The views of the catalog as frames: the Polars twin of `lakehouse/views.py`."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from macro_assets.catalog import View
from macro_assets.transforms.panel import monthly


def view_rows(view: View, normalized: Iterable[pl.DataFrame], facts: pl.DataFrame) -> pl.DataFrame:
    """The rows of a view.

    Parameters
    ----------
    normalized
        The tables of some families, as they are stored or computed as of an instant; at least one. Of a view that says
        nothing beyond the observations, their columns are enough.
    facts
        `series_id`, `kind`, `frequency`, `aggregation`. Series without a row here are left out.

    Returns
    -------
    DataFrame
        The columns of the view, by series and date.
    """
    among = facts if view.kind is None else facts.filter(pl.col("kind") == view.kind)
    rows = pl.concat(frame.select(view.taken.values()) for frame in normalized)
    rows = rows.join(among, on="series_id", how="semi")
    if view.monthly:
        rows = monthly(rows, among).join(rows.select("source", "series_id").unique(), on="series_id")
    told = (pl.col(column).alias(name) for name, column in view.taken.items())
    return rows.sort("series_id", "observation_date").select(told).drop_nulls(list(view.required))
