"""Large tables, each made and read in a process of its own that tells the most memory it took."""

from __future__ import annotations

import dataclasses
import resource
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from macro_assets.catalog import Catalog
from macro_assets.lakehouse import connect
from macro_assets.lakehouse.raw import append_vintages, observations_as_of
from macro_assets_tests.faults import writers

_DAILY = writers.CATALOG.series["PAYEMS"].model_copy(update={"frequency": "D"})
CATALOG = dataclasses.replace(writers.CATALOG, series={**writers.CATALOG.series, "PAYEMS": _DAILY})
DATES, VINTAGES, SERIES = 50_000, 20, 5_000
INGESTED = datetime(2026, 1, 1, tzinfo=UTC)


def peak_megabytes() -> float:
    """The most memory this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def released(n: int) -> datetime:
    """When the n-th vintage was released."""
    return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=n)


def vintages(first: int, last: int) -> pl.DataFrame:
    """Vintages of one long daily series, every value of each another."""
    days = pl.DataFrame({"day": pl.int_range(DATES, eager=True)})
    numbers = pl.DataFrame({"n": list(range(first, last))})
    times = [released(n) for n in range(first, last)]
    return days.join(numbers.with_columns(release_time=pl.Series(times)), how="cross").select(
        series_id=pl.lit("PAYEMS"),
        observation_date=pl.lit(date(1880, 1, 1)) + pl.duration(days="day"),
        value=(pl.col("day") + pl.col("n") * DATES).cast(pl.Float64),
        release_time="release_time",
        release_basis=pl.lit("provider"),
        provider=pl.lit("bundled"),
        ingested_at=pl.lit(INGESTED),
        payload_sha256=pl.lit("0" * 64),
    )


def a_long_series(lake: Path) -> tuple[list[tuple[int, float]], float]:
    """Rows and first value as of three vintages of a table of a million rows; and the memory it took."""
    report = append_vintages("bundled", vintages(0, VINTAGES), "run", root=lake, catalog=CATALOG)
    assert report.new + report.revised == DATES * VINTAGES
    again = append_vintages("bundled", vintages(VINTAGES - 1, VINTAGES + 1), "again", root=lake, catalog=CATALOG)
    assert (again.unchanged, again.revised) == (DATES, DATES)
    found = []
    for n in (0, 7, VINTAGES):
        known = observations_as_of(released(n), ["PAYEMS"], root=lake, catalog=CATALOG)
        sql = connect(root=lake).execute("SELECT count(*), min(value) FROM series_as_of('PAYEMS', ?)", [released(n)])
        assert sql.fetchone() == (known.height, known["value"].min())
        found.append((known.height, float(known["value"][0])))
    return found, peak_megabytes()


def catalog_of_many() -> Catalog:
    """A catalog of thousands of series."""
    one = CATALOG.series["PAYEMS"]
    many = {f"S{n}": one.model_copy(update={"id": f"S{n}"}) for n in range(SERIES)}
    return dataclasses.replace(CATALOG, series=many, indicators={}, scores={}, models={}, charts={})


def many_series(lake: Path) -> tuple[int, list[int], float]:
    """Series known of a table with a row each, before and after one of them is revised; and the memory it took."""
    catalog = catalog_of_many()
    rows = vintages(0, 1).head(1).drop("series_id").join(pl.DataFrame({"series_id": list(catalog.series)}), how="cross")
    assert append_vintages("bundled", rows, "run", root=lake, catalog=catalog).new == SERIES
    revised = rows.filter(pl.col("series_id") == "S77").with_columns(value=7.0, release_time=pl.lit(released(1)))
    assert append_vintages("bundled", revised, "again", root=lake, catalog=catalog).revised == 1
    before, after = (observations_as_of(released(n), root=lake, catalog=catalog) for n in (0, 1))
    changed = after.join(before, on=["series_id", "value"], how="anti")["series_id"].to_list()
    assert changed == ["S77"]
    return before.height, [after.height, after["series_id"].n_unique()], peak_megabytes()
