"""Periods of estimates: of the days before them, those before where there are none, and the last alone where asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from macro_assets.transforms.estimation import estimated_by_period

MONTHS = pl.date_range(date(2000, 7, 1), date(2005, 6, 1), "1mo", eager=True)


def refusing(*sizes: int) -> Callable[[int], int]:
    def estimate(size: int) -> int:
        if size in sizes:
            raise ZeroDivisionError
        return size

    return estimate


def test_each_year_has_the_estimates_of_the_months_before() -> None:
    found = list(estimated_by_period(MONTHS, "1y", 12, refusing(), ZeroDivisionError))
    assert found == [(18, 30, 18, 18), (30, 42, 30, 30), (42, 54, 42, 42), (54, 60, 54, 54)]


def test_where_there_are_none_those_before_stand() -> None:
    found = list(estimated_by_period(MONTHS, "1y", 12, refusing(18, 42), ZeroDivisionError))
    assert found == [(30, 42, 30, 30), (42, 54, 30, 30), (54, 60, 54, 54)]


def test_the_last_days_alone_have_the_estimates_that_they_have_among_all() -> None:
    """Of the last 8 months two lie in the year before, whose estimates failed."""
    whole = list(estimated_by_period(MONTHS, "1y", 12, refusing(42), ZeroDivisionError))
    made: list[int] = []

    def estimate(size: int) -> int:
        made.append(size)
        return refusing(42)(size)

    assert list(estimated_by_period(MONTHS, "1y", 12, estimate, ZeroDivisionError, last=8)) == whole[-2:]
    assert made == [42, 30, 54], "no others were estimated"
