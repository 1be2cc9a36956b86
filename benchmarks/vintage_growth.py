"""How the cost of our own operations grows with the history, and the memory each takes.

Each operation runs in a process of its own: run as a program this is that process. Memory is `VmHWM` of
/proc/self/status; `ru_maxrss` is not used, since Linux hands a child the peak of the process that started it.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import ours
from measure import timed
from race import Report, print_table, quantile
from vintage_data import SyntheticVintages
from vintage_processes import environment

ROUNDS = 7
OPERATIONS = (
    "one series, Python",
    "one series, SQL session",
    "panel, Python",
    "panel, SQL session",
    "open a session",
    "refresh",  # the last: it writes
)


def peak_bytes() -> int:
    """Most memory this process has held; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def _measured(operation: str, lake: ours.Lake, data: SyntheticVintages, batches: Path) -> dict[str, Any]:
    """Seconds of the rounds and of a first call before them, and peak memory before and after."""
    batches.mkdir(parents=True)
    if operation == "refresh":
        for number in range(ROUNDS + 1):
            data.refresh().write_parquet(batches / f"{number}.parquet")
    task = {
        "operation": operation,
        "lake": str(lake.folder),
        "series": len(data.ids),
        "one": data.ids[3],
        "moments": [m.isoformat() for m in data.moments(ROUNDS + 1)],
        "batches": str(batches),
    }
    command = [sys.executable, __file__, json.dumps(task)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment())
    return {"operation": operation, "rows": data.rows, **json.loads(done.stdout)}


def _operation(task: dict[str, Any]) -> Callable[[int], object]:
    import polars as pl

    lake = ours.open_lake(Path(task["lake"]), task["series"])
    moments = [datetime.fromisoformat(m) for m in task["moments"]]
    batches = [pl.read_parquet(f) for f in sorted(Path(task["batches"]).glob("*.parquet"))]

    def open_session(_: int) -> None:
        lake.close_session()
        assert lake.session

    ways: dict[str, Callable[[int], object]] = {
        "one series, Python": lambda i: ours.series_as_of(lake, task["one"], moments[i]),
        "one series, SQL session": lambda i: ours.sql_series_as_of(lake, task["one"], moments[i]),
        "panel, Python": lambda i: ours.panel_as_of(lake, moments[i]),
        "panel, SQL session": lambda i: ours.sql_panel_as_of(lake, moments[i]),
        "open a session": open_session,
        "refresh": lambda i: ours.refresh(lake, batches[i]),
    }
    return ways[task["operation"]]


def _run(task: dict[str, Any]) -> dict[str, Any]:
    import macro_assets.lakehouse  # noqa: F401  the baseline is a process that has imported us

    work = _operation(task)
    before = peak_bytes()
    first, *rounds = [timed(lambda number=number: work(number)) for number in range(len(task["moments"]))]
    return {"seconds": rounds, "first": first, "import_bytes": before, "peak_bytes": peak_bytes()}


def growth(folder: Path, sizes: list[int], series: int, report: Report) -> None:
    """Measure every operation on a new lake of each size, smallest first, and print the exponents between them."""
    for rows in sizes:
        data = SyntheticVintages(rows, series)
        lake = ours.build_lake(folder / str(rows) / "lake", data.frame())
        report.alone += [_measured(o, lake, data, folder / str(rows) / o) for o in OPERATIONS]
    _show(report.alone)
    grown = {operation: exponent(operation, report.alone) for operation in OPERATIONS}
    report.notes += [f"growth of {o}: exponent {e:.2f}" for o, e in grown.items() if e is not None]


def exponent(operation: str, alone: list[dict[str, Any]]) -> float | None:
    """log(time ratio) / log(size ratio) between the smallest and the largest lake; 1 is linear. None for one lake."""
    own = sorted((one for one in alone if one["operation"] == operation), key=lambda one: one["rows"])
    small, large = own[0], own[-1]
    if small["rows"] == large["rows"]:
        return None
    times = median(large["seconds"]) / median(small["seconds"])
    return math.log(times) / math.log(large["rows"] / small["rows"])


def _show(alone: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table("ours", title="\nOurs, each operation in a process of its own", title_justify="left")
    for heading in ("rows", "first, ms", "median, ms", "p95, ms", "peak, MB", "imports, MB", "exponent"):
        table.add_column(heading, justify="right")
    for one in sorted(alone, key=lambda a: (OPERATIONS.index(a["operation"]), a["rows"])):
        seconds = (one["first"], median(one["seconds"]), quantile(one["seconds"], 0.95))
        memory = (one["peak_bytes"], one["import_bytes"])
        grown = exponent(one["operation"], alone)
        last = grown is not None and one["rows"] == max(a["rows"] for a in alone)
        figures = [*(f"{1000 * s:.4g}" for s in seconds), *(f"{m / 1e6:,.0f}" for m in memory)]
        table.add_row(one["operation"], f"{one['rows']:,}", *figures, f"{grown:.2f}" if last else "")
    print_table(table)


if __name__ == "__main__":
    print(json.dumps(_run(json.loads(sys.argv[1]))))
