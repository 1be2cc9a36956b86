"""What one computed table is: its inputs by name, the pure function that makes it, and the code version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from macro_assets.graph.versions import code_version

Frames = Mapping[str, pl.DataFrame]
"""Tables by name."""


@dataclass(frozen=True)
class Derivation:
    """One computed table.

    `compute` takes the input tables by name; `modules` hold the formulas, and with `facts` (JSON of catalog entries)
    decide the code version.
    """

    table: str
    inputs: tuple[str, ...]
    compute: Callable[[Frames], pl.DataFrame]
    modules: tuple[str, ...]
    facts: str

    @property
    def code_version(self) -> str:
        return code_version(self.modules, self.facts)
