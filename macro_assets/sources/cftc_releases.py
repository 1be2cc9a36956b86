"""When CFTC published a Commitments of Traders report: on Friday, on Monday after a holiday, or weeks late.

The files state the day a report is about, never the day it came out. CFTC's rule and its announcements say more than a
lag of three days does: while the government was shut, reports came up to seven weeks late.

- The rule: https://www.cftc.gov/MarketReports/CommitmentsofTraders/ReleaseSchedule/index.htm
- The exceptions: https://www.cftc.gov/MarketReports/CommitmentsofTraders/HistoricalSpecialAnnouncements/index.htm, and
  CFTC's press releases 6745-13, 7864-19, 8662-23 and 9147-25.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import polars as pl

from macro_assets.catalog import Series

_LATE = """
2013-10-01 2013-10-25, 2013-10-08 2013-11-08, 2013-10-15 2013-11-08, 2013-10-22 2013-11-08, 2013-10-29 2013-11-08,
2014-12-23 2014-12-30,
2018-12-24 2019-02-01, 2018-12-31 2019-02-05, 2019-01-08 2019-02-08, 2019-01-15 2019-02-12, 2019-01-22 2019-02-15,
2019-01-29 2019-02-19, 2019-02-05 2019-02-22, 2019-02-12 2019-02-26, 2019-02-19 2019-03-01, 2019-02-26 2019-03-05,
2023-01-31 2023-02-24, 2023-02-07 2023-03-03, 2023-02-14 2023-03-08, 2023-02-21 2023-03-10, 2023-02-28 2023-03-14,
2023-03-07 2023-03-16, 2023-03-14 2023-03-21,
2025-01-07 2025-01-13,
2025-09-30 2025-11-19, 2025-10-07 2025-11-21, 2025-10-14 2025-11-25, 2025-10-21 2025-12-02, 2025-10-28 2025-12-05,
2025-11-04 2025-12-09, 2025-11-10 2025-12-10, 2025-11-18 2025-12-12, 2025-11-25 2025-12-15, 2025-12-02 2025-12-17,
2025-12-09 2025-12-19, 2025-12-16 2025-12-23, 2025-12-23 2025-12-29
"""
LATE: dict[date, date] = {
    date.fromisoformat(report): date.fromisoformat(published)
    for report, published in (pair.split() for pair in _LATE.split(","))
}
"""Day of the report to the day it came out: after the shutdowns of 2013 (four of them by the day the backlog was to be
cleared), 2018-19 and 2025, the breakdown at a clearing firm in 2023, and two single closings."""


@lru_cache(maxsize=10_000)
def release_day(report: date) -> date:
    """The day a report came out.

    It is the first Friday after the report's day; where a federal holiday lies between, the Monday after that Friday.
    """
    if report in LATE:
        return LATE[report]
    friday = report + timedelta(days=(4 - report.weekday()) % 7 or 7)
    closed = _holidays(report.year) | _holidays(friday.year)
    return friday + timedelta(days=3) if any(report < day <= friday for day in closed) else friday


def released(rows: pl.DataFrame, series: Series) -> pl.DataFrame:
    """The weeks with when they came out: estimated, by CFTC's own rule and announcements."""
    lag = series.publication_lag
    known = [_known(day, lag.time, lag.time_zone) for day in rows["observation_date"].to_list()]
    times = pl.Series("release_time", known, dtype=pl.Datetime("us", "UTC"))
    return rows.with_columns(times, release_basis=pl.lit("publication_lag"))


@lru_cache(maxsize=10_000)
def _known(report: date, clock: time, time_zone: str) -> datetime:
    """When a report was known (UTC): it is the same for all its series."""
    return datetime.combine(release_day(report), clock, ZoneInfo(time_zone)).astimezone(UTC)


@lru_cache
def _holidays(year: int) -> frozenset[date]:
    """Federal holidays that can fall on a Wednesday, Thursday or Friday, as they are observed."""
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25), date(year + 1, 1, 1)]
    fixed += [date(year, 6, 19)] if year >= 2021 else []
    november = date(year, 11, 1)
    thanksgiving = november + timedelta(days=(3 - november.weekday()) % 7 + 21)
    shift = {5: -1, 6: 1}  # a Saturday's is observed on Friday, a Sunday's on Monday
    return frozenset([thanksgiving, *(d + timedelta(days=shift.get(d.weekday(), 0)) for d in fixed)])
