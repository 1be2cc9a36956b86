"""Fiscal Data: synthetic answers in its form, and the recorded ones."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest

from macro_assets.catalog import Selector, Series, default_catalog
from macro_assets.sources.bodies import read_json
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.providers.fiscaldata import AUCTIONS, CASH, PAGE, read_table
from macro_assets.sources.rows import select
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, each_recording, fetched, fixture, toy_series

DEBT = "v2/accounting/od/debt_to_penny"
TOTAL = toy_series(
    "fiscaldata",
    "tot_pub_debt_out_amt",
    dataset=DEBT,
    selector=Selector(date="record_date", value="tot_pub_debt_out_amt", meaning="day"),
)


def of_catalog(*names: str) -> list[Series]:
    return [default_catalog().series[n] for n in names]


def body(rows: list[dict[str, Any]], total: int | None = None, pages: int = 1, **types: str) -> bytes:
    meta = {
        "count": len(rows),
        "dataTypes": {"record_date": "DATE", **types},
        "total-count": len(rows) if total is None else total,
        "total-pages": pages,
    }
    return json.dumps({"data": rows, "meta": meta, "links": {"next": None}}).encode()


def debt(day: str, amount: Any = "36000000000000.01") -> dict[str, Any]:
    return {"record_date": day, "src_line_nbr": "1", "tot_pub_debt_out_amt": amount}


FIGURES = ("CURRENCY", "NUMBER", "PERCENTAGE", "RATE")


def read_figures(response: Response) -> pl.DataFrame:
    """The first amount or ratio of a recorded table, whatever table it is."""
    document = read_json(response)
    kinds = document["meta"]["dataTypes"]
    day = next(d for d in ("auction_date", "record_date") if d in kinds)
    value = next(c for c, kind in kinds.items() if kind.startswith(FIGURES))
    table = read_table(document, dict.fromkeys([day, value]), day)
    one = toy_series("fiscaldata", value, selector=Selector(date=day, value=value, combine="last", meaning="any"))
    return select(table, one, missing=("null",))


def has_figures(body: bytes) -> bool:
    kinds = json.loads(body).get("meta", {}).get("dataTypes", {}) if body.lstrip().startswith(b"{") else {}
    return bool({"auction_date", "record_date"} & set(kinds)) and any(k.startswith(FIGURES) for k in kinds.values())


def target(page: int) -> str:
    return (
        f"/{DEBT}?fields=record_date,src_line_nbr,tot_pub_debt_out_amt"
        "&filter=record_date:gte:2025-01-01,record_date:lte:2025-01-31&sort=record_date,src_line_nbr"
        f"&page%5Bnumber%5D={page}&page%5Bsize%5D={PAGE}"
    )


def columns(series: Series) -> set[str]:
    assert series.selector is not None
    return {series.selector.date, series.selector.value, *series.selector.where}


JANUARY = Window(date(2025, 1, 1), date(2025, 1, 31))
CONTRACT = Contract(
    good=Good(
        TOTAL,
        f"/{DEBT}",
        body([debt("2025-01-02", "36.5"), debt("2025-01-03", "37")]),
        rows=((date(2025, 1, 2), 36.5), (date(2025, 1, 3), 37)),
        figure=b'"36.5"',
        days=(b"2025-01-02", b"2025-01-03"),
        missing=(b'"null"',),
        window=JANUARY,
        refused=(
            (b'{"rows":[]}', "expected the member 'meta'"),
            (body([{"record_date": "2025-01-02", "src_line_nbr": "1", "total": "1"}]), "expected the fields"),
            (body([debt("2025-01-02", ["1"])]), "expected text or numbers"),
            (body([debt("2025-01-02", "")]), "expected a number in 'tot_pub_debt_out_amt', got ''"),
            (body([debt("01/02/2025")]), "expected a date like %Y-%m-%d in 'record_date'"),
            (body([debt("2025-01-02")], record_date="STRING"), "expected 'record_date' to be of type DATE"),
            (body([debt("2025-01-02"), debt("2025-01-02", "1")]), "expected one row for 2025-01-02, got several"),
            ((400, b'{"error":"Invalid Query Param","message":"x"}'), "HTTP 400: the request was refused"),
            (body([debt("2025-01-02")], total=2), "expected 2 rows on 1 pages, got 1"),
        ),
        empty=(body([], pages=0),),
        asked=(target(1),),
    ),
    asks=lambda s: (f"/{s.dataset}?", ":gte:", ":lte:", *columns(s)),
    pages=Pages(
        TOTAL,
        {
            target(1): body([debt("2025-01-02", "1")], total=2, pages=2),
            target(2): body([debt("2025-01-03", "2")], total=2, pages=2),
        },
        rows=((date(2025, 1, 2), 1), (date(2025, 1, 3), 2)),
        window=JANUARY,
    ),
    recorded=Recorded(
        "fiscaldata",
        readers={"": read_figures},
        no_series=lambda recording: (
            {
                "upcoming_auctions": "a calendar of announced auctions, without results",
                "format=(csv|xml)": "the other forms of the service, which are not asked for",
            }
            | ({} if has_figures(recording.body) else {"": "a table without a record date or without any figure"})
        ),
        expected={"debt-to-penny-2025-q1.json": 61},
        count=lambda body: len({r.get("auction_date", r.get("record_date")) for r in json.loads(body)["data"]}),
    ),
)


def test_series_of_the_catalog_are_of_six_tables() -> None:
    assert len({s.dataset for s in default_catalog().series_of("fiscaldata")}) == 6


def test_a_series_of_a_later_page_is_no_failure() -> None:
    closing, deposits = of_catalog("US_TGA_CLOSE", "US_TGA_DEPOSITS")
    rows = json.loads(fixture("fiscaldata_cash.json"))["data"]

    class Pages(Replayed):
        def get(self, request: Any) -> Response:
            first = dict(request.params)["page[number]"] == "1"
            self.bodies = {f"/{CASH}": body(rows[:3] if first else rows[3:], total=len(rows), pages=2)}
            return super().get(request)

    found = fetched("fiscaldata", [closing, deposits], Pages({}), Window(date(2021, 1, 1), date(2022, 12, 31)))
    assert found.failures == {}
    assert found.observations.filter(pl.col("series_id") == "US_TGA_DEPOSITS")["value"].to_list() == [290000]


def test_the_cash_balance_goes_on_under_its_new_name() -> None:
    wanted = of_catalog("US_TGA_CLOSE", "US_TGA_DEPOSITS", "US_TGA_WITHDRAWALS")
    client = Replayed({f"/{CASH}": fixture("fiscaldata_cash.json")})
    found = fetched("fiscaldata", wanted, client, Window(date(2021, 1, 1), date(2022, 12, 31)))
    assert found.failures == {}
    assert len(client.asked) == 1
    closing = found.observations.filter(pl.col("series_id") == "US_TGA_CLOSE")
    assert closing.select("observation_date", "value").rows() == [
        (date(2021, 9, 30), 215000),
        (date(2022, 4, 15), 596000),
        (date(2022, 4, 18), 841000),
        (date(2022, 4, 19), None),
    ]
    flows = found.observations.filter(pl.col("series_id") != "US_TGA_CLOSE").sort("series_id")
    assert flows["value"].to_list() == [290000, 45000]


def test_a_series_that_begins_after_the_window_is_not_looked_for() -> None:
    wanted = of_catalog("US_TGA_CLOSE", "US_TGA_DEPOSITS")
    rows = json.loads(fixture("fiscaldata_cash.json"))["data"][:2]
    found = fetched("fiscaldata", wanted, {f"/{CASH}": body(rows)}, Window(date(2021, 1, 1), date(2021, 12, 31)))
    assert found.failures == {}
    assert found.observations["series_id"].to_list() == ["US_TGA_CLOSE"]
    later = of_catalog("US_TGA_DEPOSITS")
    assert fetched("fiscaldata", later, Replayed({}), Window(date(2021, 1, 1), date(2021, 12, 31))).failures == {}


def test_auctions_are_new_issues_that_were_held() -> None:
    wanted = of_catalog("US_AUCTION_10Y_HIGH_YIELD", "US_AUCTION_10Y_BID_COVER", "US_AUCTION_30Y_HIGH_YIELD")
    client = Replayed({f"/{AUCTIONS}": fixture("fiscaldata_auctions.json")})
    found = fetched("fiscaldata", wanted, client, Window(date(2024, 1, 1), date(2024, 12, 31)))
    assert found.failures == {}, "that no 30-year bond was sold is no error"
    assert found.observations.sort("value").select("observation_date", "value").rows() == [
        (date(2024, 5, 8), 2.49),
        (date(2024, 5, 8), 4.48),
    ]
    assert dict(client.asked[0].params)["filter"] == "auction_date:gte:2024-01-01,auction_date:lte:2024-12-31"
    assert dict(client.asked[0].params)["sort"] == "auction_date,cusip"


def test_auctions_of_other_tenors_are_told_apart() -> None:
    """A cash management bill of the same term and day is another; a reopening has the term of the security."""
    wanted = [s for s in default_catalog().series_of("fiscaldata") if s.dataset == AUCTIONS and s.theme == "rates"]
    client = Replayed({f"/{AUCTIONS}": fixture("fiscaldata_auctions.json")})
    found = fetched("fiscaldata", wanted, client, Window(date(2024, 1, 1), date(2024, 12, 31)))
    assert found.failures == {}
    assert len(client.asked) == 1
    names = "series_id", "value"
    assert dict(found.observations.select(names).iter_rows()) == {
        "US_AUCTION_10Y_HIGH_YIELD": 4.48,
        "US_AUCTION_10Y_BID_COVER": 2.49,
        "US_AUCTION_10Y_REOPENED_HIGH_YIELD": 4.44,
        "US_AUCTION_10Y_REOPENED_BID_COVER": 2.67,
        "US_AUCTION_17W_HIGH_RATE": 5.24,
        "US_AUCTION_17W_BID_COVER": 3.1,
        "US_AUCTION_FRN_2Y_REOPENED_HIGH_MARGIN": 0.15,
        "US_AUCTION_FRN_2Y_REOPENED_BID_COVER": 3.2,
        "US_AUCTION_TIPS_10Y_HIGH_YIELD": 2.18,
        "US_AUCTION_TIPS_10Y_BID_COVER": 2.35,
    }


def test_a_month_is_dated_by_its_first_day_and_asked_to_its_last() -> None:
    bills = of_catalog("US_AVG_RATE_BILLS")
    row = {
        "record_date": "2024-01-31",
        "src_line_nbr": "1",
        "security_type_desc": "Marketable",
        "security_desc": "Treasury Bills",
        "avg_interest_rate_amt": "5.432",
    }
    client = Replayed({f"/{bills[0].dataset}": body([row, row | {"security_desc": "Treasury Notes"}])})
    found = fetched("fiscaldata", bills, client, Window(date(2024, 1, 1), date(2024, 1, 10)))
    assert found.observations.select("observation_date", "value").rows() == [(date(2024, 1, 1), 5.432)]
    assert dict(client.asked[0].params)["filter"].endswith("record_date:lte:2024-01-31")


def test_amounts_of_a_day_are_summed() -> None:
    issued = of_catalog("US_BILLS_ISSUED")
    row = {
        "record_date": "2024-01-04",
        "src_line_nbr": "1",
        "transaction_type": "Issues",
        "security_market": "Marketable",
        "security_type": "Bills",
        "transaction_today_amt": "200000",
    }
    rows = [row, row | {"src_line_nbr": "2", "transaction_today_amt": "70000"}, row | {"security_type": "Notes"}]
    found = fetched(
        "fiscaldata", issued, {f"/{issued[0].dataset}": body(rows)}, Window(date(2024, 1, 1), date(2024, 1, 31))
    )
    assert found.observations["value"].to_list() == [270000]


def test_tables_are_asked_apart_and_fail_apart() -> None:
    wanted = [*of_catalog("US_DEBT_TOTAL"), *of_catalog("US_MSPD_MARKETABLE")]
    found = fetched("fiscaldata", wanted, {f"/{DEBT}": body([debt("2025-01-02")])}, Window(date(2025, 1, 1)))
    assert set(found.failures) == {"US_MSPD_MARKETABLE"}
    assert found.observations["series_id"].to_list() == ["US_DEBT_TOTAL"]


def test_an_account_that_was_renamed_again_is_an_error() -> None:
    renamed = fixture("fiscaldata_cash.json").replace(b"(TGA)", b"(GA)").replace(b"Federal Reserve", b"Fed")
    found = fetched("fiscaldata", of_catalog("US_TGA_CLOSE"), {f"/{CASH}": renamed}, Window(date(2021, 1, 1)))
    assert "no row of the answer has" in found.failures["US_TGA_CLOSE"]


def test_a_series_without_a_selector_is_refused() -> None:
    found = fetched("fiscaldata", toy_series("fiscaldata", "x", dataset=DEBT), {})
    assert "needs a `selector`" in found.failures["TOY"]


def test_a_whole_column_needs_its_selector_and_its_columns() -> None:
    table = pl.DataFrame({"day": ["2025-01-02"], "amount": ["1"]})
    with pytest.raises(SchemaError, match="needs a `selector`"):
        select(table, toy_series("fiscaldata", "x"))
    with pytest.raises(SchemaError, match="expected the column 'record_date'"):
        select(table, TOTAL)


@each_recording("fiscaldata")
def test_a_recorded_debt_serves_the_catalog(recording: Recording) -> None:
    if not recording.url.endswith(DEBT) or not has_figures(recording.body):
        pytest.skip("not an end point of the catalog, or not a series of every day")
    document = json.loads(recording.body)
    figures = {"tot_pub_debt_out_amt", "debt_held_public_amt", "intragov_hold_amt"}
    if not document["data"] or not figures <= document["data"][0].keys():
        pytest.skip("no days, or chosen columns")
    if document["meta"]["total-count"] != len(document["data"]):
        pytest.skip("a page of several")
    days = [r["record_date"] for r in document["data"]]
    wanted = of_catalog("US_DEBT_TOTAL", "US_DEBT_PUBLIC", "US_DEBT_INTRAGOV")
    window = Window(date.fromisoformat(min(days)), date.fromisoformat(max(days)))
    path = urlsplit(recording.url).path.removeprefix("/services/api/fiscal_service")
    found = fetched("fiscaldata", wanted, {path: recording.body}, window)
    assert found.failures == {}
    wide = found.observations.pivot("series_id", index="observation_date", values="value")
    assert wide.height == len(days)
    parts = wide["US_DEBT_PUBLIC"] + wide["US_DEBT_INTRAGOV"]
    assert ((parts - wide["US_DEBT_TOTAL"]).abs() < 1).all()
