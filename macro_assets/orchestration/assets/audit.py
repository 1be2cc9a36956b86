"""The tables of decisions as assets: commands write them, nothing computes them, other tables and intake read them."""

import dagster as dg

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.acceptances import ACCEPTANCES
from macro_assets.lakehouse.delta import data_version
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import INVALIDATIONS
from macro_assets.orchestration.describe import key, rows_metadata, table_metadata

_WRITTEN_BY = {
    INVALIDATIONS: "`macro invalidate` and `macro reinstate` write it.",
    ACCEPTANCES: "`macro accept` writes it.",
}


def decisions_assets(catalog: Catalog) -> list[dg.AssetSpec]:
    """The external assets of the tables."""
    tables = [(catalog.one_table(name), written_by) for name, written_by in _WRITTEN_BY.items()]
    return [
        dg.AssetSpec(
            key(table.name),
            description=f"{table.title}. {table.description} {written_by}",
            group_name=table.layer,
            kinds={"deltalake"},
            owners=[table.owner],
            tags={"layer": table.layer},
            metadata=table_metadata(table),
        )
        for table, written_by in tables
    ]


def report_decision(lake: Lakehouse, instance: dg.DagsterInstance, name: str = INVALIDATIONS) -> None:
    """Tell Dagster that a table of decisions changed, so that what is below it is computed again."""
    table, rows = lake.table(name), lake.read(name)
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            key(table.name),
            metadata=rows_metadata(rows.sort("decided_at")),
            tags={"dagster/data_version": data_version(rows, table)},
        )
    )
