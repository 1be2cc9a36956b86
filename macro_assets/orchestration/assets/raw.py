"""Raw assets: one multi-asset step per source, one spec per series, and the table they share.

Everything downstream depends on the table, never on a series. Inside the step nothing raises for the sake of one
series: its rows are not written, it yields a failed check, and the `complete` check on the table turns the run red.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version as installed_version

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Series, Source, Table
from macro_assets.derivations import code_version
from macro_assets.ingest import Outcome, fetch, ingest
from macro_assets.lakehouse.delta import data_version, open_table, read_table
from macro_assets.lakehouse.landing import log_fetches
from macro_assets.orchestration.describe import (
    key,
    rows_metadata,
    series_key,
    series_metadata,
    step_name,
    table_metadata,
)
from macro_assets.orchestration.partitions import YEARS, partition_of, window
from macro_assets.orchestration.resources import Lake

CHECK = "schema"
_MAX_FAILURES_NAMED = 10


def raw_assets(source: Source, catalog: Catalog) -> tuple[dg.AssetsDefinition, dg.AssetChecksDefinition]:
    """The multi-asset of a source and the `complete` check of its table."""
    series = {series_key(s): s for s in catalog.series_of(source.name)}
    table = catalog.one_table(f"raw/{source.name}")
    table_key = key(table.name)
    group = f"raw_{source.name}"
    specs = [
        dg.AssetSpec(
            k,
            partitions_def=YEARS,
            skippable=True,
            description=f"{s.title}. {s.provider_unit}, {s.seasonal_adjustment}.",
            group_name=group,
            kinds={"deltalake", source.name},
            owners=[source.owner],
            tags={"layer": "raw", "frequency": s.frequency, "theme": s.theme, "country": s.country},
            metadata=series_metadata(s, table, catalog),
            code_version=series_code_version(source, s),
        )
        for k, s in series.items()
    ]
    specs.append(
        dg.AssetSpec(
            table_key,
            deps=list(series),
            skippable=True,
            description=f"{table.title}. {table.description}\n\n{source.title}. {source.description}",
            group_name=group,
            kinds={"deltalake", source.name},
            owners=[source.owner],
            tags={"layer": "raw"},
            metadata={**table_metadata(table, catalog), "source": dg.MetadataValue.url(source.url)},
        )
    )

    @dg.multi_asset(
        name=step_name(table.name),
        specs=specs,
        check_specs=[
            dg.AssetCheckSpec(CHECK, asset=k, description="Rows against the catalog: id, dates, bounds, finite values")
            for k in series
        ],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=source.name,
    )
    def raw(
        context: dg.AssetExecutionContext, lake: Lake
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult | dg.AssetMaterialization]:
        selected = [s for k, s in series.items() if k in context.selected_asset_keys]
        outcomes: Sequence[Outcome] = []
        if selected:
            outcomes = _fetch_and_store(context, lake, catalog, source, selected)
        stored = read_table(lake.path, table, catalog)
        for outcome in outcomes:
            yield _series_result(outcome, stored, table)
        failed = {o.series.id: o.failure for o in outcomes if o.failure}
        opened = open_table(lake.path, table.name)
        metadata = rows_metadata(stored.sort("release_time"), opened.version() if opened else None)
        version = data_version(stored, table)
        if table_key in context.selected_asset_keys:
            yield dg.MaterializeResult(table_key, metadata=metadata, data_version=dg.DataVersion(version))
            return
        # yielded, not logged through the context: logged events are lost when the step raises right after
        yield dg.AssetMaterialization(table_key, metadata=metadata, tags={"dagster/data_version": version})
        if failed:
            raise dg.Failure(failure_message(source.name, failed), allow_retries=False)

    @dg.asset_check(
        asset=table_key,
        name="complete",
        description="Every series the run asked for was fetched and stored whole; without a fetch, every latest one",
    )
    def complete(context: dg.AssetCheckExecutionContext, lake: Lake) -> dg.AssetCheckResult:
        log = read_table(lake.path, catalog.one_table(f"fetch_log/{source.name}"), catalog)
        asked = log.filter(pl.col("last_run_id") == context.run.run_id)
        if asked.is_empty():  # the run fetched nothing: the question is about the latest fetch of each series
            asked = log
        failed = dict(asked.filter(pl.col("status") == "failed").select("series_id", "error").iter_rows())
        if failed:
            raise dg.Failure(failure_message(source.name, failed), allow_retries=False)
        return dg.AssetCheckResult(passed=True, metadata={"series": asked.height})

    return raw, complete


def series_code_version(source: Source, series: Series) -> str:
    """Code version of a raw series: its catalog entry, its connector and, for bundled figures, their packages."""
    shipped = [f"{p} {installed_version(p)}" for p in source.packages]
    return code_version((f"macro_assets.sources.{source.name}",), series.model_dump_json() + "".join(shipped))


def source_code_version(source: Source, catalog: Catalog) -> str:
    """Code version of a source's table: of all its series together."""
    series = catalog.series_of(source.name)
    return code_version((), "".join(series_code_version(source, s) for s in series))


def failure_message(source: str, failed: Mapping[str, str | None]) -> str:
    """One message naming the series that failed, each with its reason."""
    named = [f"{name}: {why}" for name, why in sorted(failed.items())[:_MAX_FAILURES_NAMED]]
    more = len(failed) - len(named)
    lines = "\n  ".join(named + ([f"and {more} more"] if more else []))
    return f"{len(failed)} series of source {source} failed; their last good data was kept:\n  {lines}"


def _fetch_and_store(
    context: dg.AssetExecutionContext, lake: Lake, catalog: Catalog, source: Source, selected: Sequence[Series]
) -> Sequence[Outcome]:
    """Fetch, land, check and append; one Delta commit per table. Returns what became of each series."""
    all_years = YEARS.get_partition_keys()
    asked = sorted(_asked_years(context))
    context.log.info(f"fetching {len(selected)} series of {source.name}, years {asked[0]} to {asked[-1]}")
    dates = window(asked, all_years)
    fetched = fetch(source, selected, dates)
    version = source_code_version(source, catalog)
    done = ingest(lake.path, catalog, source, selected, dates, fetched, context.run.run_id, version)
    context.log.info(f"{source.name}: {done.report}")
    elsewhere = {
        (series_id, year)
        for series_id, day in done.accepted.select("series_id", "observation_date").unique().iter_rows()
        if (year := partition_of(day, all_years)) not in asked
    }
    for series_id, year in sorted(elsewhere):  # a revision that arrived for a year nobody asked for
        context.log_event(dg.AssetMaterialization(series_key(catalog.one_series(series_id)), partition=year))
    _log(lake, catalog, source, done.outcomes, context.run.run_id)
    return done.outcomes


def _asked_years(context: dg.AssetExecutionContext) -> Sequence[str]:
    """Yearly partitions of the run; all of them where the run names none."""
    if context.has_partition_key or context.has_partition_key_range:
        return list(context.partition_keys)
    return YEARS.get_partition_keys()


def _log(lake: Lake, catalog: Catalog, source: Source, outcomes: Sequence[Outcome], run_id: str) -> None:
    now = datetime.now(UTC)
    rows = [
        {
            "series_id": o.series.id,
            "last_run_id": run_id,
            "last_seen": now,
            "status": "failed" if o.failure else "ok",
            "error": o.failure,
            "rows_seen": o.report.rows,
        }
        for o in outcomes
    ]
    fetches = pl.DataFrame(rows, infer_schema_length=None)
    log_fetches(lake.path, catalog, source.name, fetches, {"run_id": run_id, "source": source.name})


def _series_result(outcome: Outcome, stored: pl.DataFrame, table: Table) -> dg.MaterializeResult | dg.AssetCheckResult:
    """The series' materialization with its check, or only the failed check."""
    k = series_key(outcome.series)
    metadata = {"rows_checked": outcome.report.rows, "failures": outcome.report.failures}
    if outcome.report.sample:
        metadata["sample"] = dg.MetadataValue.json(list(outcome.report.sample))  # type: ignore[assignment]
    check = dg.AssetCheckResult(
        asset_key=k,
        check_name=CHECK,
        passed=outcome.failure is None,
        severity=dg.AssetCheckSeverity.ERROR,
        description=outcome.failure,
        metadata=metadata,
    )
    if outcome.failure:
        return check
    rows = stored.filter(pl.col("series_id") == outcome.series.id)
    shown = rows.select("observation_date", "value", "release_time", "release_basis")
    return dg.MaterializeResult(
        k,
        metadata=rows_metadata(shown.sort("observation_date", "release_time")),
        data_version=dg.DataVersion(data_version(rows, table)),
        check_results=[check],
    )
