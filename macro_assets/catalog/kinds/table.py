"""What a table of the lake is: its columns, its key, and how long its rows are kept."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Slug, TableName
from macro_assets.catalog.kinds.rule import RuleCall

Dtype = Literal["str", "int", "float", "bool", "date", "timestamp", "binary"]

KEPT_FOR_EVER = ("raw", "silences", "landing", "audit")
"""Layers whose rows are never deleted."""


class Column(Declaration):
    """A column of the lake: the same name means the same quantity in every table."""

    name: Slug
    dtype: Dtype
    nullable: bool = False
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    description: str


class Retention(Declaration):
    """How long rows are kept: until `column` is `years` in the past. Without one they are kept for ever."""

    years: int = Field(ge=1)
    column: Slug


class Table(Declaration):
    """A Delta table of the lake."""

    name: TableName
    title: str
    description: str
    owner: str
    key: tuple[str, ...] = Field(description="Columns that identify a row")
    columns: tuple[Column, ...]
    as_of_partitioned: bool = False
    kinds: tuple[str, ...] = ("polars", "deltalake")
    parameters: dict[str, JsonValue] = Field(default_factory=dict, description="Frozen parameters of its computation")
    rules: tuple[RuleCall, ...] = Field(
        default=(), description="Functions of quality/rules/ that its rows keep, or warn about"
    )
    retention: Retention | None = None

    @property
    def layer(self) -> str:
        return self.name.split("/")[0]

    @model_validator(mode="after")
    def _key_is_columns(self) -> Self:
        names = [c.name for c in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"columns repeat: {sorted(n for n in set(names) if names.count(n) > 1)}")
        if missing := set(self.key) - set(names):
            raise ValueError(f"key names columns the table does not have: {sorted(missing)}")
        return self

    @model_validator(mode="after")
    def _retention_fits(self) -> Self:
        if self.retention is None:
            return self
        if self.layer in KEPT_FOR_EVER:
            raise ValueError(
                f"rows of layer {self.layer!r} are kept for ever: vintages and their proof are never deleted"
            )
        clocks = [c.name for c in self.columns if c.dtype in ("date", "timestamp")]
        if self.retention.column not in clocks:
            raise ValueError(
                f"retention column {self.retention.column!r} is no date or timestamp of the table: {clocks}"
            )
        return self
