"""What the methods of curves share: which input is the yield of which maturity, and the yields as a table."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.curves.arrays import Array


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
    if odd := sorted(set(parameters.maturities) ^ set(facts["series_id"])):
        raise ValueError(f"parameters.maturities: expected one of each input and no other, {', '.join(odd)} is off")
    for number, (series, unit) in enumerate(facts.select("series_id", "unit").iter_rows()):
        if unit != "percent":
            raise ValueError(f"inputs.{number}: expected percent, {series} is in {unit!r}")


def quotes(given: Given, parameters: Tenors) -> Quotes:
    """The yields of all dates that have one."""
    ordered = sorted(parameters.maturities, key=parameters.maturities.__getitem__)
    wide = given.by_date()
    years = np.array([parameters.maturities[s] / parameters.per_year for s in ordered])
    rates = wide.select(pl.col(ordered).fill_null(float("nan"))).to_numpy().astype(float)
    return Quotes(wide["observation_date"], years, rates.reshape(wide.height, len(ordered)))


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
