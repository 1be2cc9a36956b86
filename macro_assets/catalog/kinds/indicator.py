"""What an indicator is: a method, what it is computed from, and the parameters of the method."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, JsonValue, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Month, Slug
from macro_assets.catalog.kinds.rule import RuleCall

Input = Annotated[str, Field(pattern=r"^\w+(/\w+)?$")]
"""A series, or a table as 'layer/name'."""


class Indicator(Declaration):
    """An indicator: the module of its method says what its parameters are and which shape its table has."""

    name: Slug = Field(description="Unique among indicators: its table is `indicators/<name>`")
    title: str = Field(description="What it is called in lists and on charts")
    description: str = Field(default="", description="What a row of its table says, in a sentence or two")
    method: Slug = Field(description="Module of macro_assets/indicators/ that computes it")
    shape: Slug | None = Field(default=None, description="Shape of its table in tables.yaml; by default its method's")
    inputs: tuple[Input, ...] = Field(min_length=1, description="Series and tables it is made of")
    parameters: dict[str, JsonValue] = Field(default_factory=dict, description="What the method asks for")
    real_time: bool = Field(default=False, description="Also as of each month: `real_time/<name>`")
    demo: tuple[Month, ...] = Field(default=(), description="As-of months that a full local run computes")
    reference: str = Field(default="", description="Paper or page that the formula is from")
    rules: tuple[RuleCall, ...] = Field(default=(), description="What its rows must keep, beside what the shape says")
    owner: str = Field(default="team:research", description="A Dagster owner: an e-mail address or 'team:name'")

    @property
    def series(self) -> tuple[str, ...]:
        """Series among its inputs."""
        return tuple(i for i in self.inputs if "/" not in i)

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables among its inputs."""
        return tuple(i for i in self.inputs if "/" in i)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.inputs)) != len(self.inputs):
            raise ValueError("an input is named twice")
        if self.demo and not self.real_time:
            raise ValueError("'demo' names as-of months, which only an indicator with 'real_time: true' has")
        return self
