"""What the calendar says of dates."""

from __future__ import annotations

from datetime import date

import polars as pl

from macro_assets.transforms.calendar_features import with_calendar_features


def test_ends_of_months_and_quarters_are_the_last_days_of_them() -> None:
    """Not any day from the 28th on, and not any day of March."""
    days = [date(2023, 2, 28), date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 30), date(2024, 3, 31), None]
    told = with_calendar_features(pl.DataFrame({"observation_date": days}))
    assert told.select("day_of_week", "day_of_month", "is_month_end", "is_quarter_end").rows() == [
        (2, 28, True, False),
        (3, 28, False, False),
        (4, 29, True, False),
        (6, 30, False, False),
        (7, 31, True, True),
        (None, None, None, None),
    ]
