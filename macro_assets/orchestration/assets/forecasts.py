"""Forecasts: as-of partitioned assets. A partition gets what was known at its instant, and nothing later."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog, Model
from macro_assets.catalog.periods import utc_now
from macro_assets.graph.declared import nowcast_code_version, nowcast_tables
from macro_assets.graph.inputs import raw_inputs
from macro_assets.lakehouse.write import conform
from macro_assets.orchestration.assets.derived import asset_inputs, check_spec, checked, spec_arguments
from macro_assets.orchestration.automation import AS_OF
from macro_assets.orchestration.describe import key, step_name
from macro_assets.orchestration.partitions import AS_OF_MONTHS


def nowcast_assets(model: Model, catalog: Catalog) -> dg.AssetsDefinition:
    """The forecasts of a nowcasting model and their news, one step for both."""
    tables = [catalog.one_table(n) for n in (f"forecasts/{model.name}", f"forecasts/{model.name}_news")]
    raws = raw_inputs(catalog)
    version = nowcast_code_version(model, catalog)

    @dg.multi_asset(
        name=step_name(f"forecasts/{model.name}"),
        ins=asset_inputs(raws),
        outs={
            step_name(t.name): dg.AssetOut(
                key=key(t.name), automation_condition=AS_OF, code_version=version, **spec_arguments(t)
            )
            for t in tables
        },
        check_specs=[check_spec(t) for t in tables],
        partitions_def=AS_OF_MONTHS,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def nowcast(
        context: dg.AssetExecutionContext, **frames: pl.DataFrame
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        raw = {t: frames[step_name(t)] for t in raws}
        months = list(context.partition_keys)
        context.log.info(f"{model.name} as of {months[0]} to {months[-1]}: {len(months)} months")
        found = nowcast_tables(raw, model, catalog, months, utc_now())
        for table in tables:
            frame = conform(found[table.name], table)
            yield from checked(table, frame, catalog, raw, lambda: {"as_of_months": f"{months[0]} to {months[-1]}"})

    return nowcast
