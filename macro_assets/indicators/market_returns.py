"""Returns of several markets on the days that they have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from macro_assets.indicators.protocol import Given
from macro_assets.transforms.volatility.prices import log_return


def common_returns(given: Given) -> tuple[pl.Series, np.ndarray[Any, Any]]:
    """Log returns in percent from one day that all series have to the next, and these days.

    A price that is not above zero has no return, nor has the day after it.
    """
    prices = given.by_date().drop_nulls()
    returns = prices.select("observation_date", *((100 * log_return(pl.col(s))).alias(s) for s in given.series))
    finite = returns.filter(pl.all_horizontal(pl.col(*given.series).is_finite()))
    values = finite.select(given.series).to_numpy().reshape(finite.height, len(given.series))
    return finite["observation_date"], values
