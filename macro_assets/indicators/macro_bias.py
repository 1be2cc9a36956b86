"""Macro bias: for which markets the economy speaks, as a signed sum of scores; each contribution is kept.

A score is an expanding z-score of growth, inflation, policy, credit or stress, cut at its ends. Each market takes the
scores that its entry names, with a sign: what is good for shares is bad for bonds. The sum is above zero where they
speak for holding the market. It is an opinion, and `scores/bias` says what it was worth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.protocol import Given
from macro_assets.transforms.library import expanding_zscore
from macro_assets.transforms.steps import check as check_steps
from macro_assets.transforms.steps import expression

SHAPE = "bias"

EXAMPLE = {
    "inputs": ["INDPRO", "BAA", "AAA", "SP500"],
    "parameters": {
        "min_history_months": 6,
        "min_scores": 1,
        "carry_months": 3,
        "cap": 2.5,
        "scores": [
            {"name": "growth", "title": "Growth", "of": ["INDPRO"], "steps": [{"pch": {"periods": 12}}]},
            {"name": "credit", "title": "Credit spread", "of": ["BAA", "AAA"], "steps": "spread"},
            {"name": "fall", "title": "Fall of shares", "of": ["SP500"], "steps": "drawdown"},
        ],
        "markets": [
            {"name": "us_equities", "region": "US", "on": {"growth": 2, "credit": -1, "fall": -1}},
            {"name": "us_rates", "region": "US", "on": {"growth": -1, "credit": 1}},
        ],
    },
}

_MONTHLY = "M"
_MONTH = "observation_date"


class MacroScore(Declaration):
    """What is said of the economy by one figure: what its series become by some steps."""

    name: Slug
    title: str = Field(exclude=True, description="For readers: no part of what is computed")
    of: tuple[SeriesId, ...] = Field(min_length=1)
    steps: Steps = Field(min_length=1, description="Transforms of the monthly figures, which leave one series")


class BiasMarket(Declaration):
    """A market, and the weight of each score in its bias: below zero where a high score is bad for it."""

    name: Slug
    region: str = Field(min_length=2)
    on: dict[Slug, float] = Field(min_length=1)
    needs: tuple[Slug, ...] = Field(default=(), description="Scores of which one at least must be there, as its own")


class Parameters(Declaration):
    """The scores, the markets, and how much of them a month needs."""

    min_history_months: int = Field(gt=1, strict=True, description="Figures of a score before its first z-score")
    min_scores: int = Field(
        gt=0, strict=True, description="Of a market's scores; weights are rescaled over those present"
    )
    carry_months: int = Field(ge=0, le=12, strict=True, description="How long a score counts after its latest month")
    cap: float = Field(gt=0, description="z-scores beyond it are cut")
    scores: tuple[MacroScore, ...] = Field(min_length=1)
    markets: tuple[BiasMarket, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known = [s.name for s in self.scores]
        for what, names in (("scores", known), ("markets", [m.name for m in self.markets])):
            if repeated := sorted({n for n in names if names.count(n) > 1}):
                raise ValueError(f"{what} have one name: {', '.join(repeated)}")
        for market in self.markets:
            if strangers := [n for n in market.on if n not in known]:
                raise ValueError(f"{market.name} is on {', '.join(strangers)}: expected some of {', '.join(known)}")
            if strangers := [n for n in market.needs if n not in market.on]:
                raise ValueError(f"{market.name} needs {', '.join(strangers)}, but is not on it")
            if 0 in market.on.values():
                raise ValueError(f"{market.name}: a weight is not zero; leave the score out")
            if self.min_scores > len(market.on):
                raise ValueError(f"min_scores is {self.min_scores}, but {market.name} has {len(market.on)}")
        if idle := [n for n in known if not any(n in m.on for m in self.markets)]:
            raise ValueError(f"no market is on {', '.join(idle)}")
        return self


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse scores that cannot be made of the inputs, and inputs that no score is made of.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    known = {fact["series_id"]: fact for fact in facts.to_dicts()}
    for number, score in enumerate(parameters.scores):
        field = f"parameters.scores.{number}"
        if strangers := [s for s in score.of if s not in known]:
            raise ValueError(f"{field}.of: {', '.join(strangers)}: expected some of the inputs {', '.join(known)}")
        told = [known[s] for s in score.of]
        try:
            check_steps(score.steps, [t["unit"] for t in told], _MONTHLY, [t["seasonal_adjustment"] for t in told])
        except ValueError as error:
            raise ValueError(f"{field}.steps: {error}") from None
    used = {s for score in parameters.scores for s in score.of}
    if idle := [s for s in known if s not in used]:
        raise ValueError(f"inputs: no score is made of {', '.join(idle)}")


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The bias of each market, decomposed.

    A score that has no figure of a month yet is carried on from its latest, for `carry_months` at most, so that a month
    says what all figures together say and not only those that came first.

    Returns
    -------
    DataFrame
        One row per month, market and score: `observation_date`, `market`, `region`, `component` (the score),
        `component_value` (what its steps give), `zscore` (cut), `sign`, `weight` (rescaled over the scores present),
        `contribution` (`sign * weight * zscore`), `index_value` (the bias: the sum of the market's contributions),
        `component_state` ('observed', 'carried'), `is_composition_changed`, by month, market and score.
    """
    scored = _scored(given, parameters)
    weights = pl.DataFrame(
        [
            (m.name, m.region, n, 1 if w > 0 else -1, abs(w), not m.needs or n in m.needs)
            for m in parameters.markets
            for n, w in m.on.items()
        ],
        schema={
            "market": pl.String,
            "region": pl.String,
            "component": pl.String,
            "sign": pl.Int64,
            "weight": pl.Float64,
            "_is_own": pl.Boolean,
        },
        orient="row",
    )
    by = ["market", _MONTH]
    enough = (pl.len().over(by) >= parameters.min_scores) & pl.col("_is_own").any().over(by)
    parts = scored.join(weights, on="component").filter(enough)
    return (
        parts.sort(*by, "component")
        .with_columns(weight=pl.col("weight") / pl.col("weight").sum().over(by))
        .with_columns(contribution=pl.col("sign") * pl.col("weight") * pl.col("zscore"))
        .with_columns(index_value=pl.col("contribution").sum().over(by))
        .join(_changes(parts), on=by)
        .select(
            _MONTH, "market", "region", "component", "component_value", "zscore", "sign", "weight", "contribution",
            "index_value", "component_state", "is_composition_changed",
        )
        .sort(_MONTH, "market", "component")
    )  # fmt: skip


def _scored(given: Given, parameters: Parameters) -> pl.DataFrame:
    """`component`, `observation_date`, `component_value`, `zscore`, `component_state`: one row where a score counts."""
    parts = pl.concat(_parts(given.monthly(), parameters.scores)).sort("component", _MONTH)
    score = expanding_zscore(pl.col("component_value"), "component", parameters.min_history_months)
    cut = score.clip(-parameters.cap, parameters.cap)
    carry = parameters.carry_months
    carried = [pl.col(c).forward_fill(carry).over("component") for c in ("component_value", "zscore")]
    state = pl.when(pl.col("zscore").is_null()).then(pl.lit("carried")).otherwise(pl.lit("observed"))
    own = parts.with_columns(zscore=cut).with_columns(
        component_value=pl.when(pl.col("zscore").is_not_null()).then("component_value")
    )
    return own.with_columns(*carried, component_state=state).drop_nulls("zscore")


def _parts(wide: pl.DataFrame, scores: tuple[MacroScore, ...]) -> Iterator[pl.DataFrame]:
    for score in scores:
        value = expression(score.steps, [pl.col(s) for s in score.of], _MONTHLY)
        yield wide.select(_MONTH, component=pl.lit(score.name), component_value=value)


def _changes(parts: pl.DataFrame) -> pl.DataFrame:
    """Whether a market's scores are others than in the month before that it has; of its first month they are not."""
    by = ["market", _MONTH]
    sets = parts.group_by(by).agg(pl.col("component").sort().str.join(" ")).sort(by)
    changed = pl.col("component") != pl.col("component").shift(1).over("market")
    return sets.select(*by, is_composition_changed=changed.fill_null(False))
