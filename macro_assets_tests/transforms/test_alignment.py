"""What was known at each instant: frequencies beside each other, revisions, and nothing before its release."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from macro_assets.transforms.alignment import aligned

FIGURES = {
    "series_id": pl.String,
    "observation_date": pl.Date,
    "release_time": pl.Datetime("us", "UTC"),
    "value": pl.Float64,
}


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2024, 5, day, hour, tzinfo=UTC)


def figures(*rows: tuple[str, date, datetime, float | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, FIGURES, orient="row")


def calendar(*instants: datetime) -> pl.DataFrame:
    return pl.DataFrame({"as_of": instants}, {"as_of": pl.Datetime("us", "UTC")})


QUARTER, MARCH, APRIL = date(2024, 1, 1), date(2024, 3, 1), date(2024, 4, 1)

MIXED = figures(
    ("GDP", QUARTER, at(2, 8), 1.6),
    ("GDP", QUARTER, at(6, 8), 1.3),  # revised
    ("PAYEMS", MARCH, at(1), 303.0),
    ("PAYEMS", APRIL, at(3, 12), 175.0),
    ("PAYEMS", MARCH, at(5), 315.0),  # a revision of the month before: April is still the newest
    ("DGS10", date(2024, 5, 2), at(3), 4.58),
    ("DGS10", date(2024, 5, 3), at(4), None),
)


def test_the_newest_known_of_each_frequency() -> None:
    days = calendar(at(6, 8), at(2), at(3, 12), at(5))  # in any order
    expected = {
        ("DGS10", at(3, 12)): 4.58,
        ("DGS10", at(5)): None,
        ("DGS10", at(6, 8)): None,
        ("GDP", at(3, 12)): 1.6,
        ("GDP", at(5)): 1.6,
        ("GDP", at(6, 8)): 1.3,
        ("PAYEMS", at(2)): 303.0,
        ("PAYEMS", at(3, 12)): 175.0,  # at the instant of its release it is known
        ("PAYEMS", at(5)): 175.0,
        ("PAYEMS", at(6, 8)): 175.0,
    }
    for order in (MIXED, MIXED.reverse()):
        found = aligned(days, order)
        assert {(s, t): v for t, s, v in found.select("as_of", "series_id", "value").iter_rows()} == expected
        assert [*zip(found["series_id"], found["as_of"], strict=True)] == sorted(expected)


def test_a_whole_vintage_at_one_instant_gives_its_last_period() -> None:
    vintage = figures(("X", APRIL, at(3), 2.0), ("X", QUARTER, at(3), 0.0), ("X", MARCH, at(3), 1.0))
    assert aligned(calendar(at(3)), vintage).row(0) == (at(3), "X", APRIL, 2.0)


def test_a_figure_of_later_changes_nothing_before() -> None:
    days = calendar(*(at(d) for d in range(1, 8)))
    planted = pl.concat([MIXED, figures(("GDP", APRIL, at(7), 1e6))])
    before = pl.col("as_of") < at(7)
    assert aligned(days, planted).filter(before).equals(aligned(days, MIXED).filter(before), null_equal=True)


def test_nothing_known_has_no_row() -> None:
    assert aligned(calendar(at(1)), MIXED.filter(pl.col("series_id") == "GDP")).is_empty()
    assert aligned(calendar(at(1)), figures()).is_empty()
    assert aligned(calendar(), MIXED).is_empty()
