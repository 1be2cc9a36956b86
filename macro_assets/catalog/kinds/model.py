"""What a forecasting model is: its target, its inputs, and everything else that fixes its result."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Month, SeriesId, Slug


class ModelInput(Declaration):
    """A series of a factor model, how it is made stationary, and the factors it loads on."""

    series: SeriesId
    transform: Literal["lin", "chg", "pch", "pca"] = Field(
        description="level, change, percent change, percent change at annual rate"
    )
    factors: tuple[str, ...]


class Model(Declaration):
    """A forecasting model and everything that fixes its result."""

    name: Slug
    title: str
    target: SeriesId
    sample_start: date
    factor_order: int = Field(gt=0)
    max_iterations: int = Field(gt=0)
    tolerance: float = Field(gt=0, description="EM stops when the relative change of the log-likelihood is below")
    horizon_quarters: int = Field(ge=0, description="Quarters after the as-of quarter that are forecast")
    demo_partitions: tuple[Month, ...] = Field(description="As-of months that a full local run backfills")
    inputs: tuple[ModelInput, ...]

    @model_validator(mode="after")
    def _target_is_input(self) -> Self:
        ids = [i.series for i in self.inputs]
        if self.target not in ids:
            raise ValueError(f"target {self.target} is not among the inputs")
        if len(set(ids)) != len(ids):
            raise ValueError("an input series is named twice")
        return self
