"""What a composite indicator is: weighted formulas over series."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug


class Component(Declaration):
    """One part of a composite indicator: a formula over series, its sign and its weight."""

    name: Slug
    title: str
    formula: Literal["level", "spread", "drawdown", "gap"]
    series: tuple[SeriesId, ...]
    unit: str
    sign: Literal[-1, 1]
    weight: float = Field(gt=0, le=1)
    window_months: int | None = Field(default=None, gt=1, description="Window of the 'gap' formula's trailing mean")

    @model_validator(mode="after")
    def _fits_formula(self) -> Self:
        wanted = 2 if self.formula == "spread" else 1
        if len(self.series) != wanted:
            raise ValueError(f"formula {self.formula!r} takes {wanted} series, got {len(self.series)}")
        if (self.formula == "gap") != (self.window_months is not None):
            raise ValueError("window_months is for the formula 'gap', and needed there")
        return self


class Indicator(Declaration):
    """A composite indicator: expanding z-scores of its components, signed, weighted and added."""

    name: Slug
    title: str
    components: tuple[Component, ...]
    min_history_months: int = Field(gt=1, description="Observations a component needs before its first z-score")
    min_components: int = Field(gt=0, description="Components a month needs; weights are rescaled over those present")

    @model_validator(mode="after")
    def _weights(self) -> Self:
        total = sum(c.weight for c in self.components)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"weights of the components must add up to 1, they add up to {total:g}")
        if self.min_components > len(self.components):
            raise ValueError(
                f"min_components is {self.min_components}, but there are {len(self.components)} components"
            )
        return self
