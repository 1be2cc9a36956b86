"""Raw assets: one multi-asset step per source, one spec per series, and the table they share.

Everything downstream depends on the table, never on a series. Inside the step nothing raises for the sake of one
series: its rows are not written, it yields a failed check, and the `complete` check on the table turns the run red.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Series, Source, Table, names
from macro_assets.intake.fetches import latest, missed
from macro_assets.intake.health import Health
from macro_assets.intake.outcomes import Outcome
from macro_assets.intake.step import Question, Run, StepResult, take_in
from macro_assets.intake.years import Years
from macro_assets.lakehouse.delta import data_version
from macro_assets.lakehouse.holders import ESTIMATED
from macro_assets.lakehouse.past import Moved
from macro_assets.orchestration.describe import (
    column_schema,
    key,
    raw_group,
    rows_metadata,
    series_key,
    series_metadata,
    step_name,
    table_metadata,
)
from macro_assets.orchestration.partitions import REFRESH, YEARS
from macro_assets.orchestration.resources import Lake
from macro_assets.orchestration.source_versions import series_code_versions, source_code_version
from macro_assets.quality import Checked

CHECK = "schema"
HEALTH = "health"
PAST = "past"
RULES = "rules"
_RETRIES = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL)
_MAX_FAILURES_NAMED = 10


def raw_assets(source: Source, catalog: Catalog) -> tuple[dg.AssetsDefinition, dg.AssetChecksDefinition]:
    """The multi-asset of a source and the `complete` check of its table."""
    series = {series_key(s): s for s in catalog.series_of(source.name)}
    keys = {s.id: k for k, s in series.items()}
    table = catalog.one_table(names.raw(source.name))
    table_key = key(table.name)
    specs = _specs(source, series, table, catalog)

    @dg.multi_asset(
        name=step_name(table.name),
        specs=specs,
        check_specs=[
            *(
                dg.AssetCheckSpec(CHECK, asset=k, description="The answer against the catalog and what is stored")
                for k in series
            ),
            dg.AssetCheckSpec(HEALTH, asset=table_key, description="Whether the source answers: up, degraded or down"),
            dg.AssetCheckSpec(PAST, asset=table_key, description="What was known at past instants is what it was"),
            dg.AssetCheckSpec(RULES, asset=table_key, description=", ".join(map(str, table.rules))),
        ],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=_RETRIES if source.is_live else None,
        pool=source.name,
    )
    def raw(
        context: dg.AssetExecutionContext, lake: Lake
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult | dg.AssetMaterialization]:
        selected = [s for k, s in series.items() if k in context.selected_asset_keys]
        question = Question(
            selected, Years(_asked_years(context), YEARS.get_partition_keys()), REFRESH in context.run.tags
        )
        run = Run(context.run.run_id, source_code_version(source, catalog), context.log.info)
        done = take_in(lake.with_catalog(catalog), source, question, run)
        for series_id, year in done.elsewhere:
            context.log_event(dg.AssetMaterialization(keys[series_id], partition=year))
        for outcome in done.outcomes:
            yield from _series_results(outcome, done, table)
        metadata = rows_metadata(done.rows.sort("release_time"), done.version)
        if done.off:
            metadata["off"] = done.health.reason
        version = data_version(done.rows, table)
        is_selected = table_key in context.selected_asset_keys
        is_news = not done.rows.is_empty() or _is_awaited(table_key, context)
        if is_selected:
            yield _past_result(table_key, done.moved)
            yield _rules_result(table_key, done.odd)
            yield _health_result(table_key, done.health)
        if is_selected and is_news:
            yield dg.MaterializeResult(table_key, metadata=metadata, data_version=dg.DataVersion(version))
            return
        # yielded, not logged through the context: logged events are lost when the step raises right after
        if is_news:
            yield dg.AssetMaterialization(table_key, metadata=metadata, tags={"dagster/data_version": version})
        if done.failed:
            raise dg.Failure(failure_message(source.name, done.failed), allow_retries=False)

    return raw, _complete_check(source, catalog)


def _is_awaited(table: dg.AssetKey, context: dg.AssetExecutionContext) -> bool:
    """Whether the run goes on to something that reads the table: without a result of it, that would be left out.

    A table that never had a row has none otherwise: its first materialization is news to all that is below.
    """
    layer = context.job_def.asset_layer
    return not layer.selected_asset_keys.isdisjoint(layer.asset_graph.get(table).child_keys)


def _asked_years(context: dg.AssetExecutionContext) -> Sequence[str]:
    """Yearly partitions of the run; all of them where the run names none."""
    if context.has_partition_key or context.has_partition_key_range:
        return list(context.partition_keys)
    return YEARS.get_partition_keys()


def _complete_check(source: Source, catalog: Catalog) -> dg.AssetChecksDefinition:
    """The check that turns a run red when a series of it failed; a step of its own."""

    @dg.asset_check(
        asset=key(names.raw(source.name)),
        name="complete",
        description="Every series the run asked for was had and stored whole; without a fetch, every latest one",
    )
    def complete(context: dg.AssetCheckExecutionContext, lake: Lake) -> dg.AssetCheckResult:
        log = lake.with_catalog(catalog).read(names.fetch_log(source.name))
        asked = log.filter(pl.col("last_run_id") == context.run.run_id)
        if asked.is_empty():  # the run fetched nothing: the question is about the latest fetch of each series
            asked = latest(log)
        failed = missed(asked, source.name)
        if failed:
            raise dg.Failure(failure_message(source.name, failed), allow_retries=False)
        return dg.AssetCheckResult(passed=True, metadata={"series": asked["series_id"].n_unique()})

    return complete


def _specs(source: Source, series: Mapping[dg.AssetKey, Series], table: Table, catalog: Catalog) -> list[dg.AssetSpec]:
    """One spec per series, and the one of the table they share."""
    group = raw_group(source)
    versions = series_code_versions(source, list(series.values()))
    columns = column_schema(table)
    specs = [
        dg.AssetSpec(
            k,
            partitions_def=YEARS,
            skippable=True,
            description=f"{s.title}. {s.provider_unit}, {s.seasonal_adjustment}.",
            group_name=group,
            kinds={"deltalake", source.name},
            owners=[source.owner],
            tags={"layer": "raw", "bronze": "", "frequency": s.frequency, "theme": s.theme, "country": s.country},
            metadata=series_metadata(s, columns, catalog),
            code_version=versions[s.id],
        )
        for k, s in series.items()
    ]
    specs.append(
        dg.AssetSpec(
            key(table.name),
            deps=list(series),
            skippable=True,
            description=f"{table.title}. {table.description}\n\n{source.title}. {source.description}",
            group_name=group,
            kinds={"deltalake", source.name},
            owners=[source.owner],
            tags={"layer": "raw", "bronze": ""},
            metadata={**table_metadata(table), "source": dg.MetadataValue.url(source.url)},
        )
    )
    return specs


def failure_message(source: str, failed: Mapping[str, str | None]) -> str:
    """One message naming the series that failed, each with its reason."""
    lines = _listed([f"{name}: {why}" for name, why in sorted(failed.items())])
    return f"{len(failed)} series of source {source} failed; their last good data was kept:\n  {lines}"


def _health_result(table: dg.AssetKey, found: Health) -> dg.AssetCheckResult:
    """The health of a source as a check: it warns, and is an error where the source fails all it is asked for.

    Of a source that is off it warns where others who were asked in its place had no answer.
    """
    metadata: dict[str, str | int | float] = {
        "state": found.state,
        "series": found.series,
        "failed": found.failed,
        "substituted": found.substituted,
    }
    if found.latency_ms is not None:
        metadata["latency_ms"] = round(found.latency_ms, 1)
    if found.last_success is not None:
        metadata["last_success"] = found.last_success.isoformat(timespec="seconds")
    return dg.AssetCheckResult(
        asset_key=table,
        check_name=HEALTH,
        passed=found.state not in ("degraded", "down") and not found.failed,
        severity=dg.AssetCheckSeverity.ERROR if found.state == "down" else dg.AssetCheckSeverity.WARN,
        description=found.reason or found.state,
        metadata=metadata,
    )


def _past_result(table: dg.AssetKey, found: Sequence[Moved]) -> dg.AssetCheckResult:
    """Whether the past stood still: vintages and figures that came late warn, what no law admits is an error."""
    wrong = [m for m in found if m.is_error]
    named = [str(m) for m in [*wrong, *(m for m in found if not m.is_error)]]
    return dg.AssetCheckResult(
        asset_key=table,
        check_name=PAST,
        passed=not found,
        severity=dg.AssetCheckSeverity.ERROR if wrong else dg.AssetCheckSeverity.WARN,
        description=_listed(named) or None,
        metadata={"series": len({m.series_id for m in found})},
    )


def _rules_result(table: dg.AssetKey, odd: Sequence[Checked]) -> dg.AssetCheckResult:
    """What is odd about series of which something came; it is stored all the same."""
    is_wrong = any(c.severity == "error" for c in odd)
    return dg.AssetCheckResult(
        asset_key=table,
        check_name=RULES,
        passed=not odd,
        severity=dg.AssetCheckSeverity.ERROR if is_wrong else dg.AssetCheckSeverity.WARN,
        description=_listed([str(c.report) for c in odd]) or None,
    )


def _listed(texts: Sequence[str]) -> str:
    """The first of some texts, a line each, and how many there are more."""
    more = len(texts) - _MAX_FAILURES_NAMED
    return "\n  ".join([*texts[:_MAX_FAILURES_NAMED], *([f"and {more} more"] if more > 0 else [])])


def _series_results(
    outcome: Outcome, done: StepResult, table: Table
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """The series' materialization and its check, or only the failed check, which says since when it is stale.

    The check is no part of the materialization's result: Dagster would look up what it is of twice.
    """
    k = series_key(outcome.series)
    if not outcome.failure:
        rows = done.rows.filter(pl.col("series_id") == outcome.series.id)
        shown = rows.select("observation_date", "value", "release_time", "release_basis")
        yield dg.MaterializeResult(
            k,
            metadata={
                **rows_metadata(shown.sort("observation_date", "release_time")),
                "served_by": outcome.provider,
                "vintages": rows.filter(pl.col("release_basis") != ESTIMATED)["release_time"].n_unique(),
            },
            data_version=dg.DataVersion(data_version(rows, table)),
        )
    metadata: dict[str, Any] = {"rows_checked": outcome.report.rows, "failures": outcome.report.failures}
    if outcome.failure:
        last_success = done.last_successes.get(outcome.series.id)
        metadata["stale_since"] = last_success.isoformat(timespec="seconds") if last_success else "never had"
    else:
        metadata["provider"] = outcome.provider
    if outcome.report.sample:
        metadata["sample"] = dg.MetadataValue.json(list(outcome.report.sample))
    yield dg.AssetCheckResult(
        asset_key=k,
        check_name=CHECK,
        passed=outcome.failure is None and outcome.warning is None,
        severity=dg.AssetCheckSeverity.ERROR if outcome.failure else dg.AssetCheckSeverity.WARN,
        description=outcome.failure or outcome.warning or outcome.note,
        metadata=metadata,
    )
