"""When estimates are made: at the beginning of each period, of what was known by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import polars as pl

T = TypeVar("T")


def estimated_by_period(
    days: pl.Series,
    every: str,
    min_obs: int,
    estimate: Callable[[int], T],
    refusal: type[Exception],
    last: int | None = None,
) -> Iterator[tuple[int, int, int, T]]:
    """Estimates by period: those that its days are computed with.

    Parameters
    ----------
    days
        Dates, in order.
    every
        Periods, as Polars names them: '1y' begins one each January.
    min_obs
        Days before the first estimates.
    estimate
        Makes estimates of the first n days.
    refusal
        What `estimate` raises of days of which there are none: those before stay in force.
    last
        How many of the last days matter, by default all: periods without one of them are left out.

    Yields
    ------
    tuple
        First row of the period, the row after its last, how many days the estimates are of, and the estimates.
        Periods before the first estimates are left out.
    """
    lengths = days.dt.truncate(every).rle().struct.field("len").to_list()
    begins = [sum(lengths[:n]) for n in range(len(lengths))]
    since = 0 if last is None else days.len() - last
    found: dict[int, T | None] = {}

    def made(begin: int) -> T | None:
        if begin not in found:
            try:
                found[begin] = estimate(begin)
            except refusal:
                found[begin] = None
        return found[begin]

    for number, (begin, length) in enumerate(zip(begins, lengths, strict=True)):
        if begin + length <= since:
            continue
        for size in reversed([b for b in begins[: number + 1] if b >= min_obs]):
            if (estimates := made(size)) is not None:
                yield begin, begin + length, size, estimates
                break
