"""Vintages held in memory, for many reads as of many instants: a backtest asks the same lake hundreds of times.

A held read takes a fraction of a millisecond for a series; `raw.observations_as_of` opens the tables anew each time and
sees what was written meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from macro_assets.catalog import Catalog, names
from macro_assets.catalog.derive import holdings_frame
from macro_assets.lakehouse.delta import LakeError, reading
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.holders import ESTIMATED, serving
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.raw import read_decisions, tables_with, wide, with_homes
from macro_assets.lakehouse.vintages import STATEMENT, VINTAGE_BASES, day_of, in_force, instant, microseconds

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_COLUMNS = (*STATEMENT, "value", "release_basis")
_LABELS = ("series_id", "provider", "release_basis")
_KEY = ["series_id", "provider", "observation_date", "release_time"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Held:
    """Rows in key order, labels as categories.

    `spans` is where each series begins and how long it is, `observations` numbers the rows by what they are about,
    `released` is their release time in microseconds. The last row about an observation that was released by an instant
    is in force, but for `irregular` series: these have decisions, or estimates beside dated vintages. `shared` series
    have rows of several holders.
    """

    rows: pl.DataFrame
    spans: dict[str, tuple[int, int]]
    observations: Array
    released: Array
    irregular: frozenset[str]
    shared: frozenset[str]

    def of(self, series_ids: Iterable[str]) -> pl.DataFrame:
        """All rows of some series, in key order."""
        found = [self.rows.slice(*self.spans[i]) for i in sorted(set(series_ids)) if i in self.spans]
        return pl.concat(found) if found else self.rows.clear()

    def known(self, moment: datetime | None, series_ids: Collection[str] | None) -> pl.DataFrame:
        """The rows in force at an instant of regular series: of some, or of all."""
        if series_ids is None and not self.irregular:
            return self._known(moment, (0, self.rows.height))
        wanted = self.spans if series_ids is None else series_ids
        parts = [self._known(moment, self.spans[i]) for i in sorted(set(wanted) - self.irregular) if i in self.spans]
        return pl.concat(parts) if parts else self.rows.clear()

    def _known(self, moment: datetime | None, span: tuple[int, int]) -> pl.DataFrame:
        import numpy as np

        start, length = span
        at = slice(start, start + length)
        positions = np.flatnonzero(self.released[at] <= microseconds(moment))
        about = self.observations[at][positions]
        last = np.append(about[1:] != about[:-1], True)[: len(about)]
        winners: pl.DataFrame = self.rows[start + positions[last]]
        return winners


class Vintages:
    """The vintages of a lake as they were stored when this was made by :func:`open_vintages`.

    About 45 bytes a row. Safe to read from several threads.
    """

    def __init__(
        self,
        catalog: Catalog,
        held: _Held,
        decisions: pl.DataFrame,
        holdings: pl.DataFrame,
        series_ids: Collection[str] | None = None,
    ) -> None:
        self._catalog = catalog
        self._held = held
        self._decisions = decisions
        self._series_ids = None if series_ids is None else frozenset(series_ids)
        self._holdings = holdings

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return int(self._held.rows.estimated_size()) + self._held.observations.nbytes

    def as_of(self, moment: date | datetime | str | None, series_ids: Collection[str] | None = None) -> pl.DataFrame:
        """Observations known at an instant, as :func:`macro_assets.lakehouse.raw.observations_as_of` gives them.

        Of all series that are held, where none are named.

        Raises
        ------
        UnknownNameError
            When the catalog has no such series.
        LakeError
            When a series is not held.
        """
        self._refuse_not_held(series_ids)
        when, held = None if moment is None else instant(moment), self._held
        known = held.known(when, series_ids)
        wanted = held.spans.keys() if series_ids is None else set(series_ids)
        if odd := held.irregular.intersection(wanted):
            known = pl.concat([known, in_force(held.of(odd), when, self._decisions)])
        if odd or held.shared.intersection(wanted):
            known = serving(known, self._holdings, day_of(moment))
        return with_homes(known.with_columns(pl.col(c).cast(pl.String) for c in _LABELS), self._catalog)

    def versions(
        self, instants: Sequence[date | datetime | str | None], series_ids: Collection[str]
    ) -> list[dict[str, str]]:
        """For each instant, by series, a version of what is in force: 16 hex digits.

        Equal versions mean that :meth:`as_of` gives the same rows of the series; what was stored since and changes
        nothing that is in force at the instant leaves its version as it was. A series of which nothing is in force is
        absent. All instants cost one pass over the rows.

        Raises
        ------
        UnknownNameError
            When the catalog has no such series.
        LakeError
            When a series is not held.
        """
        from macro_assets.lakehouse.slices import versions_in_force  # numpy takes a tenth of a second to import

        self._refuse_not_held(series_ids)
        return versions_in_force(self._held.of(series_ids), instants, self._holdings, self._decisions)

    def latest_change(self, moment: date | datetime | str | None, series_ids: Collection[str]) -> datetime:
        """The last instant, not after one, at which anything was released of some series or decided about them.

        The beginning of 1970 where nothing was known yet. Raises as :meth:`versions`.
        """
        self._refuse_not_held(series_ids)
        when = instant(moment) if moment is not None else None
        about = self._decisions.filter(pl.col("series_id").cast(pl.String).is_in(list(series_ids)))["decided_at"]
        clocks = [about, self._held.of(series_ids)["release_time"]]
        past = [clock.filter(clock <= when) if when is not None else clock for clock in clocks]
        return max((latest for c in past if isinstance(latest := c.max(), datetime)), default=_EPOCH)

    def _refuse_not_held(self, series_ids: Collection[str] | None) -> None:
        for series_id in series_ids or ():
            self._catalog.one_series(series_id)
            if self._series_ids is not None and series_id not in self._series_ids:
                raise LakeError(
                    f"series {series_id} is not held: these vintages were opened with {len(self._series_ids)} series. "
                    "Name it too in `open_vintages(series_ids=...)`, or open all."
                )

    def panel(self, moment: date | datetime | str | None, series_ids: Collection[str] | None = None) -> pl.DataFrame:
        """A panel as known at an instant, as :func:`macro_assets.lakehouse.raw.panel_as_of` gives it."""
        return wide(self.as_of(moment, series_ids), series_ids)


def open_vintages(
    series_ids: Collection[str] | None = None, root: str | Root | None = None, catalog: Catalog | None = None
) -> Vintages:
    """Read the raw tables and the decisions about them into memory: of all series, or of some.

    Parameters
    ----------
    series_ids
        Series of the catalog to read and hold; None for all.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    LakeError
        When a table cannot be read.
    """
    lake = Lakehouse.at(root, catalog)
    decisions = read_decisions(lake)
    frames = []
    for source, ids in tables_with(lake.catalog, series_ids).items():
        rows, version = lake.scan(names.raw(source))
        wanted = rows if ids is None else rows.filter(pl.col("series_id").is_in(ids))
        with reading(names.raw(source), version):
            frames.append(wanted.select(_COLUMNS).collect())
    holdings = holdings_frame(lake.catalog, series_ids)
    held = pl.concat(frames).join(holdings, on=["series_id", "provider"], how="semi").sort(_KEY)
    labelled = decisions.cast({"series_id": pl.Categorical, "provider": pl.Categorical})
    return Vintages(lake.catalog, _hold(held, decisions), labelled, holdings, series_ids)


def _hold(frame: pl.DataFrame, decisions: pl.DataFrame) -> _Held:
    """Rows in key order with their indices."""
    series = frame["series_id"].rle().struct.unnest()
    starts = series["len"].cum_sum() - series["len"]
    numbers = frame.select(pl.struct("series_id", "provider", "observation_date").rle_id()).to_series()
    basis = pl.col("release_basis")
    mixed = (basis == ESTIMATED).any() & basis.is_in(VINTAGE_BASES).any()
    bases = frame.group_by("series_id", "provider").agg(mixed=mixed)
    decided = frame.select("series_id").join(decisions, on="series_id", how="semi")["series_id"]
    holders = bases.group_by("series_id").len()
    rows = frame.cast(dict.fromkeys(_LABELS, pl.Categorical)).rechunk()
    return _Held(
        rows=rows,
        spans=dict(zip(series["value"], zip(starts, series["len"], strict=True), strict=True)),
        observations=numbers.to_numpy(),
        released=rows["release_time"].to_physical().to_numpy(),
        irregular=frozenset(bases.filter("mixed")["series_id"]) | frozenset(decided),
        shared=frozenset(holders.filter(pl.col("len") > 1)["series_id"]),
    )
