"""F1: a writer is killed at any moment. Tables are the old or the new version, and the next writer goes on."""

from __future__ import annotations

import json
import os
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import polars as pl

from macro_assets.catalog import Table
from macro_assets.lakehouse import connect
from macro_assets.lakehouse.delta import data_version
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.landing import land
from macro_assets.lakehouse.raw import append_vintages
from macro_assets.lakehouse.upkeep.maintenance import maintain_table
from macro_assets.lakehouse.write import overwrite
from macro_assets_tests.faults.processes import Child
from macro_assets_tests.faults.writers import (
    CATALOG,
    COMMIT,
    DERIVED,
    TABLES,
    derived,
    receipt,
    step,
    times_written,
    vintage,
    write_steps,
    written,
)

LAKES, KILLS_A_LAKE = 5, 40
A_MONTH_AGO = (datetime.now(UTC) - timedelta(days=31)).timestamp()


def orphans(lake: Path, table: Table) -> set[Path]:
    """Data files that no commit ever named: whole ones, and half-written ones (`...parquet#1`)."""
    folder = lake / table.name
    entries = [json.loads(line) for f in folder.glob("_delta_log/*.json") for line in f.read_text().splitlines()]
    named = {e["add"]["path"] for e in entries if "add" in e}
    return {f for f in folder.glob("*") if f.is_file() and f.name not in named}


def wait_for_a_file(folder: Path) -> None:
    """Until something is new in a folder, or for a second."""

    def names() -> int:
        try:
            return len(os.listdir(folder))
        except FileNotFoundError:
            return 0

    before = names()
    for _ in range(10_000):
        if names() != before:
            return
        time.sleep(1e-4)


class Killer:
    """Starts writers on a lake and kills them: at any moment of a step, or just after a file appeared."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.steps = [0.03]
        """Seconds that steps took: this machine's, today."""

    def kill_a_writer(self, lake: Path, first: int) -> int:
        """Let a writer begin with a step, kill it, and return how many steps it told to be done."""
        writer = Child(write_steps, lake, first)
        done = writer.hear()
        if self.random.random() < 0.5:
            for _ in range(self.random.randrange(2)):
                begun = time.perf_counter()
                done = writer.hear()
                self.steps.append(time.perf_counter() - begun)
            time.sleep(self.random.random() * 1.2 * median(self.steps[-20:]))
        else:
            folder = lake / TABLES[first % len(TABLES)].name
            wait_for_a_file(folder if self.random.random() < 0.7 else folder / "_delta_log")
            time.sleep(self.random.random() * 1e-3)
        return int(str(([done, *writer.kill()])[-1]))


def undisturbed(lake: Path, steps: int) -> dict[str, str]:
    """What the tables of a fresh lake say when nobody was killed, written in as few steps as there are tables."""
    vintages, receipts, replacements = written(steps)
    append_vintages("bundled", pl.concat([vintage(n) for n in range(vintages)]), "writer", root=lake, catalog=CATALOG)
    land(Lakehouse(lake, CATALOG), "bundled", pl.concat([receipt(n) for n in range(receipts)]), COMMIT)
    overwrite(Lakehouse(lake, CATALOG), DERIVED.name, derived(replacements - 1), COMMIT)
    return data_versions(lake)


def data_versions(lake: Path) -> dict[str, str]:
    return {t.name: data_version(Lakehouse(lake, CATALOG).read(t.name), t) for t in TABLES}


def clean(lake: Path) -> None:
    """Upkeep keeps leftovers that are younger than the retention, and removes older ones."""
    left_over = {f for t in TABLES for f in orphans(lake, t)}
    for table in TABLES:
        maintain_table(Lakehouse(lake, CATALOG), table.name, datetime.now(UTC))
    assert {f for t in TABLES for f in orphans(lake, t)} == left_over
    for file in left_over:
        os.utime(file, (A_MONTH_AGO, A_MONTH_AGO))
    for table in TABLES:
        maintain_table(Lakehouse(lake, CATALOG), table.name, datetime.now(UTC))
    assert {f for t in TABLES for f in orphans(lake, t)} == set()


def test_200_killed_writers_leave_old_or_new_versions(tmp_path: Path) -> None:
    """F1: SIGKILL at 200 random points. What a writer told to be done is there, and of the write it was in everything
    or nothing; the next writer begins with the write whose end nobody saw, and nothing is lost or there twice.
    """
    orphaned = 0
    for n in range(LAKES):
        killer, lake = Killer(n), tmp_path / f"lake{n}"
        told = seen = 0
        for _ in range(KILLS_A_LAKE):
            told = killer.kill_a_writer(lake, told)
            times = times_written(lake)
            possible = range(max(told, seen), told + 2)
            assert times in [written(k) for k in possible], f"lake {n} after step {told}"
            seen = next(k for k in possible if times == written(k))
        orphaned += sum(len(orphans(lake, t)) for t in TABLES)
        assert seen > KILLS_A_LAKE // 4  # writers came further than their first write
        goes_on_as_if_nothing_had_happened(lake, told, tmp_path / f"undisturbed{n}")
    assert orphaned >= 5  # kills fell between a data file and its commit


def goes_on_as_if_nothing_had_happened(lake: Path, told: int, elsewhere: Path) -> None:
    """The steps that follow lead where they lead on a lake whose writers lived; upkeep keeps what is needed."""
    end = told + 2 * len(TABLES)
    for k in range(told, end):
        step(lake, k)
    assert data_versions(lake) == undisturbed(elsewhere, end)
    known = connect(root=lake, catalog=CATALOG).execute("SELECT count(*), max(value) FROM raw.bundled").fetchone()
    assert known == (24 * written(end)[0], vintage(written(end)[0] - 1)["value"].max())
    clean(lake)
    assert times_written(lake) == written(end)
