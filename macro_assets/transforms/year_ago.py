"""What was a year before each figure: the one rule of changes over a year of figures with and without a calendar."""

from __future__ import annotations

import numpy as np
import polars as pl

NEAR_DAYS = 6
"""How much before the day a year ago a daily or weekly figure may lie; periods with a calendar lie on the day."""


def year_before(dates: pl.Series, values: pl.Series) -> pl.Series:
    """The last value known on or before the same day of the year before; null where none lies near.

    29 February looks back to 28 February.

    Parameters
    ----------
    dates
        Not falling.
    values
        One for each date, null where there is none.
    """
    known = values.is_not_null()
    days = dates.filter(known).to_physical().to_numpy()
    wanted = dates.dt.offset_by("-1y").to_physical().to_numpy()
    place = np.searchsorted(days, wanted, side="right") - 1
    near = (place >= 0) & (wanted - days[place] <= NEAR_DAYS if len(days) else False)
    found = pl.Series(np.where(near, place, 0), dtype=pl.UInt32).set(pl.Series(~near), None)
    return values.filter(known).gather(found).alias(values.name)
