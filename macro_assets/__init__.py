"""macro_assets: a research lakehouse for macroeconomics.

Importing the package is free: it loads no heavy library and touches no file, socket or thread. What a
notebook needs is one import away: :func:`macro_assets.lakehouse.connect` for SQL, :func:`read` for any table
as of any date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    import polars as pl

    from macro_assets.catalog import Catalog

__all__ = ["read"]
__version__ = "0.1.0"


def read(
    name: str, as_of: date | datetime | str | None = None, root: str | None = None, catalog: Catalog | None = None
) -> pl.DataFrame:
    """Read a table of the lake, today or as of a past instant.

    See :func:`macro_assets.graph.reading.read`, which this calls.
    """
    from macro_assets.graph.reading import read as read_table

    return read_table(name, as_of, root, catalog)
