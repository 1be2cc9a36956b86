"""Level, slope and curvature of a curve: the form of Nelson and Siegel, or Svensson's, fitted to each day."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.indicators.protocol import Given
from macro_assets.indicators.tenors import Tenors, check_tenors, quotes
from macro_assets.transforms.curves.nelson_siegel import fit

SHAPE = "curve_factors"

EXAMPLE = {
    "inputs": ["UST_PAR_6M", "UST_PAR_1Y", "UST_PAR_2Y", "UST_PAR_5Y", "UST_PAR_10Y"],
    "parameters": {
        "form": "nelson_siegel",
        "maturities": {
            "UST_PAR_6M": 0.5,
            "UST_PAR_1Y": 1.0,
            "UST_PAR_2Y": 2.0,
            "UST_PAR_5Y": 5.0,
            "UST_PAR_10Y": 10.0,
        },
    },
}

LEAST = {"nelson_siegel": 5, "svensson": 7}
"""Yields that a day must have: one more than the form has parameters."""


class Parameters(Tenors, strict=True):
    """The form, and the maturity of each yield."""

    form: Literal["nelson_siegel", "svensson"] = Field(description="One hump, or two")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse too few yields for the form, and what is none.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    check_tenors(parameters, facts)
    if facts.height < LEAST[parameters.form]:
        raise ValueError(f"inputs: {parameters.form} takes {LEAST[parameters.form]} yields, got {facts.height}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The curve of each day with enough yields.

    `tau` is looked for anew on each day, within bounds. On a flat curve every tau fits as well: `is_identified` is
    false there and where the search ends at a bound, tau is null, and nothing is carried over from the day before. The
    betas are those of the best fit even so: on a flat curve of 4 % they are 4, 0 and 0.

    Returns
    -------
    DataFrame
        `observation_date`, `level`, `slope`, `curvature`, `second_curvature`, `tau`, `second_tau`, `points`, `rmse_bp`,
        `is_identified`, by date.
    """
    quoted = quotes(given, parameters)
    two = parameters.form == "svensson"
    fits = fit(quoted.years, quoted.rates, svensson=two)
    nothing = np.full(len(quoted.dates), np.nan)
    taus = np.where(fits.identified[:, None], fits.tau, np.nan)
    rows = pl.DataFrame(
        {
            "observation_date": quoted.dates,
            "level": fits.beta[:, 0],
            "slope": fits.beta[:, 1],
            "curvature": fits.beta[:, 2],
            "second_curvature": fits.beta[:, 3] if two else nothing,
            "tau": taus[:, 0],
            "second_tau": taus[:, 1] if two else nothing,
            "points": np.isfinite(quoted.rates).sum(axis=1).astype(np.int64),
            "rmse_bp": fits.rmse_bp,
            "is_identified": fits.identified,
        }
    )
    return rows.with_columns(pl.col(pl.Float64).fill_nan(None)).filter(
        pl.all_horizontal(pl.col("level", "slope", "curvature", "rmse_bp").is_finite())
    )
