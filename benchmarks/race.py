"""Races of many contenders: rounds in turn, the spread of each, and a report that keeps every raw timing."""

from __future__ import annotations

import json
import os
import platform
import random
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from measure import Ratio, timed

THREADS = 2
"""Of every contender, on any machine."""


def use_two_threads() -> None:
    """Hold this process and those it starts to two CPUs, and say so to the libraries that size pools themselves.

    Call it before any of them is imported.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    pools = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_IO_THREADS")
    arctic = ("ARCTICDB_VersionStore_NumCPUThreads_int", "ARCTICDB_VersionStore_NumIOThreads_int")
    os.environ.update(dict.fromkeys((*pools, *arctic), str(THREADS)))


def quantile(seconds: list[float], share: float) -> float:
    """Linear interpolation between the order statistics."""
    ordered = sorted(seconds)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


@dataclass
class Race:
    """The seconds of every round of every contender, and who did not run and why."""

    title: str
    seconds: dict[str, list[float]]
    not_run: dict[str, str] = field(default_factory=dict)

    def ratio(self, name: str, ours: str, theirs: str, target: float) -> list[Ratio]:
        """Median against median; nothing when a side did not run."""
        if ours not in self.seconds or theirs not in self.seconds:
            return []
        return [Ratio(name, median(self.seconds[ours]), theirs, median(self.seconds[theirs]), target)]


@dataclass
class Report:
    """Everything a run found out."""

    versions: dict[str, str] = field(default_factory=dict)
    races: list[Race] = field(default_factory=list)
    alone: list[dict[str, Any]] = field(default_factory=list)
    """Ours, each operation in a process of its own: see `vintage_growth.py`."""
    notes: list[str] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.versions |= {
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} CPUs",
        }

    def write(self, path: Path) -> None:
        ratios = [{**asdict(r), "ratio": r.ratio, "met": r.met} for r in self.ratios]
        path.write_text(json.dumps({**asdict(self), "ratios": ratios}, indent=1))


def run_race(
    title: str,
    contenders: dict[str, Callable[[int], object]],
    rounds: int,
    not_run: dict[str, str] | None = None,
    primed: bool = False,
) -> Race:
    """Every contender once per round, in another order each round, so that no one always follows the same neighbour.

    Parameters
    ----------
    contenders
        By name; called with the number of the round, warm: call each once before.
    primed
        Call each again, untimed and with the next round's number, just before it is timed: what takes a millisecond
        is else slowed by the memory its neighbour has just gone through.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        order = random.Random(number).sample(list(contenders), len(contenders))
        for name in order:
            work = contenders[name]
            if primed:
                work((number + 1) % rounds)
            seconds[name].append(timed(lambda work=work, number=number: work(number)))
    return Race(title, seconds, dict(not_run or {}))


def show_race(race: Race, per_second: tuple[str, int] | None = None) -> None:
    """Print the spread of each contender, fastest first.

    Parameters
    ----------
    per_second
        Heading and number of things one round does, for a column of throughput.
    """
    from rich.table import Table

    table = Table("contender", title=f"\n{race.title}", title_justify="left")
    for heading in ("rounds", "median, ms", "p95, ms", "IQR, ms", *([per_second[0]] if per_second else [])):
        table.add_column(heading, justify="right")
    for name, seconds in sorted(race.seconds.items(), key=lambda item: median(item[1])):
        middle = median(seconds)
        spread = quantile(seconds, 0.75) - quantile(seconds, 0.25)
        figures = [milliseconds(s) for s in (middle, quantile(seconds, 0.95), spread)]
        rate = [f"{per_second[1] / middle:,.0f}"] if per_second else []
        table.add_row(name, str(len(seconds)), *figures, *rate)
    for name, why in race.not_run.items():
        table.add_row(name, "not run", why)
    print_table(table)


def milliseconds(seconds: float) -> str:
    """Four digits: '0.8529', '1,447'."""
    value = 1000 * seconds
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def print_table(table: Any) -> None:
    """Print a table of rich's as wide as the terminal, or 140 columns, at once."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 140, markup=False).print(table)
    sys.stdout.flush()
