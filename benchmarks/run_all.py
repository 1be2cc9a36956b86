"""`make bench`: every benchmark, one table; exit code 1 when a target is missed."""

from __future__ import annotations

import sys

import code_location
import full_run
import graph_overhead
from measure import show

if __name__ == "__main__":
    ratios = [r for module in (code_location, full_run, graph_overhead) for r in module.run()]
    show(ratios)
    sys.exit(0 if all(r.met for r in ratios) else 1)
