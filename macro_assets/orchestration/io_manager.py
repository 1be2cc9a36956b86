"""The IO manager of the lake: a frame out is a Delta table, a Delta table in is a frame.

It delegates to `lakehouse` and knows nothing else: a run's partition keys become the predicate of the overwrite.
"""

import dagster as dg
import polars as pl

from macro_assets.catalog import Catalog
from macro_assets.lakehouse.delta import read_table
from macro_assets.lakehouse.paths import Root, lake_root
from macro_assets.lakehouse.write import WriteConflictError, overwrite
from macro_assets.orchestration.describe import table_name

CONFLICT_RETRIES = 3
"""How often a step whose table another run changed meanwhile computes again."""


class LakeIOManager(dg.IOManager):
    """Stores Polars frames in the lake.

    Parameters
    ----------
    catalog
        Has the tables.
    root
        Root of the lake; None is resolved when it is used: `MACRO_LAKE`, else `data/lake`.
    """

    def __init__(self, catalog: Catalog, root: Root | None = None) -> None:
        self.catalog = catalog
        self.root = root

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        """Replace the table, or the run's partitions of an as-of table; anything but a frame is refused."""
        name = table_name(context.asset_key)
        if not isinstance(obj, pl.DataFrame):
            raise dg.DagsterInvariantViolationError(f"{name} returned {type(obj).__name__}; the lake stores DataFrames")
        table = self.catalog.one_table(name)
        partitions = list(context.asset_partition_keys) if table.as_of_partitioned else None
        try:
            version = overwrite(lake_root(self.root), table, self.catalog, obj, {"run_id": context.run_id}, partitions)
        except WriteConflictError as error:  # another run was faster: the step computes again, from fresh inputs
            raise dg.RetryRequested(max_retries=CONFLICT_RETRIES) from error
        context.add_output_metadata({"delta_version": version})

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """The whole table: what of it an asset may see is the pure function's matter."""
        table = self.catalog.one_table(table_name(context.asset_key))
        return read_table(lake_root(self.root), table, self.catalog)
