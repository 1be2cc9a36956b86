"""A stand-in for the Treasury's Fiscal Data; figures are synthetic. Every value is text, "null" where there is none."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from macro_assets.catalog import Series
from macro_assets.catalog.periods import period_end
from macro_assets_tests.providers import Asked, World

AUCTIONS = "v1/accounting/od/auctions_query"
CASH = "v1/accounting/dts/operating_cash_balance"
CLOSING = "Treasury General Account (TGA) Closing Balance"
BEFORE = {"2021-09-30": "Federal Reserve Account", "2022-04-15": "Treasury General Account (TGA)"}
"""Names of the closing balance until a day."""

DATES = ("record_date", "auction_date")


def answer(asked: Asked, world: World) -> tuple[int, bytes]:
    dataset = asked.path.removeprefix("/")
    known = world.of_dataset(asked.source, dataset)
    if not known:
        return 404, b'{"error": "Not Found", "message": "The end point does not exist."}'
    day, first = asked.params["filter"].split(",")[0].split(":gte:")
    last = asked.params["filter"].split(":lte:")[1]
    rows = [r for r in world.once((asked.source, dataset), lambda: _table(world, dataset, known)) if first <= r[day]]
    rows = [r for r in rows if r[day] <= last]
    names = asked.params["fields"].split(",")
    number, size = (int(asked.params[f"page[{k}]"]) for k in ("number", "size"))
    page = [{n: r.get(n, "null") for n in names} for r in rows[size * (number - 1) : size * number]]
    meta = {
        "count": len(page),
        "labels": dict.fromkeys(names, "synthetic"),
        "dataTypes": {n: "DATE" if n in DATES else "STRING" for n in names},
        "dataFormats": {n: "YYYY-MM-DD" if n in DATES else "String" for n in names},
        "total-count": len(rows),
        "total-pages": -(-len(rows) // size),
    }
    links = {"self": f"&page%5Bnumber%5D={number}&page%5Bsize%5D={size}", "first": "", "prev": None, "next": None}
    return 200, json.dumps({"data": page, "meta": meta, "links": {**links, "last": ""}}).encode()


def _table(world: World, dataset: str, known: list[Series]) -> list[dict[str, str]]:
    rows = [_row(cells, known[0], n) for n, cells in enumerate(world.rows(known), start=1)]
    if dataset == AUCTIONS:
        return [_reopened(r) for r in rows]
    return [_as_it_was(r) for r in rows if _was(r)] if dataset == CASH else rows


def _row(cells: dict[str, Any], series: Series, number: int) -> dict[str, str]:
    row = {n: str(period_end(c, series.frequency)) if isinstance(c, date) else str(c) for n, c in cells.items()}
    return {**row, "cusip": f"SYN{number:06}", "src_line_nbr": f"{number:06}"}


def _reopened(row: dict[str, str]) -> dict[str, str]:
    """A row of an auction; a reopening by the term that is left, as 9-Year 11-Month."""
    years, _, unit = row["security_term"].partition("-")
    is_shorter = unit == "Year" and row.get("reopening") == "Yes"
    return {**row, "security_term": f"{int(years) - 1}-Year 11-Month"} if is_shorter else row


def _was(row: dict[str, str]) -> bool:
    """Whether a statement had the row: until 2022-04-15 totals were in another table."""
    return row["account_type"] == CLOSING or row["record_date"] > max(BEFORE)


def _as_it_was(row: dict[str, str]) -> dict[str, str]:
    """A row of the cash balance in the words and columns of its day."""
    name = next((n for until, n in BEFORE.items() if row["record_date"] <= until), None)
    if name is None:
        return row
    return {**row, "account_type": name, "close_today_bal": row["open_today_bal"], "open_today_bal": "0"}
