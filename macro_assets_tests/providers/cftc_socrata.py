"""A stand-in for CFTC's reporting service, with the figures of its files."""

from __future__ import annotations

import json
import re
from datetime import date

from macro_assets.sources.providers.cftc_socrata import RESOURCES
from macro_assets_tests.providers import Asked, World
from macro_assets_tests.providers.cftc import weeks

SPELLED = {"noncommercial": "noncomm", "commercial": "comm", "nonreportable": "nonrept"}


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    resource = asked.path.removeprefix("/resource/").removesuffix(".json")
    report = next((name for name, known in RESOURCES.items() if known == resource), None)
    if report is None:
        return 404, b'{"code":"dataset.missing","error":true,"message":"Not found"}'
    contracts, days = asked.params["$where"].split(" AND ")
    wanted = re.findall(r"'([^']+)'", contracts)
    first, last = (date.fromisoformat(day) for day in re.findall(r"'(\S+)T", days))
    rows = [
        {
            "report_date_as_yyyy_mm_dd": f"{day}T00:00:00.000",
            "cftc_contract_market_code": contract,
            **{_field(what): str(count) for what, count in figures.items()},
        }
        for contract, day, figures in weeks(world, report, first, last)
        if contract in wanted
    ]
    rows.sort(key=lambda row: (row["report_date_as_yyyy_mm_dd"], row["cftc_contract_market_code"]))
    offset, limit = int(asked.params["$offset"]), int(asked.params["$limit"])
    return 200, json.dumps(rows[offset : offset + limit]).encode()


def _field(what: str) -> str:
    group, _, side = what.partition(":")
    return f"{SPELLED.get(group, group)}_positions_{side}_all" if side else f"{group}_all"
