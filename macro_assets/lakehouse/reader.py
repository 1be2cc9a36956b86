"""Vintages held in memory, for many reads as of many instants: a backtest asks the same lake hundreds of times.

A held read takes a fraction of a millisecond for a series; `raw.observations_as_of` opens the tables anew each time and
sees what was written meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from macro_assets.catalog import Catalog, names
from macro_assets.lakehouse.delta import LakeError, reading
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.raw import by_source, read_decisions, wide
from macro_assets.lakehouse.vintages import ESTIMATED, STATEMENT, as_of, instant, microseconds

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

    def of(self, series_ids: Collection[str] | None) -> pl.DataFrame:
        """All rows of some series, or of all, in key order."""
        if series_ids is None:
            return self.rows
        found = [self.rows.slice(*self.spans[i]) for i in sorted(set(series_ids)) if i in self.spans]
        return pl.concat(found) if found else self.rows.clear()

    def known(self, moment: datetime | None, span: tuple[int, int]) -> pl.DataFrame:
        """The rows in force at an instant among plain ones."""
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
        held: dict[str, _Held],
        decisions: pl.DataFrame,
        series_ids: Collection[str] | None = None,
    ) -> None:
        self._catalog = catalog
        self._held = held
        self._decisions = decisions
        self._series_ids = None if series_ids is None else frozenset(series_ids)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(int(h.rows.estimated_size()) + h.observations.nbytes for h in self._held.values())

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
        when = None if moment is None else instant(moment)
        found = []
        for source, ids in self._by_source(series_ids).items():
            held = self._held[source]
            if held.plain:
                everything = {"": (0, held.rows.height)}
                spans = everything if ids is None else {i: held.spans[i] for i in sorted(set(ids)) if i in held.spans}
                parts = [held.known(when, span) for span in spans.values()]
                known = pl.concat(parts) if parts else held.rows.clear()
            else:
                known = as_of(held.of(ids), when, source, self._decisions)
            labels = {c: pl.col(c).cast(pl.String) if c in _LABELS else pl.col(c) for c in _COLUMNS}
            found.append(known.select(pl.lit(source).alias("source"), *labels.values()))
        return pl.concat(found)

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

        found: list[dict[str, str]] = [{} for _ in instants]
        for source, ids in self._by_source(series_ids).items():
            versions = versions_in_force(self._held[source].of(ids), instants, source, self._decisions)
            for by_series, more in zip(found, versions, strict=True):
                by_series |= more
        return found

    def latest_change(self, moment: date | datetime | str | None, series_ids: Collection[str]) -> datetime:
        """The last instant, not after one, at which anything was released of some series or decided about them.

        What was in force then is in force at the instant; the beginning of 1970 where nothing was known yet. Raises as
        :meth:`versions`.
        """
        when = instant(moment) if moment is not None else None
        about = self._decisions.filter(pl.col("series_id").cast(pl.String).is_in(list(series_ids)))["decided_at"]
        clocks = [about, *(self._held[s].of(ids)["release_time"] for s, ids in self._by_source(series_ids).items())]
        past = [clock.filter(clock <= when) if when is not None else clock for clock in clocks]
        return max((latest for c in past if isinstance(latest := c.max(), datetime)), default=_EPOCH)

    def _by_source(self, series_ids: Collection[str] | None) -> Mapping[str, Collection[str] | None]:
        """Series by their source; None for all that are held of it."""
        if series_ids is None:
            return dict.fromkeys(self._held)
        named = by_source(self._catalog, series_ids)
        if self._series_ids is not None and (missing := [s for s in series_ids if s not in self._series_ids]):
            raise LakeError(
                f"series {missing[0]} is not held: these vintages were opened with {len(self._series_ids)} series. "
                "Name it too in `open_vintages(series_ids=...)`, or open all."
            )
        return named if series_ids else {next(iter(self._held)): []}

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
    held = {}
    for source, ids in by_source(lake.catalog, series_ids).items():
        rows, version = lake.scan(names.raw(source))
        wanted = rows if ids is None else rows.filter(pl.col("series_id").is_in(ids))
        with reading(names.raw(source), version):
            frame = wanted.select(_COLUMNS).sort(_KEY).collect()
        held[source] = _hold(frame, decisions)
    labelled = decisions.cast({"series_id": pl.Categorical, "provider": pl.Categorical})
    return Vintages(lake.catalog, held, labelled, series_ids)


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
