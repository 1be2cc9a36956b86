"""The probability of a recession some months ahead, by a probit on one figure: published coefficients, or estimated.

What is told is one event, and which one it is stands in each row: a recession *in* the month that is so many ahead, or
in any of the months up to it. Estimates are made each January, or at longer intervals, of the figures before and of
those months that were known by then to be in recession or not. Nobody knows it of a month after the last turning point
that had been announced: it is left out of the sample and no expansion. So a sample ends with a peak or a trough, has
somewhat more of recessions than history has, and a long expansion enters it when its end is announced.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.estimation import estimated_by_period
from macro_assets.transforms.probit import ProbitError, fit, probability
from macro_assets.transforms.recessions import SCHEMA, in_recession, known_by
from macro_assets.transforms.steps import check as check_steps
from macro_assets.transforms.steps import expression

SHAPE = "recession_probabilities"

EXAMPLE = {
    "inputs": ["BAA", "AAA"],
    "parameters": {
        "event": "in_month",
        "months": 12,
        "steps": "spread",
        "published": {"constant": -2.0, "coefficient": 1.0, "estimated_through": "2009-12-31"},
    },
}

MONTHLY = "M"
Event = Literal["in_month", "within"]
_SHAPE = {
    "observation_date": pl.Date,
    "target_date": pl.Date,
    "event": pl.String,
    "predictor": pl.Float64,
    "probability": pl.Float64,
    "constant": pl.Float64,
    "coefficient": pl.Float64,
    "episodes": pl.Int64,
    "estimated_through": pl.Date,
}


class Published(Declaration):
    """Coefficients that somebody published, and the last day of the months that they were estimated on."""

    constant: float
    coefficient: float
    estimated_through: date


class Parameters(Declaration):
    """The event, the figure that tells it, and where the coefficients are from."""

    event: Event = Field(
        description="in_month: a recession in the month that is so many ahead; within: in any of the months up to it"
    )
    months: int = Field(gt=0, strict=True, description="How many months ahead")
    steps: Steps = Field(default=(), description="Transforms of the monthly series, which leave one; none of a table")
    published: Published | None = Field(
        default=None, description="Coefficients of a publication, and what they were estimated on; else estimated"
    )
    min_obs: int = Field(default=120, gt=0, strict=True, description="Months of the figure before the first estimates")
    min_episodes: int = Field(default=3, gt=0, strict=True, description="Recessions that a sample must have")
    refit_months: int = Field(default=12, ge=12, multiple_of=12, strict=True, description="Months between estimates")

    @model_validator(mode="after")
    def _one_event(self) -> Self:
        if self.published is not None and self.event != "in_month":
            raise ValueError("event: expected in_month of published coefficients")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse series that the steps do not make one of, and steps without series.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    if facts.is_empty():
        if parameters.steps:
            raise ValueError("parameters.steps: expected none, since no input is a series")
        return
    try:
        check_steps(parameters.steps, list(facts["unit"]), MONTHLY, list(facts["seasonal_adjustment"]))
    except ValueError as error:
        raise ValueError(f"parameters.steps: {error}") from None


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The probability, by month of the figure, from the first estimates on.

    Where a sample has too few recessions, or its recessions are separated from all else by the figure, the estimates of
    before stay in force, and there is no row before the first.

    Returns
    -------
    DataFrame
        `observation_date` (month of the figure), `target_date` (month of the event, or the last of them), `event`,
        `predictor` (the figure), `probability` (0 to 1), `constant`, `coefficient`, `episodes` (recessions in the
        sample; null of published coefficients), `estimated_through`.
    """
    rows = _figures(given, parameters).with_columns(
        target_date=pl.col("observation_date").dt.offset_by(f"{parameters.months}mo"), event=pl.lit(parameters.event)
    )
    if (published := parameters.published) is not None:
        made = [(0, rows.height, Estimates(episodes=None, **published.model_dump()))]
    else:
        made = _estimated(rows, given, parameters)
    found = [_with(rows[begin:end], estimates) for begin, end, estimates in made]
    return pl.concat([pl.DataFrame(schema=_SHAPE), *found])


class Estimates(Declaration):
    """Coefficients, and what they were estimated on."""

    constant: float
    coefficient: float
    episodes: int | None
    estimated_through: date


def _figures(given: Given, parameters: Parameters) -> pl.DataFrame:
    """Month and figure, none missing: of the series by their steps, or the `value` of the only table."""
    if given.series:
        of = [pl.col(s) for s in given.series]
        rows = given.monthly().select("observation_date", predictor=expression(parameters.steps, of, MONTHLY))
    else:
        (table,) = given.tables.values()
        rows = table.select("observation_date", predictor="value").sort("observation_date")
    return rows.drop_nulls("predictor")


def _estimated(rows: pl.DataFrame, given: Given, parameters: Parameters) -> list[tuple[int, int, Estimates]]:
    """First row, the row after the last, and the estimates that hold for them."""
    months = rows["observation_date"]
    months_of_event = parameters.months if parameters.event == "within" else 1
    recessions = pl.DataFrame(schema=SCHEMA) if given.recessions is None else given.recessions

    def estimate(size: int) -> Estimates:
        known = known_by(recessions, months[size] - timedelta(days=1))
        came = in_recession(known, rows["target_date"][:size], months_of_event)
        return _fitted(rows[:size].with_columns(label=came).drop_nulls("label"), parameters)

    made = estimated_by_period(
        months, f"{parameters.refit_months}mo", parameters.min_obs, estimate, ProbitError, given.periods
    )
    return [(begin, end, estimates) for begin, end, _, estimates in made]


def _fitted(sample: pl.DataFrame, parameters: Parameters) -> Estimates:
    begins = (pl.col("label") == 1) & (pl.col("label").shift(1, fill_value=0) == 0)
    episodes = sample.select(begins.sum()).item()
    if episodes < parameters.min_episodes:
        raise ProbitError(f"expected at least {parameters.min_episodes} recessions in the sample, got {episodes}")
    found = fit(sample["label"].to_numpy(), sample["predictor"].to_numpy())
    constant, coefficient = found.coefficients
    last: date = sample.select(pl.col("target_date").max().dt.month_end()).item()
    return Estimates(constant=constant, coefficient=coefficient, episodes=episodes, estimated_through=last)


def _with(rows: pl.DataFrame, estimates: Estimates) -> pl.DataFrame:
    made = probability(rows["predictor"].to_numpy(), (estimates.constant, estimates.coefficient))
    return rows.with_columns(
        probability=pl.Series(made),
        **{name: pl.lit(value, dtype=_SHAPE[name]) for name, value in estimates.model_dump().items()},
    ).select(list(_SHAPE))
