"""A composite indicator of series, from their monthly figures."""

from __future__ import annotations

import polars as pl

from macro_assets.catalog import Indicator
from macro_assets.graph.derivation import Frames
from macro_assets.indicators.composite import composite
from macro_assets.transforms.panel import monthly, panel


def indicator(frames: Frames, *, table: str, indicator: Indicator, facts: pl.DataFrame) -> Frames:
    """The indicator's table.

    Parameters
    ----------
    frames
        `known`: the observations of its series.
    facts
        `series_id`, `frequency`, `aggregation` of its series.
    """
    wide = panel(monthly(frames["known"], facts), facts["series_id"].to_list())
    return {table: composite(wide, indicator)}
