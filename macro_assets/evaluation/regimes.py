"""What regimes were worth: how much of each lay in recessions, and how far shares fell after it was known.

A regime is one of a date, known `lag_days` after the end of its period; of a table of as-of months it is the latest
one of each, known at its instant. The fall begins with the close of the first session after that. Beside each share
stands that of all dates: a regime that says nothing has the same. A month after the last announced turning point is not
known to be in recession or not, and counts for neither. Dates that follow one another are not independent, nor are
months of one recession: so spells and recessions are counted too.
"""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.evaluation.returns import MAX_WAIT
from macro_assets.indicators.daily import expect_daily_prices
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.recessions import recession_months
from macro_assets.transforms.regimes.outcomes import forward_drawdown
from macro_assets.transforms.regimes.spells import in_force

SHAPE = "regime_scores"

EXAMPLE = {
    "inputs": ["indicators/equity_regime", "SP500"],
    "parameters": {"period": "1mo", "lag_days": 0, "days": 63, "fall_pct": 10},
}


class Parameters(Declaration, strict=True):
    """When a regime is known, and what is looked at after it."""

    period: Literal["1d", "1mo"] = Field(description="Of the tables, at whose end a regime may be known")
    lag_days: int = Field(ge=0, description="Days from the end of the period until the figures are out")
    days: int = Field(gt=0, description="Trading days ahead in which the fall is looked for")
    fall_pct: float = Field(gt=0, description="Fall from the first close that is counted")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse anything but one daily price beside the tables. Raises as `indicators.daily.expect_daily`."""
    expect_daily_prices(facts, 1)


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The scorecard, a row for each table and regime that was in force.

    Returns
    -------
    DataFrame
        `component` (the table), `regime`, `periods` (in force), `spells`, `period_share`,
        `labelled_periods` (known to be in recession or not), `recession_share` (of these; null without any),
        `base_recession_share` (of all regimes), `recession_recall` (share of the table's periods in recession that this
        regime has), `recession_episodes` (recessions that it met), `outcomes` (with a fall that is known),
        `mean_drawdown`, `worst_drawdown`, `fall_share`, `base_fall_share`; null without outcomes. By component and
        regime.
    """
    (price,) = given.series
    prices = given.by_date().select("observation_date", value=price).filter(pl.col("value") > 0)
    falls = forward_drawdown(prices, parameters.days).select(session="observation_date", fall="forward_drawdown")
    found = [
        _scored(_judged(_known(rows, parameters), falls, given), parameters.fall_pct).with_columns(
            component=pl.lit(name)
        )
        for name, rows in given.tables.items()
    ]
    return pl.concat(found).select(pl.col(n).cast(t) for n, t in SCORES.items()).sort("component", "regime")


SCORES = {
    "component": pl.String,
    "regime": pl.String,
    "periods": pl.Int64,
    "spells": pl.Int64,
    "period_share": pl.Float64,
    "labelled_periods": pl.Int64,
    "recession_share": pl.Float64,
    "base_recession_share": pl.Float64,
    "recession_recall": pl.Float64,
    "recession_episodes": pl.Int64,
    "outcomes": pl.Int64,
    "mean_drawdown": pl.Float64,
    "worst_drawdown": pl.Float64,
    "fall_share": pl.Float64,
    "base_fall_share": pl.Float64,
}


def _known(rows: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Regimes in force by date, and the first day on which one may act on each: `session`."""
    day = pl.col("observation_date")
    if "as_of_month" not in rows.columns:
        after = day.dt.offset_by(parameters.period).dt.offset_by(f"{parameters.lag_days}d")
        return in_force(rows).with_columns(session=after)
    latest = rows.filter(day == day.max().over("as_of_month"))
    instants = latest.select("as_of_month", session=pl.col("as_of").dt.date().dt.offset_by("1d")).unique()
    months = latest.partition_by("as_of_month", as_dict=True)
    told = [in_force(one).with_columns(as_of_month=pl.lit(month)) for (month,), one in sorted(months.items())]
    none = in_force(rows.clear()).with_columns(as_of_month=pl.lit(None, dtype=pl.String))
    return pl.concat([none, *told]).join(instants, on="as_of_month", maintain_order="left").drop("as_of_month")


def _judged(regimes: pl.DataFrame, falls: pl.DataFrame, given: Given) -> pl.DataFrame:
    """Regimes with `spell`, `label` (1 in recession, 0 not, null unknown), `episode` and `fall`, by `session`."""
    month = pl.col("observation_date").dt.truncate("1mo")
    recessions = given.recessions if given.recessions is not None else pl.DataFrame(schema=_CHRONOLOGY)
    told = regimes.with_columns(
        month=month,
        spell=(pl.col("regime") != pl.col("regime").shift(1)).fill_null(False).cum_sum(),
    )
    labels = recession_months(recessions, told["month"]).alias("label")
    peaks = recessions.select(episode="peak").sort("episode")
    return (
        told.with_columns(labels)
        .join_asof(peaks, left_on="month", right_on="episode", allow_exact_matches=False)
        .join_asof(falls, on="session", strategy="forward", tolerance=MAX_WAIT)
    )


_CHRONOLOGY = {"peak": pl.Date, "trough": pl.Date}


def _scored(judged: pl.DataFrame, fall_pct: float) -> pl.DataFrame:
    recession, fell = pl.col("label") == 1, pl.col("fall") <= -fall_pct
    whole = judged.select(
        rows=pl.len(), recessions=recession.sum(), label=pl.col("label").mean(), fell=fell.mean()
    ).row(0, named=True)
    return judged.group_by("regime").agg(
        periods=pl.len(),
        spells=pl.col("spell").n_unique(),
        period_share=pl.len() / pl.lit(whole["rows"]),
        labelled_periods=pl.col("label").count(),
        recession_share=pl.col("label").mean(),
        base_recession_share=pl.lit(whole["label"], dtype=pl.Float64),
        recession_recall=recession.sum() / pl.lit(whole["recessions"] or None, dtype=pl.Float64),
        recession_episodes=pl.col("episode").filter(recession).n_unique(),
        outcomes=pl.col("fall").count(),
        mean_drawdown=pl.col("fall").mean(),
        worst_drawdown=pl.col("fall").min(),
        fall_share=fell.mean(),
        base_fall_share=pl.lit(whole["fell"], dtype=pl.Float64),
    )
