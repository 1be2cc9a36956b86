"""Standard units, and the rows of a long table."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from macro_assets.transforms.normalize import normalized, standard_units
from macro_assets_tests.transforms.synthetic import concat, facts_of, held_by, months, observed

RELEASED = pl.lit(datetime(2020, 6, 1, tzinfo=UTC), dtype=pl.Datetime("us", "UTC"))


COLUMNS = ["source", "series_id", "provider", "observation_date", "value", "unit", "release_time"]


def test_a_number_is_multiplied_by_the_scale_of_its_holder() -> None:
    holdings = pl.concat([held_by("bundled", JOBS=1000.0, RATE=1.0, GONE_NEXT=2.0), held_by("fred", JOBS=1e6)])
    known = concat([observed("RATE", months(5.0, None)), observed("JOBS", months(143.0, 144.5))])
    units = standard_units(known.with_columns(release_time=RELEASED, run_id=pl.lit("r")), holdings)
    assert units.columns == COLUMNS
    assert set(units["unit"]) == {"unit_of_bundled"}
    assert units.select("series_id", "observation_date", "value").rows() == [
        ("JOBS", date(2020, 1, 1), 143_000.0),
        ("JOBS", date(2020, 2, 1), 144_500.0),
        ("RATE", date(2020, 1, 1), 5.0),
        ("RATE", date(2020, 2, 1), None),  # the provider says: missing
    ]


def test_rows_of_who_is_no_holder_are_left_out() -> None:
    known = concat(
        [observed("JOBS", months(1.0)), observed("RETIRED", months(1.0)), observed("JOBS", months(9.0), "old")]
    )
    units = standard_units(known.with_columns(release_time=RELEASED), held_by("bundled", JOBS=1.0))
    assert units.select("source", "series_id", "provider", "value").rows() == [("home", "JOBS", "bundled", 1.0)]


def test_a_row_has_its_stationary_value_and_its_score_where_there_is_one() -> None:
    """JOBS by code 2: changes of 1000, 3000, then of nothing known; a score from the second change on."""
    facts = facts_of(JOBS={"transform": 2}, RATE={"transform": 1})
    known = concat([observed("RATE", months(5.0)), observed("JOBS", months(1.0, 2.0, 5.0, None, 7.0))])
    holdings = held_by("bundled", JOBS=1000.0, RATE=1.0)
    rows = normalized(standard_units(known.with_columns(release_time=RELEASED), holdings), facts, {"M": 2})
    assert rows.columns == [*COLUMNS, "transformed", "zscore"]
    assert rows.select("series_id", "observation_date", "value", "transformed").rows() == [
        ("JOBS", date(2020, 1, 1), 1000.0, None),
        ("JOBS", date(2020, 2, 1), 2000.0, 1000.0),
        ("JOBS", date(2020, 3, 1), 5000.0, 3000.0),
        ("JOBS", date(2020, 4, 1), None, None),
        ("JOBS", date(2020, 5, 1), 7000.0, None),
        ("RATE", date(2020, 1, 1), 5.0, 5.0),
    ]
    assert rows["zscore"].to_list() == [None, None, pytest.approx(0.5**0.5), None, None, None]
    assert rows["release_time"].null_count() == 0
