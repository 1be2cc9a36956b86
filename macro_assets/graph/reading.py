"""Reading a table of the lake: the stored one, or computed again from what was known at an instant."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

import polars as pl

from macro_assets.catalog import Catalog, UnknownNameError, View, names
from macro_assets.catalog.derive import series_facts
from macro_assets.catalog.load import unknown_name_message
from macro_assets.graph.derivation import Derivation, Fitted, Input, Known, Served
from macro_assets.graph.inputs import in_standard_units
from macro_assets.lakehouse.absent import made_by, never_fetched, undated
from macro_assets.lakehouse.delta import LakeError, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import clock_of
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.raw import observations_as_of, read_series
from macro_assets.lakehouse.session import connect as connect
from macro_assets.lakehouse.vintages import instant


def read(
    name: str,
    as_of: date | datetime | str | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Read a table or a view of the lake, today or as of a past instant.

    Parameters
    ----------
    name
        'layer/table', such as 'normalized/observations'.
    as_of
        None reads the stored table. Otherwise the table is computed from the vintages known at that instant, by the
        functions that make the stored one; of as-of partitioned tables the partitions up to the instant are returned.
        A bare date means its end in UTC.

    Raises
    ------
    UnknownNameError
        When the catalog has no such table.
    LakeError
        When the lake has no such table yet, or what it says cannot be had as of an instant.
    """
    lake = Lakehouse.at(root, catalog)
    past = _Past(lake, instant(as_of)) if as_of is not None else None
    if name in lake.catalog.views:
        return _view(lake, lake.catalog.views[name], past)
    if name not in lake.catalog.tables:
        raise UnknownNameError(unknown_name_message("table", name, [*lake.catalog.tables, *lake.catalog.views]))
    return past.asked(name) if past else _stored(lake, name)


def _view(lake: Lakehouse, view: View, past: _Past | None) -> pl.DataFrame:
    """The rows of a view over the normalized tables; of those that are there, of today's."""
    from macro_assets.transforms.views import view_rows

    families = [names.normalized(f) for f in lake.catalog.families if lake.catalog.sources_of(f)]
    if past is None:
        families = [f for f in families if open_table(lake.root, f) is not None]
    if not families:
        raise LakeError(f"nothing of {view.name} is in the lake at {lake.root} yet. `macro run normalized` makes it.")
    facts = series_facts(lake.catalog.series.values(), "kind", "frequency", "aggregation")
    return view_rows(view, [past.asked(f) if past else lake.read(f) for f in families], facts)


def series(
    series_ids: str | Collection[str],
    as_of: date | datetime | str | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """The observations of a series, or of several, in standard units, today or as of a past instant.

    They are those of the holder that counts at the instant: `docs/vintages.md` has the rules. A bare date means its end
    in UTC.

    Returns
    -------
    DataFrame
        One row per series and date, by both: `series_id`, `observation_date` (first day of the period), `value` (in
        `unit`; null where the provider says that it is missing), `unit` (the standard one, of the holder), `provider`
        (who served it), `release_time` (when it became known, UTC). No rows where nothing was known at the instant.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    LakeError
        When a table cannot be read, or nothing of a series was ever fetched: it says how to get it.
    """
    lake = Lakehouse.at(root, catalog)
    ids = {series_ids} if isinstance(series_ids, str) else set(series_ids)
    if not ids:
        raise ValueError("no series is named: expected an id of the catalog, such as 'PAYEMS', or several")
    known = _known(lake, ids, as_of)
    _refuse_never_fetched(lake, ids - set(known["series_id"]))
    return known.select("series_id", "observation_date", "value", "unit", "provider", "release_time")


def panel(
    series_ids: Collection[str],
    as_of: date | datetime | str | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Series side by side, one row per month, in standard units, today or as of a past instant.

    Daily and weekly series are aggregated by the catalog's rule; a quarterly figure stands in its quarter's last month,
    an annual one in December.

    Returns
    -------
    DataFrame
        `observation_date` (first of month, no month skipped) and a column per series in the order asked, named by its
        id; null where nothing is known.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    LakeError
        When a table cannot be read, or nothing of a series was ever fetched: it says how to get it.
    """
    from macro_assets.transforms.panel import monthly
    from macro_assets.transforms.panel import panel as side_by_side

    lake = Lakehouse.at(root, catalog)
    ids = list(dict.fromkeys(series_ids))
    facts = series_facts((lake.catalog.one_series(s) for s in ids), "frequency", "aggregation")
    known = _known(lake, ids, as_of)
    _refuse_never_fetched(lake, set(ids) - set(known["series_id"]))
    return side_by_side(monthly(known, facts), ids)


def _refuse_never_fetched(lake: Lakehouse, unknown: Collection[str]) -> None:
    """Refuse series of which nothing is stored; of some others nothing was known at the instant, or counts."""
    stored = read_series(lake, unknown)["series_id"] if unknown else ()
    for series_id in sorted(set(unknown).difference(stored)):
        raise LakeError(never_fetched(lake.catalog, series_id))


def _known(lake: Lakehouse, series: Collection[str], moment: date | datetime | str | None) -> pl.DataFrame:
    """Observations of series as :class:`Known` gives them, from the raw tables."""
    return in_standard_units(observations_as_of(moment, series, lake.root, lake.catalog), lake.catalog)


class _Past:
    """The tables of a lake as of an instant, each computed once."""

    def __init__(self, lake: Lakehouse, moment: datetime) -> None:
        from macro_assets.graph.declared import derivations  # it imports all rooms, and a session needs none

        self.lake = lake
        self.moment = moment
        self.made: dict[str, Derivation] = {t: d for d in derivations(lake.catalog) for t in d.tables}
        self.frames: dict[str, pl.DataFrame] = {}

    def asked(self, name: str) -> pl.DataFrame:
        """A table as a user sees it: of one that is stored by instants, the rows up to the instant."""
        derivation = self.made.get(name)
        if derivation is None or derivation.grid:
            if (clock := clock_of(self.lake.table(name))) is None:
                raise LakeError(undated(name))
            return _stored(self.lake, name).filter(pl.col(clock) <= self.moment)
        from macro_assets.charts.style import NothingToDrawError

        if name not in self.frames:
            given = {key: self.input(i) for key, i in derivation.inputs.items()}
            instants = (self.moment,) if derivation.is_dated else ()
            try:
                self.frames |= derivation.compute(given, *instants)
            except NothingToDrawError:
                told = f"{name} as of {self.moment:%Y-%m-%d %H:%M} UTC: nothing of what it draws was known then."
                raise LakeError(told) from None
        return self.frames[name]

    def input(self, given: Input) -> pl.DataFrame:
        """What a derivation gets."""
        if isinstance(given, Served):
            return observations_as_of(self.moment, given.series, self.lake.root, self.lake.catalog)
        if isinstance(given, Known):
            return _known(self.lake, given.series, self.moment)
        if isinstance(given, Fitted):  # only as-of tables read it, which are stored by instants
            raise TypeError(f"{given.table} is of months, and holds for no instant by itself")
        return self.asked(given.name)


def _stored(lake: Lakehouse, name: str) -> pl.DataFrame:
    if open_table(lake.root, name) is None:
        how = made_by(lake.catalog, name, named=True)
        raise LakeError(f"table {name} is not in the lake at {lake.root} yet. {how}")
    return lake.read(name)
