"""Strict readers of what stands in an answer: text and JSON numbers become numbers, dates and instants.

Nothing is guessed: a number that is none or a date in another form is a :class:`SchemaError` that names the column
and the cell.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from macro_assets.sources.errors import SHOWN, SchemaError


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
