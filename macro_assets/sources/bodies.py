"""Strict readers of whole answers: a body becomes JSON, CSV or XML.

Nothing is guessed: a page of HTML, a truncated body or a field that is not there is a :class:`SchemaError` that says
what was expected and what came.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from macro_assets.catalog.wording import listed
from macro_assets.sources.errors import SHOWN, SchemaError, quoted

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from macro_assets.sources.protocol import Answer, Response

_UTF_8, _UTF_16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
"""Byte order marks. Those of UTF-32 begin like one of UTF-16, or with two nulls."""


def read_json(response: Response, fields: Collection[str] = ()) -> Any:
    """A JSON body. Literals that JSON does not have (NaN, Infinity) and keys given twice are refused.

    Parameters
    ----------
    fields
        Of the rows in an object's lists: where all have these fields alone, text, numbers and nulls, they may come as
        structs instead of dictionaries, in half the time. `column`, `members`, `names` and `records` read both.
    """
    body = _present(response, "JSON")
    if fields:
        with suppress(ValueError, RecursionError):
            return _of_structs(body, tuple(fields))
    with suppress(ValueError, RecursionError):
        return _at_once(body)
    text = text_body(response, "JSON")
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"expected JSON, got {quoted(response.body)} ({error})") from None


def _at_once(body: bytes) -> Any:
    """The document, which gives no key of an object twice; else, and in doubt, an error.

    A document that lost members to keys given twice has fewer colons when it is written again. The decoder of the
    standard library, which looks at the members of each object, takes four times as long; it says what is wrong.
    """
    document = msgspec.json.decode(body)
    if not _keeps_its_colons(document, body):
        raise ValueError("a key may be given twice")
    return document


def _of_structs(body: bytes, fields: tuple[str, ...]) -> dict[str, Any]:
    """An object whose lists are of structs of these fields."""
    document = _decoder(fields).decode(body)
    rows = sum(len(part) for part in document.values() if type(part) is list)
    if len(document) + len(fields) * rows != body.count(b":") and not _keeps_its_colons(document, body):
        raise ValueError("a key may be given twice")
    return document


@cache
def _decoder(fields: tuple[str, ...]) -> msgspec.json.Decoder[dict[str, Any]]:
    cell = str | int | float | None
    row = msgspec.defstruct("Row", [(name, cell) for name in fields], gc=False, forbid_unknown_fields=True)
    return msgspec.json.Decoder(dict[str, list[row] | cell])  # type: ignore[valid-type]


def _keeps_its_colons(document: Any, body: bytes) -> bool:
    escaped = b"\\" in body and _ESCAPED_COLON in body  # to look for one byte takes no time
    return not escaped and msgspec.json.encode(document).count(b":") == body.count(b":")


_ESCAPED_COLON = b"\\u003"
"""How the escape of a colon begins: it would make up for one that is lost."""


def _refuse_literal(literal: str) -> None:
    raise ValueError(f"{literal} is no JSON number")


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [k for k, _ in pairs]
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} is given twice")
    return members


_DECODER = json.JSONDecoder(parse_constant=_refuse_literal, object_pairs_hook=_unique_members)


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


def column(rows: Sequence[Any], name: str) -> list[Any]:
    """A field of rows that :func:`read_json` gave.

    Raises
    ------
    KeyError, TypeError
        When a row lacks it, or is no row.
    """
    if not rows or not isinstance(rows[0], msgspec.Struct):
        return list(map(itemgetter(name), rows))
    if name not in names(rows):
        raise KeyError(name)
    return list(map(attrgetter(name), rows))


def names(rows: Sequence[Any]) -> list[str]:
    """Fields of the first of some rows that :func:`read_json` gave."""
    return list(getattr(rows[0], "__struct_fields__", rows[0])) if rows else []


def members(rows: Sequence[Any], name: str, *of: type) -> list[Any]:
    """A member of each of some JSON objects, which must be there and of one of these types."""
    with suppress(LookupError, TypeError):
        found = column(rows, name)
        if set(of).issuperset(map(type, found)):
            return found
    return [member(msgspec.to_builtins(row), name, of=of) for row in rows]  # says what is wrong with which


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
        return pl.DataFrame([_text(column(rows, c)).alias(c) for c in columns])
    except (KeyError, TypeError, UnicodeEncodeError) as error:  # the last of half a character, as "\\ud800"
        lacking = [r for r in map(msgspec.to_builtins, rows) if not isinstance(r, dict) or set(columns) - set(r)]
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
    text = text_body(response, "CSV", encoding)
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
    parts = last.split(quote_char) if quote_char else [last]
    if len(parts) % 2 == 0:  # the end of a field of several lines
        return
    marks = sum(unquoted.count(separator) for unquoted in parts[::2])
    if table.is_empty() or marks >= table.width - 1:
        return
    if marks or (table.height > 1 and len(last) == len(str(table.item(0, 0)))):
        raise SchemaError(f"expected {table.width} cells in the last row, got {last[:SHOWN]!r}: is the file cut off?")


def needed(table: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """The table, which must have these columns."""
    if missing := [c for c in columns if c not in table.columns]:
        raise SchemaError(f"expected the column {missing[0]!r}, the answer has {listed(map(repr, table.columns))}")
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


def text_body(response: Response, form: str, encoding: str = "utf-8") -> str:
    """The text of a body; a byte order mark says of itself that it is in UTF-8, whatever the provider's encoding."""
    body = _present(response, form)
    if len(body) < len(response.body):
        encoding = "utf-8"
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise SchemaError(f"expected {form} in {encoding}, got {quoted(response.body)} ({error.reason})") from None


def _present(response: Response, form: str) -> bytes:
    """A body that is there, without the byte order mark of UTF-8."""
    _refuse_html(response, form)
    body = response.body.removeprefix(_UTF_8)
    if not body.strip():
        raise SchemaError(f"expected {form}, got an empty body")
    if body.startswith(_UTF_16):
        raise SchemaError(f"expected {form} in utf-8, got UTF-16 by its byte order mark: save the file as UTF-8")
    return body


def _refuse_html(response: Response, form: str) -> None:
    start = response.body.removeprefix(_UTF_8).lstrip()[:15].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise SchemaError(f"expected {form}, got a page of HTML: {quoted(response.body)}")
