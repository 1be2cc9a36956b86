"""What a raw step does: ask for what its partitions say, store what passed, and keep the log of fetches."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib.metadata import version as installed_version

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Series, Source, names
from macro_assets.catalog.derive import polars_schema
from macro_assets.graph.versions import code_version
from macro_assets.intake.fetch import earlier_responses, fetch, known_releases
from macro_assets.intake.ingest import ingest
from macro_assets.intake.judge import Outcome
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import log_fetches
from macro_assets.lakehouse.raw import read_raw
from macro_assets.lakehouse.write import open_or_create
from macro_assets.orchestration.describe import series_key
from macro_assets.orchestration.partitions import YEARS, partition_of, window
from macro_assets.sources.clients import open_client
from macro_assets.sources.fetching import Progress
from macro_assets.sources.protocol import Fetched, Window, connector, connector_module

_TELL_EVERY_SECONDS = 5.0
_FILES_AGAIN = timedelta(days=7)

REFRESH = "macro_assets/refresh"
"""Tag of runs that ask for what was released since the latest stored release; others ask for every vintage."""


def fetch_and_store(
    lake: Lakehouse, context: dg.AssetExecutionContext, source: Source, selected: Sequence[Series]
) -> Sequence[Outcome]:
    """Fetch, land, check and append; one Delta commit per table. Returns what became of each series."""
    all_years = YEARS.get_partition_keys()
    asked = sorted(_asked_years(context))
    context.log.info(f"fetching {len(selected)} series of {source.name}, years {asked[0]} to {asked[-1]}")
    dates = window(asked, all_years)
    if REFRESH in context.run.tags:
        dates = _since_the_latest(lake, source, selected, dates)
    clients = partial(open_client, remembered=earlier_responses(lake, source))
    fetched = fetch(source, selected, dates, lake.catalog, clients, _progress(context, source))
    version = source_code_version(source, lake.catalog)
    run_id = context.run.run_id
    done = ingest(lake, source, selected, dates, fetched, run_id, version)
    context.log.info(f"{source.name}: {done.report}")
    if done.report.appended:
        _log_other_years(context, read_raw(lake, source.name), lake.catalog, asked)
    is_whole = dates.first is None and dates.last is None and not dates.known
    _log(lake, source, done.outcomes, fetched, run_id, is_whole)
    return done.outcomes


def _since_the_latest(lake: Lakehouse, source: Source, selected: Sequence[Series], dates: Window) -> Window:
    """The window of a refresh: of FRED what was released since, of daily files the days since and a week before."""
    held = read_raw(lake, source.name, [s.id for s in selected])
    if source.api is not None and source.api.per_day:
        latest = held.drop_nulls("value").group_by("series_id").agg(pl.col("observation_date").max())
        if latest.height < len(selected):  # of one nothing is had
            return dates
        since = min(latest["observation_date"].to_list())
        return replace(dates, first=max(dates.first or date.min, since - _FILES_AGAIN))
    log = lake.read(names.fetch_log(source.name))
    whole = held.filter(pl.col("series_id").is_in(log.filter("is_whole")["series_id"].to_list()))
    return replace(dates, known=known_releases(source, whole))


def _progress(context: dg.AssetExecutionContext, source: Source) -> Progress:
    """Logs how far a long fetch is, every few seconds."""
    told = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal told
        if done < of and time.monotonic() - told > _TELL_EVERY_SECONDS:
            told = time.monotonic()
            context.log.info(f"{source.name}: {done} of {of} questions done")

    return progress


def _log_other_years(
    context: dg.AssetExecutionContext, stored: pl.DataFrame, catalog: Catalog, asked: Sequence[str]
) -> None:
    """Log a materialization for each series and year that nobody asked for and that a revision changed."""
    all_years = YEARS.get_partition_keys()
    days = stored.filter(pl.col("run_id") == context.run.run_id).select("series_id", "observation_date").unique()
    elsewhere = {
        (series_id, year) for series_id, day in days.iter_rows() if (year := partition_of(day, all_years)) not in asked
    }
    for series_id, year in sorted(elsewhere):
        context.log_event(dg.AssetMaterialization(series_key(catalog.one_series(series_id)), partition=year))


def skip(lake: Lakehouse, source: Source, selected: Sequence[Series], why: str, run_id: str) -> None:
    """Leave a source out whose key is missing: an empty table where there is none, and a word in the fetch log."""
    open_or_create(lake, names.raw(source.name))
    rows = [_fetch_row(s, run_id, "off", why, 0) for s in selected]
    if rows:
        _store_log(lake, source, rows, run_id)


def _asked_years(context: dg.AssetExecutionContext) -> Sequence[str]:
    """Yearly partitions of the run; all of them where the run names none."""
    if context.has_partition_key or context.has_partition_key_range:
        return list(context.partition_keys)
    return YEARS.get_partition_keys()


def _log(
    lake: Lakehouse,
    source: Source,
    outcomes: Sequence[Outcome],
    fetched: Fetched,
    run_id: str,
    is_whole: bool,
) -> None:
    times = [r.seconds for r in fetched.responses if r.seconds is not None]
    latency = 1000 * sum(times) / len(times) if times else None
    served = dict(fetched.observations.select("series_id", "provider").unique().iter_rows())
    rows = [
        {
            **_fetch_row(o.series, run_id, "failed" if o.failure else "ok", o.failure or o.warning, o.report.rows),
            "is_whole": is_whole and not o.failure and o.series.id not in fetched.substituted,
            "provider": None if o.failure else served.get(o.series.id, source.name),
            "latency_ms": latency,
        }
        for o in outcomes
    ]
    _store_log(lake, source, rows, run_id)


def _fetch_row(series: Series, run_id: str, status: str, error: str | None, seen: int) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "series_id": series.id,
        "last_run_id": run_id,
        "last_seen": now,
        "status": status,
        "error": error,
        "rows_seen": seen,
        "last_success": now if status == "ok" else None,
        "is_whole": False,
        "provider": None,
        "latency_ms": None,
    }


def _store_log(lake: Lakehouse, source: Source, rows: Sequence[Mapping[str, object]], run_id: str) -> None:
    schema = polars_schema(lake.table(names.fetch_log(source.name)).columns)
    log_fetches(lake, source.name, pl.DataFrame(rows, schema=schema), {"run_id": run_id})


def series_code_versions(source: Source, series: Sequence[Series]) -> dict[str, str]:
    """Code version of raw series by id: of its catalog entry, its connector, and the packages or files it is in."""
    module, shipped = (connector_module(source),), _shipped(source)
    return {s.id: code_version(module, s.model_dump_json() + shipped) for s in series}


def _shipped(source: Source) -> str:
    """What tells that figures which come without a network are other ones: versions of packages, a hash of files."""
    packages = [f"{p} {installed_version(p)}" for p in source.packages]
    fingerprint = connector(source).fingerprint
    return "".join(packages) + (fingerprint(source) if fingerprint else "")


def source_code_version(source: Source, catalog: Catalog) -> str:
    """Code version of a source's table: of all its series together."""
    return code_version((), "".join(series_code_versions(source, catalog.series_of(source.name)).values()))


def last_successes(lake: Lakehouse, source: Source) -> dict[str, datetime]:
    """When each series of a source was last had, by id."""
    log = lake.read(names.fetch_log(source.name))
    return dict(log.drop_nulls("last_success").select("series_id", "last_success").iter_rows())
