"""What the methods of curves share: which input is the yield of which maturity, and the yields as a table."""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.expected import expect_same, expect_unit
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.curves.arrays import Array
from macro_assets.transforms.curves.monotone_convex import LEAST_TENORS, Curves, from_zero, par_to_zero
from macro_assets.transforms.curves.rates import continuous_252

COUPONS = 2
"""A year, of a bond at par."""


class Tenors(Declaration, strict=True):
    """The maturity of each input."""

    maturities: dict[SeriesId, float] = Field(min_length=2, description="Maturity of each input")
    per_year: float = Field(default=1, gt=0, description="How many of its units a year has: 1, or 252 business days")

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        told = list(self.maturities.values())
        if min(told) <= 0 or len(set(told)) != len(told):
            raise ValueError(f"maturities: expected positive ones, each once, got {', '.join(f'{m:g}' for m in told)}")
        return self


class CurveTenors(Tenors, strict=True):
    """What the inputs are, their maturities, and those of the table."""

    quotes: Literal["par", "zero"] = Field(
        description="par: yields of bonds at par, by half-years; zero: zero rates, compounded once a year"
    )
    tenors: tuple[float, ...] = Field(min_length=1, strict=False, description="Maturities of the table in years")


class Quotes(NamedTuple):
    """Yields in percent, a row per date and a column per maturity in years, both in order; NaN where there is none."""

    dates: pl.Series
    years: Array
    rates: Array


def check_tenors(parameters: Tenors, facts: pl.DataFrame) -> None:
    """Refuse inputs without a maturity, maturities of what is no input, and what is not in percent.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    expect_same(facts, parameters.maturities, "parameters.maturities")
    expect_unit(facts, "percent")


def check_curve(parameters: CurveTenors, facts: pl.DataFrame) -> None:
    """Refuse too few yields, maturities of bonds at par that are no half-years, and tenors that no input reaches.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    check_tenors(parameters, facts)
    if facts.height < LEAST_TENORS:
        raise ValueError(f"inputs: expected {LEAST_TENORS} yields or more, got {facts.height}")
    years = sorted(m / parameters.per_year for m in parameters.maturities.values())
    if parameters.quotes == "par" and (odd := [y for y in years if y > 1 / COUPONS and y * COUPONS % 1]):
        raise ValueError(f"parameters.maturities: expected half-years of bonds at par, got {', '.join(map(str, odd))}")
    if odd := [t for t in parameters.tenors if not 0 < t <= years[-1]]:
        raise ValueError(f"parameters.tenors: expected some above 0 and up to {years[-1]:g}, got {odd}")
    if len(set(parameters.tenors)) != len(parameters.tenors):
        raise ValueError("parameters.tenors: one is named twice")


def quotes(given: Given, parameters: Tenors) -> Quotes:
    """The yields of all dates that have one."""
    ordered = sorted(parameters.maturities, key=parameters.maturities.__getitem__)
    wide = given.by_date()
    years = np.array([parameters.maturities[s] / parameters.per_year for s in ordered])
    rates = wide.select(pl.col(ordered).fill_null(float("nan"))).to_numpy().astype(float)
    return Quotes(wide["observation_date"], years, rates.reshape(wide.height, len(ordered)))


def curves(quoted: Quotes, kind: Literal["par", "zero"]) -> Curves:
    """The curves by the monotone convex method; a day with fewer than three yields, or that has none, is without."""
    if kind == "par":
        return par_to_zero(quoted.years, quoted.rates, frequency=COUPONS, unsolved="null")
    enough = np.isfinite(quoted.rates).sum(axis=1) >= LEAST_TENORS
    return from_zero(quoted.years, continuous_252(np.where(enough[:, None], quoted.rates, np.nan)))


def long(quoted: Quotes, years: Array, **columns: Array) -> pl.DataFrame:
    """Tables of a row per date and a column per maturity as one long frame.

    Returns
    -------
    DataFrame
        `observation_date`, `tenor_years`, and a column of each table; what is no finite number is null.
    """
    frame = pl.DataFrame(
        {
            "observation_date": quoted.dates.gather(np.repeat(np.arange(len(quoted.dates)), len(years))),
            "tenor_years": np.tile(years, len(quoted.dates)),
            **{name: table.ravel() for name, table in columns.items()},
        },
        schema_overrides=dict.fromkeys(("tenor_years", *columns), pl.Float64),
    )
    return frame.with_columns(pl.when(pl.col(n).is_finite()).then(pl.col(n)) for n in columns)
