"""What the catalog says of the series of a row, for rules on tables of many series."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from macro_assets.catalog import Series

IDENTITY = pl.Struct({"plus": pl.List(pl.String), "minus": pl.List(pl.String), "tolerance": pl.Float64})

FACTS: dict[str, Any] = {
    "frequency": pl.String,
    "is_regular": pl.Boolean,
    "holidays": pl.String,
    "identities": pl.List(IDENTITY),
}
"""Columns of :func:`facts_of` behind `series_id`, with their types."""


def facts_of(series: Iterable[Series]) -> pl.DataFrame:
    """What rules may ask of series, one row each.

    Returns
    -------
    DataFrame
        `series_id`, `frequency`, `is_regular` (whether its dates follow a rhythm), `holidays` (whose holidays its days
        leave out; null where the catalog does not say), `identities` (sums that it equals; null where it states none).
    """
    rows = [
        (
            s.id,
            s.frequency,
            not s.irregular,
            s.publication_lag.holidays or ("US" if s.country == "US" else None),
            [i.model_dump() for i in s.identities] or None,
        )
        for s in series
    ]
    return pl.DataFrame(rows, schema={"series_id": pl.String, **FACTS}, orient="row")
