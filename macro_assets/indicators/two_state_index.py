"""How probable it is, a figure later, that output was in recession, and whether it is called one: Chauvet and Hamilton.

Growth has one mean in recession and another in expansion, and which of the two it is follows a hidden chain (Chauvet
and Hamilton, 2006, Dating Business Cycle Turning Points). A quarter is judged when the next one's figure is out, and
never again. A recession is called where the index passes one bound, 67 percent, and its end where it falls below
another, 33 percent. Estimates are made each January of the figures before; the state with the lower mean is recession.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.expected import expect_one
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.estimation import estimated_by_period
from macro_assets.transforms.registry import Calendar
from macro_assets.transforms.two_states import States, StatesError, begun_and_ended, fit, told_later
from macro_assets.transforms.windows import LeftOut, Sample

SHAPE = "two_state_index"

EXAMPLE = {"inputs": ["INDPRO"], "parameters": {"min_obs": 24}}

_STEP = {"Q": ("3mo", 4, "in_quarter"), "M": ("1mo", 12, "in_month")}
"""Of each frequency, its period, how many there are a year, and the event that is told."""
_SHAPE = {
    "observation_date": pl.Date,
    "target_date": pl.Date,
    "event": pl.String,
    "growth_rate": pl.Float64,
    "probability": pl.Float64,
    "signal": pl.Boolean,
    "estimated_through": pl.Date,
}


class Parameters(Declaration):
    """The bounds, and when the model is estimated."""

    begins_above: float = Field(
        default=0.67, gt=0, lt=1, strict=True, description="Index above which a recession begins"
    )
    ends_below: float = Field(default=0.33, gt=0, lt=1, strict=True, description="Index below which it has ended")
    min_obs: int = Field(gt=0, strict=True, description="Figures before the first estimates")
    refit_months: int = Field(default=12, ge=12, multiple_of=12, strict=True, description="Months between estimates")
    leave_out: LeftOut = Field(default=(), description="Spans of months, or 'pandemic', that are not estimated on")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ends_below >= self.begins_above:
            raise ValueError(f"ends_below: expected less than begins_above ({self.begins_above})")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but one series of output, by month or quarter.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    fact = expect_one(facts)
    if fact["frequency"] not in _STEP or fact["unit"] == "percent":
        came = f"{fact['series_id']} has the frequency {fact['frequency']} and the unit {fact['unit']}"
        raise ValueError(f"inputs.0: expected output by month or quarter, {came}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The index, by the period whose figure it is told with.

    Returns
    -------
    DataFrame
        `observation_date` (first day of the period with the last figure), `target_date` (that of the period before,
        which is judged), `event` ('in_quarter' or 'in_month'), `growth_rate` (of the last figure, percent a year),
        `probability` (of recession in the period that is judged), `signal` (whether it is called one),
        `estimated_through`.
    """
    (series,) = given.series
    step, per_year, event = _STEP[given.facts["frequency"].item()]
    rows = _growth(given.observations.filter(pl.col("series_id") == series), step, per_year, parameters.leave_out)
    dates, values = rows["observation_date"], rows["growth_rate"].fill_null(np.nan).to_numpy()
    sample = np.where(rows["counts"].to_numpy(), values, np.nan)

    def estimate(size: int) -> States:
        return fit(sample[:size])

    every = f"{parameters.refit_months}mo"
    probability, through = np.full(rows.height, np.nan), np.full(rows.height, -1)
    for begin, end, size, estimates in estimated_by_period(dates, every, parameters.min_obs, estimate, StatesError):
        probability[begin:end] = told_later(values[:end], estimates)[begin:]
        through[begin:end] = size - 1
    told = rows.with_columns(
        probability=pl.Series(probability, nan_to_null=True),
        estimated_through=dates.gather(np.maximum(through, 0)).dt.offset_by(step).dt.offset_by("-1d"),
    ).filter(pl.Series(through >= 0))
    signal = begun_and_ended(told["probability"].to_numpy(), parameters.begins_above, parameters.ends_below)
    return (
        told.with_columns(
            target_date=pl.col("observation_date").dt.offset_by(f"-{step}"),
            event=pl.lit(event),
            signal=pl.Series(signal, dtype=pl.Boolean),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in _SHAPE.items())
        .drop_nulls()
    )


def _growth(observations: pl.DataFrame, step: str, per_year: int, leave_out: LeftOut) -> pl.DataFrame:
    """Growth at an annual rate of each period with it, and whether the period is estimated on."""
    figures = observations.drop_nulls("value").sort("observation_date").select("observation_date", "value")
    whole = figures.upsample("observation_date", every=step) if figures.height else figures
    log = pl.when(pl.col("value") > 0).then(pl.col("value").log())
    sample = Sample(min_obs=2, leave_out=leave_out).of(pl.lit(True), Calendar("M")).is_not_null()
    growth = whole.select("observation_date", growth_rate=100 * per_year * log.diff(), counts=sample)
    return growth[1:]
