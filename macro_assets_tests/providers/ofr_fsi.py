"""A stand-in for the file of the OFR Financial Stress Index; figures are synthetic."""

from __future__ import annotations

from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    known = world.by_source[asked.source]
    columns = [world.figures(s) for s in known]
    head = ",".join(["Date", *(s.code for s in known)])
    rows = [",".join([str(d), *(str(c[d]) for c in columns)]) for d in columns[0]]
    return 200, "\n".join([head, *rows, ""]).encode()
