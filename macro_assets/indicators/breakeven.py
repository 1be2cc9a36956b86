"""Breakeven inflation: what a nominal yield has over the real yield of the same maturity."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.expected import expect_input, expect_used
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.curves.measures import RULES

SHAPE = "breakevens"

EXAMPLE = {
    "inputs": ["UST_PAR_10Y", "UST_REAL_10Y"],
    "parameters": {"rule": "difference", "pairs": [{"nominal": "UST_PAR_10Y", "real": "UST_REAL_10Y", "years": 10}]},
}


class Pair(Declaration):
    """A nominal and a real yield, and their maturity: years from each day on, or the day they fall due."""

    nominal: SeriesId
    real: SeriesId
    years: float | None = Field(default=None, gt=0)
    due: date | None = None

    @model_validator(mode="after")
    def _one_maturity(self) -> Self:
        if (self.years is None) == (self.due is None):
            raise ValueError("expected one of 'years' and 'due'")
        return self


class Parameters(Declaration):
    """The pairs, and how a real yield is taken off a nominal one."""

    rule: Literal["difference", "fisher"] = Field(
        description="difference: n - r; fisher: (1 + n) / (1 + r) - 1, for yields that compound once a year"
    )
    pairs: tuple[Pair, ...] = Field(min_length=1)


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse pairs of what is no input, inputs in no pair, and what is not in percent.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    for number, pair in enumerate(parameters.pairs):
        for field in ("nominal", "real"):
            expect_input(facts, getattr(pair, field), "percent", f"parameters.pairs.{number}.{field}")
    expect_used(facts, {s for p in parameters.pairs for s in (p.nominal, p.real)}, "pair")
    maturities = [(p.years, p.due) for p in parameters.pairs]
    if len(set(maturities)) != len(maturities):
        raise ValueError("parameters.pairs: two pairs have one maturity")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The breakeven rate of each day and pair, where both yields are there.

    It holds, beside the inflation that is expected, premia for the risk of inflation and for liquidity, and neither
    the lag of indexation nor the season is taken out of it. By Fisher's rule a real yield of -100 % or less gives no
    row; a pair has none from the day on which it falls due.

    Returns
    -------
    DataFrame
        `observation_date`, `tenor_years`, `nominal_rate`, `real_rate`, `breakeven_rate` (percent), by date and tenor.
    """
    wide = given.by_date()
    rows = pl.concat(
        wide.select(
            "observation_date",
            tenor_years=_tenor(pair),
            nominal_rate=pl.col(pair.nominal),
            real_rate=pl.col(pair.real),
        )
        for pair in parameters.pairs
    )
    rows = rows.filter(pl.col("tenor_years") > 0).drop_nulls().sort("observation_date", "tenor_years")
    between = RULES[parameters.rule](rows["nominal_rate"].to_numpy(), rows["real_rate"].to_numpy())
    return rows.with_columns(breakeven_rate=pl.Series(between, dtype=pl.Float64, nan_to_null=True)).drop_nulls()


def _tenor(pair: Pair) -> pl.Expr:
    if pair.due is None:
        return pl.lit(pair.years, dtype=pl.Float64)
    return (pl.lit(pair.due) - pl.col("observation_date")).dt.total_days() / 365.25
