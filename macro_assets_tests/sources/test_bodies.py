"""Every reader of bodies with what it is for, and with what it must refuse."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from macro_assets.sources import bodies
from macro_assets.sources.bodies import (
    column,
    member,
    members,
    names,
    needed,
    read_csv,
    read_json,
    read_xml,
    records,
    refuse_repeated,
)
from macro_assets.sources.cells import dates, finite, numbers
from macro_assets.sources.errors import SchemaError, quoted
from macro_assets.sources.protocol import NO_OBSERVATIONS, Answer, Response

HTML = [
    b"<!DOCTYPE html><html><body>Sorry</body></html>",
    b"\n\n  <!doctype HTML>",
    b"<html lang='en'>",
    b"\xef\xbb\xbf<HTML>",
]


EMPTY = [b"", b" \r\n\t", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"]


def of(body: bytes | str) -> Response:
    return Response("GET /a", body.encode() if isinstance(body, str) else body, datetime(2026, 1, 1, tzinfo=UTC), 200)


# --- JSON ------------------------------------------------------------------------------------------------------------


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


JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(alphabet=':"\\ué \n\ud83d1', max_size=5),
    lambda part: (
        st.lists(part, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", ":", 'a":']), part, max_size=4)
    ),
    max_leaves=12,
)
PIECES = [
    '"a":',
    '"\\u0061":',
    "1,",
    ":",
    '"',
    "\\u003a",
    " ",
    "\t",
    "{",
    "}",
    "[",
    "]",
    "NaN",
    "1e999",
    "-",
    "\x00",
    "0",
    '"\\ud800"',
]


def damaged(body: str, data: st.DataObject) -> Response:
    """With a few pieces twice, or others put between."""
    for _ in range(data.draw(st.integers(0, 3))):
        start, end = sorted(data.draw(st.lists(st.integers(0, len(body)), min_size=2, max_size=2)))
        twice = body[start:end]
        body = body[:end] + data.draw(st.sampled_from([twice, "," + twice, *PIECES])) + body[end:]
    return of(body.encode("utf-8", "surrogatepass"))


def said(read: Callable[[Response], Any], response: Response) -> str:
    try:
        return json.dumps(read(response), sort_keys=True)
    except (ValueError, SchemaError):
        return "refused"


def strictly(response: Response) -> Any:
    return bodies._DECODER.decode(response.body.decode())


@given(JSONS, st.booleans(), st.sampled_from([None, 1, "\t"]), st.data())
def test_json_is_what_the_strict_decoder_of_the_standard_library_says(
    document: Any, ascii_alone: bool, indent: int | str | None, data: st.DataObject
) -> None:
    response = damaged(json.dumps(document, ensure_ascii=ascii_alone, indent=indent), data)
    assert said(read_json, response) == said(strictly, response)


CELLS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(':"\\é', max_size=4)


@given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS}, optional={":": CELLS}), max_size=3), CELLS, st.data())
def test_rows_that_may_come_as_structs_say_the_same(rows: list[Any], cell: Any, data: st.DataObject) -> None:
    response = damaged(json.dumps({"at": cell, "rows": rows, "more": rows[:1]}), data)
    found = said(lambda r: msgspec.to_builtins(read_json(r, ("a", "b"))), response)
    assert found == said(strictly, response)


def test_rows_of_these_fields_alone_come_as_structs_and_are_read_as_others_are() -> None:
    rows = [{"a": "x", "b": 1}, {"a": "y:", "b": None}]
    for more, fields in (({}, ("b", "a")), ({"c": 1}, ("a", "b")), ({}, ())):
        document = {"at": ":", "rows": [{**r, **more} for r in rows]}
        read = read_json(of(json.dumps(document)), fields)["rows"]
        assert isinstance(read[0], dict) == (bool(more) or not fields)
        assert set(names(read)) == {"a", "b", *more}
        assert column(read, "a") == members(read, "a", str) == ["x", "y:"]
        assert records(read, ["b", "a"]).rows() == [("1", "x"), (None, "y:")]
        with pytest.raises(SchemaError, match=r"expected the member 'z', the answer has \['a', 'b'"):
            members(read, "z", str)
        with pytest.raises(SchemaError, match="expected 'b' to be int, got NoneType"):
            members(read, "b", int)
        with pytest.raises(SchemaError, match=r"expected the fields \['z'\], a row has \['a', 'b'"):
            records(read, ["z"])
    assert names([]) == []
    with pytest.raises(SchemaError, match="the key 'a' is given twice"):
        read_json(of('{"rows": [{"a": 1, "b": 2, "a": 1}]}'), ("a", "b"))


def test_long_integers_and_half_characters_are_kept() -> None:
    assert read_json(of('{"a": [123456789012345678901234567890, -18446744073709551617]}'))["a"] == [
        123456789012345678901234567890,
        -18446744073709551617,
    ]
    assert read_json(of('["\\ud800"]')) == ["\ud800"]


def test_json_in_another_encoding_is_refused() -> None:
    for encoding in ("latin-1", "utf-16"):
        with pytest.raises(SchemaError, match="expected JSON in utf-8"):
            read_json(of('{"a": "é"}'.encode(encoding)))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("text", ["utf-16", "utf-16-be", "utf-32"])
def test_utf_16_is_refused_by_its_name(text: str, encoding: str) -> None:
    mark = codecs.BOM_UTF16_BE if text == "utf-16-be" else b""
    with pytest.raises(SchemaError, match="expected CSV in utf-8, got UTF-16 by its byte order mark"):
        read_csv(of(mark + "d,v\n1,2\n".encode(text)), encoding=encoding)
    with pytest.raises(SchemaError, match="expected JSON in utf-8, got UTF-16 by its byte order mark"):
        read_json(of(mark + "[1]".encode(text)))


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


# --- CSV -------------------------------------------------------------------------------------------------------------


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
        (b"\xef\xbb\xbfd;v\n1;\xc3\xa9\n", {"separator": ";", "encoding": "latin-1"}),
        (b'\xef\xbb\xbf"d","v"\r\n"1","\xc3\xa9"\r\n', {}),
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
        ("d,value\n1,2\n", "expected the column 'v', the answer has 'd', 'value'"),
        ("d,V\n1,2\n", "expected the column 'v', the answer has 'd', 'V'"),
        ('{"error": "no"}', "expected the column 'd'"),
        ("No data found", "expected the column 'd'"),
        ("d,v\n1,2,3\n", "expected CSV, got 'd,v 1,2,3' (found more fields"),
        ('d,v\n1,"2\n3,4\n', "expected CSV, got"),
        ("d,v,x\n1,2,3\n4,5", "expected 3 cells in the last row, got '4,5': is the file cut off?"),
        ("d,v,x\r\n1,2,3\r\n4\r\n", "expected 3 cells in the last row, got '4': is the file cut off?"),
        ("d,v\n2026-01-02,2\n2026-01-03", "expected 2 cells in the last row, got '2026-01-03'"),
        ('d,v,x\n"1","2","3"\n"4,5","6"', 'expected 3 cells in the last row, got \'"4,5","6"\''),
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


@pytest.mark.parametrize("body", ['"d, e",v\n1,"2,5"\n', '\ufeff"d, e","v"\r\n"1","2,5"\r\n', '"d, e",v\n1,"2,5"'])
def test_csv_may_have_separators_within_quotes(body: str) -> None:
    assert read_csv(of(body), ["d, e", "v"]).rows() == [("1", "2,5")]


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
    with pytest.raises(SchemaError, match=r"expected the column 'b', the answer has 'a'"):
        needed(table, ["a", "b"])


def test_columns_of_a_file_that_is_no_table_are_told_briefly() -> None:
    """One line of junk is one column name, half a megabyte of it."""
    with pytest.raises(SchemaError) as caught:
        read_csv(of("j" * 500_000 + "\n1\n"), ["d"])
    assert len(str(caught.value)) < 200
    many = pl.DataFrame({f"column {n}": [1] for n in range(400)})
    with pytest.raises(SchemaError, match="'column 11', and 388 more$"):
        needed(many, ["d"])


# --- XML -------------------------------------------------------------------------------------------------------------


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


def test_whole_numbers_of_json_keep_every_digit_as_text() -> None:
    for values in ([1, None, -(2**63)], [2**63, 1], [2**70, None]):
        assert records([{"x": v} for v in values], ("x",))["x"].to_list() == [
            v if v is None else str(v) for v in values
        ]
    with pytest.raises(SchemaError, match=r"expected text or numbers in \['x'\], got True"):
        records([{"x": 1}, {"x": True}], ("x",))


def test_a_page_that_comes_once_more_is_refused() -> None:
    first, second = (Answer(of(body), NO_OBSERVATIONS) for body in ("1", "2"))
    refuse_repeated(of("1"), [])
    refuse_repeated(of("1"), [first, second])
    with pytest.raises(SchemaError, match="expected another page after 2, got the same once more"):
        refuse_repeated(of("2"), [first, second])
