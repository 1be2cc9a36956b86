"""What whole vintages did not say. Pure functions on rows of the raw layer; no storage.

A vintage says nothing of a date that it does not mention: a late one that did mention it holds there too. Since a
value that a vintage repeats is not stored either, its silences about known dates are, as ranges of dates. Only what
appends reads them; they answer no question. See `docs/decisions/015-silence.md`.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from macro_assets.lakehouse.appending import NEVER, VINTAGE, unspoken
from macro_assets.lakehouse.vintages import OBSERVATION, STATEMENT, VINTAGE_BASES

_SERIES = ["series_id", "provider"]
_SCHEMA = pl.Schema(
    {
        "series_id": pl.String(),
        "provider": pl.String(),
        "release_time": pl.Datetime("us", "UTC"),
        "first_date": pl.Date(),
        "last_date": pl.Date(),
    }
)

NO_SILENCES = pl.DataFrame(schema=_SCHEMA)
"""Of what every date is mentioned."""


def silences_of(raw: pl.DataFrame, batch: pl.DataFrame, known: pl.DataFrame | None) -> pl.DataFrame:
    """The silences that a batch of whole vintages brings, of its own vintages and of stored ones.

    A vintage is silent about a date that it or one before it made known and that it does not state. A stored one comes
    to be silent about a date that an older vintage makes known late: had it stated it, there would be a row. What a
    vintage states in a later batch is no silence, see :func:`~macro_assets.lakehouse.appending.rows_to_append`.

    Parameters
    ----------
    raw
        Stored rows, at least those that `appending.concerned` names with every date.
    batch
        Rows with the same columns. Of both, those of dated vintages count.
    known
        The silences on record; None where none were ever kept of what is stored, so that a vintage which is stored
        and comes again counts as new.

    Returns
    -------
    DataFrame
        `series_id`, `provider`, `release_time`, `first_date`, `last_date`: the vintage states no date in that range.
        A range ends at the nearest known date that the vintage states, or goes on for ever.
    """
    dated = pl.col("release_basis").is_in(VINTAGE_BASES)
    stated, stored = (f.filter(dated).select(STATEMENT).unique() for f in (batch, raw))
    told, there = (f.select(VINTAGE).unique() for f in (stated, stored))
    new = told if known is None else told.join(there, on=VINTAGE, how="anti")
    dates = _dates(stored, stated)
    silent = pl.concat([_lacking(new, stated, dates), _overtaken(there.join(new, on=VINTAGE, how="anti"), dates)])
    known = NO_SILENCES if known is None else known
    found = [NO_SILENCES]
    # one series at a time: of each, every pair of a vintage and a date is made
    parts = [f.partition_by(_SERIES, as_dict=True) for f in (dates, stated.join(silent, on=VINTAGE, how="semi"))]
    for series, vintages in silent.partition_by(_SERIES, as_dict=True).items():
        found.append(_ranges(vintages, parts[0][series], parts[1].get(series, stated.clear()), known))
    return pl.concat(found)


def _dates(stored: pl.DataFrame, stated: pl.DataFrame) -> pl.DataFrame:
    """Every date with when it is `begun`, its first release by both, and when by what is `stored` alone."""
    released = pl.concat([stored.with_columns(stored="release_time"), stated], how="diagonal")
    return released.group_by(OBSERVATION).agg(begun=pl.col("release_time").min(), stored=pl.col("stored").min())


def _lacking(vintages: pl.DataFrame, stated: pl.DataFrame, dates: pl.DataFrame) -> pl.DataFrame:
    """New vintages that state fewer dates than are known with them."""
    counted = dates.sort("begun").with_columns(known=pl.int_range(1, pl.len() + 1).over(_SERIES))
    return (
        vintages.join(stated.group_by(VINTAGE).len("stated"), on=VINTAGE)
        .sort("release_time")
        .join_asof(
            counted, left_on="release_time", right_on="begun", by=_SERIES, strategy="backward", check_sortedness=False
        )
        .filter(pl.col("known") > pl.col("stated"))
        .select(*VINTAGE, is_new=True)
    )


def _overtaken(vintages: pl.DataFrame, dates: pl.DataFrame) -> pl.DataFrame:
    """Stored vintages before the first stored row of a date that the batch makes known earlier."""
    first, stored = pl.col("begun"), pl.col("stored")
    earlier = dates.filter(stored.is_null() | (first < stored)).sort("begun")
    behind = earlier.join_asof(
        vintages.sort("release_time"),
        left_on="begun",
        right_on="release_time",
        by=_SERIES,
        strategy="forward",
        check_sortedness=False,
    )
    overtaken = pl.col("release_time") < stored.fill_null(NEVER)
    concerned = behind.filter(overtaken).drop("release_time")  # nearly none: what is left makes pairs with all vintages
    found = vintages.join(concerned, on=_SERIES).filter(pl.col("release_time") >= first, overtaken)
    return found.select(*VINTAGE, is_new=False).unique()


def _ranges(vintages: pl.DataFrame, dates: pl.DataFrame, stated: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The ranges between the dates that some vintages of a series state."""
    pairs = vintages.join(dates, on=_SERIES).filter(pl.col("begun") <= pl.col("release_time"))
    settled = pl.concat([stated, unspoken(pairs, known)]).unique().with_columns(settled=True)
    unsaid = pl.col("is_new") | pl.col("stored").is_null() | (pl.col("release_time") < pl.col("stored"))
    day, one = pl.col("observation_date"), pl.duration(days=1)
    return (
        pairs.join(settled, on=STATEMENT, how="left")
        .sort(*VINTAGE, "observation_date")
        .with_columns(silent=unsaid & pl.col("settled").is_null())
        .with_columns(
            run=(pl.col("silent") != pl.col("silent").shift(1)).cum_sum().over(VINTAGE).fill_null(0),
            before=day.shift(1).over(VINTAGE),
            after=day.shift(-1).over(VINTAGE),
        )
        .filter("silent")
        .group_by(*VINTAGE, "run", maintain_order=True)
        .agg(
            first_date=(pl.col("before").first() + one).fill_null(date.min),
            last_date=(pl.col("after").last() - one).fill_null(date.max),
        )
        .select(_SCHEMA.names())
    )
