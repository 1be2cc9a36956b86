"""What it costs to find that nothing changed: a whole `macro run`, and one step of a graph that a change went by."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from graph_synthetic import DERIVATIONS, MONTHS, with_many
from measure import Ratio, fresh_home, show, timed

NOTHING_STALE_SECONDS, UNCHANGED_SECONDS = 3.0, 0.05


def bring_up_to_date() -> int:
    """`macro run` with the synthetic derivations in the list; returns how many Dagster runs it took."""
    from macro_assets.cli.terminal import instance as opened

    with opened() as instance:
        from macro_assets.lakehouse.handle import Lakehouse
        from macro_assets.orchestration.run import run, select

        catalog, found = with_many()
        lake = Lakehouse.at(None, catalog)
        done = run(lake, select([], catalog, found=found), instance, found=found)
    assert not done.failures, done.failures
    return done.runs


def slowest_unchanged() -> float:
    """The longest that any step needs to find that its inputs are as they were."""
    import dagster as dg

    from macro_assets.graph.inputs import Inputs
    from macro_assets.lakehouse.handle import Lakehouse
    from macro_assets.orchestration.records import last_record, month_records

    catalog, found = with_many()
    lake = Lakehouse.at(None, catalog)
    seconds = []
    with dg.DagsterInstance.get() as instance:
        for derivation in (d for d in found if d.series):
            month = derivation.demo[-1] if derivation.grid else None

            def unchanged(derivation=derivation, month=month):  # type: ignore[no-untyped-def]
                inputs = Inputs(lake, [derivation], [month] if month else [])
                versions = inputs.versions(derivation, month)
                for table in derivation.tables:
                    record = month_records(instance, table, [month])[month] if month else last_record(instance, table)
                    stored = inputs.stored_month(table, month) if month else inputs.table_version(table)
                    assert record is not None
                    assert not record.why_stale(derivation.code_version, versions, stored)

            unchanged()  # imports and the file cache are warm
            seconds.append(timed(unchanged))
    return max(seconds)


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **fresh_home(Path(folder)), "PYTHONPATH": os.pathsep.join(sys.path)}
        os.environ.update(environment)
        os.chdir(environment["DAGSTER_HOME"])
        bring_up_to_date()
        code = "import graph_cost; assert graph_cost.bring_up_to_date() == 0"
        nothing = timed(lambda: subprocess.run([sys.executable, "-c", code], check=True, capture_output=True))
        step = slowest_unchanged()
        os.chdir(folder)
    named = f"nothing stale, {DERIVATIONS} further derivations x {MONTHS} months"
    return [
        Ratio(named, nothing, "allowed", NOTHING_STALE_SECONDS, 1.0),
        Ratio("slowest step that a change went by", step, "allowed", UNCHANGED_SECONDS, 1.0),
    ]


if __name__ == "__main__":
    show(run())
