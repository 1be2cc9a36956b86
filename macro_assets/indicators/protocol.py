"""What a method of indicators is given, and what its module has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.transforms.panel import by_date, monthly, panel


@dataclass(frozen=True)
class Given:
    """What an indicator, or a score, is computed from.

    Attributes
    ----------
    observations
        `series_id`, `observation_date` (start of the period), `value` (standard unit, null where the provider says
        missing), one row per series and date; in any order of rows, perhaps with further columns.
    facts
        `series_id`, `frequency`, `aggregation`, `unit`: a row for each series, in the order of the entry's inputs.
    tables
        Tables among the inputs, by name.
    recessions
        Of an entry with `chronology: true`, the contractions announced by the instant, by peak: `peak`, `trough` (first
        of month; null while it is not announced), `peak_announced`, `trough_announced`.
    periods
        How many of the latest periods are kept, all if None: a method whose estimates take long may leave out earlier
        rows.
    """

    observations: pl.DataFrame
    facts: pl.DataFrame
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    recessions: pl.DataFrame | None = None
    periods: int | None = None

    @property
    def series(self) -> tuple[str, ...]:
        """Series among the inputs, in their order."""
        return tuple(self.facts["series_id"])

    def monthly(self) -> pl.DataFrame:
        """The series side by side, one row per month: `observation_date`, no month skipped, and a column for each."""
        return panel(monthly(self.observations, self.facts), self.series)

    def by_date(self) -> pl.DataFrame:
        """The series side by side, one row per date on which one has a figure, and a column for each."""
        return by_date(self.observations, self.series)


class Method(Protocol):
    """What a module of this room has.

    One that asks something of its inputs has `check(parameters, facts)` too, which raises a ValueError whose message
    begins with the field of the entry. One that reads columns of the observations beside series, date and value names
    them in `COLUMNS`.
    """

    @property
    def SHAPE(self) -> str:  # noqa: N802
        """Shape of the table that it returns, one of tables.yaml."""

    @property
    def Parameters(self) -> type[Declaration]:  # noqa: N802
        """What an entry may say under `parameters`."""

    @property
    def EXAMPLE(self) -> Mapping[str, Any]:  # noqa: N802
        """`inputs` and `parameters` of an entry, as YAML has them."""

    def compute(self, given: Given, parameters: Any) -> pl.DataFrame:
        """The table."""
