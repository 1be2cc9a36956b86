"""Yahoo's charts: synthetic ones in their form, and the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest

from macro_assets.catalog import default_catalog
from macro_assets.sources.errors import NotFoundError, SchemaError
from macro_assets.sources.fetching import fetch
from macro_assets.sources.protocol import Request, Response, Window
from macro_assets.sources.providers.yahoo_chart import read_bars, read_splits
from macro_assets_tests.providers import InMemory, World
from macro_assets_tests.sources.contract import Contract, Good
from macro_assets_tests.sources.wire import (
    RECORDINGS,
    Recorded,
    Recording,
    Replayed,
    each_recording,
    fetched,
    fixture,
    toy_series,
)

PATH = "/v8/finance/chart/^TOY"
TOY = toy_series("yahoo_chart", "^TOY", first_year=2024)
WINDOW = Window(today=date(2024, 1, 9))
NEW_YORK = {"exchangeTimezoneName": "America/New_York", "gmtoffset": -18000, "dataGranularity": "1d"}


def stamp(text: str) -> int:
    """Seconds UTC of an ISO time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def chart(
    opened: list[Any], closes: list[Any], last: str = "", session: tuple[str, str] = ("", ""), **meta: Any
) -> bytes:
    """A chart of daily closes; `last` trade and the current `session` in UTC."""
    facts: dict[str, Any] = {**NEW_YORK, **meta}
    if last:
        facts["regularMarketTime"] = stamp(last)
        facts["currentTradingPeriod"] = {"regular": {"start": stamp(session[0]), "end": stamp(session[1])}}
    result = {"meta": facts, "timestamp": opened, "indicators": {"quote": [{"close": closes, "volume": closes}]}}
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


def dates_of(body: bytes, window: Window = WINDOW) -> list[date]:
    found = fetched("yahoo_chart", TOY, {PATH: body}, window)
    assert found.failures == {}
    return found.observations["observation_date"].to_list()


def settled_days(body: bytes) -> int:
    """Days with a bar, before that of a session under way, by the exchange's offset alone."""
    result = json.loads(body)["chart"]["result"][0]
    meta = result["meta"]
    days = {(t + meta["gmtoffset"]) // 86_400 for t in result.get("timestamp", [])}
    session = meta["currentTradingPeriod"]["regular"]
    if meta.get("regularMarketTime", session["end"]) >= session["end"]:
        return len(days)
    return len([d for d in days if d < (session["start"] + meta["gmtoffset"]) // 86_400])


CONTRACT = Contract(
    good=Good(
        TOY,
        PATH,
        fixture("yahoo_chart.json"),
        rows=(
            (date(2024, 1, 2), 100.25),
            (date(2024, 1, 3), 101.5),
            (date(2024, 1, 4), None),
            (date(2024, 1, 5), 103.25),
        ),
        figure=b"100.25",
        days=(b"1704205800",),
        window=WINDOW,
        refused=(
            (b'{"finance": {}}', "expected the member 'chart'"),
            (b'{"chart": {"result": [], "error": null}}', "expected the member 'result.0'"),
            (chart([stamp("2024-01-04T14:30")], ["100"]), "expected a number in 'close', got '100'"),
            (chart([stamp("2024-01-04T14:30")], [True]), "expected a number in 'close', got True"),
            (chart(["2024-01-04"], [100]), "expected a number in 'timestamp', got '2024-01-04'"),
            (chart([None], [100]), "expected a time in 'timestamp', got null"),
            (chart([stamp("2024-01-04T14:30")], [100, 101]), "expected as many 'close' as timestamps"),
            (chart([stamp("2024-01-04T14:30")], [100], dataGranularity="1wk"), "expected daily bars"),
            (chart([stamp("2024-01-04T14:30")], [100], exchangeTimezoneName=None), "'exchangeTimezoneName' to be str"),
            (
                fixture("yahoo_chart.json").replace(b'"close"', b'"last"'),
                "expected the member 'indicators.quote.0.close'",
            ),
            (
                fixture("yahoo_chart.json").replace(b'"regular":', b'"main":'),
                "expected the member 'currentTradingPeriod.reg",
            ),
            (b'{"chart": {"result": null, "error": {"code": "Not Found", "description": "x"}}}', "Check the symbol"),
            (
                b'{"chart": {"result": null, "error": {"code": "Odd", "description": "x"}}}',
                "the service says 'Odd': 'x'",
            ),
            ((400, b'{"chart": {"error": {"code": "Bad Request", "description": "Invalid input"}}}'), "HTTP 400"),
        ),
    ),
    errors=((404, b'{"chart": {"result": null, "error": {}}}', NotFoundError),),
    asks=lambda s: (f"/v8/finance/chart/{s.code}?period1=",),
    recorded=Recorded(
        "yahoo_chart",
        readers={"/v8/finance/chart/": read_bars},
        no_series={
            r"interval=(?!1d)": "bars of minutes, hours, weeks or months",
            "^(?!.*/v8/finance/chart/)": "another service",
        },
        expected={
            "chart-AAPL-2020-08-31-to-2020-11-07.json": 49,
            "chart-BTC-USD-2020-01-01-to-2020-01-03.json": 3,
            "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.json": 252,
        },
        count=settled_days,
        plausible=lambda rows: rows["observation_date"].is_unique().all() and bool((rows["value"] > 0).all()),
    ),
)


def test_a_symbol_is_asked_once_for_all_its_columns() -> None:
    several = [
        TOY,
        toy_series("yahoo_chart", "^TOY", id="TOY_ADJUSTED", dataset="adjclose", first_year=2024),
        toy_series("yahoo_chart", "^TOY", id="TOY_VOLUME", dataset="volume", first_year=2023),
        *(
            toy_series("yahoo_chart", "^TOY", id=f"TOY_{c.upper()}", dataset=c, first_year=2024)
            for c in ("open", "high", "low")
        ),
        toy_series("yahoo_chart", "^TOY", id="TOY_WRONG", dataset="last", first_year=2024),
    ]
    client = Replayed({PATH: fixture("yahoo_chart.json")})
    found = fetched("yahoo_chart", several, client, WINDOW)
    assert len(client.asked) == 1
    values = {i: g["value"].to_list() for (i,), g in found.observations.group_by("series_id")}
    assert values["TOY"] == [100.25, 101.5, None, 103.25]
    assert values["TOY_ADJUSTED"] == [99.75, 101.5, None, 103.25]
    assert values["TOY_VOLUME"] == [1000, 1200, None, 900]
    assert values["TOY_OPEN"] == [99.0, 100.5, None, 102.0]
    assert values["TOY_HIGH"] == [101.0, 102.0, None, 104.0]
    assert values["TOY_LOW"] == [98.5, 100.0, None, 101.5]
    assert "expected `dataset` to be one of" in found.failures["TOY_WRONG"]


def test_a_column_begins_with_the_first_year_of_its_series() -> None:
    later = toy_series("yahoo_chart", "^TOY", id="TOY_OPEN", dataset="open", first_year=2025)
    found = fetched(
        "yahoo_chart", [TOY, later], Replayed({PATH: fixture("yahoo_chart.json")}), Window(None, WINDOW.end)
    )
    assert set(found.observations["series_id"]) == {"TOY"}
    assert found.failures == {}


def test_the_window_is_asked_for_with_a_day_to_spare() -> None:
    client = Replayed({PATH: fixture("yahoo_chart.json")})
    found = fetched("yahoo_chart", TOY, client, Window(date(2024, 1, 3), date(2024, 1, 4)))
    assert client.asked == [
        Request(
            PATH,
            (
                ("period1", str(stamp("2024-01-02"))),
                ("period2", str(stamp("2024-01-05"))),
                ("interval", "1d"),
                ("events", "div|split"),
            ),
        )
    ]
    assert client.asked[0].target.startswith("/v8/finance/chart/%5ETOY?period1=1704153600&period2=")
    assert {date(2024, 1, 3), date(2024, 1, 4)} <= set(found.observations["observation_date"])


def test_a_first_year_before_1970_is_asked_for() -> None:
    client = Replayed({PATH: fixture("yahoo_chart.json")})
    fetched("yahoo_chart", toy_series("yahoo_chart", "^TOY", first_year=1927), client, WINDOW)
    assert dict(client.asked[0].params)["period1"] == "-1357084800"


def test_the_date_is_the_one_at_the_exchange() -> None:
    tokyo = chart([stamp("2024-01-04T00:00")], [1], exchangeTimezoneName="Asia/Tokyo", gmtoffset=32400)
    assert dates_of(tokyo) == [date(2024, 1, 4)]
    # Midnight in London is 23:00 of the day before in summer, though the offset of the answer is winter's.
    london = chart(
        [stamp("2024-03-28T00:00"), stamp("2024-07-03T23:00")],
        [1, 2],
        exchangeTimezoneName="Europe/London",
        gmtoffset=0,
    )
    assert dates_of(london, Window(today=date(2024, 8, 1))) == [date(2024, 3, 28), date(2024, 7, 4)]


def test_a_zone_nobody_knows_is_taken_by_its_offset() -> None:
    sydney = chart([stamp("2024-01-03T23:00")], [1], exchangeTimezoneName="Nowhere/Toyville", gmtoffset=39600)
    assert dates_of(sydney) == [date(2024, 1, 4)]


OPENED = [stamp("2024-01-04T14:30"), stamp("2024-01-05T14:30")]
FRIDAY = ("2024-01-05T14:30", "2024-01-05T21:00")


@pytest.mark.parametrize(
    ("last", "session", "last_date"),
    [
        pytest.param("2024-01-05T17:00:12", FRIDAY, date(2024, 1, 4), id="at noon the day's bar is still moving"),
        pytest.param("2024-01-05T21:00:01", FRIDAY, date(2024, 1, 5), id="after the close it holds"),
        pytest.param("2024-01-05T21:00:00", FRIDAY, date(2024, 1, 5), id="at the close it holds"),
        pytest.param(
            "2024-01-05T21:00:01",
            ("2024-01-08T14:30", "2024-01-08T21:00"),
            date(2024, 1, 5),
            id="before the next opening",
        ),
        pytest.param("2023-06-01T21:00", FRIDAY, date(2024, 1, 4), id="a bar of today without a trade of today"),
    ],
)
def test_the_bar_of_a_session_under_way_is_left_out(last: str, session: tuple[str, str], last_date: date) -> None:
    assert dates_of(chart(OPENED, [1, 2], last, session))[-1] == last_date


def test_what_trades_around_the_clock_has_the_day_of_its_exchange() -> None:
    opened = [stamp("2024-01-04T05:00"), stamp("2024-01-05T05:00")]
    day = ("2024-01-05T05:00", "2024-01-06T04:59")
    assert dates_of(chart(opened, [1, 2], "2024-01-05T11:35", day)) == [date(2024, 1, 4)]


def test_of_two_bars_of_a_closed_day_the_later_holds() -> None:
    body = chart([*OPENED, stamp("2024-01-05T21:00:01")], [1, 2, 3], "2024-01-05T21:00:01", FRIDAY)
    found = fetched("yahoo_chart", TOY, {PATH: body}, WINDOW)
    assert found.observations["value"].to_list() == [1, 3]


def test_a_window_without_bars_is_empty() -> None:
    none: dict[str, Any] = {"meta": NEW_YORK, "indicators": {"quote": [{}]}}
    body = json.dumps({"chart": {"result": [none], "error": None}}).encode()
    refused = {"code": "Bad Request", "description": "Data doesn't exist for startDate = 1, endDate = 2"}
    error = json.dumps({"chart": {"result": None, "error": refused}}).encode()
    for answer in (body, (400, error), (200, error)):
        found = fetched("yahoo_chart", TOY, {PATH: answer}, WINDOW)
        assert found.failures == {}
        assert found.observations.is_empty()


# --- splits --------------------------------------------------------------------------------------------------------


def told(*splits: Any, **meta: Any) -> bytes:
    """A chart that tells splits."""
    document = json.loads(chart(OPENED, [1, 2], **meta))
    document["chart"]["result"][0]["events"] = {"splits": {str(i): one for i, one in enumerate(splits)}}
    return json.dumps(document).encode()


def split(opened: Any = OPENED[1], new: Any = 4, old: Any = 1) -> dict[str, Any]:
    return {"date": opened, "numerator": new, "denominator": old, "splitRatio": f"{new}:{old}"}


def test_splits_come_with_the_bars_of_every_column_in_turn() -> None:
    several = [TOY, toy_series("yahoo_chart", "^TOY", id="TOY_VOLUME", dataset="volume", first_year=2024)]
    wrong = toy_series("yahoo_chart", "^TOY", id="TOY_WRONG", dataset="last", first_year=2024)
    body = told(split(), split(OPENED[0], 1, 8))
    found = fetched("yahoo_chart", [*several, wrong], {PATH: body}, WINDOW)
    expected = ((date(2024, 1, 4), 0.125), (date(2024, 1, 5), 4.0))
    assert found.splits == {"TOY": expected, "TOY_VOLUME": expected}
    assert found.observations.filter(series_id="TOY")["value"].to_list() == [1, 2]


def test_a_split_has_the_day_of_its_exchange() -> None:
    body = told(split(stamp("2024-01-03T23:00"), 3, 2), exchangeTimezoneName="Australia/Sydney", gmtoffset=39600)
    assert read_splits(answer_of(body)) == ((date(2024, 1, 4), 1.5),)


def test_charts_without_splits_tell_none() -> None:
    for body in (chart(OPENED, [1, 2]), fixture("yahoo_chart.json"), told()):
        found = fetched("yahoo_chart", TOY, {PATH: body}, WINDOW)
        assert (found.failures, found.splits) == ({}, {})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (4, "expected the member 'date', the answer has int"),
        ({"numerator": 4, "denominator": 1}, "expected the member 'date'"),
        (split(opened="2024-01-05"), "expected 'date' to be int, got str"),
        (split(opened=None), "expected 'date' to be int"),
        (split(opened=stamp("2024-01-05") * 1000), "expected seconds since 1970 in 'date'"),
        ({"date": OPENED[1], "numerator": 4}, "expected the member 'denominator'"),
        (split(new="4"), "expected 'numerator' to be int or float, got str"),
        (split(new=None), "expected 'numerator' to be int or float"),
        (split(new=True), "expected a number in 'numerator', got True"),
        (split(new=0), "expected 'splits' of old shares into new ones, got 0 for 1"),
        (split(old=0), "got 4 for 0"),
        (split(new=-4), "got -4 for 1"),
        (split(new=1e300, old=1e-300), "expected 'splits'"),
    ],
)
def test_a_split_that_cannot_be_read_fails_the_symbol(wrong: Any, said: str) -> None:
    found = fetched("yahoo_chart", TOY, {PATH: told(split(), wrong)}, WINDOW)
    assert re.search(said, found.failures["TOY"]), found.failures["TOY"]
    assert "look at the payload in landing" in found.failures["TOY"]
    assert (found.observations.height, found.splits) == (0, {})


def test_splits_that_are_no_object_are_refused() -> None:
    document = json.loads(chart(OPENED, [1, 2]))
    for events in ({"splits": [split()]}, {"splits": None}, [{"splits": {}}]):
        document["chart"]["result"][0]["events"] = events
        with pytest.raises(SchemaError, match=r"expected .*'events(\.splits)?'"):
            read_splits(answer_of(json.dumps(document).encode()))


def answer_of(body: bytes) -> Response:
    return Response("GET", body, datetime(2024, 1, 9, tzinfo=UTC), 200)


def test_the_recorded_split_of_apple_is_read() -> None:
    recording = RECORDINGS / "yahoo_chart" / "chart-AAPL-2020-08-31-to-2020-11-07.json"
    if not recording.is_file():
        pytest.skip("needs ../shared/wire, which is not part of the project")
    assert read_splits(answer_of(recording.read_bytes())) == ((date(2020, 8, 31), 4.0),)


def test_the_stand_in_splits_a_share_as_yahoo_does() -> None:
    """From the day on all prices are by the new share, those of before too, and the split is told."""
    tlt = default_catalog().series["YAHOO_TLT"]
    day = date(2025, 1, 8)
    source = default_catalog().sources["yahoo_chart"]
    before, after = (
        fetch(
            source, InMemory("yahoo_chart", World(today=today, splits={tlt.code: {day: 4}})), [tlt], Window(today=today)
        )
        for today in (date(2025, 1, 7), day)
    )
    assert (before.splits, after.splits) == ({}, {"YAHOO_TLT": ((day, 4.0),)})
    both = before.observations.join(after.observations, on="observation_date", suffix="_after")
    assert both.height == before.observations.height > 1000
    assert (both["value"] / both["value_after"]).is_between(3.99, 4.01).all()


def recorded_span(recording: Recording) -> list[int]:
    """What was asked for, in seconds; nothing where a range was, or the saver replaced the times."""
    asked = [recording.query.get(p, "") for p in ("period1", "period2")]
    return [int(p) for p in asked] if all(p.isdecimal() for p in asked) else []


@each_recording("yahoo_chart")
def test_a_recording_goes_through_the_connector(recording: Recording) -> None:
    daily = "/v8/finance/chart/" in recording.url and recording.query.get("interval", "1d") == "1d"
    if recording.status != 200 or not daily or not recorded_span(recording):
        return  # not a question that the connector asks
    path = urlsplit(recording.url).path
    series = toy_series("yahoo_chart", path.rpartition("/")[2])
    found = fetched("yahoo_chart", series, {path: recording.body})
    assert found.failures == {}
    first, last = (datetime.fromtimestamp(s, UTC).date() for s in recorded_span(recording))
    assert found.observations["observation_date"].is_between(first, last).all()


def test_of_a_bar_that_comes_twice_the_last_with_a_close_counts() -> None:
    day, opened, closed = stamp("2024-01-04T14:30"), stamp("2024-01-05T14:30"), stamp("2024-01-05T21:00")
    for closes, found in (([1, 2, None], 2), ([1, None, 2], 2), ([1, 3, 2], 2), ([1, None, None], None)):
        body = chart([day, opened, closed], closes, "2024-01-05T21:00", ("2024-01-05T14:30", "2024-01-05T21:00"))
        rows = fetched("yahoo_chart", TOY, {PATH: body}, WINDOW).observations
        assert rows["value"].to_list() == [1, found]


def test_the_days_of_the_stand_in_fit_together() -> None:
    catalog = default_catalog()
    ids = ["SP500_OPEN", "SP500_HIGH", "SP500_LOW", "SP500"]
    client = InMemory("yahoo_chart", World(today=date(2025, 1, 8)))
    series = [catalog.series[i] for i in ids]
    rows = fetch(catalog.sources["yahoo_chart"], client, series, Window(today=date(2025, 1, 8))).observations
    bars = rows.pivot("series_id", index="observation_date", values="value").drop_nulls()
    assert bars.height > 1000
    assert (bars["SP500_HIGH"] > bars.select(pl.max_horizontal("SP500_OPEN", "SP500")).to_series()).all()
    assert (bars["SP500_LOW"] < bars.select(pl.min_horizontal("SP500_OPEN", "SP500")).to_series()).all()
