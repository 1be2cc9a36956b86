"""The law of appending: which rows a batch adds to the raw layer. Pure functions on its rows; no storage.

Which rows are in force at an instant is in `vintages.py`, what vintages do not say in `silences.py`. The law is
explained in `docs/vintages.md` and in the decisions 001 and 015; `raw.py` applies it to the stored tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from macro_assets.catalog import Vintages
from macro_assets.lakehouse.holders import ESTIMATED
from macro_assets.lakehouse.vintages import OBSERVATION, REBASED, STATEMENT, VINTAGE_BASES, invalid_rows

VINTAGE = ["series_id", "provider", "release_time"]
_SERIES = ["series_id", "provider"]

NEVER = datetime.max.replace(tzinfo=UTC)
"""After every release."""


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

    def __str__(self) -> str:
        counts = ("new", "revised", "restated", "missing", "unchanged", "duplicate", "rejected")
        told = [f"{n:,} {count}" for count in counts if (n := getattr(self, count))]
        return f"{self.seen:,} observations{': ' if told else ''}{', '.join(told)}"

    @property
    def appended(self) -> int:
        """Rows added to the raw table."""
        return self.new + self.revised + self.restated


class VintageConflictError(ValueError):
    """Two different values are claimed for one observation of `series_id` at one instant."""

    def __init__(self, series_id: str, message: str) -> None:
        super().__init__(message)
        self.series_id = series_id


def unspoken(statements: pl.DataFrame, silences: pl.DataFrame | None) -> pl.DataFrame:
    """The keys among some statements of which it is on record that their vintage said nothing of the date."""
    if silences is None or silences.is_empty():
        return statements.clear().select(STATEMENT)
    between = pl.col("observation_date").is_between("first_date", "last_date")
    return statements.select(STATEMENT).join(silences, on=VINTAGE).filter(between).select(STATEMENT).unique()


def rows_to_append(
    raw: pl.DataFrame,
    batch: pl.DataFrame,
    decisions: pl.DataFrame | None = None,
    vintages: Vintages = "whole",
    silences: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, AppendReport]:
    """The rows a batch adds to the raw layer so that every as-of answer is right, in any order of loading.

    A value is added only if it differs from the one in force just before its release time. Where a later vintage that
    stated the date is already stored, the answer of that vintage is stored again behind the late one. A vintage that
    changes nothing leaves one row, its latest observation, so that it is known to have been. Marking a value invalid
    does not make its repetition news; but another value for the very release that was marked is its correction, known
    from when it was fetched.

    Parameters
    ----------
    raw
        Stored rows; at least those :func:`concerned` names.
    batch
        Rows with the same columns, of one provider.
    decisions
        Rows of the table of invalidations.
    vintages
        What rows based on `provider` or `snapshot` are. 'whole': whole vintages of their series, each of which states
        a date or says nothing of it. 'changes': statements of a provider that tells every change of a value; a late one
        contradicts nothing that is stored. 'none': the provider overwrites; the release time of an observation is that
        of its first value, and another value became known when it was fetched.
    silences
        Of whole vintages, what they say nothing of: `silences.py` has the columns. What is not on record was stated. A
        statement in the batch that contradicts a silence is stored even where it repeats a value.

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
    from_vintages, report = _new_in_vintages(raw.filter(dated), stated, vintages, silences)
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


def concerned(rows: pl.LazyFrame, batch: pl.DataFrame, every_date: bool = False) -> pl.LazyFrame:
    """The stored rows that decide what a batch adds, fastest to find in the table's key order.

    Of its series, those of its dates or not before its earliest release; of the rows before that release, the latest
    about each observation. `every_date` where it matters which dates are known, as with whole vintages.
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
    found = rows.filter(of_its_series if every_date else of_its_series & (of_its_dates | (released >= earliest)))
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
    raw: pl.DataFrame, batch: pl.DataFrame, vintages: Vintages, silences: pl.DataFrame | None
) -> tuple[pl.DataFrame, AppendReport]:
    """Rows that dated vintages add, with the counts of new, revised and restated ones."""
    _refuse_conflicts(pl.concat([raw, batch]).unique([*STATEMENT, "value"]), STATEMENT)
    incoming = batch.join(raw, on=STATEMENT, how="anti")
    timeline = (
        pl.concat([raw.with_columns(stored=True), incoming.with_columns(stored=False)])
        .sort(STATEMENT)
        .with_columns(
            before=pl.col("value").shift(1).over(OBSERVATION),
            rank=pl.int_range(pl.len()).over(OBSERVATION),
        )
    )
    incoming = timeline.filter(~pl.col("stored"))
    new = incoming.filter(pl.col("rank") == 0).select(raw.columns)
    is_revised = pl.col("value").ne_missing(pl.col("before"))
    revised = incoming.filter(pl.col("rank") > 0, is_revised).select(raw.columns)
    repeated = incoming.filter(pl.col("rank") > 0, ~is_revised).select(raw.columns)
    after_all = repeated.join(unspoken(repeated, silences), on=STATEMENT, how="semi")
    restated = _restated(raw, timeline, silences) if vintages == "whole" else raw.clear()
    added = pl.concat([new, revised, after_all, restated])
    traces = _traces(raw, batch, added)
    again = after_all.height + restated.height + traces.height
    counts = AppendReport(new=new.height, revised=revised.height, restated=again)
    return pl.concat([added, traces]), counts


def _new_in_fetches(raw: pl.DataFrame, batch: pl.DataFrame) -> pl.DataFrame:
    """Rows that undated fetches add.

    An observation the store does not know comes with its estimated release time, or the time of the fetch where the
    estimate is later: it is known by now. One whose value differs from the stored one became known when it was
    fetched, whatever the estimate says. Of figures in another base all are told anew, those too that are equal.
    """
    in_force = (
        raw.sort("release_time").group_by(OBSERVATION).last().select(*OBSERVATION, stored_value="value", known=True)
    )
    joined = batch.join(in_force, on=OBSERVATION, how="left")
    known = pl.col("known").fill_null(False)
    is_rebased = pl.col("release_basis") == REBASED
    at_fetch = known | (pl.col("release_time") > pl.col("ingested_at"))
    return (
        joined.filter(~known | is_rebased | pl.col("value").ne_missing(pl.col("stored_value")))
        .with_columns(
            release_time=pl.when(at_fetch).then("ingested_at").otherwise("release_time"),
            release_basis=pl.when(at_fetch & ~is_rebased).then(pl.lit("ingested")).otherwise("release_basis"),
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


def _restated(raw: pl.DataFrame, timeline: pl.DataFrame, silences: pl.DataFrame | None) -> pl.DataFrame:
    """Answers of stored vintages that a late one would otherwise change, to be stored again at those vintages.

    Of each date that is the first stored vintage behind the late one that stated it, unless the date has a row of its
    own up to then.
    """
    vintages = raw.select(VINTAGE, vintage="release_time").unique().sort("vintage")
    late = (
        timeline.with_columns(following=pl.col("release_time").shift(-1).over(OBSERVATION))
        .filter(~pl.col("stored"))
        .join(vintages.group_by(_SERIES).agg(last=pl.col("vintage").max()), on=_SERIES)
        .filter(pl.col("release_time") < pl.col("last"))
        .select(*STATEMENT, "following", late_value="value")
        .sort("release_time")
        .join_asof(
            raw.select(*STATEMENT, "value", in_force="release_time").sort("release_time"),
            on="release_time",
            by=OBSERVATION,
            strategy="backward",
            check_sortedness=False,
        )
        # of a date that was not known by then, the stored vintages said nothing: there is nothing to defend
        .filter(pl.col("in_force").is_not_null(), pl.col("value").ne_missing(pl.col("late_value")))
        .select(*STATEMENT, "following", "in_force")
    )
    found = [late.clear()]
    while not late.is_empty():
        upcoming = (
            late.sort("release_time")
            .join_asof(
                vintages,
                left_on="release_time",
                right_on="vintage",
                by=_SERIES,
                strategy="forward",
                allow_exact_matches=False,
                check_sortedness=False,
            )
            .filter(pl.col("vintage") < pl.col("following").fill_null(NEVER))
            .with_columns(release_time="vintage")
            .select(late.columns)
        )
        silent = unspoken(upcoming, silences)
        found.append(upcoming.join(silent, on=STATEMENT, how="anti"))
        late = upcoming.join(silent, on=STATEMENT, how="semi")
    restated = pl.concat(found).rename({"release_time": "again"})
    return (
        raw.join(restated, left_on=STATEMENT, right_on=[*OBSERVATION, "in_force"])
        .with_columns(release_time="again", release_basis=pl.lit("provider"))
        .select(raw.columns)
    )


def _traces(raw: pl.DataFrame, batch: pl.DataFrame, added: pl.DataFrame) -> pl.DataFrame:
    """One row, the latest observation, of each vintage in the batch that would otherwise leave no trace."""
    traces = pl.concat([raw.select(VINTAGE), added.select(VINTAGE)]).unique()
    return (
        batch.join(traces, on=VINTAGE, how="anti")
        .sort("observation_date")
        .group_by(VINTAGE, maintain_order=True)
        .last()
        .select(raw.columns)
    )
