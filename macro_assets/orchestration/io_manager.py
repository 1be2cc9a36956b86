"""The IO manager of the lake: a frame out is a Delta table, a Delta table in is a frame.

It delegates to `lakehouse` and knows nothing else: a run's partition keys become the predicate of the overwrite.
"""

import dagster as dg
import polars as pl

from macro_assets.catalog import default_catalog
from macro_assets.lakehouse.delta import overwrite, read_table
from macro_assets.lakehouse.paths import lake_root
from macro_assets.orchestration.describe import table_name


class LakeIOManager(dg.ConfigurableIOManager):
    """Stores Polars frames in the lake.

    `root` is the lake's root; empty means `MACRO_LAKE`, else `data/lake`.
    """

    root: str = ""

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        if not isinstance(obj, pl.DataFrame):
            raise dg.DagsterInvariantViolationError(
                f"{context.asset_key.to_user_string()} returned {type(obj).__name__}; the lake stores Polars DataFrames"
            )
        catalog = default_catalog()
        table = catalog.one_table(table_name(context.asset_key))
        partitions = list(context.asset_partition_keys) if table.as_of_partitioned else None
        commit = {"run_id": context.run_id, "data_version": str(context.version or "")}
        version = overwrite(lake_root(self.root), table, catalog, obj, commit, partitions)
        context.add_output_metadata({"delta_version": version})

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        catalog = default_catalog()
        return read_table(lake_root(self.root), catalog.one_table(table_name(context.asset_key)), catalog)
