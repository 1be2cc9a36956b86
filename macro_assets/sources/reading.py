"""Strict readers of what providers send: a body becomes JSON, CSV or XML; text becomes numbers and dates.

Nothing is guessed: a page of HTML, a truncated body, a number that is none or a date in another form is a
:class:`SchemaError` that says what was expected and what came.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from macro_assets.catalog import Selector, Series
from macro_assets.catalog.periods import estimated_release
from macro_assets.sources.errors import SHOWN, NotFoundError, SchemaError, quoted

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from macro_assets.sources import Response

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


# --- text to numbers and dates -------------------------------------------------------------------------------------


def numbers(
    text: pl.Series, missing: Collection[str | None] = (), thousands: str = "", decimal: str = "."
) -> pl.Series:
    """Text as finite numbers; what the provider writes for a missing figure becomes null.

    Parameters
    ----------
    missing
        Texts that stand for a missing figure; "" or None for an empty cell, which is an error elsewhere.
    thousands
        What may stand between groups of three digits. Groups of other sizes are refused: '1,5' is no fifteen.
    decimal
        The decimal mark. Where it is a comma, a point is no part of a number unless it groups thousands.

    Raises
    ------
    SchemaError
        When a cell is neither a finite number nor one of `missing`; it names the column and the cell.
    """
    if text.null_count() and not {"", None} & set(missing):
        raise SchemaError(f"expected a number in {text.name!r}, got an empty cell")
    numeric = [m for m in missing if m and _DIGIT.search(m)]
    if decimal == "." != thousands and not numeric:
        plain = text.cast(pl.Float64, strict=False)
        if _all_finite(plain) and _all_markers(text, plain, missing):  # nearly always: no need to look closer
            return plain
    present = pl.first().cast(pl.String).str.strip_chars()
    if numeric:
        present = pl.when(~present.is_in(numeric)).then(present)
    if thousands or decimal != ".":
        present = _regrouped(present, thousands, decimal)
    figures = text.to_frame().select(present.cast(pl.Float64, strict=False)).to_series().alias(text.name)
    if figures.null_count() > text.null_count() or not _all_finite(figures):
        odd = ~figures.is_finite().fill_null(False)
        cells = text.filter(odd).cast(pl.String).str.strip_chars()
        if wrong := [cell for cell in cells if cell not in {None, *missing}]:
            raise SchemaError(f"expected a number in {text.name!r}, got {wrong[0]!r}")
        figures = figures.set(odd, None)  # a marker may be NaN
    return figures


_DIGIT = re.compile(r"\d")


def _all_finite(figures: pl.Series) -> bool:
    """Whether none is infinite or NaN: either would be left in the sum. False too where the sum itself overflows."""
    return math.isfinite(figures.sum())


def _all_markers(text: pl.Series, figures: pl.Series, missing: Collection[str | None]) -> bool:
    """Whether every text that is no figure stands, to the letter, for a missing one."""
    if figures.null_count() == text.null_count():
        return True
    return {None, *missing}.issuperset(text.filter(figures.is_null()).to_list())


def _regrouped(text: pl.Expr, thousands: str, decimal: str) -> pl.Expr:
    """Text without marks of thousands and with a point as decimal mark; null where a mark is not in its place."""
    if decimal != "." and thousands != ".":
        text = pl.when(~text.str.contains(".", literal=True)).then(text)
    if thousands:
        group, mark = re.escape(thousands), re.escape(decimal)
        grouped = text.str.contains(thousands, literal=True)
        right = text.str.contains(rf"^[+-]?\d{{1,3}}(?:{group}\d{{3}})+(?:{mark}\d*)?$")
        text = pl.when(~grouped | right).then(text.str.replace_all(thousands, "", literal=True))
    return text.str.replace(decimal, ".", literal=True) if decimal != "." else text


def finite(values: Sequence[Any], name: str) -> pl.Series:
    """JSON numbers (and nulls) as finite floats.

    Raises
    ------
    SchemaError
        When one is text, a boolean, or too large for a number.
    """
    if _NUMBERS.issuperset(map(type, values)):
        with suppress(OverflowError):
            found = _floats(values, name)
            if _all_finite(found) or found.is_finite().all():
                return found
    fits = sys.float_info.max
    wrong = next(v for v in values if v is not None and (type(v) not in _NUMBERS or not abs(v) <= fits))
    raise SchemaError(f"expected a number in {name!r}, got {repr(wrong)[:SHOWN]}")


_NUMBERS = {int, float, type(None)}


def _floats(values: Sequence[Any], name: str) -> pl.Series:
    try:
        return pl.Series(name, values, dtype=pl.Float64)
    except OverflowError:  # Polars takes no integer beyond 128 bits
        return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)


_DIGITS = {"%Y-%m-%d": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T.*)?$", "%Y%m%d": "^[0-9]{8}$"}
"""Forms whose digits are all there; with fewer, blanks or signs dates are cut or damaged, though they still parse."""


def dates(text: pl.Series, form: str = "%Y-%m-%d") -> pl.Series:
    """Text as dates in one form; anything after a 'T' is dropped from ISO dates.

    Raises
    ------
    SchemaError
        When a cell is null or in another form; it names the column and the cell.
    """
    if form == "%Y-%m-%d" and (plain := _plain_dates(text, (10,))) is not None:
        return plain
    bare = pl.first().str.strip_chars()
    whole = bare.str.contains(_DIGITS[form]) if form in _DIGITS else pl.lit(True)
    if form == "%Y-%m-%d":
        bare = bare.str.head(10)
    found = text.to_frame().select(day=bare.str.to_date(form, strict=False, cache=False), whole=whole)
    days = found["day"].alias(text.name)
    if days.null_count() or not found["whole"].all() or (days < _FIRST).any():
        wrong = days.is_null() | ~found["whole"] | (days < _FIRST)
        raise SchemaError(f"expected a date like {form} in {text.name!r}, got {text.filter(wrong)[0]!r}")
    return days


def days(table: pl.DataFrame, columns: Sequence[str]) -> list[pl.Series]:
    """Columns of ISO dates, as :func:`dates` reads each: of one pass all at once."""
    stacked = _plain_dates(pl.concat([table[c].alias("") for c in columns]), (10,))
    if stacked is None:
        return [dates(table[c]) for c in columns]  # says what is wrong with which
    return [stacked.slice(i * table.height, table.height).alias(c) for i, c in enumerate(columns)]


_FIRST = date(1000, 1, 1)
"""No date is before it: such a year is one of two digits in the place of four."""

_PLAIN = {10: (r"-[0-9]{2}-[0-9]{2}", ""), 7: (r"-[0-9]{2}", "-01"), 4: ("", "-01-01")}
"""Days, months and years by their length: what follows the year, and what is lacking to a day."""


def _plain_dates(text: pl.Series, lengths: Collection[int] = _PLAIN) -> pl.Series | None:
    """Texts that are all days, all months or all years to the letter; None where one is not and must be looked at."""
    if not len(text) or text.null_count() or len(text[0]) not in lengths:
        return None
    after, lacking = _PLAIN[len(text[0])]
    pattern = f"^[1-9][0-9]{{3}}{after}$"
    if not re.match(pattern, text[0]):
        return None
    day = (pl.first() + lacking if lacking else pl.first()).str.to_date("%Y-%m-%d", strict=False, cache=False)
    found = text.to_frame().select(day=day, plain=pl.first().str.contains(pattern).all())
    return found["day"].alias(text.name) if found["plain"][0] and not found["day"].null_count() else None


def periods(text: pl.Series) -> pl.Series:
    """Period names of statistical offices as first days.

    Forms: 2026, 2026-Q1, 2026Q1, 2026-08, 2026M08, 2026-S1, 2026-W05, 2026-01-02.

    Raises
    ------
    SchemaError
        When a cell is none of these.
    """
    if (plain := _plain_dates(text)) is not None:
        return plain
    names = text.to_list()
    found = [None if n is None else _period(n) for n in names]
    if None in found:
        raise SchemaError(f"expected a period like 2026-Q1 in {text.name!r}, got {names[found.index(None)]!r}")
    return pl.Series(text.name, found, dtype=pl.Date)


_PERIOD = re.compile(r"(\d{4})(?:-?([QMSHW])(\d{1,2})|-(\d{2}))?", re.ASCII)
_MONTHS = {"M": 1, "Q": 3, "S": 6, "H": 6}


@lru_cache(maxsize=100_000)
def _period(name: str) -> date | None:
    text = name.strip().upper()
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        found = _PERIOD.fullmatch(text)
        if found is None:
            return None
        year, letter, count = int(found[1]), found[2] or "M", int(found[3] or found[4] or 1)
        if letter == "W":
            return date.fromisocalendar(year, count, 1)
        return date(year, (count - 1) * _MONTHS[letter] + 1, 1)
    except ValueError:
        return None


def instants(text: pl.Series, form: str, time_zone: str) -> pl.Series:
    """Local clock times as UTC instants; the second of two equal clock times when summer time ends.

    Raises
    ------
    SchemaError
        When a cell is in another form, or no time of that zone: the hour that summer time leaves out.
    """
    local = text.str.to_datetime(form, strict=False, time_unit="us")
    if local.null_count():
        raise SchemaError(f"expected a time like {form} in {text.name!r}, got {text.filter(local.is_null())[0]!r}")
    zoned = local.dt.replace_time_zone(str(ZoneInfo(time_zone)), ambiguous="latest", non_existent="null")
    if zoned.null_count():
        raise SchemaError(f"expected a time of {time_zone} in {text.name!r}, got {text.filter(zoned.is_null())[0]!r}")
    return zoned.dt.convert_time_zone("UTC")


def from_epoch(seconds: Sequence[Any], name: str, time_zone: str = "UTC", per_second: int = 1) -> pl.Series:
    """Epoch times as local dates.

    Raises
    ------
    SchemaError
        When one is no number, or so far off that it must be in another unit.
    """
    whole = finite(seconds, name)
    if whole.null_count():
        raise SchemaError(f"expected a time in {name!r}, got null")
    zone = ZoneInfo(time_zone)
    try:
        return pl.Series(name, [datetime.fromtimestamp(s / per_second, zone).date() for s in whole], dtype=pl.Date)
    except (ValueError, OverflowError, OSError):
        raise SchemaError(f"expected times in 1/{per_second} s in {name!r}, got {max(seconds, key=abs)}") from None


def due(rows: pl.DataFrame, series: Series, at: datetime) -> pl.DataFrame:
    """Rows without the blanks of periods whose figure is not due yet: a blank there is no missing figure.

    Parameters
    ----------
    rows
        With `observation_date` and `value`.
    at
        When the provider answered.
    """
    if not rows["value"].null_count():
        return rows
    blank = pl.col("value").is_null()
    pending = [d for d in rows.filter(blank)["observation_date"] if estimated_release(series, d) > at]
    return rows.filter(~(blank & pl.col("observation_date").is_in(pending))) if pending else rows


# --- tables of many columns ----------------------------------------------------------------------------------------


def select(
    table: pl.DataFrame,
    series: Series,
    missing: Collection[str] = ("",),
    date_form: str = "%Y-%m-%d",
    thousands: str = "",
    decimal: str = ".",
) -> pl.DataFrame:
    """The cells of a table of text that make up a series, by its selector: `observation_date` and `value`.

    Raises
    ------
    SchemaError
        When the table lacks a column of the selector, or several rows are of one date and the selector does not say
        what to do with them.
    NotFoundError
        When the table has rows, but none that the selector is after.
    """
    selector = series.selector
    if selector is None:
        raise SchemaError(f"series {series.id} needs a `selector` in the catalog: the answer has many columns")
    needed(table, [*selector.where, selector.date, selector.value])
    tests = [pl.col(c).str.strip_chars() == wanted for c, wanted in selector.where.items()]
    chosen = table.filter(tests) if tests else table
    if chosen.is_empty() and not table.is_empty() and selector.where:
        raise NotFoundError(
            f"series {series.id}: no row of the answer has {selector.where}. Check the selector in the catalog."
        )
    rows = pl.DataFrame(
        {
            "observation_date": dates(chosen[selector.date], date_form),
            "value": numbers(chosen[selector.value], missing, thousands, decimal),
        }
    )
    return combined(rows, selector, series.id)


def combined(rows: pl.DataFrame, selector: Selector, series_id: str) -> pl.DataFrame:
    """One row per date by the selector's rule; null only where every row of a date is."""
    if rows["observation_date"].n_unique() == rows.height:
        return rows
    if selector.combine == "only":
        if rows.unique()["observation_date"].is_duplicated().any():
            day = rows.filter(rows["observation_date"].is_duplicated())["observation_date"][0]
            raise SchemaError(f"series {series_id}: expected one row for {day}, got several. Check its selector.")
        return rows.unique(maintain_order=True)
    value = pl.col("value")
    rule = pl.when(value.count() > 0).then(value.sum()) if selector.combine == "sum" else value.drop_nulls().last()
    return rows.group_by("observation_date", maintain_order=True).agg(rule)
