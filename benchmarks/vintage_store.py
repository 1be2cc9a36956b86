"""`make bench-vintages`: the vintage store against other stores; exit code 1 when a target is missed.

`--rows 10000000` adds how the cost of our own operations grows from 2,000,000 rows. More rows are more vintages of as
many series, so that the answers stay as large; `--series` spreads them over more series instead.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path

from measure import Ratio, show
from race import use_two_threads

RACES = ("reads", "first", "refresh", "growth", "readers")


def run(
    rows: int = 2_000_000,
    series: int = 250,
    readers: int = 10,
    races: Collection[str] = RACES,
    raw: Path | None = None,
) -> list[Ratio]:
    """Races at one size, printed as they end; raw timings go to `raw`."""
    use_two_threads()
    from vintage_races import race_all

    report = race_all(rows, series, readers, races)
    for name, version in report.versions.items():
        print(f"{name}: {version}")
    for note in report.notes:
        print(note)
    if raw is not None:
        report.write(raw)
    return report.ratios


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Race the vintage store.")
    parser.add_argument("--rows", type=int, default=2_000_000, help="vintage rows; default 2000000")
    parser.add_argument("--series", type=int, default=250, help="series they are spread over; default 250")
    parser.add_argument("--readers", type=int, default=10, help="processes that read during commits; default 10")
    parser.add_argument("--races", nargs="+", choices=RACES, default=RACES, help="which; default all")
    parser.add_argument("--json", type=Path, help="where to write every raw timing")
    asked = parser.parse_args()
    ratios = run(asked.rows, asked.series, asked.readers, asked.races, asked.json)
    show(ratios)
    sys.exit(0 if all(r.met for r in ratios) else 1)
