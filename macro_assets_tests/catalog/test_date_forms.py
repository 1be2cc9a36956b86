"""Forms of dates: what each reads, and that it reads nothing else."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macro_assets.catalog.date_forms import (
    DAYS,
    LABELS,
    ClockError,
    Written,
    date_form,
    names_no_frequency,
    read_date,
)

OWN = (*DAYS, *LABELS)


@pytest.mark.parametrize(
    ("text", "day", "frequency"),
    [
        ("2020-01-31", date(2020, 1, 31), "D"),
        ("2020-01-31T00:00:00.000Z", date(2020, 1, 31), "D"),
        ("2020-01-31 00:00", date(2020, 1, 31), "D"),
        ("2020", date(2020, 1, 1), "A"),
        ("2020Q2", date(2020, 4, 1), "Q"),
        ("2020-Q2", date(2020, 4, 1), "Q"),
        ("2020 Q2", date(2020, 4, 1), "Q"),
        ("2020q2", date(2020, 4, 1), "Q"),
        ("Q2 2020", date(2020, 4, 1), "Q"),
        ("Q2-2020", date(2020, 4, 1), "Q"),
        ("2Q20", date(2020, 4, 1), "Q"),
        ("2Q1999", date(1999, 4, 1), "Q"),
        ("4Q99", date(1999, 10, 1), "Q"),
        ("2020-W05", date(2020, 1, 27), "W"),
        ("2020W53", date(2020, 12, 28), "W"),
        ("2020-02", date(2020, 2, 1), "M"),
        ("2020M02", date(2020, 2, 1), "M"),
        ("2020-M2", date(2020, 2, 1), "M"),
        ("02/2020", date(2020, 2, 1), "M"),
        ("Jan 1997", date(1997, 1, 1), "M"),
        ("1997 JAN", date(1997, 1, 1), "M"),
        ("1997-may", date(1997, 5, 1), "M"),
        ("September 1997", date(1997, 9, 1), "M"),
        ("Sept. 1997", date(1997, 9, 1), "M"),
        (" 1997Dec ", date(1997, 12, 1), "M"),
    ],
)
def test_what_can_mean_one_thing_alone_needs_no_form(text: str, day: date, frequency: str) -> None:
    assert read_date(text, OWN) == Written(day, frequency)


@pytest.mark.parametrize(
    "text",
    [
        *("", "20", "0020", "202", "20201", "202001", "2020-1", "2020.1", "2020-13", "2020-00", "2020/1"),
        *("2020Q0", "2020Q5", "2020 Q", "Q1", "1Q", "1Q2", "5Q20", "1Q20 (p)", "2020-Q1-01"),
        *(
            "2020-W00",
            "2020-W54",
            "2021-W53",
            "2020w05",
            "Jan",
            "Jan 97",
            "97 Jan",
            "Janu 1997",
            "Jan 5 1997",
            "Mai 1997",
        ),
        *("01/02/2020", "2020/01/02", "20200102", "2020-02-30", "2020-1-2", "2020-01-01Tuesday", "2020-02-01T99:99"),
        *("2020-S1", "2020H1", "1H20", "2020-T1", "1T20", "2020-B1", "FY2020", "２０２０"),
    ],
)
def test_what_is_cut_off_damaged_or_may_mean_two_things_is_refused(text: str) -> None:
    assert read_date(text, OWN) is None


@pytest.mark.parametrize("text", ["2020-S1", "2020S2", "2020H1", "H1 2020", "2020-T3", "1H20", "2020-B6"])
def test_labels_of_no_frequency_are_told(text: str) -> None:
    assert names_no_frequency(text)
    assert not any(map(names_no_frequency, ("2020-Q1", "1T20")))  # a quarter in Portuguese, with '%qT%y'


@pytest.mark.parametrize(
    ("form", "text", "day", "frequency"),
    [
        ("%m/%d/%Y", "1/31/2020", date(2020, 1, 31), "D"),
        ("%m/%d/%y", "01/02/69", date(2069, 1, 2), "D"),
        ("%m/%d/%y", "01/02/70", date(1970, 1, 2), "D"),
        ("%-d.%-m.%Y", "2.1.2020", date(2020, 1, 2), "D"),
        ("%Y%m%d", "20200102", date(2020, 1, 2), "D"),
        ("%d-%b-%Y", "02-jan-2020", date(2020, 1, 2), "D"),
        ("%A, %d %B %Y", "Thursday, 2 January 2020", date(2020, 1, 2), "D"),
        ("%Y-%j", "2020-366", date(2020, 12, 31), "D"),
        ("%G-W%V-%u", "2020-W05-7", date(2020, 2, 2), "D"),
        ("%m/%d/%Y %H:%M", "1/31/2020 0:00", date(2020, 1, 31), "D"),
        ("%m/%d/%Y %I:%M:%S %p", "1/31/2020 12:00:00 AM", date(2020, 1, 31), "D"),
        ("%F", "2020-01-31", date(2020, 1, 31), "D"),
        ("%YQ%q", "2020Q1", date(2020, 1, 1), "Q"),
        ("%Y-Q%q", "2020-Q1", date(2020, 1, 1), "Q"),
        ("%qQ%y", "1Q20", date(2020, 1, 1), "Q"),
        ("%qT%y", "4T20", date(2020, 10, 1), "Q"),
        ("%Y %b", "1997 JAN", date(1997, 1, 1), "M"),
        ("%b-%y", "Jan-97", date(1997, 1, 1), "M"),
        ("%YM%m", "2020M01", date(2020, 1, 1), "M"),
        ("%Y%m", "202001", date(2020, 1, 1), "M"),
        ("%G-W%V", "2020-W05", date(2020, 1, 27), "W"),
        ("%Y", "2020", date(2020, 1, 1), "A"),
        ("FY%Y (100%%)", "FY2020 (100%)", date(2020, 1, 1), "A"),
    ],
)
def test_a_stated_form_is_read_to_the_letter(form: str, text: str, day: date, frequency: str) -> None:
    assert read_date(text, (form,)) == Written(day, frequency)
    for odd in (f"x{text}", f"{text}x", f"{text} 1", text.translate(str.maketrans("0123456789", "xxxxxxxxxx"))):
        assert read_date(odd, (form,)) != Written(day, frequency)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%Y%m%d", "2020012"),
        ("%Y%m", "20201"),
        ("%m/%d/%Y", "13/01/2020"),
        ("%d.%m.%Y", "30.02.2020"),
        ("%Y-%j", "2021-366"),
        ("%A %F", "Friday 2020-01-02"),
        ("%m/%d/%Y %I:%M %p", "1/31/2020 0:00 AM"),
        ("%m/%d/%Y %H:%M", "1/31/2020 24:00"),
        ("%YQ%q", "2020-Q1"),
        ("%Y-Q%q", "2020Q1"),
    ],
)
def test_what_is_not_of_the_form_is_none(form: str, text: str) -> None:
    assert read_date(text, (form,)) is None


@pytest.mark.parametrize(
    "form", ["", "date", "%", "%Q", "%Y-%d", "%m", "%d/%m", "%y%Y", "%Y%Y", "%H:%M", "%Y %H", "%V", "%Y-W%V", "%Y %p"]
)
def test_a_form_that_names_no_period_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        date_form(form)


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2019-12-31T23:00:00.000Z", "Europe/Paris", date(2020, 1, 1)),
        ("2020-06-30T22:00:00Z", "Europe/Paris", date(2020, 7, 1)),
        ("2020-01-01T03:00:00Z", "America/Sao_Paulo", date(2020, 1, 1)),
        ("2019-12-31 15:00+00:00", "Asia/Tokyo", date(2020, 1, 1)),
        ("2020-01-02T16:00:00-05:00", "America/New_York", date(2020, 1, 2)),
        ("2020-01-02T16:00:00", "America/New_York", date(2020, 1, 2)),  # by the clock of the zone itself
        ("2020-01-01T00:00:00Z", "Asia/Tokyo", date(2020, 1, 1)),
        ("2020-01-01", "Asia/Tokyo", date(2020, 1, 1)),
    ],
)
def test_a_zone_says_what_day_a_clock_time_is_of(text: str, zone: str, day: date) -> None:
    assert read_date(text, DAYS, zone) == Written(day, "D")
    if "00:00:00" not in text and len(text) > 10:
        with pytest.raises(ClockError, match="not midnight"):
            read_date(text, DAYS)


def test_a_moment_after_all_days_is_none() -> None:
    assert read_date("9999-12-31T23:00:00Z", DAYS, "Asia/Tokyo") is None


def test_midnight_of_one_day_that_is_another_one_there_is_refused() -> None:
    with pytest.raises(ClockError, match="is 2019-12-31 in America/New_York"):
        read_date("2020-01-01T00:00:00Z", DAYS, "America/New_York")


@given(st.dates(date(1000, 1, 1), date(9999, 12, 31)))
def test_every_day_is_read_as_it_was_written(day: date) -> None:
    assert read_date(day.isoformat(), OWN) == Written(day, "D")
    assert read_date(f"{day:%d/%m}/{day.year:04}", ("%d/%m/%Y",)) == Written(day, "D")
    year, week, weekday = day.isocalendar()
    if year > 999:
        assert read_date(f"{year}-W{week:02}-{weekday}", ("%G-W%V-%u",)) == Written(day, "D")
    month = day.replace(day=1)
    assert read_date(f"{day:%b} {day.year}", OWN) == Written(month, "M")
