"""WHERE it lives: Delta tables, vintages, the DuckDB session. The only code that touches storage.

A notebook starts with :func:`connect`. What it calls ends in `root` and `catalog`; what the package calls
among itself takes a :class:`Lakehouse` first.
"""

from macro_assets.lakehouse.appending import AppendReport, VintageConflictError
from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.paths import lake_root
from macro_assets.lakehouse.raw import (
    append_vintages,
    invalidate,
    observations_as_of,
    panel_as_of,
    reinstate,
)
from macro_assets.lakehouse.reader import Vintages, open_vintages
from macro_assets.lakehouse.releases import history, releases, revision_statistics, revision_triangle, revisions
from macro_assets.lakehouse.session import connect
from macro_assets.lakehouse.vintages import as_of, instant

__all__ = [
    "AppendReport",
    "LakeError",
    "Lakehouse",
    "VintageConflictError",
    "Vintages",
    "append_vintages",
    "as_of",
    "connect",
    "history",
    "instant",
    "invalidate",
    "lake_root",
    "observations_as_of",
    "open_vintages",
    "panel_as_of",
    "reinstate",
    "releases",
    "revision_statistics",
    "revision_triangle",
    "revisions",
]
