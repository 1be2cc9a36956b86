"""The whole catalog fetched from stand-ins of all providers on loopback, 50 ms before each answer, rate limits lifted.

Figures are synthetic, formats the providers' own. The server is a process of its own; it makes its answers to a refresh
before the clock runs, those to the backfill while it runs. Reported: a backfill from 2010 to today as one run, with the
events it wrote; a refresh of every series, with its processor time: the rest is waiting; and one in which the look for
revisions of all of them is due, as once a week, with the requests and bytes of each.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import polars as pl
from measure import ROOT, Ratio, fresh_home, show, timed

from macro_assets.catalog import default_catalog, names
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.write import overwrite

LATENCY_SECONDS = 0.05
REFRESH_SECONDS = 40.0


@contextmanager
def providers(latency: float) -> Iterator[tuple[dict[str, str], Callable[[], tuple[int, int]]]]:
    """Stand-ins of all providers, served by another process.

    Gives the environment that leads there, and what says how many answers of how many bytes were sent.
    """
    command = [sys.executable, "-m", "macro_assets_tests.providers.server", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def sent() -> tuple[int, int]:
            print(file=server.stdin, flush=True)
            answers, size = json.loads(server.stdout.readline())  # type: ignore[union-attr]
            return answers, size

        try:
            yield json.loads(server.stdout.readline()), sent
        finally:
            server.stdin.close()


def fetch(environment: dict[str, str], *arguments: str) -> str:
    """`macro fetch` in a process of its own; returns what it printed."""
    command = [sys.executable, "-m", "macro_assets.cli", "fetch", *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stderr + done.stdout


def events(home: Path) -> int:
    """Events in the log of a Dagster home."""
    shards = [f for f in (home / "data/dagster/history/runs").glob("*.db") if f.stem != "index"]
    return sum(sqlite3.connect(f).execute("SELECT count(*) FROM event_logs").fetchone()[0] for f in shards)


def cpu_seconds() -> float:
    """Processor time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def forget_looks(root: Path) -> None:
    """As if no provider had been asked for all that it serves in the last week."""
    lake = Lakehouse(root, default_catalog())
    for source in lake.catalog.sources:
        log = lake.read(names.fetch_log(source))
        if not log.is_empty():
            nothing = pl.lit(None, log.schema["last_look"])
            overwrite(lake, names.fetch_log(source), log.with_columns(last_look=nothing), {})


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder, providers(LATENCY_SECONDS) as (at_providers, sent):
        place = fresh_home(Path(folder))
        environment = {**at_providers, **place}
        backfill = timed(lambda: fetch(environment, "--from", "2010"))
        logged = events(Path(place["DAGSTER_HOME"]))
        fetch(environment, "--all")  # the stand-ins make the answers to a refresh
        before, counts = cpu_seconds(), [sent()]
        refresh = timed(lambda: fetch(environment, "--all"))
        busy = cpu_seconds() - before
        counts.append(sent())
        forget_looks(Path(place["MACRO_LAKE"]))
        look = timed(lambda: fetch(environment, "--all"))
        counts.append(sent())
    print(f"backfill of the catalog from 2010 as one run: {backfill:.1f} s, {logged:,} events")
    for what, seconds, (a, b) in zip(("refresh", "weekly look"), (refresh, look), pairwise(counts), strict=True):
        print(f"{what} of the whole catalog: {seconds:.1f} s, {b[0] - a[0]:,} requests, {(b[1] - a[1]) / 1e6:,.0f} MB")
    return [
        Ratio("refresh of the whole catalog", refresh, "allowed", REFRESH_SECONDS, 1.0),
        Ratio("processor time of the refresh", busy, "refresh", refresh, 1.0),
    ]


if __name__ == "__main__":
    show(run())
