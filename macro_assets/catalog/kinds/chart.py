"""What a chart is: who draws it, what of, and its words."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug, TableName
from macro_assets.catalog.kinds.step import Steps


class Drawn(Declaration):
    """What a chart is of: series, in steps, or tables."""

    series: tuple[SeriesId, ...] = ()
    tables: tuple[TableName, ...] = ()
    frequency: Literal["M"] | None = Field(default=None, description="Months, to which the series are brought first")
    steps: Steps = Field(default=(), description="Transforms of the series")
    columns: tuple[Slug, ...] = Field(default=(), description="Columns of the table, where not all are drawn")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.series) == bool(self.tables):
            raise ValueError("a chart is of series or else of tables: expected one of the two")
        if self.tables and (self.frequency or self.steps):
            raise ValueError("'frequency' and 'steps' are of series; tables are drawn as they are")
        if self.series and self.columns:
            raise ValueError("'columns' are of tables; series have a value alone")
        return self


class Axis(Declaration):
    """The axis of the values."""

    title: str = ""
    from_zero: bool = False


class Chart(Declaration):
    """A chart: the family that draws it, what it is of, in which words."""

    name: Slug = Field(description="Unique among charts: its table is `charts/<name>`, its page `<name>.html`")
    title: str = Field(description="The headline")
    subtitle: str = Field(default="", description="What is measured, in which unit")
    description: str = Field(default="", description="What it shows, in a sentence or two")
    draws: Slug = Field(description="Family of charts: a module of macro_assets/charts/families/ or charts/own/")
    of: Drawn = Field(description="Series, brought to a frequency and through steps, or else tables")
    axis: Axis = Field(default=Axis(), description="The axis of the values: its title, and whether it begins at zero")
    first_date: date | None = Field(default=None, description="First date drawn")
    shade: Literal["recessions"] | None = Field(default=None, description="What is shaded behind the figure")
    section: Slug = Field(default="other", description="Part of the chartbook it belongs to")
    parameters: dict[str, JsonValue] = Field(default_factory=dict, description="What the family asks for")
    owner: str = Field(default="team:research", description="A Dagster owner: an e-mail address or 'team:name'")
