"""The yield of a bond less that of a bill, whose bank discount is put on the basis on which bonds are quoted."""

from __future__ import annotations

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.indicators.expected import expect_unit
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.curves.rates import bond_equivalent

SHAPE = "value"

EXAMPLE = {"inputs": ["GS10", "TB3MS"], "parameters": {"bill_days": 91}}


class Parameters(Declaration, strict=True):
    """The bill."""

    bill_days: int = Field(gt=0, le=366, description="Days until the bill falls due")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but two monthly series in percent.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    if facts.height != 2:
        raise ValueError(
            f"inputs: expected a yield and a bill's discount, got {', '.join(facts['series_id']) or 'none'}"
        )
    expect_unit(facts, "percent")
    for number, (series, frequency) in enumerate(facts.select("series_id", "frequency").iter_rows()):
        if frequency != "M":
            raise ValueError(f"inputs.{number}: expected a monthly series, {series} has the frequency {frequency}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The spread of each month with both: 365 D / (360 - days D) is the bond-equivalent yield of a discount D.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `value` (percentage points), by month.
    """
    bond, bill = given.series
    rows = given.monthly().drop_nulls([bond, bill])
    spread = rows[bond].to_numpy() - bond_equivalent(rows[bill].to_numpy(), parameters.bill_days)
    return rows.select(
        "observation_date", value=pl.Series(np.asarray(spread, dtype=float), nan_to_null=True)
    ).drop_nulls()
