"""Months of recession, as far as they were known."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.transforms.recessions import announced, recession_months

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
