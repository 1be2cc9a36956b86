"""Federal holidays of the United States, on which its agencies, the Federal Reserve and its markets publish nothing."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_DAY = timedelta(days=1)
_OBSERVED = {5: -_DAY, 6: _DAY}
"""A Saturday's holiday is observed on Friday, a Sunday's on Monday."""

_BY_DATE = ((1, 1, 1870), (6, 19, 2021), (7, 4, 1870), (11, 11, 1938), (12, 25, 1870))
"""Month, day, and the first year of it."""

_BY_WEEKDAY = ((1, 0, 3, 1986), (2, 0, 3, 1971), (5, 0, -1, 1971), (9, 0, 1, 1894), (10, 0, 2, 1971), (11, 3, 4, 1942))
"""Month, weekday (0 = Monday), which of the month's (-1 = the last), and the first year of it."""


@lru_cache
def federal_holidays(year: int) -> frozenset[date]:
    """The holidays of a year as they are observed, New Year's Day of the next among them.

    By 5 U.S.C. 6103. Memorial Day and Washington's Birthday before 1971, which were dates, and Veterans Day in October
    from 1971 to 1977 are left out, as are days on which a president closed the government.
    """
    dates = [date(year, month, day) for month, day, since in _BY_DATE if year >= since] + [date(year + 1, 1, 1)]
    moved = [day + _OBSERVED.get(day.weekday(), timedelta(0)) for day in dates]
    return frozenset(moved + [_nth(year, m, weekday, nth) for m, weekday, nth, since in _BY_WEEKDAY if year >= since])


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    if nth < 0:
        following = date(year + month // 12, month % 12 + 1, 1)
        return following - timedelta(days=(following.weekday() - weekday - 1) % 7 + 1)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


@lru_cache(maxsize=100_000)
def delayed(end: date, day: date) -> date:
    """The day on which comes what would have come on a day, by the holidays since the end of what it is about.

    Each adds a day; where there was one and the day is then no business day, it is the next that is.
    """
    closed = {d for year in range(end.year, day.year + 1) for d in federal_holidays(year)}
    between = sum(end < d <= day for d in closed)
    if not between:
        return day
    day += between * _DAY
    while day.weekday() > 4 or day in closed:
        day += _DAY
    return day
