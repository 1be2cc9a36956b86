"""What processes do that race each other for one table. Each runs in a process of its own and tells what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from unittest.mock import patch

import polars as pl
from deltalake import write_deltalake
from deltalake.exceptions import CommitFailedError

from macro_assets.lakehouse import connect, write
from macro_assets.lakehouse.delta import open_table
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import append_vintages
from macro_assets_tests.faults.writers import CATALOG, DERIVED, derived, vintage
from macro_assets_tests.lakehouse.synthetic import forecast_rows

FORECASTS = CATALOG.one_table("forecasts/gdp_nowcast")
LEAST, MOST = 6, 100
"""How often a process writes: until it has lost a race, within these limits."""


@contextmanager
def lost_races() -> Iterator[list[str]]:
    """The commits that another process was faster with."""
    lost: list[str] = []

    def counting(*args: object, **kwargs: object) -> None:
        try:
            write_deltalake(*args, **kwargs)
        except CommitFailedError as error:
            lost.append(str(error))
            raise

    with patch.object(write, "write_deltalake", counting):
        yield lost


def revised(n: int) -> pl.DataFrame:
    """The n-th vintage, of which every third value is news and the others are as in the vintage before."""
    rows = vintage(n)
    values = [100.0 * max(n - (n - i) % 3, 0) + i for i in range(rows.height)]
    return rows.with_columns(value=pl.Series(values))


def _until_a_race_is_lost(do: Callable[[int], object], lost: list[str]) -> int:
    for n in range(MOST):
        do(n)
        if lost and n >= LEAST:
            break
    return n + 1


def append(lake: Path, first: int, told: Connection) -> None:
    """Append every second vintage from one on; tell how many, and how often another process was faster."""
    with lost_races() as lost:
        done = _until_a_race_is_lost(
            lambda n: append_vintages("bundled", revised(first + 2 * n), f"writer {first}", root=lake, catalog=CATALOG),
            lost,
        )
    told.send((done, len(lost)))


def compact(lake: Path, told: Connection) -> None:
    """Compact the raw table until told to stop; tell how often that was done."""
    compacted = 0
    while not told.poll():
        target = open_table(lake, "raw/bundled")
        assert target is not None
        compacted += write.compact(lake, "raw/bundled", target, max_files=1)
    told.recv()
    told.send(compacted)


def replace(lake: Path, name: str, first: int, told: Connection) -> None:
    """Replace the derived table by every second content; tell which contents were stored, and which were refused."""
    stored, refused = [], []

    def do(n: int) -> None:
        content = first + 2 * n
        try:
            write.overwrite(Lakehouse(lake, CATALOG), DERIVED.name, derived(content), {"run_id": f"{name} {content}"})
            stored.append(f"{name} {content}")
        except write.WriteConflictError as error:
            refused.append(str(error))

    _until_a_race_is_lost(do, refused)
    told.send((stored, refused))


def forecast_a_month(lake: Path, month: str, told: Connection) -> None:
    """Replace one as-of month again and again, until the other process has written in between; tell how often."""
    before, between = 0, []

    def do(n: int) -> None:
        nonlocal before
        version = write.overwrite(Lakehouse(lake, CATALOG), FORECASTS.name, forecast_rows(month, float(n)), {}, [month])
        between.extend(["by the other"] * (before > 0 and version > before + 1))
        before = version

    told.send((_until_a_race_is_lost(do, between), len(between)))


def read_twice(lake: Path, told: Connection) -> None:
    """Open a session and begin a scan; read, wait until told to go on, and read both again."""
    con = connect(root=lake, catalog=CATALOG)
    frame = Lakehouse(lake, CATALOG).scan(DERIVED.name)[0].select(pl.col("zscore").sum())
    question = "SELECT (SELECT sum(value) FROM raw.bundled), (SELECT sum(zscore) FROM normalized.fred)"
    told.send((con.execute(question).fetchone(), frame.collect().item()))
    told.recv()
    told.send((con.execute(question).fetchone(), frame.collect().item()))


def asking_notebook(lake: Path, told: Connection) -> None:
    """Open a session, wait for the word, and open another; each sees whole vintages, the newest of them everywhere."""
    for said in ("began", "ended"):
        con = connect(root=lake, catalog=CATALOG)
        known = con.execute("SELECT value FROM series_as_of('PAYEMS', '2020-12-31')").fetchall()
        (rows,) = con.execute("SELECT count(*) FROM raw.bundled").fetchone() or (0,)
        assert known == [(float(rows - 1),)], (known, rows)
        told.send(said)
        if said == "began":
            told.recv()
