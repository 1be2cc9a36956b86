"""Standard units."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from macro_assets.transforms.normalize import standard_units
from macro_assets_tests.transforms.synthetic import catalog_of, concat, months, observed

RELEASED = pl.lit(datetime(2020, 6, 1, tzinfo=UTC), dtype=pl.Datetime("us", "UTC"))


def test_a_number_is_multiplied_by_the_scale_of_its_series() -> None:
    catalog = catalog_of(JOBS={"scale": 1000.0}, RATE={"scale": 1.0}, GONE_NEXT={"scale": 2.0})
    known = concat([observed("RATE", months(5.0, None)), observed("JOBS", months(143.0, 144.5))])
    units = standard_units(known.with_columns(release_time=RELEASED, run_id=pl.lit("r")), catalog)
    assert units.columns == ["source", "series_id", "observation_date", "value", "release_time"]
    assert units.select("series_id", "observation_date", "value").rows() == [
        ("JOBS", date(2020, 1, 1), 143_000.0),
        ("JOBS", date(2020, 2, 1), 144_500.0),
        ("RATE", date(2020, 1, 1), 5.0),
        ("RATE", date(2020, 2, 1), None),  # the provider says: missing
    ]


def test_series_the_catalog_does_not_have_are_left_out() -> None:
    known = concat(
        [observed("JOBS", months(1.0)), observed("RETIRED", months(1.0)), observed("JOBS", months(9.0), "old")]
    )
    units = standard_units(known.with_columns(release_time=RELEASED), catalog_of(JOBS={"scale": 1.0}))
    assert units.select("source", "series_id", "value").rows() == [("bundled", "JOBS", 1.0)]
