"""Series of mixed frequency on one calendar, as known at each instant (R7), against DuckDB's ASOF JOIN and pandas.

250 series, daily to quarterly, on 8,000 business days: 2,000,000 rows. Each side is given the figures in the order in
which the store keeps them, as it likes them best (DuckDB in tables of its own, pandas with categories), and begins from
a calendar. The answers are equal before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from statistics import median
from typing import Any

import polars as pl
from measure import Ratio, show, timed

from macro_assets.transforms.alignment import aligned

SERIES = 250
DAYS = 8_000
ROUNDS = 5
TARGET = 1.5
EVERY, LAG = (1, 5, 21, 63), ("1d", "3d", "20d", "40d")
ASOF = """
    select l.as_of, l.series_id, f.observation_date, f.value
    from (select s.series_id, c.as_of from (select distinct series_id from figures) s cross join calendar c) l
    asof join figures f on l.series_id = f.series_id and l.as_of >= f.release_time
"""


def synthetic() -> tuple[pl.DataFrame, pl.DataFrame]:
    """The calendar, and the figures by series and release."""
    import numpy as np

    draw = np.random.default_rng(7)
    days = pl.date_range(date(1990, 1, 1), date(2021, 12, 31), eager=True)
    days = days.filter(days.dt.weekday() <= 5)[:DAYS]
    instant = days.cast(pl.Datetime("us", "UTC"))
    parts = []
    for number in range(SERIES):
        own, released = days.gather_every(EVERY[number % 4]), instant.gather_every(EVERY[number % 4])
        parts.append(
            pl.DataFrame(
                {"observation_date": own, "release_time": released, "value": draw.normal(size=len(own))}
            ).select(
                pl.lit(f"S{number:03d}").alias("series_id"),
                "observation_date",
                pl.col("release_time").dt.offset_by(LAG[number % 4]),
                "value",
            )
        )
    return instant.dt.offset_by("12h").alias("as_of").to_frame(), pl.concat(parts)


def by_duckdb(calendar: pl.DataFrame, figures: pl.DataFrame) -> Callable[[], pl.DataFrame]:
    import duckdb

    session = duckdb.connect(config={"threads": 2})
    for name, frame in (("calendar", calendar), ("figures", figures)):
        session.register("given", frame.to_arrow())
        session.execute(f"create table {name} as from given")
        session.unregister("given")
    return lambda: pl.DataFrame(session.execute(ASOF).to_arrow_table())


def by_pandas(calendar: pl.DataFrame, figures: pl.DataFrame) -> Callable[[], Any]:
    import pandas as pd

    days, known = calendar.to_pandas(), figures.to_pandas()
    known["series_id"] = known["series_id"].astype("category")
    ids = pd.DataFrame({"series_id": known["series_id"].drop_duplicates()})

    def run() -> Any:
        left, right = days.merge(ids, how="cross"), known.sort_values("release_time", kind="stable")
        found = pd.merge_asof(left, right, left_on="as_of", right_on="release_time", by="series_id")
        return found.dropna(subset="observation_date")

    return run


def told(frame: pl.DataFrame) -> pl.DataFrame:
    """An answer as all can be compared."""
    return frame.select(
        pl.col("as_of").dt.epoch("us"),
        pl.col("series_id").cast(pl.String),
        pl.col("observation_date").cast(pl.Date),
        "value",
    ).sort("series_id", "as_of")


def run() -> list[Ratio]:
    calendar, figures = synthetic()
    sides: dict[str, Callable[[], Any]] = {
        "ours": lambda: aligned(calendar, figures),
        "DuckDB": by_duckdb(calendar, figures),
        "pandas": by_pandas(calendar, figures),
    }
    expected = told(sides["ours"]())
    for name in ("DuckDB", "pandas"):
        if not told(pl.DataFrame(sides[name]())).equals(expected):
            raise AssertionError(f"{name} aligns otherwise")
    rounds = [{name: timed(work) for name, work in sides.items()} for _ in range(ROUNDS)]
    seconds = {name: median(r[name] for r in rounds) for name in sides}
    faster = min(("DuckDB", "pandas"), key=lambda name: seconds[name])
    slower = ({"DuckDB", "pandas"} - {faster}).pop()
    name = f"align {SERIES} series on {DAYS:,} days"
    return [Ratio(name, seconds["ours"], f"{faster} ({slower}: {seconds[slower]:.3g} s)", seconds[faster], TARGET)]


if __name__ == "__main__":
    show(run())
