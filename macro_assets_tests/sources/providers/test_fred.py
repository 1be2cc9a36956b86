"""FRED and its chart files: a synthetic FRED in memory, synthetic answers, and the recorded ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, get_args
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macro_assets.catalog import Catalog, Frequency, PublicationLag, Series
from macro_assets.catalog.periods import PeriodError, first_days, refuse_another_rhythm
from macro_assets.sources.bodies import read_csv
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Fetched, Request, Response, Window
from macro_assets.sources.providers import fred_graph
from macro_assets.sources.providers.fred import connector as fred
from macro_assets.sources.providers.fred import paging
from macro_assets.sources.providers.fred import vintages as fred_vintages
from macro_assets.sources.providers.fred.answers import (
    check_metadata,
    has_no_vintages,
    read_calendar,
    read_observations,
    read_vintage_dates,
)
from macro_assets.sources.providers.fred.paging import page_rows
from macro_assets.sources.providers.fred.units import UnitPeriod, exponent, in_todays_unit
from macro_assets.sources.providers.fred.vintages import OPEN, latest_vintage, release_instant, released, spans
from macro_assets_tests.sources.fred_server import (
    ABSENT,
    CHART,
    NOT_IN_ALFRED,
    FredServer,
    V,
    answers,
    described,
    fred_contract,
    row,
)
from macro_assets_tests.sources.wire import Recorded, Recording, Replayed, explains, fetched, recordings, toy_series

CLOCKS = [(time(8, 30), "America/New_York"), (time(19, 30), "America/New_York"), (time(8, 50), "Asia/Tokyo")]
JAN, FEB, MAR = date(2020, 1, 1), date(2020, 2, 1), date(2020, 3, 1)
LATER = Window(today=date(2020, 5, 1))


def rows_of(response: Response, name: str) -> list[Any]:
    offset = json.loads(response.body)["offset"]
    return page_rows(response, name, offset)[0]


def read_recorded(response: Response) -> pl.DataFrame:
    return read_observations(rows_of(response, "observations"))


def read_recorded_chart(response: Response) -> pl.DataFrame:
    code = response.body.split(b"\n")[0].split(b",")[1].strip().decode()
    return fred_graph.read_chart(response, code)


def count_rows(body: bytes) -> int:
    return body.count(b'"value":') if body.lstrip().startswith(b"{") else len(body.split()) - 1


XML = r"api\.stlouisfed\.org(?!.*file_type=json)"
NO_SERIES = {
    XML: "XML, which FRED sends where JSON is not asked for; the connector always does",
    r"output_type=[23]\b": "vintages as columns; the connector asks for real-time periods",
    r"/fred/series/vintagedates": "dates of vintages, read in a test of their own",
    r"/fred/releases/dates": "dates of releases, read in a test of their own",
    r"/fred/series\?": "metadata of a series, read in a test of their own",
    r"/fred/series/(release|categories|tags|updates|search)": "descriptions of series",
    r"/fred/releases?(\?|/(dates|series|sources|tags|related_tags|tables))": "descriptions of releases",
    r"/fred/(categor|source|tag|related_tags)": "descriptions of categories, sources and tags",
    r"/(geofred|maps)/": "maps of regions, no series",
    r"^(?!.*(/fred/series/observations|/graph/fredgraph\.csv))": "no end point with a series' figures",
}


def has_no_vintages_to_tell(recording: Recording) -> bool:
    """An error that the connector reads as an answer."""
    if not has_no_vintages(recording.response):
        return False
    assert explains("fred")(recording.response) is None or "/series/vintagedates" not in recording.url
    return True


CONTRACT = replace(
    fred_contract("fred", missing=(b'"."',)),
    recorded=Recorded(
        "fred",
        readers={r"/fred/series/observations": read_recorded, r"/graph/fredgraph\.csv": read_recorded_chart},
        no_series=NO_SERIES,
        expected={
            "series-observations-GDP-rt1776-07-04-to9999-12-31-2024-11-03.json": 3199,
            "series-observations-CPILFESL-2025-01-20.json": 816,
            "series-observations-WGS10YR-2024-11-03.json": 3278,
            "fredgraph-GDPC1-2024-07-01.csv": 21,
        },
        count=count_rows,
        plausible=lambda rows: rows["observation_date"].is_between(date(1700, 1, 1), date(2100, 1, 1)).all(),
        apart=has_no_vintages_to_tell,
    ),
)


def toy(frequency: str = "M", clock: tuple[time, str] = CLOCKS[0], **facts: Any) -> Series:
    lag = PublicationLag(days=1, time=clock[0], time_zone=clock[1])
    return toy_series("fred", "TOYS", frequency=frequency, publication_lag=lag, **facts)


def server(states: dict[date, list[float | str]] | None = None, **facts: Any) -> FredServer:
    plain = {JAN: [1.0, 1.0, 2.0, 2.0], FEB: [ABSENT, 5.0, 5.0, "."], MAR: [ABSENT, ABSENT, 7.0, ABSENT]}
    return FredServer(**{"vintages": V, "states": states or plain, "today": LATER.today, **facts})


@contextmanager
def small_pages(vintages: int, rows: int) -> Iterator[None]:
    limits = {"vintage_dates": rows, "observations": rows, "release_dates": rows}
    with patch.object(fred_vintages, "VINTAGES_PER_REQUEST", vintages), patch.object(paging, "LIMITS", limits):
        yield


def statements(found: Fetched) -> list[tuple[date, float | None, date, str]]:
    """What was said, by day of the release."""
    assert found.failures == {}
    rows = found.observations.sort("observation_date", "release_time")
    days = rows["release_time"].dt.date()
    return list(zip(rows["observation_date"], rows["value"], days, rows["release_basis"], strict=True))


# --- vintages ------------------------------------------------------------------------------------------------------


def test_every_change_is_a_release() -> None:
    assert statements(fetched("fred", toy(), server(), LATER)) == [
        (JAN, 1.0, V[0], "snapshot"),
        (JAN, 2.0, V[2], "provider"),
        (FEB, 5.0, V[1], "provider"),
        (FEB, None, V[3], "provider"),
        (MAR, 7.0, V[2], "provider"),
        (MAR, None, V[3], "provider"),  # withdrawn
    ]


def test_a_release_has_the_clock_time_of_the_series() -> None:
    found = fetched("fred", toy(), server({JAN: [1.0, 1.0, 1.0, 2.0]}), LATER)
    assert found.observations["release_time"].to_list() == [
        datetime(2020, 1, 10, 13, 30, tzinfo=UTC),  # 08:30 in New York in winter
        datetime(2020, 4, 10, 12, 30, tzinfo=UTC),  # and in summer
    ]


def test_what_is_asked() -> None:
    fred_server = server()
    fetched("fred", toy(), fred_server, Window(date(2020, 1, 1), date(2020, 12, 31), today=LATER.today))
    all_time = "realtime_start=1776-07-04&realtime_end=9999-12-31"
    page = "sort_order=asc&limit={}&offset=0"
    assert [r.target for r in fred_server.asked] == [
        f"/fred/series/vintagedates?series_id=TOYS&file_type=json&{all_time}&{page.format(10000)}",
        f"/fred/series?series_id=TOYS&file_type=json&{all_time}",
        "/fred/series/observations?series_id=TOYS&file_type=json&realtime_start=2020-01-10&realtime_end=9999-12-31"
        "&output_type=1&observation_start=2020-01-01&observation_end=2020-12-31&" + page.format(100000),
    ]


@pytest.mark.parametrize(
    ("frequency", "window", "limits"),
    [
        ("M", {"first": date(2020, 1, 1), "last": date(2020, 12, 31)}, {}),
        ("A", {}, {}),
        ("D", {"first": date(2020, 1, 1), "last": date(2020, 12, 31)}, {"observation_start": "2020-01-01"}),
        ("W", {"first": date(2020, 1, 1)}, {"observation_start": "2020-01-01"}),
        ("W", {"last": date(2020, 12, 31)}, {}),
    ],
)
def test_of_a_known_series_revisions_of_other_dates_are_asked_for(
    frequency: str, window: dict[str, date], limits: dict[str, str]
) -> None:
    fred_server = server(metadata={"frequency_short": frequency})
    fetched("fred", toy(frequency), fred_server, Window(**window, today=LATER.today, known={"TOY": V[1]}))
    asked = dict(fred_server.asked[-1].params)
    assert fred_server.asked[-1].path == "/fred/series/observations"
    assert {k: v for k, v in asked.items() if k.startswith("observation_")} == limits
    assert (asked["realtime_start"], asked["realtime_end"]) == (str(V[1]), str(OPEN))


def test_an_incremental_fetch_tells_what_held_on_the_first_new_vintage() -> None:
    found = fetched("fred", toy(), server(), Window(today=LATER.today, known={"TOY": V[1]}))
    assert statements(found) == [
        (JAN, 2.0, V[2], "provider"),
        (FEB, 5.0, V[2], "provider"),  # no news: the store drops it
        (FEB, None, V[3], "provider"),
        (MAR, 7.0, V[2], "provider"),
        (MAR, None, V[3], "provider"),
    ]


def test_a_value_withdrawn_by_the_first_new_vintage_is_seen() -> None:
    found = fetched("fred", toy(), server(), Window(today=LATER.today, known={"TOY": V[2]}))
    assert (MAR, None, V[3], "provider") in statements(found)


def test_nothing_released_is_unchanged_and_takes_one_request() -> None:
    fred_server = server()
    found = fetched("fred", toy(), fred_server, Window(today=LATER.today, known={"TOY": V[3]}))
    assert (found.unchanged, found.failures, found.observations.height) == ({"TOY"}, {}, 0)
    assert fred_server.paths() == ["vintagedates"]


@pytest.mark.parametrize("utc_today", [V[3], V[3] + timedelta(days=1)])
def test_no_realtime_date_is_after_the_day_of_chicago(utc_today: date) -> None:
    """The synthetic FRED refuses one; its day is the UTC day or the one before."""
    found = fetched("fred", toy(), server(today=V[3]), Window(today=utc_today, known={"TOY": utc_today}))
    assert (found.unchanged, found.failures) == ({"TOY"}, {})


@pytest.mark.parametrize(
    ("clock", "known", "vintage"),
    [
        (CLOCKS[0], date(2020, 1, 10), date(2020, 1, 10)),
        (CLOCKS[1], date(2020, 1, 11), date(2020, 1, 10)),  # 19:30 in New York in winter is the next day in UTC
        (CLOCKS[1], date(2020, 7, 10), date(2020, 7, 10)),
        (CLOCKS[1], date(2020, 3, 8), date(2020, 3, 7)),  # both the 7th and the 8th: summer time begins
        (CLOCKS[1], date(2020, 11, 1), date(2020, 10, 31)),  # neither: it ends
        (CLOCKS[2], date(2020, 1, 9), date(2020, 1, 10)),  # 08:50 in Tokyo is the day before in UTC
    ],
)
def test_the_vintage_behind_a_utc_day(clock: tuple[time, str], known: date, vintage: date) -> None:
    assert latest_vintage(toy(clock=clock), known) == vintage


@pytest.mark.parametrize("count", [1, 2, 1_999, 2_000, 2_001, 3_999, 4_000, 5_104])
def test_spans_overlap_by_one_vintage_and_hold_at_most_two_thousand(count: int) -> None:
    days = [date(2005, 1, 3) + timedelta(days=i) for i in range(count)]
    found = spans(pl.Series(days))
    assert (found[0][0], found[-1][1]) == (days[0], OPEN)
    assert all(a[1] == b[0] for a, b in pairwise(found))
    assert all(sum(a <= d <= b for d in days) <= 2_000 for a, b in found)
    assert all(a in days for a, _ in found)
    assert len(found) == max(1, -(-(count - 1) // 1_999))


@pytest.mark.parametrize(("vintages", "rows"), [(2, 1), (2, 3), (3, 2), (100, 1), (100, 8)])
def test_chunks_and_pages_change_nothing(vintages: int, rows: int) -> None:
    whole = statements(fetched("fred", toy(), server(), LATER))
    with small_pages(vintages, rows):
        assert statements(fetched("fred", toy(), server(cap=vintages), LATER)) == whole


@pytest.mark.parametrize(("newer", "told"), [(False, [1.0, None]), (True, [1.0])])
def test_what_ended_after_the_list_was_had_is_told_unless_a_newer_vintage_is_there(
    newer: bool, told: list[float | None]
) -> None:
    """A newer vintage is left to the next fetch, with all that it says."""
    listed = pl.Series([date(2020, 1, 1), date(2020, 2, 1)])
    days = {"realtime_start": listed[0], "realtime_end": date(2020, 2, 9), "asked_from": listed[0], "asked_to": OPEN}
    rows = [{"observation_date": date(2019, 1, 1), "value": 1.0, **days}]
    if newer:
        days |= {"realtime_start": date(2020, 2, 10), "realtime_end": OPEN}
        rows.append({"observation_date": date(2019, 2, 1), "value": 2.0, **days})
    found = fred_vintages.changes(pl.DataFrame(rows), listed, None)
    assert found["value"].to_list() == told


def test_each_row_names_the_answer_it_came_from() -> None:
    with small_pages(2, 1):
        found = fetched("fred", toy(), server(cap=2), LATER)
    bodies = {r.sha256: r.body for r in found.responses}
    for told in found.observations.filter(pl.col("value").is_not_null()).iter_rows(named=True):
        assert str(told["observation_date"]).encode() in bodies[told["payload_sha256"]]
        assert str(told["value"]).encode() in bodies[told["payload_sha256"]]


def test_a_vintage_published_between_two_requests_is_left_to_the_next_fetch() -> None:
    class Growing(FredServer):
        def get(self, request: Request) -> Response:
            response = super().get(request)
            self.today = V[3]  # the last vintage comes once the dates were told
            return response

    states: dict[date, list[float | str]] = {JAN: [1.0, 1.0, 2.0, 3.0], FEB: [1.0, 1.0, 1.0, ABSENT]}
    found = statements(fetched("fred", toy(), Growing(V, states, today=V[2]), LATER))
    assert found == [(JAN, 1.0, V[0], "snapshot"), (JAN, 2.0, V[2], "provider"), (FEB, 1.0, V[0], "snapshot")]


def test_a_withdrawal_that_is_no_vintage_date_counts_from_the_day_after() -> None:
    bodies = answers([row("2020-01-01", "1.0", V[0], date(2020, 1, 20))])
    assert statements(fetched("fred", toy(), bodies, LATER)) == [
        (JAN, 1.0, V[0], "snapshot"),
        (JAN, None, date(2020, 1, 21), "provider"),
    ]


# --- the property --------------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[date], dict[date, list[float | str]]]:
    """Vintage dates and, for some months, what each vintage has."""
    gaps = draw(st.lists(st.integers(1, 40), min_size=1, max_size=9))
    days = [date(2019, 12, 20) + timedelta(days=sum(gaps[: i + 1])) for i in range(len(gaps))]
    state = st.sampled_from([ABSENT, ".", 1.0, 2.0])
    months = draw(st.integers(1, 4))
    lists = st.lists(state, min_size=len(days), max_size=len(days))
    return days, {date(2020, m, 1): draw(lists) for m in range(1, months + 1)}


def truth(states: list[float | str], upto: int) -> float | str | None:
    """By brute force, what was known of an observation at a vintage: a value, null, or nothing yet."""
    now = states[upto]
    if now == ABSENT:
        return ABSENT if all(s == ABSENT for s in states[:upto]) else None
    return None if now == "." else now  # type: ignore[return-value]


def as_of(rows: pl.DataFrame, day: date, instant: datetime) -> float | str | None:
    known = rows.filter(pl.col("observation_date") == day, pl.col("release_time") <= instant).sort("release_time")
    return ABSENT if known.is_empty() else known["value"][-1]


def check_truth(rows: pl.DataFrame, days: list[date], states: dict[date, list[float | str]], series: Series) -> None:
    times = {release_instant(series, d): i for i, d in enumerate(days)}
    assert set(rows["release_time"]) <= set(times)
    assert (
        not rows.unique(["observation_date", "release_time", "value"])
        .select(pl.struct("observation_date", "release_time").is_duplicated().any())
        .item()
    )
    for day, of_day in states.items():
        for instant, i in times.items():
            assert as_of(rows, day, instant) == truth(of_day, i), (day, days[i])


MAGNITUDES = [("Trillions of Dollars", 1e-6), ("Billions of U.S. Dollars", 1e-3), ("Thousands of $", 1e3)]


@st.composite
def changing_units(draw: st.DrawFn, days: list[date]) -> list[tuple[date, str, float]]:
    """Units that change their magnitude with some vintages; the last is that of the catalog."""
    changed = sorted(draw(st.sets(st.sampled_from(days), max_size=2)))
    old = [draw(st.sampled_from(MAGNITUDES)) for _ in changed]
    starts = [fred_vintages.BEGINNING, *changed]
    return [(day, *unit) for day, unit in zip(starts, [*old, (MILLIONS, 1.0)], strict=True)]


@settings(max_examples=60)
@given(histories(), st.data(), st.integers(2, 4), st.integers(1, 5), st.sampled_from(CLOCKS))
def test_as_of_answers_are_those_of_the_truth(
    history: tuple[list[date], dict[date, list[float | str]]],
    data: st.DataObject,
    chunk: int,
    rows: int,
    clock: tuple[time, str],
) -> None:
    days, states = history
    series = toy(clock=clock, provider_unit=MILLIONS)
    fred_server = FredServer(days, states, days[-1], cap=chunk, units=data.draw(changing_units(days)))
    with small_pages(chunk, rows):
        found = fetched("fred", series, fred_server, Window(today=days[-1]))
    assert found.failures == {}
    check_truth(found.observations, days, states, series)
    first = pl.col("release_time") == release_instant(series, days[0])
    assert found.observations.filter(first != (pl.col("release_basis") == "snapshot")).is_empty()
    told = found.observations.sort("observation_date", "release_time")
    repeated = (told["observation_date"] == told["observation_date"].shift(1)) & told["value"].eq_missing(
        told["value"].shift(1)
    )
    assert not repeated.fill_null(False).any()


@settings(max_examples=60)
@given(
    histories(),
    st.data(),
    st.integers(2, 4),
    st.integers(1, 5),
    st.sampled_from(CLOCKS),
    st.sampled_from(["M", "W"]),
    st.integers(0, 1),
)
def test_an_incremental_fetch_completes_the_truth(
    history: tuple[list[date], dict[date, list[float | str]]],
    data: st.DataObject,
    chunk: int,
    rows: int,
    clock: tuple[time, str],
    frequency: str,
    ahead: int,
) -> None:
    days, states = history
    series = toy(frequency, clock)
    then = days[data.draw(st.integers(0, len(days) - 1))]
    facts = {"cap": chunk, "metadata": {"frequency_short": frequency}}
    with small_pages(chunk, rows):
        stored = fetched("fred", series, FredServer(days, states, then, **facts), Window(today=then))
        latest = stored.observations["release_time"].max()
        known = {} if latest is None else {series.id: latest.date()}
        # a later year's window: what was released about earlier dates must come too; of days and weeks that is a look
        first = None if frequency in ("D", "W") else date(2020, 6, 1)
        window = Window(first, today=days[-1] + timedelta(days=ahead), known=known)
        if latest is None:
            window = Window(today=window.today)
        found = fetched("fred", series, FredServer(days, states, days[-1], **facts), window)
    assert stored.failures == found.failures == {}
    both = pl.concat([stored.observations, found.observations])
    check_truth(both, days, states, series)
    if latest is not None and not found.observations.is_empty():
        assert found.observations["release_time"].min() >= latest  # the known day may be asked again


# --- units of old vintages -----------------------------------------------------------------------------------------

MILLIONS = "Millions of U.S. Dollars"


@pytest.mark.parametrize(
    ("was", "now", "power"),
    [
        ("Billions of Dollars", MILLIONS, 3),
        ("Billions of U.S. Dollars", "Billions of Dollars", 0),
        ("Millions of Dollars", "Billions of dollars", -3),
        ("Million of $", "Trillions of US Dollars", -6),
        ("Dollars", MILLIONS, -6),
        ("Thousands", "Thousands of Persons", 0),
        ("Persons", "Level in Thousands", -3),
        ("Thousands", "Number", 3),
        ("Billions of Chained 1996 Dollars", "Billions of Chained 2017 Dollars", 0),
        ("Billions of 1987 Dollars", "Millions of Chained 2017 Dollars", 3),
        ("Millions of 1982-84 Dollars", "Millions of 1982-84 CPI Adjusted Dollars", 0),
        ("1982=100", "Index 1982-1984=100", 0),
        ("Index Jun 1989=100", "Index Dec 2005=100", 0),
        ("Percent of Capacity", "Percent", 0),
        ("Millions of Euro", "Millions of Euros", 0),
        ("Months", "Months' Supply", 0),
        ("Thousands of Chained 2012 U.S. Dollars", "Millions of Chained 2017 Dollars", -3),
        ("Rate", "Percent", 0),
        ("U.S. $ to 1 Euro", "U.S. Dollars to One Euro", 0),
        ("100 Million Yen", "100 Million  yen", 0),
        ("Percent", "Index", None),
        ("Percent", "Percentage Points", None),
        ("Percent Change from Year Ago", "Percent Change at Annual Rate", None),
        ("Billions of Dollars", "Billions of Chained 2017 Dollars", None),
        ("Billions of Yen", "100 Million Yen", None),
        ("Millions of Dollars", "Millions of Euros", None),
        ("Dollars per Thousand BTU", "Dollars per Million BTU", None),
        ("Number", "Percent", None),
    ],
)
def test_units_differ_by_magnitude_by_base_year_or_in_kind(was: str, now: str, power: int | None) -> None:
    assert exponent(was, now) == power
    assert exponent(now, was) == (None if power is None else -power)


def test_every_unit_of_the_catalog_is_of_a_kind_that_others_are_not(catalog: Catalog) -> None:
    """But for base years, years of constant prices and magnitudes, and rates, which are percentages."""
    units = {s.provider_unit for s in catalog.series_of("fred")}
    assert all(exponent(u, u) == 0 for u in units)
    for unit in units:
        alike = {u for u in units if exponent(u, unit) is not None}
        first = {u.replace("US ", "U.S. ").split()[-1].rstrip("s").lower() for u in alike}
        assert len(first) == 1 or any("ndex" in u for u in alike) or alike <= COUNTS | {"Percent", "Rate"}, alike


COUNTS = {
    "Thousands of Persons",
    "Thousands",
    "Number",
    "Level in Thousands",
    "Thousands of Units",
    "Millions of Units",
}


def test_an_old_magnitude_is_made_todays() -> None:
    series = toy(provider_unit=MILLIONS)
    units = [(date(1776, 7, 4), "Billions of Dollars", 0.001), (V[2], MILLIONS, 1.0)]
    states: dict[date, list[float | str]] = {
        JAN: [1234.1, 1234.1, 1234.1, 1234.2],
        FEB: [ABSENT, 0.0, 0.0, "."],
        MAR: [".", "x", ".", 7.3],
    }
    states[MAR][1] = 5.0
    fred_server = FredServer(V, states, LATER.today, units=units)
    assert statements(fetched("fred", series, fred_server, LATER)) == [
        (JAN, 1234.1, V[0], "snapshot"),
        (JAN, 1234.2, V[3], "provider"),
        (FEB, 0.0, V[1], "provider"),
        (FEB, None, V[3], "provider"),
        (MAR, None, V[0], "snapshot"),
        (MAR, 5.0, V[1], "provider"),
        (MAR, None, V[2], "provider"),
        (MAR, 7.3, V[3], "provider"),
    ]
    later = fetched("fred", series, fred_server, Window(today=LATER.today, known={"TOY": V[1]}))
    assert (JAN, 1234.1, V[2], "provider") in statements(later)
    assert dict(fred_server.asked[-2].params)["realtime_start"] == str(V[1])


@settings(max_examples=60)
@given(st.decimals(-(10**9), 10**9, places=6), st.sampled_from([-9, -6, -3, 3, 6]))
def test_a_change_of_magnitude_moves_the_point_and_nothing_else(figure: Decimal, power: int) -> None:
    rows = pl.DataFrame({"value": [float(figure)], "realtime_start": [V[0]], "realtime_end": [V[1]]})
    found = in_todays_unit(rows, [UnitPeriod(V[0], power), UnitPeriod(V[2], 0)])
    assert found["value"][0] == float(figure.scaleb(power))


def test_a_figure_that_stays_while_its_magnitude_changes_is_refused() -> None:
    series = toy(provider_unit=MILLIONS)
    told = {"frequency_short": "M", "seasonal_adjustment_short": "NSA"}
    records = [
        {"realtime_start": "2020-01-10", "units": "Billions of Dollars", **told},
        {"realtime_start": "2020-03-10", "units": MILLIONS, **told},
    ]
    bodies = answers([row("2020-01-01", "5")]) | {"/fred/series": json.dumps({"seriess": records}).encode()}
    found = fetched("fred", series, bodies, LATER)
    assert found.observations.is_empty()
    assert "expected every figure to be told anew when the unit changed its magnitude" in found.failures["TOY"]
    assert "2020-01-01 has 5.0 from 2020-01-10" in found.failures["TOY"]


def test_figures_of_another_base_year_are_left_as_they_were() -> None:
    units = [(V[0], "Billions of Chained 2012 Dollars", 0.9), (V[2], "Billions of Chained 2017 Dollars", 1.0)]
    series = toy(provider_unit="Billions of Chained 2017 Dollars")
    found = fetched("fred", series, FredServer(V, {JAN: [10.0, 10.0, 10.0, 10.0]}, LATER.today, units=units), LATER)
    assert statements(found) == [(JAN, 9.0, V[0], "snapshot"), (JAN, 10.0, V[2], "provider")]


@pytest.mark.parametrize("since", [V[2], V[1] + timedelta(days=3)], ids=["with a vintage", "between vintages"])
def test_a_history_begins_where_the_unit_became_one_of_todays_kind(since: date) -> None:
    units = [(V[0], "Percent", 1.0), (V[1], "Index", 3.0), (since, "Percent", 1.0)]
    fred_server = server(units=units)
    found = statements(fetched("fred", toy(), fred_server, LATER))
    if since == V[2]:
        assert found[:3] == [(JAN, 2.0, V[2], "snapshot"), (FEB, 5.0, V[2], "snapshot"), (FEB, None, V[3], "provider")]
    else:  # what was in force on the day the unit changed, and what came after it
        assert found[:3] == [
            (JAN, 3.0, since, "snapshot"),
            (JAN, 2.0, V[2], "provider"),
            (FEB, 15.0, since, "snapshot"),
        ]
    assert dict(fred_server.asked[-1].params)["realtime_start"] == str(since)


def test_an_incremental_fetch_leaves_out_a_unit_of_another_kind_that_has_gone_again() -> None:
    units = [(V[0], "Percent", 1.0), (V[2], "Index", 3.0), (V[3], "Percent", 1.0)]
    found = fetched("fred", toy(), server(units=units), Window(today=LATER.today, known={"TOY": V[1]}))
    assert statements(found) == [(JAN, 2.0, V[3], "snapshot"), (FEB, None, V[3], "snapshot")]
    # and of one that was left before what is known nothing is asked
    fred_server = server(units=[(V[0], "Index", 3.0), (V[1], "Percent", 1.0)])
    again = fetched("fred", toy(), fred_server, Window(today=LATER.today, known={"TOY": V[1]}))
    assert (JAN, 2.0, V[2], "provider") in statements(again)


def test_the_unit_of_today_must_be_the_catalogs_even_where_an_old_one_is() -> None:
    fred_server = server(units=[(V[0], "Percent", 1.0), (V[2], "Index", 1.0)])
    found = fetched("fred", toy(), fred_server, LATER)
    assert "provider_unit 'Percent' is now 'Index'" in found.failures["TOY"]


# --- series without vintages ---------------------------------------------------------------------------------------


def test_a_series_outside_alfred_has_its_latest_values_alone() -> None:
    fred_server = server(alfred=False)
    window = Window(date(2020, 1, 1), date(2020, 3, 31), today=LATER.today, known={"TOY": V[3]})
    found = fetched("fred", toy(), fred_server, window)
    assert found.failures == {}
    assert found.observations["value"].to_list() == [2.0, None]
    assert set(found.observations["release_basis"]) == {"publication_lag"}
    assert fred_server.asked[-1].target == (
        "/fred/series/observations?series_id=TOYS&file_type=json&observation_start=2020-01-01"
        "&observation_end=2020-03-31&sort_order=asc&limit=100000&offset=0"
    )


def test_a_series_fred_does_not_know_fails() -> None:
    """Its vintage dates are refused in the words of a series outside ALFRED; its metadata tell."""
    missing = (400, b'<error code="400" message="Bad Request.  The series does not exist." />')
    found = fetched("fred", toy(), {"/fred/series/vintagedates": (400, NOT_IN_ALFRED), "/fred/series": missing})
    assert "FRED does not know the series" in found.failures["TOY"]


# --- answers that are wrong ----------------------------------------------------------------------------------------


def test_a_point_is_a_missing_figure_and_no_rows_are_no_error() -> None:
    assert statements(fetched("fred", toy(), answers([row("2020-01-01", ".")]), LATER)) == [
        (JAN, None, V[0], "snapshot")
    ]
    found = fetched("fred", toy(), answers([]), LATER)
    assert (found.failures, found.observations.height, found.unchanged) == ({}, 0, frozenset())


@pytest.mark.parametrize(
    ("bodies", "says"),
    [
        (answers([row("2020-01-01", "n/a")]), "expected a number in 'value', got 'n/a'"),
        (answers([row("2020-01-01", "NaN")]), "expected a number in 'value', got 'NaN'"),
        (answers([row("2020-01-01", None)]), "expected a number in 'value', got an empty cell"),
        (answers([row("2020-01-01", [1])]), "expected text or numbers"),
        (answers([row("01/01/2020", "1")]), "expected a date like %Y-%m-%d in 'date'"),
        (
            answers([row("2020-01-01", "1") | {"realtime_end": "9999"}]),
            "expected a date like %Y-%m-%d in 'realtime_end'",
        ),
        (answers([{"date": "2020-01-01", "value": "1"}]), "a row has ['date', 'value']"),
        (answers([row("2020-01-01", "1")], count="1"), "expected 'count' to be int, got str"),
        (answers([row("2020-01-01", "1")], offset=5), "from 0 of 1 on, got 1 from 5 on"),
        (answers([row("2020-01-01", "1")], count=0), "has grown while it was read"),
        (answers([], count=3), "from 0 of 3 on, got 0 from 0 on"),
        (answers([row("2020-01-01", "1")], observations={}), "expected 'observations' to be list, got dict"),
        (answers([row("2020-01-01", "1", date(2020, 1, 15))]), "`realtime_start` that is a vintage date"),
        (answers([row("2020-01-01", "1", date(2020, 1, 9))]), "within the period that was asked for"),
        (answers([row("2020-01-01", "1", V[2], V[1])]), "within the period that was asked for"),
        (answers([row("2020-01-01", "1"), row("2020-01-01", "2", V[1])]), "one value in force on a day"),
        (answers([row("2020-01-01", "1"), row("2020-01-01", "2")]), "one value in force on a day"),
        (answers([], vintages=["2020-02-10", "2020-01-10"]), "'vintage_dates' to ascend"),
        (answers([], vintages=["2020-02-10", "2020-02-10"]), "'vintage_dates' to ascend"),
        (answers([], vintages=["10.02.2020"]), "expected a date like %Y-%m-%d in 'vintage_dates'"),
        (answers([], vintages=[20200210]), "expected dates in 'vintage_dates', got 20200210"),
        ({**answers([]), "/fred/series": b'{"seriess": []}'}, "expected the member 'seriess.0'"),
        ({**answers([]), "/fred/series": described(units=1)}, "expected 'seriess.0.units' to be str, got int"),
        ({**answers([]), "/fred/series": described(realtime_start=None)}, "to be str, got NoneType"),
        ({**answers([]), "/fred/series": described(realtime_start="10.01.2020")}, "expected a date like %Y-%m-%d"),
        ({**answers([]), "/fred/series/observations": b"<html>Sorry</html>"}, "page of HTML"),
        ({**answers([]), "/fred/series/observations": b'{"count": 1, "off'}, "expected JSON"),
        ({**answers([]), "/fred/series/vintagedates": b""}, "empty body"),
    ],
)
def test_a_bad_answer_is_refused(bodies: dict[str, bytes], says: str) -> None:
    found = fetched("fred", toy(), bodies, LATER)
    assert found.observations.is_empty()
    assert says in found.failures["TOY"], found.failures
    assert "series TOY of source fred: expected" in found.failures["TOY"] or "grown" in says


def test_a_list_that_changes_between_pages_is_asked_for_again() -> None:
    class Shrinking(FredServer):
        def get(self, request: Request) -> Response:
            response = super().get(request)
            if request.path.endswith("observations"):
                self.states = {JAN: self.states[JAN]}
            return response

    with small_pages(100, 2):
        found = fetched("fred", toy(), Shrinking(V, server().states, LATER.today), LATER)
    assert "changed while it was read: 5 rows, then 2" in found.failures["TOY"]


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"units": "Index 2017=100"}, "provider_unit 'Percent' is now 'Index 2017=100'"),
        ({"frequency_short": "Q"}, "frequency 'M' is now 'Q'"),
        ({"seasonal_adjustment_short": "SA"}, "seasonal_adjustment 'NSA' is now 'SA'"),
    ],
)
def test_another_unit_frequency_or_adjustment_is_refused(metadata: dict[str, str], says: str) -> None:
    fred_server = server(metadata=metadata)
    found = fetched("fred", toy(), fred_server, LATER)
    assert says in found.failures["TOY"]
    assert "until the catalog's entry is edited" in found.failures["TOY"]
    assert fred_server.paths() == ["vintagedates", "series"]


@pytest.mark.parametrize(
    ("facts", "metadata"),
    [
        ({"provider_unit": "percent"}, {"units": " Percent"}),
        ({"provider_unit": "Billions of Dollars"}, {"units": "Billions of  dollars"}),
        ({"frequency": "W"}, {"frequency_short": "W"}),
        ({"frequency": "W"}, {"frequency_short": "BW"}),
        ({"seasonal_adjustment": "SAAR"}, {"seasonal_adjustment_short": "SAAR"}),
        ({"seasonal_adjustment": "SA"}, {"seasonal_adjustment_short": "SSA"}),
    ],
)
def test_other_spellings_of_the_same_are_taken(facts: dict[str, Any], metadata: dict[str, str]) -> None:
    found = fetched("fred", toy(**facts), server(metadata={"frequency_short": "M", **metadata}), LATER)
    assert found.failures == {}


def said(status: int, body: str, path: str = "/fred/series/observations") -> Response:
    return Response(f"GET https://api.stlouisfed.org{path}?series_id=X", body.encode(), datetime.now(UTC), status)


def test_only_a_list_of_vintage_dates_may_be_refused_for_want_of_vintages() -> None:
    response = said(400, NOT_IN_ALFRED.decode(), "/fred/series/vintagedates")
    assert explains("fred")(response) is None
    assert has_no_vintages(response)
    assert explains("fred")(said(200, '{"observations": [{"value": "error"}]}')) is None


# --- the calendar --------------------------------------------------------------------------------------------------


def test_the_calendar_is_read_page_by_page() -> None:
    days = [{"release_id": 10, "release_name": "Toys", "date": f"2020-05-{d:02d}"} for d in (1, 5, 9)]
    steps = fred.calendar(date(2020, 5, 1), date(2020, 5, 8), LATER.today)
    with small_pages(2, 2):
        request = next(steps)
        assert request.target == (
            "/fred/releases/dates?file_type=json&realtime_start=2020-04-30&realtime_end=9999-12-31"
            "&include_release_dates_with_no_data=true&order_by=release_date&sort_order=asc&limit=2&offset=0"
        )
        request = steps.send(said(200, json.dumps({"count": 3, "offset": 0, "release_dates": days[:2]})))
        assert dict(request.params)["offset"] == "2"
        with pytest.raises(StopIteration) as stop:
            steps.send(said(200, json.dumps({"count": 3, "offset": 2, "release_dates": days[2:]})))
    assert stop.value.value.rows() == [("10", "Toys", date(2020, 5, 1)), ("10", "Toys", date(2020, 5, 5))]


def test_a_release_without_a_name_is_refused() -> None:
    with pytest.raises(SchemaError, match="release_name"):
        read_calendar([{"release_id": 10, "date": "2020-05-01"}])


# --- recordings ----------------------------------------------------------------------------------------------------


def answered(path: str, **query: str) -> list[Recording]:
    """Recordings of an end point that are answers in JSON."""
    return [
        r
        for r in recordings("fred")
        if r.url.endswith(path) and r.status == 200 and {"file_type": "json", **query}.items() <= r.query.items()
    ]


def each(found: list[Recording]) -> pytest.MarkDecorator:
    none = [pytest.param(None, marks=pytest.mark.skip(reason="no such recordings of fred"))]
    return pytest.mark.parametrize("recording", found or none, ids=lambda r: r.file if r else "none")


@each(answered("/fred/series/vintagedates"))
def test_recorded_vintage_dates_are_read(recording: Recording) -> None:
    listed = read_vintage_dates(rows_of(recording.response, "vintage_dates"))
    assert [str(d) for d in listed] == json.loads(recording.body)["vintage_dates"]


@each(answered("/fred/releases/dates"))
def test_a_recorded_calendar_is_read(recording: Recording) -> None:
    days = read_calendar(rows_of(recording.response, "release_dates"))
    assert days.height == recording.body.count(b'"date"')
    assert days["release"].str.contains(r"^\d+$").all()


def toy_of(metadata: Recording) -> Series:
    """A series with the unit, frequency and adjustment of recorded metadata."""
    told = json.loads(metadata.body)["seriess"][0]
    adjustment = {"SSA": "SA", "NSAAR": "NSA"}.get(told["seasonal_adjustment_short"])
    return toy(
        told["frequency_short"].replace("BW", "W"),
        provider_unit=told["units"],
        seasonal_adjustment=adjustment or told["seasonal_adjustment_short"],
    ).model_copy(update={"code": told["id"]})


def of_the_catalogs_frequency(metadata: Recording) -> bool:
    """FRED also has figures of half years and of five years."""
    series = json.loads(metadata.body)["seriess"]
    return bool(series) and series[0]["frequency_short"] in ("D", "W", "BW", "M", "Q", "A")


@each([r for r in answered("/fred/series") if of_the_catalogs_frequency(r)])
def test_recorded_metadata_are_compared(recording: Recording) -> None:
    series = toy_of(recording)
    check_metadata(recording.response, series)
    with pytest.raises(SchemaError, match="until the catalog's entry is edited"):
        check_metadata(recording.response, series.model_copy(update={"provider_unit": "Index 1900=100"}))


def same_day(found: list[Recording], recording: Recording) -> Recording | None:
    return next((r for r in found if r.recorded.date() == recording.recorded.date()), None)


@each(answered("/fred/series/observations", realtime_start="1776-07-04", realtime_end="9999-12-31"))
def test_recorded_vintages_pass_through_the_whole_connector(recording: Recording) -> None:
    code = recording.query["series_id"]
    vintages = same_day(answered("/fred/series/vintagedates", series_id=code), recording)
    metadata = same_day(answered("/fred/series", series_id=code), recording)
    if (
        vintages is None
        or metadata is None
        or not of_the_catalogs_frequency(metadata)
        or recording.query.get("output_type", "1") != "1"
        or recording.query.keys() - {"series_id", "file_type", "realtime_start", "realtime_end", "output_type"}
    ):
        pytest.skip("no vintage dates or metadata of the same day, or another form")
    series = toy_of(metadata)
    bodies = {
        "/fred/series/vintagedates": vintages.body,
        "/fred/series": metadata.body,
        "/fred/series/observations": recording.body,
    }
    window = Window(today=recording.recorded.date())
    found = fetched("fred", series, Replayed(bodies, recording.recorded), window)
    assert found.failures == {}
    rows = found.observations.sort("observation_date", "release_time")
    instants = {d: release_instant(series, d) for d in read_vintage_dates(json.loads(vintages.body)["vintage_dates"])}
    assert set(rows["release_time"]) <= set(instants.values())
    snapshot = rows.filter(pl.col("release_basis") == "snapshot")
    assert set(snapshot["release_time"]) == {min(instants.values())}

    # what is known at the end is what FRED answered on that day without a word of vintages
    plain = [r for r in answered("/fred/series/observations", series_id=code) if len(r.query) == 2]
    if (today := same_day(plain, recording)) is not None:
        latest = rows.group_by("observation_date", maintain_order=True).last()
        told = read_recorded(today.response).select("observation_date", "value")
        assert latest.select("observation_date", "value").equals(told)

    # and the first release of each figure is what FRED has as such
    initial = answered("/fred/series/observations", series_id=code, output_type="4", realtime_start="1776-07-04")
    if (first := same_day(initial, recording)) is not None:
        told = read_recorded(first.response).with_columns(
            release_time=pl.col("realtime_start").replace_strict(instants, return_dtype=pl.Datetime("us", "UTC"))
        )
        matched = told.join(rows, on=["observation_date", "value", "release_time"], how="inner")
        assert matched.height == told.height > 0


@each([r for r in answered("/fred/series/observations") if len(r.query) == 2])
def test_recorded_latest_values_pass_through_the_whole_connector(recording: Recording) -> None:
    """As those of a series outside ALFRED, whose request has this form."""
    code = recording.query["series_id"]
    known = next(filter(of_the_catalogs_frequency, answered("/fred/series", series_id=code)), None)
    frequency = frequency_of(read_recorded(recording.response)["observation_date"])
    series = (toy(frequency) if known is None else toy_of(known)).model_copy(update={"code": code})
    told = server(metadata={"frequency_short": frequency}).get(Request("/fred/series", (("file_type", "json"),)))
    metadata = told.body if known is None else known.body
    bodies = {
        "/fred/series/vintagedates": (400, NOT_IN_ALFRED),
        "/fred/series": metadata,
        "/fred/series/observations": recording.body,
    }
    found = fetched("fred", series, bodies, Window(today=recording.recorded.date()))
    assert found.failures == {}
    assert found.observations.height == recording.body.count(b'"value":')


def frequency_of(days: pl.Series) -> Frequency:
    """The lowest frequency that dates may be of."""
    for frequency in get_args(Frequency)[::-1]:
        with suppress(PeriodError):
            refuse_another_rhythm(first_days(days, frequency).to_list(), frequency)
            return frequency  # type: ignore[no-any-return]
    raise AssertionError(days)


def header(recording: Recording) -> list[str]:
    return recording.body.partition(b"\n")[0].decode(errors="replace").strip().split(",")


@each([r for r in recordings("fred") if "fredgraph.csv" in r.url and r.query.get("id") in header(r)])
def test_a_recorded_chart_passes_through_the_whole_connector(recording: Recording) -> None:
    days = read_csv(recording.response).to_series(0).str.to_date()
    series = toy_series("fred_graph", recording.query["id"], frequency=frequency_of(days))
    found = fetched("fred_graph", series, {CHART: recording.body})
    assert found.failures == {}
    assert found.observations.height == count_rows(recording.body)


@pytest.mark.parametrize("clock", [time(8, 30), time(1, 30), time(2, 30), time(23, 59)])
def test_vintages_are_released_at_the_clock_time_in_summer_and_winter(clock: time) -> None:
    lag = PublicationLag(days=1, time=clock, time_zone="America/New_York")
    series = toy_series("fred", "TOY").model_copy(update={"publication_lag": lag})
    days = [date(1940, 1, 1), *(date(2024, m, d) for m in (3, 11) for d in range(1, 13))]
    rows = pl.DataFrame({"observation_date": days, "value": [1.0] * len(days), "vintage": days})
    found = released(rows, series, None)
    assert found["release_time"].to_list() == [release_instant(series, d) for d in days]
