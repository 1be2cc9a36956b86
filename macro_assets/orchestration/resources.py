"""Resources: where the lake is, and SQL over it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource
from pydantic import Field, field_validator

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.session import connect, set_option

_MEMORY = ":memory:"


class Lake(dg.ConfigurableResource):
    """The lake, for assets that append to it or write files into it.

    `root` empty means `MACRO_LAKE`, else `data/lake`.
    """

    root: str = ""

    def with_catalog(self, catalog: Catalog) -> Lakehouse:
        """The lake, with the catalog that the assets were made from."""
        return Lakehouse.at(self.root, catalog)


class LakeDuckDB(DuckDBResource):
    """SQL over the lake, for users' own assets (docs/own-assets.md): each connection is a session of ours."""

    database: str = Field(default=_MEMORY, description="The session is in memory: the lake is not a DuckDB file.")
    root: str = Field(default="", description="Root of the lake; empty means MACRO_LAKE, else data/lake.")

    @field_validator("database")
    @classmethod
    def _in_memory(cls, database: str) -> str:
        if database != _MEMORY:
            raise ValueError(
                f"expected {_MEMORY}, not {database}: a session reads Delta tables and is in memory. "
                f"Attach a DuckDB file of your own in SQL: ATTACH '{database}'."
            )
        return database

    @contextmanager
    def get_connection(self, as_of: date | datetime | str | None = None) -> Iterator[Any]:
        """A DuckDB connection with a view per table, closed at the end; it holds no lock.

        `as_of` turns it into that instant's world, as :func:`macro_assets.connect` does. The settings in
        `connection_config` are set once it is open.
        """
        with connect(as_of, self.root or None) as con:
            for name, value in self.connection_config.items():
                set_option(con, name, value)
            yield con
