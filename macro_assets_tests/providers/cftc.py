"""A stand-in for CFTC's zipped reports of a year; figures are synthetic, as of Tuesdays."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from io import BytesIO

from macro_assets.catalog import Series
from macro_assets_tests.providers import Asked, World

REPORTS = {"fut_fin": "tff", "fin_fut": "tff", "fut_disagg": "disaggregated", "deacot": "legacy"}
"""Beginnings of file names, and the reports they are of."""

HEADINGS = {
    "legacy": ("As of Date in Form YYYY-MM-DD", "CFTC Contract Market Code", "Open Interest (All)"),
    "tff": ("Report_Date_as_YYYY-MM-DD", "CFTC_Contract_Market_Code", "Open_Interest_All"),
}
LEAST = 1000
"""Contracts of the smaller side, where only the difference of both is known."""

Line = dict[str, int]


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    file = asked.path.rpartition("/")[2]
    report = next((r for start, r in REPORTS.items() if file.startswith(start)), "")
    years = [int(y) for y in re.findall(r"\d{4}", file)]
    if not report or not years:
        return 404, b"Not Found"
    all_lines = weeks(world, asked.source, report)
    columns = sorted({c for line in all_lines.values() for c in line} - {"open_interest_all"})
    lines = {k: v for k, v in all_lines.items() if years[0] <= k[0].year <= years[-1]}
    head = [
        "Market_and_Exchange_Names",
        *HEADINGS.get(report, HEADINGS["tff"]),
        *(_heading(c, report) for c in columns),
    ]
    rows = [
        ",".join(
            [f'"SYNTHETIC {code}"', f"{day}", code, *(str(line.get(c, ".")) for c in ("open_interest_all", *columns))]
        )
        for (day, code), line in lines.items()
    ]
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("synthetic.txt", "\r\n".join([",".join(f'"{h}"' for h in head), *rows, ""]))
    return 200, packed.getvalue()


def _heading(column: str, report: str) -> str:
    """How a report writes lev_money_positions_long_all: Lev_Money_..., or Noncommercial Positions-Long (All)."""
    if report != "legacy":
        return column.title()
    group, side = re.fullmatch(r"(\w+)_positions_(\w+)_all", column).groups()  # type: ignore[union-attr]
    return f"{group.title()} Positions-{side.title()} (All)"


def weeks(world: World, source: str, report: str) -> Mapping[tuple[date, str], Line]:
    """Lines of a report by Tuesday and contract: open interest, and positions named lev_money_positions_long_all."""
    return world.once((source, report), lambda: _weeks(world, world.of_dataset(source, report)))


def _weeks(world: World, known: Sequence[Series]) -> dict[tuple[date, str], Line]:
    lines: dict[tuple[date, str], Line] = {}
    for series in sorted(known, key=lambda s: not s.code.endswith(":net")):  # what has both sides by name comes last
        contract, _, what = series.code.partition(":")
        for wednesday, value in world.figures(series).items():
            line = lines.setdefault((wednesday - timedelta(days=1), contract), {"open_interest_all": 10 * LEAST})
            group, _, side = what.partition(":")
            if not side:
                line["open_interest_all"] = round(value)
            elif side == "net":
                line[f"{group}_positions_long_all"] = LEAST + max(round(value), 0)
                line[f"{group}_positions_short_all"] = LEAST + max(-round(value), 0)
            else:
                line[f"{group}_positions_{side}_all"] = round(value)
    return dict(sorted(lines.items()))
