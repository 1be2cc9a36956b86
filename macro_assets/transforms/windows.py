"""Windows of the past, by observations or by calendar, and what may be left out of them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, Self

import numpy as np
import polars as pl
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.transforms.registry import Calendar

Numbers = np.ndarray[Any, Any]

Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Span = tuple[Month, Month]
"""From a month to a month, both included."""

LEFT_OUT: Mapping[str, tuple[Span, ...]] = {"pandemic": (("2020-03", "2020-07"),)}
"""Periods with a name, in which figures are no guide to what is usual."""


def _spans(written: object) -> object:
    """Spans by name or as written."""
    if isinstance(written, str):
        if written not in LEFT_OUT:
            raise ValueError(f"expected {' or '.join(LEFT_OUT)}, or a list of spans [from month, to month]")
        return LEFT_OUT[written]
    if isinstance(written, list | tuple):
        return tuple(tuple(one) if isinstance(one, list) else one for one in written)
    return written


def _in_order(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    for first, last in spans:
        if last < first:
            raise ValueError(f"expected a span to end after it begins, got {first} to {last}")
    return spans


def _length(written: object) -> object:
    is_periods = isinstance(written, int) and not isinstance(written, bool) and written > 1
    if is_periods or (isinstance(written, str) and re.fullmatch(r"[1-9]\d{0,4}d", written)):
        return written
    raise ValueError("expected a number of periods above 1, or days such as '365d'")


Length = Annotated[int | str, BeforeValidator(_length)]
"""Of a window: periods, or days of the calendar as '365d'."""

LeftOut = Annotated[tuple[Span, ...], BeforeValidator(_spans), AfterValidator(_in_order)]


class Window(Declaration, strict=True):
    """A trailing window, which ends at the period itself, and how many values of it must be known.

    By default all of its periods; of a window of days the number must be said.
    """

    window: Length
    min_obs: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_length(self.window, self.min_obs)
        return self


class Sample(Declaration, strict=True):
    """What a score is estimated on: all values so far, or those of a trailing window, with or without the own.

    Spans of months that are left out are not estimated on; their values are scored all the same.
    """

    min_obs: int = Field(gt=1)
    window: Length | None = None
    include_current: bool = True
    leave_out: LeftOut = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_length(self.window, self.min_obs)
        return self

    def of(self, x: pl.Expr, calendar: Calendar) -> pl.Expr:
        """The values of a series that may be estimated on."""
        if not self.leave_out:
            return x
        return pl.when(~in_spans(calendar.dates, self.leave_out)).then(x)


def check_length(window: int | str | None, min_obs: int | None) -> None:
    """Refuse a window that can never have that many values."""
    if isinstance(window, str) and min_obs is None:
        raise ValueError("min_obs must be said of a window of days")
    if isinstance(window, int) and min_obs is not None and min_obs > window:
        raise ValueError(f"min_obs ({min_obs}) must not be above window ({window})")


def in_spans(dates: pl.Expr, spans: tuple[Span, ...]) -> pl.Expr:
    """Whether a date lies in one of some spans of months."""
    nowhere = dates.is_null() & pl.lit(False)  # a column, also where there is no span
    return pl.any_horizontal(nowhere, *(dates.is_between(*_days(span)) for span in spans))


def left_out(dates: pl.Series, spans: tuple[Span, ...]) -> Numbers:
    """Which dates lie in one of some spans of months."""
    found: Numbers = dates.to_frame("dates").with_columns(is_in=in_spans(pl.col("dates"), spans))["is_in"].to_numpy()
    return found


def _days(span: Span) -> tuple[date, date]:
    (first, last) = (date.fromisoformat(f"{month}-01") for month in span)
    return first, last.replace(day=monthrange(last.year, last.month)[1])


Moment = Literal["mean", "std", "min", "max"]


def rolled(
    x: pl.Expr, moment: Moment, window: int | str, min_obs: int | None, calendar: Calendar, include_current: bool = True
) -> pl.Expr:
    """A moment of the trailing window at each row."""
    if isinstance(window, int):
        last: pl.Expr = getattr(x, f"rolling_{moment}")(window, min_samples=min_obs)
        return last if include_current else last.shift(1)
    closed = "right" if include_current else "none"
    by_days: pl.Expr = getattr(x, f"rolling_{moment}_by")(calendar.dates, window, min_samples=min_obs, closed=closed)
    return by_days


Ordered = Callable[[list[float], float], float]
"""The known values of a window in order of size, never empty, and the value of the row -> what is said of them."""


def ordered(x: pl.Expr, parameters: Sample, calendar: Calendar, of: Ordered) -> pl.Expr:
    """What the values of each row's window say in order of size; missing where too few are known."""
    sample, window = parameters.of(x, calendar), parameters.window

    def said(told: Sequence[pl.Series]) -> pl.Series:
        own, kept, *dates = (one.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy() for one in told)
        rows = np.arange(len(own))
        ends = rows + parameters.include_current
        if window is None:
            starts = np.zeros_like(rows)
        elif isinstance(window, int):
            starts = np.maximum(ends - window, 0)
        else:
            starts = np.searchsorted(dates[0], dates[0] - int(window[:-1]), side="right")
        return pl.Series(_swept(own, kept, starts, ends, parameters.min_obs, of), dtype=pl.Float64)

    by_days = [calendar.dates] if isinstance(window, str) else []
    return pl.map_batches([x, sample, *by_days], said, return_dtype=pl.Float64)


def _swept(own: Numbers, kept: Numbers, starts: Numbers, ends: Numbers, least: int, of: Ordered) -> list[float | None]:
    """Row by row, with one sorted list that values enter and leave."""
    values, is_known, first, last = kept.tolist(), np.isfinite(kept).tolist(), 0, 0
    within: list[float] = []
    made: list[float | None] = []
    for value, start, end in zip(own.tolist(), starts.tolist(), ends.tolist(), strict=True):
        for i in range(last, end):
            if is_known[i]:
                insort(within, values[i])
        for i in range(first, start):
            if is_known[i]:
                del within[bisect_left(within, values[i])]
        first, last = start, end
        made.append(of(within, value) if len(within) >= least else None)
    return made


def median_of(within: list[float], value: float) -> float:
    """The middle value, or the mean of the two."""
    return (within[(len(within) - 1) // 2] + within[len(within) // 2]) / 2


def rank_of(within: list[float], value: float) -> float:
    """Percent of the values below the row's own, of equal ones half."""
    return 50 * (bisect_left(within, value) + bisect_right(within, value)) / len(within)


def share_of(within: list[float], value: float) -> float:
    """Share of the values that are not above the row's own: the empirical distribution function, in (0, 1].

    While all values are equal there is none: nothing is known of what is high.
    """
    if within[0] == within[-1]:
        return np.nan
    return max(bisect_right(within, value), 1) / len(within)


def quantile_of(share: float) -> Ordered:
    """The quantile at a share, between two values on the line through them (NumPy's and pandas' default)."""

    def of(within: list[float], value: float) -> float:
        place = share * (len(within) - 1)
        below = int(place)
        above = min(below + 1, len(within) - 1)
        return within[below] + (place - below) * (within[above] - within[below])

    return of
