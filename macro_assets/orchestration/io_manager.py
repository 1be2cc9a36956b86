"""The IO manager of the lake: a frame out is a Delta table, a Delta table in is a frame.

It delegates to `lakehouse` and knows nothing else: a run's partition keys become the predicate of the overwrite.
"""

from collections.abc import Callable

import dagster as dg
import polars as pl

from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.write import WriteConflictError, overwrite
from macro_assets.orchestration.describe import table_name

CONFLICT_RETRIES = 3
"""How often a step whose table another run changed meanwhile computes again."""


class LakeIOManager(dg.IOManager):
    """Stores Polars frames in the lake.

    Parameters
    ----------
    lake
        Finds the lake whenever it is needed: where it is may be decided after the code is loaded.
    """

    def __init__(self, lake: Callable[[], Lakehouse]) -> None:
        self.lake = lake

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        """Replace the table, or the run's partitions of an as-of table; anything but a frame is refused."""
        name = table_name(context.asset_key)
        if not isinstance(obj, pl.DataFrame):
            raise dg.DagsterInvariantViolationError(f"{name} returned {type(obj).__name__}; the lake stores DataFrames")
        lake = self.lake()
        partitions = list(context.asset_partition_keys) if lake.table(name).as_of_partitioned else None
        try:
            version = overwrite(lake, name, obj, {"run_id": context.run_id}, partitions)
        except WriteConflictError as error:  # another run was faster: the step computes again, from fresh inputs
            raise dg.RetryRequested(max_retries=CONFLICT_RETRIES) from error
        context.add_output_metadata({"delta_version": version})

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """The whole table: what of it an asset may see is the pure function's matter."""
        return self.lake().read(table_name(context.asset_key))
