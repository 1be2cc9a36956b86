"""Vintages held in memory, for many reads as of many instants: a backtest asks the same lake hundreds of times.

A held read takes a fraction of a millisecond for a series; `raw.observations_as_of` opens the tables anew each time and
sees what was written meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from macro_assets.catalog import Catalog, names
from macro_assets.lakehouse.delta import reading
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.raw import by_source, read_decisions, wide
from macro_assets.lakehouse.vintages import ESTIMATED, STATEMENT, as_of, instant

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_COLUMNS = (*STATEMENT, "value", "release_basis")
_LABELS = ("series_id", "provider", "release_basis")
_KEY = ["series_id", "observation_date", "release_time", "provider"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Held:
    """Rows of one source in key order, labels as categories.

    `spans` is where each series begins and how long it is, `observations` numbers the rows by what they are about,
    `released` is their release time in microseconds. Of `plain` rows the last one released by an instant is in force:
    there is one provider, no estimate and no decision about them.
    """

    rows: pl.DataFrame
    spans: dict[str, tuple[int, int]]
    observations: Array
    released: Array
    plain: bool

    def known(self, moment: datetime | None, span: tuple[int, int]) -> pl.DataFrame:
        """The rows in force at an instant among plain ones."""
        import numpy as np

        start, length = span
        at = slice(start, start + length)
        until = np.iinfo(np.int64).max if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
        positions = np.flatnonzero(self.released[at] <= until)
        about = self.observations[at][positions]
        last = np.append(about[1:] != about[:-1], True)[: len(about)]
        winners: pl.DataFrame = self.rows[start + positions[last]]
        return winners


class Vintages:
    """The vintages of a lake as they were stored when this was made by :func:`open_vintages`.

    About 45 bytes a row. Safe to read from several threads.
    """

    def __init__(self, catalog: Catalog, held: dict[str, _Held], decisions: pl.DataFrame) -> None:
        self._catalog = catalog
        self._held = held
        self._decisions = decisions

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(int(h.rows.estimated_size()) + h.observations.nbytes for h in self._held.values())

    def as_of(self, moment: date | datetime | str | None, series_ids: Collection[str] | None = None) -> pl.DataFrame:
        """Observations known at an instant, as :func:`macro_assets.lakehouse.raw.observations_as_of` gives them.

        Raises
        ------
        UnknownNameError
            When the catalog has no such series.
        """
        when = None if moment is None else instant(moment)
        found = []
        for source, ids in by_source(self._catalog, series_ids).items():
            held = self._held[source]
            everything = {"": (0, held.rows.height)}
            spans = everything if ids is None else {i: held.spans[i] for i in sorted(set(ids)) if i in held.spans}
            if held.plain:
                parts = [held.known(when, span) for span in spans.values()]
                known = pl.concat(parts) if parts else held.rows.clear()
            else:
                slices = [held.rows.slice(*span) for span in spans.values()]
                rows = pl.concat(slices) if slices else held.rows.clear()
                known = as_of(rows, when, source, self._decisions)
            labels = {c: pl.col(c).cast(pl.String) if c in _LABELS else pl.col(c) for c in _COLUMNS}
            found.append(known.select(pl.lit(source).alias("source"), *labels.values()))
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
    lake = Lakehouse.at(root, catalog)
    decisions = read_decisions(lake)
    held = {}
    for source in lake.catalog.sources:
        rows, version = lake.scan(names.raw(source))
        with reading(names.raw(source), version):
            frame = rows.select(_COLUMNS).sort(_KEY).collect()
        held[source] = _hold(frame, decisions)
    return Vintages(lake.catalog, held, decisions.cast({"series_id": pl.Categorical, "provider": pl.Categorical}))


def _hold(frame: pl.DataFrame, decisions: pl.DataFrame) -> _Held:
    """Rows in key order with their indices."""
    series = frame["series_id"].rle().struct.unnest()
    starts = series["len"].cum_sum() - series["len"]
    numbers = frame.select(pl.struct("series_id", "observation_date").rle_id()).to_series()
    plain = (
        frame["provider"].n_unique() <= 1
        and not (frame["release_basis"] == ESTIMATED).any()
        and frame.select("series_id").join(decisions, on="series_id", how="semi").is_empty()
    )
    rows = frame.cast(dict.fromkeys(_LABELS, pl.Categorical)).rechunk()
    return _Held(
        rows=rows,
        spans=dict(zip(series["value"], zip(starts, series["len"], strict=True), strict=True)),
        observations=numbers.to_numpy(),
        released=rows["release_time"].to_physical().to_numpy(),
        plain=plain,
    )
