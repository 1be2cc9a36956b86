"""Our side of the vintage races: every call of macro_assets that is raced, in one place.

Each read is there three times: as Python with a fresh look at the lake each time, as Python on vintages that were read
into memory once, as a backtest does, and as SQL in a session that was opened once, as a notebook does. Nothing is
imported before it is asked for: the time to a first answer is raced too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from macro_assets.catalog import Catalog
    from macro_assets.lakehouse import Vintages

SOURCE = "bundled"
TABLE = f"raw/{SOURCE}"
DURABILITY = "no sync, atomic"
"""Delta commits by rename and link and syncs neither file (seen with strace, deltalake 1.6.6)."""

_RUN = "synthetic"


@dataclass
class Lake:
    """A lake of synthetic series and the session on it, once one is open."""

    folder: Path
    catalog: Catalog
    _session: duckdb.DuckDBPyConnection | None = field(default=None, repr=False)
    _held: Vintages | None = field(default=None, repr=False)

    @property
    def session(self) -> duckdb.DuckDBPyConnection:
        from macro_assets.lakehouse import connect

        if self._session is None:
            self._session = connect(root=self.folder, catalog=self.catalog)
            self._session.execute("SET threads = 2")
        return self._session

    @property
    def held(self) -> Vintages:
        if self._held is None:
            self._held = hold(self)
        return self._held

    def close_session(self) -> None:
        """Let go of the snapshots that the session pinned and that are held in memory."""
        self._held = None
        if self._session is not None:
            self._session.close()
            self._session = None


def synthetic_catalog(series: int, tables: int = 0) -> Catalog:
    """The default catalog with `series` synthetic series in place of its own, and some more tables."""
    from dataclasses import replace

    from macro_assets.catalog import default_catalog
    from macro_assets.catalog.kinds.view import OBSERVED

    catalog = default_catalog()
    real = next(s for s in catalog.series.values() if s.source == SOURCE and s.frequency == "M")
    ids = [f"SYN{i:04d}" for i in range(series)]
    long = catalog.one_table("normalized/fred")
    model = long.model_copy(update={"columns": tuple(c for c in long.columns if c.name in OBSERVED)})
    names = [f"synthetic/table_{i:03d}" for i in range(tables)]
    return replace(
        catalog,
        sources={SOURCE: catalog.sources[SOURCE]},
        copies=(),
        series={i: real.model_copy(update={"id": i, "code": i, "title": f"Synthetic series {i}"}) for i in ids},
        tables={**catalog.tables, **{n: model.model_copy(update={"name": n}) for n in names}},
    )


def open_lake(folder: Path, series: int, tables: int = 0) -> Lake:
    """A lake that is there already."""
    return Lake(folder, synthetic_catalog(series, tables))


def build_lake(folder: Path, frame: pl.DataFrame, tables: int = 0) -> Lake:
    """A lake with the vintages in one commit, and further small tables beside them."""
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.lakehouse.write import append

    lake = open_lake(folder, frame["series_id"].n_unique(), tables)
    handle = Lakehouse(folder, lake.catalog)
    append(handle, TABLE, frame, {"run_id": _RUN})
    few = frame.head(400).unique(["series_id", "observation_date"], keep="last").with_columns(source="provider")
    for name in (n for n in lake.catalog.tables if n.startswith("synthetic/")):
        table = lake.catalog.one_table(name)
        append(handle, name, few.select(c.name for c in table.columns), {"run_id": _RUN})
    return lake


def series_as_of(lake: Lake, series_id: str, moment: datetime) -> pl.DataFrame:
    """What was known of one series."""
    from macro_assets.lakehouse import observations_as_of

    return observations_as_of(moment, [series_id], lake.folder, lake.catalog)


def panel_as_of(lake: Lake, moment: datetime) -> pl.DataFrame:
    """What was known of all series."""
    from macro_assets.lakehouse import observations_as_of

    return observations_as_of(moment, None, lake.folder, lake.catalog)


def hold(lake: Lake, series_ids: list[str] | None = None) -> Vintages:
    """Vintages read into memory: of some series, or of all."""
    from macro_assets.lakehouse import open_vintages

    return open_vintages(series_ids, lake.folder, lake.catalog)


def held_series_as_of(lake: Lake, series_id: str, moment: datetime) -> pl.DataFrame:
    """What was known of one series, of vintages that were read into memory once."""
    return lake.held.as_of(moment, [series_id])


def held_panel_as_of(lake: Lake, moment: datetime) -> pl.DataFrame:
    """The same of vintages that were read into memory once."""
    return lake.held.as_of(moment)


def sql_series_as_of(lake: Lake, series_id: str, moment: datetime) -> pl.DataFrame:
    """The same in the open session."""
    return lake.session.execute(f"FROM series_as_of('{series_id}', '{moment.isoformat()}')").pl()


def sql_panel_as_of(lake: Lake, moment: datetime) -> pl.DataFrame:
    """The same in the open session."""
    return lake.session.execute(f"FROM observations_as_of('{moment.isoformat()}')").pl()


def refresh(lake: Lake, batch: pl.DataFrame) -> int:
    """Store one refresh; the number of rows it added."""
    from macro_assets import __version__
    from macro_assets.lakehouse import append_vintages

    return append_vintages(
        SOURCE, batch, _RUN, code_version=__version__, root=lake.folder, catalog=lake.catalog
    ).appended
