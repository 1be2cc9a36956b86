"""Vintages: what was known, and when. Appending observations and reading them as of an instant.

Pure functions on frames of the raw layer's columns, plus :func:`append_vintages`, which commits what they decide.
The laws they keep are in `docs/decisions/001-vintage-law.md`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.delta import append, read_table

VINTAGE_BASES = ("provider", "snapshot")
"""Bases of rows from a vintage the provider dated; better than an estimated `publication_lag`."""

_OBSERVATION = ["series_id", "provider", "observation_date"]
_VINTAGE = ["series_id", "provider", "release_time"]


@dataclass(frozen=True)
class AppendReport:
    """What became of a batch of observations, in rows.

    `seen` = `new` + `revised` + `unchanged` + `duplicate`; `missing` of the appended rows say "no value", `restated`
    rows repeat an old answer behind a vintage that arrived late.
    """

    seen: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    duplicate: int = 0
    missing: int = 0
    restated: int = 0

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


def as_of(raw: pl.DataFrame, moment: date | datetime | str | None, primary: str) -> pl.DataFrame:
    """What was known at an instant: one row per series and observation date.

    The value known at D for date t is the row with the greatest `release_time <= D`. Rows whose release time is
    estimated (`publication_lag`) are ignored where the provider also gave vintages of the series, and a fallback
    provider's row counts only where the primary has none.

    Parameters
    ----------
    raw
        Rows of a raw table.
    moment
        The instant D; None for everything known.
    primary
        Provider whose rows come first: the source of the table.

    Returns
    -------
    DataFrame
        The winning raw rows, sorted by series and observation date.
    """
    vintaged = pl.col("release_basis").is_in(VINTAGE_BASES).any().over("series_id", "provider")
    known = raw.filter((pl.col("release_basis") != "publication_lag") | ~vintaged)
    if moment is not None:
        known = known.filter(pl.col("release_time") <= instant(moment))
    order = ["series_id", "observation_date", "primary", "release_time"]
    return (
        known.with_columns(primary=pl.col("provider") == primary)
        .sort(order)
        .group_by("series_id", "observation_date", maintain_order=True)
        .last()
        .select(raw.columns)
    )


def rows_to_append(raw: pl.DataFrame, batch: pl.DataFrame) -> tuple[pl.DataFrame, AppendReport]:
    """The rows a batch adds to the raw layer so that every as-of answer is right, in any order of loading.

    A value is added only if it differs from the one in force just before its release time. Where a later vintage is
    already stored, the answer of that vintage is stored again behind the late one. A vintage that changes nothing
    leaves one row, its latest observation, so that it is known to have been.

    Parameters
    ----------
    raw
        Stored rows.
    batch
        Rows with the same columns. Rows based on `provider` or `snapshot` are taken as whole vintages of their series.

    Raises
    ------
    VintageConflictError
        When one observation has two values at one release time, within the batch or against the store.
    """
    key = [*_OBSERVATION, "release_time"]
    seen = batch.height
    batch = batch.unique([*key, "value"], keep="first", maintain_order=True)
    duplicate = seen - batch.height
    _refuse_conflicts(batch, key)
    raw = raw.filter(pl.col("series_id").is_in(batch["series_id"].unique().to_list()))
    dated = pl.col("release_basis").is_in(VINTAGE_BASES)
    from_vintages, report = _new_in_vintages(raw.filter(dated), batch.filter(dated), key)
    from_fetches = _new_in_fetches(raw.filter(~dated), batch.filter(~dated))
    first_seen = from_fetches.join(raw, on=_OBSERVATION, how="anti").height
    new, revised = report.new + first_seen, report.revised + from_fetches.height - first_seen
    added = pl.concat([from_vintages, from_fetches])
    return added, AppendReport(
        seen=seen,
        new=new,
        revised=revised,
        unchanged=seen - duplicate - new - revised,
        duplicate=duplicate,
        missing=added["value"].null_count(),
        restated=report.restated,
    )


def _new_in_vintages(raw: pl.DataFrame, batch: pl.DataFrame, key: list[str]) -> tuple[pl.DataFrame, AppendReport]:
    """Rows that dated vintages add, with the counts of new, revised and restated ones."""
    _refuse_conflicts(pl.concat([raw, batch]).unique([*key, "value"]), key)
    timeline = (
        pl.concat([raw.with_columns(stored=True), batch.join(raw, on=key, how="anti").with_columns(stored=False)])
        .sort(key)
        .with_columns(
            before=pl.col("value").shift(1).over(_OBSERVATION),
            rank=pl.int_range(pl.len()).over(_OBSERVATION),
        )
    )
    incoming = timeline.filter(~pl.col("stored"))
    new = incoming.filter(pl.col("rank") == 0).select(raw.columns)
    revised = incoming.filter(pl.col("rank") > 0, pl.col("value").ne_missing(pl.col("before"))).select(raw.columns)
    restated = _restated(raw, timeline)
    marks = _marks(raw, batch, pl.concat([new, revised, restated]))
    counts = AppendReport(new=new.height, revised=revised.height, restated=restated.height + marks.height)
    return pl.concat([new, revised, restated, marks]), counts


def _new_in_fetches(raw: pl.DataFrame, batch: pl.DataFrame) -> pl.DataFrame:
    """Rows that undated fetches add.

    An observation the store does not know comes with its estimated release time. One whose value differs from the
    stored one became known when it was fetched, whatever the estimate says.
    """
    in_force = (
        raw.sort("release_time").group_by(_OBSERVATION).last().select(*_OBSERVATION, stored_value="value", known=True)
    )
    joined = batch.join(in_force, on=_OBSERVATION, how="left")
    known = pl.col("known").fill_null(False)
    return (
        joined.filter(~known | pl.col("value").ne_missing(pl.col("stored_value")))
        .with_columns(
            release_time=pl.when(known).then("ingested_at").otherwise("release_time"),
            release_basis=pl.when(known).then(pl.lit("ingested")).otherwise("release_basis"),
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
            "stored. Ask the provider which holds, and fetch again.",
        )


def _restated(raw: pl.DataFrame, timeline: pl.DataFrame) -> pl.DataFrame:
    """Answers of stored vintages that a late one would otherwise change, to be stored again at those vintages."""
    stored_vintages = raw.select(_VINTAGE).unique()
    late = (
        timeline.with_columns(following=pl.col("release_time").shift(-1).over(_OBSERVATION))
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
        .select(*_OBSERVATION, "next_vintage", late_value="value")
    )
    restated = late.sort("next_vintage").join_asof(
        raw.sort("release_time"),
        left_on="next_vintage",
        right_on="release_time",
        by=_OBSERVATION,
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


def append_vintages(
    root: Path, catalog: Catalog, source: str, observations: pl.DataFrame, commit: dict[str, str]
) -> tuple[AppendReport, int]:
    """Append a batch to `raw/<source>` in one Delta commit.

    Parameters
    ----------
    observations
        Rows with the raw table's columns.
    commit
        Written into the commit: run id, code version.

    Returns
    -------
    tuple
        What became of the rows, and the table's Delta version. The same batch twice adds no row and no version.

    Raises
    ------
    VintageConflictError
        See :func:`rows_to_append`.
    LakeError
        When the table cannot be read or written.
    """
    table = catalog.one_table(f"raw/{source}")
    stored = read_table(root, table, catalog)
    floats = pl.col("value").cast(pl.Float64)
    batch = observations.with_columns(value=pl.when(floats.is_finite()).then(floats)).select(stored.columns)
    added, report = rows_to_append(stored, batch.cast(stored.schema))
    return report, append(root, table, catalog, added, commit)


def observations_as_of(
    root: Path, catalog: Catalog, moment: date | datetime | str | None, series_ids: Collection[str] | None = None
) -> pl.DataFrame:
    """Observations of every source known at an instant, in the providers' units.

    Returns
    -------
    DataFrame
        `source` and the raw columns; one row per series and observation date.
    """
    frames = []
    for source in catalog.sources:
        raw = read_table(root, catalog.one_table(f"raw/{source}"), catalog)
        if series_ids is not None:
            raw = raw.filter(pl.col("series_id").is_in(list(series_ids)))
        frames.append(as_of(raw, moment, source).select(pl.lit(source).alias("source"), pl.all()))
    return pl.concat(frames)
