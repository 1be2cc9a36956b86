"""How the profits of acting on a signal came about, month by month; `pnl` says how they are made."""

from __future__ import annotations

import polars as pl

from macro_assets.evaluation import pnl
from macro_assets.indicators.protocol import Given

SHAPE = "pnl_path"

EXAMPLE = pnl.EXAMPLE

check = pnl.check


class Parameters(pnl.Parameters):
    """Those of the profit and loss."""


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The path of each market that was held, and of their mean, `all`.

    Returns
    -------
    DataFrame
        `observation_date` (first of month), `market`, `position` (mean of the sessions), `profit_pct`,
        `cumulative_profit_pct`, by month and market.
    """
    return pnl.path(given, parameters)
