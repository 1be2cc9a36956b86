"""When live sources are asked: the runs that fetch what is due, for `macro fetch` and for the schedules.

Which series are due decides a run's selection, and how far back they lack figures its range of years.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import dagster as dg

from macro_assets.catalog import Catalog, names
from macro_assets.intake.calendars import CALENDAR
from macro_assets.intake.fetch import askable
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.orchestration.describe import key, raw_assets_by_name, source_keys
from macro_assets.orchestration.due import due_series
from macro_assets.orchestration.partitions import RANGE_END, RANGE_START, REFRESH, YEARS


@dataclass(frozen=True)
class Refresh:
    """One run: raw series, by the names of their assets, with why they are due, and the range of years it asks for.

    `is_whole` runs ask for all vintages of all years, the others for what was released since the latest stored release.
    """

    reasons: dict[str, str]
    years: tuple[str, str]
    is_whole: bool

    def keys(self, catalog: Catalog) -> list[dg.AssetKey]:
        """Assets of the run: the series and the tables they are in."""
        series = raw_assets_by_name(catalog)
        return [*map(key, [*self.reasons, *dict.fromkeys(names.raw(series[n].source) for n in self.reasons)])]

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the run: its range of years, and whether it is a refresh."""
        span = {RANGE_START: self.years[0], RANGE_END: self.years[1]}
        return span if self.is_whole else {**span, REFRESH: "due"}


def refreshes(lake: Lakehouse, wanted: Collection[str] | None = None, everything: bool = False) -> list[Refresh]:
    """The runs that fetch what is due now, or everything, of all series of live sources of which a holder is on.

    Parameters
    ----------
    wanted
        Only these, by the names of their assets.

    Raises
    ------
    LakeError
        When the lake cannot be read.
    """
    all_years = YEARS.get_partition_keys()
    by_start: dict[str | None, dict[str, str]] = {}
    for source in lake.catalog.sources.values():
        for due in due_series(lake, source, everything=everything) if source.is_live else ():
            name = names.raw_series(due.series)
            if wanted is not None and name not in wanted:
                continue
            start = None if due.first_year is None else min(max(str(due.first_year), all_years[0]), all_years[-1])
            by_start.setdefault(start, {})[name] = due.reason
    return [
        Refresh(reasons, (start or all_years[0], all_years[-1]), start is None)
        for start, reasons in sorted(by_start.items(), key=lambda item: item[0] or "")
    ]


def whole_history(catalog: Catalog, wanted: Collection[str], first: str | None, last: str | None) -> list[Refresh]:
    """One run that asks for series of live sources, due or not, for a range of years or all of them.

    Of the series `wanted`, by the names of their assets, those of which no holder is on are left out.
    """
    all_years, series = YEARS.get_partition_keys(), raw_assets_by_name(catalog)
    live = [n for n in wanted if catalog.sources[series[n].source].is_live and askable(catalog, series[n])]
    if not live:
        return []
    return [Refresh(dict.fromkeys(live, "asked for"), (first or all_years[0], last or all_years[-1]), True)]


def refresh_schedules(catalog: Catalog) -> list[dg.ScheduleDefinition]:
    """Schedules of the live sources. They are off until somebody turns them on: they go to the network."""
    live = [s for s in catalog.sources.values() if s.is_live and catalog.series_of(s.name)]
    if not live:
        return []
    fetched = dg.AssetSelection.assets(*(k for s in live for k in source_keys(s, catalog)))

    def due(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        runs = refreshes(Lakehouse.at(None, catalog))
        if not runs:
            yield dg.SkipReason("no series of a source that is on is due")
        for run in runs:
            stamp = f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}"
            what = "all vintages" if run.is_whole else "news"  # two runs may begin with the same year
            yield dg.RunRequest(f"{stamp} {run.years[0]} {what}", asset_selection=run.keys(catalog), tags=run.tags)

    return [
        dg.ScheduleDefinition(
            name="refresh",
            job=dg.define_asset_job("refresh", selection=fetched, description="Fetch what is due of the live sources"),
            cron_schedule="20 */4 * * *",
            execution_timezone="UTC",
            execution_fn=due,
            description="Fetch the series whose release came out, whose next figure should be out, or that failed",
        ),
        dg.ScheduleDefinition(
            name="release_calendar",
            target=dg.AssetSelection.assets(key(CALENDAR)),
            cron_schedule="5 4 * * *",
            execution_timezone="UTC",
            description="Ask the providers for their release calendars",
        ),
    ]
