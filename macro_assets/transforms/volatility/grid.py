"""When estimates are made: at the beginning of each period, of what was known by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

import polars as pl

from macro_assets.transforms.volatility.errors import VolatilityError

T = TypeVar("T")


def estimated_by_period(
    days: pl.Series, every: str, min_obs: int, estimate: Callable[[int], T]
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
        Makes estimates of the first n days; what it refuses leaves those before in force.

    Yields
    ------
    tuple
        First row of the period, the row after its last, how many days the estimates are of, and the estimates.
        Periods before the first estimates are left out.
    """
    begin, held = 0, None
    for length in days.dt.truncate(every).rle().struct.field("len").to_list():
        if begin >= min_obs:
            with suppress(VolatilityError):
                held = (begin, estimate(begin))
        if held is not None:
            yield begin, begin + length, *held
        begin += length
