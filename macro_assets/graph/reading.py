"""Reading a table of the lake: the stored one, or computed again from what was known at an instant."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from macro_assets.catalog import Catalog, names
from macro_assets.graph.declared import derivations
from macro_assets.lakehouse.delta import LakeError, open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.layout import CLOCKS
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.raw import INVALIDATIONS, read_decisions
from macro_assets.lakehouse.vintages import as_of as known_as_of
from macro_assets.lakehouse.vintages import instant


def read(
    name: str,
    as_of: date | datetime | str | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Read a table of the lake, today or as of a past instant.

    Parameters
    ----------
    name
        'layer/table', such as 'normalized/panel_monthly'.
    as_of
        None reads the stored table. Otherwise the table is computed from the vintages known at that instant, by the
        functions that make the stored one; of as-of partitioned tables the partitions up to the instant are returned.
        A bare date means its end in UTC.

    Raises
    ------
    UnknownNameError
        When the catalog has no such table.
    LakeError
        When the lake has no such table yet.
    """
    lake = Lakehouse.at(root, catalog)
    declared = lake.table(name)
    if as_of is None:
        return _stored(lake, declared.name)
    moment = instant(as_of)
    known = derivations(lake.catalog)
    frames: dict[str, pl.DataFrame] = {}
    raws = {names.raw(s): s for s in lake.catalog.sources}
    decisions = read_decisions(lake)

    def table(wanted: str) -> pl.DataFrame:
        if wanted not in frames:
            if wanted in known:
                frames[wanted] = known[wanted].compute({i: table(i) for i in known[wanted].inputs})
            elif wanted in raws and wanted != name:  # an input: the rows in force at the instant
                frames[wanted] = known_as_of(_raw(lake, raws[wanted]), moment, raws[wanted], decisions)
            elif wanted == INVALIDATIONS and wanted != name:  # an input: the rows in force heed it already
                frames[wanted] = decisions.clear()
            else:
                column = CLOCKS.get(lake.table(wanted).layer, "as_of")
                frames[wanted] = _stored(lake, wanted).filter(pl.col(column) <= moment)
        return frames[wanted]

    return table(name)


def _raw(lake: Lakehouse, source: str) -> pl.DataFrame:
    """Rows of a source; none of a live one that was never fetched."""
    name = names.raw(source)
    return lake.read(name) if lake.catalog.sources[source].is_live else _stored(lake, name)


def _stored(lake: Lakehouse, name: str) -> pl.DataFrame:
    if open_table(lake.root, name) is None:
        raise LakeError(f"table {name} is not in the lake at {lake.root} yet. `macro run {name}` makes it.")
    return lake.read(name)
