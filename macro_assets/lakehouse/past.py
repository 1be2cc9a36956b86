"""Whether the past stands still: what was known of a series at past instants is what it was. Pure, of raw rows.

Rows that came since may add to what is known from when it was known on, and change nothing before. Late vintages, and
figures that came later than was estimated, do change what an instant between is told; they are named, and are no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from macro_assets.catalog.kinds.source import Vintages
from macro_assets.catalog.wording import written
from macro_assets.lakehouse.appending import unspoken
from macro_assets.lakehouse.holders import ESTIMATED
from macro_assets.lakehouse.vintages import OBSERVATION, STATEMENT, VINTAGE_BASES

How = Literal["lost", "backdated", "overruled", "late", "sooner"]

HOLDER = ["series_id", "provider"]

_WORDS: Mapping[How, str] = {
    "lost": "stored rows are not there any more, or say something else",
    "backdated": "rows that were seen now say that they were known before the last look",
    "overruled": "a late vintage overrules a later one that had stated the date",
    "late": "vintages came late, between stored ones",
    "sooner": "figures came later than the publication lag of the catalog says: they were not there at the last look",
}


@dataclass(frozen=True)
class Moved:
    """What of a series was known otherwise at past instants than it is told now.

    Attributes
    ----------
    how
        Why. 'lost', 'backdated' and 'overruled' cannot be by the laws of the raw layer; 'late' and 'sooner' can.
    rows
        Statements about an observation that it concerns.
    since
        The first instant at which the answer is another.
    example
        One of the statements.
    """

    series_id: str
    provider: str
    how: How
    rows: int
    since: datetime
    example: str

    @property
    def is_error(self) -> bool:
        return self.how in ("lost", "backdated", "overruled")

    def __str__(self) -> str:
        return (
            f"series {self.series_id} of {self.provider}: {_WORDS[self.how]}; {self.rows} answers as of "
            f"{written(self.since)} and after are others than they were, as {self.example}"
        )


def moved(
    before: pl.DataFrame, after: pl.DataFrame, ways: Mapping[str, Vintages], silences: pl.DataFrame | None = None
) -> list[Moved]:
    """What was known of series at past instants and is told otherwise now, by series and holder.

    What is past is judged by holder: of its dated vintages, instants between the first and the last stored one; of
    its other figures, those before it was last seen to say anything. A first load has no past.

    Parameters
    ----------
    before, after
        Rows of a raw table, earlier and now.
    ways
        How holders tell vintages: `Source.vintages` by name.
    silences
        What whole vintages do not say, as :func:`macro_assets.lakehouse.raw.read_silences` gives it.
    """
    if before.is_empty():
        return []
    gone = before.join(after, on=[*STATEMENT, "value", "release_basis"], how="anti", nulls_equal=True)
    new = after.join(before, on=STATEMENT, how="anti").join(before.select(HOLDER).unique(), on=HOLDER, how="semi")
    dated = pl.col("release_basis").is_in(VINTAGE_BASES)
    estimated = pl.col("release_basis") == ESTIMATED
    seen = before.group_by(HOLDER).agg(
        looked=pl.col("ingested_at").max(),
        first_vintage=pl.col("release_time").filter(dated).min(),
        vintage=pl.col("release_time").filter(dated).max(),
        first_date=pl.col("observation_date").min(),
    )
    new = _told_before(new, before).join(seen, on=HOLDER)
    released, looked = pl.col("release_time"), pl.col("looked")
    is_other = pl.col("value").ne_missing(pl.col("told_before"))
    late = new.filter(dated, released.is_between("first_vintage", "vintage", closed="none"), is_other)
    unseen = ~pl.col("is_known") & (pl.col("observation_date") >= pl.col("first_date"))
    sooner = new.filter(estimated, released < looked, pl.col("vintage").is_null(), unseen)
    backdated = new.filter(~dated, ~estimated, released < looked)
    kinds: dict[How, pl.DataFrame] = {
        "lost": gone,
        "backdated": backdated,
        "overruled": _overruled(late, before, after, ways, silences),
        "late": late,
        "sooner": sooner,
    }
    return [m for how, rows in kinds.items() for m in _by_series(how, rows)]


def _told_before(new: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """New rows with what was told of their observation as of their release, and whether anything ever was."""
    rows = before.select(*STATEMENT, told_before="value").sort("release_time")
    found = new.sort("release_time").join_asof(
        rows, on="release_time", by=OBSERVATION, strategy="backward", check_sortedness=False
    )
    known = before.select(OBSERVATION).unique().with_columns(is_known=pl.lit(True))
    return found.join(known, on=OBSERVATION, how="left").with_columns(pl.col("is_known").fill_null(False))


def _overruled(
    late: pl.DataFrame,
    before: pl.DataFrame,
    after: pl.DataFrame,
    ways: Mapping[str, Vintages],
    silences: pl.DataFrame | None,
) -> pl.DataFrame:
    """Late statements that are in force at a later vintage which was stored, stated the date, and said otherwise."""
    whole = [name for name, way in ways.items() if way == "whole"]
    late = late.filter(pl.col("provider").is_in(whole), pl.col("told_before").is_not_null())
    if late.is_empty():
        return late
    dated = pl.col("release_basis").is_in(VINTAGE_BASES)
    following = (
        after.filter(dated)
        .sort(STATEMENT)
        .select(*STATEMENT, following=pl.col("release_time").shift(-1).over(OBSERVATION))
    )
    vintages = before.filter(dated).select(*HOLDER, vintage="release_time").unique()
    spans = late.join(following, on=STATEMENT).join(vintages.rename({"vintage": "stated"}), on=HOLDER)
    spans = spans.filter(
        pl.col("stated") > pl.col("release_time"),
        pl.col("following").is_null() | (pl.col("stated") < pl.col("following")),
    )
    stated = spans.select(*OBSERVATION, release_time="stated").unique()
    silent = unspoken(stated, silences).rename({"release_time": "stated"})
    spans = spans.join(silent, on=[*OBSERVATION, "stated"], how="anti")
    return late.join(spans, on=STATEMENT, how="semi")


def _by_series(how: How, rows: pl.DataFrame) -> list[Moved]:
    found = (
        rows.sort(STATEMENT)
        .group_by(HOLDER, maintain_order=True)
        .agg(
            pl.len().alias("rows"),
            pl.col("release_time").min().alias("since"),
            pl.col("observation_date").first(),
            pl.col("value").first(),
        )
    )
    return [
        Moved(series_id, provider, how, count, since, f"{day}: {value}")
        for series_id, provider, count, since, day, value in found.iter_rows()
    ]
