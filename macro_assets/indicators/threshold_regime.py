"""Market regimes by thresholds: steady, elevated or crisis, by how many of four signals of stress fire.

The signals are a volatility index, its rise from one figure to the next, a spread of corporate bonds and one of repo
rates. Each fires above its threshold, not at it. It is a crisis where enough fire at their thresholds of a crisis.
It is elevated where fewer do, or where enough of those that are counted for it fire at their lower thresholds.
Whether volatility alone above its lower threshold suffices is read in two ways, and a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId
from macro_assets.indicators.daily import expect_daily
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.regimes.outcomes import forward_drawdown, hit_rates

SHAPE = "threshold_regimes"

_LEVELS = {
    "crisis": {"volatility": 40, "volatility_change": 10, "credit_bp": 200, "repo_bp": 100},
    "elevated": {"volatility": 25, "volatility_change": 5, "credit_bp": 150, "repo_bp": 50},
}

EXAMPLE = {
    "inputs": ["VIXCLS", "DBAA", "DAAA", "NYFED_SOFR", "NYFED_EFFR", "SP500"],
    "parameters": {
        "volatility": "VIXCLS",
        "credit": ["DBAA", "DAAA"],
        "repo": ["NYFED_SOFR", "NYFED_EFFR"],
        "prices": "SP500",
        **_LEVELS,
        "crisis_signals": 3,
        "crisis_signals_of_elevated": 2,
        "elevated_signals": 2,
        "counted": ["volatility", "credit"],
        "volatility_suffices": False,
        "min_signals": 3,
        "outcome": {"days": 21, "fall_pct": 5, "min_obs": 20},
    },
}

ROUNDING = 1e-9
"""What a difference of published figures may be off: 1.58 - 0.58 is a point and must not be above one."""

Signal = Literal["volatility", "volatility_change", "credit", "repo"]

STEADY, ELEVATED, CRISIS = "steady", "elevated", "crisis"

MEASURES: Mapping[Signal, str] = {
    "volatility": "volatility",
    "volatility_change": "volatility_change",
    "credit": "credit_spread_bp",
    "repo": "repo_spread_bp",
}
"""Signals, and the columns of what they measure."""


class Thresholds(Declaration, strict=True):
    """Above which each signal fires."""

    volatility: float = Field(gt=0, description="Percent per annum")
    volatility_change: float = Field(gt=0, description="Rise from one figure to the next, in points")
    credit_bp: float = Field(description="Spread of corporate bonds, in basis points")
    repo_bp: float = Field(description="Spread of repo rates, in basis points")

    def of(self, signal: Signal) -> float:
        """The threshold of a signal."""
        return float(getattr(self, {"credit": "credit_bp", "repo": "repo_bp"}.get(signal, signal)))


class Outcome(Declaration, strict=True):
    """What a regime is held to: that prices fall, or that they do not."""

    days: int = Field(gt=0, description="Trading days ahead")
    fall_pct: float = Field(gt=0, description="Fall below the day's price that elevated and crisis say comes")
    min_obs: int = Field(gt=0, description="Days of a regime whose outcome is known before its first hit rate")


Spread = tuple[SeriesId, ...]
"""A series in percent, or two of which the second is subtracted."""


class Parameters(Declaration):
    """Which series are measured, the thresholds, and how many signals make a regime."""

    volatility: SeriesId
    credit: Spread = Field(default=(), max_length=2, description="A spread, or two yields; none: no such signal")
    repo: Spread = Field(default=(), max_length=2, description="A spread, or two rates; none: no such signal")
    prices: SeriesId = Field(description="Of which a fall is what elevated and crisis warn of")
    crisis: Thresholds
    elevated: Thresholds
    crisis_signals: int = Field(gt=0, strict=True, description="Crisis signals that make a crisis")
    crisis_signals_of_elevated: int = Field(gt=0, strict=True, description="Crisis signals that make it elevated")
    elevated_signals: int = Field(gt=0, strict=True, description="Counted elevated signals that make it elevated")
    counted: tuple[Signal, ...] = Field(min_length=1, description="Elevated signals that are counted")
    volatility_suffices: bool = Field(
        strict=True, description="Whether volatility alone above its elevated threshold is elevated"
    )
    min_signals: int = Field(gt=0, le=4, strict=True, description="Signals that must be known on a day")
    outcome: Outcome

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for signal in MEASURES:
            if self.elevated.of(signal) > self.crisis.of(signal):
                raise ValueError(f"elevated: its threshold of {signal} must not be above that of crisis")
        there = 2 + bool(self.credit) + bool(self.repo)
        if self.min_signals > there:
            raise ValueError(f"min_signals: expected at most the {there} signals that there are")
        return self

    @property
    def series(self) -> tuple[SeriesId, ...]:
        """All series that are named."""
        return (self.volatility, *self.credit, *self.repo, self.prices)


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse other than the series that are named, and those that are not daily, or not in percent but for the prices.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    if strangers := {*parameters.series} ^ {*facts["series_id"]}:
        raise ValueError(
            f"inputs: expected those that the parameters name, not in both: {', '.join(sorted(strangers))}"
        )
    expect_daily(facts)
    for number, fact in enumerate(facts.to_dicts()):
        if fact["series_id"] != parameters.prices and fact["unit"] != "percent":
            raise ValueError(f"inputs.{number}: expected a unit of percent, {fact['series_id']} is in {fact['unit']!r}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The regime of each day on which volatility has a figure and `min_signals` signals are known.

    A signal that is not known does not fire. The confidence is no constant: it is how often, on the earlier days of
    the same regime whose outcome was known by the day, prices fell by `fall_pct` or more over the next days (elevated
    and crisis), or did not (steady). Days overlap, so that fewer count than there are.

    Returns
    -------
    DataFrame
        `observation_date`, `regime`, `volatility`, `volatility_change`, `credit_spread_bp`, `repo_spread_bp` (null
        where not known), `crisis_signals`, `elevated_signals` (names of those that fire, separated by a blank),
        `signals_known`, `confidence`, by date.
    """
    wide = given.by_date()
    level = pl.col(parameters.volatility)
    rows = (
        wide.filter(level.is_not_null())
        .select(
            "observation_date",
            volatility=level,
            volatility_change=level.diff(),
            credit_spread_bp=_spread(parameters.credit),
            repo_spread_bp=_spread(parameters.repo),
        )
        .with_columns(
            signals_known=pl.sum_horizontal(pl.col(c).is_not_null() for c in MEASURES.values()).cast(pl.Int64)
        )
        .filter(pl.col("signals_known") >= parameters.min_signals)
    )
    crisis, elevated = _fired(parameters.crisis), _fired(parameters.elevated)
    crises = pl.sum_horizontal(crisis.values())
    is_elevated = pl.any_horizontal(
        crises >= parameters.crisis_signals_of_elevated,
        pl.sum_horizontal(elevated[s] for s in parameters.counted) >= parameters.elevated_signals,
        elevated["volatility"] & parameters.volatility_suffices,
    )
    regime = pl.when(crises >= parameters.crisis_signals).then(pl.lit(CRISIS)).when(is_elevated).then(pl.lit(ELEVATED))
    told = rows.with_columns(
        regime=regime.otherwise(pl.lit(STEADY)), crisis_signals=_named(crisis), elevated_signals=_named(elevated)
    )
    outcome = parameters.outcome
    prices = wide.select("observation_date", value=parameters.prices).filter(pl.col("value") > 0)
    falls = forward_drawdown(prices, outcome.days).join(
        told.select("observation_date", "regime"), on="observation_date"
    )
    fell = pl.col("forward_drawdown") <= -outcome.fall_pct
    hits = falls.select("observation_date", "realized_on", is_hit=fell == (pl.col("regime") != STEADY))
    return hit_rates(told, hits, outcome.min_obs).select(
        "observation_date",
        "regime",
        *MEASURES.values(),
        "crisis_signals",
        "elevated_signals",
        "signals_known",
        "confidence",
    )


def _spread(of: Spread) -> pl.Expr:
    """In basis points."""
    if not of:
        return pl.lit(None, dtype=pl.Float64)
    first, *second = (pl.col(s) for s in of)
    return 100 * (first - second[0] if second else first)


def _fired(thresholds: Thresholds) -> dict[Signal, pl.Expr]:
    """Whether each signal is above its threshold."""
    return {s: (pl.col(c) > thresholds.of(s) + ROUNDING).fill_null(False) for s, c in MEASURES.items()}


def _named(fired: Mapping[Signal, pl.Expr]) -> pl.Expr:
    names = [pl.when(is_it).then(pl.lit(name)) for name, is_it in fired.items()]
    return pl.concat_str(names, separator=" ", ignore_nulls=True)
