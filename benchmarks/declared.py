"""A catalog of many more entries: 12 indicators, 20 models and 30 charts of known methods in a user's folder.

They are copies of the catalog's own under other names, called synthetic. The code location against `import dagster`,
and what reading and checking that catalog takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.resources import files
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from measure import Ratio, interleaved, python, show

MORE = {"indicators": 12, "models": 20, "charts": 30}
ROUNDS = 7
LOCATION = "from macro_assets.definitions import defs; defs.get_repository_def()"
READ = """
import time
from macro_assets.catalog import default_catalog
from macro_assets.graph.declared import graph
start = time.perf_counter()
found = graph(default_catalog())
print(time.perf_counter() - start)
assert not found.catalog.refused, found.catalog.refused
assert sum(t.startswith("charts/synthetic") for d in found.derivations for t in d.tables) == 30
"""


def write_many(folder: Path) -> None:
    """A file of each kind."""
    import yaml

    data = files("macro_assets.catalog") / "data"
    for kind, count in MORE.items():
        entries: list[dict[str, Any]] = [
            e for f in sorted((data / kind).iterdir(), key=str) for e in yaml.safe_load(f.read_text())[kind]
        ]
        copies = [{**e, "name": f"synthetic_{n}"} for n, e in enumerate(islice(cycle(entries), count))]
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump({kind: copies}, sort_keys=False))


def _printed(code: str) -> float:
    """The number that a Python process of its own prints."""
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        write_many(Path(folder))
        os.environ["MACRO_CATALOG"] = folder
        ours, theirs = interleaved(lambda: python(LOCATION), lambda: python("import dagster"), ROUNDS)
        read = median(_printed(READ) for _ in range(ROUNDS))
        del os.environ["MACRO_CATALOG"]
    named = ", ".join(f"{n} {kind}" for kind, n in MORE.items())
    return [
        Ratio(f"load the code location with {named} more", ours, "import dagster", theirs, 3.0),
        Ratio("read and check that catalog", read, "allowed", 0.5, 1.0),
    ]


if __name__ == "__main__":
    show(run())
