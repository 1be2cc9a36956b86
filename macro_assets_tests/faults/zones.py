"""The same questions to a lake made afresh, for machines in different time zones."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from macro_assets.catalog import default_catalog
from macro_assets.catalog.periods import estimated_release, month_end, period_end
from macro_assets.lakehouse import connect, instant, open_vintages
from macro_assets.lakehouse.delta import content_hash, data_version
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages, observations_as_of
from macro_assets.lakehouse.releases import releases
from macro_assets_tests.faults.writers import vintage
from macro_assets_tests.intake.taking import taken
from macro_assets_tests.lakehouse.synthetic import one_source

SERIES = ("PAYEMS", "GDPC1", "AAA", "SP500")
"""Monthly and quarterly in dated vintages, monthly and daily with estimated release times; from 1919 on."""

DAYS = ("1950-01-01", "2016-03-13", "2016-07-29", "2016-11-06")
"""Days to ask as of: before 1970, of a vintage, and those on which clocks in New York went forward and back."""

SQL = (
    "SELECT *, CAST(release_time AS VARCHAR) AS text FROM observations_as_of(DATE '{}')",
    "SELECT * FROM series_as_of('SP500', '{}T12:00:00Z')",
    "SELECT * FROM series_as_of('AAA', TIMESTAMPTZ '{} 12:30:00')",
    "SELECT year(release_time), month(release_time), hour(release_time), count(*) FROM raw.bundled "
    "WHERE release_time <= TIMESTAMPTZ '{} 00:00:00' GROUP BY ALL",
)

IN_2040 = datetime(2040, 2, 29, 12, tzinfo=UTC)


def answers(lake: Path) -> dict[str, str]:
    """What a lake made of real figures answers, by question."""
    full = one_source()
    catalog = dataclasses.replace(full, series={s: full.series[s] for s in (*SERIES, "UNRATE")})
    taken(Lakehouse(lake, catalog), "bundled", SERIES)
    append_vintages("bundled", _unemployment_in_2040(), "run", root=lake, catalog=catalog)
    raw = catalog.one_table("raw/bundled")
    said = {"raw": data_version(Lakehouse(lake, catalog).read(raw.name), raw)}
    con, held = connect(root=lake, catalog=catalog), open_vintages(None, lake, catalog)
    for day in DAYS:
        known = observations_as_of(day, root=lake, catalog=catalog)
        assert held.as_of(day).equals(known)
        said[f"as of {day}"] = content_hash(known)
        for n, question in enumerate(SQL):
            rows = con.execute(question.format(day)).pl()
            said[f"{n} on {day}"] = f"{rows.height} {content_hash(rows.sort(pl.all()))}"
    then = connect(as_of="2016-06-30", root=lake, catalog=catalog).execute("SELECT * FROM normalized.observations").pl()
    said["session of 2016-06-30"] = content_hash(then.sort(pl.all()))
    said["releases in SQL"] = content_hash(con.execute("SELECT * FROM releases('PAYEMS')").pl())
    said["releases"] = content_hash(releases("GDPC1", root=lake, catalog=catalog))
    for day in ("2040-02-28", "2040-02-29", "2040-03-01"):
        polars = observations_as_of(day, ["UNRATE"], root=lake, catalog=catalog)
        assert held.as_of(day, ["UNRATE"]).equals(polars)
        sql = con.execute(f"SELECT max(observation_date) FROM series_as_of('UNRATE', DATE '{day}')").fetchone()
        said[f"known on {day}"] = f"{polars.height} {polars['observation_date'].max()} {sql}"
    return said | periods()


def _unemployment_in_2040() -> pl.DataFrame:
    """Two years of months, up to the end of 2039, released on the last day of February 2040."""
    return vintage(0).with_columns(
        pl.col("observation_date").dt.offset_by("38y"),
        series_id=pl.lit("UNRATE"),
        release_time=pl.lit(IN_2040),
        ingested_at=pl.lit(IN_2040),
    )


def periods() -> dict[str, str]:
    """Where periods, days and estimated releases end in UTC."""
    payrolls = default_catalog().series["PAYEMS"]  # published at 08:30 in New York
    early = payrolls.publication_lag.model_copy(update={"days": 0, "time": datetime(2000, 1, 1, 2, 30).time()})
    at_half_past_two = payrolls.model_copy(update={"frequency": "D", "publication_lag": early})
    now = datetime(2100, 1, 1, tzinfo=UTC)
    days = {d: date.fromisoformat(d) for d in ("2024-02-29", "2016-03-13", "2016-11-06", "2039-12-31")}
    return {
        **{f"end of {d}": instant(d).isoformat() for d in days},
        **{f"{f} from {d}": str(period_end(d, f)) for d, f in PERIODS},
        **{f"released on {d}": estimated_release(at_half_past_two, day).isoformat() for d, day in days.items()},
        **{f"end of month {m}": month_end(m, now).isoformat() for m in ("2024-02", "2016-03", "2040-02")},
        "an offset": instant("2016-03-13T02:30:00-05:00").isoformat(),
    }


PERIODS = [
    (date(2024, 2, 29), "D"),
    (date(2024, 2, 26), "W"),
    (date(2020, 12, 28), "W"),  # week 53
    (date(2024, 2, 1), "M"),
    (date(2040, 2, 1), "M"),
    (date(2038, 1, 1), "Q"),
    (date(2039, 10, 1), "Q"),
    (date(2038, 1, 1), "A"),
]


def answers_in(zone: str, lake: Path) -> dict[str, str]:
    """The answers of a process that begins in a time zone."""
    os.environ["TZ"] = zone
    time.tzset()
    return {"now": time.strftime("%z", time.localtime(0)), **answers(lake)}


if __name__ == "__main__":
    print(json.dumps({"now": time.strftime("%z", time.localtime(0)), **answers(Path(sys.argv[1]))}))
