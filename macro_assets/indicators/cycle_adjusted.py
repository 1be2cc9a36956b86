"""An index less what growth and inflation let expect of it: conditions that are tight or loose for the cycle.

The index is regressed on measures of the cycle, on the months before the present period of estimation, and what is left
of it is the adjusted index. The Chicago Fed's adjusted index (ANFCI) does so with each of its indicators and weighs the
rests anew; here the finished index is regressed, so that its rest is of the same components and weights.
"""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.expected import expect_used
from macro_assets.indicators.indices import expect_index, index_of
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.regression import expected_of
from macro_assets.transforms.steps import check as check_steps
from macro_assets.transforms.steps import expression
from macro_assets.transforms.windows import LeftOut

SHAPE = "cycle_adjusted"

EXAMPLE = {
    "inputs": ["NFCI", "INDPRO", "PCEPI"],
    "parameters": {
        "index": "NFCI",
        "controls": [
            {"name": "growth", "of": "INDPRO", "steps": "yoy"},
            {"name": "inflation", "of": "PCEPI", "steps": "yoy"},
        ],
        "lag_months": 1,
        "min_history_months": 12,
    },
}

_MONTHLY = "M"
_DATE = "observation_date"


class Control(Declaration):
    """A measure of the cycle: what a series becomes by some steps."""

    name: Slug
    of: SeriesId
    steps: Steps = Field(min_length=1, description="Transforms of the monthly figures")


class Parameters(Declaration):
    """The index, what it is regressed on, and on how much of the past."""

    index: str = Field(description="A series of the inputs, or an indicator's table among them")
    controls: tuple[Control, ...] = Field(min_length=1)
    lag_months: int = Field(
        default=0, ge=0, strict=True, description="The cycle of so many months before, as it is published later"
    )
    min_history_months: int = Field(gt=2, strict=True, description="Months before the first estimates")
    refit_months: int = Field(default=12, ge=12, le=120, strict=True, description="Months that estimates are kept")
    leave_out: LeftOut = Field(default=(), description="Spans of months that are not estimated on, or their name")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse an index or a control that is no input, inputs that nothing is made of, and steps that do not fit.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_index(facts, parameters.index, "parameters.index")
    told = {fact["series_id"]: fact for fact in facts.to_dicts()}
    for number, control in enumerate(parameters.controls):
        field = f"parameters.controls.{number}"
        if control.of not in told:
            raise ValueError(f"{field}.of: {control.of}: expected one of the inputs {', '.join(told)}")
        try:
            fact = told[control.of]
            check_steps(control.steps, [fact["unit"]], _MONTHLY, [fact["seasonal_adjustment"]])
        except ValueError as error:
            raise ValueError(f"{field}.steps: {error}") from None
    names = [c.name for c in parameters.controls]
    if len(set(names)) != len(names):
        raise ValueError(f"parameters.controls: expected each name once, got {', '.join(names)}")
    expect_used(facts, {parameters.index, *(c.of for c in parameters.controls)}, "regression")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The adjusted index, by month; a month without the index or one of the controls has no row.

    Estimates are made at the beginning of each period of `refit_months` (of 12: each January), on the months before.

    Returns
    -------
    DataFrame
        `observation_date`, `index_value`, `expected_value` (what the cycle lets expect), `value` (the rest),
        `estimated_through` (last month of the estimates).
    """
    cycle = given.monthly().select(
        pl.col(_DATE).dt.offset_by(f"{parameters.lag_months}mo"),
        *(expression(c.steps, [pl.col(c.of)], _MONTHLY).alias(c.name) for c in parameters.controls),
    )
    found = expected_of(
        index_of(given, parameters.index).join(cycle.drop_nulls(), on=_DATE).sort(_DATE),
        "index_value",
        [c.name for c in parameters.controls],
        min_obs=parameters.min_history_months,
        every=f"{parameters.refit_months}mo",
        leave_out=parameters.leave_out,
    )
    rest = pl.col("index_value") - pl.col("expected_value")
    return found.select(_DATE, "index_value", "expected_value", value=rest, estimated_through="estimated_through")
