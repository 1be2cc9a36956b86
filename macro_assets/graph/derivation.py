"""What one computed thing is: its tables, what it reads, the pure function that makes them, and its code version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Literal

import polars as pl

from macro_assets.graph.versions import code_version, facts

Frames = Mapping[str, pl.DataFrame]
"""Tables by name."""

Grid = Literal["as_of"]
"""The as-of months: one row set per month, made of what was known at the month's end."""

_PATH = (
    "macro_assets.graph.derivation",
    "macro_assets.graph.inputs",
    "macro_assets.lakehouse.vintages",
    "macro_assets.lakehouse.reader",
    "macro_assets.catalog.periods",
)
"""Modules that every figure passes on its way from the raw tables to a function."""


_ENDINGS = "macro_assets.graph.endings"


@dataclass(frozen=True)
class Table:
    """A stored table, whole; on the as-of grid its rows of the month."""

    name: str


@dataclass(frozen=True)
class Known:
    """Observations of series in force, by series and date, in standard units.

    Columns: `source`, `series_id`, `observation_date`, `value`, `release_time`. Without a grid they are today's, from
    the normalized tables; on the as-of grid those known at the month's instant, with `months_before` at an earlier one.
    """

    series: tuple[str, ...]
    months_before: int = 0


Input = Table | Known


@dataclass(frozen=True)
class Moment:
    """An as-of month under way: of each input of series the instant, and the slice, which is equal for equal rows."""

    month: str
    computed_at: datetime
    instants: Mapping[str, datetime]
    slices: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Derivation:
    """Computed tables that one function makes together.

    `compute` is a partial of a function of ``graph/compute/``: it is called with the inputs' frames by name, on the
    as-of grid with the :class:`Moment` too, and returns a frame for each table. What is bound in it are the catalog's
    facts that it reads, and nothing else of the catalog reaches it: they are part of the code version, with the text of
    every module that it may call. `methods` are modules that it finds by name. `demo` are the as-of months that a full
    local run computes.
    """

    tables: tuple[str, ...]
    inputs: Mapping[str, Input]
    compute: partial[Frames]
    methods: tuple[str, ...] = ()
    grid: Grid | None = None
    demo: tuple[str, ...] = ()

    @cached_property
    def code_version(self) -> str:
        """12 hex digits that move with the text of a module it may call, and with a fact that it reads."""
        read = [[type(i).__name__, vars(i)] for _, i in sorted(self.inputs.items())]
        bound = facts(self.compute.args, self.compute.keywords, read)
        path = (*_PATH, _ENDINGS) if self.grid else _PATH
        return code_version((self.compute.func.__module__, *self.methods, *path), bound)

    @property
    def series(self) -> tuple[str, ...]:
        """Series that it reads by themselves, each once."""
        return tuple(dict.fromkeys(s for i in self.inputs.values() if isinstance(i, Known) for s in i.series))

    @property
    def upstream(self) -> tuple[str, ...]:
        """Tables that it reads by name, each once."""
        return tuple(dict.fromkeys(i.name for i in self.inputs.values() if isinstance(i, Table)))
