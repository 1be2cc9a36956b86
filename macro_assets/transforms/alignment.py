"""Series of any frequency on one calendar: at each instant the last figure that was known, whatever period it is of."""

from __future__ import annotations

import polars as pl


def aligned(calendar: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """The newest figure of each series at each instant.

    Parameters
    ----------
    calendar
        `as_of`: instants, each once, none missing.
    figures
        `series_id`, `observation_date`, `release_time` (of the type of `as_of`, not null), `value`; any frequencies,
        any order of rows. Of what is known at an instant the latest period counts, and of one period its latest
        release; a null value counts like another.

    Returns
    -------
    DataFrame
        `as_of`, `series_id`, `observation_date`, `value`, by series and instant. Before the first release of a series
        there is no row of it.
    """
    order = ["series_id", "release_time", "observation_date"]
    period, newest = pl.col("observation_date"), pl.col("observation_date").cum_max().over("series_id")
    known = (
        figures.select(*order, "value")
        .sort(order)
        .filter(period >= newest)  # a revision of an earlier period comes later and is not the newest figure
    )
    instants = (
        known.select("series_id").unique(maintain_order=True).join(calendar.select("as_of").sort("as_of"), how="cross")
    )
    return (
        instants.join_asof(known, left_on="as_of", right_on="release_time", by="series_id", check_sortedness=False)
        .filter(period.is_not_null())
        .select("as_of", "series_id", "observation_date", "value")
    )
