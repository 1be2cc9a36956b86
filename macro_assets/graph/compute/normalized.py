"""The normalized table of a family: what its sources know, in standard units, transformed and scored."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from macro_assets.graph.derivation import Frames
from macro_assets.lakehouse.vintages import as_of
from macro_assets.transforms.normalize import normalized as normalized_rows


def normalized(
    frames: Frames,
    *,
    table: str,
    raws: Mapping[str, str],
    decisions: str,
    scales: pl.DataFrame,
    facts: pl.DataFrame,
    min_history: Mapping[str, int],
) -> Frames:
    """The table of a family.

    Parameters
    ----------
    frames
        The raw tables, and that of the decisions about stored values.
    raws
        Raw table by source.
    scales
        `source`, `series_id`, `scale` of the family's series.
    facts
        `series_id`, `frequency`, `transform` of them.
    min_history
        Observations before the first z-score, by frequency.
    """
    known = [
        as_of(frames[raw], None, source, frames[decisions]).with_columns(source=pl.lit(source))
        for source, raw in raws.items()
    ]
    return {table: normalized_rows(pl.concat(known), scales, facts, min_history)}
