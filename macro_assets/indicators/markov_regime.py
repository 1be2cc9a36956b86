"""Regimes of one monthly figure by a hidden Markov chain: the probability of each, given what was known by then.

Each year the model is estimated on the months before, expanding; within the year the probabilities are filtered with
these estimates. Smoothed probabilities, which use later months too, are in `scores/` for history, not here.
"""

from __future__ import annotations

from typing import Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, Slug
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.estimation import estimated_by_period
from macro_assets.transforms.regimes.errors import RegimeError
from macro_assets.transforms.regimes.markov import Fit, Markov, filtered, fit
from macro_assets.transforms.regimes.spells import REGIMES, with_probabilities
from macro_assets.transforms.registry import Calendar
from macro_assets.transforms.steps import check as check_steps
from macro_assets.transforms.steps import expression
from macro_assets.transforms.windows import LeftOut, Sample

SHAPE = "regimes"

EXAMPLE = {
    "inputs": ["INDPRO"],
    "parameters": {
        "steps": ["log", "chg"],
        "names": ["contraction", "expansion"],
        "switching_variance": True,
        "min_obs": 24,
    },
}

MONTHLY = "M"


class Parameters(Declaration):
    """What the regimes are of, what they are called, and when the model is estimated."""

    steps: Steps = Field(min_length=1, description="Transforms of the monthly figures, which leave one series")
    names: tuple[Slug, ...] = Field(min_length=2, max_length=3, description="Regimes, in rising order of label_by")
    label_by: str = Field(default="mean", description="What tells the regimes apart: mean or variance")
    order: int = Field(default=0, strict=True, description="Lags of an autoregression about the regime's mean")
    switching_variance: bool = Field(default=False, strict=True, description="Whether each regime has its own variance")
    min_obs: int = Field(gt=0, strict=True, description="Months of the first estimates")
    refit_months: int = Field(default=12, ge=12, multiple_of=12, strict=True, description="Months between estimates")
    leave_out: LeftOut = Field(default=(), description="Spans of months, or 'pandemic', that are not estimated on")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.names)) != len(self.names):
            raise ValueError("names: expected each once")
        _ = self.model
        return self

    @property
    def model(self) -> Markov:
        """The model that is estimated."""
        return Markov.model_validate(
            {
                "regimes": len(self.names),
                "order": self.order,
                "switching_variance": self.switching_variance,
                "label_by": self.label_by,
            }
        )


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse inputs that the steps do not make one series of.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    try:
        check_steps(parameters.steps, list(facts["unit"]), MONTHLY, list(facts["seasonal_adjustment"]))
    except ValueError as error:
        raise ValueError(f"parameters.steps: {error}") from None


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The probabilities, by month and regime, from the first estimates on.

    A month without a figure has no row, and the one after it counts as following the one before it. Months that are
    left out of the estimates are judged all the same.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `regime`, `regime_probability` (filtered: given the months up to its own),
        `is_in_force` (the most probable), `staying_probability` (estimated probability of staying another month),
        `estimated_through`.
    """
    rows = figures(given, parameters)
    values, months = rows["value"].to_numpy(), rows["observation_date"]
    counts, model = rows["in_sample"].to_numpy(), parameters.model

    def estimate(size: int) -> Fit:
        if counts[:size].sum() < parameters.min_obs:
            raise RegimeError(f"expected {parameters.min_obs} months that are not left out")
        return fit(values[:size][counts[:size]], model)

    made = estimated_by_period(
        months, f"{parameters.refit_months}mo", parameters.min_obs, estimate, RegimeError, given.periods
    )
    found = [
        with_probabilities(
            months[begin:end],
            parameters.names,
            filtered(values[:end], estimates)[begin:],
            estimates.staying,
            months[size - 1],
        )
        for begin, end, size, estimates in made
    ]
    return pl.concat([pl.DataFrame(schema=REGIMES), *found])


def figures(given: Given, parameters: Parameters) -> pl.DataFrame:
    """What the regimes are of: `observation_date`, `value`, `in_sample` (not left out of estimates), by month."""
    value = expression(parameters.steps, [pl.col(s) for s in given.series], MONTHLY)
    kept = Sample(min_obs=2, leave_out=parameters.leave_out).of(pl.lit(True), Calendar(MONTHLY)).is_not_null()
    return given.monthly().select("observation_date", value=value, in_sample=kept).drop_nulls("value")
