"""Publication lags against the days on which figures were known to come out: an estimate is never earlier.

Recorded release days are read where they are there. The check itself is given lags that are too short, and must find
them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from macro_assets.catalog import Catalog, PublicationLag, Series, default_catalog
from macro_assets.catalog.holidays import delayed, federal_holidays
from macro_assets.catalog.periods import estimated_release, period_end, release_instant
from macro_assets_tests.sources.wire import RECORDINGS, recordings

CATALOG = default_catalog()
SHARED = RECORDINGS.parent
FRED = ("fred", "fred_graph", "fred_recent")

CONSUMER_PRICES = "10"
MONTHS_BACK = {
    "9": 1, "10": 1, "13": 1, "14": 2, "21": 1, "25": 2, "27": 1, "46": 1, "50": 1, "51": 2, "54": 1, "92": 1, "97": 1,
    "188": 1, "192": 2, "198": 1, "199": 2, "219": 1, "229": 2, "266": 1, "313": 1, "315": 1, "323": 1, "363": 1,
    "365": 1, "456": 1, "321": 0, "351": 0,
}  # fmt: skip
"""Of monthly releases, how many months before its first release in a month the new figure's month is."""

WEEKDAYS = {
    "20": (2, 0), "22": (2, 1), "180": (5, 0), "183": (0, 0), "187": (4, 0), "190": (3, 0), "221": (4, 0),
    "271": (4, 0), "465": (5, 0),
}  # fmt: skip
"""Of weekly releases, the weekday (0 = Monday) by which a week is dated, and how many further weeks back it is."""

HOMES = (*FRED, "nyfed")
"""Of daily figures, homes that have them no earlier than FRED."""

NEXT_BUSINESS_DAY = ("18", "86", "304", "375", "378", "427", "445", "483")
"""Daily releases that come out on the first business day after the day they are about."""


def too_early(series: Series, recorded: Mapping[date, date]) -> Iterator[str]:
    """Where a series' estimate is earlier than the day on which a first figure came out, by observation date."""
    for start, day in recorded.items():
        if estimated_release(series, start) < release_instant(series, day):
            late = (day - period_end(start, series.frequency)).days
            yield f"{series.id} of {series.source}: {start} came out on {day}, after {late} days"


def of_code(catalog: Catalog, *codes: str) -> list[Series]:
    """All holders of the quantities that FRED has under some codes, whatever their ids."""
    wanted = {i for i in catalog.series for h in catalog.holdings(i) if h.provider in FRED and h.series.code in codes}
    return [h.series for i in catalog.series if i in wanted for h in catalog.holdings(i)]


def of_release(release: str) -> list[Series]:
    """All holders of the quantities of one of FRED's releases that have no lag of their own."""
    lag = CATALOG.releases[f"fred/{release}"].publication_lag
    own = [s for s in CATALOG.series_of("fred") if s.release == release and s.publication_lag == lag]
    return of_code(CATALOG, *(s.code for s in own))


def month_before(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)


def problems(series: Sequence[Series], recorded: Mapping[date, date]) -> list[str]:
    assert series
    return [p for s in series for p in too_early(s, recorded)]


# --- what was recorded ---------------------------------------------------------------------------------------------


def body_of(part: str) -> Any:
    found = [r for r in recordings("fred") if part in r.file and r.status == 200]
    if not found:
        pytest.skip(f"no {part} of FRED at {RECORDINGS}")
    return json.loads(found[-1].body)


def path_to(file: str) -> Path:
    if not (path := SHARED / file).exists():
        pytest.skip(f"nothing at {path}")
    return path


def months_of_prices(days: Sequence[date]) -> dict[date, date]:
    """The month that each release of consumer prices first told, and its day.

    It is the month before. Where that month had no release, the first of two is about the month before it. The first of
    two in February tells seasonal factors, the second of other months' corrects.
    """
    in_month: dict[date, list[date]] = {}
    for day in sorted(days):
        in_month.setdefault(day.replace(day=1), []).append(day)
    told = {}
    for month, found in in_month.items():
        if len(found) > 1 and month_before(month, 1) not in in_month:
            told[month_before(month, 2)] = found.pop(0)
        told[month_before(month, 1)] = found[-1] if month.month == 2 else found[0]
    return told


def test_consumer_prices_since_1949() -> None:
    days = [date.fromisoformat(r["date"]) for r in body_of("release-dates-10")["release_dates"]]
    recorded = months_of_prices(days)
    assert recorded[date(2013, 9, 1)] == date(2013, 10, 30)
    assert recorded[date(1995, 12, 1)] == date(1996, 2, 1)
    assert recorded[date(2013, 1, 1)] == date(2013, 2, 21)
    series = of_release(CONSUMER_PRICES)
    assert {"BLS_CPI", "BLS_CPI_NSA", "BLS_CPI_CORE"} < {s.id for s in series}
    assert {"fred", "fred_graph", "bundled", "bls"} <= {s.source for s in series}
    derived = [CATALOG.series[i] for i in ("CPILFESL_ARCH", "CORESTICKM159SFRBATL", "MEDCPIM158SFRBCLE")]
    assert problems([*series, *derived], recorded) == []
    since_1992 = {m: d for m, d in recorded.items() if m.year >= 1992}
    assert problems(of_code(CATALOG, "RRSFS"), since_1992) == []


def test_the_national_accounts_of_fred() -> None:
    rows = body_of("series-observations-GDP-rt1776")["observations"]
    first: dict[date, date] = {}
    for row in (r for r in rows if r["value"] != "."):
        start, vintage = (date.fromisoformat(row[f]) for f in ("date", "realtime_start"))
        first[start] = min(vintage, first.get(start, date.max))
    begun = min(first.values())
    recorded = {s: d for s, d in first.items() if period_end(s, "Q") > begun}
    assert len(recorded) > 120
    assert problems(of_release("53"), recorded) == []


def test_the_first_releases_of_real_output_to_2026() -> None:
    with path_to("data/gdpnow/rel.csv").open(encoding="utf-8") as lines:
        rows = [{k: date.fromisoformat(r[k]) for k in r if r[k] and "date" in k} for r in csv.DictReader(lines)]
    since = [r for r in rows if r["observation_date"] >= date(1992, 10, 1)]
    assert problems(of_release("53"), {r["observation_date"]: r["first_release_date"] for r in since}) == []
    macrodata = [s for s in CATALOG.series_of("bundled") if s.unit == "usd_2005"]
    assert len(macrodata) == 5
    old = [r for r in since if r["observation_date"] < date(2009, 10, 1)]
    assert problems(macrodata, {r["observation_date"]: r["first_release_date"] for r in old}) == []
    # income follows with the second release; of a fourth quarter with the third, but for 2018, which had two in all
    income = {}
    for row in (r for r in since if r["observation_date"].year < 2025):
        quarter = row["observation_date"]
        which = "third" if quarter.month == 10 and quarter.year != 2018 else "second"
        income[quarter] = row[f"{which}_release_date"]
    assert problems(of_code(CATALOG, "A261RX1Q020SBEA"), income) == []


def test_the_vintages_of_29_series_in_2016() -> None:
    folder = path_to("vintages/us")
    with path_to("vintages/spec.csv").open(encoding="utf-8") as lines:
        quarterly = {r["SeriesID"] for r in csv.DictReader(lines) if r["Frequency"] == "q"}
    seen: dict[str, dict[date, date]] = {}
    files = sorted(folder.glob("*.csv"))
    for file in files:
        with file.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                day = date.fromisoformat(row.pop("Date")[:10]).replace(day=1)
                for code, value in row.items():
                    if value not in ("", "NaN"):
                        start = month_before(day, 2) if code in quarterly else day
                        seen.setdefault(code, {}).setdefault(start, date.fromisoformat(file.stem))
    first = date.fromisoformat(files[0].stem)
    assert len(seen) >= 29
    for code, days in seen.items():
        assert problems(of_code(CATALOG, code), {s: d for s, d in days.items() if d > first}) == [], code


def calendar_days() -> dict[str, list[date]]:
    found: dict[str, list[date]] = {}
    for row in body_of("releases-dates")["release_dates"]:
        found.setdefault(str(row["release_id"]), []).append(date.fromisoformat(row["date"]))
    return {release: sorted(days) for release, days in found.items()}


def test_the_calendar_of_monthly_releases() -> None:
    days = calendar_days()
    whole = month_before(min(d for found in days.values() for d in found), -1)
    for release, back in MONTHS_BACK.items():
        later = [d for d in days.get(release, []) if d >= whole]
        first = {month_before(d, back): d for d in reversed(later)}
        assert problems(of_release(release), first) == [], release


def test_the_calendar_of_weekly_releases() -> None:
    days = calendar_days()
    for release, (weekday, back) in WEEKDAYS.items():
        weeks = {d - timedelta(days=(d.weekday() - weekday) % 7 + 7 * back): d for d in reversed(days[release])}
        assert len(weeks) >= 6
        assert problems(of_release(release), weeks) == [], release


def test_the_calendar_of_daily_releases() -> None:
    """A day's figures are those of the last business day before it. The Treasury tells its own on the day itself."""
    days = calendar_days()
    for release in NEXT_BUSINESS_DAY:
        told = dict(pairwise(days[release]))
        assert len(told) > 25
        daily = [s for s in of_release(release) if s.frequency == "D" and CATALOG.series[s.id].source in HOMES]
        assert problems(daily, told) == [], release
    weekly = {d - timedelta(days=7 - n): d for d in days["17"] for n in range(5 - d.weekday())}
    assert problems(of_release("17"), {k: d for k, d in weekly.items() if k.weekday() < 5}) == []


# --- a lag that is too short is found ------------------------------------------------------------------------------


def with_lag(series_id: str, **facts: Any) -> Series:
    series = CATALOG.series[series_id]
    return series.model_copy(update={"publication_lag": series.publication_lag.model_copy(update=facts)})


@pytest.mark.parametrize(
    ("series", "recorded"),
    [
        (with_lag("WHLSLRIMSA", days=41, late={}), {date(2016, 5, 1): date(2016, 7, 15)}),
        (with_lag("BLS_PAYROLLS", late={}), {date(2025, 9, 1): date(2025, 11, 20)}),
        (with_lag("CPIAUCSL", formerly={}), {date(1978, 4, 1): date(1978, 5, 31)}),
        (with_lag("DGS10", holidays=None), {date(2024, 10, 11): date(2024, 10, 15)}),
        (with_lag("NFCI", holidays=None), {date(2024, 10, 11): date(2024, 10, 17)}),
        (with_lag("GDP", late={}), {date(2018, 10, 1): date(2019, 2, 28)}),
    ],
)
def test_a_lag_that_is_too_short_is_found(series: Series, recorded: Mapping[date, date]) -> None:
    assert len(list(too_early(series, recorded))) == 1
    assert list(too_early(CATALOG.series[series.id], recorded)) == []
    assert list(too_early(series, {k: k + timedelta(days=1) for k in recorded})) == []


def test_holders_of_a_quantity_are_found_whatever_their_ids() -> None:
    found = {(s.id, s.source) for s in of_code(CATALOG, "PAYEMS")}
    assert found == {("PAYEMS", "fred"), ("PAYEMS", "fred_graph"), ("PAYEMS", "bundled"), ("BLS_PAYROLLS", "bls")} | {
        ("BLS_PAYROLLS", "fred_graph")
    }


# --- delays that are known, without recordings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series_id", "start", "day"),
    [
        ("BLS_PAYROLLS", date(2013, 9, 1), date(2013, 10, 22)),
        ("BLS_UNEMPLOYMENT_RATE", date(2025, 9, 1), date(2025, 11, 20)),
        ("BLS_HOURLY_EARNINGS", date(2025, 10, 1), date(2025, 12, 16)),
        ("BLS_CPI", date(2025, 9, 1), date(2025, 10, 24)),
        ("BLS_PPI_FINAL_DEMAND", date(2025, 10, 1), date(2026, 1, 14)),
        ("BLS_JOB_OPENINGS", date(2025, 9, 1), date(2025, 12, 9)),
        ("US_TIC_HOLDINGS_JP", date(2025, 8, 1), date(2025, 11, 18)),
        ("GDPC1", date(2025, 7, 1), date(2025, 12, 23)),
        ("RSAFS", date(2018, 12, 1), date(2019, 2, 14)),
        ("RSAFS", date(2024, 5, 1), date(2024, 6, 18)),
        ("PCE", date(2019, 1, 1), date(2019, 3, 29)),
        ("ICSA", date(2025, 10, 4), date(2025, 11, 20)),
        ("EIA_CRUDE_STOCKS", date(2022, 6, 17), date(2022, 6, 29)),
        ("EIA_BRENT_SPOT", date(2024, 10, 8), date(2024, 10, 17)),
        ("HOUST", date(2013, 10, 1), date(2013, 12, 18)),
    ],
)
def test_delays_that_are_known(series_id: str, start: date, day: date) -> None:
    assert [p for h in CATALOG.holdings(series_id) for p in too_early(h.series, {start: day})] == []


def test_a_delay_is_one_of_the_series_own_periods() -> None:
    """A `late` that no observation date can meet would be a slip of the pen."""
    for series in CATALOG.series.values():
        starts = [*series.publication_lag.late, *series.publication_lag.formerly]
        if series.frequency in "MQA":
            months = {"M": 1, "Q": 3, "A": 12}[series.frequency]
            odd = [s for s in starts if s.day != 1 or (s.month - 1) % months]
            assert odd == [], series.id


# --- a lag that was longer once, and holidays ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "days"),
    [(date(1989, 12, 1), 32), (date(1990, 1, 1), 32), (date(1990, 2, 1), 20), (date(2020, 1, 1), 20)],
)
def test_a_lag_may_have_been_longer_once(start: date, days: int) -> None:
    series = CATALOG.series["CPIAUCSL"]
    assert (estimated_release(series, start).date() - period_end(start, "M")).days == days


def test_of_two_former_lags_the_earlier_is_that_of_what_is_older() -> None:
    series = with_lag("CPIAUCSL", formerly={date(1990, 1, 1): 25, date(1960, 1, 1): 40}, late={})
    assert estimated_release(series, date(1959, 12, 1)).date() == date(1960, 2, 9)
    assert estimated_release(series, date(1989, 12, 1)).date() == date(1990, 1, 25)
    assert estimated_release(series, date(1990, 1, 1)).date() == date(1990, 2, 20)


@pytest.mark.parametrize("days", [20, 3])
def test_a_former_lag_that_is_no_longer_one_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="`formerly` has 1990-01-01: .* no longer lag than `days`"):
        PublicationLag.model_validate(
            {"days": 20, "time": "08:30", "time_zone": "UTC", "formerly": {"1990-01-01": days}}
        )


def test_the_federal_holidays_of_a_year() -> None:
    fixed = ["2024-01-01", "2024-06-19", "2024-07-04", "2024-11-11", "2024-12-25", "2025-01-01"]
    moving = ["2024-01-15", "2024-02-19", "2024-05-27", "2024-09-02", "2024-10-14", "2024-11-28"]
    assert federal_holidays(2024) == {date.fromisoformat(d) for d in fixed + moving}
    assert {date(2021, 6, 18), date(2021, 7, 5), date(2021, 12, 31)} < federal_holidays(2021), "as they are observed"
    assert date(2020, 6, 19) not in federal_holidays(2020)
    assert date(1985, 1, 21) not in federal_holidays(1985)


@pytest.mark.parametrize(
    ("end", "days", "expected"),
    [
        (date(2024, 10, 10), 3, date(2024, 10, 13)),  # a Thursday, told on Friday
        (date(2024, 10, 11), 3, date(2024, 10, 15)),  # a Friday before a Monday that is a holiday
        (date(2020, 12, 24), 3, date(2020, 12, 28)),  # a Thursday before a Friday that is a holiday
        (date(2024, 11, 27), 1, date(2024, 11, 29)),  # Wednesday's balance sheet, on Friday after Thanksgiving
        (date(2024, 10, 14), 1, date(2024, 10, 15)),  # the day itself may be a holiday
    ],
)
def test_holidays_put_a_day_off(end: date, days: int, expected: date) -> None:
    assert delayed(end, end + timedelta(days=days)) == expected
