"""Periods of observations, and when their figures come out, by the catalog's publication lags."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from macro_assets.catalog.kinds.series import Frequency, Series

_MONTHS = {"M": 1, "Q": 3, "A": 12}


def period_end(start: date, frequency: Frequency) -> date:
    """Last day of the period an observation date stands for; a weekly date is the week's last day already."""
    months = _MONTHS.get(frequency)
    if months is None:
        return start
    month = start.month - 1 + months
    return date(start.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def release_instant(series: Series, day: date) -> datetime:
    """When what is published on a local day becomes known (UTC): that day at the clock time of the publication lag."""
    return _clock_time(day, series.publication_lag.time, series.publication_lag.time_zone)


@lru_cache(maxsize=10_000)
def _clock_time(day: date, clock: time, time_zone: str) -> datetime:
    return datetime.combine(day, clock, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def estimated_release(series: Series, start: date) -> datetime:
    """When an observation was probably published (UTC): the period's end plus the series' publication lag, or late."""
    lag = series.publication_lag
    usual = period_end(start, series.frequency) + timedelta(days=lag.days)
    return release_instant(series, lag.late.get(start, usual))


def period_start(day: date, frequency: Frequency) -> date:
    """First day of the period a day lies in; the day itself where the frequency is daily or weekly."""
    months = _MONTHS.get(frequency)
    return day if months is None else date(day.year, (day.month - 1) // months * months + 1, 1)


def next_period(start: date, frequency: Frequency) -> date:
    """The observation date that follows one; of daily series the next business day."""
    if frequency == "W":
        return start + timedelta(days=7)
    if frequency == "D":
        return start + timedelta(days=3 if start.isoweekday() == 5 else 2 if start.isoweekday() == 6 else 1)
    return period_end(start, frequency) + timedelta(days=1)


def month_end(month: str, now: datetime) -> datetime:
    """As-of instant of a month 'YYYY-MM': its last microsecond (UTC); in the open month, now."""
    last = period_end(date.fromisoformat(f"{month}-01"), "M")
    return min(datetime.combine(last, time.max, tzinfo=UTC), now)


def previous_month(month: str, count: int = 1) -> str:
    """The month some months before 'YYYY-MM'."""
    for _ in range(count):
        month = f"{date.fromisoformat(f'{month}-01') - timedelta(days=1):%Y-%m}"
    return month


def latest_refit(month: str, refits: Collection[int]) -> str:
    """The latest of the months 'YYYY-MM' whose calendar month is named, not after a month."""
    while int(month[5:]) not in refits:
        month = previous_month(month)
    return month


def utc_now() -> datetime:
    """The present instant (UTC)."""
    return datetime.now(UTC)
