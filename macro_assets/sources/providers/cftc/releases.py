"""When CFTC published a Commitments of Traders report: on Friday, on Monday after a holiday, or weeks late.

The files state the day a report is about, never the day it came out. CFTC's rule says more than a lag of three days
does (https://www.cftc.gov/MarketReports/CommitmentsofTraders/ReleaseSchedule/index.htm); the reports that came later
than by the rule are in the catalog (`late` of the publication lag).
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import polars as pl

from macro_assets.catalog import Series
from macro_assets.catalog.holidays import federal_holidays
from macro_assets.catalog.periods import release_instant


def release_day(report: date, series: Series) -> date:
    """The day a report came out: by the rule, unless the catalog knows that it was late."""
    return series.publication_lag.late.get(report) or _by_the_rule(report)


@lru_cache(maxsize=10_000)
def _by_the_rule(report: date) -> date:
    """The first Friday after the report's day; where a federal holiday lies between, the Monday after that Friday."""
    friday = report + timedelta(days=(4 - report.weekday()) % 7 or 7)
    closed = federal_holidays(report.year) | federal_holidays(friday.year)
    return friday + timedelta(days=3) if any(report < day <= friday for day in closed) else friday


def released(rows: pl.DataFrame, series: Series) -> pl.DataFrame:
    """The weeks with when they came out: estimated, by CFTC's own rule and the catalog's exceptions."""
    known = [release_instant(series, release_day(day, series)) for day in rows["observation_date"].to_list()]
    times = pl.Series("release_time", known, dtype=pl.Datetime("us", "UTC"))
    return rows.with_columns(times, release_basis=pl.lit("publication_lag"))
