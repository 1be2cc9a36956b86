"""Every reader of cells with what it is for, and with what it must refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Frequency
from macro_assets.sources.cells import dates, epoch_instant, epoch_instants, finite, instants, numbers, periods
from macro_assets.sources.errors import SchemaError


def text(*cells: str | None, name: str = "c") -> pl.Series:
    return pl.Series(name, list(cells), dtype=pl.String)


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_text_becomes_numbers() -> None:
    found = numbers(text("1", "-2.50", " +3 ", ".5", "5.", "1e3", "1E-3", "007", "-0"))
    assert found.to_list() == [1, -2.5, 3, 0.5, 5, 1000, 0.001, 7, 0]
    assert found.name == "c"
    assert numbers(text()).dtype == pl.Float64


def test_missing_figures_become_null() -> None:
    assert numbers(text("1", ".", " . ", "ND"), (".", "ND")).to_list() == [1, None, None, None]
    assert numbers(text("1", "", None, "  "), ("",)).to_list() == [1, None, None, None]
    assert numbers(text("1", None), (None,)).to_list() == [1, None]


@pytest.mark.parametrize(
    "cell",
    [
        "",
        " ",
        ".",
        "-",
        "n/a",
        "NaN",
        "nan",
        "inf",
        "-Infinity",
        "1e400",
        "1,234.5",
        "1,5",
        "1 000",
        "1_000",
        "0x10",
        "--1",
        "1-",
        "(5)",
        "5%",
        "$5",
        "\uff11",
        "1.2.3",
        "1d5",
        "true",
        "2026-01-01",
        "1\x00",
        "\u22125",
    ],
)
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(SchemaError) as caught:
        numbers(text("1", cell, name="value"))
    assert str(caught.value) == f"expected a number in 'value', got {cell.strip()!r}"


def test_an_empty_cell_is_refused_where_none_may_be() -> None:
    for missing in ((), (".",)):
        with pytest.raises(SchemaError, match="expected a number in 'c', got an empty cell"):
            numbers(text("1", None), missing)
    with pytest.raises(SchemaError, match="got ''"):
        numbers(text("1", ""), (".",))


@pytest.mark.parametrize(
    ("thousands", "decimal", "cells", "found"),
    [
        (
            ",",
            ".",
            ["1,234.5", "1234.5", "-1,234,567", "12", "+999,000.", "1e3"],
            [1234.5, 1234.5, -1234567, 12, 999000, 1000],
        ),
        (".", ",", ["1.234,5", "1234,5", "-1.234.567", "12", ",5"], [1234.5, 1234.5, -1234567, 12, 0.5]),
        ("", ",", ["1234,5", "-0,25", "12", "1e3"], [1234.5, -0.25, 12, 1000]),
        (" ", ",", ["1 234,5", "12"], [1234.5, 12]),
        ("\u00a0", ",", ["1\u00a0234,5"], [1234.5]),
        (" ", ",", ["1\u00a0234,5", "1\u202f234\u2009567", "12"], [1234.5, 1234567, 12]),
        ("'", ".", ["1'234.5", "1\u2019234", "0.125"], [1234.5, 1234, 0.125]),
    ],
)
def test_numbers_with_marks_are_read(thousands: str, decimal: str, cells: list[str], found: list[float]) -> None:
    assert numbers(text(*cells), thousands=thousands, decimal=decimal).to_list() == found


@pytest.mark.parametrize(
    ("thousands", "decimal", "cell"),
    [
        (",", ".", "1,5"),  # a decimal comma, where a provider changed its language: not fifteen
        (",", ".", "1,23"),
        (",", ".", "1,2345"),
        (",", ".", "1234,567"),
        (",", ".", ",123"),
        (",", ".", "1,,234"),
        (",", ".", "1,234,"),
        (",", ".", "1.5,000"),
        (",", ".", "1.234,5"),
        (".", ",", "1.5"),
        (".", ",", "12.34"),
        (".", ",", "1,234.5"),
        (".", ",", "1,5,5"),
        ("", ",", "1.5"),  # a decimal point, where commas are expected: may be 1.5, may be a group cut short
        ("", ",", "1.234"),
        ("", ",", "1.234,5"),
        ("", ",", "1,5,5"),
        (" ", ",", "1 23"),
        (" ", ",", "1  234"),
        ("'", ".", "1'23"),
        (".", ",", "0.123"),  # no number begins with a group of nought: a decimal point
        (",", ".", "01,234"),
        (",", ".", "1,23,456"),
    ],
)
def test_marks_out_of_place_are_refused(thousands: str, decimal: str, cell: str) -> None:
    with pytest.raises(SchemaError) as caught:
        numbers(text("1", cell), thousands=thousands, decimal=decimal)
    assert str(caught.value) == f"expected a number in 'c', got {cell!r}"


def test_missing_figures_may_hold_marks() -> None:
    assert numbers(text("1.234,5", "..", "-"), ("..", "-"), ".", ",").to_list() == [1234.5, None, None]


def test_json_numbers_are_held_to_be_numbers() -> None:
    assert finite([1, -2.5, None], "v").to_list() == [1, -2.5, None]
    assert finite([], "v").dtype == pl.Float64


@pytest.mark.parametrize(
    "value", ["1", "", True, [1], {}, float("nan"), float("inf"), -float("inf"), 10**400, -(10**400)]
)
def test_json_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        finite([1, value], "v")
    assert str(caught.value).startswith("expected a number in 'v', got ")
    assert len(str(caught.value)) < 300


# --- dates -----------------------------------------------------------------------------------------------------------


def test_text_becomes_dates() -> None:
    iso = dates(text("2026-01-02", " 2024-02-29 ", "2026-01-02T00:00:00", "2026-01-02T00:00:00.000Z"))
    assert iso.to_list() == [date(2026, 1, 2), date(2024, 2, 29), date(2026, 1, 2), date(2026, 1, 2)]
    assert dates(text("01/02/2024", "1/2/2024"), "%m/%d/%Y").to_list() == [date(2024, 1, 2)] * 2
    assert dates(text("02.01.2024"), "%d.%m.%Y").to_list() == [date(2024, 1, 2)]
    assert dates(text("20240102"), "%Y%m%d").to_list() == [date(2024, 1, 2)]
    assert dates(text("01/02/69", "01/02/70"), "%m/%d/%y").to_list() == [date(2069, 1, 2), date(1970, 1, 2)]
    assert dates(text("1776-07-04", "9999-12-31")).to_list() == [date(1776, 7, 4), date(9999, 12, 31)]
    assert dates(text()).dtype == pl.Date


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("%Y-%m-%d", None),
        ("%Y-%m-%d", ""),
        ("%Y-%m-%d", "2026-02-30"),
        ("%Y-%m-%d", "2023-02-29"),
        ("%Y-%m-%d", "2026-13-01"),
        ("%Y-%m-%d", "2026-1-2"),
        ("%Y-%m-%d", "26-01-02"),
        ("%Y-%m-%d", "0026-01-02"),
        ("%Y-%m-%d", "2026-01-02T"),
        ("%Y-%m-%d", "2026-01-02Tuesday"),
        ("%Y-%m-%d", "2026-01-02T99:99"),
        ("%Y-%m-%d", "2026-01-02T24:00"),
        ("%Y-%m-%d", "2026-01-02T0:00"),
        ("%Y-%m-%d", "2026-01-02T00"),
        ("%Y-%m-%d", "2026-01-02T00:00:00+25:00"),
        ("%Y-%m-%d", "2026-01-02T00:00:00 UTC"),
        ("%Y-%m-%d", "2026-01-02T00:00:00Zulu"),
        ("%Y-%m-%d", "2026-01-02  00:00"),
        ("%Y-%m-%d", "2026-01"),
        ("%Y-%m-%d", "2026-Q1"),
        ("%Y-%m-%d", "2026/01/02"),
        ("%Y-%m-%d", "20260102"),
        ("%Y-%m-%d", "02-01-2026"),
        ("%Y-%m-%d", "2026-01-02x"),
        ("%m/%d/%Y", "13/01/2024"),
        ("%m/%d/%Y", "01/02/24"),
        ("%m/%d/%Y", "01/02/2024 12:00"),
        ("%m/%d/%Y", "2024-01-02"),
        ("%m/%d/%Y", "Jan 2, 2024"),
        ("%d.%m.%Y", "02/01/2024"),
        ("%Y%m%d", "2024012"),
        ("%Y%m%d", "2024-01-02"),
    ],
)
def test_a_date_of_another_form_is_refused(form: str, cell: str | None) -> None:
    good = date(2026, 1, 2).strftime(form)
    with pytest.raises(SchemaError) as caught:
        dates(text(good, cell, name="day"), form)
    assert str(caught.value) == f"expected a date like {form} in 'day', got {cell!r}"


@pytest.mark.parametrize(
    "cell",
    [
        "00:00",
        "00:00:00",
        "00:00:00.000",
        "00:00:00.000000000",
        "00:00Z",
        "00:00:00+00:00",
        "00:00:00-03:00",
        "00:00+01",
    ],
)
@pytest.mark.parametrize("mark", ["T", " "])
def test_midnight_by_its_own_clock_is_that_day(mark: str, cell: str) -> None:
    assert dates(text(f"2026-01-01{mark}{cell}", "2026-02-01")).to_list() == [date(2026, 1, 1), date(2026, 2, 1)]


def test_midnights_are_read_alike_all_at_once_and_one_by_one() -> None:
    days = pl.date_range(date(2024, 1, 1), date(2024, 12, 31), "1d", eager=True)
    cells = days.cast(pl.String) + pl.Series(["", "T00:00:00.000Z", " 00:00+01:00"] * 122)
    assert dates(cells).to_list() == dates(cells + " ").to_list() == days.to_list()
    with pytest.raises(SchemaError, match="got '2023-02-29T00:00'"):
        dates(text("2024-01-01T00:00", "2023-02-29T00:00"))


@pytest.mark.parametrize("clock", ["T23:00:00.000Z", "T00:00:00.001Z", " 12:00", "T00:00:01+01:00", "T03:00:00-03:00"])
def test_a_clock_time_that_is_no_midnight_is_refused(clock: str) -> None:
    with pytest.raises(
        SchemaError, match="expected a date like %Y-%m-%d in 'c', got '2025-12-31.*: it is not midnight"
    ):
        dates(text("2026-01-01", f"2025-12-31{clock}"))


@pytest.mark.parametrize(
    ("frequency", "cells"),
    [("M", ["2026-08", "2026M08", "2026-08-01"]), ("Q", ["2026-Q1", "2026Q1"]), ("A", ["2026"]), ("W", ["2026-W05"])],
)
def test_a_period_of_another_frequency_is_refused(frequency: Frequency, cells: list[str]) -> None:
    assert periods(text(*cells), frequency).len() == len(cells)
    for other in {"2026-08", "2026-Q1", "2026", "2026-W05"} - set(cells):
        for some in ([other], [other, *cells]):  # alone, and among those that are right
            with pytest.raises(SchemaError, match=rf"\(frequency {frequency}\) in 'c', got '{other}'"):
                periods(text(*some), frequency)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("2026", date(2026, 1, 1)),
        (" 2026 ", date(2026, 1, 1)),
        ("2026-Q1", date(2026, 1, 1)),
        ("2026Q4", date(2026, 10, 1)),
        ("2026-q2", date(2026, 4, 1)),
        ("2026-08", date(2026, 8, 1)),
        ("2026M08", date(2026, 8, 1)),
        ("2026-M12", date(2026, 12, 1)),
        ("2026M8", date(2026, 8, 1)),
        ("2026-W05", date(2026, 1, 26)),
        ("2026-W01", date(2025, 12, 29)),
        ("2020-W53", date(2020, 12, 28)),
        ("2026-01-02", date(2026, 1, 2)),
    ],
)
def test_periods_are_dated_by_their_first_day(name: str, first: date) -> None:
    assert periods(text(name, "1999", name)).to_list() == [first, date(1999, 1, 1), first]


def test_no_periods_are_no_dates() -> None:
    found = periods(text())
    assert (found.dtype, found.len(), found.name) == (pl.Date, 0, "c")


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        " ",
        "202",
        "26",
        "20261",
        "0000",
        "2026-Q0",
        "2026-Q5",
        "2026-Q",
        "2026-Q 1",
        "2026-Q+1",
        "Q1-2026",
        "2026-00",
        "2026-13",
        "2026-1",
        "2026-001",
        "2026-0008",
        "2026--08",
        "2026-08-",
        "-2026",
        "+026",
        "2_26",
        "2026M00",
        "2026M13",
        "2026-S1",
        "2026-S3",
        "2026H2",
        "2026-W00",
        "2026-W54",
        "2021-W53",
        "2026-A1",
        "2026-D001",
        "\uff12\uff10\uff12\uff16",
        "2026-02-30",
        "2026/01/02",
        "20260801",
        "202608",
        "Jan 2026",
        "2026-Q1-01",
        "2026Q1 (p)",
    ],
)
def test_a_period_of_another_form_is_refused(name: str | None) -> None:
    with pytest.raises(SchemaError) as caught:
        periods(text("2026", name, name="TIME_PERIOD"))
    assert str(caught.value) == f"expected a period like 2026-Q1 in 'TIME_PERIOD', got {name!r}"


NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("clock", "zone", "instant"),
    [
        ("2024-01-05 08:30", NEW_YORK, datetime(2024, 1, 5, 13, 30)),
        ("2024-07-05 08:30", NEW_YORK, datetime(2024, 7, 5, 12, 30)),
        ("2024-03-10 01:59", NEW_YORK, datetime(2024, 3, 10, 6, 59)),  # the last minute before summer time
        ("2024-03-10 03:00", NEW_YORK, datetime(2024, 3, 10, 7, 0)),  # the next minute
        ("2024-11-03 00:59", NEW_YORK, datetime(2024, 11, 3, 4, 59)),
        ("2024-11-03 01:30", NEW_YORK, datetime(2024, 11, 3, 6, 30)),  # is twice: known for sure at the second
        ("2024-11-03 02:00", NEW_YORK, datetime(2024, 11, 3, 7, 0)),
        ("2018-11-03 23:30", "America/Sao_Paulo", datetime(2018, 11, 4, 2, 30)),
        ("2024-05-31 08:50", "Asia/Tokyo", datetime(2024, 5, 30, 23, 50)),
        ("2024-05-31 08:50", "UTC", datetime(2024, 5, 31, 8, 50)),
    ],
)
def test_clock_times_become_instants(clock: str, zone: str, instant: datetime) -> None:
    found = instants(text(clock), "%Y-%m-%d %H:%M", zone)
    assert found.dtype == pl.Datetime("us", "UTC")
    assert found.to_list() == [instant.replace(tzinfo=UTC)]


@pytest.mark.parametrize(
    ("cell", "zone", "says"),
    [
        (None, NEW_YORK, "expected a time like %Y-%m-%d %H:%M in 'at', got None"),
        ("", NEW_YORK, "expected a time like %Y-%m-%d %H:%M in 'at', got ''"),
        ("2024-01-05", NEW_YORK, "got '2024-01-05'"),
        ("2024-01-05 25:00", NEW_YORK, "got '2024-01-05 25:00'"),
        ("05/01/2024 08:30", NEW_YORK, "got '05/01/2024 08:30'"),
        ("2024-03-10 02:30", NEW_YORK, "expected a time of America/New_York in 'at', got '2024-03-10 02:30'"),
        ("2018-11-04 00:30", "America/Sao_Paulo", "expected a time of America/Sao_Paulo in 'at'"),
    ],
)
def test_a_clock_time_of_another_form_or_of_no_hour_is_refused(cell: str | None, zone: str, says: str) -> None:
    with pytest.raises(SchemaError) as caught:
        instants(text("2024-01-05 08:30", cell, name="at"), "%Y-%m-%d %H:%M", zone)
    assert says in str(caught.value)


def test_epoch_times_become_instants() -> None:
    assert epoch_instants(finite([0, 86_400, -1], "t"), "t").to_list() == [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 2, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    ]
    assert epoch_instants(finite([1_704_153_600_123], "t"), "t", 1000)[0] == datetime(2024, 1, 2, 0, 0, 0, 123_000, UTC)
    assert epoch_instant(1_704_153_600, "t") == datetime(2024, 1, 2, tzinfo=UTC)
    assert epoch_instants(finite([], "t"), "t").to_list() == []


@pytest.mark.parametrize(
    "value", [None, "1704153600", True, float("nan"), 1_704_153_600_000, 9_999_999_999_999, 1e18, -1e18, 10**400]
)
def test_an_epoch_time_that_is_none_is_refused(value: Any) -> None:
    """Polars would make a date of any, and panic when somebody looks at it."""
    with pytest.raises(SchemaError, match="in 't', got"):
        epoch_instants(finite([0, value], "t"), "t")


@pytest.mark.parametrize("odd", ["+2026-1-01", " 2026-1-01", "2026-01- 1", "0999-01-01", "2026-02-30", "2026-1-1", ""])
def test_a_date_that_is_odd_among_plain_ones_is_found(odd: str) -> None:
    with pytest.raises(SchemaError, match="expected a date like"):
        dates(pl.Series("day", ["2026-01-02", odd]))


@pytest.mark.parametrize("odd", ["2026-13", "2026-1", "+026-01", "026-01 ", "2026-01-32", None])
def test_a_period_that_is_odd_among_plain_ones_is_found(odd: str | None) -> None:
    with pytest.raises(SchemaError, match="expected a period"):
        periods(pl.Series("time", ["2026-01", odd]))


def test_periods_of_several_lengths_are_read_together() -> None:
    found = periods(pl.Series("time", ["2026-01", "2025", "2024-Q2", " 2026-03 "]))
    assert found.to_list() == [date(2026, 1, 1), date(2025, 1, 1), date(2024, 4, 1), date(2026, 3, 1)]


def test_a_marker_that_is_a_number_stands_for_a_missing_figure() -> None:
    assert numbers(pl.Series("x", ["1", "-99"]), missing=("-99",)).to_list() == [1, None]
    assert numbers(pl.Series("x", ["1", "2"]), missing=("-99",)).to_list() == [1, 2]


@pytest.mark.parametrize("odd", ["inf", "-inf", "1e400", "NaN"])
def test_figures_whose_sum_is_too_large_are_looked_at_closely(odd: str) -> None:
    large = ["1.7e308", "1.7e308", "-1.7e308"]
    assert (
        numbers(text(*large)).to_list() == finite([float(v) for v in large], "c").to_list() == [float(v) for v in large]
    )
    for cells in ([*large, odd], ["inf", odd, "-inf"]):
        with pytest.raises(SchemaError, match="expected a number in 'c', got '"):
            numbers(text(*cells))
        with pytest.raises(SchemaError, match="expected a number in 'c', got "):
            finite([float(v) for v in cells], "c")


def test_markers_are_missing_figures_whatever_they_read_as() -> None:
    assert numbers(text("1", "NaN", " . ", "."), ("NaN", ".")).to_list() == [1, None, None, None]
    assert numbers(text("1,5", "NaN", "-99"), ("NaN", "-99"), decimal=",").to_list() == [1.5, None, None]
    with pytest.raises(SchemaError, match="got 'nan'"):
        numbers(text("1,5", "NaN", "nan"), ("NaN",), decimal=",")


@pytest.mark.parametrize(
    "odd", ["2026-1-02T00:00", "2026-01-02 T00:00", "2026-01-02t00:00", "2026-01T00:00", "T", "2026-01-2T"]
)
def test_a_stamp_that_does_not_begin_with_a_whole_date_is_refused(odd: str) -> None:
    with pytest.raises(SchemaError) as caught:
        dates(text("2026-01-02T00:00:00Z", odd))
    assert str(caught.value) == f"expected a date like %Y-%m-%d in 'c', got {odd!r}"
