"""Jobs a person launches by name in the UI."""

from __future__ import annotations

import dagster as dg

from macro_assets.catalog import Catalog
from macro_assets.orchestration.describe import source_keys


def jobs(catalog: Catalog) -> list[dg.JobDefinition | dg.UnresolvedAssetJobDefinition]:
    """One refresh job per source, and one for everything derived that is not partitioned."""
    refresh = [
        dg.define_asset_job(
            f"refresh_{s.name}",
            selection=dg.AssetSelection.assets(*source_keys(s, catalog)),
            description=f"Fetch the series of {s.name} and check that all came",
        )
        for s in catalog.sources.values()
    ]
    derive = dg.define_asset_job(
        "derive",
        selection=dg.AssetSelection.groups("normalized", "indicators", "charts"),
        description="Recompute every derived table and chart from the raw tables",
    )
    return [*refresh, derive]
