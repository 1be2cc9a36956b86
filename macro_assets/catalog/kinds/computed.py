"""What indicators and scores share: a method, what it is computed from, and the parameters of the method."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, JsonValue, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Slug
from macro_assets.catalog.kinds.rule import RuleCall

Input = Annotated[str, Field(pattern=r"^\w+(/\w+)?$")]
"""A series, or a table as 'layer/name'."""


class Computed(Declaration):
    """What a method computes: the module of the method says what its parameters are and which shape its table has."""

    name: Slug = Field(description="Unique among entries of its kind: its table is named after it")
    title: str = Field(description="What it is called in lists and on charts")
    description: str = Field(default="", description="What a row of its table says, in a sentence or two")
    method: Slug = Field(description="Module of the room that computes it")
    shape: Slug | None = Field(default=None, description="Shape of its table in tables.yaml; by default its method's")
    inputs: tuple[Input, ...] = Field(min_length=1, description="Series and tables it is made of")
    chronology: bool = Field(default=False, description="Is told the contractions that had been announced")
    parameters: dict[str, JsonValue] = Field(default_factory=dict, description="What the method asks for")
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
    def _inputs_once(self) -> Self:
        if len(set(self.inputs)) != len(self.inputs):
            raise ValueError("an input is named twice")
        return self
