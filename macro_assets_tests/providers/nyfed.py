"""A stand-in for the New York Fed's markets data; figures are synthetic, newest first."""

from __future__ import annotations

import json
from typing import Any

from macro_assets_tests.providers import Asked, World

HOLDERS = {
    "rates": ("refRates",),
    "rp": ("repo", "operations"),
    "fxs": ("fxSwaps", "operations"),
    "soma": ("soma", "summary"),
    "pd": ("pd", "timeseries"),
}
"""Names under which a part of the API holds its rows."""

AS_TEXT = ("soma", "pd")


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    dataset = asked.path.removeprefix("/api/").removesuffix(".json")
    known = world.of_dataset(asked.source, dataset)
    if not known:
        return 404, b"Not Found"
    assert known[0].selector is not None
    part, day = dataset.partition("/")[0], known[0].selector.date
    rows = world.once((asked.source, dataset), lambda: [_row(r, part, day) for r in reversed(world.rows(known))])
    first, last = asked.params.get("startDate", ""), asked.params.get("endDate", "9999-12-31")
    found: Any = [r for r in rows if first <= r[day] <= last]
    for name in reversed(HOLDERS[part]):
        found = {name: found}
    return 200, json.dumps(found).encode()


def _row(cells: dict[str, Any], part: str, day: str) -> dict[str, Any]:
    """Rates and percentiles have two decimals; amounts, volumes and counts are whole, in part as text."""
    row: dict[str, Any] = {}
    for name, cell in cells.items():
        if isinstance(cell, float):
            whole = round(cell, 2) if name.startswith("percent") else round(cell)
            row[name] = str(whole) if part in AS_TEXT else whole
        else:
            row[name] = str(cell) if name == day else cell
    return row
