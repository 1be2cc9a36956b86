"""A stand-in for the Treasury's CSV files of a curve and a year, newest day first; figures are synthetic."""

from __future__ import annotations

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    year = int(asked.params["field_tdr_date_value"])
    quoted = [s for s in world.of_dataset(asked.source, asked.params["type"]) if _has_column(s, year)]
    if not quoted:
        return 200, b""
    columns = [world.figures(s) for s in quoted]
    days = reversed([d for d in columns[0] if d.year == year])
    rows = [",".join([f"{d:%m/%d/%Y}", *(f"{c[d]:.2f}" if d in c else "" for c in columns)]) for d in days]
    return 200, "\n".join([",".join(["Date", *(f'"{s.code}"' for s in quoted)]), *rows, ""]).encode()


def _has_column(series: Series, year: int) -> bool:
    """A tenor has one in the years it was quoted: the 30-year bond was not from 2003 to 2005."""
    return series.first_year <= year and (series.code != "30 Yr" or year not in range(2003, 2006))
