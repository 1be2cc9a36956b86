"""When a month closes: its as-of tables are computed once more, with all that was known at its end.

Automation only looks at the open month, whose instant is the moment of the run; what was released after the month's
last run is missing from it until then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import dagster as dg

from macro_assets.catalog.periods import previous_month
from macro_assets.graph.derivation import Derivation
from macro_assets.orchestration.describe import key


def closing_schedules(found: Sequence[Derivation]) -> list[dg.ScheduleDefinition]:
    """The schedule of the first of the month; none where nothing is computed as of months."""
    tables = [t for d in found if d.grid for t in d.tables]
    if not tables:
        return []

    def closed(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        month = previous_month(f"{context.scheduled_execution_time:%Y-%m}")
        yield dg.RunRequest(month, partition_key=month)

    job = dg.define_asset_job(
        "close_month",
        selection=dg.AssetSelection.assets(*map(key, tables)),
        description="Compute an as-of month of every table that has some",
    )
    return [
        dg.ScheduleDefinition(
            name="close_month",
            job=job,
            cron_schedule="30 0 1 * *",
            execution_timezone="UTC",
            execution_fn=closed,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Compute the month that has ended once more, with all that was known at its end",
        )
    ]
