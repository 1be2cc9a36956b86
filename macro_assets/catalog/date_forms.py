"""How a date is written: a form as '%m/%d/%Y' or '%YQ%q', read strictly, and what is read where no form is stated.

A form names parts by '%' and a letter, as `strftime` does, and %q for a quarter. What it names is a day or, where no
day is in it, a month, a quarter, a week by ISO 8601 or a year. Nothing is guessed: all else in a text is refused.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from macro_assets.catalog.kinds.series import Frequency

ISO = "%Y-%m-%d"
"""The form where none is stated."""

_DATE = "%Y-%0m-%0d"
DAYS = (
    _DATE,
    *(
        f"{_DATE}{mark}{clock}{zone}"
        for mark in "T "
        for clock in ("%0H:%M", "%0H:%M:%S", "%0H:%M:%S.%f")
        for zone in ("", "%z")
    ),
)
"""ISO days, and clock times of them."""

PERIODS = (
    *("%Y", "%Y-%0m", "%YM%m", "%Y-M%m", "%Ym%m"),
    *("%YQ%q", "%Y-Q%q", "%Yq%q", "%Y-q%q", "%YQ0%q"),
    *("%G-W%V", "%GW%V"),
)
"""Labels of periods as statistical offices write them."""

LABELS = (
    *PERIODS,
    *("%Y/%0m", "%m/%Y", "%m-%Y"),
    *("%Y %b", "%Y-%b", "%Y%b", "%b %Y", "%b-%Y", "%b%Y", "%b. %Y", "%b, %Y", "%b/%Y"),
    *("%Y Q%q", "%Y:Q%q", "%Y/Q%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y", "Q%q%Y", "%qQ%Y", "%qQ %Y", "%qQ%y", "%qQ %y"),
)
"""Labels of periods that can mean one thing alone."""

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH = "|".join([*_MONTHS, "sept", *(m[:3] for m in _MONTHS)])
_DAY = "|".join([*_DAYS, *(d[:3] for d in _DAYS)])
_PARTS = {
    "Y": r"[1-9]\d{3}",
    "G": r"[1-9]\d{3}",
    "y": r"\d{2}",
    "q": r"[1-4]",
    "m": r"\d{1,2}",
    "d": r"\d{1,2}",
    "V": r"\d{1,2}",
    "j": r"\d{1,3}",
    "u": r"[1-7]",
    "b": f"(?i:{_MONTH})",
    "a": f"(?i:{_DAY})",
    "H": r"\d{1,2}",
    "I": r"\d{1,2}",
    "p": r"(?i:[AP]M)",
    "M": r"\d{2}",
    "S": r"\d{2}",
    "f": r"\d{1,9}",
    "z": r"Z|[+-]\d{2}(?::?\d{2})?",
}
_SAME = {"B": "b", "A": "a", "h": "b", "e": "d", "F": "%Y-%m-%d", "D": "%m/%d/%y", "T": "%H:%M:%S", "R": "%H:%M"}
_CLOCK = frozenset("HIpMSfz")
_BESIDE = _CLOCK | {"a"}
_NAMED: dict[frozenset[str], Frequency] = {
    **{frozenset([y]): "A" for y in "Yy"},
    **{frozenset([y, "q"]): "Q" for y in "Yy"},
    **{frozenset([y, m]): "M" for y in "Yy" for m in "mb"},
    **{frozenset([y, m, "d"]): "D" for y in "Yy" for m in "mb"},
    frozenset("GV"): "W",
    frozenset("GVu"): "D",
    frozenset("Yj"): "D",
}
"""What a form names, by its parts without the clock time."""

_TOKEN = re.compile(r"%([-0_]?)(.)|([^%]+)|%", re.DOTALL)
_OTHER = re.compile(r"(\d{4})[- ]?([SHBT])\d|[SHBT]\d[- ]?(\d{4})|\d[SH](\d{2}|\d{4})", re.ASCII | re.IGNORECASE)
"""Labels of half-years and the like, which no frequency is."""


class ClockError(ValueError):
    """A clock time of which nothing says what day it is of. The message says why."""


class Written(NamedTuple):
    """A day that a text names: the first of its period. The frequency is 'D' where it names the day itself."""

    day: date
    frequency: Frequency


class DateForm(NamedTuple):
    """A form that was understood."""

    pattern: re.Pattern[str]
    frequency: Frequency


@lru_cache(maxsize=1_000)
def date_form(form: str) -> DateForm:
    """What a form stands for.

    Raises
    ------
    ValueError
        When it has parts that are not known or twice there, or does not say what it names.
    """
    spelt = re.sub(r"%([-0_]?)([BAheFDTR])", lambda m: s if "%" in (s := _SAME[m[2]]) else f"%{m[1]}{s}", form)
    tokens = [(m[1], m[2], m[3]) for m in _TOKEN.finditer(spelt)]
    parts = [letter or "" for _, letter, text in tokens if text is None and letter != "%"]
    if unknown := [letter for letter in parts if letter not in _PARTS]:
        raise ValueError(f"expected parts of {', '.join(f'%{p}' for p in _PARTS)} and %B, got %{unknown[0]}")
    named, clock = _NAMED.get(frozenset(parts) - _BESIDE), _CLOCK & set(parts)
    hours = clock & set("HIp")
    timed = named == "D" and hours in ({"H"}, {"I", "p"})
    if (
        len(set(parts)) < len(parts)
        or named is None
        or (_BESIDE & set(parts) and named != "D")
        or (clock and not timed)
    ):
        raise ValueError("expected a form of a day, month (%Y-%m), quarter (%YQ%q), ISO week (%G-W%V) or year (%Y)")
    joined = {i for i, ((_, a, _), (_, b, _)) in enumerate(pairwise(tokens)) if a and b}
    joined |= {i + 1 for i in joined} | {i for i, (flag, _, _) in enumerate(tokens) if flag == "0"}
    pieces = [
        _part(letter, i in joined) if text is None else re.escape(text) for i, (_, letter, text) in enumerate(tokens)
    ]
    return DateForm(re.compile("".join(pieces), re.ASCII), named)


def _part(letter: str, full: bool) -> str:
    """The pattern of a part; beside another one without anything in between, a number has all its digits."""
    if letter == "%":
        return "%"
    pattern = re.sub(r"\{1,([23])\}", r"{\1}", _PARTS[letter]) if full else _PARTS[letter]
    return f"(?P<{letter}>{pattern})"


@lru_cache(maxsize=100_000)
def read_date(text: str, forms: tuple[str, ...], time_zone: str | None = None) -> Written | None:
    """What a text names; None where it is written in none of the forms.

    Parameters
    ----------
    time_zone
        Whose day a clock time is of that is not midnight; a text without an offset is of that zone.

    Raises
    ------
    ClockError
        When a clock time is not midnight and no zone is given, or is midnight of one day and falls on another there.
    """
    bare = text.strip()
    for form in forms:
        known = date_form(form)
        if (found := known.pattern.fullmatch(bare)) is not None:
            try:
                return Written(_day(found.groupdict(), time_zone), known.frequency)
            except ClockError:
                raise
            except (ValueError, OverflowError):  # the last hours of the year 9999, elsewhere
                return None
    return None


def names_no_frequency(text: str) -> bool:
    """Whether a text is a label of half-years or the like, which no series can be of."""
    return _OTHER.fullmatch(text.strip()) is not None


def _day(parts: dict[str, str], time_zone: str | None) -> date:
    year = int(parts.get("Y") or parts.get("G") or _full_year(int(parts["y"])))
    if "V" in parts:
        day = date.fromisocalendar(year, int(parts["V"]), int(parts.get("u", 1)))
    elif "j" in parts:
        day = date(year, 1, 1) + timedelta(days=int(parts["j"]) - 1)
        if day.year != year:
            raise ValueError
    else:
        day = date(year, _month(parts), int(parts.get("d", 1)))
    if "a" in parts and not _DAYS[day.weekday()].startswith(parts["a"].lower()):
        raise ValueError
    return day if not {"H", "I"} & parts.keys() else _local_day(day, parts, time_zone)


def _full_year(year: int) -> int:
    return year + (1900 if year >= 70 else 2000)


def _month(parts: dict[str, str]) -> int:
    if "b" in parts:
        return 1 + next(i for i, m in enumerate(_MONTHS) if m.startswith(parts["b"][:3].lower()))
    return 3 * int(parts["q"]) - 2 if "q" in parts else int(parts.get("m", 1))


def _local_day(day: date, parts: dict[str, str], time_zone: str | None) -> date:
    """The day that a clock time stands for: see :func:`read_date`."""
    clock = time(_hour(parts), int(parts.get("M") or 0), int(parts.get("S") or 0))
    moment = datetime.combine(day, clock, _offset(parts.get("z")))
    at_midnight = clock == time() and not int(parts.get("f") or 0)
    if time_zone is None:
        if at_midnight:
            return day
        raise ClockError("it is not midnight")
    there = day if moment.tzinfo is None else moment.astimezone(ZoneInfo(time_zone)).date()
    if at_midnight and there != day:
        raise ClockError(f"midnight of a day is {there} in {time_zone}")
    return there


def _hour(parts: dict[str, str]) -> int:
    if "H" in parts:
        return int(parts["H"])
    hour = int(parts["I"])
    if not 1 <= hour <= 12:
        raise ValueError
    return hour % 12 + (12 if parts["p"].lower() == "pm" else 0)


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    digits = re.sub(r"\D", "", text) or "0"
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 14 or minutes > 59:
        raise ValueError
    return timezone((-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
