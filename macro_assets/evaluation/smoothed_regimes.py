"""Regimes of one monthly figure as they look from today: a Markov chain estimated on all months, and smoothed.

For history alone. Each month is judged by the months after it too, with estimates that nobody had then, so that it is
surer than anything that was known at the time; what was, is the indicator's own table.
"""

from __future__ import annotations

import polars as pl

from macro_assets.indicators.markov_regime import Parameters, check, figures
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.regimes.errors import RegimeError
from macro_assets.transforms.regimes.markov import fit, smoothed

__all__ = ["EXAMPLE", "SHAPE", "Parameters", "check", "compute"]

SHAPE = "smoothed_regimes"

EXAMPLE = {
    "inputs": ["INDPRO"],
    "parameters": {"steps": ["log", "chg"], "names": ["contraction", "expansion"], "min_obs": 120},
}

ROWS = {"observation_date": pl.Date, "regime": pl.String, "smoothed_probability": pl.Float64}


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The probabilities; none where fewer than `min_obs` months are known, or they tell no regimes apart.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `regime`, `smoothed_probability`, by month and regime.
    """
    known = figures(given, parameters)
    values = known["value"].to_numpy()
    try:
        estimates = fit(values[known["in_sample"].to_numpy()], parameters.model)
    except RegimeError:
        return pl.DataFrame(schema=ROWS)
    if known.height < parameters.min_obs:
        return pl.DataFrame(schema=ROWS)
    wide = pl.DataFrame(smoothed(values, estimates), list(parameters.names))
    long = wide.with_columns(known["observation_date"]).unpivot(
        index="observation_date", variable_name="regime", value_name="smoothed_probability"
    )
    return long.filter(pl.col("smoothed_probability").is_not_nan()).sort("observation_date", "regime")
