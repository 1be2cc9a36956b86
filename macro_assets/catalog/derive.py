"""What follows from a declaration: column lists, Polars schemas, the multiplier of a unit.

Pandera schemas are built from this in ``quality/``, Delta schemas in ``lakehouse/``, Dagster column schemas in
``orchestration/``; none of them states a column again.
"""

from __future__ import annotations

from collections.abc import Iterable

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
        }
        for s in catalog.series.values()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
