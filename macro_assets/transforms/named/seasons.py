"""The season, taken out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.transforms.registry import Calendar, same, transform
from macro_assets.transforms.seasonal import MIN_YEARS, one_sided_adjusted


class Season(Declaration, strict=True):
    """Whether the season is a ratio, as of prices and quantities that grow, and the years before the first factor."""

    multiplicative: bool = False
    min_years: int = Field(default=MIN_YEARS, gt=1)


@transform(same, parameters=Season, frequencies="MQ")
def seasonally_adjust(series: Sequence[pl.Expr], parameters: Season, calendar: Calendar) -> pl.Expr:
    """Less its season, or divided by it, by STL fitted once a year to the figures before; missing before the first fit.

    The factors of a year come from the fit that ends before it (`transforms/seasonal.py`), and no later figure moves
    them. A ratio is missing where the figure is not positive.
    """

    def adjusted(values: pl.Series) -> pl.Series:
        period, told = calendar.per_year or 0, parameters
        return one_sided_adjusted(values, period, multiplicative=told.multiplicative, min_years=told.min_years)

    return series[0].map_batches(adjusted, return_dtype=pl.Float64)
