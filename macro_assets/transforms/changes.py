"""What the figures of one series differ by from the period before and from a year before: for a look at it.

Over a year it is a percentage where the FRED-MD code of the series takes logarithms or growth and its unit has ratios;
else a difference in the unit of the series, of percents in percentage points.
"""

from __future__ import annotations

import polars as pl

from macro_assets.catalog.kinds.step import Step
from macro_assets.transforms.library import difference, positive
from macro_assets.transforms.steps import transformed_by
from macro_assets.transforms.year_ago import year_before

PERCENT = "percent"

_OF_RATIOS = (4, 5, 6, 7)
"""FRED-MD codes that take logarithms or growth."""


def unit_over_year(unit: str, code: int) -> str:
    """The unit of the change over a year of a series with a unit and a FRED-MD code."""
    if code in _OF_RATIOS:
        try:
            positive(unit)
        except ValueError:
            return difference([unit], None)
        return PERCENT
    return difference([unit], None)


def with_changes(observations: pl.DataFrame, frequency: str, *, percent: bool) -> pl.DataFrame:
    """Observations of one series with what changed.

    Parameters
    ----------
    observations
        `observation_date`, `value`, and what else goes with an observation; each date once.
    frequency
        'D', 'W', 'M', 'Q' or 'A'. Across a missing month, quarter or year there is no change; of days and weeks the
        step before is the figure before.
    percent
        Whether the change over a year is in percent of the figure then, which must be positive.

    Returns
    -------
    DataFrame
        The observations by date, with `change` (the transform `chg`) and `over_year`; null where there is none.
    """
    ordered = observations.sort("observation_date")
    known = ordered.select("observation_date", "value").drop_nulls()
    chg = transformed_by(known.with_columns(series_id=pl.lit("")), {"": (Step(name="chg"),)}, {"": frequency})
    before = year_before(ordered["observation_date"], ordered["value"])
    x = pl.col("value")
    over_year = pl.when(before > 0).then(100 * (x / before - 1)) if percent else x - before
    return ordered.join(
        chg.select("observation_date", change="value"), on="observation_date", how="left", maintain_order="left"
    ).with_columns(over_year=over_year)
