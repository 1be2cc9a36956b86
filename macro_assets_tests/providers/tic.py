"""A stand-in for the two text files of TIC's major foreign holders; figures are synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from macro_assets_tests.providers import Asked, World

LATEST = 13
"""Months of Table 5."""


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    months = sorted(world.days(world.by_source[asked.source][0]), reverse=True)
    if asked.path.endswith("/slt_table5.txt"):
        names = "\t".join(["Country", *(f"{m:%Y-%m}" for m in months[:LATEST])])
        titles = ["Table 5: Major Foreign Holders of Treasury Securities", "Billions of dollars (synthetic)", " \t "]
        return 200, "\n".join([*titles, names, *_holders(asked, world, months[:LATEST], ","), ""]).encode()
    lines = ["", "MAJOR FOREIGN HOLDERS OF TREASURY SECURITIES (in billions of dollars, synthetic)"]
    for year in sorted({m.year for m in months}, reverse=True):
        block = [m for m in months if m.year == year]
        lines += ["", "\t".join(["", *(f"{m:%b}" for m in block)]), "\t".join(["Country", *[str(year)] * len(block)])]
        lines += ["\t".join(["", *["------"] * len(block)]), *_holders(asked, world, block)]
    return 200, "\n".join([*lines, ""]).encode()


def _holders(asked: Asked, world: World, months: Sequence[date], thousands: str = "") -> list[str]:
    """A row per holder; names with a comma are quoted."""
    rows = []
    for series in world.by_source[asked.source]:
        name = f'"{series.code}"' if "," in series.code else series.code
        if name == "Of Which: Foreign Official" and not thousands:
            name = "For. Official"  # so the history calls it
        figures = world.figures(series)
        rows.append("\t".join([name, *(f"{figures[m]:{thousands}.1f}" for m in months)]))
    return rows
