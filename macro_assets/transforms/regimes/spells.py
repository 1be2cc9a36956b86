"""What is counted of regimes: which is in force, since when, how often they changed, how often one stayed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

REGIMES = {
    "observation_date": pl.Date,
    "regime": pl.String,
    "regime_probability": pl.Float64,
    "is_in_force": pl.Boolean,
    "staying_probability": pl.Float64,
    "estimated_through": pl.Date,
}
"""Columns of a table of regimes with probabilities, by date and regime."""


def in_force(rows: pl.DataFrame) -> pl.DataFrame:
    """The regime of each date of a table of regimes: `observation_date`, `regime`, `regime_probability`, by date.

    A table that has a row for each regime of a date says by `is_in_force` which it is; a rule has no probability.
    """
    own = rows.filter("is_in_force") if "is_in_force" in rows.columns else rows
    known = pl.col("regime_probability") if "regime_probability" in rows.columns else pl.lit(None)
    return own.select("observation_date", "regime", regime_probability=known.cast(pl.Float64)).sort("observation_date")


def counted(regimes: pl.DataFrame) -> pl.DataFrame:
    """Regimes in force, with what is counted of them up to each date, and nothing later.

    Parameters
    ----------
    regimes
        `observation_date`, `regime`, one row a date, by date.

    Returns
    -------
    DataFrame
        The rows with `previous_regime` (that of the row before), `staying_probability` (of the earlier rows with this
        regime, the share that was followed by one with it; null where there is none), `spell_periods` (rows since the
        regime began, its first included) and `switches` (changes of regime so far).
    """
    before = pl.col("regime").shift(1)
    told = regimes.with_columns(previous_regime=before, _changed=(pl.col("regime") != before).fill_null(False))
    told = told.with_columns(switches=pl.col("_changed").cast(pl.Int64).cum_sum())
    left = {r: pl.col("previous_regime").eq(r).fill_null(False) for r in regimes["regime"].unique().sort()}
    share = {r: (is_it & ~pl.col("_changed")).cum_sum() / is_it.cum_sum() for r, is_it in left.items()}
    own = pl.coalesce(pl.lit(None, dtype=pl.Float64), *(pl.when(regime=r).then(s) for r, s in share.items()))
    return told.with_columns(
        staying_probability=own.fill_nan(None),
        spell_periods=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("switches"),
    ).drop("_changed")


def with_probabilities(
    dates: pl.Series, names: Sequence[str], probabilities: np.ndarray, staying: Sequence[float | None], through: object
) -> pl.DataFrame:
    """A table of regimes by what one set of estimates says of them.

    Parameters
    ----------
    dates
        n dates, in order.
    names
        k regimes.
    probabilities
        n x k; rows of NaN are left out.
    staying
        Of each regime, the probability of staying in it; None where nothing is estimated of it.
    through
        Last date of the figures that the estimates are of.

    Returns
    -------
    DataFrame
        :data:`REGIMES`, by date and regime. In force is the regime with the highest probability, of equal ones the
        first.
    """
    known = np.isfinite(probabilities).all(axis=1)
    days, told = dates.filter(pl.Series(known, dtype=pl.Boolean)), probabilities[known]
    count = len(names)
    rows = pl.DataFrame(
        {
            "observation_date": days[np.repeat(np.arange(days.len()), count)],
            "regime": list(names) * days.len(),
            "regime_probability": told.ravel(),
            "is_in_force": (np.arange(count) == told.argmax(axis=1)[:, None]).ravel() if days.len() else [],
            "staying_probability": list(staying) * days.len(),
        },
        schema={n: t for n, t in REGIMES.items() if n != "estimated_through"},
    )
    return rows.with_columns(estimated_through=pl.lit(through, dtype=pl.Date)).sort("observation_date", "regime")
