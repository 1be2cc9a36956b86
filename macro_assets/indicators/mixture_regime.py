"""States of several monthly figures as a mixture of normal distributions: the probability of each, month by month.

Each year the mixture is estimated on the months before, expanding; within the year the months are judged by it. It
knows nothing of the month before: what a Markov chain adds shows beside it.
"""

from __future__ import annotations

from typing import Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.estimation import estimated_by_period
from macro_assets.transforms.regimes.errors import RegimeError
from macro_assets.transforms.regimes.mixture import Fit, fit, probabilities
from macro_assets.transforms.regimes.spells import REGIMES, with_probabilities
from macro_assets.transforms.registry import Calendar
from macro_assets.transforms.steps import check as check_steps
from macro_assets.transforms.steps import expression
from macro_assets.transforms.windows import LeftOut, Sample

SHAPE = "regimes"

EXAMPLE = {
    "inputs": ["VIXCLS", "BAA", "AAA"],
    "parameters": {
        "features": [
            {"name": "volatility", "of": ["VIXCLS"], "steps": "level"},
            {"name": "credit", "of": ["BAA", "AAA"], "steps": "spread"},
        ],
        "names": ["calm", "turbulent"],
        "min_obs": 24,
    },
}

MONTHLY = "M"


class Feature(Declaration):
    """One of the figures: what its series become by some steps."""

    name: Slug
    of: tuple[SeriesId, ...] = Field(min_length=1)
    steps: Steps = Field(min_length=1, description="Transforms of the monthly figures, which leave one series")


class Parameters(Declaration):
    """What the states are of, what they are called, and when the mixture is estimated."""

    features: tuple[Feature, ...] = Field(min_length=1, description="The first tells the states apart")
    names: tuple[Slug, ...] = Field(
        min_length=2, max_length=4, description="States, in rising order of that one's mean"
    )
    min_obs: int = Field(gt=0, strict=True, description="Months of the first estimates")
    refit_months: int = Field(default=12, ge=12, multiple_of=12, strict=True, description="Months between estimates")
    leave_out: LeftOut = Field(default=(), description="Spans of months, or 'pandemic', that are not estimated on")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for field, named in (("names", self.names), ("features", [f.name for f in self.features])):
            if len(set(named)) != len(named):
                raise ValueError(f"{field}: expected each name once")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse features that cannot be made of the inputs, and inputs that no feature is made of.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    told = {f["series_id"]: (f["unit"], f["seasonal_adjustment"]) for f in facts.to_dicts()}
    for number, feature in enumerate(parameters.features):
        field = f"parameters.features.{number}"
        if strangers := [s for s in feature.of if s not in told]:
            raise ValueError(f"{field}.of: {', '.join(strangers)}: expected some of the inputs {', '.join(told)}")
        units, adjustments = zip(*(told[s] for s in feature.of), strict=True)
        try:
            check_steps(feature.steps, units, MONTHLY, adjustments)
        except ValueError as error:
            raise ValueError(f"{field}.steps: {error}") from None
    if idle := [s for s in told if s not in {s for f in parameters.features for s in f.of}]:
        raise ValueError(f"inputs: no feature is made of {', '.join(idle)}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The probabilities, by month and state, of months that have all figures, from the first estimates on.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `regime`, `regime_probability`, `is_in_force` (the most probable),
        `staying_probability` (null: a mixture has none of its own), `estimated_through`.
    """
    features = {f.name: expression(f.steps, [pl.col(s) for s in f.of], MONTHLY) for f in parameters.features}
    sample = Sample(min_obs=2, leave_out=parameters.leave_out).of(pl.lit(True), Calendar(MONTHLY)).is_not_null()
    wide = given.monthly().select("observation_date", _sample=sample, **features)
    rows = wide.drop_nulls(list(features))
    values, months = rows.select(list(features)).to_numpy(), rows["observation_date"]
    counts = rows["_sample"].to_numpy()
    unknown = [None] * len(parameters.names)

    def estimate(size: int) -> Fit:
        if counts[:size].sum() < parameters.min_obs:
            raise RegimeError(f"expected {parameters.min_obs} months that are not left out")
        return fit(values[:size][counts[:size]], len(parameters.names))

    made = estimated_by_period(
        months, f"{parameters.refit_months}mo", parameters.min_obs, estimate, RegimeError, given.periods
    )
    found = [
        with_probabilities(
            months[begin:end], parameters.names, probabilities(values[begin:end], estimates), unknown, months[size - 1]
        )
        for begin, end, size, estimates in made
    ]
    return pl.concat([pl.DataFrame(schema=REGIMES), *found])
