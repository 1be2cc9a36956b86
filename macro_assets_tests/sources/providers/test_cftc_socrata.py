"""CFTC's reporting service: synthetic answers in its form, and recorded ones where there are any."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Series, default_catalog
from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.providers.cftc.connector import positions
from macro_assets.sources.providers.cftc_socrata import PAGE, read_rows
from macro_assets_tests.sources.contract import Contract, Good, Pages
from macro_assets_tests.sources.wire import Recorded, Replayed, fetched, fixture, toy_series

PATH = "/resource/gpe5-46if.json"
YEAR = Window(date(2026, 1, 1), date(2026, 12, 31), today=date(2026, 11, 20))
NET = toy_series("cftc_socrata", "13874A:lev_money:net", dataset="tff", frequency="W", first_year=2006)
ROWS = fixture("cftc_socrata_tff.json")


def other(code: str, dataset: str = "tff", **facts: Any) -> Series:
    return NET.model_copy(update={"id": "OTHER", "code": code, "dataset": dataset, **facts})


def why(body: bytes | tuple[int, bytes], series: Series = NET) -> str:
    found = fetched("cftc_socrata", series, {PATH: body}, YEAR)
    assert found.observations.is_empty()
    return found.failures[series.id]


def changed(**fields: Any) -> bytes:
    """The answer with fields of its first row changed; None takes one out of every row."""
    rows = json.loads(ROWS)
    for name, value in fields.items():
        if value is None:
            rows = [{k: v for k, v in r.items() if k != name} for r in rows]
        else:
            rows[0][name] = value
    return json.dumps(rows).encode()


def every_contract(response: Response) -> pl.DataFrame:
    """Open interest of all contracts of an answer."""
    table = read_rows(response, "tff")
    codes = table["cftc_contract_market_code"].str.strip_chars().unique()
    return pl.concat([positions(table, other(f"{c}:open_interest")) for c in codes])


def target(offset: int) -> str:
    """What is asked of `NET` in `DAYS`, from a row on."""
    return (
        f"{PATH}?$where=cftc_contract_market_code%20in('13874A')%20AND%20report_date_as_yyyy_mm_dd%20between%20"
        f"'{DAYS[0]}T00:00:00'%20and%20'{DAYS[-1]}T00:00:00'&$order=report_date_as_yyyy_mm_dd,cftc_contract_market_code"
        f"&$limit=1000&$offset={offset}"
    )


def weeks(days: list[date]) -> bytes:
    week = {"cftc_contract_market_code": "13874A", "lev_money_positions_long": "5", "lev_money_positions_short": "3"}
    return json.dumps([{**week, "report_date_as_yyyy_mm_dd": f"{d}T00:00:00.000"} for d in days]).encode()


DAYS = pl.date_range(date(2020, 1, 1), date(2025, 6, 22), "1d", eager=True).to_list()
CONTRACT = Contract(
    good=Good(
        NET,
        PATH,
        ROWS,
        rows=((date(2026, 1, 6), -400.0), (date(2026, 1, 13), -350.0)),
        figure=b'"100"',
        days=(b"2026-01-06", b"2026-01-13"),
        window=YEAR,
        refused=(
            (b'{"message":"no"}', "to be list, got dict"),
            (b"[1]", "a list of objects"),
            (changed(report_date_as_yyyy_mm_dd=None), "'report_date_as_yyyy_mm_dd'"),
            (changed(cftc_contract_market_code=None), "'cftc_contract_market_code'"),
            (changed(lev_money_positions_short=None), "expected the column 'lev_money_positions_short_all'"),
            (changed(lev_money_positions_short=["5"]), "expected text or numbers"),
            (changed(lev_money_positions_short=True), "expected text or numbers"),
            (changed(report_date_as_yyyy_mm_dd="06/01/2026"), "expected a date"),
            (changed(report_date_as_yyyy_mm_dd="2026-01-13T00:00:00.000"), "for 2026-01-13, got several"),
            ((400, b'{"message":"Query coordinator error","errorCode":"query.soql.no-such-column"}'), "no-such-column"),
            ((429, b'{"message":"throttled"}'), "asked too often"),
        ),
        empty=(b"[]\n",),
    ),
    asks=lambda s: (f"'{s.code.partition(':')[0]}'",),
    pages=Pages(
        NET.model_copy(update={"frequency": "D"}),  # two thousand days are fewer years than as many weeks
        {target(n): weeks(DAYS[n : n + PAGE]) for n in (0, PAGE, 2 * PAGE)},
        rows=tuple((d, 2.0) for d in DAYS),
        window=Window(DAYS[0], DAYS[-1]),
    ),
    recorded=Recorded(
        "cftc",
        readers={r"/resource/[\w-]+\.json": every_contract},
        no_series={
            r"files/dea|newcot": "a file, read by cftc.py",
            r"/api/": "about the service, no rows of it",
            r"%24(select|group)=": "columns of somebody's choice",
            r"^(?!.*/resource/[\w-]+\.json)": "pages, or other forms of the service",
        },
        count=lambda body: body.count(b'"report_date_as_yyyy_mm_dd"'),
        plausible=lambda rows: rows["value"].min() >= 0,
    ),
)


def test_net_positions_are_those_of_the_files() -> None:
    found = fetched("cftc_socrata", [NET, other("1170E1:lev_money:net")], {PATH: ROWS}, YEAR)
    assert found.failures == {}
    assert found.observations.select("series_id", "observation_date", "value").rows() == [
        ("TOY", date(2026, 1, 6), -400.0),
        ("TOY", date(2026, 1, 13), -350.0),
        ("OTHER", date(2026, 1, 13), 7.0),
    ]
    assert set(found.observations["release_basis"]) == {"publication_lag"}
    assert found.observations["release_time"].min() == datetime(2026, 1, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "expected"), [("13874A:lev_money:spread", [20.0, None]), ("13874A:open_interest", [1900.0, 2000.0])]
)
def test_a_field_that_is_left_out_is_missing(code: str, expected: list[float | None]) -> None:
    found = fetched("cftc_socrata", other(code), {PATH: ROWS}, YEAR)
    assert found.observations["value"].to_list() == expected


def test_slips_of_the_names_are_understood() -> None:
    week = {"report_date_as_yyyy_mm_dd": "2026-01-06T00:00:00.000", "cftc_contract_market_code": "088691"}
    swaps = {
        **week,
        "swap_positions_long_all": "30",
        "swap__positions_short_all": "10",
        "m_money_positions_spread": "4",
    }
    bodies = {"/resource/72hh-3qpy.json": json.dumps([swaps]).encode()}
    for code, expected in (("088691:swap:net", 20.0), ("088691:m_money:spread", 4.0)):
        found = fetched("cftc_socrata", other(code, "disaggregated"), bodies, YEAR)
        assert found.observations["value"].to_list() == [expected]
    legacy = {
        **week,
        "noncomm_positions_long_all": "300",
        "noncomm_positions_short_all": "100",
        "noncomm_positions_long_old": "1",
        "noncomm_positions_spread": "2",  # old crops alone
        "noncomm_postions_spread_all": "50",
        "nonrept_positions_long_all": "9",
    }
    bodies = {"/resource/6dca-aqww.json": json.dumps([legacy]).encode()}
    for side, expected in (
        ("noncommercial:net", 200.0),
        ("noncommercial:spreading", 50.0),
        ("nonreportable:long", 9.0),
    ):
        found = fetched("cftc_socrata", other(f"088691:{side}", "legacy"), bodies, YEAR)
        assert found.observations["value"].to_list() == [expected]


def test_what_is_asked() -> None:
    client = Replayed({PATH: ROWS})
    fetched("cftc_socrata", [NET, other("1170E1:lev_money:net"), other("13874A:open_interest")], client, YEAR)
    (request,) = client.asked
    assert request.path == PATH
    assert dict(request.params) == {
        "$where": "cftc_contract_market_code in('1170E1','13874A') AND "
        "report_date_as_yyyy_mm_dd between '2026-01-01T00:00:00' and '2026-11-20T00:00:00'",
        "$order": "report_date_as_yyyy_mm_dd,cftc_contract_market_code",
        "$limit": "1000",
        "$offset": "0",
    }


@pytest.mark.parametrize("series", default_catalog().series_of("cftc"), ids=lambda s: s.id)
def test_it_is_a_holder_of_every_series_of_the_files(series: Series) -> None:
    (holder,) = series.holders
    assert (holder.source, holder.dataset, holder.code) == ("cftc_socrata", series.dataset, series.code)
    client = Replayed({})
    fetched("cftc_socrata", series.at(holder), client, YEAR)
    assert len(client.asked) == 1


def test_an_unknown_report_is_refused() -> None:
    assert "no report 'weekly'" in why(ROWS, NET.model_copy(update={"dataset": "weekly"}))
