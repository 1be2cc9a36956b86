"""A refresh heals: what was revised far back is stored within a week, and a new base as a whole or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import polars as pl
import pytest

from macro_assets.intake.accept import accept as accept_figures
from macro_assets.lakehouse.acceptances import Acceptance, read_acceptances, record
from macro_assets.lakehouse.releases import releases, revisions
from macro_assets.lakehouse.session import connect
from macro_assets.lakehouse.write import overwrite
from macro_assets.sources.protocol import Request
from macro_assets_tests.intake.house import Answer, House, failures
from macro_assets_tests.sources.fred_server import ABSENT, FredServer

Build = Callable[..., House]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    return lambda answer, *ids: House(tmp_path, monkeypatch, answer, *ids)


# --- revisions far back --------------------------------------------------------------------------------------------

SATURDAYS = [date(2019, 1, 5) + timedelta(days=7 * i) for i in range(381)]
CLAIMS_REVISED = date(2026, 4, 2)


def claims(request: httpx.Request, now: datetime) -> tuple[int, bytes]:
    """FRED's initial claims: a vintage each Thursday, of which one revises the seasonal factors of five years."""
    vintages = [d + timedelta(days=5) for d in SATURDAYS if d + timedelta(days=5) >= date(2026, 3, 1)]

    def told(day: date, vintage: date) -> float | str:
        if vintage < day + timedelta(days=5):
            return ABSENT
        revised = vintage >= CLAIMS_REVISED and day >= date(2021, 1, 1)
        return 200_000 + day.toordinal() % 50 * 100 + (1_500 if revised else 0)

    states = {d: [told(d, v) for v in vintages] for d in SATURDAYS if d <= vintages[-1]}
    metadata = {"units": "Number", "frequency_short": "W", "seasonal_adjustment_short": "SA"}
    server = FredServer(vintages, states, now.date(), metadata=metadata)
    params = tuple((k, v) for k, v in request.url.params.items() if k != "api_key")
    response = server.get(Request(request.url.path.replace("//", "/"), params))
    return response.http_status or 200, response.body


def test_revisions_of_five_years_at_fred_arrive_within_a_week_and_are_dated(house: Build) -> None:
    lake = house(claims, "ICSA")
    assert not failures(lake.take(at("2026-03-27T12:00")))
    days = [at("2026-04-03T12:00") + timedelta(days=i) for i in range(8)]
    for now in days:
        done = lake.refresh(now)
        assert done is None or not done.failed
    right = {d: 200_000 + d.toordinal() % 50 * 100 + (1_500 if d >= date(2021, 1, 1) else 0) for d in SATURDAYS}
    known = lake.values()
    assert known == {d: v for d, v in right.items() if d in known}
    assert max(known) == date(2026, 4, 4)
    before = lake.values(at("2026-04-01"))
    assert before[date(2022, 1, 8)] == right[date(2022, 1, 8)] - 1_500
    assert lake.values(at("2026-04-02T23:00"))[date(2022, 1, 8)] == right[date(2022, 1, 8)], "from the release on"


def test_a_refresh_between_two_looks_asks_fred_for_the_last_year_alone(house: Build) -> None:
    lake = house(claims, "ICSA")
    lake.take(at("2026-03-27T12:00"))
    asked = []
    for now in (at("2026-04-03T11:00"), at("2026-04-03T12:00"), at("2026-04-09T20:00")):
        lake.take(now, (2025, 2027), only_news=True)
        asked += [r.url.params.get("observation_start") for r in lake.requests if "observations" in r.url.path]
    assert asked == ["2024-01-01", None, "2024-01-01"]


def test_a_log_that_knows_of_no_look_has_fred_asked_since_the_first_fetch(house: Build) -> None:
    """As that of an earlier version: what was revised since comes, and not all vintages of all time again."""
    lake = house(claims, "ICSA")
    lake.take(at("2026-03-27T12:00"))
    lake.take(at("2026-04-03T11:00"), (2025, 2027), only_news=True)
    log = lake.lake.read("fetch_log/fred")
    overwrite(lake.lake, "fetch_log/fred", log.with_columns(last_look=pl.lit(None, log.schema["last_look"])), {})
    lake.take(at("2026-04-03T12:00"), (2025, 2027), only_news=True)
    (asked,) = [r.url.params for r in lake.requests if "observations" in r.url.path]
    assert ("observation_start" in asked, asked["realtime_start"]) == (False, "2026-03-26")
    assert lake.values()[date(2022, 1, 8)] == 200_000 + date(2022, 1, 8).toordinal() % 50 * 100 + 1_500


def consumer_prices(request: httpx.Request, now: datetime) -> tuple[int, bytes]:
    """The statistics bureau's core prices: seasonal factors of five years are new on 10 February 2026."""
    asked = json.loads(request.content)
    last = (2026, 1) if now >= at("2026-02-13") else (2025, 12)

    def level(year: int, month: int) -> float:
        return 200 + (year - 2000) * 5 + month * 0.4 + (0.25 if now >= at("2026-02-10") and year >= 2021 else 0)

    rows = [
        {"year": str(y), "period": f"M{m:02}", "periodName": "", "value": f"{level(y, m):.3f}", "footnotes": [{}]}
        for y in range(int(asked["startyear"]), int(asked["endyear"]) + 1)
        for m in range(1, 13)
        if y >= 2015 and (y, m) <= last
    ]
    told = {"series": [{"seriesID": code, "data": rows} for code in asked["seriesid"]]}
    return 200, json.dumps({"status": "REQUEST_SUCCEEDED", "message": [], "Results": told}).encode()


def test_revisions_of_five_years_are_stored_at_once_where_the_last_year_shows_them(house: Build) -> None:
    """The last year is asked for, its first month is another, and so all is."""
    lake = house(consumer_prices, "BLS_CPI_CORE")
    assert not failures(lake.take(at("2026-01-20")))
    assert not failures(lake.take(at("2026-02-08"), (2025, 2027), only_news=True))  # the weekly look
    assert not failures(lake.take(at("2026-02-14"), (2025, 2027), only_news=True))
    years = [json.loads(r.content)["startyear"] for r in lake.requests]
    assert years[0] == "2024"
    assert min(years) < "2015"
    known = lake.values()
    assert known[date(2021, 1, 1)] == pytest.approx(305.65)
    assert known[date(2020, 12, 1)] == pytest.approx(304.8)
    assert lake.values(at("2026-02-13"))[date(2021, 1, 1)] == pytest.approx(305.4)
    assert lake.is_rebuilt()


def volatility(repaired: datetime) -> Answer:
    """The exchange's file: all days since 2003, of which one of 2004 is repaired."""

    def answer(request: httpx.Request, now: datetime) -> tuple[int, bytes]:
        days = [date(2003, 1, 2) + timedelta(days=i) for i in range((now.date() - date(2003, 1, 2)).days + 1)]
        told = {d: 13 + d.toordinal() % 40 / 10 for d in days if d.weekday() < 5}
        if now < repaired:
            told[date(2004, 11, 8)] = 31.4
        lines = [f"{d:%m/%d/%Y},{v:.2f},{v:.2f},{v:.2f},{v:.2f}\n" for d, v in told.items()]
        return 200, ("DATE,OPEN,HIGH,LOW,CLOSE\n" + "".join(lines)).encode()

    return answer


def test_a_repaired_figure_in_a_body_that_comes_anyway_is_stored(house: Build) -> None:
    lake = house(volatility(at("2026-06-01")), "CBOE_VIX")
    lake.take(at("2026-05-20T22:00"))
    assert lake.values()[date(2004, 11, 8)] == 31.4
    assert not failures(lake.take(at("2026-06-03T22:00"), (2025, 2027), only_news=True))
    right = 13 + date(2004, 11, 8).toordinal() % 40 / 10
    assert lake.values()[date(2004, 11, 8)] == pytest.approx(right)
    assert lake.values(at("2026-06-02"))[date(2004, 11, 8)] == 31.4
    assert lake.is_rebuilt()


# --- a new base ----------------------------------------------------------------------------------------------------

BASE_CHANGED = at("2026-03-16")


def activity(seasonal: float = 0.0, decimals: int = 2, factor: float = 0.68, since: int = 2003) -> Answer:
    """The central bank's index of activity: in another base from 16 March 2026 on."""

    def level(day: date, rebased: bool) -> float:
        months = (day.year - 2003) * 12 + day.month
        plain = 140 + 0.15 * months + 3 * math.sin(day.month)
        new = plain * factor * (1 + seasonal * math.cos(day.month))
        return round(new if rebased else plain, decimals)

    def answer(request: httpx.Request, now: datetime) -> tuple[int, bytes]:
        asked = request.url.params
        first, last = (datetime.strptime(asked[k], "%d/%m/%Y").date() for k in ("dataInicial", "dataFinal"))
        first = max(first, date(since, 1, 1)) if now >= BASE_CHANGED else first
        months = [date(y, m, 1) for y in range(2003, now.year + 1) for m in range(1, 13)]
        out = [d for d in months if datetime.combine(d, time(12), UTC) + timedelta(days=76) <= now]
        rows = [
            {"data": f"{d:%d/%m/%Y}", "valor": f"{level(d, now >= BASE_CHANGED):.{decimals}f}"}
            for d in out
            if first <= d <= last
        ]
        if not rows:
            return 404, b'{"erro":{"statusCode":404,"detail":"Value(s) not found"}}'
        return 200, json.dumps(rows).encode()

    return answer


def breaks(known: dict[date, float | None]) -> list[date]:
    """Dates at which the level jumps."""
    stated = [(d, v) for d, v in sorted(known.items()) if v is not None]
    return [d for (_, a), (d, b) in pairwise(stated) if not 0.8 < b / a < 1.25]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(activity(), id="plain"),
        pytest.param(activity(decimals=1), id="one decimal"),
        pytest.param(activity(seasonal=0.03), id="with new seasonal factors"),
        pytest.param(activity(factor=1.47), id="upwards"),
    ],
)
@pytest.mark.parametrize("years", [(2026, 2027), (2025, 2027), (2010, 2027)])
def test_a_new_base_is_refused_whichever_years_are_asked_for(
    house: Build, answer: Answer, years: tuple[int, int]
) -> None:
    lake = house(answer, "BR_IBC_BR_SA")
    assert not failures(lake.take(at("2026-02-20T12:00")))
    before = lake.raw()
    for day in (18, 26):
        why = failures(lake.take(at(f"2026-03-{day}T12:00"), years, only_news=years[0] > 2010))["BR_IBC_BR_SA"]
        assert "times the stored one" in why
        assert "macro accept BR_IBC_BR_SA" in why
        assert lake.raw().equals(before)
    assert breaks(lake.values()) == []
    assert lake.is_rebuilt()


def accept(lake: House, now: datetime, factor: float = 0.68) -> None:
    series = next(iter(lake.catalog.series))
    record(lake.lake, Acceptance(series, lake.source.name, now, factor, "base 2022 = 100", "synthetic"))


@pytest.mark.parametrize("since", [2003, 2010])
def test_an_accepted_base_is_taken_as_a_whole_and_the_old_one_kept(house: Build, since: int) -> None:
    lake = house(activity(since=since), "BR_IBC_BR_SA")
    lake.take(at("2026-02-20T12:00"))
    old = lake.values()
    assert "macro accept" in failures(lake.take(at("2026-03-18T12:00")))["BR_IBC_BR_SA"]
    accept(lake, at("2026-03-19T09:00"))
    assert not failures(lake.take(at("2026-03-19T12:00"), (2025, 2027), only_news=True))
    new = lake.values()
    assert breaks(new) == []
    assert new[date(2015, 5, 1)] == pytest.approx(0.68 * old[date(2015, 5, 1)], abs=0.01)  # type: ignore[operator]
    assert (new[date(2005, 1, 1)] is None) == (since == 2010), "what the new base lacks is not left in the old one"
    assert lake.values(at("2026-03-19T11:59")) == old
    assert lake.is_rebuilt()
    assert failures(lake.refresh(at("2026-03-27T12:00"))) == {}
    assert lake.is_rebuilt()


def test_a_change_of_base_is_no_revision(house: Build) -> None:
    lake = house(activity(), "BR_IBC_BR_SA")
    lake.take(at("2026-02-20T12:00"))
    accept(lake, at("2026-03-19T09:00"))
    lake.take(at("2026-03-19T12:00"))
    where = {"root": lake.lake.root, "catalog": lake.catalog}
    assert revisions("BR_IBC_BR_SA", **where).is_empty()
    told = releases("BR_IBC_BR_SA", **where)
    assert told["release_basis"].unique().to_list() == ["rebased"]
    assert told["release"].null_count() == told.height
    con = connect(None, lake.lake.root, lake.catalog)
    assert con.sql("SELECT count(*) FROM revisions('BR_IBC_BR_SA')").fetchone() == (0,)
    twin = con.sql("SELECT observation_date, value, release FROM releases('BR_IBC_BR_SA')").pl()
    assert twin.equals(told.select("observation_date", "value", pl.col("release").cast(twin.schema["release"])))
    basis = con.sql("SELECT DISTINCT release_basis FROM series_as_of('BR_IBC_BR_SA', NULL)").fetchall()
    assert basis == [("rebased",)]


def test_another_factor_than_was_accepted_is_refused(house: Build) -> None:
    lake = house(activity(), "BR_IBC_BR_SA")
    lake.take(at("2026-02-20T12:00"))
    accept(lake, at("2026-03-17T09:00"), factor=1.2)
    assert failures(lake.take(at("2026-03-18T12:00")))


def test_an_acceptance_holds_once(house: Build) -> None:
    """The next change is another decision."""
    lake = house(activity(), "BR_IBC_BR_SA")
    lake.take(at("2026-02-20T12:00"))
    accept(lake, at("2026-03-19T09:00"))
    lake.take(at("2026-03-19T12:00"))
    lake.answer = activity(factor=0.68 * 0.68)
    assert failures(lake.take(at("2026-04-19T12:00")))


def ask_to_accept(lake: House, **options: str) -> tuple[str, float]:
    """Ask the provider and accept what it says: who it is, and the factor."""
    said = {"reason": "base 2022 = 100", "author": "synthetic", **options}
    (series,) = lake.catalog.series
    holding, level = accept_figures(lake.lake, series, now=lake.now, clients=lake.client, **said)
    return holding.provider, level.factor


def test_who_accepts_is_told_what_the_provider_says_now(house: Build) -> None:
    lake = house(activity(), "BR_IBC_BR_SA")
    lake.take(at("2026-02-20T12:00"))
    before = lake.raw()
    with pytest.raises(ValueError, match="tells nothing to accept: its figures are in the base of the stored ones"):
        ask_to_accept(lake)
    lake.now = at("2026-03-18T12:00")
    provider, factor = ask_to_accept(lake)
    assert (provider, factor) == ("bcb_sgs", pytest.approx(0.68, abs=1e-4))
    assert lake.raw().equals(before), "the next fetch stores it"
    assert not failures(lake.take(at("2026-03-18T13:00"), (2025, 2027), only_news=True))
    assert lake.raw().height > before.height


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"reason": " "}, "needs a reason and an author"),
        ({"author": ""}, "needs a reason and an author"),
        ({"provider": "fred"}, r"expected one of its holders that are on \(bcb_sgs\), got fred"),
    ],
)
def test_what_cannot_be_accepted_is_said(house: Build, options: dict[str, str], says: str) -> None:
    lake = house(activity(), "BR_IBC_BR_SA")
    lake.take(at("2026-02-20T12:00"))
    lake.now = at("2026-03-18T12:00")
    with pytest.raises(ValueError, match=says):
        ask_to_accept(lake, **options)
    assert read_acceptances(lake.lake) == []


def test_figures_beyond_the_bounds_of_the_catalog_are_not_accepted(house: Build) -> None:
    lake = house(activity(factor=0.001), "BR_IBC_BR_SA")
    lake.take(at("2026-02-20T12:00"))
    lake.now = at("2026-03-18T12:00")
    with pytest.raises(ValueError, match="Correct unit and bounds of the series in the catalog first"):
        ask_to_accept(lake)


# --- a split -------------------------------------------------------------------------------------------------------

NEW_YORK = ZoneInfo("America/New_York")


def fund(split: date, told: bool = True) -> Answer:
    """An exchange-traded fund that splits four for one, at the unofficial chart service."""

    def price(day: date, now: datetime) -> float:
        return (90 + day.toordinal() % 37 * 0.1) / (4 if day >= split or now.date() >= split else 1)

    def answer(request: httpx.Request, now: datetime) -> tuple[int, bytes]:
        first, end = (datetime.fromtimestamp(int(request.url.params[p]), UTC).date() for p in ("period1", "period2"))
        first = max(first, date(2018, 1, 1))
        days = [first + timedelta(days=i) for i in range((min(end, now.date() + timedelta(days=1)) - first).days)]
        days = [d for d in days if d.weekday() < 5 and datetime.combine(d, time(16), NEW_YORK) <= now]
        opened = [int(datetime.combine(d, time(9, 30), NEW_YORK).timestamp()) for d in days]
        last = days[-1] if days else now.date()
        start, close = (int(datetime.combine(last, t, NEW_YORK).timestamp()) for t in (time(9, 30), time(16)))
        meta = {
            "exchangeTimezoneName": "America/New_York",
            "gmtoffset": -18000,
            "dataGranularity": "1d",
            "regularMarketTime": close,
            "currentTradingPeriod": {"regular": {"start": start, "end": close}},
        }
        result: dict[str, object] = {"meta": meta}
        if days:
            quote = {"close": [round(price(d, now), 2) for d in days]}
            result |= {"timestamp": opened, "indicators": {"quote": [quote]}}
        if told and split in days:
            stamp = int(datetime.combine(split, time(9, 30), NEW_YORK).timestamp())
            event = {"date": stamp, "numerator": 4, "denominator": 1, "splitRatio": "4:1"}
            result["events"] = {"splits": {str(stamp): event}}
        return 200, json.dumps({"chart": {"result": [result], "error": None}}).encode()

    return answer


@pytest.mark.parametrize("split", [date(2026, 1, 8), date(2026, 6, 10)])
def test_a_split_that_the_provider_tells_is_taken_as_a_whole(house: Build, split: date) -> None:
    lake = house(fund(split), "YAHOO_TLT")
    eve = datetime.combine(split, time(), UTC) - timedelta(hours=1)
    assert not failures(lake.take(eve))
    old = lake.values()
    for days in (1, 2, 8, 9):
        done = lake.refresh(eve + timedelta(days=days))
        assert done is None or not done.failed
        assert breaks(lake.values()) == []
    new = lake.values()
    assert max(new) > split
    assert new[date(2019, 5, 8)] == pytest.approx(old[date(2019, 5, 8)] / 4, abs=0.01)  # type: ignore[operator]
    assert lake.values(eve) == old
    assert lake.is_rebuilt()


@pytest.mark.parametrize("split", [date(2026, 1, 8), date(2026, 6, 10)])
def test_a_split_that_is_not_told_is_refused_until_it_is_accepted(house: Build, split: date) -> None:
    lake = house(fund(split, told=False), "YAHOO_TLT")
    eve = datetime.combine(split, time(), UTC) - timedelta(hours=1)
    lake.take(eve)
    old = lake.values()
    for days in (1, 2, 8):
        done = lake.refresh(eve + timedelta(days=days))
        assert done is None or "macro accept YAHOO_TLT" in done.failed["YAHOO_TLT"]
        assert breaks(lake.values()) == []
    assert lake.values() == old
    accept(lake, eve + timedelta(days=8, hours=1), factor=0.25)
    assert not failures(lake.take(eve + timedelta(days=9), (2025, 2027), only_news=True))
    assert breaks(lake.values()) == []
    assert max(lake.values()) > split
    assert lake.is_rebuilt()
