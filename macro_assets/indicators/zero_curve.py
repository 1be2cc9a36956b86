"""Zero, forward and par rates of each day's curve by the monotone convex method, at any maturities."""

from __future__ import annotations

import numpy as np
import polars as pl

from macro_assets.indicators.protocol import Given
from macro_assets.indicators.tenors import COUPONS, CurveTenors, check_curve, curves, long, quotes
from macro_assets.transforms.curves import rates
from macro_assets.transforms.curves.arrays import Array
from macro_assets.transforms.curves.monotone_convex import Curves

SHAPE = "curve_rates"

EXAMPLE = {
    "inputs": ["UST_PAR_6M", "UST_PAR_1Y", "UST_PAR_2Y"],
    "parameters": {
        "quotes": "par",
        "maturities": {"UST_PAR_6M": 0.5, "UST_PAR_1Y": 1.0, "UST_PAR_2Y": 2.0},
        "tenors": [0.25, 2.0],
    },
}

Parameters = CurveTenors
check = check_curve


def compute(given: Given, parameters: CurveTenors) -> pl.DataFrame:
    """The curve of each day with enough yields, at each tenor.

    Forward rates may be below zero, as rates may. Nothing is extrapolated: past a day's last yield, and on a day whose
    yields have no curve (as of hundreds of percent), there is no row; before its first the forward rate goes on as the
    method has it.

    Returns
    -------
    DataFrame
        `observation_date`, `tenor_years`, `zero_rate`, `forward_rate` (both continuously compounded), `par_rate` (by
        half-years, of tenors that are such), in percent, by date and tenor.
    """
    quoted, years = quotes(given, parameters), np.array(sorted(parameters.tenors))
    curve = curves(quoted, parameters.quotes)
    rows = long(
        quoted,
        years,
        zero_rate=curve.zero(years),
        forward_rate=curve.forward(years),
        par_rate=_par(curve, years),
    )
    return rows.drop_nulls(["zero_rate", "forward_rate"])


def _par(curve: Curves, years: Array) -> Array:
    """Par yields; NaN of tenors that are no half-years."""
    found, whole = np.full((curve.dates, len(years)), np.nan), years * COUPONS % 1 == 0
    if whole.any():
        found[:, whole] = rates.par(curve.discount, years[whole], frequency=COUPONS)
    return found
