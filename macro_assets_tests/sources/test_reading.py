"""Every reader with what it is for, and with what it must refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from macro_assets.catalog import Selector
from macro_assets.sources import Response
from macro_assets.sources.errors import NotFoundError, SchemaError, quoted
from macro_assets.sources.reading import (
    combined,
    dates,
    days,
    due,
    finite,
    from_epoch,
    instants,
    member,
    members,
    needed,
    numbers,
    periods,
    read_csv,
    read_json,
    read_xml,
    records,
    select,
)
from macro_assets_tests.sources.wire import toy_series

HTML = [
    b"<!DOCTYPE html><html><body>Sorry</body></html>",
    b"\n\n  <!doctype HTML>",
    b"<html lang='en'>",
    b"\xef\xbb\xbf<HTML>",
]
EMPTY = [b"", b" \r\n\t", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"]


def of(body: bytes | str) -> Response:
    return Response("GET /a", body.encode() if isinstance(body, str) else body, datetime(2026, 1, 1, tzinfo=UTC), 200)


def text(*cells: str | None, name: str = "c") -> pl.Series:
    return pl.Series(name, list(cells), dtype=pl.String)


# --- JSON ----------------------------------------------------------------------------------------------------------


def test_json_is_read() -> None:
    body = '{"a": [1, -2.5, 1e3, true, null, "é\\u00e9"], "b": {}}'
    assert read_json(of(body)) == {"a": [1, -2.5, 1000.0, True, None, "éé"], "b": {}}
    assert read_json(of(b"\xef\xbb\xbf" + body.encode()))["b"] == {}
    assert read_json(of(" [] \n")) == []


def test_colons_that_belong_to_no_key_are_text() -> None:
    many = ", ".join(f'{{"x": {i}}}' for i in range(5000))
    for text in ("12:30", ":", 'a":', "https://a.b", "\\u003a"):
        late = json.dumps(text)
        assert read_json(of(f'{{"at": {late}, "b": {{}}}}')) == {"at": text, "b": {}}
        assert read_json(of(f'{{"rows": [{many}], "at": {late}}}'))["at"] == text
        assert read_json(of(f'{{{late}: 1, "b": 2}}')) == {text: 1, "b": 2}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"value": NaN}', "NaN is no JSON number"),
        ('{"value": Infinity}', "Infinity is no JSON number"),
        ('{"value": -Infinity}', "-Infinity is no JSON number"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' is given twice"),
        ('[{"x": {"a": 1, "a": 1}}]', "the key 'a' is given twice"),
        ('{"a" :1,"a" :2}', "the key 'a' is given twice"),
        ('{"at": "12:30", "a": ":", "a": 2}', "the key 'a' is given twice"),
        ('{"a": {"b": 1, "c": 2}, "a": {"b": 1}}', "the key 'a' is given twice"),
        ('{"a": 1, "\\u0061": "\\u003a"}', "the key 'a' is given twice"),
        ("[" + '{"x": 1}, ' * 5000 + '{"x": "a:b", "y": 1, "y": ":"}]', "the key 'y' is given twice"),
        ('{"a": [1, 2', "expected JSON, got"),
        ('{"a": 1}{"a": 2}', "Extra data"),
        ("{'a': 1}", "expected JSON, got"),
        ("[1,]", "expected JSON, got"),
        ("callback({})", "expected JSON, got 'callback({})'"),
        ("Service unavailable", "expected JSON, got 'Service unavailable'"),
        ('"a\nb"', "expected JSON, got"),
        ("9" * 5000, "expected JSON, got"),
        ("[" * 100_000, "expected JSON, got"),
        ("[" * 100_000 + "]" * 100_000, "expected JSON, got"),
        ('{"a":' * 100_000, "expected JSON, got"),
        ("<error/>", "expected JSON, got '<error/>'"),
    ],
)
def test_what_is_no_json_is_refused(body: str, says: str) -> None:
    with pytest.raises(SchemaError) as caught:
        read_json(of(body))
    assert says in str(caught.value)
    assert len(str(caught.value)) < 600, "a message, not a body"


def test_json_in_another_encoding_is_refused() -> None:
    for encoding in ("latin-1", "utf-16"):
        with pytest.raises(SchemaError, match="expected JSON in utf-8"):
            read_json(of('{"a": "é"}'.encode(encoding)))


@pytest.mark.parametrize("read", [read_json, read_csv, read_xml])
@pytest.mark.parametrize("body", HTML)
def test_a_page_of_html_is_refused(read: Callable[[Response], Any], body: bytes) -> None:
    with pytest.raises(SchemaError, match="got a page of HTML"):
        read(of(body))


@pytest.mark.parametrize("read", [read_json, read_csv, read_xml])
@pytest.mark.parametrize("body", EMPTY)
def test_an_empty_body_is_refused(read: Callable[[Response], Any], body: bytes) -> None:
    with pytest.raises(SchemaError, match="got an empty body|no element found"):
        read(of(body))


def test_a_message_quotes_the_beginning_on_one_line() -> None:
    assert quoted(b"") == quoted(b" \n") == "an empty body"
    assert quoted(b"a\n\tb\x00\xff") == "'a b\\x00�'"
    assert len(quoted(b"x" * 10_000)) < 200


def test_a_member_is_found_by_its_path() -> None:
    document = {"a": [{"b": 1}, {"b": [2]}], "n": 1.5}
    assert member(document, "a", 1, "b") == [2]
    assert member(document, "a", 0, "b", of=int) == 1
    assert member(document, "n", of=(int, float)) == 1.5
    assert member([1], of=list) == [1]


@pytest.mark.parametrize(
    ("path", "kind", "says"),
    [
        (("x",), list, "expected the member 'x', the answer has ['a', 'n', 's']"),
        (("a", 5), dict, "expected the member 'a.5', the answer has list"),
        (("a", 0, "c"), dict, "expected the member 'a.0.c', the answer has ['b', 't']"),
        (("n", "x"), dict, "expected the member 'n.x', the answer has NoneType"),
        (("s", "x"), dict, "expected the member 's.x', the answer has str"),
        (("a",), dict, "expected 'a' to be dict, got list"),
        (("n",), (list, dict), "expected 'n' to be list or dict, got NoneType"),
        (("a", 0, "b"), str, "expected 'a.0.b' to be str, got int"),
        (("a", 0, "t"), int, "expected 'a.0.t' to be int, got bool"),
    ],
)
def test_a_member_that_is_absent_or_retyped_is_named(path: tuple[str | int, ...], kind: Any, says: str) -> None:
    with pytest.raises(SchemaError) as caught:
        member({"a": [{"b": 1, "t": True}], "n": None, "s": "text"}, *path, of=kind)
    assert str(caught.value) == says


def test_records_become_text() -> None:
    rows = [{"d": "2026-01-01", "v": 1.10, "x": [1]}, {"d": 2, "v": None, "x": {}}, {"d": "", "v": 10**20, "x": 0}]
    table = records(rows, ["d", "v"])
    assert table.schema == {"d": pl.String, "v": pl.String}
    assert table.rows() == [("2026-01-01", "1.1"), ("2", None), ("", "100000000000000000000")]
    assert records([], ["d"]).schema == {"d": pl.String}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"d": "x"}, {"v": 1}], "expected the fields ['d'], a row has ['v']"),
        ([{"d": [1]}], "expected text or numbers in ['d'], got [1]"),
        ([{"d": {}}], "expected text or numbers in ['d'], got {}"),
        ([{"d": True}], "expected text or numbers in ['d'], got True"),
        (["text"], "expected the fields ['d'], a row has str"),
        ([None], "expected the fields ['d'], a row has NoneType"),
        ([["a", "b"]], "expected the fields ['d'], a row has list"),
        ({"d": 1}, "expected the fields ['d'], a row has str"),
        ([{"d": "\ud800"}], "surrogates not allowed"),
    ],
)
def test_records_of_another_form_are_refused(rows: Any, says: str) -> None:
    with pytest.raises(SchemaError) as caught:
        records(rows, ["d"])
    assert says in str(caught.value)


def test_a_number_beyond_all_numbers_is_refused_where_it_is_used() -> None:
    """JSON has no limit on exponents; Python reads infinity."""
    found = read_json(of('[{"v": 1e400}]'))
    with pytest.raises(SchemaError, match="expected a number in 'v', got 'inf'"):
        numbers(records(found, ["v"])["v"])
    with pytest.raises(SchemaError, match="expected a number in 'v', got inf"):
        finite([r["v"] for r in found], "v")


# --- CSV -----------------------------------------------------------------------------------------------------------


def test_csv_is_read_as_text() -> None:
    table = read_csv(of('date, value ,note\n2026-01-01,007,"a, ""b""\nc"\n2026-01-02,,\n'), ["date", "value"])
    assert table.columns == ["date", "value", "note"]
    assert table.rows() == [("2026-01-01", "007", 'a, "b"\nc'), ("2026-01-02", None, None)]


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (b"\xef\xbb\xbfd,v\n1,\xc3\xa9\n", {}),
        (b"\xef\xbb\xbfd,v\r\n1,\xc3\xa9", {}),
        (b"d;v\n1;\xe9\n", {"separator": ";", "encoding": "latin-1"}),
        (b"Title of the table\n\nd\tv\n1\t\xc3\xa9\n", {"separator": "\t", "skip_rows": 2}),
        (b"d|v\n1|\xc3\xa9\n", {"separator": "|", "quote_char": None}),
    ],
)
def test_csv_of_many_forms_is_read(body: bytes, options: dict[str, Any]) -> None:
    assert read_csv(of(body), ["d", "v"], **options).rows() == [("1", "é")]


def test_csv_without_quotes_keeps_them() -> None:
    assert read_csv(of('d;v\n1;"x\n2;y\n'), separator=";", quote_char=None)["v"].to_list() == ['"x', "y"]


def test_csv_without_rows_is_a_table_without_rows() -> None:
    assert read_csv(of("d,v\n"), ["d", "v"]).shape == (0, 2)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("d,value\n1,2\n", "expected the column 'v', the answer has ['d', 'value']"),
        ("d,V\n1,2\n", "expected the column 'v', the answer has ['d', 'V']"),
        ('{"error": "no"}', "expected the column 'd'"),
        ("No data found", "expected the column 'd'"),
        ("d,v\n1,2,3\n", "expected CSV, got 'd,v 1,2,3' (found more fields"),
        ('d,v\n1,"2\n3,4\n', "expected CSV, got"),
        ("d,v,x\n1,2,3\n4,5", "expected 3 cells in the last row, got '4,5': is the file cut off?"),
        ("d,v,x\r\n1,2,3\r\n4\r\n", "expected 3 cells in the last row, got '4': is the file cut off?"),
        ("d,v\n2026-01-02,2\n2026-01-03", "expected 2 cells in the last row, got '2026-01-03'"),
        ("d,v,v\n1,2,3\n", "expected every column once, 'v' is there twice"),
        ("d,v, v\n1,2,3\n", "expected every column once, 'v' is there twice"),
    ],
)
def test_csv_of_another_form_is_refused(body: str, says: str) -> None:
    with pytest.raises(SchemaError) as caught:
        read_csv(of(body), ["d", "v"])
    assert says in str(caught.value)


def test_csv_may_end_in_a_count() -> None:
    """The reader of such a file looks at it; for all others it is no date."""
    table = read_csv(of("d,v\n2026-01-02,2\n1\n"), ["d", "v"])
    assert table.rows() == [("2026-01-02", "2"), ("1", None)]
    with pytest.raises(SchemaError, match="got '1'"):
        dates(table["d"])
    assert read_csv(of("d,v\n0\n"), ["d", "v"]).height == 1


def test_csv_that_ends_in_a_quoted_field_with_line_breaks_is_whole() -> None:
    assert read_csv(of('d,v\n1,"two\nlines"\n'), ["d", "v"])["v"].to_list() == ["two\nlines"]


def test_csv_in_another_encoding_is_refused() -> None:
    with pytest.raises(SchemaError, match="expected CSV in utf-8, got"):
        read_csv(of("d,v\n1,é\n".encode("latin-1")))


def test_columns_without_a_name_do_not_matter() -> None:
    """Rows that end in separators have them."""
    assert read_csv(of("d,v,,\n1,2,,\n"), ["d", "v"])["v"].to_list() == ["2"]


def test_a_table_must_have_what_is_needed() -> None:
    table = pl.DataFrame({"a": [1]})
    assert needed(table, ["a"]) is table
    with pytest.raises(SchemaError, match=r"expected the column 'b', the answer has \['a'\]"):
        needed(table, ["a", "b"])


# --- XML -----------------------------------------------------------------------------------------------------------


def test_xml_is_read() -> None:
    root = read_xml(of('<?xml version="1.0"?><a x="1"><b>é &amp; &#233;</b></a>'))
    assert (root.tag, root.get("x"), root.findtext("b")) == ("a", "1", "é & é")
    assert read_xml(of(b"\xef\xbb\xbf<a/>")).tag == "a"
    assert read_xml(of(b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>')).text == "é"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<a><b></a>", "mismatched tag"),
        ("<a>", "no element found"),
        ("<a/><b/>", "junk after document element"),
        ("plain text", "syntax error"),
        ('{"a": 1}', "expected XML, got '{\"a\": 1}'"),
        ("<a>&nbsp;</a>", "undefined entity"),
        (b"<a>\xe9</a>", "not well-formed"),
        ('<?xml version="1.0" encoding="nope"?><a/>', "unknown encoding"),
        ("<!DOCTYPE a><a/>", "DTDForbidden"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "DTDForbidden"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "DTDForbidden"),
        ('<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]><a/>', "DTDForbidden"),
        (f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>', "DTDForbidden"),
        ('<!DOCTYPE a [<!ENTITY x "' + "y" * 10_000 + '">]><a>' + "&x;" * 10_000 + "</a>", "DTDForbidden"),
    ],
)
def test_xml_of_another_form_is_refused(body: str | bytes, says: str) -> None:
    with pytest.raises(SchemaError) as caught:
        read_xml(of(body))
    assert says in str(caught.value)
    assert len(str(caught.value)) < 600


def test_xml_that_names_other_documents_does_not_bring_them() -> None:
    body = '<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></a>'
    assert "".join(read_xml(of(body)).itertext()) == ""


def test_xml_of_great_depth_is_read_or_refused_and_no_more() -> None:
    assert read_xml(of("<a>" * 100_000 + "</a>" * 100_000)).tag == "a"
    with pytest.raises(SchemaError, match="no element found"):
        read_xml(of("<a>" * 100_000))


# --- numbers -------------------------------------------------------------------------------------------------------


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


# --- dates ---------------------------------------------------------------------------------------------------------


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
        ("%Y-%m-%d", "2026-01-02 00:00:00"),
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
        ("2026-S1", date(2026, 1, 1)),
        ("2026-S2", date(2026, 7, 1)),
        ("2026H2", date(2026, 7, 1)),
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
        "2026-S3",
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


def test_epoch_times_become_local_dates() -> None:
    assert from_epoch([0, 86_399, 86_400, -1], "t").to_list() == [
        date(1970, 1, 1),
        date(1970, 1, 1),
        date(1970, 1, 2),
        date(1969, 12, 31),
    ]
    assert from_epoch([1_704_153_600], "t", NEW_YORK).to_list() == [date(2024, 1, 1)]
    assert from_epoch([1_704_153_600_000], "t", per_second=1000).to_list() == [date(2024, 1, 2)]


@pytest.mark.parametrize("value", [None, "1704153600", True, float("nan"), 1_704_153_600_000, 1e18, -1e18, 10**400])
def test_an_epoch_time_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(SchemaError, match="in 't', got"):
        from_epoch([0, value], "t")


# --- tables of many columns ----------------------------------------------------------------------------------------

AUCTIONS = """day,kind,amount,rate
2026-01-02,bill,"1,000",4.5
2026-01-02,bill,500,4.6
2026-01-02,note,7,4.0
2026-01-03,bill,20,
2026-01-03,bill,,4.7
2026-01-04,bill,,
"""


def selecting(value: str = "amount", combine: str = "sum", where: dict[str, str] | None = None) -> Any:
    kept = {"kind": "bill"} if where is None else where
    facts = {"where": kept, "date": "day", "value": value, "combine": combine, "meaning": "settlement"}
    return toy_series("toy", "x", selector=Selector.model_validate(facts))


def chosen(series: Any) -> list[tuple[Any, ...]]:
    return select(read_csv(of(AUCTIONS)), series, thousands=",").rows()


def test_several_rows_of_a_date_are_added_where_the_selector_says_so() -> None:
    assert chosen(selecting()) == [(date(2026, 1, 2), 1500), (date(2026, 1, 3), 20), (date(2026, 1, 4), None)]


def test_the_last_figure_of_a_date_is_taken_where_the_selector_says_so() -> None:
    """A row without a figure is no figure: null is said only where every row of a date has none."""
    assert chosen(selecting(combine="last")) == [
        (date(2026, 1, 2), 500),
        (date(2026, 1, 3), 20),
        (date(2026, 1, 4), None),
    ]


def test_several_rows_of_a_date_are_refused_elsewhere() -> None:
    with pytest.raises(SchemaError, match="series TOY: expected one row for 2026-01-02, got several"):
        chosen(selecting(combine="only"))
    assert chosen(selecting(combine="only", where={"kind": "note"})) == [(date(2026, 1, 2), 7)]


def test_a_row_given_twice_is_one_row() -> None:
    rows = pl.DataFrame({"observation_date": [date(2026, 1, 1)] * 2, "value": [1.0, 1.0]})
    assert combined(rows, selecting(combine="only").selector, "TOY").rows() == [(date(2026, 1, 1), 1.0)]
    null = rows.with_columns(value=pl.Series([1.0, None]))
    with pytest.raises(SchemaError, match="expected one row"):
        combined(null, selecting(combine="only").selector, "TOY")


def test_a_selection_that_matches_nothing_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="series TOY: no row of the answer has {'kind': 'bond'}"):
        chosen(selecting(where={"kind": "bond"}))


def test_a_table_without_rows_has_no_selection_and_no_error() -> None:
    found = select(read_csv(of("day,kind,amount\n")), selecting())
    assert found.schema == {"observation_date": pl.Date, "value": pl.Float64}
    assert found.is_empty()


def test_a_selection_by_nothing_takes_all_rows() -> None:
    assert chosen(selecting(where={}))[0] == (date(2026, 1, 2), 1507)


@pytest.mark.parametrize(
    ("series", "says"),
    [
        (selecting(value="price"), "expected the column 'price'"),
        (selecting(where={"class": "bill"}), "expected the column 'class'"),
        (toy_series("toy", "x"), "series TOY needs a `selector` in the catalog"),
    ],
)
def test_a_selection_by_what_is_not_there_is_refused(series: Any, says: str) -> None:
    with pytest.raises(SchemaError) as caught:
        chosen(series)
    assert says in str(caught.value)


def test_cells_of_a_selection_are_read_strictly() -> None:
    with pytest.raises(SchemaError, match="expected a number in 'amount', got 'many'"):
        select(read_csv(of("day,kind,amount\n2026-01-02,bill,many\n")), selecting())
    with pytest.raises(SchemaError, match="expected a date like %Y-%m-%d in 'day', got '01/02/2026'"):
        select(read_csv(of("day,kind,amount\n01/02/2026,bill,1\n")), selecting())
    with pytest.raises(SchemaError, match="got an empty cell"):
        select(read_csv(of("day,kind,amount\n2026-01-02,bill,\n")), selecting(), missing=())
    other = select(read_csv(of("day,kind,amount\n02.01.2026, bill ,1\n")), selecting(), date_form="%d.%m.%Y")
    assert other.rows() == [(date(2026, 1, 2), 1)]


def test_a_whole_column_may_be_the_series() -> None:
    rate = selecting("rate", "only", {})
    table = read_csv(of("day,rate\n2026-01-02,4.5\n2026-01-03,\n"))
    assert select(table, rate).rows() == [(date(2026, 1, 2), 4.5), (date(2026, 1, 3), None)]
    twice = read_csv(of("day,rate\n2026-01-02,4.5\n2026-01-02,4.6\n"))
    with pytest.raises(SchemaError, match="series TOY: expected one row for 2026-01-02, got several"):
        select(twice, rate)
    with pytest.raises(SchemaError, match="expected the column 'rate'"):
        select(table.drop("rate"), rate)
    with pytest.raises(SchemaError, match="needs a `selector`"):
        select(table, toy_series("toy", "x"))


def test_a_blank_of_a_period_that_is_not_due_is_no_missing_figure() -> None:
    days = [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)]
    rows = pl.DataFrame({"observation_date": days, "value": [None, None, 3.0]}, schema_overrides={"value": pl.Float64})
    daily = toy_series("toy", "x")  # out at noon of the day after
    at = datetime(2026, 1, 2, 18, tzinfo=UTC)
    assert due(rows, daily, at).rows() == [(days[0], None), (days[2], 3.0)], "a figure that came early is a figure"
    assert due(rows, daily, datetime(2026, 2, 1, tzinfo=UTC)).equals(rows)


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


def test_numbers_of_json_keep_every_digit_as_text() -> None:
    values = [0.1, 1e16, 5e-324, -0.0, None, 2.0]
    table = records([{"x": v} for v in values], ("x",))
    assert [None if t is None else float(t) for t in table["x"]] == values
    mixed = records([{"x": 1}, {"x": 2.5}, {"x": "3"}, {"x": 10**30}], ("x",))
    assert mixed["x"].to_list() == ["1", "2.5", "3", str(10**30)]


def test_a_member_of_every_row_is_had_or_named() -> None:
    assert members([{"x": 1}, {"x": 2.5}, {"x": None}], "x", int, float, type(None)) == [1, 2.5, None]
    with pytest.raises(SchemaError, match="expected 'x' to be int or float, got str"):
        members([{"x": 1}, {"x": "2"}], "x", int, float)
    with pytest.raises(SchemaError, match=r"expected the member 'x', the answer has \['y'\]"):
        members([{"x": 1}, {"y": 2}], "x", int)
    with pytest.raises(SchemaError, match="expected the member 'x'"):
        members([3], "x", int)


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


def test_columns_of_dates_are_read_together_and_named_where_one_is_wrong() -> None:
    table = pl.DataFrame({"a": ["2026-01-01", "2026-01-02"], "b": ["2026-02-01", " 2026-02-02T00:00 "]})
    found = days(table, ("b", "a"))
    assert [(c.name, c.to_list()) for c in found] == [
        ("b", [date(2026, 2, 1), date(2026, 2, 2)]),
        ("a", [date(2026, 1, 1), date(2026, 1, 2)]),
    ]
    assert [c.dtype for c in days(table.clear(), ("a", "b"))] == [pl.Date, pl.Date]
    for wrong in (None, "2026-02-30", "2026-2-01"):
        with pytest.raises(SchemaError, match=f"expected a date like %Y-%m-%d in 'b', got {wrong!r}"):
            days(table.with_columns(b=pl.Series(["2026-02-01", wrong])), ("a", "b"))


def test_whole_numbers_of_json_keep_every_digit_as_text() -> None:
    for values in ([1, None, -(2**63)], [2**63, 1], [2**70, None]):
        assert records([{"x": v} for v in values], ("x",))["x"].to_list() == [
            v if v is None else str(v) for v in values
        ]
    with pytest.raises(SchemaError, match=r"expected text or numbers in \['x'\], got True"):
        records([{"x": 1}, {"x": True}], ("x",))
