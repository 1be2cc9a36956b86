"""The release calendar as an asset, asked for daily."""

from collections.abc import Iterator

import dagster as dg

from macro_assets.catalog import Catalog
from macro_assets.catalog.periods import utc_now
from macro_assets.intake.calendars import CALENDAR, release_calendar
from macro_assets.lakehouse.write import conform
from macro_assets.orchestration.assets.derived import checked
from macro_assets.orchestration.assets.specs import check_spec, spec_arguments
from macro_assets.orchestration.describe import key, step_name
from macro_assets.orchestration.resources import Lake


def calendar_asset(catalog: Catalog) -> dg.AssetsDefinition:
    """The asset of the release calendar; a source that does not answer keeps its stored days."""
    table = catalog.one_table(CALENDAR)

    @dg.multi_asset(
        name=step_name(CALENDAR),
        outs={step_name(CALENDAR): dg.AssetOut(key=key(CALENDAR), **spec_arguments(table, catalog))},
        check_specs=[check_spec(table)],
    )
    def releases(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        stored = lake.with_catalog(catalog).read(CALENDAR)
        days, reasons = release_calendar(catalog, stored, utc_now().date())
        for source, why in reasons.items():
            context.log.warning(f"{source}: {why}")
        yield from checked(table, conform(days, table), {}, lambda: {"not_asked": dict(reasons)})

    return releases
