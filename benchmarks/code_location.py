"""Loading and resolving the code location against `import dagster` alone, each in a fresh process."""

from __future__ import annotations

from measure import Ratio, interleaved, python, show

ROUNDS = 7
OURS = "from macro_assets.definitions import defs; defs.get_repository_def()"


def run() -> list[Ratio]:
    ours, theirs = interleaved(lambda: python(OURS), lambda: python("import dagster"), ROUNDS)
    return [Ratio("load the code location", ours, "import dagster", theirs, 2.5)]


if __name__ == "__main__":
    show(run())
