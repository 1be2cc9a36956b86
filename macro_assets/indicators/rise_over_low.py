"""By how much the mean of the latest months is above its lowest of the months before, as the Sahm rule asks."""

from __future__ import annotations

from typing import Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.expected import expect_one
from macro_assets.indicators.protocol import Given

SHAPE = "signal"

EXAMPLE = {"inputs": ["UNRATE"], "parameters": {"mean_months": 3, "low_months": 12, "threshold_pp": 0.5}}

ROUNDING = 1e-9
"""What a difference of means of published figures may be off: 4.2 - 3.7 and the like are 0.5, and must fire."""


class Parameters(Declaration, strict=True):
    """Months of the mean, months before in which the low is looked for, and the rise that is a signal."""

    mean_months: int = Field(gt=0)
    low_months: int = Field(gt=0)
    threshold_pp: float = Field(gt=0)
    missing_months: int = Field(default=0, ge=0, description="Months of a mean that may lack their figure")

    @model_validator(mode="after")
    def _some_are_left(self) -> Self:
        if self.missing_months >= self.mean_months:
            raise ValueError(f"missing_months: expected fewer than mean_months ({self.mean_months})")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but one monthly series in percent.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    fact = expect_one(facts)
    for what, expected in (("frequency", "M"), ("unit", "percent")):
        if fact[what] != expected:
            raise ValueError(f"inputs.0: expected a series of {what} {expected}, {fact['series_id']} is {fact[what]!r}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The rise, and whether it reaches the threshold.

    The low is that of the means of the months before, the month itself not among them. A mean needs all its months but
    `missing_months`, and the low all its means; a month without them, or without a figure of its own, has no row.

    The rise is not rounded. The publisher rounds it to two decimals and asks for 0.50 or more; of figures with one
    decimal that is the same, but for the error of binary fractions, which :data:`ROUNDING` covers. Rounding first would
    make a signal of a rise of 0.495 where figures have more decimals.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `value` (percentage points), `signal`, by month.
    """
    (series,) = given.series
    needed = parameters.mean_months - parameters.missing_months
    whole = pl.int_range(pl.len()) >= parameters.mean_months - 1  # before the first figure nothing is missing
    mean = pl.when(whole).then(pl.col(series).rolling_mean(parameters.mean_months, min_samples=needed))
    low = mean.shift(1).rolling_min(parameters.low_months)
    return (
        given.monthly()
        .select("observation_date", value=pl.when(pl.col(series).is_not_null()).then(mean - low))
        .drop_nulls("value")
        .with_columns(signal=pl.col("value") >= parameters.threshold_pp - ROUNDING)
    )
