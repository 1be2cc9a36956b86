"""`make bench`: every benchmark, one table; exit code 1 when a target is missed.

The races of the vintage store take longer than all the others and are left out unless `--vintages` is given.
"""

from __future__ import annotations

import sys

import alignment
import automation
import code_location
import curves
import declared
import fetching
import first_answer
import full_run
import graph_cost
import graph_overhead
import indicators
import kernels
import parsing
import vintage_store
from measure import show

if __name__ == "__main__":
    modules = [code_location, declared, first_answer, automation, full_run, graph_overhead, graph_cost]
    modules += [fetching, parsing, alignment, curves, kernels, indicators]
    if "--vintages" in sys.argv[1:]:
        modules.append(vintage_store)  # last: it holds this process to two CPUs
    ratios = [r for module in modules for r in module.run()]
    show(ratios)
    sys.exit(0 if all(r.met for r in ratios) else 1)
