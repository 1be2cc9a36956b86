"""Whose rows count at an instant, where several holders have a series. Pure functions on rows in force; no storage.

One holder is chosen per series, never per number, so that two base years are never spliced: among those with a value in
force the first, in the entry's order, of those that are fresh and have a dated row; else the first that is fresh; else
the one whose latest observation is latest. A holder declared to have the very same figures as the home adds what it was
seen to have after the home's last date, if all that both have is equal. The law is explained in `docs/vintages.md`.
"""

from __future__ import annotations

from datetime import date

import polars as pl

ESTIMATED = "publication_lag"
"""Basis of rows whose release time the catalog's publication lag estimates."""

TOLERANCE = 1e-9
"""Of the greater of two figures: they are equal where they differ by no more."""

_HOLDER = ["series_id", "provider"]
_DAY = ["series_id", "observation_date"]


def serving(known: pl.DataFrame, holdings: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rows that count: per series those of one holder, with what others add that have the very same figures.

    Parameters
    ----------
    known
        Rows in force at an instant, one per series, provider and observation date, as
        :func:`macro_assets.lakehouse.vintages.in_force` gives them, of all holders of the series.
    holdings
        Who has the series, as :func:`macro_assets.catalog.derive.holdings_frame` gives them; nobody else's rows count.
    day
        The day of the instant, at which freshness is judged.

    Returns
    -------
    DataFrame
        Rows of `known`, sorted by series and observation date.
    """
    told = known.select(_HOLDER).unique()
    ranks = _ranks(told, holdings)
    several = ranks.filter(pl.len().over("series_id") > 1)
    if several.is_empty() and ranks.height == told.height:
        return known if is_sorted(known) else known.sort(_DAY)
    contested = known.join(several, on=_HOLDER)
    won = _chosen(contested, day)
    counting = pl.concat([ranks.filter(pl.len().over("series_id") == 1).select(_HOLDER), won.select(_HOLDER)])
    added = _added(contested, won.filter(pl.col("rank") == 0))
    rows = known.join(counting, on=_HOLDER, how="semi", maintain_order="left")
    if added.is_empty() and is_sorted(rows):
        return rows
    return pl.concat([rows, added.select(known.columns)]).sort(_DAY)


def chosen(known: pl.DataFrame, holdings: pl.DataFrame, day: date) -> pl.DataFrame:
    """The holder that counts of each series: `series_id`, `provider`. Parameters as in :func:`serving`."""
    ranks = _ranks(known.select(_HOLDER).unique(), holdings)
    return _chosen(known.join(ranks, on=_HOLDER), day).select(_HOLDER)


def _ranks(told: pl.DataFrame, holdings: pl.DataFrame) -> pl.DataFrame:
    """Those that are holders, with their rank, the series' limit of staleness, and whether figures are the same."""
    facts = holdings.select(*_HOLDER, "rank", "staleness_days", "same").cast(told.schema)
    return told.join(facts, on=_HOLDER)


def is_sorted(rows: pl.DataFrame, *, strictly: bool = False) -> bool:
    """Whether rows are ordered by series and date; strictly, and there is one for each."""
    series = rows["series_id"].rle().struct.field("value").cast(pl.String)
    another, day = pl.col("series_id") != pl.col("series_id").shift(), pl.col("observation_date")
    later = day > day.shift() if strictly else day >= day.shift()
    return series.is_sorted() and bool(rows.select((another | later).all()).item())


def _chosen(contested: pl.DataFrame, day: date) -> pl.DataFrame:
    """The holder that counts of each series: its row of `_ranks`, and the latest date of which it says anything."""
    valued = pl.col("observation_date").filter(pl.col("value").is_not_null())
    offers = contested.group_by(*_HOLDER, "rank", "staleness_days", "same").agg(
        latest=valued.max(),
        last=pl.col("observation_date").max(),
        dated=(pl.col("release_basis") != ESTIMATED).any(),
    )
    age = (pl.lit(day) - pl.col("latest")).dt.total_days()
    fresh = (age <= pl.col("staleness_days")).fill_null(False)
    preference = (
        pl.when(fresh & pl.col("dated")).then(0)
        .when(fresh).then(1)
        .when(pl.col("latest").is_not_null()).then(2)
        .otherwise(3)
    )  # fmt: skip
    older = pl.when(preference == 2).then(age).otherwise(0)
    return (
        offers.with_columns(preference=preference, older=older)
        .sort("series_id", "preference", "older", "rank")
        .unique("series_id", keep="first", maintain_order=True)
        .drop("preference", "older")
    )


def _added(contested: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """Rows that holders of the very same figures add after the last date of homes that count."""
    same = contested.filter("same").join(homes.select("series_id", "last"), on="series_id")
    if same.is_empty():
        return same
    of_home = contested.join(homes, on=_HOLDER, how="semi").select(*_DAY, at_home="value")
    both = same.join(of_home, on=_DAY)
    equal = both.group_by(_HOLDER).agg(equal=figures_equal(pl.col("value"), pl.col("at_home")).all())
    further = (pl.col("observation_date") > pl.col("last")) & (pl.col("release_basis") != ESTIMATED)
    added = same.filter(further).join(equal.filter("equal"), on=_HOLDER, how="semi")
    return added.filter(pl.col("rank") == pl.col("rank").min().over("series_id"))


def begins_later(known: pl.DataFrame, won: pl.DataFrame) -> pl.DataFrame:
    """Series of which another holder has an earlier beginning than the one that counts.

    Parameters
    ----------
    known
        As in :func:`serving`.
    won
        As :func:`chosen` gives it.

    Returns
    -------
    DataFrame
        `series_id`, `provider`, `first` (its first date with a value), `other`, `other_first` (the earliest holder's).
    """
    firsts = known.drop_nulls("value").group_by(_HOLDER).agg(first=pl.col("observation_date").min())
    earliest = firsts.sort("first", "provider").unique("series_id", keep="first")
    others = earliest.select("series_id", other="provider", other_first="first")
    counting = firsts.join(won, on=_HOLDER, how="semi").join(others, on="series_id")
    return counting.filter(pl.col("other_first") < pl.col("first")).sort("series_id")


def figures_equal(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether two figures are the same, but for the last digits of a computer's number; missing is as missing."""
    near = (one - other).abs() <= TOLERANCE * pl.max_horizontal(one.abs(), other.abs())
    return near.fill_null(one.is_null() & other.is_null())
