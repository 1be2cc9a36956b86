"""A stand-in for CFTC's reporting service; figures are synthetic, as text, in pages."""

from __future__ import annotations

import json
import re

from macro_assets_tests.providers import Asked, World
from macro_assets_tests.providers.cftc import weeks

REPORTS = {"gpe5-46if": "tff", "72hh-3qpy": "disaggregated", "6dca-aqww": "legacy"}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    report = REPORTS[asked.path.removeprefix("/resource/").removesuffix(".json")]
    where = asked.params["$where"]
    contracts, (first, last) = re.findall(r"'(\w+\+?)'", where), re.findall(r"'(\d{4}-\d\d-\d\d)T", where)
    rows = [
        {
            "report_date_as_yyyy_mm_dd": f"{day}T00:00:00.000",
            "cftc_contract_market_code": code,
            **{_field(name, report): str(value) for name, value in line.items()},
        }
        for (day, code), line in weeks(world, asked.source, report).items()
        if code in contracts and first <= str(day) <= last
    ]
    offset, limit = int(asked.params["$offset"]), int(asked.params["$limit"])
    return 200, json.dumps(rows[offset : offset + limit]).encode()


def _field(name: str, report: str) -> str:
    """Names of the service: without _all in the financial report, cut short in the oldest one."""
    if report == "legacy":
        return name.replace("noncommercial", "noncomm").replace("commercial", "comm").replace("reportable", "rept")
    return name if report == "disaggregated" or name == "open_interest_all" else name.removesuffix("_all")
