"""What a view is: which rows and columns of the families' normalized tables stand under one name."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Slug, TableName
from macro_assets.catalog.kinds.series import Kind
from macro_assets.catalog.kinds.table import Column

_ROW = ["source", "series_id", "observation_date"]

OBSERVED = frozenset({*_ROW, "value", "unit", "provider", "release_time"})
"""Columns of the normalized tables that are known as of an instant without computing anything."""


class View(Declaration):
    """Rows of the normalized tables of all families under one name: read, never stored."""

    name: TableName
    title: str
    description: str
    columns: tuple[Column, ...] = Field(
        description="Columns; a row is left out where one that is not nullable has nothing"
    )
    takes: dict[Slug, Slug] = Field(
        default_factory=dict, description="Columns of the tables that columns of another name are taken from"
    )
    kind: Kind | None = Field(default=None, description="Only series of this kind")
    monthly: bool = Field(default=False, description="One value a month, by the aggregation of the series")

    @property
    def taken(self) -> dict[str, str]:
        """By column, the column of the tables it is taken from."""
        return {c.name: self.takes.get(c.name, c.name) for c in self.columns}

    @property
    def required(self) -> tuple[str, ...]:
        """Columns without which there is no row."""
        return tuple(c.name for c in self.columns if not c.nullable)

    @property
    def is_observed(self) -> bool:
        """Whether it says nothing beyond the observations, so that it may be had as of any instant."""
        return OBSERVED.issuperset(self.taken.values())

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [c.name for c in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"columns repeat: {sorted(n for n in set(names) if names.count(n) > 1)}")
        if unknown := sorted(self.takes.keys() - set(names)):
            raise ValueError(f"'takes' names columns the view does not have: {unknown}")
        taken = list(self.taken.values())
        if taken[: len(_ROW)] != _ROW:
            raise ValueError(f"columns: expected {', '.join(_ROW)} first, got {', '.join(taken)}")
        if self.monthly and taken != [*_ROW, "value"]:
            raise ValueError(f"columns: expected value alone after {', '.join(_ROW)} where 'monthly', got {taken}")
        return self
