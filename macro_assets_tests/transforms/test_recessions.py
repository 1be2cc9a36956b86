"""Months of recession, as far as they were known."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.transforms.recessions import announced, known_by, recession_months

MONTHS = pl.Series(
    "month", [date(2007, 11, 1), date(2007, 12, 1), date(2008, 1, 1), date(2009, 6, 1), date(2009, 7, 1)]
)


def labels(as_of: datetime | None) -> list[float | None]:
    known = announced(default_catalog().recessions, as_of)
    return recession_months(known, MONTHS).to_list()


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (datetime(2008, 6, 30, 23, tzinfo=UTC), [None] * 5),
        (datetime(2009, 1, 31, 23, tzinfo=UTC), [0, 0, None, None, None]),
        (datetime(2011, 1, 31, 23, tzinfo=UTC), [0, 0, 1, 1, None]),
        (None, [0, 0, 1, 1, 0]),
    ],
)
def test_what_was_not_announced_is_missing_and_no_expansion(
    as_of: datetime | None, expected: list[float | None]
) -> None:
    assert labels(as_of) == expected


def test_without_a_chronology_nothing_is_known() -> None:
    assert recession_months(announced([]), MONTHS).to_list() == [None] * 5


@pytest.mark.parametrize("day", ["1978-12-30", "1978-12-31", "2008-11-30", "2008-12-01", "2010-09-19", "2010-09-20"])
def test_what_was_known_on_a_day_is_what_had_been_announced_by_then(day: str) -> None:
    recessions, last = default_catalog().recessions, date.fromisoformat(day)
    assert known_by(announced(recessions), last).equals(announced([k for r in recessions if (k := r.known_on(last))]))
