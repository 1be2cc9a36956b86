"""The normalized table of a family: what its series are, in standard units, transformed and scored."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from macro_assets.graph.derivation import Frames
from macro_assets.transforms.normalize import normalized as normalized_rows
from macro_assets.transforms.normalize import standard_units


def normalized(
    frames: Frames, *, table: str, holdings: pl.DataFrame, facts: pl.DataFrame, min_history: Mapping[str, int]
) -> Frames:
    """The table of a family.

    Parameters
    ----------
    frames
        `served`: the observations of the family's series, in the units of their providers.
    holdings
        `series_id`, `provider`, `source`, `scale`, `unit` of whoever has one of them.
    facts
        `series_id`, `frequency`, `transform` of them.
    min_history
        Observations before the first z-score, by frequency.
    """
    return {table: normalized_rows(standard_units(frames["served"], holdings), facts, min_history)}
