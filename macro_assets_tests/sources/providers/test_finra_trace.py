"""FINRA's Query API: made-up (synthetic) answers in its documented form."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from macro_assets.sources.protocol import Request, Window
from macro_assets.sources.providers.finra_trace import PAGE
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Replayed, fetched, toy_series

PATH = "/data/group/fixedIncomeMarket/name/toys"
WINDOW = Window(date(2024, 1, 2), date(2024, 12, 31), today=date(2026, 11, 20))


def series(name: str, **selector: Any) -> Any:
    facts = {"where": {"productCategory": "Bills"}, "date": "tradeDate", "value": "dealerCustomerVolume", **selector}
    return toy_series("finra_trace", "toys", id=name, selector={**facts, "meaning": "trade date"}, first_year=2023)


BILLS = series("TOY")


def row(day: str, category: str = "Bills", volume: Any = 17.5) -> dict[str, Any]:
    empty = {"yearsToMaturity": None, "benchmark": None, "volumeWeightedAveragePrice": None}
    return {**empty, "tradeDate": day, "productCategory": category, "dealerCustomerVolume": volume}


def body(offset: int = 0) -> str:
    days = {"fieldName": "tradeDate", "startDate": "2024-01-02", "endDate": "2024-12-31"}
    return json.dumps({"limit": 5000, "offset": offset, "dateRangeFilters": [days], "sortFields": ["tradeDate"]})


def answer(*rows: Any) -> bytes:
    return json.dumps(rows).encode()


CONTRACT = Contract(
    good=Good(
        BILLS,
        PATH,
        answer(row("2024-01-02"), row("2024-01-03", volume=18)),
        rows=((date(2024, 1, 2), 17.5), (date(2024, 1, 3), 18)),
        figure=b"17.5",
        days=(b"2024-01-02", b"2024-01-03"),
        window=WINDOW,
        refused=(
            (b'{"statusCode": 200}', "got dict"),
            (answer({"tradeDate": "2024-01-02", "productCategory": "Bills"}), "expected the fields"),
            (answer(row("2024-01-02", volume=[1])), "expected text or numbers"),
            (answer(row("01/02/2024")), "expected a date like %Y-%m-%d in 'tradeDate'"),
            (answer(row("2024-01-02"), row("2024-01-02", volume=3)), "expected one row for 2024-01-02, got several"),
            (answer(row("2024-01-02", "Notes")), "no row of the answer has {'productCategory': 'Bills'}"),
        ),
        empty=((204, b""), b"[]"),
    ),
    asks=lambda s: (f"/data/group/fixedIncomeMarket/name/{s.code}", '"startDate": "2025-01-01"'),
    pages=Pages(
        BILLS,
        {PATH + body(): answer(*[row("2024-01-02")] * PAGE), PATH + body(PAGE): answer(row("2024-01-03"))},
        rows=((date(2024, 1, 2), 17.5), (date(2024, 1, 3), 17.5)),
        window=WINDOW,
    ),
)


def test_rows_are_selected_and_summed() -> None:
    both = series("TOY_BOTH", where={"benchmark": "On-the-run"}, combine="sum")
    run = [{**row("2024-01-02", "Nominal Coupons", v), "benchmark": "On-the-run"} for v in (1.5, 2.5)]
    client = Replayed({PATH: answer(row("2024-01-02"), *run, row("2024-01-03", volume=18))})
    found = fetched("finra_trace", [BILLS, both], client, WINDOW)
    assert client.asked == [Request(PATH, json=body())]
    assert found.failures == {}
    values = {i: g["value"].to_list() for (i,), g in found.observations.group_by("series_id")}
    assert values == {"TOY": [17.5, 18], "TOY_BOTH": [4]}


def test_series_without_a_selector_of_one_date_are_refused() -> None:
    for several in ([toy_series("finra_trace", "toys")], [BILLS, series("TOY_MONTHS", date="tradeMonth")]):
        found = fetched("finra_trace", several, {PATH: b"[]"}, WINDOW)
        assert "need a `selector` of one date" in found.failures["TOY"]
