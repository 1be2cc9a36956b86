"""What one computed thing is: its tables, what it reads, the pure function that makes them, and its code version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Literal

import polars as pl

from macro_assets.catalog.periods import latest_refit, previous_month
from macro_assets.graph.versions import code_version, facts

Frames = Mapping[str, pl.DataFrame]
"""Tables by name."""

EVERY_MONTH = tuple(range(1, 13))

Grid = Literal["as_of"]
"""The as-of months: one row set per month, made of what was known at the month's end."""

_PATH = (
    "macro_assets.graph.derivation",
    "macro_assets.graph.inputs",
    "macro_assets.lakehouse.vintages",
    "macro_assets.lakehouse.holders",
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

    Columns: `source` (the home of the series), `series_id`, `provider` (the holder that counts), `observation_date`,
    `value`, `unit` (both of that holder), `release_time`. Without a grid they are today's, from the normalized tables;
    on the as-of grid those known at the month's instant, with `months_before` at an earlier one.
    """

    series: tuple[str, ...]
    months_before: int = 0


@dataclass(frozen=True)
class Fitted:
    """The rows of a table of fits that hold in a month: those of the latest month of refitting not after it.

    `refits` are the calendar months of refitting.
    """

    table: str
    refits: tuple[int, ...] = EVERY_MONTH
    months_before: int = 0

    def month(self, month: str) -> str:
        """The month of refitting whose fit holds in a month."""
        return latest_refit(previous_month(month, self.months_before), self.refits)


@dataclass(frozen=True)
class Served:
    """Observations of series in force, in the providers' units, chosen among what the holders have in raw tables.

    `tables` are those tables, and that of the decisions about their values.
    """

    series: tuple[str, ...]
    tables: tuple[str, ...]


Input = Table | Known | Served | Fitted


@dataclass(frozen=True)
class Moment:
    """An as-of month under way, or another instant.

    Attributes
    ----------
    month
        The month; None for an instant off the grid.
    code_version
        Of the derivation.
    instants
        Of each input of series, as of when it is.
    slices
        Of each input of series, a hash of the rows in force, equal for equal rows.
    unchanged_since
        Of each input of series, since when these have been in force.
    """

    month: str | None
    computed_at: datetime
    code_version: str
    instants: Mapping[str, datetime]
    slices: Mapping[str, str]
    unchanged_since: Mapping[str, datetime]


@dataclass(frozen=True, eq=False)
class Derivation:
    """Computed tables that one function makes together.

    `compute` is a partial of a function of ``graph/compute/``: it is called with the inputs' frames by name, on the
    as-of grid with the :class:`Moment` too, and returns a frame for each table. What is bound in it are the catalog's
    facts that it reads, and nothing else of the catalog reaches it: they are part of the code version, with the text of
    every module that it may call. `methods` are modules that it finds by name.

    `is_dated` says that some of these facts became known in the course of time: read as of a past instant, `compute` is
    called with the instant too.

    On the as-of grid `demo` are the months that a full local run computes, `first` is the month before which there are
    none, and `refits` are the calendar months that it is computed in. `paths` names the tables that rows of the open
    month go on to.
    """

    tables: tuple[str, ...]
    inputs: Mapping[str, Input]
    compute: partial[Frames]
    methods: tuple[str, ...] = ()
    grid: Grid | None = None
    demo: tuple[str, ...] = ()
    first: str | None = None
    refits: tuple[int, ...] = EVERY_MONTH
    paths: Mapping[str, str] = field(default_factory=dict)
    is_dated: bool = False

    @cached_property
    def code_version(self) -> str:
        """12 hex digits that move with the text of a module it may call, and with a fact that it reads."""
        read = [[type(i).__name__, vars(i)] for _, i in sorted(self.inputs.items())]
        bound = facts(self.compute.args, self.compute.keywords, read, self.first, self.refits)
        path = (*_PATH, _ENDINGS) if self.grid else _PATH
        return code_version((self.compute.func.__module__, *self.methods, *path), bound)

    @property
    def series(self) -> tuple[str, ...]:
        """Series that it reads by themselves, each once."""
        return tuple(dict.fromkeys(s for i in self.inputs.values() if isinstance(i, Known) for s in i.series))

    @property
    def upstream(self) -> tuple[str, ...]:
        """Tables that it reads by name, each once."""
        return tuple(dict.fromkeys(t for i in self.inputs.values() for t in _tables(i)))

    def cells(self, month: str) -> list[tuple[str, str]]:
        """Months of the as-of tables that it reads for a month."""
        return [
            (table, given.month(month) if isinstance(given, Fitted) else month)
            for given in self.inputs.values()
            for table in _tables(given)
        ]


def _tables(given: Input) -> tuple[str, ...]:
    """Tables that an input names."""
    match given:
        case Table(name):
            return (name,)
        case Fitted():
            return (given.table,)
        case Served():
            return given.tables
        case Known():
            return ()
