"""One tick of the automation daemon: 60 derived tables below one whose data changed, with our event log on disk.

Each tick is checked to request all 60, and the one after it none.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from contextlib import chdir
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from measure import Ratio, fresh_home, show, timed

if TYPE_CHECKING:
    import dagster as dg

TABLES = 60
ROUNDS = 5
TICK_SECONDS = 1.0


def definitions() -> dg.Definitions:
    """One table and those that depend on it."""
    import dagster as dg

    from macro_assets.orchestration.automation import DERIVED

    def below(name: str) -> dg.AssetsDefinition:
        @dg.asset(name=name, deps=["changed"], code_version="1", automation_condition=DERIVED)
        def derived() -> None: ...

        return derived

    @dg.asset
    def changed() -> None: ...

    return dg.Definitions([changed, *(below(f"derived_{i:02d}") for i in range(TABLES))])


def ticks(instance: dg.DagsterInstance) -> list[float]:
    """Seconds of the ticks after a change."""
    import dagster as dg

    world, cursor, requested, seconds = definitions(), None, 0, []

    def report(table: str, version: int) -> None:
        tags = {"dagster/data_version": str(version)}
        instance.report_runless_asset_event(dg.AssetMaterialization(table, tags=tags))

    def tick() -> None:
        nonlocal cursor, requested
        result = dg.evaluate_automation_conditions(world, instance, cursor=cursor)
        cursor, requested = result.cursor, result.total_requested

    for table in world.resolve_asset_graph().get_all_asset_keys():
        report(table.to_user_string(), 0)
    tick()
    for version in range(1, ROUNDS + 1):
        report("changed", version)
        seconds.append(timed(tick))
        assert requested == TABLES, f"{requested} tables requested"
        tick()
        assert requested == 0, f"{requested} tables requested again"
    return seconds


def run() -> list[Ratio]:
    import dagster as dg

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        environment = fresh_home(Path(folder))
        os.environ.update(environment)
        with chdir(environment["DAGSTER_HOME"]), dg.DagsterInstance.get() as instance:
            ours = median(ticks(instance))
    return [Ratio(f"tick, {TABLES} tables below a changed one", ours, "allowed", TICK_SECONDS, 1.0)]


if __name__ == "__main__":
    show(run())
