"""The handle of a lake: where it is and what the catalog declares about it, carried together.

What needs only the place takes a root instead. A notebook may hold a handle, or name root and catalog in each call.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from deltalake import DeltaTable

from macro_assets.catalog import Catalog, Table, default_catalog
from macro_assets.catalog.derive import polars_schema
from macro_assets.lakehouse.delta import open_table, reading, scan
from macro_assets.lakehouse.paths import Root, lake_root


@dataclass(frozen=True)
class Held:
    """All rows of a table, read once, and the version they were read at; None when it did not exist yet."""

    rows: pl.DataFrame
    version: int | None

    def is_of(self, version: int) -> bool:
        """Whether these are the rows of a version of the table. One that was only made since has none."""
        return version == (self.version or 0)


@dataclass(frozen=True)
class Lakehouse:
    """A lake: its root, a folder or an S3 prefix, and the catalog that declares its tables."""

    root: Root
    catalog: Catalog

    @classmethod
    def at(cls, root: str | Root | None = None, catalog: Catalog | None = None) -> Lakehouse:
        """The lake at a root; by default `MACRO_LAKE`, else `data/lake`, with the catalog that ships with the package.

        Raises
        ------
        ValueError
            When an address is not of the form `s3://bucket/prefix`.
        CatalogError
            When the catalog cannot be loaded.
        """
        return cls(lake_root(root), catalog or default_catalog())

    def table(self, name: str) -> Table:
        """The declaration of a table.

        Raises
        ------
        UnknownNameError
            When the catalog has no such table.
        """
        return self.catalog.one_table(name)

    def read(self, name: str) -> pl.DataFrame:
        """All rows of a table with the catalog's columns; an empty frame when it does not exist yet.

        Raises
        ------
        UnknownNameError
            When the catalog has no such table.
        LakeError
            When it cannot be read.
        """
        return self.hold(name).rows

    def hold(self, name: str) -> Held:
        """What :meth:`read` gives, with the version it is of: for a writer that decides by it."""
        stored = open_table(self.root, name)
        version = stored.version() if stored is not None else None
        with reading(name, version or 0):
            return Held(self.rows(name, stored).collect(), version)

    def scan(self, name: str) -> tuple[pl.LazyFrame, int]:
        """The rows of a table, unread, and its version (0 when it does not exist yet). Collect under `reading`."""
        stored = open_table(self.root, name)
        return self.rows(name, stored), stored.version() if stored is not None else 0

    def rows(self, name: str, stored: DeltaTable | None) -> pl.LazyFrame:
        """The rows of an opened table, unread, with the catalog's columns; no rows when it is None."""
        return scan(self.root, stored, polars_schema(self.table(name).columns))

    def row_counts(self) -> dict[str, int]:
        """Rows of every table of the catalog that is in the lake, by name, from the Delta statistics."""
        tables = {name: open_table(self.root, name) for name in self.catalog.tables}
        return {name: t.count() for name, t in tables.items() if t is not None}
