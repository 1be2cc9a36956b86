"""Assembly: the catalog in, Dagster definitions out. Overrides are for tests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import dagster as dg

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.graph.declared import derivations
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.assets.audit import invalidations_asset
from macro_assets.orchestration.assets.calendar import calendar_asset
from macro_assets.orchestration.assets.charts import chart_asset
from macro_assets.orchestration.assets.derived import derived_asset
from macro_assets.orchestration.assets.forecasts import nowcast_assets
from macro_assets.orchestration.assets.maintenance import MAINTENANCE, maintenance_asset
from macro_assets.orchestration.assets.raw import raw_assets
from macro_assets.orchestration.io_manager import LakeIOManager
from macro_assets.orchestration.jobs import jobs
from macro_assets.orchestration.progress import progress_logger
from macro_assets.orchestration.refresh import refresh_schedules
from macro_assets.orchestration.resources import Lake


def build_defs(catalog: Catalog | None = None, resources: Mapping[str, object] | None = None) -> dg.Definitions:
    """Definitions of everything in the catalog.

    Parameters
    ----------
    catalog
        Default: the one that ships with the package.
    resources
        Replacements for the resources `lake` and `io_manager`.
    """
    catalog = catalog or default_catalog()
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [invalidations_asset(catalog)]
    checks: list[dg.AssetChecksDefinition] = []
    for source in catalog.sources.values():
        step, complete = raw_assets(source, catalog)
        assets.append(step)
        checks.append(complete)
    for derivation in derivations(catalog).values():
        layer, name = derivation.table.split("/")
        if layer == "charts":
            assets.append(chart_asset(catalog.charts[name], derivation, catalog))
        else:
            assets.append(derived_asset(derivation, catalog))
    assets += [nowcast_assets(model, catalog) for model in catalog.models.values()]
    assets += [maintenance_asset(catalog), calendar_asset(catalog)]
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=jobs(catalog),
        schedules=[MAINTENANCE, *refresh_schedules(catalog)],
        sensors=[
            dg.AutomationConditionSensorDefinition(
                "automation",
                target=dg.AssetSelection.all(),
                default_status=dg.DefaultSensorStatus.RUNNING,
                description="Rematerializes what is below a table whose data changed",
            )
        ],
        resources={
            "lake": Lake(),
            "io_manager": LakeIOManager(partial(Lakehouse.at, None, catalog)),
            **(resources or {}),
        },
        executor=dg.in_process_executor,
        loggers={"progress": progress_logger},
    )
