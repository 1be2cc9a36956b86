"""From a frequency to a lower one, by the catalog's rule of aggregation: mean, last, sum, or compound of percents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import polars as pl

MONTHS: Mapping[str, int] = {"M": 1, "Q": 3, "A": 12}
"""Of a period of the frequencies that have a calendar."""
EVERY: Mapping[str, str] = {"M": "1mo", "Q": "1q", "A": "1y"}
PER_MONTH: Mapping[str, int] = {"D": 21, "W": 4}
"""Observations of a full month at least, but for holidays."""


def aggregated() -> pl.Expr:
    """The values of a group as one, by its `aggregation`; for `group_by(...).agg(value=...)` in order of time."""
    rule, values = pl.col("aggregation").first(), pl.col("value")
    return (
        pl.when(rule == "mean")
        .then(values.mean())
        .when(rule == "last")
        .then(values.last())
        .when((rule == "compound") & (pl.len() > 1))  # one alone stands as it is, to the last digit
        .then(((1 + values / 100).product() - 1) * 100)
        .otherwise(values.sum())
    )


def converted(
    observations: pl.DataFrame, facts: pl.DataFrame, to: Literal["M", "Q", "A"], min_coverage: float = 0.8
) -> pl.DataFrame:
    """Series at a lower frequency.

    Parameters
    ----------
    observations
        `series_id`, `observation_date` (start of the period), `value`; one row per series and date, in any order.
    facts
        `series_id`, `frequency`, `aggregation`. Series without a row here are left out.
    to
        The frequency.
    min_coverage
        Share of its days or weeks that a period needs (21 days or 4 weeks a month are all). Of months it needs all, a
        year of quarters too: without them there is no figure, so an open period has none.

    Returns
    -------
    DataFrame
        `series_id`, `observation_date` (first day of the period), `value`, by series and date. A series that has the
        frequency stands as it is.

    Raises
    ------
    ValueError
        When a series has a lower frequency: nothing is spread over shorter periods.
    """
    lower = facts.filter(pl.col("frequency").replace_strict(MONTHS, default=0, return_dtype=pl.Int64) > MONTHS[to])
    if not lower.is_empty():
        told = ", ".join(f"{s} ({f})" for s, f in lower.select("series_id", "frequency").iter_rows())
        raise ValueError(f"expected series of frequency {to} or higher, got {told}")
    needed = {f: MONTHS[to] / n for f, n in MONTHS.items()}
    needed |= {f: min_coverage * n * MONTHS[to] for f, n in PER_MONTH.items()}
    return (
        observations.drop_nulls("value")
        .join(facts.select("series_id", "frequency", "aggregation"), on="series_id")
        .sort("series_id", "observation_date")
        .with_columns(
            observation_date=pl.col("observation_date").dt.truncate(EVERY[to]),
            _needed=pl.col("frequency").replace_strict(needed, default=1.0, return_dtype=pl.Float64),
        )
        .group_by("series_id", "observation_date", maintain_order=True)
        .agg(value=aggregated(), _enough=pl.len() >= pl.col("_needed").first() - 1e-9)
        .filter("_enough")
        .drop("_enough")
    )
