"""The raw tables: append what was fetched, mark what is wrong, read what was known.

`raw/<source>` is append-only and holds every vintage; `audit/invalidations` holds the decisions about its rows.
The laws they follow are in `appending.py` and `vintages.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal

import polars as pl

import macro_assets
from macro_assets.catalog import Catalog, Table, UnknownNameError, names
from macro_assets.catalog.derive import holdings_frame, polars_schema
from macro_assets.catalog.load import unknown_name_message
from macro_assets.catalog.periods import PeriodError, first_days
from macro_assets.catalog.wording import written
from macro_assets.lakehouse.appending import AppendReport, concerned, rows_to_append
from macro_assets.lakehouse.delta import LakeError, content_hash, open_table, reading
from macro_assets.lakehouse.handle import Held, Lakehouse
from macro_assets.lakehouse.holders import serving
from macro_assets.lakehouse.paths import Root
from macro_assets.lakehouse.silences import NO_SILENCES, silences_of
from macro_assets.lakehouse.vintages import BASES, STATEMENT, day_of, in_force, instant, invalid_rows
from macro_assets.lakehouse.write import Appended, append_computed

INVALIDATIONS = "audit/invalidations"
"""Table of the decisions about stored values."""


def append_vintages(
    source: str,
    observations: pl.DataFrame,
    run_id: str,
    code_version: str | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> AppendReport:
    """Append a batch of observations to `raw/<source>` in one Delta commit.

    The commit carries the run, the code version and a hash of the batch. When another process appended meanwhile, what
    the batch adds is decided again from what is stored by then. The same batch twice adds no row and no version.

    Parameters
    ----------
    source
        The source whose table it is.
    observations
        Rows with the raw table's columns but `run_id`, in the provider's units. NaN and infinity become null.
    run_id
        The run that took them in.
    code_version
        Version of the code that fetched and parsed; default the version of this package.

    Raises
    ------
    VintageConflictError
        See :func:`macro_assets.lakehouse.appending.rows_to_append`; nothing was stored.
    UnknownNameError
        When the catalog has no such source, or the source no such series.
    LakeError
        When the rows do not fit, a date is not the first day of its series' period, or the table cannot be read or
        written; it is then as it was.
    """
    lake = Lakehouse.at(root, catalog)
    return _append(lake, source, observations, run_id, code_version or macro_assets.__version__)[0]


def append_to_held(
    lake: Lakehouse, source: str, held: Held, observations: pl.DataFrame, run_id: str, code_version: str
) -> tuple[AppendReport, Held]:
    """What :func:`append_vintages` does, of a table whose rows are held; gives those it has afterwards too.

    The table is read again only where another process wrote to it since its rows were read.
    """
    report, done = _append(lake, source, observations, run_id, code_version, held)
    if not held.is_of(done.before):
        return report, lake.hold(names.raw(source))
    return report, Held(pl.concat([held.rows, done.rows]), done.latest)


def _append(
    lake: Lakehouse, source: str, observations: pl.DataFrame, run_id: str, code_version: str, held: Held | None = None
) -> tuple[AppendReport, Appended]:
    table = lake.table(names.raw(source))
    batch = typed(observations.with_columns(run_id=pl.lit(run_id)), polars_schema(table.columns))
    _refuse_gaps(batch, table)
    _refuse_strangers(source, batch, lake.catalog)
    _refuse_other_days(batch, lake.catalog)
    reports: list[AppendReport] = []

    def added(stored: pl.LazyFrame) -> pl.DataFrame:
        known = read_silences(lake, source, batch["series_id"].unique())
        held = concerned(stored, batch, every_date=lake.catalog.sources[source].tells_whole_vintages).collect()
        rows, silences, report = additions(held, batch, read_decisions(lake), lake.catalog, known)
        keep_silences(lake, source, silences.with_columns(run_id=pl.lit(run_id)), commit)
        reports[:] = [report]
        return rows

    commit = {"run_id": run_id, "code_version": code_version, "input_sha256": content_hash(batch)}
    done = append_computed(lake, table.name, added, commit, held)
    return replace(reports[0], version=done.version), done


def additions(
    stored: pl.DataFrame,
    batch: pl.DataFrame,
    decisions: pl.DataFrame,
    catalog: Catalog,
    silences: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame, AppendReport]:
    """The rows a batch adds, each provider's by the way that provider tells vintages, and the silences it brings.

    Parameters and errors as :func:`macro_assets.lakehouse.appending.rows_to_append` and
    :func:`macro_assets.lakehouse.silences.silences_of`.
    """
    added, silent, total = [batch.clear()], [NO_SILENCES], AppendReport()
    for (provider,), rows in batch.group_by("provider", maintain_order=True):
        of_provider, way = stored.filter(pl.col("provider") == provider), catalog.sources[str(provider)].vintages
        known = silences
        if way == "whole":
            silent.append(silences_of(of_provider, rows, silences))
            known = pl.concat([silences if silences is not None else NO_SILENCES, silent[-1]])
        new, report = rows_to_append(of_provider, rows, decisions, way, known)
        added.append(new)
        total += report
    return pl.concat(added), pl.concat(silent), total


def read_silences(lake: Lakehouse, source: str, series_ids: Collection[str] | None = None) -> pl.DataFrame | None:
    """What the vintages of a source, or of some of its series, do not say; None where none was ever kept."""
    name = names.silences(source)
    stored = open_table(lake.root, name) if name in lake.catalog.tables else None
    if stored is None:
        return None
    rows = lake.rows(name, stored).select(NO_SILENCES.columns)
    if series_ids is not None:
        rows = rows.filter(pl.col("series_id").is_in(list(series_ids)))
    with reading(name, stored.version()):
        return rows.collect()


def keep_silences(lake: Lakehouse, source: str, silences: pl.DataFrame, commit: Mapping[str, str]) -> None:
    """Keep silences of a source that tells whole vintages, before the rows that they are about: none may be lost.

    One of a vintage that is not stored in the end has no effect. The table is made even if there is nothing to keep:
    that it is there says that what is not in it was stated.
    """
    name = names.silences(source)
    if name not in lake.catalog.tables:
        return

    def news(stored: pl.LazyFrame) -> pl.DataFrame:
        return silences.join(stored.collect(), on=lake.table(name).key, how="anti")

    append_computed(lake, name, news, commit)


def typed(observations: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Observations in the raw table's types, with nulls for what is not finite."""
    if missing := [c for c in schema if c not in observations.columns]:
        raise LakeError(f"columns missing from the observations: {', '.join(missing)}")
    try:
        cast = observations.select(pl.col(n).cast(t) for n, t in schema.items())
    except pl.exceptions.PolarsError as error:
        raise LakeError(f"the observations do not fit the catalog's types: {error}") from error
    return cast.with_columns(value=pl.when(pl.col("value").is_finite()).then("value"))


def _refuse_gaps(batch: pl.DataFrame, table: Table) -> None:
    """Refuse rows that do not say all they must: a row without its basis would fall between the laws."""
    for column in table.columns:
        if not column.nullable and (nulls := batch[column.name].null_count()):
            raise LakeError(f"table {table.name}: column {column.name} must not be null, {nulls} observations are")
    if strange := sorted(set(batch["release_basis"]) - set(BASES)):
        raise LakeError(f"table {table.name}: release basis {strange[0]!r} is none of {', '.join(BASES)}")


def _refuse_strangers(source: str, observations: pl.DataFrame, catalog: Catalog) -> None:
    """Refuse series whose rows the table does not have, and providers that are none of their holders there."""
    pairs = observations.select("series_id", "provider").unique()
    own = {s.id: s for s in catalog.series_of(source)}
    for series_id, provider in pairs.sort("series_id", "provider").iter_rows():
        if series_id not in own:
            raise UnknownNameError(unknown_name_message(f"series of source {source}", series_id, own))
        holders = [source, *(h.source for h in own[series_id].holders)]
        if provider not in holders:
            raise LakeError(
                f"series {series_id}: provider {provider!r} is none of its holders in raw/{source}: "
                f"{', '.join(holders)}. Nothing was stored; declare the holder in the catalog."
            )


def _refuse_other_days(observations: pl.DataFrame, catalog: Catalog) -> None:
    """Refuse dates that are not the first day of their series' period: a month would have two figures."""
    dates = observations.select("series_id", "observation_date").unique()
    for (series_id,), own in dates.group_by("series_id"):
        try:
            first_days(own["observation_date"].sort(), catalog.series[str(series_id)].frequency)
        except PeriodError as error:
            raise LakeError(f"series {series_id}: {error}. Nothing was stored: date figures by that day.") from None


# --- decisions about stored values ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoredRelease:
    """One release of one observation: its instant, or its day where that day has one; None = whoever has one."""

    series_id: str
    observation_date: date
    release_time: date | datetime | str
    provider: str | None = None


@dataclass(frozen=True)
class Decision:
    """What is decided about a release, why, and who says so."""

    action: Literal["invalidate", "reinstate"]
    reason: str
    author: str


def invalidate(
    series_id: str,
    observation_date: date,
    release_time: date | datetime | str,
    reason: str,
    author: str,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Mark a stored value as invalid from now on. Nothing is erased: reads as of an earlier instant still see it.

    Where several holders told the release, the first of them is meant; :func:`decide` takes another.

    Parameters
    ----------
    observation_date
        First day of the period the value describes.
    release_time
        The release that is wrong: its instant, or its day where that day has one release of the observation.
    reason, author
        Why, and who says so; both are kept.

    Returns
    -------
    DataFrame
        The decision, one row.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    LakeError
        When there is no such release, it is marked already, or reason or author is empty.
    """
    release = StoredRelease(series_id, observation_date, release_time)
    return decide(Lakehouse.at(root, catalog), release, Decision("invalidate", reason, author))


def reinstate(
    series_id: str,
    observation_date: date,
    release_time: date | datetime | str,
    reason: str,
    author: str,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Undo :func:`invalidate` from now on; same parameters, same errors. The earlier decision stays on record."""
    release = StoredRelease(series_id, observation_date, release_time)
    return decide(Lakehouse.at(root, catalog), release, Decision("reinstate", reason, author))


def decide(lake: Lakehouse, release: StoredRelease, decision: Decision) -> pl.DataFrame:
    """Keep a decision about a stored release; see :func:`invalidate` and :func:`reinstate`."""
    reason, author = decision.reason.strip(), decision.author.strip()
    if not (reason and author):
        raise LakeError(f"series {release.series_id}: a decision about a stored value needs a reason and an author")
    found = _key_of(lake, release)

    def decided(stored: pl.LazyFrame) -> pl.DataFrame:
        standing = invalid_rows(stored.collect(), None).join(found, on=STATEMENT, how="semi")
        if standing.is_empty() == (decision.action == "reinstate"):
            state = "is not marked as invalid" if decision.action == "reinstate" else "is marked as invalid already"
            of, at = f"series {release.series_id}: {release.observation_date}", found["release_time"][0]
            raise LakeError(f"{of} as released {written(at)} by {found['provider'][0]} {state}; nothing was changed")
        return found.with_columns(
            decided_at=pl.lit(datetime.now(UTC)),
            action=pl.lit(decision.action),
            reason=pl.lit(reason),
            author=pl.lit(author),
        )

    return append_computed(lake, INVALIDATIONS, decided, {"author": author, "action": decision.action}).rows


def _key_of(lake: Lakehouse, release: StoredRelease) -> pl.DataFrame:
    """The key of one stored release, found by its instant or its day; of several holders that have it the first."""
    stored = read_series(lake, [release.series_id])
    ranks = {h.provider: rank for rank, h in enumerate(lake.catalog.holdings(release.series_id))}
    told = stored.filter(pl.col("observation_date") == release.observation_date)
    if release.provider is not None:
        told = told.filter(pl.col("provider") == release.provider)
    moment = instant(release.release_time)
    on_the_day = not isinstance(release.release_time, datetime) and len(str(release.release_time)) == 10
    same = pl.col("release_time").dt.date() == moment.date() if on_the_day else pl.col("release_time") == moment
    rank = pl.col("provider").replace_strict(ranks, default=len(ranks), return_dtype=pl.Int64)
    found = told.filter(same).filter(rank == rank.min()).select(STATEMENT)
    if found.height != 1:
        known = ", ".join(
            f"{t.isoformat()} ({p})"
            for t, p in told.select("release_time", "provider").sort("release_time").iter_rows()
        )
        by = f" of provider {release.provider}" if release.provider else ""
        raise LakeError(
            f"series {release.series_id}{by}: expected one release of {release.observation_date} "
            f"at {release.release_time}, found {found.height}. Releases of that date: {known or 'none'}."
        )
    return found


# --- reading -------------------------------------------------------------------------------------------------------


def read_raw(lake: Lakehouse, source: str, series_ids: Collection[str] | None = None) -> pl.DataFrame:
    """Every stored row of a source, or of some of its series: the audit view, never filtered."""
    rows, version = lake.scan(names.raw(source))
    if series_ids is not None:
        rows = rows.filter(pl.col("series_id").is_in(list(series_ids)))
    with reading(names.raw(source), version):
        return rows.collect()


def read_series(lake: Lakehouse, series_ids: Collection[str]) -> pl.DataFrame:
    """Every stored row of some series, of all their holders: the audit view, never filtered."""
    return pl.concat(read_raw(lake, source, ids) for source, ids in tables_with(lake.catalog, series_ids).items())


def read_decisions(lake: Lakehouse) -> pl.DataFrame:
    """Every decision about stored rows."""
    return lake.read(INVALIDATIONS)


def tables_with(catalog: Catalog, series_ids: Collection[str] | None) -> dict[str, list[str] | None]:
    """Series by the source whose raw table has rows of them, in the catalog's order; all tables, with None, of all.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    """
    if series_ids is None:
        return dict.fromkeys(catalog.sources)
    found: dict[str, list[str] | None] = {}
    for source in catalog.sources:
        own = [i for i in dict.fromkeys(series_ids) if source in {h.table for h in catalog.holdings(i)}]
        if own:
            found[source] = own
    # of no series, no rows: read from one table, so that the frame has its columns
    return found or {next(iter(catalog.sources)): []}


def observations_as_of(
    moment: date | datetime | str | None,
    series_ids: Collection[str] | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Observations known at an instant, in the providers' units: of one series, many, or all.

    Parameters
    ----------
    moment
        The instant; a bare date means its end in UTC, None everything known.
    series_ids
        Series of the catalog; None for all.

    Returns
    -------
    DataFrame
        `source` (the home of the series), `series_id`, `provider` (the holder that counts at the instant),
        `observation_date`, `value` (in the unit of that holder), `release_time`, `release_basis`; one row per series
        and observation date, sorted by source, series and date.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    LakeError
        When a table cannot be read.
    """
    lake = Lakehouse.at(root, catalog)
    known = said_by_all(lake, moment, series_ids)
    return with_homes(serving(known, holdings_frame(lake.catalog, series_ids), day_of(moment)), lake.catalog)


def said_by_all(
    lake: Lakehouse, moment: date | datetime | str | None, series_ids: Collection[str] | None
) -> pl.DataFrame:
    """What every holder of some series, or of all, had said by an instant: see `vintages.in_force`."""
    decisions = read_decisions(lake)
    frames = []
    for source, ids in tables_with(lake.catalog, series_ids).items():
        rows, version = lake.scan(names.raw(source))
        rows = rows.select(*STATEMENT, "value", "release_basis")
        if ids is not None:
            rows = rows.filter(pl.col("series_id").is_in(ids))
        with reading(names.raw(source), version):
            frames.append(in_force(rows, moment, decisions))
    return pl.concat(frames)


def with_homes(known: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Observations with the home of their series as `source`, sorted by it, series and date; both in that order."""
    series = known["series_id"].rle().struct.field("value")
    homes = pl.Series("source", [catalog.series[s].source for s in series], pl.String)
    if homes.n_unique() <= 1:
        return known.select(pl.lit(homes.first(), pl.String).alias("source"), *known.columns)
    order = {s: n for n, s in enumerate(catalog.sources)}
    of_row = known["series_id"].rle_id()
    by_home = known.select(homes.gather(of_row), *known.columns)
    ranks = homes.replace_strict(order, return_dtype=pl.Int64)
    return by_home if ranks.is_sorted() else by_home.sort(ranks.gather(of_row), maintain_order=True)


def panel_as_of(
    moment: date | datetime | str | None,
    series_ids: Collection[str] | None = None,
    root: str | Root | None = None,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """A panel as known at an instant: one row per observation date, one column per series, in the providers' units.

    Parameters and errors as :func:`observations_as_of`. Series of several frequencies share the dates their periods
    begin on; what was not known is null. Columns are named by series, in the order asked.
    """
    return wide(observations_as_of(moment, series_ids, root, catalog), series_ids)


def wide(known: pl.DataFrame, series_ids: Collection[str] | None) -> pl.DataFrame:
    """Observations as a panel; see :func:`panel_as_of`."""
    panel = known.pivot("series_id", index="observation_date", values="value").sort("observation_date")
    columns = (
        list(series_ids) if series_ids is not None else sorted(c for c in panel.columns if c != "observation_date")
    )
    absent = [pl.lit(None, pl.Float64).alias(c) for c in columns if c not in panel.columns]
    return panel.with_columns(absent).select("observation_date", *columns)
