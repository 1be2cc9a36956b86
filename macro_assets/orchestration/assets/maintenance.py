"""Upkeep of the lake as an asset: what the latest one did to each table, run weekly."""

from collections.abc import Iterator
from dataclasses import asdict

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog
from macro_assets.catalog.derive import polars_schema
from macro_assets.catalog.periods import utc_now
from macro_assets.lakehouse.upkeep.maintenance import maintain
from macro_assets.lakehouse.write import conform
from macro_assets.orchestration.assets.derived import checked
from macro_assets.orchestration.assets.specs import check_spec, spec_arguments
from macro_assets.orchestration.describe import key, step_name
from macro_assets.orchestration.resources import Lake

TABLE = "maintenance/tables"

MAINTENANCE = dg.ScheduleDefinition(
    name="weekly_maintenance",
    target=dg.AssetSelection.assets(key(TABLE)),
    cron_schedule="0 3 * * 0",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Merge small files, end retention, and remove files no version of the last 30 days needs",
)


def maintenance_asset(catalog: Catalog) -> dg.AssetsDefinition:
    """The asset whose materialization keeps up every table; its metadata has the figures before and after."""
    table = catalog.one_table(TABLE)

    @dg.multi_asset(
        name=step_name(TABLE),
        outs={step_name(TABLE): dg.AssetOut(key=key(TABLE), **spec_arguments(table, catalog))},
        check_specs=[check_spec(table)],
    )
    def upkeep(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        done = []
        for one in maintain(lake.with_catalog(catalog), utc_now()):
            context.log.info(
                f"{one.table_name}: {one.files_before} files, {one.bytes_before:,} bytes before, "
                f"{one.files_after} files, {one.bytes_after:,} bytes after"
            )
            done.append(asdict(one))
        frame = pl.DataFrame(done, schema=polars_schema(table.columns))
        figures = {c: int(frame[c].sum()) for c in frame.columns if c.endswith(("_before", "_after"))}
        yield from checked(table, conform(frame, table), {}, lambda: figures)

    return upkeep
