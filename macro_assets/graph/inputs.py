"""What computed tables are made from: the raw tables of all sources, and what they say was known at an instant."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from macro_assets.catalog import Catalog, names
from macro_assets.graph.derivation import Frames
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets.lakehouse.vintages import as_of as known_as_of


def raw_inputs(catalog: Catalog) -> tuple[str, ...]:
    """The tables that together say what was known when."""
    return (*map(names.raw, catalog.sources), INVALIDATIONS)


def everything_known(frames: Frames, catalog: Catalog, moment: datetime | None = None) -> pl.DataFrame:
    """Observations of all sources known at an instant, from the frames of `raw_inputs`."""
    parts = [
        known_as_of(frames[names.raw(s)], moment, s, frames[INVALIDATIONS]).with_columns(source=pl.lit(s))
        for s in catalog.sources
    ]
    return pl.concat(parts)
