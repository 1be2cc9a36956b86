"""What a benchmark reports, and how it is printed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Ratio:
    """One comparison: our seconds, the other side's, and the most the ratio may be."""

    name: str
    ours: float
    other: str
    theirs: float
    target: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        return self.ratio <= self.target


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall time."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def interleaved(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of both sides, run in turn so that a busy machine is busy for both."""
    pairs = [(timed(ours), timed(theirs)) for _ in range(rounds)]
    return median(p[0] for p in pairs), median(p[1] for p in pairs)


def python(code: str, environment: dict[str, str] | None = None, arguments: Sequence[str] = ()) -> None:
    """Run code in a Python process of its own, silently: under `-c` DuckDB takes itself for interactive."""
    command = [sys.executable, "-c", code, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})})


def fresh_home(folder: Path) -> dict[str, str]:
    """Environment of an empty lake with a Dagster home of its own."""
    home = folder / "home"
    home.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    return {"MACRO_LAKE": str(folder / "lake"), "DAGSTER_HOME": str(home)}


def show(ratios: list[Ratio]) -> None:
    """Print the ratios as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("benchmark", title="\nBenchmarks", title_justify="left")
    for heading in ("ours, s", "other side", "s", "ratio", "target", ""):
        table.add_column(heading, justify="left" if heading == "other side" else "right")
    for r in ratios:
        row = [r.name, f"{r.ours:.3g}", r.other, f"{r.theirs:.3g}", f"{r.ratio:.3g}", f"<= {r.target:g}"]
        table.add_row(*row, "met" if r.met else "MISSED")
    Console(width=None if sys.stdout.isatty() else 140).print(table)
