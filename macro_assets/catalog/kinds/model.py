"""What a forecasting model is: a method, its target and inputs, and everything else that fixes its result."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Month, SeriesId, Slug
from macro_assets.catalog.kinds.step import Steps

CalendarMonth = Annotated[int, Field(ge=1, le=12)]


def _all_months(given: object) -> object:
    return tuple(range(1, 13)) if given == "all" else given


class Target(Declaration):
    """What is forecast: a series, how it is transformed, and the unit that gives."""

    series: SeriesId
    transform: Steps
    unit: str = Field(description="Unit of the forecasts: what the transform makes of the series' unit")


class ModelInput(Declaration):
    """A series that a model reads, and how it is made stationary."""

    series: SeriesId
    transform: Steps


class Backtest(Declaration):
    """Where a real-time backtest begins, and the as-of months that a full local run computes."""

    first: Month | None = Field(default=None, description="Earlier months are empty: the model is not run there")
    demo: tuple[Month, ...] = ()


class Model(Declaration):
    """A forecasting model: the module of its method says what its parameters are."""

    name: Slug = Field(description="Unique among models: its table is `forecasts/<name>`")
    title: str = Field(description="What it is called in lists and on charts")
    description: str = Field(default="", description="What it forecasts, and from what, in a sentence or two")
    method: Slug = Field(description="Module of macro_assets/models/ that forecasts")
    target: Target = Field(description="Series that is forecast, how it is transformed, and the unit that gives")
    horizons: tuple[int, ...] = Field(min_length=1, description="Periods of the target's frequency after the as-of's")
    inputs: tuple[ModelInput, ...] = Field(
        min_length=1, description="Series it reads, and how each is made stationary; the target is one of them"
    )
    sample_start: date = Field(description="First period that is estimated from")
    parameters: dict[str, JsonValue] = Field(default_factory=dict, description="What the method asks for")
    news: bool = Field(default=False, description="Whether it says why its forecasts moved: `news/<name>`")
    refit_months: Annotated[tuple[CalendarMonth, ...], BeforeValidator(_all_months)] = Field(
        default=(1,),
        min_length=1,
        description="Calendar months in which it is estimated anew, by default January; `all` is every one",
    )
    benchmark: Slug | None = Field(default=None, description="Model of the same target that it is measured by")
    backtest: Backtest = Field(
        default=Backtest(), description="First as-of month, and those that a full local run computes (`demo`)"
    )
    reference: str = Field(default="", description="Paper or page that the method is from")
    owner: str = Field(default="team:research", description="A Dagster owner: an e-mail address or 'team:name'")

    @property
    def series(self) -> tuple[str, ...]:
        """Series of its inputs."""
        return tuple(i.series for i in self.inputs)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.series)) != len(self.series):
            raise ValueError("an input series is named twice")
        target = next((i for i in self.inputs if i.series == self.target.series), None)
        if target is None:
            raise ValueError(f"target {self.target.series} is not among the inputs")
        if target.transform != self.target.transform:
            raise ValueError(f"target {self.target.series} has another transform than the input of that name")
        for name, values in (("horizons", self.horizons), ("refit_months", self.refit_months)):
            if list(values) != sorted(set(values)):
                raise ValueError(f"{name}: expected rising numbers, each once, got {list(values)}")
        if self.benchmark == self.name:
            raise ValueError("a model is no benchmark of itself")
        return self
