"""An index on a scale of 0 to 100 with bands: its logistic function, 50 at the neutral level."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Slug
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.expected import expect_used
from macro_assets.indicators.indices import expect_index, index_of
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.steps import check as check_steps
from macro_assets.transforms.steps import expression

SHAPE = "banded"

EXAMPLE = {
    "inputs": ["NFCI"],
    "parameters": {
        "index": "NFCI",
        "steps": [{"zscore": {"min_obs": 12}}],
        "slope": 1.0,
        "bands": [{"name": "easy", "below": 40}, {"name": "usual", "up_to": 80}, {"name": "tight"}],
    },
}

_MONTHLY = "M"
_UNIT = "index"


class Band(Declaration):
    """A part of the scale, by where it ends; the last has no end."""

    name: Slug
    below: float | None = Field(default=None, gt=0, lt=100, description="It ends before this value")
    up_to: float | None = Field(default=None, gt=0, lt=100, description="It ends with this value")

    @property
    def end(self) -> float | None:
        """Where it ends."""
        return self.up_to if self.below is None else self.below

    def has(self, value: pl.Expr) -> pl.Expr:
        """Whether a value above the bands before it is in this one."""
        return value < self.below if self.below is not None else value <= self.up_to


class Parameters(Declaration):
    """The index, what is done to it first, the form of the function, and the bands from below."""

    index: str = Field(description="A series of the inputs, or an indicator's table among them")
    steps: Steps = Field(default=(), description="Transforms of the index by month, as its z-score")
    neutral: float = Field(default=0.0, description="What becomes 50")
    slope: float = Field(gt=0, description="100 / (1 + exp(-slope * (x - neutral)))")
    bands: tuple[Band, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        *inner, last = self.bands
        if any((b.below is None) == (b.up_to is None) for b in inner):
            raise ValueError("bands: expected one of 'below' and 'up_to' of each band but the last")
        if last.end is not None:
            raise ValueError(f"bands: expected the last, {last.name}, to have no end")
        ends, names = [b.end for b in inner if b.end is not None], {b.name for b in self.bands}
        if any(b <= a for a, b in pairwise(ends)) or len(names) < len(self.bands):
            raise ValueError("bands: expected each name once, and ends that rise")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse an index that is no input, other inputs, and steps that an index does not admit.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_index(facts, parameters.index, "parameters.index")
    expect_used(facts, {parameters.index}, "index")
    if parameters.steps:
        try:
            check_steps(parameters.steps, [_UNIT], _MONTHLY)
        except ValueError as error:
            raise ValueError(f"parameters.steps: {error}") from None


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The index on its scale, by month.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `value` (0 to 100), `band`.
    """
    index = index_of(given, parameters.index)
    if index.height:
        index = index.upsample("observation_date", every="1mo")
    level = pl.col("index_value")
    if parameters.steps:
        level = expression(parameters.steps, [level], _MONTHLY)
    scaled = 100 / (1 + (-parameters.slope * (level - parameters.neutral)).exp())
    *inner, last = parameters.bands
    band = pl.lit(last.name)
    for one in reversed(inner):
        band = pl.when(one.has(pl.col("value"))).then(pl.lit(one.name)).otherwise(band)
    return index.select("observation_date", value=scaled).drop_nulls().with_columns(band=band)
