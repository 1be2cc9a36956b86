"""One factor of many monthly series, in its own standard deviations, and the rule that its mean is below a threshold.

The factor is the first principal component of the series, estimated at the beginning of each period on the months
before that have all of them. In between its weights stand. The sign is that of a series that is said to rise with it.
At the ragged edge, where some series have not come out, it is the least-squares factor of those that have.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.expected import expect_parts
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.factors import first_factor, of_rows
from macro_assets.transforms.frequency import MONTHS
from macro_assets.transforms.steps import expression
from macro_assets.transforms.windows import LeftOut, left_out

SHAPE = "factor_index"

EXAMPLE = {
    "inputs": ["PAYEMS", "INDPRO", "RSAFS", "UNRATE"],
    "parameters": {
        "min_obs": 12,
        "anchor": "PAYEMS",
        "components": [
            {"series": "PAYEMS", "steps": "pch"},
            {"series": "INDPRO", "steps": "pch"},
            {"series": "RSAFS", "steps": "pch"},
            {"series": "UNRATE", "steps": "chg"},
        ],
    },
}

_MONTHLY = "M"


class Component(Declaration):
    """A series and the transforms that make it stationary."""

    series: SeriesId
    steps: Steps = Field(min_length=1)


class Parameters(Declaration):
    """The components, the estimation and the rule."""

    components: tuple[Component, ...] = Field(min_length=2)
    anchor: SeriesId = Field(description="Series that rises with the factor: it decides the sign")
    min_obs: int = Field(gt=2, strict=True, description="Months with all series before the first estimate")
    refit_months: Literal[1, 3, 6, 12] = Field(default=12, description="Months from one estimate to the next")
    leave_out: LeftOut = Field(default=(), description="Spans of months that are not estimated on")
    min_share: float = Field(default=0.5, gt=0, le=1, description="Of the squared weights, known of a month")
    mean_months: int = Field(default=3, gt=0, strict=True)
    threshold: float = Field(default=-0.7, description="The mean below it is the signal")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse components that are not the inputs, are not monthly or cannot be transformed so.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    parts = expect_parts(facts, parameters.components, "parameters.components", _MONTHLY)
    if parameters.anchor not in (named := [c.series for c in parameters.components]):
        raise ValueError(f"parameters.anchor: expected one of {', '.join(named)}, got {parameters.anchor}")
    for field, fact, _ in parts:
        if MONTHS.get(fact["frequency"], 0) > 1:
            raise ValueError(f"{field}: expected a figure a month, {fact['series_id']} is {fact['frequency']!r}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The index by month.

    Each figure is standardized by mean and deviation of the months that the factor was estimated on. The rule is the
    Chicago Fed's: a three-month mean below -0.70 after an expansion says that a recession has likely begun.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `value` (standard deviations; 0 is the mean of the months estimated on),
        `trailing_mean` (of `mean_months`; null where one is missing), `signal` (the mean is below the threshold),
        `series_known` (series that the month has), `estimated_through` (last month estimated on).
    """
    wide = given.monthly().select(
        "observation_date",
        *(expression(c.steps, [pl.col(c.series)], _MONTHLY).cast(pl.Float64) for c in parameters.components),
    )
    months = wide["observation_date"]
    values = wide.drop("observation_date").to_numpy().reshape(wide.height, len(parameters.components)).astype(float)
    values = np.where(np.isfinite(values), values, np.nan)
    anchor = [c.series for c in parameters.components].index(parameters.anchor)
    usable = np.where(left_out(months, parameters.leave_out)[:, None], np.nan, values)
    whole = np.flatnonzero(np.isfinite(usable).all(axis=1))
    index, through = np.full(len(values), np.nan), np.full(len(values), -1)
    starts = np.flatnonzero((months.dt.month().to_numpy() - 1) % parameters.refit_months == 0)
    for start, end in zip(starts, [*starts, len(values)][1:], strict=True):
        before = whole[whole < start]
        if len(before) < parameters.min_obs:
            continue
        factor = first_factor(usable[:start], anchor)
        if factor is not None:
            index[start:end] = of_rows(values[start:end], factor, parameters.min_share)
            through[start:end] = before[-1]
    mean = pl.col("value").rolling_mean(parameters.mean_months)
    return (
        pl.DataFrame(
            {
                "observation_date": months,
                "value": index,
                "series_known": np.isfinite(values).sum(axis=1),
                "_at": through,
            }
        )
        .with_columns(pl.col("value").fill_nan(None))
        .with_columns(trailing_mean=mean)
        .drop_nulls("value")
        .select(
            "observation_date",
            "value",
            "trailing_mean",
            signal=pl.col("trailing_mean") < parameters.threshold,
            series_known=pl.col("series_known").cast(pl.Int64),
            estimated_through=pl.lit(months, dtype=pl.Date).gather(pl.col("_at")),
        )
    )
