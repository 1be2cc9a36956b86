"""A stand-in for CFTC's files of reports, a zip each; figures are synthetic.

Where a series is long less short, both sides are made so that it comes out; what no series uses is '.'.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO

from macro_assets.catalog import Series
from macro_assets.sources.providers.cftc.connector import REPORTS
from macro_assets.sources.providers.cftc.releases import release_day
from macro_assets_tests.providers import Asked, World

GROUPS = {
    "tff": ("dealer", "asset_mgr", "lev_money", "other_rept", "nonrept"),
    "disaggregated": ("prod_merc", "swap", "m_money", "other_rept", "nonrept"),
    "legacy": ("noncommercial", "commercial", "nonreportable"),
}
SIDES = ("long", "short")


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    name = asked.path.rsplit("/", 1)[-1]
    for report, (yearly, since, older) in REPORTS.items():
        if name == older:
            return 200, _zip(world, str(report), 2006, 2016)
        before, _, after = yearly.partition("{}")
        year = name.removeprefix(before).removesuffix(after)
        if name == yearly.format(year) and year.isdigit() and since <= int(year) <= world.today.year:
            return 200, _zip(world, str(report), int(year), int(year))
    return 404, b"<!DOCTYPE html><title>Page not found</title>"


def _zip(world: World, report: str, first: int, last: int) -> bytes:
    columns = [f"{group}_Positions_{side}_All" for group in GROUPS[report] for side in SIDES]
    head = ["Market_and_Exchange_Names", "Report_Date_as_YYYY-MM-DD", "CFTC_Contract_Market_Code", "Open_Interest_All"]
    lines = [",".join(f'"{name}"' for name in [*head, *columns])]
    for contract, day, figures in weeks(world, report, date(first, 1, 1), date(last, 12, 31)):
        keys = ["open_interest", *(f"{group}:{side}" for group in GROUPS[report] for side in SIDES)]
        cells = [f"{figures[key]:8d}" if key in figures else "       ." for key in keys]
        lines.append(f'"FUTURES {contract} - SYNTHETIC EXCHANGE",{day},{contract} ,{",".join(cells)}')
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        whole = "\r\n".join(lines) + "\r\n"
        archive.writestr(zipfile.ZipInfo("report.txt", (2026, 1, 1, 0, 0, 0)), whole, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def weeks(world: World, report: str, first: date, last: date) -> Iterator[tuple[str, date, dict[str, int]]]:
    """Contract, Tuesday, and figures by what they are of, of the weeks that are published, newest first."""
    contracts: dict[str, list[Series]] = {}
    for series in world.by_source["cftc"]:
        if series.dataset == report:
            contracts.setdefault(series.code.partition(":")[0], []).append(series)
    for contract, same in contracts.items():
        for wednesday in reversed([*world.days(same[0])]):
            day = wednesday - timedelta(days=1)
            if first <= day <= last and release_day(day, same[0]) <= world.today:
                yield contract, day, _figures(world, same, wednesday)


def _figures(world: World, same: list[Series], day: date) -> dict[str, int]:
    said = {s.code.partition(":")[2]: (round(world.value(s, day)), s) for s in same}
    figures = {what: value for what, (value, _) in said.items() if not what.endswith(":net")}
    for what, (value, series) in said.items():
        if what.endswith(":net"):
            group = what.removesuffix(":net")
            long = figures.get(f"{group}:long", round(series.bounds.high or 0))
            figures |= {f"{group}:long": long, f"{group}:short": long - value}
    return figures
