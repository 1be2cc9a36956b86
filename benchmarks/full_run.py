"""`macro run` as a user runs it, in a process of its own: from nothing, and with everything up to date."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Ratio, fresh_home, show, timed

FIRST_RUN_SECONDS = 60.0
SECOND_RUN_SECONDS = 25.0


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        environment = fresh_home(Path(folder))

        def macro_run() -> None:
            command = [sys.executable, "-m", "macro_assets.cli", "run"]
            subprocess.run(command, check=True, env=environment, capture_output=True)

        first, second = timed(macro_run), timed(macro_run)
    return [
        Ratio("first run, warm environment", first, "allowed", FIRST_RUN_SECONDS, 1.0),
        Ratio("second run, nothing stale", second, "allowed", SECOND_RUN_SECONDS, 1.0),
        Ratio("second run against the first", second, "first run", first, SECOND_RUN_SECONDS / FIRST_RUN_SECONDS),
    ]


if __name__ == "__main__":
    show(run())
