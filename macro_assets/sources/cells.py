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
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from macro_assets.catalog import Frequency
from macro_assets.catalog.date_forms import DAYS, ISO, PERIODS, ClockError, read_date
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
        What may stand between groups of three digits: a blank is one of any width, an apostrophe straight or curled.
        Groups of other sizes are refused: '1,5' is no fifteen.
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
    figures = text.to_frame().select(floats(present, thousands, decimal)).to_series().alias(text.name)
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


def floats(text: pl.Expr, thousands: str = "", decimal: str = ".") -> pl.Expr:
    """Text without blanks around it as numbers, null where it is none or has a mark that is not in its place."""
    if decimal != "." and thousands != ".":
        text = pl.when(~text.str.contains(".", literal=True)).then(text)
    if thousands:
        group, mark = _GROUPS.get(thousands, re.escape(thousands)), re.escape(decimal)
        grouped = text.str.contains(group)
        right = text.str.contains(rf"^[+-]?[1-9]\d{{0,2}}(?:{group}\d{{3}})+(?:{mark}\d*)?$")
        text = pl.when(~grouped | right).then(text.str.replace_all(group, ""))
    if decimal != ".":
        text = text.str.replace(decimal, ".", literal=True)
    return text.cast(pl.Float64, strict=False)


_GROUPS = {" ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}
"""Patterns of marks of thousands that are written in several ways."""


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


_DIGITS = {"%Y%m%d": "^[0-9]{8}$"}
"""Forms whose digits are all there; with fewer, blanks or signs dates are cut or damaged, though they still parse."""


def dates(text: pl.Series, form: str = ISO) -> pl.Series:
    """Text as dates in one form; behind an ISO date may stand midnight, in any zone's clock.

    Raises
    ------
    SchemaError
        When a cell is null or in another form; it names the column and the cell.
    """
    if form == ISO:
        plain = plain_days(text)
        return _read(text, DAYS, form) if plain is None else plain
    bare = pl.first().str.strip_chars()
    whole = bare.str.contains(_DIGITS[form]) if form in _DIGITS else pl.lit(True)
    found = text.to_frame().select(day=bare.str.to_date(form, strict=False, cache=False), whole=whole)
    days = found["day"].alias(text.name)
    if days.null_count() or not found["whole"].all() or (days < _FIRST).any():
        wrong = days.is_null() | ~found["whole"] | (days < _FIRST)
        raise SchemaError(f"expected a date like {form} in {text.name!r}, got {text.filter(wrong)[0]!r}")
    return days


def plain_days(text: pl.Series) -> pl.Series | None:
    """ISO days, as they are or with midnight behind them, all at once; None where one is not and must be looked at."""
    if (plain := _plain_dates(text, (10,))) is not None:
        return plain
    if text.null_count() or not text.str.contains(_MIDNIGHT).all():
        return None
    found = text.str.head(10).str.to_date("%Y-%m-%d", strict=False, cache=False)
    return None if found.null_count() else found


_MIDNIGHT = (
    r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ]00:00(?::00(?:\.0{1,9})?)?(?:Z|[+-](?:0[0-9]|1[0-3])(?::?[0-5][0-9])?)?)?$"
)
"""Some of what `DAYS` take, and nothing else."""


_FIRST = date(1000, 1, 1)
"""No date is before it: such a year is one of two digits in the place of four."""

_LACKING = {10: "", 7: "-01", 4: "-01-01"}
"""Days, months and years by their length: what is lacking to a day."""


def _plain_dates(text: pl.Series, lengths: Collection[int] = tuple(_LACKING)) -> pl.Series | None:
    """Texts that are all days, all months or all years to the letter; None where one is not and must be looked at.

    Arrow's parser of days takes no others, in half the time of Polars' with a pattern beside it.
    """
    import pyarrow as pa

    if not len(text) or text.null_count() or len(text[0]) not in lengths:
        return None
    lacking = _LACKING[len(text[0])]
    try:
        found = pl.Series(text.name, (text + lacking if lacking else text).to_arrow().cast(pa.date32()))
    except pa.ArrowInvalid:
        return None
    return found if (found >= _FIRST).all() else None


def periods(text: pl.Series, frequency: Frequency | None = None) -> pl.Series:
    """Period names of statistical offices as first days.

    Forms: 2026, 2026-Q1, 2026Q1, 2026-08, 2026M08, 2026-W05, 2026-01-02.

    Parameters
    ----------
    frequency
        What the names must be of; a day may name any period. None for any.

    Raises
    ------
    SchemaError
        When a cell is none of these, or names a period of another frequency.
    """
    if (plain := _plain_dates(text)) is not None and frequency in (None, _OF_LENGTH.get(len(text[0]), frequency)):
        return plain
    return _read(text, (DAYS[0], *PERIODS), "2026-Q1", frequency)


_OF_LENGTH: dict[int, Frequency] = {4: "A", 7: "M"}
_EVERY = {"D": "days", "W": "weeks", "M": "months", "Q": "quarters", "A": "years"}


def _read(text: pl.Series, forms: tuple[str, ...], like: str, frequency: Frequency | None = None) -> pl.Series:
    """The days that texts name in any of some forms, of one frequency where that is stated."""
    known: dict[str, date] = {}
    for cell in text.unique(maintain_order=True):
        expected = f"expected a {'date' if like == ISO else 'period'} like {like} in {text.name!r}, got {cell!r}"
        try:
            found = None if cell is None else read_date(cell, forms)
        except ClockError as error:
            raise SchemaError(f"{expected}: {error}") from None
        if found is None:
            raise SchemaError(expected)
        if frequency not in (None, found.frequency) and found.frequency != "D":
            raise SchemaError(f"expected {_EVERY[frequency]} (frequency {frequency}) in {text.name!r}, got {cell!r}")
        known[cell] = found.day
    return text.replace_strict(known, return_dtype=pl.Date) if known else text.cast(pl.Date)


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


def epoch_instants(stamps: pl.Series, name: str, per_second: int = 1) -> pl.Series:
    """Epoch times, as finite numbers, as UTC instants.

    Raises
    ------
    SchemaError
        When one is null, or so far off that it must be in another unit.
    """
    if stamps.null_count():
        raise SchemaError(f"expected a time in {name!r}, got null")
    if not (stamps / per_second).is_between(*_EPOCH).all():
        unit = {1: "seconds", 1000: "milliseconds"}.get(per_second, f"1/{per_second} s")
        raise SchemaError(f"expected {unit} since 1970 in {name!r}, got {stamps[stamps.abs().arg_max() or 0]:.15g}")
    return (stamps * (1_000_000 // per_second)).cast(pl.Int64).cast(pl.Datetime("us", "UTC"))


_EPOCH = (datetime(1000, 1, 1, tzinfo=UTC).timestamp(), datetime(2200, 1, 1, tzinfo=UTC).timestamp())


def epoch_instant(stamp: int, name: str) -> datetime:
    """One epoch time, in seconds, as a UTC instant. Raises as :func:`epoch_instants`."""
    found = epoch_instants(finite([stamp], name), name)[0]
    assert isinstance(found, datetime)
    return found
