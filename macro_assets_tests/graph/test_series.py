"""`macro_assets.series`: the observations of a series as a frame."""

from __future__ import annotations

from datetime import UTC, date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import macro_assets
from macro_assets.catalog import UnknownNameError
from macro_assets.lakehouse import observations_as_of
from macro_assets.lakehouse.delta import LakeError
from macro_assets_tests.conftest import Built


def test_a_series_as_of_a_day_in_standard_units(built: Built) -> None:
    then = macro_assets.series("PAYEMS", as_of="2016-06-30", root=built.home.lake)
    last = then.row(-1, named=True)
    assert (last["series_id"], last["observation_date"], last["value"], last["unit"]) == (
        "PAYEMS",
        date(2016, 5, 1),
        143_894_000.0,
        "persons",
    )
    assert (last["provider"], last["release_time"].astimezone(UTC).date()) == ("bundled", date(2016, 6, 29))
    today = macro_assets.series("PAYEMS", root=built.home.lake)
    assert (today.height, today["value"][-1]) == (then.height + 1, 144_175_000.0)


def test_several_series_are_long_and_say_what_the_raw_tables_say(built: Built) -> None:
    found = macro_assets.series(["UNRATE", "PAYEMS", "UNRATE"], as_of="2016-07-29", root=built.home.lake)
    assert found["series_id"].unique(maintain_order=True).to_list() == ["PAYEMS", "UNRATE"]
    raw = observations_as_of("2016-07-29", ["PAYEMS", "UNRATE"], built.home.lake)
    scale = pl.when(pl.col("series_id") == "PAYEMS").then(1000.0).otherwise(1.0)
    columns = ["series_id", "observation_date", "value", "provider", "release_time"]
    assert_frame_equal(found.select(columns), raw.with_columns(pl.col("value") * scale).select(columns))


def test_nothing_known_is_no_error_but_nothing_fetched_and_nothing_named_are(built: Built) -> None:
    lake = built.home.lake
    assert macro_assets.series("PAYEMS", as_of="1970-01-01", root=lake).is_empty()
    with pytest.raises(LakeError, match="series USPRIV was never fetched.*`macro fetch raw/fred/USPRIV` gets it"):
        macro_assets.series(["PAYEMS", "USPRIV"], root=lake)
    with pytest.raises(UnknownNameError, match="unknown series 'PAYROLS'"):
        macro_assets.series("PAYROLS", root=lake)
    with pytest.raises(ValueError, match="no series is named"):
        macro_assets.series([], root=lake)
