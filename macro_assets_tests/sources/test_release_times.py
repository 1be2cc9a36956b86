"""When a period ends, and when its figure was probably published."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from macro_assets.catalog import Catalog, PublicationLag
from macro_assets.catalog.periods import estimated_release, period_end


@pytest.mark.parametrize(
    ("start", "frequency", "end"),
    [
        (date(2024, 2, 29), "D", date(2024, 2, 29)),
        (date(2024, 3, 1), "W", date(2024, 3, 1)),  # a week is dated by its end, whatever weekday that is
        (date(2024, 2, 1), "M", date(2024, 2, 29)),
        (date(2023, 2, 1), "M", date(2023, 2, 28)),
        (date(1900, 2, 1), "M", date(1900, 2, 28)),  # divisible by 100, no leap year
        (date(2023, 12, 1), "M", date(2023, 12, 31)),
        (date(2024, 1, 1), "Q", date(2024, 3, 31)),
        (date(2024, 4, 1), "Q", date(2024, 6, 30)),
        (date(2023, 10, 1), "Q", date(2023, 12, 31)),
        (date(2024, 1, 1), "A", date(2024, 12, 31)),
    ],
)
def test_last_day_of_a_period(start: date, frequency: str, end: date) -> None:
    assert period_end(start, frequency) == end


@pytest.mark.parametrize(
    ("frequency", "days", "clock", "zone", "start", "released"),
    [
        # 08:30 in New York is 13:30 UTC in winter and 12:30 in summer
        ("W", 5, time(8, 30), "America/New_York", date(2016, 1, 2), datetime(2016, 1, 7, 13, 30)),
        ("M", 8, time(8, 30), "America/New_York", date(2016, 1, 1), datetime(2016, 2, 8, 13, 30)),
        ("M", 8, time(8, 30), "America/New_York", date(2016, 5, 1), datetime(2016, 6, 8, 12, 30)),
        # the clock went forward on 2016-03-13, back on 2016-11-06
        ("D", 0, time(8, 30), "America/New_York", date(2016, 3, 12), datetime(2016, 3, 12, 13, 30)),
        ("D", 0, time(8, 30), "America/New_York", date(2016, 3, 13), datetime(2016, 3, 13, 12, 30)),
        ("D", 0, time(8, 30), "America/New_York", date(2016, 11, 6), datetime(2016, 11, 6, 13, 30)),
        # February 2016 had 29 days
        ("M", 1, time(12), "UTC", date(2016, 2, 1), datetime(2016, 3, 1, 12)),
        ("M", 1, time(12), "UTC", date(2015, 2, 1), datetime(2015, 3, 1, 12)),
        ("Q", 31, time(8, 30), "America/New_York", date(2016, 4, 1), datetime(2016, 7, 31, 12, 30)),
        ("A", 0, time(23), "America/New_York", date(2015, 1, 1), datetime(2016, 1, 1, 4)),  # the next day in UTC
        ("D", 1, time(8, 50), "Asia/Tokyo", date(2016, 5, 31), datetime(2016, 5, 31, 23, 50)),  # the day before
    ],
)
def test_period_end_plus_lag_in_utc(
    catalog: Catalog, frequency: str, days: int, clock: time, zone: str, start: date, released: datetime
) -> None:
    lag = PublicationLag(days=days, time=clock, time_zone=zone)
    series = catalog.one_series("PAYEMS").model_copy(update={"frequency": frequency, "publication_lag": lag})
    assert estimated_release(series, start) == released.replace(tzinfo=UTC)
