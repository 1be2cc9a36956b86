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
from race import Report, milliseconds, print_table, quantile
from vintage_data import SyntheticVintages
from vintage_processes import environment

ROUNDS = 7
OPERATIONS = (
    "one series, held in memory",
    "one series, fresh look",
    "one series, SQL session",
    "25 series, held in memory",
    "versions of 30 series at 200 instants, held in memory",
    "hold 25 series",
    "panel, held in memory",
    "panel, fresh look",
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
        "some": data.ids[:: len(data.ids) // 30 or 1][:30],
        "moments": [m.isoformat() for m in data.moments(ROUNDS + 1)],
        "instants": [m.isoformat() for m in data.moments(200)],
        "batches": str(batches),
    }
    command = [sys.executable, __file__, json.dumps(task)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment())
    return {"operation": operation, "rows": data.rows, **json.loads(done.stdout.splitlines()[-1])}


def _operation(task: dict[str, Any]) -> Callable[[int], object]:
    import polars as pl

    lake = ours.open_lake(Path(task["lake"]), task["series"])
    moments = [datetime.fromisoformat(m) for m in task["moments"]]
    batches = [pl.read_parquet(f) for f in sorted(Path(task["batches"]).glob("*.parquet"))]

    def open_session(_: int) -> None:
        lake.close_session()
        assert lake.session

    ways: dict[str, Callable[[int], object]] = {
        "one series, fresh look": lambda i: ours.series_as_of(lake, task["one"], moments[i]),
        "one series, SQL session": lambda i: ours.sql_series_as_of(lake, task["one"], moments[i]),
        "one series, held in memory": lambda i: ours.held_series_as_of(lake, task["one"], moments[i]),
        "25 series, held in memory": lambda i: lake.held.as_of(moments[i], task["some"][:25]),
        "versions of 30 series at 200 instants, held in memory": lambda _: lake.held.versions(
            task["instants"], task["some"]
        ),
        "hold 25 series": lambda _: ours.hold(lake, task["some"][:25]),
        "panel, held in memory": lambda i: ours.held_panel_as_of(lake, moments[i]),
        "panel, fresh look": lambda i: ours.panel_as_of(lake, moments[i]),
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
    """Measure every operation on a new lake of each size and print the exponents between the sizes.

    The sizes take turns, operation by operation, so that a busy machine is busy for both.
    """
    shapes = [SyntheticVintages(rows, series) for rows in sizes]
    lakes = [ours.build_lake(folder / str(data.rows) / "lake", data.frame()) for data in shapes]
    for operation in OPERATIONS:
        for lake, data in zip(lakes, shapes, strict=True):
            report.alone.append(_measured(operation, lake, data, folder / str(data.rows) / operation))
    _show(report.alone)
    grown = {operation: exponents(operation, report.alone) for operation in OPERATIONS}
    report.notes += [
        f"growth of {o}: exponent {e[0]:.2f} by medians, {e[1]:.2f} by the fastest rounds"
        for o, e in grown.items()
        if e
    ]


def exponents(operation: str, alone: list[dict[str, Any]]) -> tuple[float, float] | None:
    """log(time ratio) / log(size ratio) between the smallest and the largest lake; 1 is linear. None for one lake.

    By medians, and by the fastest rounds, which other work on the machine disturbs least.
    """
    own = sorted((one for one in alone if one["operation"] == operation), key=lambda one: one["rows"])
    small, large = own[0], own[-1]
    if small["rows"] == large["rows"]:
        return None
    size = math.log(large["rows"] / small["rows"])
    by_median, by_fastest = (math.log(f(large["seconds"]) / f(small["seconds"])) / size for f in (median, min))
    return by_median, by_fastest


def _show(alone: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table("ours", title="\nOurs, each operation in a process of its own", title_justify="left")
    for heading in ("rows", "first, ms", "median, ms", "p95, ms", "peak, MB", "imports, MB", "exponent", "of fastest"):
        table.add_column(heading, justify="right")
    for one in sorted(alone, key=lambda a: (OPERATIONS.index(a["operation"]), a["rows"])):
        seconds = (one["first"], median(one["seconds"]), quantile(one["seconds"], 0.95))
        memory = (one["peak_bytes"], one["import_bytes"])
        largest = one["rows"] == max(a["rows"] for a in alone)
        grown = exponents(one["operation"], alone) if largest else None
        figures = [*(milliseconds(s) for s in seconds), *(f"{m / 1e6:,.0f}" for m in memory)]
        table.add_row(one["operation"], f"{one['rows']:,}", *figures, *(f"{e:.2f}" for e in grown or ()))
    print_table(table)


if __name__ == "__main__":
    print(json.dumps(_run(json.loads(sys.argv[1]))))
