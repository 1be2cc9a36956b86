"""Accepted changes of base: that a provider without vintages may tell a series in another base year or unit.

`macro accept` writes them; intake then takes the figures as a whole. Nothing that is read depends on them: the rows
themselves say that they are in another base (`rebased`).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime

import polars as pl

from macro_assets.catalog.derive import polars_schema
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.write import append_computed

ACCEPTANCES = "audit/acceptances"
"""Table of the accepted changes of base."""


@dataclass(frozen=True)
class Acceptance:
    """That the figures of a series may be about a factor of the stored ones from an instant on, and who says so."""

    series_id: str
    provider: str
    decided_at: datetime
    factor: float
    reason: str
    author: str


def read_acceptances(lake: Lakehouse) -> list[Acceptance]:
    """Every acceptance, in order."""
    columns = lake.table(ACCEPTANCES).columns
    rows = lake.read(ACCEPTANCES).select(c.name for c in columns).sort("decided_at")
    return [Acceptance(*row) for row in rows.iter_rows()]


def record(lake: Lakehouse, acceptance: Acceptance) -> None:
    """Keep an acceptance.

    Raises
    ------
    LakeError
        When the table cannot be read or written.
    """
    row = pl.DataFrame([astuple(acceptance)], schema=polars_schema(lake.table(ACCEPTANCES).columns), orient="row")
    commit = {"author": acceptance.author, "action": "accept"}
    append_computed(lake, ACCEPTANCES, lambda stored: row, commit)
