"""What derivations read: series and tables, read once per run, with the versions that tell whether they changed.

A version is of what a derivation gets: a series' rows in force at its instant, a table's rows. All versions of one
month or table together are its slice: where slice and code are as they were, the result is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cached_property

import polars as pl

from macro_assets.catalog import Catalog, names
from macro_assets.catalog.derive import holdings_frame
from macro_assets.catalog.periods import month_end, previous_month, utc_now
from macro_assets.graph.derivation import Derivation, Fitted, Input, Known, Moment, Served, Table
from macro_assets.lakehouse.delta import data_version, open_table, reading
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.holders import begins_later, chosen, serving
from macro_assets.lakehouse.raw import INVALIDATIONS, said_by_all
from macro_assets.lakehouse.reader import Vintages, open_vintages
from macro_assets.lakehouse.vintages import in_force
from macro_assets.transforms.normalize import standard_units

Versions = Mapping[str, str]
"""Version by series or table; what is not there has none."""

COLUMNS = ("source", "series_id", "provider", "observation_date", "value", "unit", "release_time")
"""Columns of observations as derivations get them."""

NO_ROWS = "no rows"
"""Data version of an as-of month without rows."""


def in_standard_units(known: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Observations in force, in the providers' units, as derivations get them.

    Parameters
    ----------
    known
        As :func:`macro_assets.lakehouse.raw.observations_as_of` gives them.
    """
    return standard_units(known, holdings_frame(catalog, known["series_id"].unique()))


class Inputs:
    """The inputs of some derivations, each table and vintage read once.

    Parameters
    ----------
    lake
        Where they are.
    derivations
        Those that will be asked for; only their series are read.
    months
        As-of months that will be asked for: they are looked at in one pass.
    now
        Instant of the run: the as-of instant of the open month, and what `computed_at` says.
    """

    def __init__(
        self,
        lake: Lakehouse,
        derivations: Collection[Derivation],
        months: Collection[str] = (),
        now: datetime | None = None,
    ) -> None:
        self.lake = lake
        self.now = now or utc_now()
        self._months = set(months)
        self._derivations = derivations
        self._tables: dict[str, pl.DataFrame] = {}
        self._table_versions: dict[str, str] = {}
        self._month_versions: dict[str, dict[str, str]] = {}
        self._observations: dict[str, tuple[pl.DataFrame, dict[str, str]]] = {}
        self._vintages: Vintages | None = None
        self._known_versions: dict[datetime, dict[str, str]] = {}
        self._series_versions: dict[tuple[Known, str | None], dict[str, str]] = {}
        self._said_of: dict[Served, pl.DataFrame] = {}

    # --- frames ----------------------------------------------------------------------------------------------------

    def frames(self, derivation: Derivation, month: str | None = None) -> dict[str, pl.DataFrame]:
        """The frame of each input, of a month of the as-of grid or as it is today."""
        return {key: self._frame(given, month) for key, given in derivation.inputs.items()}

    def _frame(self, given: Input, month: str | None) -> pl.DataFrame:
        if isinstance(given, Table):
            stored = self.table(given.name)
            return stored if month is None else stored.filter(pl.col("as_of_month") == month)
        if isinstance(given, Fitted):
            return self.table(given.table).filter(pl.col("as_of_month") == given.month(_on_the_grid(month)))
        if isinstance(given, Served):
            return serving(self._said(given), self._holdings(given), self.now.date())
        if month is None:
            return self._today(given.series)
        return self.known(given.series, self._instant(given, month))

    def table(self, name: str) -> pl.DataFrame:
        """All rows of a stored table."""
        if name not in self._tables:
            self._tables[name] = self.lake.read(name)
        return self._tables[name]

    def put(self, name: str, frame: pl.DataFrame, month: str | None = None) -> None:
        """Hold what was stored meanwhile as a table, or as a month of it."""
        if month is not None:
            months = {m: v for m, v in self.stored_months(name).items() if m != month}
            self._month_versions[name] = months | self._versions_by_month(name, frame)
            frame = pl.concat([self.table(name).filter(pl.col("as_of_month") != month), frame])
        self._tables[name] = frame
        self._table_versions.pop(name, None)
        self._observations = {f: held for f, held in self._observations.items() if names.normalized(f) != name}
        self._series_versions = {k: v for k, v in self._series_versions.items() if k[1] is not None}

    def known(self, series: Collection[str], moment: datetime) -> pl.DataFrame:
        """Observations of series known at an instant."""
        return in_standard_units(self.vintages.as_of(moment, series), self.lake.catalog)

    def holders(self, series: Collection[str], moment: datetime) -> set[str]:
        """All who had said something of some series by an instant, whether they count or not."""
        return set(said_by_all(self.lake, moment, series)["provider"])

    def _said(self, given: Served) -> pl.DataFrame:
        """What the holders of series say today."""
        if given not in self._said_of:
            decisions = self.table(INVALIDATIONS)
            raws = [self.table(name) for name in given.tables if name != INVALIDATIONS]
            self._said_of[given] = pl.concat(in_force(raw, None, decisions) for raw in raws)
        return self._said_of[given]

    def _holdings(self, given: Served) -> pl.DataFrame:
        return holdings_frame(self.lake.catalog, given.series)

    @property
    def vintages(self) -> Vintages:
        """The vintages of the series of the as-of grid, held in memory."""
        if self._vintages is None:
            series = {s for d in self._derivations if d.grid for s in d.series}
            self._vintages = open_vintages(series, self.lake.root, self.lake.catalog)
        return self._vintages

    def _today(self, series: Collection[str]) -> pl.DataFrame:
        by_family = [self._family(f)[0] for f in self.lake.catalog.families_of(series)]
        wanted = pl.col("series_id").is_in(list(series))
        return pl.concat(by_family).filter(wanted).sort("series_id", "observation_date")

    def _family(self, family: str) -> tuple[pl.DataFrame, dict[str, str]]:
        """Observations of the series that are read of a family's table, and the version of each."""
        if family not in self._observations:
            from macro_assets.lakehouse.hashing import series_versions  # numpy takes a tenth of a second to import

            wanted = {s for d in self._derivations if not d.grid for s in d.series}
            rows, version = self.lake.scan(names.normalized(family))
            with reading(names.normalized(family), version):
                frame = rows.filter(pl.col("series_id").is_in(list(wanted))).select(COLUMNS).collect()
            self._observations[family] = frame, series_versions(frame)
        return self._observations[family]

    # --- versions --------------------------------------------------------------------------------------------------

    def versions(self, derivation: Derivation, month: str | None = None) -> dict[str, str]:
        """The version of each series and table that it reads, with what of the month before is read too."""
        found: dict[str, str] = {}
        for given in derivation.inputs.values():
            found |= self._versions(given, month)
        return found

    def _versions(self, given: Input, month: str | None) -> dict[str, str]:
        if isinstance(given, Table):
            version = self.table_version(given.name) if month is None else self.stored_months(given.name).get(month, "")
            return {given.name: version}
        if isinstance(given, Served):
            return {name: self.table_version(name) for name in given.tables} | {"holders": self._holders(given)}
        if isinstance(given, Fitted):
            fit = given.month(_on_the_grid(month))
            return {f"{given.table} of {fit}": self.stored_months(given.table).get(fit, "")}
        if (given, month) not in self._series_versions:
            self._series_versions[given, month] = self._versions_of_series(given, month)
        return self._series_versions[given, month]

    def _holders(self, given: Served) -> str:
        """A version of who counts of the series that several holders have said something of: time may change it."""
        return slice_of(dict(self._serving(given).iter_rows()))

    def begins_later(self, derivation: Derivation) -> list[str]:
        """Sentences on the series that begin later than another holder has them, of those chosen among holders."""
        found: list[str] = []
        for given in derivation.inputs.values():
            if isinstance(given, Served):
                rows = begins_later(self._contested(given), self._serving(given)).iter_rows()
                found += (
                    f"{series}: {by} begins in {first:%Y-%m}, {other} in {earlier:%Y-%m}"
                    for series, by, first, other, earlier in rows
                )
        return found

    def _serving(self, given: Served) -> pl.DataFrame:
        """Who counts of the series of which several say something."""
        return chosen(self._contested(given), self._holdings(given), self.now.date())

    def _contested(self, given: Served) -> pl.DataFrame:
        """What the holders say of the series of which several say something."""
        said = self._said(given)
        holders = said.select("series_id", "provider").unique()
        several = holders.filter(pl.len().over("series_id") > 1)["series_id"].unique()
        return said.filter(pl.col("series_id").is_in(several.implode()))

    def _versions_of_series(self, given: Known, month: str | None) -> dict[str, str]:
        if month is None:
            held = [self._family(f)[1] for f in self.lake.catalog.families_of(given.series)]
            return {s: next((v[s] for v in held if s in v), "") for s in given.series}
        at = self._instant(given, month)
        before = f" ({given.months_before} before)" if given.months_before else ""
        when = at.isoformat() if at < self.now else self._fresh(given.series, at)
        return {f"{s}{before}": v for s, v in self._as_given(given, at).items()} | {f"the instant{before}": when}

    def _as_given(self, given: Known, moment: datetime) -> dict[str, str]:
        """The version of each series in force at an instant, with the scales and units in which holders give it."""
        known = self._known_at(moment)
        return {s: f"{known[s]} x{self._scales[s]}" if s in known else "" for s in given.series}

    @cached_property
    def _scales(self) -> dict[str, str]:
        series = {s for d in self._derivations if d.grid for s in d.series}
        told = {s: {(h.series.scale, h.series.unit) for h in self.lake.catalog.holdings(s)} for s in series}
        return {s: " ".join(f"{scale!r} {unit}" for scale, unit in sorted(found)) for s, found in told.items()}

    def _fresh(self, series: Collection[str], moment: datetime) -> str:
        """Which series are within their staleness limit: of the open month, time alone may change it."""
        latest = dict(
            self.known(series, moment).drop_nulls("value").group_by("series_id").agg(pl.col("observation_date").max())
            .iter_rows()
        )  # fmt: skip
        limits = {s: self.lake.catalog.series[s].staleness_days for s in series}
        fresh = [s for s, day in latest.items() if (moment.date() - day).days <= limits[s]]
        return f"open, fresh: {' '.join(sorted(fresh))}"

    def _known_at(self, moment: datetime) -> dict[str, str]:
        if moment not in self._known_versions:
            as_of = [d for d in self._derivations if d.grid]
            known = [i for d in as_of for i in d.inputs.values() if isinstance(i, Known)]
            back = {i.months_before for i in known}
            instants = sorted({moment, *(self._at(m, b) for m in self._months for b in back)})
            series = {s for d in as_of for s in d.series}
            self._known_versions |= dict(zip(instants, self.vintages.versions(instants, series), strict=True))
        return self._known_versions[moment]

    def table_version(self, name: str) -> str:
        """Data version of a stored table."""
        if name not in self._table_versions:
            self._table_versions[name] = data_version(self.table(name), self.lake.table(name))
        return self._table_versions[name]

    def stored_months(self, name: str) -> dict[str, str]:
        """Data version of each stored month of an as-of table; a month without rows is not among them."""
        if name not in self._month_versions:
            self._month_versions[name] = self._versions_by_month(name, self.table(name))
        return self._month_versions[name]

    def _versions_by_month(self, name: str, frame: pl.DataFrame) -> dict[str, str]:
        from macro_assets.lakehouse.hashing import month_versions

        return month_versions(frame, self.lake.table(name))

    def stored_month(self, name: str, month: str) -> str | None:
        """Data version of a month as it is stored; None where the table is not in the lake."""
        if self.table(name).is_empty() and open_table(self.lake.root, name) is None:
            return None
        return self.stored_months(name).get(month, NO_ROWS)

    # --- moments ---------------------------------------------------------------------------------------------------

    def moment(self, derivation: Derivation, month: str) -> Moment:
        """The month under way of a derivation of the as-of grid."""
        instants = {k: self._instant(i, month) for k, i in derivation.inputs.items() if isinstance(i, Known)}
        return self._moment(derivation, month, instants)

    def moment_at(self, derivation: Derivation, when: datetime) -> Moment:
        """An instant off the grid, of a derivation that reads what was known then."""
        return self._moment(derivation, None, {k: when for k, i in derivation.inputs.items() if isinstance(i, Known)})

    def _moment(self, derivation: Derivation, month: str | None, instants: Mapping[str, datetime]) -> Moment:
        series = {k: i for k, i in derivation.inputs.items() if isinstance(i, Known)}
        slices = {k: slice_of(self._as_given(i, instants[k])) for k, i in series.items()}
        changed = {k: self.vintages.latest_change(instants[k], i.series) for k, i in series.items()}
        return Moment(month, self.now, derivation.code_version, instants, slices, changed)

    def _instant(self, given: Known, month: str) -> datetime:
        return self._at(month, given.months_before)

    def _at(self, month: str, months_before: int) -> datetime:
        return month_end(previous_month(month, months_before), self.now)


def _on_the_grid(month: str | None) -> str:
    if month is None:
        raise ValueError("a fit is of an as-of month, and holds for no other instant by itself")
    return month


def slice_of(versions: Versions) -> str:
    """16 hex digits of all versions together: what is compared with what a result was computed from."""
    return hashlib.sha256(json.dumps(sorted(versions.items())).encode()).hexdigest()[:16]
