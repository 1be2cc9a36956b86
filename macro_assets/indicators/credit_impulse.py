"""The credit impulse: by how much the flow of new credit over a year changed from the year before, as shares of GDP.

Spending is paid by new credit, not by its stock, so that growth goes with the change of the flow (Biggs, Mayer and
Pick, 2010).
"""

from __future__ import annotations

import polars as pl

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.panel import panel

SHAPE = "credit_impulse"

EXAMPLE = {"inputs": ["TOTBKCR", "GDP"], "parameters": {"credit": "TOTBKCR", "gdp": "GDP"}}

_SLACK = {"D": "5d", "W": "7d", "M": "1mo", "Q": "3mo"}
"""Until how long after its date the last figure of a quarter may stand for its end."""

_YEAR = 4


class Parameters(Declaration):
    """The stock of credit and nominal GDP."""

    credit: SeriesId
    gdp: SeriesId


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse other inputs than the two, a GDP that is not by quarter, and two units.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    known = {fact["series_id"]: fact for fact in facts.to_dicts()}
    if sorted(known) != sorted((parameters.credit, parameters.gdp)):
        raise ValueError(f"inputs: expected {parameters.credit} and {parameters.gdp}, got {', '.join(known)}")
    credit, gdp = known[parameters.credit], known[parameters.gdp]
    if gdp["frequency"] != "Q":
        raise ValueError(f"parameters.gdp: expected a series of frequency Q, it is {gdp['frequency']!r}")
    if credit["frequency"] not in _SLACK:
        raise ValueError(
            f"parameters.credit: expected a frequency of {', '.join(_SLACK)}, it is {credit['frequency']!r}"
        )
    if credit["unit"] != gdp["unit"]:
        raise ValueError(f"parameters.credit: expected the unit {gdp['unit']!r} of GDP, it is in {credit['unit']}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """Flow and impulse by quarter.

    The stock is that at the quarter's end, its last figure; a quarter whose end has none has no row. GDP is that of the
    four quarters up to it: their sum, or their mean where it is at annual rate.

    Returns
    -------
    DataFrame
        `observation_date` (first day of the quarter), `credit_flow` (rise of the stock over four quarters, percent of
        GDP), `credit_impulse` (percentage points; the flow less that of four quarters before, each over its own GDP).
    """
    facts = {fact["series_id"]: fact for fact in given.facts.to_dicts()}
    slack = _SLACK[facts[parameters.credit]["frequency"]]
    day, quarter = pl.col("observation_date"), pl.col("observation_date").dt.truncate("1q")
    own = given.observations.drop_nulls("value").select("series_id", "observation_date", "value")
    ends = (
        own.filter(pl.col("series_id") == parameters.credit, day.dt.offset_by(slack) >= quarter.dt.offset_by("1q"))
        .sort("observation_date")
        .group_by("series_id", observation_date=quarter, maintain_order=True)
        .agg(pl.col("value").last())
    )
    both = pl.concat([ends, own.filter(pl.col("series_id") == parameters.gdp)])
    wide = panel(both, (parameters.credit, parameters.gdp)).filter(day.dt.month() % 3 == 1)
    stock, output = pl.col(parameters.credit), pl.col(parameters.gdp)
    is_annual = facts[parameters.gdp]["seasonal_adjustment"] == "SAAR"
    year = output.rolling_mean(_YEAR) if is_annual else output.rolling_sum(_YEAR)
    flow = pl.when(year > 0).then(100 * (stock - stock.shift(_YEAR)) / year)
    return (
        wide.select("observation_date", credit_flow=flow)
        .with_columns(credit_impulse=pl.col("credit_flow") - pl.col("credit_flow").shift(_YEAR))
        .drop_nulls()
    )
