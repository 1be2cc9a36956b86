"""Periods of observations and their probable releases, by calendar and clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from macro_assets.catalog import Catalog, Frequency, PublicationLag
from macro_assets.catalog.kinds.source import Dated
from macro_assets.catalog.periods import (
    PeriodError,
    estimated_release,
    estimated_releases,
    first_days,
    last_whole_day,
    next_period,
    period_end,
    period_start,
    refuse_another_rhythm,
)
from macro_assets_tests.sources.wire import toy_series


@pytest.mark.parametrize(
    ("frequency", "day", "start", "end"),
    [
        ("D", date(2024, 2, 29), date(2024, 2, 29), date(2024, 2, 29)),
        ("W", date(2024, 2, 28), date(2024, 2, 28), date(2024, 2, 28)),  # the week's last day already
        ("M", date(2024, 2, 29), date(2024, 2, 1), date(2024, 2, 29)),
        ("M", date(2023, 2, 14), date(2023, 2, 1), date(2023, 2, 28)),
        ("M", date(1900, 2, 1), date(1900, 2, 1), date(1900, 2, 28)),
        ("M", date(2023, 12, 31), date(2023, 12, 1), date(2023, 12, 31)),
        ("Q", date(2024, 1, 1), date(2024, 1, 1), date(2024, 3, 31)),
        ("Q", date(2024, 6, 30), date(2024, 4, 1), date(2024, 6, 30)),
        ("Q", date(2024, 12, 31), date(2024, 10, 1), date(2024, 12, 31)),
        ("A", date(2024, 7, 4), date(2024, 1, 1), date(2024, 12, 31)),
    ],
)
def test_the_period_a_day_lies_in(frequency: Frequency, day: date, start: date, end: date) -> None:
    assert period_start(day, frequency) == start
    assert period_end(start, frequency) == end


@pytest.mark.parametrize(
    ("frequency", "day", "following"),
    [
        ("D", date(2026, 11, 19), date(2026, 11, 20)),  # Thursday
        ("D", date(2026, 11, 20), date(2026, 11, 23)),  # Friday
        ("D", date(2026, 11, 21), date(2026, 11, 23)),  # Saturday, as some markets have
        ("D", date(2026, 11, 22), date(2026, 11, 23)),  # Sunday
        ("D", date(2024, 2, 28), date(2024, 2, 29)),
        ("D", date(2024, 2, 29), date(2024, 3, 1)),
        ("D", date(2026, 12, 31), date(2027, 1, 1)),
        ("W", date(2024, 2, 28), date(2024, 3, 6)),
        ("M", date(2024, 1, 1), date(2024, 2, 1)),
        ("M", date(2023, 12, 1), date(2024, 1, 1)),
        ("Q", date(2023, 10, 1), date(2024, 1, 1)),
        ("A", date(2024, 1, 1), date(2025, 1, 1)),
    ],
)
def test_the_observation_that_follows(frequency: Frequency, day: date, following: date) -> None:
    assert next_period(day, frequency) == following


@given(st.dates(date(1800, 1, 1), date(2100, 12, 31)), st.sampled_from(["M", "Q", "A"]))
def test_periods_cover_every_day_once(day: date, frequency: Frequency) -> None:
    start = period_start(day, frequency)
    end = period_end(start, frequency)
    assert start <= day <= end
    assert next_period(start, frequency) == end + timedelta(days=1)
    assert period_start(start, frequency) == start
    assert period_start(end, frequency) == start


@given(st.dates(date(1800, 1, 1), date(2100, 12, 31)))
def test_a_daily_series_goes_on_with_the_next_business_day(day: date) -> None:
    following = next_period(day, "D")
    assert following.isoweekday() <= 5
    assert [d for n in range(1, 4) if (d := day + timedelta(days=n)) < following and d.isoweekday() <= 5] == []


@pytest.mark.parametrize(
    ("start", "lag", "released"),
    [
        # half past eight in New York is 13:30 UTC in winter and 12:30 in summer
        (date(2026, 1, 1), 5, datetime(2026, 2, 5, 13, 30, tzinfo=UTC)),
        (date(2026, 6, 1), 5, datetime(2026, 7, 5, 12, 30, tzinfo=UTC)),
        # the clocks change on 8 March and on 1 November 2026
        (date(2026, 2, 1), 7, datetime(2026, 3, 7, 13, 30, tzinfo=UTC)),
        (date(2026, 2, 1), 8, datetime(2026, 3, 8, 12, 30, tzinfo=UTC)),
        (date(2026, 9, 1), 31, datetime(2026, 10, 31, 12, 30, tzinfo=UTC)),
        (date(2026, 9, 1), 32, datetime(2026, 11, 1, 13, 30, tzinfo=UTC)),
        (date(2024, 2, 1), 0, datetime(2024, 2, 29, 13, 30, tzinfo=UTC)),
    ],
)
def test_an_estimate_keeps_the_local_clock_when_summer_time_comes_and_goes(
    start: date, lag: int, released: datetime
) -> None:
    known = PublicationLag(days=lag, time=time(8, 30), time_zone="America/New_York")
    assert estimated_release(toy_series("cboe", "TOY", frequency="M", publication_lag=known), start) == released


def test_an_evening_in_the_west_is_the_next_day_in_utc() -> None:
    known = PublicationLag(days=0, time=time(22), time_zone="America/New_York")
    series = toy_series("cboe", "TOY", frequency="D", publication_lag=known)
    assert estimated_release(series, date(2026, 1, 5)) == datetime(2026, 1, 6, 3, tzinfo=UTC)


def test_a_weekly_figure_is_released_after_its_own_date() -> None:
    known = PublicationLag(days=5, time=time(12), time_zone="UTC")
    series = toy_series("cboe", "TOY", frequency="W", publication_lag=known)
    assert estimated_release(series, date(2026, 11, 14)) == datetime(2026, 11, 19, 12, tzinfo=UTC)


def test_a_figure_that_came_late_is_estimated_for_the_day_it_came() -> None:
    known = PublicationLag(
        days=8, time=time(8, 30), time_zone="America/New_York", late={date(2025, 9, 1): date(2025, 11, 20)}
    )
    series = toy_series("cboe", "TOY", frequency="M", publication_lag=known)
    assert estimated_release(series, date(2025, 9, 1)) == datetime(2025, 11, 20, 13, 30, tzinfo=UTC)
    assert estimated_release(series, date(2025, 10, 1)) == datetime(2025, 11, 8, 13, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime.combine(date(2008, 12, 1), time.max, UTC), date(2008, 12, 1)),
        (datetime(2008, 12, 1, 23, 59, 59, tzinfo=UTC), date(2008, 12, 1)),
        (datetime(2008, 12, 1, 23, 59, 58, 999_999, tzinfo=UTC), date(2008, 11, 30)),
        (datetime(2008, 12, 1, tzinfo=UTC), date(2008, 11, 30)),
        (datetime(2008, 12, 1, 23, 59, 59, tzinfo=timezone(timedelta(hours=1))), date(2008, 11, 30)),
        (datetime.combine(date.max, time.max, UTC), date.max),
    ],
)
def test_what_is_dated_a_day_is_known_from_its_last_second_on(moment: datetime, day: date) -> None:
    assert last_whole_day(moment) == day


def series_of(*days: date) -> pl.Series:
    return pl.Series(days, dtype=pl.Date)


@pytest.mark.parametrize(
    ("frequency", "start", "end", "other"),
    [
        ("M", date(2024, 2, 1), date(2024, 2, 29), date(2024, 2, 15)),
        ("Q", date(2024, 4, 1), date(2024, 6, 30), date(2024, 5, 1)),
        ("A", date(2024, 1, 1), date(2024, 12, 31), date(2024, 7, 1)),
    ],
)
def test_an_observation_is_dated_by_the_first_day_of_its_period(
    frequency: Frequency, start: date, end: date, other: date
) -> None:
    assert first_days(series_of(start), frequency).to_list() == [start]
    assert first_days(series_of(end), frequency, "end").to_list() == [start]
    assert first_days(series_of(start, end, other), frequency, "any").to_list() == [start] * 3
    for wrong, dated in ((end, "start"), (other, "start"), (start, "end"), (other, "end")):
        right = start if dated == "start" else end
        with pytest.raises(PeriodError, match=rf"\(frequency {frequency}\), {right}, got {wrong}"):
            first_days(series_of(right, wrong), frequency, dated)  # type: ignore[arg-type]


@pytest.mark.parametrize("frequency", ["D", "W"])
@pytest.mark.parametrize("dated", ["start", "end", "any"])
def test_days_and_weeks_are_dated_by_the_day_itself(frequency: Frequency, dated: Dated) -> None:
    days = [date(2024, 2, 28), date(2024, 2, 29)]
    assert first_days(series_of(*days), frequency, dated).to_list() == days
    assert first_days(series_of(), "M").to_list() == []


def every(months: int, count: int = 4) -> list[date]:
    return [date(2020 + m // 12, m % 12 + 1, 1) for m in range(0, months * count, months)]


WEEKS = [date(2020, 1, 1) + timedelta(days=7 * n) for n in range(6)]
DAYS = [date(2020, 1, 1) + timedelta(days=n) for n in range(6)]


@pytest.mark.parametrize(
    ("frequency", "days", "found"),
    [
        ("M", every(3), "quarters"),
        ("M", every(6), "half-years"),
        ("M", every(12), "years"),
        ("M", [*every(3), date(2030, 1, 1)], "quarters"),  # some of them missing
        ("M", every(4), "every 4 months"),
        ("Q", every(6), "half-years"),
        ("Q", every(12), "years"),
        ("W", DAYS, "days"),
        ("W", [*WEEKS, WEEKS[-1] + timedelta(days=3)], "days"),
        ("W", every(1), "months"),
        ("D", WEEKS, "weeks"),
        ("D", every(1), "months"),
    ],
)
def test_dates_of_another_frequency_are_refused(frequency: Frequency, days: list[date], found: str) -> None:
    with pytest.raises(PeriodError, match=f"frequency {frequency}.*, got {found}: 2020-"):
        refuse_another_rhythm(days[::-1], frequency)


@pytest.mark.parametrize(
    ("frequency", "days"),
    [
        ("M", every(1)),
        ("M", every(2)),  # some offices publish every second month
        ("M", [*every(3), date(2020, 2, 1)]),
        ("M", every(3, 2)),
        ("M", []),
        ("Q", every(3)),
        ("Q", [*every(6), date(2020, 4, 1)]),
        ("A", every(12)),
        ("A", every(24)),
        ("W", WEEKS),
        ("W", [*WEEKS, WEEKS[-1] + timedelta(days=6), WEEKS[-1] + timedelta(days=10)]),  # about a holiday
        ("D", DAYS),
        ("D", [*WEEKS, WEEKS[-1] + timedelta(days=1)]),
        ("D", WEEKS[:2]),
    ],
)
def test_gaps_and_few_dates_are_no_other_frequency(frequency: Frequency, days: list[date]) -> None:
    refuse_another_rhythm([*days, *days], frequency)


def test_estimates_of_all_dates_at_once_are_those_one_by_one(catalog: Catalog) -> None:
    """Of every series at every holder: longer lags of old, holidays, what came late."""
    for holding in (h for i in catalog.series for h in catalog.holdings(i)):
        one, day = holding.series, date(2016, 1, 1)
        days = [*one.publication_lag.late]
        while day < date(2020, 1, 1):
            days.append(day)
            day = next_period(day, one.frequency)
        found = estimated_releases(one, pl.Series(days, dtype=pl.Date))
        assert found.to_list() == [estimated_release(one, d) for d in days], one.id
    assert estimated_releases(one, pl.Series([], dtype=pl.Date)).is_empty()
