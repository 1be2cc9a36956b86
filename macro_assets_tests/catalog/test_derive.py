"""What follows from an entry: a new series is one YAML entry, and no Python."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import Catalog, load_catalog
from macro_assets.catalog.derive import polars_schema, series_facts, series_frame
from macro_assets_tests.catalog.editing import edit

TOY = """
  - id: SYNTHETIC_ORDERS
    dataset: frbny_nowcast
    code: DGORDER
    title: Synthetic orders
    unit: usd
    scale: 1000.0
    provider_unit: Thousands of dollars
    frequency: W
    seasonal_adjustment: NSA
    theme: synthetic
    first_year: 1992
    publication_lag: {days: 3, time: "08:30", time_zone: Asia/Tokyo}
    transform: 4
    bounds: {low: null, high: 5}
    staleness_days: 14
    aggregation: last
    licence: synthetic
    redistributable: false
"""


def test_one_yaml_entry_makes_a_series(folder: Path, catalog: Catalog) -> None:
    edit(folder, "sources/bundled.yaml", "series:\n", f"series:{TOY}")
    toy = load_catalog(folder)
    assert set(toy.series) - set(catalog.series) == {"SYNTHETIC_ORDERS"}
    assert toy.series["SYNTHETIC_ORDERS"].source == "bundled"
    assert toy.series["SYNTHETIC_ORDERS"].country == "US", "the file's defaults fill in"

    frame = series_frame(toy)
    assert frame.height == len(catalog.series) + 1
    row = frame.row(by_predicate=pl.col("series_id") == "SYNTHETIC_ORDERS", named=True)
    assert (row["scale"], row["frequency"], row["transform"], row["aggregation"]) == (1000.0, "W", 4, "last")
    assert (row["kind"], row["family"]) == ("macro_series", "fred")


def test_facts_are_the_fields_asked_for_of_the_series_asked_about(catalog: Catalog) -> None:
    asked = [catalog.one_series(i) for i in ("UNRATE", "PAYEMS")]
    facts = series_facts(asked, "frequency", "scale", "transform")
    assert facts.rows() == [("UNRATE", "M", 1.0, 2), ("PAYEMS", "M", 1000.0, 5)]
    assert series_facts([], "frequency", "scale", "transform").schema == facts.schema
    with pytest.raises(KeyError, match="colour"):
        series_facts(asked, "colour")


def test_an_entry_overrides_the_defaults_of_its_file(folder: Path) -> None:
    edit(folder, "sources/bundled.yaml", "series:\n", f"series:{TOY}    country: JP\n")
    assert load_catalog(folder).series["SYNTHETIC_ORDERS"].country == "JP"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            "fetch_log/bundled",
            {
                "series_id": pl.String(),
                "last_run_id": pl.String(),
                "last_seen": pl.Datetime("us", "UTC"),
                "status": pl.String(),
                "error": pl.String(),
                "rows_seen": pl.Int64(),
                "last_success": pl.Datetime("us", "UTC"),
                "last_look": pl.Datetime("us", "UTC"),
                "is_whole": pl.Boolean(),
                "provider": pl.String(),
                "latency_ms": pl.Float64(),
            },
        ),
        (
            "landing/bundled",
            {
                "request": pl.String(),
                "payload_sha256": pl.String(),
                "fetched_at": pl.Datetime("us", "UTC"),
                "run_id": pl.String(),
                "http_status": pl.Int64(),
                "validator": pl.String(),
                "provider": pl.String(),
                "series_ids": pl.String(),
                "window_first": pl.Date(),
                "window_last": pl.Date(),
                "asked_on": pl.Date(),
                "known_through": pl.String(),
                "body": pl.Binary(),
            },
        ),
        (
            "forecasts/gdp_nowcast",
            {
                "as_of_month": pl.String(),
                "as_of": pl.Datetime("us", "UTC"),
                "computed_at": pl.Datetime("us", "UTC"),
                "series_id": pl.String(),
                "target_date": pl.Date(),
                "horizon": pl.Int64(),
                "statistic": pl.String(),
                "value": pl.Float64(),
                "scenario": pl.String(),
                "model_version": pl.String(),
                "is_released": pl.Boolean(),
                "latest_release": pl.Datetime("us", "UTC"),
                "providers": pl.String(),
                "slice_hash": pl.String(),
                "unchanged_since": pl.Datetime("us", "UTC"),
            },
        ),
    ],
)
def test_polars_types_in_the_order_of_the_columns(
    catalog: Catalog, table: str, expected: dict[str, pl.DataType]
) -> None:
    assert list(polars_schema(catalog.one_table(table).columns).items()) == list(expected.items())


def test_every_column_of_the_lake_is_lower_case(catalog: Catalog) -> None:
    """Delta readers disagree on the case of column names (delta-rs#4404)."""
    names = {c.name for t in catalog.tables.values() for c in t.columns}
    assert {n for n in names if n != n.lower()} == set()
