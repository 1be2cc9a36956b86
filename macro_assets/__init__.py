"""macro_assets: a research lakehouse for macroeconomics.

Importing the package is free: it loads no heavy library and touches no file, socket or thread. What a notebook needs is
one import away: :func:`connect` for SQL, :func:`read` for any table, :func:`series` for the observations of any series,
:func:`panel` for several side by side, all as of any date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from macro_assets.graph.reading import connect as connect
    from macro_assets.graph.reading import panel as panel
    from macro_assets.graph.reading import read as read
    from macro_assets.graph.reading import series as series

__all__ = ["connect", "panel", "read", "series"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """What a notebook needs, loaded when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from macro_assets.graph import reading

    return getattr(reading, name)
