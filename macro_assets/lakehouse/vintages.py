"""The law of vintages: what was known, and when. Pure functions on rows of the raw layer; no storage.

Which rows a batch adds to what is stored, and which rows are in force at an instant; whose rows count is in
`holders.py`. The laws are explained in `docs/vintages.md` and `docs/decisions/001-vintage-law.md`; `raw.py` applies
them to the stored tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from macro_assets.catalog import Vintages
from macro_assets.lakehouse.holders import ESTIMATED, is_sorted, serving

VINTAGE_BASES = ("provider", "snapshot")
"""Bases of rows from a vintage the provider dated; better than an estimated `publication_lag`."""

BASES = (*VINTAGE_BASES, ESTIMATED, "ingested")
"""How a release time is known; `ingested` is when it was fetched."""

OBSERVATION = ["series_id", "provider", "observation_date"]
STATEMENT = [*OBSERVATION, "release_time"]
_VINTAGE = ["series_id", "provider", "release_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class AppendReport:
    """What became of a batch of observations, in rows.

    `seen` = `new` + `revised` + `unchanged` + `duplicate` + `rejected`; `missing` of the appended rows say "no value",
    `restated` rows repeat an old answer behind a vintage that arrived late. `rejections` say why rows were rejected,
    by series. `version` is the Delta version of the table afterwards, None where nothing was stored yet.
    """

    seen: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    duplicate: int = 0
    missing: int = 0
    restated: int = 0
    rejected: int = 0
    rejections: Mapping[str, str] = field(default_factory=dict)
    version: int | None = None

    def __add__(self, other: AppendReport) -> AppendReport:
        """Both batches as one; the version is the other's."""
        counts = ("seen", "new", "revised", "unchanged", "duplicate", "missing", "restated", "rejected")
        summed = {c: getattr(self, c) + getattr(other, c) for c in counts}
        return AppendReport(**summed, rejections={**self.rejections, **other.rejections}, version=other.version)

    @property
    def appended(self) -> int:
        """Rows added to the raw table."""
        return self.new + self.revised + self.restated


class VintageConflictError(ValueError):
    """Two different values are claimed for one observation of `series_id` at one instant."""

    def __init__(self, series_id: str, message: str) -> None:
        super().__init__(message)
        self.series_id = series_id


def instant(as_of: date | datetime | str) -> datetime:
    """A UTC instant from a date, a datetime or ISO text; a bare date means its last microsecond in UTC.

    Raises
    ------
    ValueError
        When the text is neither, or a datetime has no time zone.
    """
    if isinstance(as_of, str):
        try:
            as_of = date.fromisoformat(as_of) if len(as_of) == 10 else datetime.fromisoformat(as_of)
        except ValueError:
            raise ValueError(
                f"{as_of!r} is not a date; expected 'YYYY-MM-DD', or an instant like '2016-07-29T12:30:00Z'"
            ) from None
    if not isinstance(as_of, datetime):
        return datetime.combine(as_of, time.max, tzinfo=UTC)
    if as_of.tzinfo is None:
        raise ValueError(f"{as_of.isoformat()} has no time zone; append 'Z' for UTC")
    return as_of.astimezone(UTC)


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


def rows_to_append(
    raw: pl.DataFrame, batch: pl.DataFrame, decisions: pl.DataFrame | None = None, vintages: Vintages = "whole"
) -> tuple[pl.DataFrame, AppendReport]:
    """The rows a batch adds to the raw layer so that every as-of answer is right, in any order of loading.

    A value is added only if it differs from the one in force just before its release time. Where a later vintage is
    already stored, the answer of that vintage is stored again behind the late one. A vintage that changes nothing
    leaves one row, its latest observation, so that it is known to have been. Marking a value invalid does not make
    its repetition news; but another value for the very release that was marked is its correction, known from when it
    was fetched.

    Parameters
    ----------
    raw
        Stored rows; at least those :func:`concerned` names.
    batch
        Rows with the same columns, of one provider.
    decisions
        Rows of the table of invalidations.
    vintages
        What rows based on `provider` or `snapshot` are. 'whole': whole vintages of their series, so that what one does
        not mention stayed as it was. 'changes': statements of a provider that tells every change of a value; a late one
        contradicts nothing that is stored. 'none': the provider overwrites; the release time of an observation is that
        of its first value, and another value became known when it was fetched.

    Raises
    ------
    VintageConflictError
        When one observation has two values at one release time, within the batch or against the store; of a provider
        that overwrites, two values within the batch.
    """
    seen = batch.height
    batch, rejections = _possible(batch) if vintages != "none" else (batch, {})
    rejected = seen - batch.height
    duplicate = batch.height
    one_value = OBSERVATION if vintages == "none" else STATEMENT
    batch = batch.unique([*one_value, "value"], keep="first", maintain_order=True)
    duplicate -= batch.height
    _refuse_conflicts(batch, one_value)
    raw = raw.filter(pl.col("series_id").is_in(batch["series_id"].unique().to_list()))
    dated = pl.col("release_basis").is_in(VINTAGE_BASES) if vintages != "none" else pl.lit(False)
    stated = batch.filter(dated)
    corrections, settled = _corrections(raw, stated, decisions)
    stated = stated.join(settled, on=STATEMENT, how="anti", maintain_order="left")
    from_vintages, report = _new_in_vintages(raw.filter(dated), stated, STATEMENT, vintages)
    from_fetches = _new_in_fetches(raw.filter(~dated), batch.filter(~dated))
    first_seen = from_fetches.join(raw, on=OBSERVATION, how="anti").height
    new = report.new + first_seen
    revised = report.revised + from_fetches.height - first_seen + corrections.height
    added = pl.concat([from_vintages, from_fetches, corrections])
    return added, AppendReport(
        seen=seen,
        new=new,
        revised=revised,
        unchanged=seen - rejected - duplicate - new - revised,
        duplicate=duplicate,
        missing=added["value"].null_count(),
        restated=report.restated,
        rejected=rejected,
        rejections=rejections,
    )


def concerned(rows: pl.LazyFrame, batch: pl.DataFrame) -> pl.LazyFrame:
    """The stored rows that decide what a batch adds, fastest to find in the table's key order.

    Of its series, those of its dates or not before its earliest release; of the rows before that release, the latest
    about each observation.
    """
    if batch.is_empty():
        return rows.clear()
    day, released = pl.col("observation_date"), pl.col("release_time")
    first, last = batch["observation_date"].min(), batch["observation_date"].max()
    earliest = pl.lit(batch["release_time"].min())
    dated = pl.col("release_basis").is_in(VINTAGE_BASES)
    same = [pl.col(c) == pl.col(c).shift(-1) for c in OBSERVATION]
    # true of no row that is the latest before the earliest release, in whatever order the rows come
    outdone = (dated == dated.shift(-1)) & (released.shift(-1) >= released) & (released.shift(-1) < earliest)
    of_its_series = pl.col("series_id").is_in(batch["series_id"].unique().to_list())
    of_its_dates = (day >= first) & (day <= last)
    found = rows.filter(of_its_series, of_its_dates | (released >= earliest))
    return found.filter(~pl.all_horizontal(*same, outdone).fill_null(False))


def _possible(batch: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """The rows without those released after they were taken in, and why those were rejected, by series.

    A release known by its date alone counts until that day has ended everywhere, hence the day and a half.
    """
    future = pl.col("release_time") > pl.col("ingested_at") + pl.duration(hours=36)
    impossible = batch.filter(future & (pl.col("release_basis") != ESTIMATED))
    if impossible.is_empty():
        return batch, {}
    rejections = {
        r["series_id"]: (
            f"series {r['series_id']} of provider {r['provider']}: {r['observation_date']} has the release time "
            f"{r['release_time'].isoformat()}, after it was fetched ({r['ingested_at'].isoformat()}). Expected one "
            "that has happened; the row was rejected. Check the clock of this machine and the provider's dates."
        )
        for r in impossible.unique("series_id", keep="first", maintain_order=True).iter_rows(named=True)
    }
    return batch.join(impossible, on=STATEMENT, how="anti", maintain_order="left"), rejections


def _corrections(
    raw: pl.DataFrame, batch: pl.DataFrame, decisions: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that correct stored ones which stand marked as invalid, and the keys of the batch's rows that this settles.

    A correction is known from when it was fetched. Where a later statement about the observation is known already,
    there is nothing left to correct.
    """
    if decisions is None or decisions.is_empty() or batch.is_empty():
        return raw.clear(), batch.clear().select(STATEMENT)
    invalid = invalid_rows(decisions, batch["ingested_at"].max())  # type: ignore[arg-type]
    stored = raw.join(invalid, on=STATEMENT, how="semi").select(*STATEMENT, bad_value="value")
    clash = batch.join(stored, on=STATEMENT).filter(pl.col("value").ne_missing(pl.col("bad_value")))
    latest = (
        pl.concat([raw, batch])
        .sort("release_time")
        .group_by(OBSERVATION, maintain_order=True)
        .last()
        .select(*OBSERVATION, latest="release_time", latest_basis="release_basis", latest_value="value")
    )
    corrected = (pl.col("latest_basis") == "ingested") & pl.col("latest_value").ne_missing(pl.col("value"))
    corrections = (
        clash.join(latest, on=OBSERVATION)
        .filter((pl.col("latest") == pl.col("release_time")) | corrected)
        .with_columns(release_time="ingested_at", release_basis=pl.lit("ingested"))
        .select(raw.columns)
    )
    return corrections, clash.select(STATEMENT)


def _new_in_vintages(
    raw: pl.DataFrame, batch: pl.DataFrame, key: list[str], vintages: Vintages
) -> tuple[pl.DataFrame, AppendReport]:
    """Rows that dated vintages add, with the counts of new, revised and restated ones."""
    _refuse_conflicts(pl.concat([raw, batch]).unique([*key, "value"]), key)
    timeline = (
        pl.concat([raw.with_columns(stored=True), batch.join(raw, on=key, how="anti").with_columns(stored=False)])
        .sort(key)
        .with_columns(
            before=pl.col("value").shift(1).over(OBSERVATION),
            rank=pl.int_range(pl.len()).over(OBSERVATION),
        )
    )
    incoming = timeline.filter(~pl.col("stored"))
    new = incoming.filter(pl.col("rank") == 0).select(raw.columns)
    revised = incoming.filter(pl.col("rank") > 0, pl.col("value").ne_missing(pl.col("before"))).select(raw.columns)
    restated = _restated(raw, timeline) if vintages == "whole" else raw.clear()
    marks = _marks(raw, batch, pl.concat([new, revised, restated]))
    counts = AppendReport(new=new.height, revised=revised.height, restated=restated.height + marks.height)
    return pl.concat([new, revised, restated, marks]), counts


def _new_in_fetches(raw: pl.DataFrame, batch: pl.DataFrame) -> pl.DataFrame:
    """Rows that undated fetches add.

    An observation the store does not know comes with its estimated release time, or the time of the fetch where the
    estimate is later: it is known by now. One whose value differs from the stored one became known when it was
    fetched, whatever the estimate says.
    """
    in_force = (
        raw.sort("release_time").group_by(OBSERVATION).last().select(*OBSERVATION, stored_value="value", known=True)
    )
    joined = batch.join(in_force, on=OBSERVATION, how="left")
    known = pl.col("known").fill_null(False)
    at_fetch = known | (pl.col("release_time") > pl.col("ingested_at"))
    return (
        joined.filter(~known | pl.col("value").ne_missing(pl.col("stored_value")))
        .with_columns(
            release_time=pl.when(at_fetch).then("ingested_at").otherwise("release_time"),
            release_basis=pl.when(at_fetch).then(pl.lit("ingested")).otherwise("release_basis"),
        )
        .select(raw.columns)
    )


def _refuse_conflicts(rows: pl.DataFrame, key: list[str]) -> None:
    clash = rows.filter(rows.select(key).is_duplicated()).sort([*key, "value"])
    if not clash.is_empty():
        a, b = clash.row(0, named=True), clash.row(1, named=True)
        raise VintageConflictError(
            a["series_id"],
            f"series {a['series_id']} of provider {a['provider']}: {a['observation_date']} has two values at the "
            f"release time {a['release_time'].isoformat()}: {a['value']} and {b['value']}. Expected one; nothing was "
            "stored. Ask the provider which holds; where the stored one is wrong, `macro invalidate` it and fetch "
            "again.",
        )


def _restated(raw: pl.DataFrame, timeline: pl.DataFrame) -> pl.DataFrame:
    """Answers of stored vintages that a late one would otherwise change, to be stored again at those vintages."""
    stored_vintages = raw.select(_VINTAGE).unique()
    late = (
        timeline.with_columns(following=pl.col("release_time").shift(-1).over(OBSERVATION))
        .filter(~pl.col("stored"))
        .sort("release_time")
        .join_asof(
            stored_vintages.with_columns(next_vintage="release_time").sort("release_time"),
            on="release_time",
            by=["series_id", "provider"],
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        # the next stored vintage, unless the observation has a statement of its own up to then
        .filter(
            pl.col("next_vintage").is_not_null(),
            pl.col("following").is_null() | (pl.col("following") > pl.col("next_vintage")),
        )
        .select(*OBSERVATION, "next_vintage", late_value="value")
    )
    restated = late.sort("next_vintage").join_asof(
        raw.sort("release_time"),
        left_on="next_vintage",
        right_on="release_time",
        by=OBSERVATION,
        strategy="backward",
        coalesce=False,
        check_sortedness=False,
    )
    return (
        restated.filter(
            pl.col("release_time").is_not_null(),  # the stored vintage knew nothing of the date: nothing to defend
            pl.col("value").ne_missing(pl.col("late_value")),
        )
        .with_columns(release_time="next_vintage", release_basis=pl.lit("provider"))
        .select(raw.columns)
    )


def _marks(raw: pl.DataFrame, batch: pl.DataFrame, added: pl.DataFrame) -> pl.DataFrame:
    """One row, the latest observation, of each vintage in the batch that would otherwise leave no trace."""
    traces = pl.concat([raw.select(_VINTAGE), added.select(_VINTAGE)]).unique()
    return (
        batch.join(traces, on=_VINTAGE, how="anti")
        .sort("observation_date")
        .group_by(_VINTAGE, maintain_order=True)
        .last()
        .select(raw.columns)
    )
