"""A composite indicator: components as expanding z-scores, signed, weighted, added; each contribution is kept."""

from __future__ import annotations

from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.library import expanding_zscore
from macro_assets.transforms.steps import check as check_steps
from macro_assets.transforms.steps import expression

SHAPE = "contributions"

EXAMPLE = {
    "inputs": ["VIXCLS", "BAA", "AAA", "UNRATE"],
    "parameters": {
        "min_history_months": 6,
        "min_components": 2,
        "components": [
            {
                "name": "volatility",
                "title": "Equity volatility",
                "of": ["VIXCLS"],
                "steps": "level",
                "sign": 1,
                "weight": 0.25,
            },
            {
                "name": "credit_spread",
                "title": "Credit spread",
                "of": ["BAA", "AAA"],
                "steps": "spread",
                "sign": 1,
                "weight": 0.5,
            },
            {
                "name": "hiring",
                "title": "Fall of unemployment",
                "of": ["UNRATE"],
                "steps": [{"gap": {"window": 6, "min_obs": 4}}, "chg"],
                "sign": -1,
                "weight": 0.25,
            },
        ],
    },
}

_MONTHLY = "M"


class Component(Declaration):
    """One part of a composite: what its series become by some steps, its sign and its weight."""

    name: Slug
    title: str = Field(exclude=True, description="For readers: no part of what is computed")
    of: tuple[SeriesId, ...] = Field(min_length=1)
    steps: Steps = Field(min_length=1, description="Transforms of the monthly figures, which leave one series")
    sign: Literal[-1, 1]
    weight: float = Field(gt=0, le=1, strict=True)


class Parameters(Declaration):
    """The components, and how much of them a month needs."""

    min_history_months: int = Field(gt=1, strict=True, description="Figures of a component before its first z-score")
    min_components: int = Field(gt=0, strict=True, description="Weights are rescaled over the components present")
    components: tuple[Component, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = [c.name for c in self.components]
        if repeated := sorted({n for n in named if named.count(n) > 1}):
            raise ValueError(f"components have one name: {', '.join(repeated)}")
        total = sum(c.weight for c in self.components)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"weights of the components must add up to 1, they add up to {total:g}")
        if self.min_components > len(self.components):
            raise ValueError(
                f"min_components is {self.min_components}, but there are {len(self.components)} components"
            )
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse components that cannot be made of the inputs, and inputs that no component is made of.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    units = dict(facts.select("series_id", "unit").iter_rows())
    adjustments = dict(facts.select("series_id", "seasonal_adjustment").iter_rows())
    for number, component in enumerate(parameters.components):
        field = f"parameters.components.{number}"
        if strangers := [s for s in component.of if s not in units]:
            raise ValueError(f"{field}.of: {', '.join(strangers)}: expected some of the inputs {', '.join(units)}")
        try:
            of = component.of
            check_steps(component.steps, [units[s] for s in of], _MONTHLY, [adjustments[s] for s in of])
        except ValueError as error:
            raise ValueError(f"{field}.steps: {error}") from None
    used = {s for c in parameters.components for s in c.of}
    if idle := [s for s in units if s not in used]:
        raise ValueError(f"inputs: no component is made of {', '.join(idle)}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The index, decomposed.

    For component i at month t, z is its expanding z-score (mean and standard deviation up to t), and its contribution
    is `sign * weight * z`. Weights are rescaled over the components present at t, so that the composite goes on when
    one is missing (as macrosynergy's `linear_composite(normalize_weights=True)` does); a month with fewer than
    `min_components` has no index.

    Returns
    -------
    DataFrame
        One row per month and component: `observation_date`, `component`, `component_value` (unit that its steps give),
        `zscore`, `sign`, `weight`, `contribution`, `index_value`. A month's contributions add up to its index_value.
    """
    wide = given.monthly()
    parts = pl.concat(_part(wide, c) for c in parameters.components).sort("component", "observation_date")
    scored = parts.with_columns(
        zscore=expanding_zscore(pl.col("component_value"), "component", parameters.min_history_months)
    ).drop_nulls("zscore")
    month = "observation_date"
    return (
        scored.filter(pl.len().over(month) >= parameters.min_components)
        .with_columns(weight=pl.col("weight") / pl.col("weight").sum().over(month))
        .with_columns(contribution=pl.col("sign") * pl.col("weight") * pl.col("zscore"))
        .with_columns(index_value=pl.col("contribution").sum().over(month))
        .select(month, "component", "component_value", "zscore", "sign", "weight", "contribution", "index_value")
        .sort(month, "component")
    )


def _part(wide: pl.DataFrame, component: Component) -> pl.DataFrame:
    return wide.select(
        "observation_date",
        component=pl.lit(component.name),
        component_value=expression(component.steps, [pl.col(s) for s in component.of], _MONTHLY),
        sign=pl.lit(component.sign, dtype=pl.Int64),
        weight=pl.lit(component.weight),
    ).drop_nulls("component_value")
