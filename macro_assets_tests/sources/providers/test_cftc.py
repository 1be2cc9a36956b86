"""CFTC's reports: synthetic ones in their forms, and the recorded ones."""

from __future__ import annotations

import struct
import zipfile
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import polars as pl
import pytest

from macro_assets.catalog import Series, default_catalog
from macro_assets.sources.protocol import Response, Window
from macro_assets.sources.providers.cftc import connector as cftc
from macro_assets.sources.providers.cftc.connector import positions, read_report
from macro_assets.sources.providers.cftc.releases import released
from macro_assets_tests.sources.contract import HTML, Contract, Good
from macro_assets_tests.sources.wire import (
    Bodies,
    Recorded,
    Recording,
    Replayed,
    each_recording,
    fetched,
    fixture,
    toy_series,
)

FOLDER = "/files/dea/history/"
FILE = f"{FOLDER}fut_fin_txt_2026.zip"
YEAR = Window(date(2026, 1, 1), date(2026, 12, 31), today=date(2026, 11, 20))
NET = toy_series("cftc", "13874A:lev_money:net", dataset="tff", frequency="W", first_year=2006)
TEXT = fixture("cftc_tff.txt")


def other(code: str, series_id: str = "OTHER", **facts: object) -> Series:
    return NET.model_copy(update={"id": series_id, "code": code, **facts})


def zipped(*texts: bytes, name: str = "FinFutYY.txt") -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, text in enumerate(texts):
            archive.writestr(name if i == 0 else f"{i}{name}", text)
    return packed.getvalue()


def read(text: bytes, series: Series = NET) -> pl.DataFrame:
    response = Response("GET x", text, datetime.now(UTC), 200)
    return positions(read_report(response, {series.code[:6]}), series)


def why(body: bytes | tuple[int, bytes], series: Series = NET) -> str:
    found = fetched("cftc", series, {FILE: body}, YEAR)
    assert found.observations.is_empty()
    return found.failures[series.id]


def every_contract(response: Response) -> pl.DataFrame:
    """Open interest of all contracts of a report."""
    table = read_report(response, [","])
    codes = table["cftc_contract_market_code"].str.strip_chars().unique()
    return pl.concat([positions(table, other(f"{c}:open_interest")) for c in codes])


def every_line(body: bytes) -> int:
    archive = zipfile.ZipFile(BytesIO(body))
    return archive.read(archive.namelist()[0]).count(b"\n") - 1


REPORTS = {"tff": "fut_fin_txt_2025", "disaggregated": "fut_disagg_txt_2025", "legacy": "deacot2025"}
CONTRACT = Contract(
    good=Good(
        NET,
        FILE,
        TEXT,
        rows=((date(2026, 1, 6), -400.0), (date(2026, 1, 13), -350.0)),
        figure=b"     100",
        days=(b"2026-01-06", b"2026-01-13"),
        window=YEAR,
        refused=(
            (TEXT.replace(b"Report_Date_as", b"Date_of"), "one of ('report_date_as_yyyy_mm_dd'"),
            (TEXT.replace(b"CFTC_Contract_Market_Code", b"Code"), "expected the columns cftc_contract_market_code"),
            (TEXT.replace(b"Lev_Money_Positions_Short_All", b"Short"), "column 'lev_money_positions_short_all'"),
            (TEXT.replace(b"     100", b"        "), "expected a number"),
            (TEXT.replace(b"2026-01-06", b"2026-13-06"), "got '2026-13-06'"),
            (TEXT.replace(b"2026-01-06", b"20260106"), "expected a date"),
            (TEXT + TEXT.splitlines()[1] + b"\n", "one line of contract 13874A for 2026-01-13, got several"),
            (TEXT[:-40], "cut off"),
            (TEXT.replace(b"E-MINI", b"\xff-MINI"), "utf-8"),
            (zipped(TEXT)[:-30], "cannot be read"),
            (zipped(TEXT, TEXT), "a zip with one text"),
            (zipped(), "a zip with one text"),
        ),
    ),
    more=(
        Good(
            NET,
            FILE,
            TEXT,
            rows=((date(2026, 1, 6), -400.0), (date(2026, 1, 13), -350.0)),
            figure=b"     100",
            days=(b"2026-01-06",),
            window=YEAR,
            pack=lambda text: zipped(text) if text not in (b"", HTML) else text,
        ),
    ),
    asks=lambda s: (f"{FOLDER}{REPORTS[str(s.dataset)]}.zip",),
    recorded=Recorded(
        "cftc",
        readers={r"files/dea/history/\w+\.zip": every_contract},
        no_series={
            "/resource/": "the same reports from another service, which is not asked",
            "newcot": "one week",
            r"^(?!.*files/dea/history/\w+\.zip)": "pages and descriptions",
        },
        count=lambda body: len(body.strip().splitlines()) - 1 if not body.startswith(b"PK") else every_line(body),
        plausible=lambda rows: (
            rows["value"].min() >= 0 and rows["observation_date"].dt.weekday().is_in([1, 2, 3]).all()
        ),
    ),
)


def test_series_of_the_catalog_are_weekly_and_known_on_friday() -> None:
    for series in default_catalog().series_of("cftc"):
        assert cftc._CODE.fullmatch(series.code)
        assert series.frequency == "W"
        assert (series.publication_lag.days, series.publication_lag.time_zone) == (3, "America/New_York")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("13874A:lev_money:long", [150.0, 100.0]),
        ("13874A:lev_money:short", [500.0, 500.0]),
        ("13874A:lev_money:spread", [None, 20.0]),  # '.' in the newer week
        ("13874A:open_interest", [2000.0, 1900.0]),
        ("1170E1:lev_money:net", [7.0]),
    ],
)
def test_every_side_is_there(code: str, expected: list[float | None]) -> None:
    assert read(TEXT, other(code))["value"].to_list() == expected


def test_a_week_is_known_on_friday_afternoon() -> None:
    lag = default_catalog().series["COT_SP500_LEV_NET"].publication_lag
    found = fetched("cftc", NET.model_copy(update={"publication_lag": lag}), {FILE: TEXT}, YEAR).observations
    assert found["release_time"].max() == datetime(2026, 1, 16, 20, 30, tzinfo=UTC)
    assert set(found["release_basis"]) == {"publication_lag"}


def came_out(reports: list[date]) -> list[date]:
    """The days in New York on which reports came out."""
    rows = pl.DataFrame({"observation_date": reports, "value": 0.0})
    times = released(rows, default_catalog().series["COT_SP500_LEV_NET"])["release_time"]
    return times.dt.convert_time_zone("America/New_York").dt.date().to_list()


# From CFTC's release schedule of 2026 and its announcements of the years before.
@pytest.mark.parametrize(
    ("report", "published"),
    [
        ("2026-03-17", "2026-03-20"),
        ("2025-12-30", "2026-01-05"),  # New Year's Day on Thursday
        ("2026-06-16", "2026-06-22"),  # Juneteenth on Friday
        ("2020-06-16", "2020-06-19"),  # no federal holiday yet
        ("2026-06-30", "2026-07-06"),  # the Fourth of July on Saturday, observed on Friday
        ("2026-11-10", "2026-11-16"),  # Veterans Day on Wednesday
        ("2026-11-24", "2026-11-30"),  # Thanksgiving
        ("2026-12-22", "2026-12-28"),  # Christmas on Friday
        ("2008-12-22", "2008-12-29"),  # a report of a Monday
        ("2021-12-28", "2022-01-03"),  # New Year's Day on Saturday, observed on the Friday of the old year
        ("2022-12-27", "2022-12-30"),  # New Year's Day on Sunday: observed on Monday, which holds nothing up
        ("2013-10-01", "2013-10-25"),
        ("2018-12-24", "2019-02-01"),
        ("2019-02-26", "2019-03-05"),
        ("2019-03-05", "2019-03-08"),  # back to the rule
        ("2023-03-14", "2023-03-21"),
        ("2023-03-21", "2023-03-24"),
        ("2025-09-23", "2025-09-26"),
        ("2025-09-30", "2025-11-19"),
        ("2025-12-23", "2025-12-29"),
    ],
)
def test_the_day_of_publication_follows_the_rule_or_the_announcement(report: str, published: str) -> None:
    assert came_out([date.fromisoformat(report)]) == [date.fromisoformat(published)]


def test_no_report_came_out_before_the_catalogs_lag_or_before_an_older_one() -> None:
    lag = default_catalog().series["COT_SP500_LEV_NET"].publication_lag
    tuesdays = [date(2010, 1, 5) + timedelta(weeks=w) for w in range(52 * 17)]
    holidays = {date(2018, 12, 25), date(2019, 1, 1), date(2025, 11, 11)}  # the report was of the Monday
    days = sorted({*tuesdays, *lag.late} - holidays)
    published = came_out(days)
    assert published == sorted(published)
    assert all(p >= d + timedelta(days=lag.days) for d, p in zip(days, published, strict=True))
    assert not any(p.weekday() > 4 for p in published)


def test_a_week_of_the_shutdown_is_known_when_it_came_out() -> None:
    text = TEXT.replace(b"2026-01-13", b"2025-10-07").replace(b"2026-01-06", b"2025-09-23")
    window = Window(date(2025, 1, 1), date(2025, 12, 31), today=date(2026, 11, 20))
    lag = default_catalog().series["COT_SP500_LEV_NET"].publication_lag
    series = NET.model_copy(update={"publication_lag": lag})
    found = fetched("cftc", series, {f"{FOLDER}fut_fin_txt_2025.zip": text}, window).observations
    assert found.sort("release_time")["release_time"].to_list() == [
        datetime(2025, 9, 26, 19, 30, tzinfo=UTC),
        datetime(2025, 11, 21, 20, 30, tzinfo=UTC),
    ]
    assert set(found["release_basis"]) == {"publication_lag"}


def test_the_larger_contract_is_not_taken_for_one_whose_line_names_it() -> None:
    """'13874A' occurs in a count or a name of another line too."""
    line = TEXT.splitlines()[1].replace(b"13874A", b"99999X").replace(b"E-MINI S&P 500", b"NOT 13874A")
    assert read(TEXT + line + b"\n")["value"].to_list() == read(TEXT)["value"].to_list()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Report_Date_as_YYYY-MM-DD", b"Report_Date_as_MM_DD_YYYY"),
        (b"Lev_Money_Positions_Short_All", b"Lev_Money__Positions_Short_ALL"),
        (b"2026-01-06", b"01/06/2026"),
        (b"2026-01-06", b"1/6/2026 12:00:00 AM"),
        (b"     100", b"100.000000"),
        (b"\n", b"\r\n"),
    ],
    ids=["date's column", "underscores", "slashes", "midnight", "decimals", "crlf"],
)
def test_spellings_of_older_years(old: bytes, new: bytes) -> None:
    text = TEXT.replace(old, new)
    if b"/" in new:
        text = text.replace(b"2026-01-13", new.replace(b"06/", b"13/").replace(b"/6/", b"/13/"))
    assert read(text)["value"].to_list() == [-350.0, -400.0]
    assert read(text)["observation_date"].to_list() == [date(2026, 1, 13), date(2026, 1, 6)]


def test_the_legacy_report_has_other_names() -> None:
    series = other("088691:noncommercial:net", dataset="legacy")
    text = (
        b'"Market and Exchange Names","As of Date in Form YYMMDD","As of Date in Form YYYY-MM-DD",'
        b'"CFTC Contract Market Code","Open Interest (All)","Noncommercial Positions-Long (All)",'
        b'"Noncommercial Positions-Short (All)","Noncommercial Positions-Spreading (All)"\n'
        b'"GOLD - COMMODITY EXCHANGE INC.                ",260106,2026-01-06,088691 ,  900,  300,  100,   50\n'
    )
    found = fetched("cftc", series, {f"{FOLDER}deacot2026.zip": zipped(text, name="annual.txt")}, YEAR)
    assert found.observations["value"].to_list() == [200.0]
    assert read(text, other("088691:noncommercial:spreading"))["value"].to_list() == [50.0]


def test_the_doubled_underscore_of_swap_dealers_is_no_matter() -> None:
    text = (
        b'"Report_Date_as_YYYY-MM-DD","CFTC_Contract_Market_Code","Swap_Positions_Long_All","Swap__Positions_Short_All"\n'
        b"2026-01-06,067651,30,10\n"
    )
    assert read(text, other("067651:swap:net"))["value"].to_list() == [20.0]


# --- what is asked -------------------------------------------------------------------------------------------------


def asked(window: Window, *series: Series, bodies: Bodies | None = None) -> list[str]:
    client = Replayed(bodies or {})
    fetched("cftc", series or [NET], client, window)
    return [r.target.removeprefix(FOLDER) for r in client.asked]


def everything(window: Window, *series: Series) -> list[str]:
    """Files asked for where each is there."""
    names = ["fin_fut_txt_2006_2016.zip", *(f"fut_fin_txt_{y}.zip" for y in range(2011, 2028))]
    names += [f"deacot{y}.zip" for y in range(1986, 2028)]
    return asked(window, *series, bodies={FOLDER + n: TEXT for n in names})


def test_each_year_of_the_window_is_asked_once_for_all_series() -> None:
    window = Window(date(2024, 6, 1), date(2025, 2, 1), today=date(2026, 11, 20))
    assert everything(window, NET, other("1170E1:lev_money:net")) == ["fut_fin_txt_2024.zip", "fut_fin_txt_2025.zip"]


def test_years_before_2011_are_in_one_file() -> None:
    window = Window(None, date(2011, 12, 31), today=date(2026, 11, 20))
    assert everything(window) == ["fin_fut_txt_2006_2016.zip", "fut_fin_txt_2011.zip"]
    assert everything(Window(None, date(2010, 12, 31), today=date(2026, 11, 20))) == ["fin_fut_txt_2006_2016.zip"]


def test_weeks_since_2011_are_not_taken_from_the_file_of_older_years() -> None:
    """It has them too, with the numbers of then: a week must not come twice."""
    older = TEXT.replace(b"2026-01-06", b"2010-12-28").replace(b"2026-01-13", b"2011-01-04")
    window = Window(None, date(2010, 12, 31), today=date(2026, 11, 20))
    found = fetched("cftc", NET, {f"{FOLDER}fin_fut_txt_2006_2016.zip": older}, window)
    assert found.observations["observation_date"].to_list() == [date(2010, 12, 28)]


def test_the_legacy_report_has_a_file_for_every_year() -> None:
    window = Window(None, date(1988, 12, 31), today=date(2026, 11, 20))
    series = other("088691:noncommercial:net", dataset="legacy", first_year=1986)
    assert everything(window, series)[:1] == ["deacot1986.zip"]


@pytest.mark.parametrize(("today", "newest"), [(date(2026, 1, 9), 2025), (date(2026, 1, 10), 2026)])
def test_a_year_is_not_asked_before_its_first_report(today: date, newest: int) -> None:
    """2026-01-06 is the first Tuesday, 2026-01-09 the Friday of its report."""
    assert everything(Window(date(2025, 12, 1), None, today=today))[-1] == f"fut_fin_txt_{newest}.zip"


# --- what is refused -----------------------------------------------------------------------------------------------


def test_a_contract_that_the_newest_file_lacks_fails_alone() -> None:
    wrong = other("999999:lev_money:net")
    found = fetched("cftc", [NET, wrong], {FILE: TEXT}, YEAR)
    assert list(found.failures) == ["OTHER"]
    assert "has no contract 999999" in found.failures["OTHER"]
    assert set(found.observations["series_id"]) == {"TOY"}


def test_a_contract_that_ended_may_be_absent() -> None:
    ended = other("999999:lev_money:net", last_year=2015)
    assert fetched("cftc", ended, {FILE: TEXT}, YEAR).failures == {}


def test_a_contract_may_be_absent_from_older_years() -> None:
    window = Window(date(2024, 1, 1), date(2024, 12, 31), today=date(2026, 11, 20))
    found = fetched("cftc", other("133741:lev_money:net"), {f"{FOLDER}fut_fin_txt_2024.zip": TEXT}, window)
    assert (found.failures, found.observations.height) == ({}, 0)


def test_a_zip_with_a_flipped_bit_is_refused() -> None:
    body = bytearray(zipped(TEXT))
    body[100] ^= 0xFF
    assert "cannot be read" in why(bytes(body))


def test_a_zip_whose_directory_is_longer_than_the_file_is_refused() -> None:
    body = zipped(TEXT)
    assert "cannot be read" in why(body[:-10] + struct.pack("<L", 1_000_000) + body[-6:])


def test_a_zip_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cftc, "MAX_TEXT", 500)
    assert "at most 500 bytes" in why(zipped(TEXT))


def test_a_zip_that_lies_about_its_size_is_not_unpacked_further() -> None:
    bomb = zipped(b"0" * 1_000_000)
    honest, lie = struct.pack("<L", 1_000_000), struct.pack("<L", 10)
    assert bomb.count(honest) == 2
    assert "cannot be read" in why(bomb.replace(honest, lie))


@pytest.mark.parametrize("code", ["13874A", "13874A:lev_money", "13874A:lev_money:flat", "1387:lev_money:net"])
def test_a_code_in_another_form_is_refused(code: str) -> None:
    assert "expected a code like '13874A:lev_money:net'" in why(TEXT, NET.model_copy(update={"code": code}))


def test_an_unknown_report_is_refused() -> None:
    assert "no report 'weekly'" in why(TEXT, NET.model_copy(update={"dataset": "weekly"}))


# --- recordings ----------------------------------------------------------------------------------------------------


@each_recording("cftc")
def test_a_recorded_year_makes_the_series_of_its_report(recording: Recording) -> None:
    year = next((y for y in range(2011, 2030) if recording.url.endswith(f"fut_fin_txt_{y}.zip")), None)
    if year is None or recording.status != 200:
        pytest.skip("no file of Traders in Financial Futures")
    body = recording.body
    archive = zipfile.ZipFile(BytesIO(body)) if body.startswith(b"PK") else None
    text = archive.read(archive.namelist()[0]) if archive else body
    wanted = [
        s
        for s in default_catalog().series_of("cftc")
        if s.dataset == "tff" and s.first_year < year and s.code.partition(":")[0].encode() in text  # or an excerpt
    ]
    window = Window(date(year, 1, 1), date(year, 12, 31), today=date(year, 12, 31))
    found = fetched("cftc", wanted, {f"{FOLDER}fut_fin_txt_{year}.zip": recording.body}, window)
    assert found.failures == {}
    weeks = found.observations.group_by("series_id").len()
    assert set(weeks["series_id"]) == {s.id for s in wanted}
    assert weeks["len"].n_unique() <= 1
    for series in wanted:
        values = found.observations.filter(pl.col("series_id") == series.id)["value"]
        assert values.is_between(series.bounds.low, series.bounds.high).all(), series.id
