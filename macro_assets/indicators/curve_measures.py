"""What the bonds of a curve pay while it stays as it is, and how their prices move with their yields."""

from __future__ import annotations

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.indicators.protocol import Given
from macro_assets.indicators.tenors import COUPONS, CurveTenors, check_curve, curves, long, quotes
from macro_assets.transforms.curves import bonds, rates
from macro_assets.transforms.curves.measures import carry_and_roll

SHAPE = "curve_measures"

EXAMPLE = {
    "inputs": ["UST_PAR_6M", "UST_PAR_1Y", "UST_PAR_2Y"],
    "parameters": {
        "quotes": "par",
        "maturities": {"UST_PAR_6M": 0.5, "UST_PAR_1Y": 1.0, "UST_PAR_2Y": 2.0},
        "tenors": [1.0, 2.0],
        "horizon": 0.25,
    },
}


class Parameters(CurveTenors, strict=True):
    """The curve, the maturities of the bonds, and how long they are held."""

    horizon: float = Field(gt=0, description="Years over which bonds are carried and roll down")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse what makes no curve, bonds at par of no half-years, and bonds that fall due within the horizon.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    check_curve(parameters, facts)
    if parameters.quotes == "par" and (odd := [t for t in parameters.tenors if t * COUPONS % 1]):
        raise ValueError(f"parameters.tenors: expected half-years of bonds at par, got {', '.join(map(str, odd))}")
    if min(parameters.tenors) <= parameters.horizon:
        raise ValueError(f"parameters.horizon: expected less than the first tenor, {min(parameters.tenors):g}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """Measures of each day and tenor that the day's curve reaches.

    Duration, convexity and the value of a basis point are of a bond at par with coupons by half-years, of a curve of
    zero rates of a bond without coupon whose yield compounds once a year. Carry and roll-down are of a bond without
    coupon, over the horizon, in percent of its price: on a flat curve both are 0, and their sum is what it pays over
    cash while the curve stays.

    Returns
    -------
    DataFrame
        `observation_date`, `tenor_years`, `bond_yield`, `carry`, `roll_down`, `modified_duration`, `convexity`, `dv01`,
        by date and tenor.
    """
    quoted, years = quotes(given, parameters), np.array(sorted(parameters.tenors))
    curve = curves(quoted, parameters.quotes)
    carry, roll = carry_and_roll(curve, years, parameters.horizon)
    if parameters.quotes == "par":
        yields = rates.par(curve.discount, years, frequency=COUPONS)
        risk = bonds.risk(yields, yields, years, frequency=COUPONS)
    else:
        yields = 100 * np.expm1(curve.zero(years) / 100)
        risk = bonds.risk(0.0, yields, years, frequency=1)
    return long(
        quoted,
        years,
        bond_yield=yields,
        carry=carry,
        roll_down=roll,
        modified_duration=risk.modified,
        convexity=risk.convexity,
        dv01=risk.dv01,
    ).drop_nulls()
