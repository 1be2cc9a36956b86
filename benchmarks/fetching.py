"""The whole catalog fetched from stand-ins of all providers on loopback, 50 ms before each answer, rate limits lifted.

Figures are synthetic, formats the providers' own. The server is a process of its own; it makes its answers to a refresh
before the clock runs, those to the backfill while it runs. Reported: a backfill from 2010 to today as one run, with the
events it wrote, and a refresh of every series, with its processor time: the rest is waiting.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import ROOT, Ratio, fresh_home, show, timed

LATENCY_SECONDS = 0.05
REFRESH_SECONDS = 40.0


@contextmanager
def providers(latency: float) -> Iterator[dict[str, str]]:
    """Stand-ins of all providers, served by another process; gives the environment that leads there."""
    command = [sys.executable, "-m", "macro_assets_tests.providers.server", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())
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


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder, providers(LATENCY_SECONDS) as at_providers:
        place = fresh_home(Path(folder))
        environment = {**at_providers, **place}
        backfill = timed(lambda: fetch(environment, "--from", "2010"))
        logged = events(Path(place["DAGSTER_HOME"]))
        fetch(environment, "--all")  # the stand-ins make the answers to a refresh
        before = cpu_seconds()
        refresh = timed(lambda: fetch(environment, "--all"))
        busy = cpu_seconds() - before
    print(f"backfill of the catalog from 2010 as one run: {backfill:.1f} s, {logged:,} events")
    return [
        Ratio("refresh of the whole catalog", refresh, "allowed", REFRESH_SECONDS, 1.0),
        Ratio("processor time of the refresh", busy, "refresh", refresh, 1.0),
    ]


if __name__ == "__main__":
    show(run())
