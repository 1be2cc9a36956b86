"""A series of FRED taken in whole, with vintages in other dollars, that begin earlier: stored, and green."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import observations_as_of, read_raw
from macro_assets.quality import check_series
from macro_assets.sources.protocol import Client, Window
from macro_assets_tests.intake.taking import Taken, taken
from macro_assets_tests.sources.fred_server import FredServer
from macro_assets_tests.sources.wire import RECORDINGS, Replayed, recordings

VINTAGES = [date(1992, 12, 22), date(1996, 1, 19), date(1997, 5, 7), date(1999, 10, 28), date(2024, 10, 30)]
OF_GDP = {"units": "Billions of Dollars", "frequency_short": "Q", "seasonal_adjustment_short": "SAAR"}
OF_REAL_GDP = {**OF_GDP, "units": "Billions of Chained 2017 Dollars"}
BEGUN_EARLIER = {  # as FRED tells the year 1946, with the dots
    date(1946, 1, 1): (199.7, ".", 210.4, ".", "."),
    date(1947, 1, 1): (229.3, 234.2, 234.3, 237.2, 243.164),
}
IN_OLDER_DOLLARS = {
    date(1947, 1, 1): (123.95, 139.7, 140.2, 1493.1, 2182.681),
    date(1947, 4, 1): (124.72, 139.9, 140.9, 1488.7, 2176.892),
}


@pytest.fixture(autouse=True)
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRED_API_KEY", "not a secret")


def server(states: dict[date, tuple[float | str, ...]], metadata: dict[str, str]) -> FredServer:
    return FredServer(VINTAGES, states, date(2024, 11, 3), metadata=metadata)


def take(root: Path, series_id: str, client: Client, today: date = date(2024, 11, 3)) -> Taken:
    lake = Lakehouse(root, default_catalog())
    return taken(lake, "fred", [series_id], Window(today=today), clients=lambda source: client)


def failures(done: Taken) -> list[str]:
    return [o.failure for o in done.outcomes if o.failure]


def known(root: Path, day: str) -> dict[date, float | None]:
    rows = observations_as_of(day, root=root, catalog=default_catalog())
    return dict(rows.select("observation_date", "value").sort("observation_date").iter_rows())


def test_a_vintage_that_begins_earlier_is_taken_in_and_ends_when_it_was_withdrawn(tmp_path: Path) -> None:
    done = take(tmp_path, "GDP", server(BEGUN_EARLIER, OF_GDP))
    assert failures(done) == []
    assert known(tmp_path, "1995-01-01") == {date(1946, 1, 1): 199.7, date(1947, 1, 1): 229.3}
    assert known(tmp_path, "1998-01-01")[date(1946, 1, 1)] == 210.4
    for day in ("1996-06-01", "1999-11-01", "2024-11-02"):
        assert known(tmp_path, day).get(date(1946, 1, 1)) is None, "a withdrawn figure is not in force"
    assert known(tmp_path, "2024-11-02")[date(1947, 1, 1)] == 243.164


def test_a_vintage_in_older_dollars_is_taken_in_however_far_below_the_bounds(tmp_path: Path) -> None:
    done = take(tmp_path, "GDPC1", server(IN_OLDER_DOLLARS, OF_REAL_GDP))
    low = default_catalog().series["GDPC1"].bounds.low
    assert low is not None
    assert failures(done) == []
    assert known(tmp_path, "1993-01-01")[date(1947, 1, 1)] == 123.95 < low
    assert read_raw(Lakehouse(tmp_path, default_catalog()), "fred").height == 10


def test_a_figure_in_force_beyond_the_bounds_fails_and_leaves_the_rest(tmp_path: Path) -> None:
    wrong = {**BEGUN_EARLIER, date(1947, 4, 1): (232.9, 237.3, 237.5, 240.4, 245_968_000.0)}
    (reason,) = failures(take(tmp_path, "GDP", server(wrong, OF_GDP)))
    assert "1 of" in reason
    assert "245968000.0" in reason
    assert known(tmp_path, "2024-11-02")[date(1947, 4, 1)] == 240.4
    assert known(tmp_path, "2024-11-02")[date(1947, 1, 1)] == 243.164


def test_a_figure_in_force_from_before_the_first_year_fails(tmp_path: Path) -> None:
    kept = {**BEGUN_EARLIER, date(1946, 1, 1): (199.7, ".", 210.4, ".", 211.0)}
    (reason,) = failures(take(tmp_path, "GDP", server(kept, OF_GDP)))
    assert "observation_date greater_than_or_equal_to(1947-01-01), got '1946-01-01'" in reason


def test_an_old_vintage_that_comes_alone_is_judged_by_what_is_stored(tmp_path: Path) -> None:
    series = default_catalog().series["GDPC1"]
    take(tmp_path, "GDPC1", server(IN_OLDER_DOLLARS, OF_REAL_GDP))
    raw = read_raw(Lakehouse(tmp_path, default_catalog()), "fred")
    first = raw.filter(pl.col("release_time") < datetime(1993, 1, 1, tzinfo=UTC))
    latest = raw.filter(pl.col("release_time") > datetime(2020, 1, 1, tzinfo=UTC))
    assert check_series(first, series, latest).passed
    assert not check_series(first, series).passed
    assert not check_series(latest.with_columns(value=1.0), series, first).passed


def test_gross_domestic_product_as_fred_told_it_whole_ends_green(tmp_path: Path) -> None:
    told = {r.file: r for r in recordings("fred") if r.query.get("series_id") == "GDP" and r.status == 200}
    parts = ("series-vintagedates-GDP", "series-GDP", "series-observations-GDP-rt1776-07-04-to9999")
    found = [next((r for f, r in sorted(told.items()) if f.startswith(p)), None) for p in parts]
    if None in found:
        pytest.skip(f"GDP of all vintages was not recorded at {RECORDINGS}")
    observations = found[-1]
    assert observations is not None
    paths = ("/fred/series/vintagedates", "/fred/series", "/fred/series/observations")
    bodies = {p: r.body for p, r in zip(paths, found, strict=True) if r is not None}
    done = take(tmp_path, "GDP", Replayed(bodies, observations.recorded), observations.recorded.date())
    assert failures(done) == []
    assert done.accepted.height > 2900
    rows = json.loads(observations.body)["observations"]
    today = {r["date"]: r["value"] for r in rows if r["realtime_end"] == "9999-12-31" and r["value"] != "."}
    stored = {str(d): v for d, v in known(tmp_path, "2024-11-03").items() if v is not None}
    assert stored == {d: float(v) for d, v in today.items()}
    assert known(tmp_path, "1995-01-01")[date(1946, 1, 1)] == 199.7
