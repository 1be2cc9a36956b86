"""The law of vintages: what was known, and when. Pure functions on rows of the raw layer; no storage.

Which rows are in force at an instant; which ones a batch adds to what is stored is in `appending.py`, whose rows count
in `holders.py`. The laws are explained in `docs/vintages.md` and `docs/decisions/001-vintage-law.md`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from macro_assets.lakehouse.holders import ESTIMATED, is_sorted, serving

VINTAGE_BASES = ("provider", "snapshot")
"""Bases of rows from a vintage the provider dated; better than an estimated `publication_lag`."""

REBASED = "rebased"
"""Basis of figures that were fetched as a whole in another base year or unit than those before them."""

BASES = (*VINTAGE_BASES, ESTIMATED, "ingested", REBASED)
"""How a release time is known; `ingested` and `rebased` are when it was fetched."""

OBSERVATION = ["series_id", "provider", "observation_date"]
STATEMENT = [*OBSERVATION, "release_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(as_of: date | datetime | str) -> datetime:
    """A UTC instant from a date, a datetime or ISO text; a bare date means its last microsecond in UTC.

    Raises
    ------
    ValueError
        When the text is neither, a datetime has no time zone, or it is outside of the years 1 to 9999 in UTC.
    """
    if isinstance(as_of, str):
        try:
            told = f"{as_of[:-4]}Z" if as_of.endswith(" UTC") else as_of  # as instants are shown
            as_of = date.fromisoformat(told) if len(told) == 10 else datetime.fromisoformat(told)
        except ValueError:
            raise ValueError(
                f"{as_of!r} is not a date; expected 'YYYY-MM-DD', or an instant like '2016-07-29T12:30:00Z'"
            ) from None
    if not isinstance(as_of, datetime):
        return datetime.combine(as_of, time.max, tzinfo=UTC)
    if as_of.tzinfo is None:
        raise ValueError(f"{as_of.isoformat()} has no time zone; append 'Z' for UTC")
    try:
        return as_of.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{as_of.isoformat()} is in UTC no instant of the years 1 to 9999") from None


def microseconds(as_of: date | datetime | str | None) -> int:
    """An instant in microseconds since 1970, as release times are stored; None, everything known, is after them all.

    Raises
    ------
    ValueError
        As :func:`instant` does.
    """
    return 2**63 - 1 if as_of is None else (instant(as_of) - _EPOCH) // timedelta(microseconds=1)


def as_of(
    raw: pl.DataFrame | pl.LazyFrame,
    moment: date | datetime | str | None,
    holdings: pl.DataFrame,
    decisions: pl.DataFrame | None = None,
    now: datetime | None = None,
) -> pl.DataFrame:
    """What was known at an instant: one row per series and observation date, all from the holder that counts then.

    Parameters
    ----------
    raw
        Rows of raw tables in any order: all that any of them has of the series.
    moment
        The instant D; None for everything known.
    holdings
        Who has the series, as :func:`macro_assets.catalog.derive.holdings_frame` gives them.
    decisions
        Rows of the table of invalidations.
    now
        Instant at which the freshness of everything known is judged; by default this one.

    Returns
    -------
    DataFrame
        The winning raw rows, sorted by series and observation date.
    """
    return serving(in_force(raw, moment, decisions), holdings, day_of(moment, now))


def day_of(moment: date | datetime | str | None, now: datetime | None = None) -> date:
    """The day at which the freshness of what is known at an instant is judged."""
    return (instant(moment) if moment is not None else now or datetime.now(UTC)).date()


def in_force(
    raw: pl.DataFrame | pl.LazyFrame, moment: date | datetime | str | None, decisions: pl.DataFrame | None = None
) -> pl.DataFrame:
    """What each holder had said by an instant: one row per series, provider and observation date.

    It is the row with the greatest `release_time <= D`. Rows that were marked invalid by then do not count, and rows
    whose release time is estimated (`publication_lag`) are ignored where the provider also gave vintages of the series.

    Parameters
    ----------
    raw
        Rows of a raw table, in any order; fastest in the table's key order. All columns come back.
    moment, decisions
        As in :func:`as_of`.

    Returns
    -------
    DataFrame
        Raw rows, sorted by series and observation date.
    """
    rows = raw.lazy()
    until = rows if moment is None else rows.filter(pl.col("release_time") <= instant(moment))
    until = without_invalid(until, decisions, moment)
    known = without_estimates(until.filter(~_superseded_by_next()).collect(), rows)
    if is_sorted(known, strictly=True):
        return known
    ordered = known if is_sorted(known) else known.sort("series_id", "observation_date")
    beside = [
        pl.all_horizontal(pl.col(c) == pl.col(c).shift(n) for c in ("series_id", "observation_date")) for n in (1, -1)
    ]
    numbered = ordered.with_row_index("row")
    several = numbered.filter(pl.any_horizontal(beside).fill_null(False))
    latest = several.sort("release_time").group_by(OBSERVATION, maintain_order=True).last()
    outdone = several.join(latest, on="row", how="anti")
    if outdone.is_empty():
        return ordered
    return numbered.join(outdone, on="row", how="anti", maintain_order="left").drop("row")


def _superseded_by_next() -> pl.Expr:
    """Whether the next row is about the same observation, of the same kind and not older: this one cannot win.

    True of no winner in whatever order the rows come; in key order it leaves hardly any other row, at a fifth of the
    cost of grouping them all.
    """
    same = [pl.col(c) == pl.col(c).shift(-1) for c in OBSERVATION]
    estimated = pl.col("release_basis") == ESTIMATED
    not_older = pl.col("release_time").shift(-1) >= pl.col("release_time")
    return pl.all_horizontal(*same, estimated == estimated.shift(-1), not_older).fill_null(False)


def without_estimates(known: pl.DataFrame, rows: pl.LazyFrame) -> pl.DataFrame:
    """Drop estimated rows of a series and provider that also has dated vintages, known by then or not."""
    estimated = pl.col("release_basis") == ESTIMATED
    if not (known["release_basis"] == ESTIMATED).any():
        return known
    concerned = known.filter(estimated)["series_id"].unique().to_list()
    dated = (
        rows.filter(pl.col("series_id").is_in(concerned), pl.col("release_basis").is_in(VINTAGE_BASES))
        .select("series_id", "provider")
        .unique()
        .with_columns(dated=pl.lit(True))
        .collect()
    )
    if dated.is_empty():
        return known
    joined = known.join(dated, on=["series_id", "provider"], how="left", maintain_order="left")
    return joined.filter(~(estimated & pl.col("dated").fill_null(False))).drop("dated")


def invalid_rows(decisions: pl.DataFrame, moment: date | datetime | str | None) -> pl.DataFrame:
    """Raw rows marked as invalid at an instant, by their key (series, provider, date, release time).

    The latest decision about a row that was taken by the instant holds.
    """
    taken = decisions if moment is None else decisions.filter(pl.col("decided_at") <= instant(moment))
    latest = taken.sort("decided_at").group_by(STATEMENT, maintain_order=True).last()
    return latest.filter(pl.col("action") == "invalidate").select(STATEMENT)


def without_invalid(
    rows: pl.LazyFrame, decisions: pl.DataFrame | None, moment: date | datetime | str | None
) -> pl.LazyFrame:
    """Rows less those of releases that stand marked as invalid at an instant.

    A release is a value with its repetitions: where a later vintage only repeats an invalid value, the row that tells
    of it does not count either.
    """
    if decisions is None or decisions.is_empty():
        return rows
    marked = invalid_rows(decisions, moment)
    if marked.is_empty():
        return rows
    release = [*OBSERVATION, "dated", "run"]
    told = (
        rows.filter(pl.col("series_id").is_in(marked["series_id"].unique().to_list()))
        .select(*STATEMENT, "value", dated=pl.col("release_basis").is_in(VINTAGE_BASES))
        .collect()
        .join(marked, on=OBSERVATION, how="semi")
        .sort("release_time")
        .with_columns(run=pl.col("value").ne_missing(pl.col("value").shift(1)).cum_sum().over(*OBSERVATION, "dated"))
    )
    releases = told.join(marked, on=STATEMENT, how="semi").select(release)
    invalid = told.join(releases, on=release, how="semi").select(STATEMENT)
    return rows.join(invalid.lazy(), on=STATEMENT, how="anti", maintain_order="left")
