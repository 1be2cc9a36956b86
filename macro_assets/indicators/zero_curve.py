"""Zero, forward and par rates of each day's curve by the monotone convex method, at any maturities."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.indicators.protocol import Given
from macro_assets.indicators.tenors import Quotes, Tenors, check_tenors, long, quotes
from macro_assets.transforms.curves import monotone_convex
from macro_assets.transforms.curves.arrays import Array

SHAPE = "curve_rates"

EXAMPLE = {
    "inputs": ["UST_PAR_6M", "UST_PAR_1Y", "UST_PAR_2Y"],
    "parameters": {
        "quotes": "par",
        "maturities": {"UST_PAR_6M": 0.5, "UST_PAR_1Y": 1.0, "UST_PAR_2Y": 2.0},
        "tenors": [0.25, 2.0],
    },
}

COUPONS = 2
"""A year, of a bond at par."""

LEAST = monotone_convex.LEAST_TENORS
"""Yields that a day must have."""


class Parameters(Tenors, strict=True):
    """What the inputs are, their maturities, and those of the table."""

    quotes: Literal["par", "zero"] = Field(
        description="par: yields of bonds at par, by half-years; zero: zero rates, compounded once a year"
    )
    tenors: tuple[float, ...] = Field(min_length=1, strict=False, description="Maturities of the table in years")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse too few yields, maturities of bonds at par that are no half-years, and tenors that no input reaches.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    check_tenors(parameters, facts)
    if facts.height < LEAST:
        raise ValueError(f"inputs: expected {LEAST} yields or more, got {facts.height}")
    years = sorted(m / parameters.per_year for m in parameters.maturities.values())
    if parameters.quotes == "par" and (odd := [y for y in years if y > 1 / COUPONS and y * COUPONS % 1]):
        raise ValueError(f"parameters.maturities: expected half-years of bonds at par, got {', '.join(map(str, odd))}")
    if odd := [t for t in parameters.tenors if not 0 < t <= years[-1]]:
        raise ValueError(f"parameters.tenors: expected some above 0 and up to {years[-1]:g}, got {odd}")
    if len(set(parameters.tenors)) != len(parameters.tenors):
        raise ValueError("parameters.tenors: one is named twice")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
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
    quoted = quotes(given, parameters)
    curves, years = curves_of(quoted, parameters.quotes), np.array(sorted(parameters.tenors))
    rows = long(
        quoted,
        years,
        zero_rate=curves.zero(years),
        forward_rate=curves.forward(years),
        par_rate=np.column_stack([_par(curves, t) for t in years]),
    )
    return rows.drop_nulls(["zero_rate", "forward_rate"])


def curves_of(quoted: Quotes, kind: str) -> monotone_convex.Curves:
    """The curves of yields of bonds at par, or of zero rates compounded once a year."""
    if kind == "par":
        return monotone_convex.par_to_zero(quoted.years, quoted.rates, frequency=COUPONS, unsolved="null")
    enough = (np.isfinite(quoted.rates).sum(axis=1) >= LEAST)[:, None] & (quoted.rates > -100)
    grown = np.where(enough, 1 + quoted.rates / 100, np.nan)
    return monotone_convex.from_zero(quoted.years, 100 * np.log(grown))


def _par(curves: monotone_convex.Curves, years: float) -> Array:
    """Par yields of a tenor; NaN where it is no half-years."""
    coupons = years * COUPONS
    if coupons % 1:
        return np.full(curves.dates, np.nan)
    paid = curves.discount(np.arange(1, int(coupons) + 1) / COUPONS)
    return 100 * COUPONS * (1 - paid[:, -1]) / paid.sum(axis=1)
