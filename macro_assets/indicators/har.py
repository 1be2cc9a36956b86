"""What a heterogeneous autoregression expects of a volatility, from its means of a day, a week and a month."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.daily import expect_daily, figures
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.volatility.har import LAGS, as_of_each

SHAPE = "har"

EXAMPLE = {"inputs": ["VIXCLS"], "parameters": {"min_obs": 250, "horizon": 5}}


class Parameters(Declaration):
    """Means that it is regressed on, how far ahead, and when it is estimated."""

    lags: tuple[Annotated[int, Field(gt=0, strict=True)], ...] = Field(default=LAGS, min_length=1)
    horizon: int = Field(gt=0, strict=True, description="Days of the mean that is expected")
    min_obs: int = Field(gt=0, strict=True, description="Figures before the first estimates")
    every: Literal["1y", "1q", "1mo"] = Field(default="1y", description="Period at whose beginning it is estimated")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.lags)) != len(self.lags):
            raise ValueError(f"lags: expected each once, got {list(self.lags)}")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but one daily series. Raises as :func:`macro_assets.indicators.daily.expect_daily`."""
    expect_daily(facts, 1)


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """Forecasts by day, from the first estimates on.

    Returns
    -------
    DataFrame
        `observation_date`, `value`, `expected_value`, `estimated_through`, as
        :func:`macro_assets.transforms.volatility.har.as_of_each` says.
    """
    return as_of_each(
        figures(given),
        lags=parameters.lags,
        horizon=parameters.horizon,
        min_obs=parameters.min_obs,
        every=parameters.every,
    )
