"""A diffusion index: the percent of some series that rose over some months, with half of those that stayed."""

from __future__ import annotations

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.frequency import MONTHS

SHAPE = "value"

EXAMPLE = {
    "inputs": ["PAYEMS", "INDPRO", "RSAFS", "UNRATE"],
    "parameters": {"months": 3, "min_series": 3, "falling": ["UNRATE"]},
}


class Parameters(Declaration):
    """Over how many months, of how many series at least, and of which a fall is counted as a rise."""

    months: int = Field(gt=0, strict=True, description="Months between the two figures that are compared")
    min_series: int = Field(gt=1, strict=True, description="Series whose change must be known")
    falling: tuple[SeriesId, ...] = Field(default=(), description="Series whose fall is good, such as unemployment")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse too few series, series without monthly figures, and those of `falling` that are no inputs.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    series = facts["series_id"].to_list()
    if parameters.min_series > len(series):
        raise ValueError(f"inputs: expected at least min_series ({parameters.min_series}), got {len(series)}")
    for number, (series_id, frequency) in enumerate(facts.select("series_id", "frequency").iter_rows()):
        if MONTHS.get(frequency, 0) > 1:
            raise ValueError(f"inputs.{number}: expected a figure a month, {series_id} is {frequency!r}")
    if strangers := [s for s in parameters.falling if s not in series]:
        raise ValueError(f"parameters.falling: {', '.join(strangers)}: expected some of the inputs {', '.join(series)}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The index: 100 where all rise, 0 where all fall, 50 where nothing moves.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `value` (percent of the series whose change is known), by month. A month
        with fewer than `min_series` of them has no row.
    """
    shares = [_share(s, parameters) for s in given.series]
    known = pl.sum_horizontal(share.is_not_null() for share in shares)
    index = given.monthly().select(
        "observation_date", value=pl.when(known >= parameters.min_series).then(100 * pl.mean_horizontal(shares))
    )
    return index.drop_nulls("value")


def _share(series: str, parameters: Parameters) -> pl.Expr:
    """1 where a series rose, 0 where it fell, 0.5 where it stayed."""
    change = pl.col(series).diff(parameters.months)
    return (1 + (-change if series in parameters.falling else change).sign()) / 2
