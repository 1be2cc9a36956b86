"""Strict readers of whole answers: a body becomes JSON, CSV or XML.

Nothing is guessed: a page of HTML, a truncated body or a field that is not there is a :class:`SchemaError` that says
what was expected and what came.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import polars as pl

from macro_assets.sources.errors import SHOWN, SchemaError, quoted

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from macro_assets.sources.protocol import Answer, Response

_BOM = b"\xef\xbb\xbf"


def read_json(response: Response) -> Any:
    """A JSON body. Literals that JSON does not have (NaN, Infinity) and keys given twice are refused."""
    body = _text_body(response, "JSON")
    try:
        return _decoded(body)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"expected JSON, got {quoted(response.body)} ({error})") from None


def _decoded(body: str) -> Any:
    """The document, which gives no key of an object twice.

    None does where every colon of the body belongs to a member that is there. To look at the members of each object
    costs half as much again as to parse them: it is left to bodies with other colons too, in texts. Those have one
    near their beginning, or are parsed twice.
    """
    if body.count(":", 0, _BEGINNING) == body.count('":', 0, _BEGINNING):
        found = 0

        def counted(members: dict[str, Any]) -> dict[str, Any]:
            nonlocal found
            found += len(members)
            return members

        document = json.JSONDecoder(parse_constant=_refuse_literal, object_hook=counted).decode(body)
        if found == body.count(":"):
            return document
        del document  # some are gigabytes
    return _DECODER.decode(body)


def _refuse_literal(literal: str) -> None:
    raise ValueError(f"{literal} is no JSON number")


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [k for k, _ in pairs]
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} is given twice")
    return members


_DECODER = json.JSONDecoder(parse_constant=_refuse_literal, object_pairs_hook=_unique_members)
_BEGINNING = 2**15
"""Characters in which a colon of a text is looked for: the most that some answers say of themselves before the rows."""


def member(document: Any, *path: str | int, of: type | tuple[type, ...] = (list, dict)) -> Any:
    """A part of a JSON document by its path, which must be there and of a type.

    Raises
    ------
    SchemaError
        When a member is absent or of another type; it names the path.
    """
    found = document
    for depth, part in enumerate(path):
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            where = ".".join(map(str, path[: depth + 1]))
            has = sorted(map(str, found))[:12] if isinstance(found, dict) else type(found).__name__
            raise SchemaError(f"expected the member {where!r}, the answer has {has}") from None
    if not isinstance(found, of) or (of is int and isinstance(found, bool)):
        raise SchemaError(f"expected {'.'.join(map(str, path))!r} to be {_names(of)}, got {type(found).__name__}")
    return found


def members(rows: Sequence[Any], name: str, *of: type) -> list[Any]:
    """A member of each of some JSON objects, which must be there and of one of these types."""
    with suppress(LookupError, TypeError):
        found = [row[name] for row in rows]
        if set(of).issuperset(map(type, found)):
            return found
    return [member(row, name, of=of) for row in rows]  # says what is wrong with which


def _names(types: type | tuple[type, ...]) -> str:
    return " or ".join(t.__name__ for t in (types if isinstance(types, tuple) else (types,)))


def refuse_repeated(response: Response, before: Sequence[Answer]) -> None:
    """Refuse a page that is the one before it once more: who does not see where to go on would be asked for ever.

    Raises
    ------
    SchemaError
        When the last of the answers has the same body.
    """
    if before and before[-1].response.body == response.body:
        raise SchemaError(f"expected another page after {len(before)}, got the same once more: its place is ignored")


def records(rows: Sequence[Mapping[str, Any]], columns: Collection[str]) -> pl.DataFrame:
    """JSON objects as a table of text: the columns that are wanted, every one of them present in every row.

    Numbers keep their shortest form; null stays null.

    Raises
    ------
    SchemaError
        When a row lacks a column or holds a list, an object or a boolean in it.
    """
    try:
        return pl.DataFrame(
            {c: _text([row[c] for row in rows]) for c in columns}, schema=dict.fromkeys(columns, pl.String)
        )
    except (KeyError, TypeError, UnicodeEncodeError) as error:  # the last of half a character, as "\\ud800"
        lacking = [r for r in rows if not isinstance(r, dict) or set(columns) - set(r)]
        if not lacking:
            raise SchemaError(f"expected text or numbers in {sorted(columns)}, got {error}") from None
        has = sorted(lacking[0])[:20] if isinstance(lacking[0], dict) else type(lacking[0]).__name__
        raise SchemaError(f"expected the fields {sorted(columns)}, a row has {has}") from None


def _text(values: list[Any]) -> pl.Series:
    with suppress(TypeError):
        return pl.Series(values, dtype=pl.String)
    for kind, written in ((float, pl.Float64), (int, pl.Int64)):
        if {kind, type(None)}.issuperset(map(type, values)):
            with suppress(TypeError, OverflowError):  # an integer beyond 64 bits
                return pl.Series(values, dtype=written).cast(pl.String)
    return pl.Series([_cell(v) for v in values], dtype=pl.String)


def _cell(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if type(value) in (int, float):
        return repr(value)
    raise TypeError(f"{value!r}")


def read_csv(
    response: Response,
    columns: Collection[str] = (),
    separator: str = ",",
    encoding: str = "utf-8",
    skip_rows: int = 0,
    quote_char: str | None = '"',
) -> pl.DataFrame:
    """A CSV body as a table of text, header names stripped of blanks.

    Parameters
    ----------
    columns
        Must be there; others may be.

    Raises
    ------
    SchemaError
        When the body is no CSV of that form, is cut off inside a row, or lacks a column.
    """
    text = _text_body(response, "CSV", encoding)
    try:
        table = pl.read_csv(
            text.encode(), separator=separator, infer_schema=False, skip_rows=skip_rows, quote_char=quote_char
        )
    except pl.exceptions.PolarsError as error:
        raise SchemaError(f"expected CSV, got {quoted(response.body)} ({str(error).splitlines()[0]})") from None
    names = [c.strip() for c in table.columns]
    if repeated := [n for n in names if n and (names.count(n) > 1 or f"{n}_duplicated_0" in names)]:
        raise SchemaError(f"expected every column once, {repeated[0]!r} is there twice")
    table.columns = names
    _refuse_cut_row(text, table, separator, quote_char)
    return needed(table, columns)


def _refuse_cut_row(text: str, table: pl.DataFrame, separator: str, quote_char: str | None) -> None:
    """Refuse a last row with fewer fields than the header, which would else be taken for empty cells.

    A single field of another length than those above it is no row cut off, but what some files end in: a count.
    """
    last = text.rstrip("\r\n")
    last = last[max(last.rfind("\n"), last.rfind("\r")) + 1 :]
    marks = last.count(separator)
    if table.is_empty() or marks >= table.width - 1 or (quote_char and quote_char in last):
        return
    if marks or (table.height > 1 and len(last) == len(str(table.item(0, 0)))):
        raise SchemaError(f"expected {table.width} cells in the last row, got {last[:SHOWN]!r}: is the file cut off?")


def needed(table: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """The table, which must have these columns."""
    if missing := [c for c in columns if c not in table.columns]:
        raise SchemaError(f"expected the column {missing[0]!r}, the answer has {table.columns[:20]}")
    return table


def read_xml(response: Response) -> Element:
    """An XML body's root. Entities, external references and document types are refused."""
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    _refuse_html(response, "XML")
    try:
        return fromstring(response.body, forbid_dtd=True)  # type: ignore[no-any-return]
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        reason = str(error) or type(error).__name__
        raise SchemaError(f"expected XML, got {quoted(response.body)} ({reason})") from None


def _text_body(response: Response, form: str, encoding: str = "utf-8") -> str:
    _refuse_html(response, form)
    body = response.body.removeprefix(_BOM)
    if not body.strip():
        raise SchemaError(f"expected {form}, got an empty body")
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise SchemaError(f"expected {form} in {encoding}, got {quoted(response.body)} ({error.reason})") from None


def _refuse_html(response: Response, form: str) -> None:
    start = response.body.removeprefix(_BOM).lstrip()[:15].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise SchemaError(f"expected {form}, got a page of HTML: {quoted(response.body)}")
