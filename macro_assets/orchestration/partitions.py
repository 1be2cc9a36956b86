"""The two partition grids of the house, and what a partition of each asks for.

A Dagster partition is a predicate, not a folder: the tables are small, sorted and unpartitioned on disk.
"""

from __future__ import annotations

import dagster as dg

FIRST_YEAR = 2010

YEARS = dg.TimeWindowPartitionsDefinition(
    start=str(FIRST_YEAR), fmt="%Y", cron_schedule="0 0 1 1 *", timezone="UTC", end_offset=1
)
"""Raw series: one partition per calendar year of observation dates; the first also asks for everything earlier, the
last for everything later. Yearly, because an event costs about 18 ms and a series in a step six of them."""

AS_OF_MONTHS = dg.TimeWindowPartitionsDefinition(
    start=f"{FIRST_YEAR}-01", fmt="%Y-%m", cron_schedule="0 0 1 * *", timezone="UTC", end_offset=1
)
"""Everything computed as of a date: the month's end in UTC, in the open month the moment of the run."""


RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""Tags by which a run spans a range of partitions."""

REFRESH = "macro_assets/refresh"
"""Tag of runs that ask for what was released since the latest stored release; others ask for every vintage."""
