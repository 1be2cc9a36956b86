"""Vintages held in memory, for many reads as of many instants: a backtest asks the same lake hundreds of times.

A held read takes about a millisecond for a series and a few for a panel; `raw.observations_as_of` opens the tables anew
each time and sees what was written meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.lakehouse.delta import reading
from macro_assets.lakehouse.paths import Root, lake_root
from macro_assets.lakehouse.raw import by_source, read_decisions, scan_raw, wide
from macro_assets.lakehouse.vintages import STATEMENT, as_of

_LABELS = ("series_id", "provider", "release_basis")
_AS_READ = [pl.col(c).cast(pl.String) if c in _LABELS else pl.col(c) for c in (*STATEMENT, "value", "release_basis")]


@dataclass(frozen=True)
class _Held:
    """Rows of one source in key order, labels as categories; `spans` is where each series begins and how long it is."""

    rows: pl.DataFrame
    spans: dict[str, tuple[int, int]]


class Vintages:
    """The vintages of a lake as they were stored when this was made by :func:`open_vintages`.

    About 35 bytes a row. Safe to read from several threads.
    """

    def __init__(self, catalog: Catalog, held: dict[str, _Held], decisions: pl.DataFrame) -> None:
        self._catalog = catalog
        self._held = held
        self._decisions = decisions

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(int(h.rows.estimated_size()) for h in self._held.values())

    def as_of(self, moment: date | datetime | str | None, series_ids: Collection[str] | None = None) -> pl.DataFrame:
        """Observations known at an instant, as :func:`macro_assets.lakehouse.raw.observations_as_of` gives them.

        Raises
        ------
        UnknownNameError
            When the catalog has no such series.
        """
        found = []
        for source, ids in by_source(self._catalog, series_ids).items():
            held = self._held[source]
            if ids is None:
                parts = [held.rows]
            else:
                parts = [held.rows.slice(*held.spans[i]) for i in sorted(set(ids)) if i in held.spans]
            rows = pl.concat(parts) if parts else held.rows.clear()
            known = as_of(rows, moment, source, self._decisions)
            found.append(known.select(pl.lit(source).alias("source"), pl.all()).cast(dict.fromkeys(_LABELS, pl.String)))
        return pl.concat(found)

    def panel(self, moment: date | datetime | str | None, series_ids: Collection[str] | None = None) -> pl.DataFrame:
        """A panel as known at an instant, as :func:`macro_assets.lakehouse.raw.panel_as_of` gives it."""
        return wide(self.as_of(moment, series_ids), series_ids)


def open_vintages(root: str | Root | None = None, catalog: Catalog | None = None) -> Vintages:
    """Read the raw tables and the decisions about them into memory.

    Raises
    ------
    LakeError
        When a table cannot be read.
    """
    catalog, lake = catalog or default_catalog(), lake_root(root)
    held = {}
    for source in catalog.sources:
        rows, version = scan_raw(lake, catalog, source)
        with reading(f"raw/{source}", version):
            frame = rows.select(*STATEMENT, "value", "release_basis").collect()
        if not _is_sorted_by_series(frame):
            frame = frame.sort("series_id", "observation_date", "release_time", "provider")
        starts = frame.select(
            pl.col("series_id").rle().struct.field("value").alias("id"),
            pl.col("series_id").rle().struct.field("len").alias("length"),
        ).with_columns(start=pl.col("length").cum_sum() - pl.col("length"))
        spans = {i: (start, length) for i, length, start in starts.iter_rows()}
        held[source] = _Held(frame.cast(dict.fromkeys(_LABELS, pl.Categorical)).rechunk(), spans)
    decisions = read_decisions(lake, catalog).cast({"series_id": pl.Categorical, "provider": pl.Categorical})
    return Vintages(catalog, held, decisions)


def _is_sorted_by_series(frame: pl.DataFrame) -> bool:
    return frame["series_id"].rle().len() == frame["series_id"].n_unique()
