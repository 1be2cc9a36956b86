"""What the calendar says of a date: weekday, day of the month, and true ends of months and quarters."""

from __future__ import annotations

import polars as pl


def with_calendar_features(frame: pl.DataFrame, column: str = "observation_date") -> pl.DataFrame:
    """A frame with what the calendar says of its dates.

    Returns
    -------
    DataFrame
        The frame with `day_of_week` (1 Monday to 7 Sunday), `day_of_month`, and `is_month_end` and `is_quarter_end`:
        whether it is the last day of its month, its quarter; null of no date.
    """
    day = pl.col(column)
    return frame.with_columns(
        day_of_week=day.dt.weekday(),
        day_of_month=day.dt.day(),
        is_month_end=day == day.dt.month_end(),
        is_quarter_end=(day == day.dt.month_end()) & (day.dt.month() % 3 == 0),
    )
