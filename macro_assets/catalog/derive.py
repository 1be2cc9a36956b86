"""What follows from a declaration: column lists, Polars schemas, the multiplier of a unit.

Pandera schemas are built from this in ``quality/``, Delta schemas in ``lakehouse/``, Dagster column schemas in
``orchestration/``; none of them states a column again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from macro_assets.catalog.kinds.series import Series
from macro_assets.catalog.kinds.table import Column, Dtype
from macro_assets.catalog.load import Catalog

POLARS_TYPES: dict[Dtype, pl.DataType] = {
    "str": pl.String(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
    "binary": pl.Binary(),
}


def polars_schema(columns: Iterable[Column]) -> pl.Schema:
    """Polars schema of some columns, in their order."""
    return pl.Schema({c.name: POLARS_TYPES[c.dtype] for c in columns})


def series_facts(series: Iterable[Series], *fields: str) -> pl.DataFrame:
    """The named fields of some series, one row each under its `series_id`: what a computation reads of the catalog."""
    types = {f: _PLAIN_TYPES.get(Series.model_fields[f].annotation, pl.String) for f in fields}
    rows = [(s.id, *(getattr(s, f) for f in fields)) for s in series]
    return pl.DataFrame(rows, schema={"series_id": pl.String, **types}, orient="row")


_PLAIN_TYPES: dict[object, type[pl.DataType]] = {int: pl.Int64, float: pl.Float64}
"""Polars types of the fields of a series that are no text."""


_HOLDINGS: dict[str, Any] = {
    "series_id": pl.String,
    "provider": pl.String,
    "rank": pl.Int64,
    "source": pl.String,
    "unit": pl.String,
    "scale": pl.Float64,
    "provider_unit": pl.String,
    "staleness_days": pl.Int64,
    "same": pl.Boolean,
    "licence": pl.String,
    "redistributable": pl.Boolean,
}


def holdings_frame(catalog: Catalog, series_ids: Iterable[str] | None = None) -> pl.DataFrame:
    """Who has some series, or all: a row for each holder.

    Returns
    -------
    DataFrame
        `series_id`, `provider`, `rank` (0 = the home), `source` (the home), `unit`, `scale`, `provider_unit` of the
        holder's figures, `staleness_days` of the series, `same` (whether its figures are the very same as the home's),
        `licence` and `redistributable` (whether they may be passed on; null where nobody says) of its figures.
    """
    rows = [
        {
            "series_id": series_id,
            "provider": h.provider,
            "rank": rank,
            "source": catalog.series[series_id].source,
            "unit": h.series.unit,
            "scale": h.series.scale,
            "provider_unit": h.series.provider_unit,
            "staleness_days": h.series.staleness_days,
            "same": h.same,
            "licence": h.series.licence,
            "redistributable": catalog.redistributable(h.series),
        }
        for series_id in (catalog.series if series_ids is None else series_ids)
        for rank, h in enumerate(catalog.holdings(series_id))
    ]
    return pl.DataFrame(rows, schema=_HOLDINGS)


def series_frame(catalog: Catalog) -> pl.DataFrame:
    """The series of the catalog as a frame, one row each: what SQL needs to label, scale and filter observations."""
    rows = [
        {
            "source": s.source,
            "series_id": s.id,
            "title": s.title,
            "unit": s.unit,
            "scale": s.scale,
            "provider_unit": s.provider_unit,
            "frequency": s.frequency,
            "seasonal_adjustment": s.seasonal_adjustment,
            "country": s.country,
            "theme": s.theme,
            "kind": s.kind,
            "family": catalog.sources[s.source].family,
            "first_year": s.first_year,
            "transform": s.transform,
            "aggregation": s.aggregation,
            "licence": s.licence,
            "redistributable": catalog.redistributable(s),
        }
        for s in catalog.series.values()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
