"""Was a signal worth anything? Signs, precision and correlation of signals with what their markets returned after.

The columns are those of macrosynergy's SignalReturnRelations; where its code and the usual definition of a figure
differ, the figure is the usual one: balanced accuracy is the mean share of rises and of falls that were called, and the
area under the curve is that of the signal's values, not of its signs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration, Slug, TableName
from macro_assets.evaluation.association import (
    area_under_curve,
    dependent_pvalues,
    independent_pvalues,
    kendall,
    pearson,
)
from macro_assets.evaluation.returns import Market, after_signals, check_markets, latest_signals, quotes
from macro_assets.indicators.protocol import Given

SHAPE = "signal_scores"

EXAMPLE = {
    "inputs": ["real_time/macro_bias", "SP500"],
    "parameters": {
        "signals": "real_time/macro_bias",
        "column": "index_value",
        "markets": [{"name": "us_equities", "series": "SP500"}],
        "samplings": [{"frequency": "M", "months": 1}, {"frequency": "M", "months": 3}],
    },
}

LAGS_OF_OVERLAP = 2
"""Lags per period of overlap: with one, a persistent signal of no worth is found significant too often."""

EVERY = {"M": 1, "Q": 3}

FIGURES = pl.Schema(
    {
        "pairs": pl.Int64(),
        "accuracy": pl.Float64(),
        "bal_accuracy": pl.Float64(),
        "pos_sigr": pl.Float64(),
        "pos_retr": pl.Float64(),
        "pos_prec": pl.Float64(),
        "neg_prec": pl.Float64(),
        "pearson": pl.Float64(),
        "pearson_pval": pl.Float64(),
        "kendall": pl.Float64(),
        "kendall_pval": pl.Float64(),
        "auc": pl.Float64(),
        "pvalue_method": pl.String(),
    }
)
SCHEMA = pl.Schema(
    {
        "segment": pl.String(),
        "market": pl.String(),
        "year": pl.Int64(),
        "frequency": pl.String(),
        "horizon_months": pl.Int64(),
        "first_date": pl.Date(),
        "last_date": pl.Date(),
        **FIGURES,
    }
)


class Sampling(Declaration):
    """How often a signal is asked, and over how many months its return runs."""

    frequency: Literal["M", "Q"]
    months: int = Field(gt=0, le=24, strict=True, description="Where more than the frequency's, returns overlap")

    @property
    def overlap(self) -> int:
        """Samples after the first that a return reaches into."""
        return -(-self.months // EVERY[self.frequency]) - 1


class Parameters(Declaration):
    """Which signals, of which markets, over what."""

    signals: TableName = Field(description="A table of as-of months by market, among the inputs")
    column: Slug = Field(description="Its column that is the signal: above zero for a rise")
    markets: tuple[Market, ...] = Field(min_length=1)
    samplings: tuple[Sampling, ...] = Field(min_length=1)


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse markets that cannot be made of the inputs."""
    check_markets(parameters.markets, facts)


def score_signal(signal: pl.Series, returns: pl.Series, dates: pl.Series, overlap: int = 0) -> dict[str, Any]:
    """What a signal said of the returns after it.

    Parameters
    ----------
    signal, returns, dates
        Of each pair; several of one date are of several markets. Pairs with a missing figure are left out.
    overlap
        Dates after its own that a return reaches into.

    Returns
    -------
    dict
        `pairs`; of the pairs in which neither is zero `accuracy` (share with equal signs), `bal_accuracy` (mean of the
        share of rises and of falls that were called), `pos_sigr`, `pos_retr` (share of signals and returns above zero),
        `pos_prec`, `neg_prec` (share of signals above and below zero that were right); of all `pearson`, `kendall`
        (tau-b) and their p-values, `auc` of the signal for a return above zero; `pvalue_method`: 'independent', or
        'dependent' where returns overlap or several markets share a date. None is what cannot be said.
    """
    told = pl.DataFrame({"signal": signal, "return": returns, "date": dates})
    told = told.filter(pl.all_horizontal(pl.col("signal", "return").is_finite())).sort("date", maintain_order=True)
    x, y, days = told["signal"].to_numpy(), told["return"].to_numpy(), told["date"].to_physical().to_numpy()
    depends = overlap > 0 or told["date"].is_duplicated().any()
    pvalues = dependent_pvalues(x, y, days, LAGS_OF_OVERLAP * overlap) if depends else independent_pvalues(x, y)
    signed = (x != 0) & (y != 0)
    called, rose = x[signed] > 0, y[signed] > 0
    right = called == rose
    hits, misses = _share(called, rose), _share(~called, ~rose)
    return {
        "pairs": len(x),
        "accuracy": _share(right),
        "bal_accuracy": None if hits is None or misses is None else (hits + misses) / 2,
        "pos_sigr": _share(called),
        "pos_retr": _share(rose),
        "pos_prec": _share(right, called),
        "neg_prec": _share(right, ~called),
        "pearson": pearson(x, y),
        "pearson_pval": pvalues[0],
        "kendall": kendall(x, y),
        "kendall_pval": pvalues[1],
        "auc": area_under_curve(x[y != 0], y[y != 0] > 0),
        "pvalue_method": "dependent" if depends else "independent",
    }


def _share(true: np.ndarray[Any, Any], among: np.ndarray[Any, Any] | None = None) -> float | None:
    """Share of what is true, among some."""
    asked = true if among is None else true[among]
    return float(asked.mean()) if len(asked) else None


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The scorecard of the signals as they were known, by market, by year and of all.

    Returns
    -------
    DataFrame
        `segment` ('all', 'market', 'year'; what it is not of is null in `market` and `year`), `frequency` and
        `horizon_months` of the sampling, `first_date` and `last_date` of the sessions, and what :func:`score_signal`
        says. Markets without a pair are not there.
    """
    signals = latest_signals(given.tables[parameters.signals], parameters.column)
    sessions = quotes(given.observations, parameters.markets)
    rows = [row for s in parameters.samplings for row in _scorecard(signals, sessions, parameters, s)]
    order = pl.col("segment").replace_strict({"all": 0, "market": 1, "year": 2}, return_dtype=pl.Int64)
    return pl.DataFrame(rows, SCHEMA, orient="row").sort(order, "market", "year", "horizon_months", "frequency")


def _scorecard(
    signals: pl.DataFrame, sessions: pl.DataFrame, parameters: Parameters, sampling: Sampling
) -> Iterator[dict[str, Any]]:
    month = pl.col("as_of_month").str.slice(5).cast(pl.Int64)
    asked = signals.filter(month % EVERY[sampling.frequency] == 0)
    pairs = after_signals(asked, sessions, parameters.markets, sampling.months)
    pairs = pairs.with_columns(year=pl.col("as_of").dt.year().cast(pl.Int64))
    told = {"frequency": sampling.frequency, "horizon_months": sampling.months}
    for segment, by in (("all", []), ("market", ["market"]), ("year", ["year"])):
        parts = pairs.partition_by(by, as_dict=True, maintain_order=True) if by else {(): pairs}
        for key, part in parts.items():
            if part.is_empty():
                continue
            said = {"segment": segment, "market": None, "year": None} | dict(zip(by, key, strict=True)) | told
            span = {"first_date": part["first_date"].min(), "last_date": part["last_date"].max()}
            scores = score_signal(
                part["signal"], part["return_pct"], part["as_of_month"].rank("dense"), sampling.overlap
            )
            yield said | span | scores
