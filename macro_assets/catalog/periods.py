"""Periods of observations, and when their figures come out, by the catalog's publication lags."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from math import gcd
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from macro_assets.catalog.holidays import delayed
from macro_assets.catalog.kinds.series import Frequency, Series
from macro_assets.catalog.kinds.source import Dated

if TYPE_CHECKING:
    import polars as pl

_MONTHS = {"M": 1, "Q": 3, "A": 12}
_TRUNCATED = {"M": "1mo", "Q": "1q", "A": "1y"}
_NAMED = {"D": "day", "W": "week", "M": "month", "Q": "quarter", "A": "year"}
_EVERY = {3: "quarters", 6: "half-years", 12: "years"}


class PeriodError(ValueError):
    """Dates that are none of the declared frequency. The message says which, and what was expected."""


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
    if (day := lag.late.get(start)) is None:
        end = period_end(start, series.frequency)
        days = next((former for until, former in sorted(lag.formerly.items()) if start < until), lag.days)
        usual = end + timedelta(days=days)
        day = delayed(end, usual) if lag.holidays else usual
    return release_instant(series, day)


def estimated_releases(series: Series, starts: pl.Series) -> pl.Series:
    """What :func:`estimated_release` says of each of some observation dates; all at once, for histories are long."""
    import polars as pl

    lag, every = series.publication_lag, _TRUNCATED.get(series.frequency)
    start = pl.col("start")
    days = pl.lit(lag.days)
    for until, former in sorted(lag.formerly.items(), reverse=True):
        days = pl.when(start < until).then(former).otherwise(days)
    end = start if every is None else start.dt.offset_by(every).dt.offset_by("-1d")
    frame = starts.alias("start").to_frame().with_columns(end=end, usual=end + pl.duration(days=days))
    if lag.holidays:
        pairs = frame.select("end", "usual").unique().rows()
        later = {usual: delayed(last, usual) for last, usual in pairs}
        frame = frame.with_columns(usual=pl.col("usual").replace(later))
    if lag.late:
        frame = frame.with_columns(usual=start.replace_strict(lag.late, default=pl.col("usual"), return_dtype=pl.Date))
    clock = pl.col("usual").dt.combine(lag.time, "us")
    zoned = clock.dt.replace_time_zone(lag.time_zone, ambiguous="earliest", non_existent="null")
    found = frame.select(zoned.dt.convert_time_zone("UTC")).to_series().alias("release_time")
    if found.null_count():  # a clock time that summer time leaves out
        return pl.Series("release_time", [estimated_release(series, d) for d in starts], pl.Datetime("us", "UTC"))
    return found


def period_start(day: date, frequency: Frequency) -> date:
    """First day of the period a day lies in; the day itself where the frequency is daily or weekly."""
    months = _MONTHS.get(frequency)
    return day if months is None else date(day.year, (day.month - 1) // months * months + 1, 1)


def first_days(days: pl.Series, frequency: Frequency, dated: Dated = "start") -> pl.Series:
    """The observation dates of figures: the first day of each one's period; of days and weeks the day itself.

    Parameters
    ----------
    days
        Dates as the provider states them.
    dated
        The day of the period that they are: its first, its last, or any.

    Raises
    ------
    PeriodError
        When one is another day of its period.
    """
    every = _TRUNCATED.get(frequency)
    if every is None or not len(days):
        return days
    starts = days.dt.truncate(every)
    stated = starts.dt.offset_by(every).dt.offset_by("-1d") if dated == "end" else starts
    if dated != "any" and (wrong := days != stated).any():
        day = "last" if dated == "end" else "first"
        expected = f"the {day} day of a {_NAMED[frequency]} (frequency {frequency}), {stated.filter(wrong)[0]}"
        raise PeriodError(f"expected {expected}, got {days.filter(wrong)[0]}")
    return starts


def refuse_another_rhythm(days: Collection[date], frequency: Frequency) -> None:
    """Refuse observation dates that are all right, one by one, and are yet those of another frequency.

    Months that come three or more apart throughout are quarters, half-years or years; so are quarters that skip others
    throughout. Weeks have no two dates within three days, and do not come four weeks apart throughout; days do not come
    a week apart throughout. Every second month is left alone: some offices count so, and no frequency says it. A few
    dates say nothing. Who asks leaves out what may have gaps: changes alone, series that follow no rhythm, and days
    of a part of a history, as those of a market's operations.

    Raises
    ------
    PeriodError
        When they are those of another frequency.
    """
    known = sorted(set(days))
    gaps = [(later - day).days for day, later in pairwise(known)]
    if frequency == "W" and gaps and min(gaps) <= _TOO_CLOSE:
        raise _another_rhythm(frequency, "days", known[gaps.index(min(gaps)) :])
    if len(known) < _FEW:
        return
    if frequency in ("D", "W"):
        if min(gaps) >= _APART[frequency]:
            raise _another_rhythm(frequency, "months" if min(gaps) >= _APART["W"] else "weeks", known)
        return
    step = gcd(*(12 * (d.year - known[0].year) + d.month - known[0].month for d in known))
    if (frequency == "M" and step > 2) or (frequency == "Q" and step > 3):
        raise _another_rhythm(frequency, _EVERY.get(step, f"every {step} months"), known)


_FEW = 3
"""Dates that tell a rhythm."""
_TOO_CLOSE = 3
"""Days between two figures that are of no weekly series."""
_APART = {"D": 6, "W": 28}
"""Days between all figures that are of no series of this frequency."""


def _another_rhythm(frequency: Frequency, found: str, known: list[date]) -> PeriodError:
    some = ", ".join(map(str, known[:_FEW]))
    return PeriodError(f"expected figures of every {_NAMED[frequency]} (frequency {frequency}), got {found}: {some}")


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


def last_whole_day(moment: datetime) -> date:
    """The last day (UTC) of which at most the last second was to come: what is dated that day was known."""
    utc = moment.astimezone(UTC)
    return utc.date() if utc.time() >= time(23, 59, 59) else utc.date() - timedelta(days=1)


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
