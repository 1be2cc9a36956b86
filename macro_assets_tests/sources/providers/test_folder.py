"""Folders of the user's own files: synthetic ones, hostile ones, and the real ones where they are."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from macro_assets.catalog import default_catalog, folders, load_catalog
from macro_assets.catalog.folders import MAX_COLUMNS
from macro_assets.sources.errors import SchemaError, SourceError
from macro_assets.sources.fetching import fetch
from macro_assets.sources.protocol import Request, Response, Window
from macro_assets.sources.providers import manual
from macro_assets.sources.providers.folder import files as folder_files
from macro_assets.sources.providers.folder.connector import LISTING, client, fingerprint, plan
from macro_assets_tests.sources.own_files import SHIPPED, catalog_of, declare, fetched_of
from macro_assets_tests.sources.wire import RECORDINGS, Replayed, toy_series

SHARED = RECORDINGS.parent
MONTHS = "Date,A,B\n2020-01-01,1,10\n2020-02-01,2,\n"


def own(tmp_path: Path, files: Mapping[str, str | bytes], folder: dict[str, Any] | None = None, **more: Any) -> Path:
    place = declare(tmp_path, {"prefix": "MY_", **(folder or {})}, **more)
    for name, text in files.items():
        (place / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path


def rows_of(own: Path, series_id: str) -> list[tuple[Any, ...]]:
    found = fetched_of(own)
    assert found.failures == {}
    mine = found.observations.filter(pl.col("series_id") == series_id).sort("release_time", "observation_date")
    return mine.select("observation_date", "value").rows()


def why(own: Path) -> str:
    """Why the series MY_A failed."""
    found = fetched_of(own)
    assert found.observations.filter(pl.col("series_id") == "MY_A").is_empty()
    return found.failures["MY_A"]


# --- one file ------------------------------------------------------------------------------------------------------


def test_a_single_file_is_known_after_the_publication_lag_and_a_blank_is_missing(tmp_path: Path) -> None:
    found = fetched_of(own(tmp_path, {"a.csv": MONTHS})).observations.sort("series_id", "observation_date")
    assert found["value"].to_list() == [1, 2, 10, None]
    assert set(found["release_basis"]) == {"publication_lag"}
    assert found["release_time"][0] == datetime(2020, 3, 1, 12, tzinfo=UTC)  # the end of January and 30 days
    assert set(found["provider"]) == {"mine"}


def test_a_file_is_read_whole_whatever_the_window(tmp_path: Path) -> None:
    folder = own(tmp_path, {"a.csv": MONTHS})
    found = fetched_of(folder, window=Window(date(2020, 2, 1), date(2020, 2, 29))).observations
    assert found["observation_date"].equals(fetched_of(folder).observations["observation_date"])


def test_a_long_table_names_its_series_in_a_column(tmp_path: Path) -> None:
    text = "Date,id,v,who\n2020-01-01,a,1,x\n2020-01-01,b,7,x\n2020-02-01,a,,x\n"
    place = declare(
        tmp_path, {"layout": "long", "series": "id", "value": "v"}, [{"id": "A", "code": "a"}, {"id": "B", "code": "b"}]
    )
    (place / "a.csv").write_text(text)
    assert rows_of(tmp_path, "A") == [(date(2020, 1, 1), 1.0), (date(2020, 2, 1), None)]
    assert rows_of(tmp_path, "B") == [(date(2020, 1, 1), 7.0)]


def test_separators_marks_and_encodings_of_other_places(tmp_path: Path) -> None:
    text = 'Mês;"A";B\n31/01/2020;1,5;n.d.\n29/02/2020;-2;3\n'.encode("latin-1")
    form = {"date": "Mês", "date_form": "%d/%m/%Y", "separator": ";", "decimal": ",", "encoding": "latin-1"}
    mine = own(tmp_path, {"a.csv": text}, {**form, "missing": ["n.d."]})
    assert rows_of(mine, "MY_A") == [(date(2020, 1, 1), 1.5), (date(2020, 2, 1), -2.0)]
    assert rows_of(mine, "MY_B") == [(date(2020, 1, 1), None), (date(2020, 2, 1), 3.0)]


def test_a_byte_order_mark_and_carriage_returns_are_no_matter(tmp_path: Path) -> None:
    body = b"\xef\xbb\xbf" + MONTHS.replace("\n", "\r\n").encode()
    assert rows_of(own(tmp_path, {"a.csv": body}), "MY_A") == [(date(2020, 1, 1), 1.0), (date(2020, 2, 1), 2.0)]


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_byte_order_mark_is_no_part_of_a_quoted_heading(tmp_path: Path, encoding: str, quote: str) -> None:
    rows = ["Mês, fim", "A", "B, §"], ["2020-01-01", "1", "2"], ["2020-02-01", "3", "4"]
    lines = [",".join(f'"{c}"' if "," in c else f"{quote}{c}{quote}" for c in row) for row in rows]
    text = "\ufeff" + "\r\n".join([*lines, ""])
    mine = own(tmp_path, {"a.csv": text}, {"date": "Mês, fim", "encoding": encoding})
    assert rows_of(mine, "MY_A") == [(date(2020, 1, 1), 1.0), (date(2020, 2, 1), 3.0)]
    assert rows_of(mine, "MY_B") == [(date(2020, 1, 1), 2.0), (date(2020, 2, 1), 4.0)]


def test_a_file_in_utf_16_is_named_as_such(tmp_path: Path) -> None:
    mine = own(tmp_path, {"a.csv": MONTHS.encode("utf-16")}, {"encoding": "latin-1"})
    (refused,) = catalog_of(mine).refused
    assert "a.csv" in str(refused)
    assert "in UTF-16 by its byte order mark. Save it as UTF-8." in str(refused)
    declare(mine, {"encoding": "latin-1"}, [{"code": "A", "id": "MY_A"}])
    assert "a.csv: expected CSV in utf-8, got UTF-16 by its byte order mark" in why(mine)


EUROPE = {"separator": ";", "decimal": ","}


@pytest.mark.parametrize(
    ("marks", "cells", "found"),
    [
        ({**EUROPE, "thousands": "."}, ["1.234", "1.250,5", "999", "-12.345.678,9"], [1234, 1250.5, 999, -12345678.9]),
        (EUROPE, ["1234", "1250,5", "999"], [1234, 1250.5, 999]),
        ({**EUROPE, "thousands": " "}, ["1 234,5", "1\u00a0250", "1\u202f000"], [1234.5, 1250, 1000]),
        ({"thousands": ","}, ['"1,234.5"', "12", '"1,234,567"'], [1234.5, 12, 1234567]),
        ({"thousands": "'"}, ["1'234.5", "1’234"], [1234.5, 1234]),
        ({}, ["1.234", "0.5", "999"], [1.234, 0.5, 999]),
    ],
)
@pytest.mark.parametrize("layout", ["wide", "long"])
def test_numbers_are_read_by_the_marks_that_are_stated(
    tmp_path: Path, layout: str, marks: dict[str, Any], cells: list[str], found: list[float]
) -> None:
    days = [date(2020, 1 + i, 1) for i in range(len(cells))]
    sep = marks.get("separator", ",")
    if layout == "long":
        text = (
            sep.join(("Date", "id", "v"))
            + "\n"
            + "".join(f"{d}{sep}a{sep}{c}\n" for d, c in zip(days, cells, strict=True))
        )
        place = declare(
            tmp_path, {"layout": "long", "series": "id", "value": "v", **marks}, [{"id": "MY_A", "code": "a"}]
        )
    else:
        text = f"Date{sep}A\n" + "".join(f"{d}{sep}{c}\n" for d, c in zip(days, cells, strict=True))
        place = declare(tmp_path, {"prefix": "MY_", **marks})
    (place / "a.csv").write_text(text)
    assert rows_of(tmp_path, "MY_A") == list(zip(days, found, strict=True))


@pytest.mark.parametrize(
    ("marks", "cell"),
    [
        (EUROPE, "1.234"),  # a thousand and some, or one and some
        (EUROPE, "1.5"),
        (EUROPE, "1.234,5"),
        (EUROPE, "1 234"),
        ({**EUROPE, "thousands": "."}, "1.5"),
        ({**EUROPE, "thousands": "."}, "0.123"),
        ({**EUROPE, "thousands": "."}, "12.34,5"),
        ({"separator": ";", "thousands": ","}, "1,5"),
        ({"separator": ";", "thousands": ","}, "1.234,5"),
        ({"separator": ";"}, "1,234"),
        ({"separator": ";"}, "5%"),
        ({"separator": ";"}, "R$ 5"),
        ({"separator": ";"}, "(5)"),
    ],
)
@pytest.mark.parametrize("parquet", [False, True])
def test_a_mark_that_is_not_in_its_place_is_refused(
    tmp_path: Path, marks: dict[str, Any], cell: str, parquet: bool
) -> None:
    if parquet:
        place = declare(tmp_path, {"prefix": "MY_", "files": "*.parquet", **marks})
        table = pl.DataFrame({"Date": ["2020-01-01", "2020-02-01"], "A": [cell, "7"], "B": ["1", "2"]})
        table.write_parquet(place / "a.parquet")
    else:
        own(tmp_path, {"a.csv": f"Date;A;B\n2020-01-01;{cell};1\n2020-02-01;7;2\n"}, marks)
    found = fetched_of(tmp_path)
    assert list(found.failures) == ["MY_A"]
    assert f"expected a number in 'A', got {cell!r} (the folder's `decimal` is " in found.failures["MY_A"]
    assert found.observations["value"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("marks", "grouped", "fraction"),
    [({}, "1.234", "7,5"), ({}, "1.234", "1.234,5"), ({}, "-1.234", "0,123"), (EUROPE, "1,234", "7.5")],
)
def test_a_file_of_the_other_decimal_mark_is_refused(
    tmp_path: Path, marks: dict[str, Any], grouped: str, fraction: str
) -> None:
    """The column whose marks happen to be readable would be read a thousand times too small."""
    marks = {"separator": ";", **marks}
    text = f"Date;A;B\n2020-01-01;{grouped};{fraction}\n2020-02-01;999;8\n"
    mine = own(tmp_path, {"a.csv": text}, marks)
    assert f"got {fraction!r}, and {grouped!r} as with thousands" in why(mine)
    (mine / "files" / "a.csv").write_text(
        text + "2020-03-01;{0};{0}\n".format("1.25" if marks.get("decimal") != "," else "1,25")
    )
    found = fetched_of(mine)
    assert list(found.failures) == ["MY_B"], "where other numbers have the stated mark, it is the right one"


def test_numbers_of_parquet_are_as_they_are_typed(tmp_path: Path) -> None:
    place = declare(tmp_path, {"prefix": "MY_", "files": "*.parquet", **EUROPE})
    table = pl.DataFrame({"Date": ["2020-01-01"], "A": [1.234], "B": ["1,5"], "C": [7]})
    table.with_columns(D=pl.lit("1.5").cast(pl.Decimal(10, 2))).write_parquet(place / "a.parquet")
    values = {i: rows_of(tmp_path, f"MY_{i}")[0][1] for i in "ABCD"}
    assert values == {"A": 1.234, "B": 1.5, "C": 7, "D": 1.5}


DAYS = ["2020-01-31", "2020-02-29"]


@pytest.mark.parametrize("text", [pl.Categorical, pl.Enum(["x", "y", *DAYS, "1,5", "2"])], ids=["categorical", "enum"])
def test_text_of_dictionaries_is_text(tmp_path: Path, text: Any) -> None:
    place = declare(
        tmp_path,
        {"files": "*.parquet", "layout": "long", "series": "id", "value": "v", **EUROPE},
        [{"id": "MY_A", "code": "x"}, {"id": "MY_B", "code": "y"}],
    )
    columns = {"Date": [*DAYS, DAYS[0]], "id": ["x", "x", "y"], "v": ["1,5", None, "2"]}
    pl.DataFrame({n: pl.Series(c, dtype=text) for n, c in columns.items()}).write_parquet(place / "a.parquet")
    assert rows_of(tmp_path, "MY_A") == [(date(2020, 1, 1), 1.5), (date(2020, 2, 1), None)]
    assert rows_of(tmp_path, "MY_B") == [(date(2020, 1, 1), 2.0)]


@pytest.mark.parametrize(
    "text", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())], ids=str
)
def test_text_of_parquet_is_text_however_it_is_kept(tmp_path: Path, text: Any) -> None:
    place = declare(tmp_path, {"prefix": "MY_", "files": "*.parquet"})
    table = pa.table({"Date": pa.array(DAYS).cast(text), "A": pa.array(["1.5", None]).cast(text)})
    pq.write_table(table, place / "a.parquet")
    assert rows_of(tmp_path, "MY_A") == [(date(2020, 1, 1), 1.5), (date(2020, 2, 1), None)]


def test_rows_are_skipped_by_what_stands_for_the_date(tmp_path: Path) -> None:
    text = "Date,A\nTransform:,5\nfactors,1\n1/1/2020,1\n2/1/2020,2\n,\n,\n"
    mine = own(tmp_path, {"a.csv": text}, {"date_form": "%m/%d/%Y", "transforms": "Transform:", "skip": ["factors"]})
    assert rows_of(mine, "MY_A") == [(date(2020, 1, 1), 1.0), (date(2020, 2, 1), 2.0)]


@pytest.mark.parametrize("vintage", [False, True])
def test_a_quarter_in_its_last_month_is_dated_by_its_first_day(tmp_path: Path, vintage: bool) -> None:
    text = "Date,A,Q\n2020-01-01,1,\n2020-02-01,2,\n2020-03-01,3,30\n2020-04-01,4,\n"
    facts = {"vintage": "%Y-%m"} if vintage else {}
    mine = own(tmp_path, {"2020-05.csv": text}, facts, series=[{"code": "Q", "frequency": "Q"}])
    expected = [(date(2020, 1, 1), 30.0)] if vintage else [(date(2020, 1, 1), 30.0), (date(2020, 4, 1), None)]
    assert rows_of(mine, "MY_Q") == expected


@pytest.mark.parametrize("dates", [pl.Date, pl.Datetime("ns"), pl.String])
def test_parquet_is_read_with_its_types(tmp_path: Path, dates: Any) -> None:
    table = pl.DataFrame({"Date": [date(2020, 1, 31), date(2020, 2, 29)], "A": [1, None], "B": [0.5, 2.5]})
    place = declare(tmp_path, {"prefix": "MY_", "files": "*.parquet"})
    table.with_columns(
        pl.col("Date").cast(pl.Datetime).cast(dates) if dates != pl.String else pl.col("Date").cast(dates)
    ).write_parquet(place / "a.parquet")
    assert rows_of(tmp_path, "MY_A") == [(date(2020, 1, 1), 1.0), (date(2020, 2, 1), None)]
    assert rows_of(tmp_path, "MY_B") == [(date(2020, 1, 1), 0.5), (date(2020, 2, 1), 2.5)]


# --- dates ---------------------------------------------------------------------------------------------------------

LONG = {"layout": "long", "series": "id", "value": "v", "prefix": None}


def file_of(kind: str, dates: list[Any], layout: str = "wide") -> tuple[str, bytes, dict[str, Any], list[Any]]:
    """A file of some dates with 0, 1, ... for the series A: its name, what is in it, and what declares it."""
    table = pl.DataFrame({"Date": dates, "A": range(len(dates))})
    facts: dict[str, Any] = {"files": f"*.{kind}"}
    series: list[Any] = []
    if layout == "long":
        table = table.rename({"A": "v"}).with_columns(id=pl.lit("A"))
        facts, series = facts | LONG, [{"code": "A", "id": "MY_A"}]
    body = BytesIO()
    table.write_csv(body) if kind == "csv" else table.write_parquet(body)
    return f"a.{kind}", body.getvalue(), facts, series


def dated(tmp_path: Path, kind: str, dates: list[Any], frequency: str, layout: str = "wide", **facts: Any) -> Path:
    name, body, declared, series = file_of(kind, dates, layout)
    return own(tmp_path, {name: body}, declared | facts, series=series, frequency=frequency)


@pytest.mark.parametrize("layout", ["wide", "long"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("text", "forms", "frequency", "day"),
    [
        ("2020Q1", ["%Y-%m-%d", "%YQ%q"], "Q", date(2020, 1, 1)),
        ("2020-Q1", ["%Y-%m-%d", "%Y-Q%q"], "Q", date(2020, 1, 1)),
        ("1Q20", ["%Y-%m-%d", "%qQ%y"], "Q", date(2020, 1, 1)),
        ("1997 JAN", ["%Y-%m-%d", "%Y %b"], "M", date(1997, 1, 1)),
        ("Jan 1997", ["%Y-%m-%d", "%b %Y"], "M", date(1997, 1, 1)),
        ("2020-W05", ["%Y-%m-%d", "%G-W%V"], "W", date(2020, 1, 27)),
        ("2020M01", ["%Y-%m-%d", "%YM%m"], "M", date(2020, 1, 1)),
        ("2020", ["%Y-%m-%d", "%Y"], "A", date(2020, 1, 1)),
    ],
)
def test_labels_of_periods_are_read(
    tmp_path: Path, kind: str, layout: str, text: str, forms: list[str], frequency: str, day: date
) -> None:
    for form in forms:
        mine = dated(tmp_path, kind, [text], frequency, layout, date_form=form)
        assert rows_of(mine, "MY_A") == [(day, 0.0)]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_years_that_are_numbers_are_read(tmp_path: Path, kind: str) -> None:
    assert rows_of(dated(tmp_path, kind, [2020, 2021], "A"), "MY_A") == [
        (date(2020, 1, 1), 0.0),
        (date(2021, 1, 1), 1.0),
    ]


@pytest.mark.parametrize("layout", ["wide", "long"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("frequency", "dates", "says"),
    [
        ("M", ["2020-Q1"], "expected dates of the frequency M, got '2020-Q1'"),
        ("M", ["2020-01", "2020-Q2"], "expected dates of the frequency M, got '2020-Q2'"),
        ("M", ["2020-W05"], "expected dates of the frequency M, got '2020-W05'"),
        ("M", ["2020"], "expected dates of the frequency M, got '2020'"),
        ("A", ["2020-01"], "expected dates of the frequency A, got '2020-01'"),
        ("D", ["2020-01"], "expected dates of the frequency D, got '2020-01'"),
        ("A", ["2020-S1"], "got '2020-S1': no frequency is of half-years"),
        ("Q", ["2020H1"], "got '2020H1': no frequency is of half-years"),
        ("M", ["2020-01-31", "2020-04-30", "2020-07-31"], "got quarters: 2020-01-01, 2020-04-01"),
        ("M", ["2020-06-30", "2020-12-31", "2021-06-30"], "got half-years: 2020-06-01"),
        ("M", ["2020-01-03", "2020-01-10", "2020-02-07"], "one value for the period of 2020-01-01"),
        ("W", ["2020-01-03", "2020-01-04"], "got days: 2020-01-03"),
        ("M", ["202001"], "got '202001'"),
        ("M", ["2020-1"], "got '2020-1'"),
        ("M", ["2020-01-01Tuesday"], "got '2020-01-01Tuesday'"),
        ("M", ["2020-02-01T99:99"], "got '2020-02-01T99:99'"),
    ],
)
def test_dates_of_another_frequency_or_form_are_refused(
    tmp_path: Path, kind: str, layout: str, frequency: str, dates: list[str], says: str
) -> None:
    assert says in why(dated(tmp_path, kind, dates, frequency, layout))


def test_a_quarter_may_stand_in_a_monthly_file_where_the_other_columns_are_blank(tmp_path: Path) -> None:
    text = "Date,A,Q\n2020-01,1,\n2020-02,2,\n2020-03,3,\n2020-Q1,,30\n"
    mine = own(tmp_path, {"a.csv": text}, series=[{"code": "Q", "frequency": "Q"}])
    assert rows_of(mine, "MY_A") == [(date(2020, m, 1), float(m)) for m in (1, 2, 3)]
    assert rows_of(mine, "MY_Q") == [(date(2020, 1, 1), 30.0)]


STAMPS = ["2019-12-31T23:00:00.000Z", "2020-01-31T23:00:00.000Z", "2020-06-30T22:00:00.000Z"]
STARTS = [(date(2020, m, 1), float(n)) for n, m in enumerate((1, 2, 7))]


@pytest.mark.parametrize("layout", ["wide", "long"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "typed"])
def test_stamps_of_a_local_midnight_are_of_the_zones_day_or_refused(tmp_path: Path, kind: str, layout: str) -> None:
    dates: list[Any] = STAMPS if kind != "typed" else [datetime.fromisoformat(s) for s in STAMPS]
    file = kind.replace("typed", "parquet")
    assert "it is not midnight. State `time_zone` under `folder`" in why(dated(tmp_path, file, dates, "M", layout))
    there = dated(tmp_path, file, dates, "M", layout, time_zone="Europe/Paris")
    assert rows_of(there, "MY_A") == STARTS


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Paris", "America/Sao_Paulo"])
def test_midnight_of_the_columns_own_zone_is_that_day(tmp_path: Path, zone: str | None) -> None:
    days = pl.Series([datetime(2020, 1, 1), datetime(2020, 7, 1)], dtype=pl.Datetime("us", None))
    mine = dated(tmp_path, "parquet", [date(2020, 1, 1)], "M")
    table = pl.DataFrame({"Date": days.dt.replace_time_zone(zone) if zone else days, "A": [0, 1]})
    table.write_parquet(mine / "files" / "a.parquet")
    assert rows_of(mine, "MY_A") == [(date(2020, 1, 1), 0.0), (date(2020, 7, 1), 1.0)]


def test_a_clock_time_of_parquet_finer_than_a_second_is_no_midnight(tmp_path: Path) -> None:
    mine = dated(tmp_path, "parquet", [datetime(2020, 1, 1)], "M")
    stamps = pl.Series([1], dtype=pl.Int64).cast(pl.Datetime("ns"))
    pl.DataFrame({"Date": stamps, "A": [1]}).write_parquet(mine / "files" / "a.parquet")
    assert "it is not midnight" in why(mine)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"date_form": "%Y-%Q"}, "date_form: expected parts of"),
        ({"date_form": "%d/%m"}, "date_form: expected a form of a day, month"),
        ({"time_zone": "Paris"}, "'Paris' is not an IANA time zone"),
    ],
)
def test_a_form_or_zone_that_is_none_is_refused_by_the_catalog(
    tmp_path: Path, facts: dict[str, str], says: str
) -> None:
    assert says in str(catalog_of(own(tmp_path, {"a.csv": MONTHS}, facts)).refused)


# --- vintages ------------------------------------------------------------------------------------------------------


def test_a_vintage_is_known_at_the_end_of_its_day_and_a_blank_is_not_released(tmp_path: Path) -> None:
    second = "Date,A,B\n2020-01-01,1.5,10\n2020-02-01,2,20\n"
    found = fetched_of(own(tmp_path, {"2020-03-05.csv": MONTHS, "2020-04-02.csv": second}, {"vintage": "%Y-%m-%d"}))
    assert found.failures == {}
    rows = found.observations.sort("series_id", "release_time", "observation_date")
    assert rows.select("series_id", "value", "release_basis").rows() == [
        ("MY_A", 1.0, "snapshot"),
        ("MY_A", 2.0, "snapshot"),
        ("MY_A", 1.5, "provider"),
        ("MY_A", 2.0, "provider"),
        ("MY_B", 10.0, "snapshot"),
        ("MY_B", 10.0, "provider"),
        ("MY_B", 20.0, "provider"),
    ]
    assert rows["release_time"].unique().sort().to_list() == [
        datetime(2020, 3, 5, 23, 59, 59, 999_999, UTC),
        datetime(2020, 4, 2, 23, 59, 59, 999_999, UTC),
    ]


def test_a_vintage_of_a_month_is_known_at_its_end(tmp_path: Path) -> None:
    found = fetched_of(own(tmp_path, {"2020-02.csv": MONTHS}, {"vintage": "%Y-%m"}))
    assert set(found.observations["release_time"]) == {datetime(2020, 2, 29, 23, 59, 59, 999_999, UTC)}


def test_a_column_that_comes_or_goes_fails_alone(tmp_path: Path) -> None:
    files = {"2020-03.csv": "Date,A,OLD\n2020-01-01,1,5\n", "2020-04.csv": "Date,A,NEW\n2020-01-01,1,6\n"}
    found = fetched_of(own(tmp_path, files, {"vintage": "%Y-%m"}))
    assert set(found.failures) == {"MY_OLD", "MY_NEW"}
    assert "2020-04.csv lacks the series 'OLD'" in found.failures["MY_OLD"]
    assert "2020-03.csv lacks the series 'NEW'" in found.failures["MY_NEW"]
    assert set(found.observations["series_id"]) == {"MY_A"}


def test_a_column_may_come_and_go_where_the_folder_says_so(tmp_path: Path) -> None:
    files = {"2020-03.csv": "Date,A,OLD\n2020-01-01,1,5\n", "2020-04.csv": "Date,A,NEW\n2020-01-01,1,6\n"}
    mine = own(tmp_path, files, {"vintage": "%Y-%m", "absent": "allow"}, series=[{"code": "NEVER"}])
    found = fetched_of(mine)
    assert list(found.failures) == ["MY_NEVER"]
    assert "no file has the series 'NEVER'" in found.failures["MY_NEVER"]
    basis = (
        found.observations.filter(pl.col("series_id") != "MY_A")
        .select("series_id", "value", "release_basis")
        .sort("value")
    )
    assert basis.rows() == [("MY_OLD", 5.0, "snapshot"), ("MY_NEW", 6.0, "snapshot")]  # the first loaded of each


def test_a_column_that_was_blank_at_first_was_released_later(tmp_path: Path) -> None:
    files = {"2020-03.csv": "Date,A\n2020-01-01,\n", "2020-04.csv": "Date,A\n2020-01-01,1\n"}
    found = fetched_of(own(tmp_path, files, {"vintage": "%Y-%m"}))
    assert found.observations["release_basis"].to_list() == ["provider"]


def test_a_blank_or_a_row_that_is_gone_withdraws_where_the_folder_says_so(tmp_path: Path) -> None:
    """Of a figure that an earlier file has; a blank of what was never released states nothing."""
    files = {
        "2020-03.csv": "Date,A,B\n2020-01-01,1,7\n2020-02-01,2,7\n2020-03-01,,7\n",
        "2020-04.csv": "Date,A,B\n2020-01-01,,7\n2020-03-01,3,7\n",
        "2020-05.csv": "Date,A,B\n2020-01-01,1,7\n2020-03-01,3,7\n",
    }
    jan, feb, mar = (date(2020, m, 1) for m in (1, 2, 3))
    stated = [(jan, 1), (feb, 2), (mar, 3), (jan, 1), (mar, 3)]
    assert rows_of(own(tmp_path / "a", files, {"vintage": "%Y-%m"}), "MY_A") == stated
    withdrawn = [(jan, 1), (feb, 2), (jan, None), (feb, None), (mar, 3), (jan, 1), (feb, None), (mar, 3)]
    assert rows_of(own(tmp_path / "b", files, {"vintage": "%Y-%m", "blank": "withdrawn"}), "MY_A") == withdrawn


@pytest.mark.parametrize(("most", "fails"), [(None, True), (0.8, False)])
def test_a_file_that_withdraws_more_than_is_declared_fails_its_series(
    tmp_path: Path, most: float | None, fails: bool
) -> None:
    """As one that is cut off; the next series of it is read."""
    rows = [(f"{2019 + n // 12}-{n % 12 + 1:02}-01", n) for n in range(20)]
    whole = "Date,A,B\n" + "".join(f"{d},{n},{n}\n" for d, n in rows)
    cut = "Date,A,B\n" + "".join(f"{d},{n if n < 5 else ''},{n}\n" for d, n in rows)
    facts = {"vintage": "%Y-%m", "blank": "withdrawn", **({} if most is None else {"most_withdrawn": most})}
    found = fetched_of(own(tmp_path, {"2021-01.csv": whole, "2021-02.csv": cut}, facts))
    assert set(found.failures) == ({"MY_A"} if fails else set())
    if fails:
        assert "2021-02.csv: expected at most 50% of the 20 figures to be withdrawn at once" in found.failures["MY_A"]
        assert "lacks 15 of them" in found.failures["MY_A"]
    assert found.observations.filter(pl.col("series_id") == "MY_B").height == 40


def test_one_vintage_that_cannot_be_read_fails_the_folder_and_is_named(tmp_path: Path) -> None:
    mine = own(tmp_path, {"2020-03.csv": MONTHS, "2020-04.csv": "<html>Sorry</html>"}, {"vintage": "%Y-%m"})
    found = fetched_of(mine)
    assert set(found.failures) == {"MY_A", "MY_B"}
    assert "series MY_A, MY_B of source mine: 2020-04.csv: expected CSV, got a page of HTML" in found.failures["MY_A"]


# --- what is asked, and asked again of what was stored ---------------------------------------------------------------


def test_the_names_are_asked_for_first_then_each_file_once(tmp_path: Path) -> None:
    mine = own(tmp_path, {"2020-04.csv": MONTHS, "2020-03.csv": MONTHS}, {"vintage": "%Y-%m"})
    asked = [(r.request, r.http_status) for r in fetched_of(mine).responses]
    assert asked == [(LISTING, None), ("2020-03.csv", None), ("2020-04.csv", None)]


def test_what_was_stored_gives_the_same_without_the_files(tmp_path: Path) -> None:
    mine = own(tmp_path, {"2020-03.csv": MONTHS, "2020-04.csv": MONTHS}, {"vintage": "%Y-%m"})
    first = fetched_of(mine)
    source, series = (catalog := catalog_of(mine)).sources["mine"], catalog.series_of("mine")
    stored = Replayed({r.request: (200, r.body) for r in first.responses})
    stored_names = {r.target for r in map(Request, [r.request for r in first.responses])}
    assert stored_names == set(stored.bodies), "a name that is escaped would not be found again"
    again = fetch(source, _Unchanged(stored), series, Window())
    drop = ["ingested_at"]
    assert again.observations.drop(drop).equals(first.observations.drop(drop))


class _Unchanged:
    """Landing's answers: the texts of the requests as they were."""

    def __init__(self, stored: Replayed) -> None:
        self.stored = stored

    def get(self, request: Request) -> Response:
        return Response(request.path, self.stored.get(request).body, datetime.now(UTC))


def test_a_fingerprint_tells_that_there_may_be_news(tmp_path: Path) -> None:
    mine = own(tmp_path, {"2020-03.csv": MONTHS}, {"vintage": "%Y-%m"})
    source = catalog_of(mine).sources["mine"]
    first = fingerprint(source)
    assert first == fingerprint(source)
    (mine / "files" / "2020-04.csv").write_text(MONTHS)
    second = fingerprint(source)
    (mine / "files" / "2020-04.csv").write_text(MONTHS + "2020-03-01,3,\n")
    assert len({first, second, fingerprint(source)}) == 3
    for file in (mine / "files").iterdir():
        file.unlink()
    assert fingerprint(source) == "unreadable"


def test_a_folder_is_no_holder_that_another_entry_names() -> None:
    with pytest.raises(SchemaError, match="a folder of files is asked for what its own file states"):
        list(plan([toy_series("mine", "A")], Window()))


# --- hostile files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty body"),
        (b"<!DOCTYPE html><html>", "page of HTML"),
        (b"Day,A\n2020-01-01,1\n", "expected the column 'Date'"),
        (b"Date,A\n2020-01-01,1\n2020-01-01,2\n", "expected one row for 2020-01-01, got several"),
        (b"Date,A\n2020-01-01,1\n2020-01-15,2\n", "one value for the period of 2020-01-01, got several"),
        (b"Date,A\n01/02/2020,1\n", "expected a date like %Y-%m-%d in 'Date', got '01/02/2020'"),
        (b"Date,A\n2020-02-30,1\n", "got '2020-02-30'"),
        (b"Date,A\n2020-01-01T00:00:00,1\nx,2\n", "got 'x'"),
        (b"Date,A\n,1\n", "expected a date in 'Date' of every row"),
        (
            b"Date,A,B\n2020-01-01,1,2\n2020-02-01,1",
            "expected 3 cells in the last row, got '2020-02-01,1': is the file cut off?",
        ),
        (b'Date,A,B\n2020-01-01,"1",2\n2020-02-01,"1"', "is the file cut off?"),
        (b"Date,A\n2020-01-01,1,2\n", "expected CSV"),
        (
            b'Date,A,note\n2020-01-01,1,"' + b"x" * 200_000 + b'"\n',
            "expected CSV, its line 2 cannot be read: field larger",
        ),
        (b"Date,A,A\n2020-01-01,1,2\n", "expected every column once, 'A' is there twice"),
        (b"\xff\xfeD\x00a\x00", "in utf-8"),
        ("Date,A\n2020-01-01,1\n# é\n".encode("latin-1"), "in utf-8"),
    ],
)
def test_a_file_in_another_form_is_refused(tmp_path: Path, body: bytes, says: str) -> None:
    mine = own(tmp_path, {"a.csv": body}, {"prefix": None}, series=[{"code": "A", "id": "MY_A"}])
    assert says in why(mine)
    assert "a.csv: " in why(mine)


@pytest.mark.parametrize(
    "cell", ["NaN", "nan", "inf", "-Infinity", "1e999", "n/a", "1,5", "0x10", "1 000", "--", "True"]
)
def test_a_cell_that_is_no_number_fails_its_series_alone(tmp_path: Path, cell: str) -> None:
    found = fetched_of(own(tmp_path, {"a.csv": f'Date,A,B\n2020-01-01,"{cell}",1\n'}))
    assert list(found.failures) == ["MY_A"]
    assert f"expected a number in 'A', got {cell!r}" in found.failures["MY_A"]
    assert found.observations["series_id"].to_list() == ["MY_B"]


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ([float("nan"), 1.0], "got nan"),
        ([float("inf"), 1.0], "got inf"),
        (["x", "1"], "got 'x'"),
        ([True, False], "expected numbers in 'A', got Boolean"),
        ([[1.0], [2.0]], "expected numbers in 'A', got List"),
    ],
)
def test_a_column_of_parquet_that_is_no_number_fails_alone(tmp_path: Path, column: list[Any], says: str) -> None:
    place = declare(tmp_path, {"prefix": "MY_", "files": "*.parquet"})
    pl.DataFrame({"Date": [date(2020, 1, 1), date(2020, 2, 1)], "A": column, "B": [1, 2]}).write_parquet(
        place / "a.parquet"
    )
    found = fetched_of(tmp_path)
    assert list(found.failures) == ["MY_A"]
    assert says in found.failures["MY_A"]


@pytest.mark.parametrize(
    "dates",
    [[datetime(2020, 1, 1, 12), datetime(2020, 2, 1)], [1, 2], [None, date(2020, 2, 1)]],
    ids=["clock", "numbers", "null"],
)
def test_dates_of_parquet_that_are_none_are_refused(tmp_path: Path, dates: list[Any]) -> None:
    place = declare(tmp_path, {"files": "*.parquet"}, [{"code": "A", "id": "MY_A"}])
    pl.DataFrame({"Date": dates, "A": [1, 2]}).write_parquet(place / "a.parquet")
    assert "expected" in why(tmp_path)
    assert "date" in why(tmp_path).lower()


@pytest.mark.parametrize("cut", [0, 4, 60, -1, -9, "middle", "garbage"])
def test_a_parquet_that_is_cut_off_or_damaged_is_refused(tmp_path: Path, cut: int | str) -> None:
    place = declare(tmp_path, {"files": "*.parquet"}, [{"code": "A", "id": "MY_A"}])
    file = place / "a.parquet"
    pl.DataFrame({"Date": [date(2020, 1, d) for d in range(1, 32)], "A": range(31)}).write_parquet(file)
    body = bytearray(file.read_bytes())
    if cut == "middle":
        body[4:60] = b"\xff" * 56
    elif cut == "garbage":
        body = bytearray(os.urandom(500))
    file.write_bytes(body if isinstance(cut, str) else body[:cut])
    assert "a.parquet: expected" in why(tmp_path)


def test_too_many_rows_cells_or_columns_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = declare(tmp_path, {"files": "*.parquet"}, [{"code": "A", "id": "MY_A"}])
    pl.DataFrame({"Date": [date(2020, 1, 1)] * 2, "A": [1, 2]}).write_parquet(place / "a.parquet")
    with monkeypatch.context() as patched:
        patched.setattr(folder_files, "MAX_ROWS", 1)
        assert "at most 1 rows" in why(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(folder_files, "MAX_CELLS", 3)
        assert "3 cells" in why(tmp_path)
    names = [f"c{i}" for i in range(MAX_COLUMNS)]
    pl.DataFrame({"Date": [date(2020, 1, 1)], **{n: [1] for n in names}}).write_parquet(place / "a.parquet")
    assert "500 columns" in why(tmp_path)


def test_a_few_bytes_of_parquet_that_stand_for_many_rows_are_refused_unread(tmp_path: Path) -> None:
    place = declare(tmp_path, {"files": "*.parquet"}, [{"code": "A", "id": "MY_A"}])
    pl.select(A=pl.repeat(1, 6_000_000), Date=pl.repeat(date(2020, 1, 1), 6_000_000)).write_parquet(place / "a.parquet")
    assert (place / "a.parquet").stat().st_size < 1_000_000
    started = time.perf_counter()
    assert "got 6,000,000 rows" in why(tmp_path)
    assert time.perf_counter() - started < 5


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    mine = own(tmp_path, {}, {"prefix": None}, series=[{"code": "A", "id": "MY_A"}])
    (tmp_path / "secret.csv").write_text("Date,A\n2020-01-01,1\n")
    (tmp_path / "files" / "a.csv").symlink_to(tmp_path / "secret.csv")
    assert "a.csv leads out of" in why(mine)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    mine = own(tmp_path, {}, {"prefix": None}, series=[{"code": "A", "id": "MY_A"}])
    with (tmp_path / "files" / "a.csv").open("wb") as file:
        file.truncate(50_000_001)
    assert "more than 50,000,000" in why(mine)


def test_the_client_reads_nothing_but_files_of_the_folder(tmp_path: Path) -> None:
    mine = own(tmp_path, {"a.csv": MONTHS})
    (tmp_path / "secret.csv").write_text("secret")
    reader = client(catalog_of(mine).sources["mine"])
    for path in ("../secret.csv", "/etc/passwd", str(tmp_path / "secret.csv"), "", "."):
        with pytest.raises(SourceError, match="leads out of|cannot be read"):
            reader.get(Request(path))


def test_a_source_without_a_folder_has_no_client() -> None:
    with pytest.raises(SourceError, match="source bundled declares no folder"):
        client(default_catalog().sources["bundled"])


# --- the real folders ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    not (SHARED / "vintages" / "us").is_dir(), reason="the vintages of the nowcasting example are absent"
)
def test_the_vintages_of_the_nowcasting_example_load_with_a_small_header(tmp_path: Path) -> None:
    path = str(SHARED / "vintages" / "us")
    quarterly = [{"code": c, "frequency": "Q"} for c in ("GDPC1", "ULCNFB", "A261RX1Q020SBEA")]
    declare(tmp_path, {"path": path, "vintage": "%Y-%m-%d", "prefix": "V_"}, quarterly)
    started = time.perf_counter()
    found = fetched_of(tmp_path)
    assert time.perf_counter() - started < 15, "59 files of 29 columns take two seconds on two free cores"
    assert found.failures == {}
    assert found.observations["series_id"].n_unique() == 29
    assert found.observations["release_time"].n_unique() == len(found.responses) - 1
    gdp = found.observations.filter(pl.col("series_id") == "V_GDPC1", pl.col("observation_date") == date(2016, 4, 1))
    first = gdp.sort("release_time").row(0, named=True)
    assert (first["value"], first["release_time"].date()) == (16575.1, date(2016, 7, 29))
    assert gdp["value"].unique(maintain_order=True).len() >= 3  # advance, second and third estimate


@pytest.mark.skipif(not (SHARED / "data" / "fred_md").is_dir(), reason="FRED-MD is absent")
@pytest.mark.parametrize("absent", ["refuse", "allow"])
def test_fred_md_loads_with_a_small_header(tmp_path: Path, absent: str) -> None:
    facts = {
        "date": "sasdate",
        "date_form": "%m/%d/%Y",
        "transforms": "Transform:",
        "vintage": "%Y-%m",
        "prefix": "MD_",
    }
    declare(tmp_path, {"path": str(SHARED / "data" / "fred_md"), **facts, "absent": absent})
    series = {s.id: s for s in catalog_of(tmp_path).series_of("mine")}
    assert (series["MD_RPI"].transform, series["MD_CPIAUCSL"].transform, series["MD_NONBORRES"].transform) == (5, 6, 7)
    assert series["MD_S_P_500"].code == "S&P 500"
    found = fetched_of(tmp_path)
    changed = {"MD_TWEXMMTH", "MD_TWEXAFEGSMTHX"} if absent == "refuse" else set()
    assert changed <= set(found.failures) or "2020-06.csv" not in {r.request for r in found.responses}
    assert set(found.observations["series_id"]) | set(found.failures) == set(series)
    rpi = found.observations.filter(pl.col("series_id") == "MD_RPI", pl.col("observation_date") == date(1959, 1, 1))
    assert rpi.filter(pl.col("release_time").dt.date() == date(2020, 3, 31))["value"].to_list() == [2437.296]


# --- what docs/own-data.md shows -----------------------------------------------------------------------------------

PAGE = Path(__file__).resolve().parents[3] / "docs" / "own-data.md"


def test_the_headers_of_the_page_are_a_catalog_and_its_lines_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGE.read_text()
    fred_md, copy, by_hand = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (lines,) = re.findall(r"^```csv\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "fred_md.yaml").write_text(fred_md)
    (tmp_path / "by_hand.yaml").write_text(by_hand)
    (tmp_path / "manual.csv").write_text(lines)
    (tmp_path / "fred_md").mkdir()
    (tmp_path / "fred_md" / "2020-03.csv").write_text(
        "sasdate,INDPRO,FEDFUNDS\nTransform:,5,2\n1/1/2020,109.6,1.55\n,,\n"
    )
    monkeypatch.setenv("MACRO_CATALOG", str(tmp_path))
    catalog = catalog_of(tmp_path)
    assert (catalog.series["MD_INDPRO"].transform, catalog.series["MD_FEDFUNDS"].unit) == (5, "percent")
    found = fetched_of(tmp_path, "fred_md")
    assert found.failures == {}
    assert found.observations.select("series_id", "value").rows() == [("MD_FEDFUNDS", 1.55), ("MD_INDPRO", 109.6)]
    source = catalog.sources["by_hand"]
    entered = fetch(source, manual.client(source), catalog.series_of("by_hand"), Window(today=date(2026, 11, 20)))
    assert entered.failures == {}
    assert entered.observations["value"].to_list() == [48.5, 48.2, 48.4]
    (tmp_path / "fred_md.yaml").write_text(fred_md + copy)
    (tmp_path / "fred_md" / "2020-03.csv").write_text("sasdate,FEDFUNDS,PAYEMS\n1/1/2020,1.55,152234\n")
    both = load_catalog(SHIPPED, tmp_path)
    assert both.refused == ()
    assert [s.id for s in both.series_of("fred_md")] == ["MD_FEDFUNDS", "PAYEMS"]
    assert [h.provider for h in both.holdings("PAYEMS")] == ["fred", "fred_graph", "bundled", "fred_md"]
    source = both.sources["fred_md"]
    held = fetch(source, client(source), both.series_of("fred_md"), Window())
    assert held.failures == {}
    assert held.observations.select("series_id", "value", "release_basis", "provider").rows() == [
        ("MD_FEDFUNDS", 1.55, "snapshot", "fred_md"),
        ("PAYEMS", 152234.0, "snapshot", "fred_md"),
    ]


@pytest.mark.parametrize(
    ("limit", "stated"),
    [
        (folders.MAX_FILES, "5,000 files"),
        (folders.MAX_BYTES // 1_000_000, "50 MB"),
        (folder_files.MAX_ROWS // 1_000_000, "5 million rows"),
        (MAX_COLUMNS, "500 columns"),
    ],
)
def test_the_limits_of_the_page_are_the_limits(limit: int, stated: str) -> None:
    assert f"{limit:,}" == stated.split()[0]
    assert stated in PAGE.read_text()
