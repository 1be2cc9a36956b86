"""The table of invalidations as an asset: nothing computes it, `macro invalidate` writes it, derived tables read it."""

import dagster as dg

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.delta import data_version
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import INVALIDATIONS, read_decisions
from macro_assets.orchestration.describe import key, rows_metadata, table_metadata


def invalidations_asset(catalog: Catalog) -> dg.AssetSpec:
    """The external asset of the table."""
    table = catalog.one_table(INVALIDATIONS)
    return dg.AssetSpec(
        key(table.name),
        description=f"{table.title}. {table.description} `macro invalidate` and `macro reinstate` write it.",
        group_name=table.layer,
        kinds={"deltalake"},
        owners=[table.owner],
        tags={"layer": table.layer},
        metadata=table_metadata(table),
    )


def report_decision(lake: Lakehouse, instance: dg.DagsterInstance) -> None:
    """Tell Dagster that the table changed, so that what is below it is computed again."""
    table, rows = lake.table(INVALIDATIONS), read_decisions(lake)
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            key(table.name),
            metadata=rows_metadata(rows.sort("decided_at")),
            tags={"dagster/data_version": data_version(rows, table)},
        )
    )
