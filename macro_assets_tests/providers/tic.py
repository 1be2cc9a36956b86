"""A stand-in for the text files of TIC: major foreign holders and net sales; figures are synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World

LATEST = 13
"""Months of Table 5."""


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    if asked.path.endswith("/slt_table1.txt"):
        return 200, _sales(asked, world).encode()
    months = sorted(world.days(_of_holdings(asked, world)[0]), reverse=True)
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
    for series in _of_holdings(asked, world):
        name = f'"{series.code}"' if "," in series.code else series.code
        if name == "Of Which: Foreign Official" and not thousands:
            name = "For. Official"  # so the history calls it
        figures = world.figures(series)
        rows.append("\t".join([name, *(f"{figures[m]:{thousands}.1f}" for m in months)]))
    return rows


def _of_holdings(asked: Asked, world: World) -> list[Series]:
    return [s for s in world.by_source[asked.source] if s.dataset is None]


def _sales(asked: Asked, world: World) -> str:
    """A row per month of all countries, newest first; a year of holdings before the first sale."""
    rows = world.rows(world.of_dataset(asked.source, "slt_table1"))
    values = [c for c in rows[0] if c.startswith("for_lt_")]
    lines = ["Table 1: U.S. Long-Term Securities Held by Foreign Residents (synthetic)", "Millions of dollars", "\t\t"]
    lines.append("\t".join(["country", "country_code", "date", *values]))
    sold = [(f"{r['date']:%Y-%m}", [f"{r[v]:.0f}" for v in values]) for r in reversed(rows)]
    none = [(f"2022-{month:02}", ["n.a."] * len(values)) for month in range(12, 0, -1)]
    lines += ["\t".join(["Grand Total", "99996", month, *figures]) for month, figures in sold + none]
    return "\n".join([*lines, "\t\t", "Definitions:\t\t", ""])
