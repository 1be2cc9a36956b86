"""WHERE it lives: Delta tables, vintages, the DuckDB session. The only code that touches storage.

A notebook starts with :func:`connect`.
"""

from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.paths import lake_root
from macro_assets.lakehouse.session import connect
from macro_assets.lakehouse.vintages import AppendReport, append_vintages, as_of, instant

__all__ = ["AppendReport", "LakeError", "append_vintages", "as_of", "connect", "instant", "lake_root"]
