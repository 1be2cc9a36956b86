"""What a chart is: the series or the tables it draws, and its words."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug, TableName


class Chart(Declaration):
    """A chart: which series or tables it draws, in which words."""

    name: Slug
    title: str
    subtitle: str
    description: str
    inputs: tuple[TableName, ...] = Field(default=(), description="Tables drawn; none if its series are")
    series: tuple[SeriesId, ...] = Field(default=(), description="Series it is of, drawn where there are no inputs")
    indicator: Slug | None = Field(default=None, description="Indicator it draws; the chart is of its series")
    model: Slug | None = Field(default=None, description="Model it draws; the chart is of its inputs")
    first_date: date | None = None
    recession_shading: bool = False

    @model_validator(mode="after")
    def _draws_something(self) -> Self:
        if not self.inputs and not self.series:
            raise ValueError("a chart draws the tables of its inputs or else its series: it names neither")
        return self
