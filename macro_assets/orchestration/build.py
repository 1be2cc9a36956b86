"""Assembly: the catalog in, Dagster definitions out. Overrides are for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import dagster as dg

from macro_assets.catalog import Catalog, default_catalog
from macro_assets.graph.declared import derivations
from macro_assets.graph.derivation import Derivation
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.assets.audit import decisions_assets
from macro_assets.orchestration.assets.calendar import calendar_asset
from macro_assets.orchestration.assets.charts import chart_publishers
from macro_assets.orchestration.assets.derived import derived_assets, path_specs
from macro_assets.orchestration.assets.maintenance import MAINTENANCE, maintenance_asset
from macro_assets.orchestration.assets.raw import raw_assets
from macro_assets.orchestration.closing import closing_schedules
from macro_assets.orchestration.describe import table_name
from macro_assets.orchestration.io_manager import LakeIOManager
from macro_assets.orchestration.jobs import jobs
from macro_assets.orchestration.progress import progress_logger
from macro_assets.orchestration.refresh import refresh_schedules
from macro_assets.orchestration.resources import Lake, LakeDuckDB


def build_defs(
    catalog: Catalog | None = None,
    resources: Mapping[str, object] | None = None,
    found: Sequence[Derivation] | None = None,
) -> dg.Definitions:
    """Definitions of everything in the catalog.

    Parameters
    ----------
    catalog
        Default: the one that ships with the package.
    resources
        Replacements for the resources `lake`, `duckdb` and `io_manager`.
    found
        Default: the derivations of the catalog.
    """
    catalog = catalog or default_catalog()
    found = found or derivations(catalog)
    raw = [raw_assets(source, catalog) for source in catalog.sources.values()]
    return dg.Definitions(
        assets=[
            *decisions_assets(catalog),
            *(step for step, _ in raw),
            *derived_assets(found, catalog, chart_publishers(catalog)),
            *path_specs(found, catalog),
            maintenance_asset(catalog),
            calendar_asset(catalog),
        ],
        asset_checks=[complete for _, complete in raw],
        jobs=jobs(catalog),
        schedules=[MAINTENANCE, *refresh_schedules(catalog), *closing_schedules(found)],
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
            "duckdb": LakeDuckDB(),
            "io_manager": LakeIOManager(partial(Lakehouse.at, None, catalog)),
            **(resources or {}),
        },
        executor=dg.in_process_executor,
        loggers={"progress": progress_logger},
    )


def step_tables(definitions: dg.Definitions) -> tuple[dict[str, str], dict[str, str]]:
    """The table that each step makes (of several the first), and that each check of its own step is of, by step."""
    steps = {
        a.op.name: table_name(min(a.keys_by_output_name.values(), key=lambda k: len(k.path)))  # series have longer ones
        for a in definitions.assets or ()
        if isinstance(a, dg.AssetsDefinition) and a.is_executable
    }
    checks = {c.op.name: table_name(next(iter(c.check_keys)).asset_key) for c in definitions.asset_checks or ()}
    return steps, checks
