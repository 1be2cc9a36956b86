"""The unit of each vintage of a series: pure functions of FRED's descriptions of it.

FRED states no unit with a figure; it is that of the series' description on the day of the vintage. Each attribute of a
description holds for a real-time period, and the answer has one record per period. A vintage of old is told

- in today's unit, where the units differ by their magnitude alone (thousands, millions, billions, trillions);
- in the unit of its own day, where they differ by base year or by the year of constant prices. Growth within one
  vintage is right; levels of vintages that lie on two sides of such a change cannot be compared;
- not at all, where the unit was of another kind, as a percentage is no index: a history begins where the unit last
  became one that can be compared with today's.

Vintages older than the first record are taken to be in its unit. Source:
https://fred.stlouisfed.org/docs/api/fred/realtime_period.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from macro_assets.sources.errors import SchemaError

_MAGNITUDE = re.compile(r"(?:level in )?(thousand|million|billion|trillion)s?\b")
_EXPONENTS = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_YEAR = re.compile(r"\b(1[89]|20)\d\d\b")
_SYNONYMS = {"$": "dollar", "%": "percent", "rate": "percent", "1": "one"}
_OPTIONAL = {"of", "u", "number", "person", "unit", "capacity", "supply", "per", "annum"}
"""Words (without an 's' at their end) that one spelling of a unit has and another has not."""
_PRICES = {"constant", "chained", "chain", "fixed", "weighted", "cpi", "adjusted"}


class UnitPeriod(NamedTuple):
    """From a day on, a figure is in 10 ** `exponent` of the catalog's unit; None for a unit of another kind."""

    start: date
    exponent: int | None


def exponent(unit: str, today: str) -> int | None:
    """The power of ten that turns figures in a unit into today's; None where none does.

    Base years and years of constant prices are overlooked.
    """
    (was, of), (now, of_today) = _parsed(unit), _parsed(today)
    return was - now if of == of_today else None


def _parsed(unit: str) -> tuple[int, tuple[str, ...]]:
    """The magnitude of a unit, and of what it is."""
    text = plain(unit).replace("u.s.", "us")
    if re.search(r"\bindex\b|= ?100\b", text):
        return 0, ("index",)
    magnitude = _MAGNITUDE.match(text)
    rest = text[magnitude.end() :] if magnitude else text
    bare = (w.removesuffix("s") for w in re.findall(r"[a-z]+|\d+|[$%]", rest))
    words = (_SYNONYMS.get(w, w) for w in bare)
    kind = [w for w in words if w not in _OPTIONAL]
    if _YEAR.search(rest):
        kind = ["constant", *(w for w in kind if w not in _PRICES and not w.isdigit())]
    return _EXPONENTS[magnitude[1]] if magnitude else 0, tuple(kind)


def comparable_from(units: Sequence[UnitPeriod]) -> date | None:
    """The day since when every vintage is in a unit of today's kind; None where all that were told are."""
    changed = [after.start for before, after in pairwise(units) if before.exponent is None]
    return changed[-1] if changed else None


def in_todays_unit(rows: pl.DataFrame, units: Sequence[UnitPeriod]) -> pl.DataFrame:
    """Figures with the magnitude of today's unit.

    Parameters
    ----------
    rows
        `observation_date`, `value`, `realtime_start`, `realtime_end` (days on which the value was in force).

    Raises
    ------
    SchemaError
        When a figure stayed in force as it was while the magnitude of its unit changed: one of both is wrong.
    """
    if not any(u.exponent for u in units):
        return rows
    first, last = (_exponent_on(pl.col(f"realtime_{edge}"), units) for edge in ("start", "end"))
    unmoved = rows.filter(first != last, pl.col("value") != 0)
    if not unmoved.is_empty():
        row = unmoved.row(0, named=True)
        raise SchemaError(
            f"expected every figure to be told anew when the unit changed its magnitude; {row['observation_date']} "
            f"has {row['value']} from {row['realtime_start']} to {row['realtime_end']}, the units of the vintages "
            f"are {[f'10^{u.exponent} from {u.start}' for u in units]}. FRED's units and observations disagree."
        )
    pairs = zip(rows["value"], rows.select(first).to_series(), strict=True)
    # a product of floats is not always the nearest to the decimal that FRED would have written
    moved = [v if v is None or power == 0 else float(Decimal(repr(v)).scaleb(power)) for v, power in pairs]
    return rows.with_columns(value=pl.Series(moved, dtype=pl.Float64))


def _exponent_on(day: pl.Expr, units: Sequence[UnitPeriod]) -> pl.Expr:
    found = pl.lit(units[0].exponent or 0)
    for period in units[1:]:
        found = pl.when(day >= period.start).then(period.exponent or 0).otherwise(found)
    return found


def plain(text: str) -> str:
    """A text but for its spaces and capitals."""
    return " ".join(text.split()).casefold()
