"""A composite weighted anew: each component by how well it was followed by what the index is meant to warn of.

The power of a component is its correlation with a target some months later, of the months that were over at the latest
estimate; one that was followed by the opposite counts for nothing. Weights by power say what warned in the past, in few
episodes: they stand beside declared weights, and do not replace them.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.expected import expect_used
from macro_assets.indicators.indices import expect_index, index_of, table_of
from macro_assets.indicators.protocol import Given

SHAPE = "contributions"

EXAMPLE = {
    "inputs": ["indicators/economic_stress_index", "CPFF"],
    "parameters": {
        "of": "indicators/economic_stress_index",
        "target": "CPFF",
        "months_ahead": 1,
        "min_history_months": 12,
    },
}

Array = np.ndarray

_DATE = "observation_date"


class Parameters(Declaration):
    """The composite, what its components are to be followed by, and how much of the past says so."""

    of: str = Field(description="Table of contributions among the inputs")
    target: str = Field(description="A series of the inputs, or an indicator's table: high where the index warned well")
    months_ahead: int = Field(gt=0, le=24, strict=True, description="Months from a score to the target")
    min_history_months: int = Field(gt=2, strict=True, description="Pairs of a component before it has a power")
    refit_months: int = Field(default=12, gt=0, strict=True, description="Months from one estimate to the next")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse a target that is no input, and other series among the inputs.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_index(facts, parameters.target, "parameters.target")
    expect_used(facts, {parameters.target}, "weight")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The composite with weights by power.

    At each month of estimating, of the months before: a component's power is the correlation of `sign * zscore` with
    the target `months_ahead` later, or zero where that is negative. Components with too few pairs, and all of them
    where none has any power, keep the weight that the composite gives them; the others share what is left by power.

    Returns
    -------
    DataFrame
        The rows of the composite with other `weight`, `contribution` (`sign * weight * zscore`) and `index_value`.
    """
    rows = table_of(given, parameters.of)
    months = rows[_DATE].unique().sort()
    if months.is_empty():
        return rows
    signed = rows.select(_DATE, "component", score=pl.col("sign") * pl.col("zscore"))
    wide = signed.pivot("component", index=_DATE, values="score").sort(_DATE)
    names = sorted(c for c in wide.columns if c != _DATE)
    target = index_of(given, parameters.target).select(
        pl.col(_DATE).dt.offset_by(f"-{parameters.months_ahead}mo"), followed_by="index_value"
    )
    pairs = wide.join(target, on=_DATE, how="left", maintain_order="left")
    scores = pairs.select(pl.col(names).cast(pl.Float64).fill_null(float("nan"))).to_numpy()
    followed = pairs["followed_by"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    number = months.dt.year().to_numpy() * 12 + months.dt.month().to_numpy() - 1
    powers = np.full_like(scores, np.nan)
    since = number - number % parameters.refit_months
    for begin in np.unique(since):
        is_over = number + parameters.months_ahead < begin
        powers[since == begin] = _powers(scores[is_over], followed[is_over], parameters.min_history_months)
    told = (
        pl.DataFrame(powers, schema=names)
        .with_columns(months.alias(_DATE))
        .unpivot(index=_DATE, variable_name="component", value_name="power")
    )
    return _weighted(rows.join(told.fill_nan(None), on=[_DATE, "component"], how="left")).select(rows.columns)


def _powers(scores: Array, followed: Array, least: int) -> Array:
    """Of each column; NaN of one with fewer pairs, or that never moved with the target."""
    found = np.full(scores.shape[1], np.nan)
    for column, own in enumerate(scores.T):
        has_both = np.isfinite(own) & np.isfinite(followed)
        if has_both.sum() >= least:
            x, y = own[has_both] - own[has_both].mean(), followed[has_both] - followed[has_both].mean()
            size = np.sqrt(np.sum(x * x) * np.sum(y * y))
            found[column] = max(np.sum(x * y) / size, 0.0) if size > 0 else np.nan
    return found


def _weighted(rows: pl.DataFrame) -> pl.DataFrame:
    power, weight = pl.col("power"), pl.col("weight")
    of_all = power.sum().over(_DATE)
    shared = weight.filter(power.is_not_null()).sum().over(_DATE)
    by_power = pl.when(power.is_not_null() & (of_all > 0)).then(shared * power / of_all).otherwise(weight)
    return (
        rows.with_columns(weight=by_power)
        .with_columns(contribution=pl.col("sign") * weight * pl.col("zscore"))
        .with_columns(index_value=pl.col("contribution").sum().over(_DATE))
        .sort(_DATE, "component")
    )
