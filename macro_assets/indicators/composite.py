"""A composite indicator: components as scores, signed, weighted, added; each contribution is kept.

Scores, weights and what stands in for a missing component are of the past alone; estimated weights hold from their
month to the next of estimating.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Self

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration, SeriesId, Slug
from macro_assets.catalog.kinds.step import Steps
from macro_assets.indicators.protocol import Given
from macro_assets.transforms import weighting
from macro_assets.transforms.filling import Numbers, factor_fill, latest_of
from macro_assets.transforms.library import TRANSFORMS
from macro_assets.transforms.registry import Calendar
from macro_assets.transforms.steps import check as check_steps
from macro_assets.transforms.steps import expression
from macro_assets.transforms.windows import LeftOut, Sample, ordered, share_of

SHAPE = "contributions"

EXAMPLE = {
    "inputs": ["VIXCLS", "BAA", "AAA", "UNRATE"],
    "parameters": {
        "min_history_months": 6,
        "min_components": 2,
        "components": [
            {
                "name": "volatility",
                "title": "Equity volatility",
                "of": ["VIXCLS"],
                "steps": "level",
                "sign": 1,
                "weight": 0.25,
            },
            {
                "name": "credit_spread",
                "title": "Credit spread",
                "of": ["BAA", "AAA"],
                "steps": "spread",
                "sign": 1,
                "weight": 0.5,
            },
            {
                "name": "hiring",
                "title": "Fall of unemployment",
                "of": ["UNRATE"],
                "steps": [{"gap": {"window": 6, "min_obs": 4}}, "chg"],
                "sign": -1,
                "weight": 0.25,
            },
        ],
    },
}

_MONTHLY = "M"

_ESTIMATED = ("factor", "pca")
_DECLARED = ("fixed", "portfolio")

LEAST_SCORE = 1e-9
"""Of an empirical score that a factor fills: the scores are above zero."""


class Component(Declaration):
    """One part of a composite: what its series become by some steps, its sign and its weight."""

    name: Slug
    title: str = Field(exclude=True, description="For readers: no part of what is computed")
    of: tuple[SeriesId, ...] = Field(min_length=1)
    steps: Steps = Field(min_length=1, description="Transforms of the monthly figures, which leave one series")
    sign: Literal[-1, 1]
    weight: float | None = Field(default=None, gt=0, le=1, strict=True, description="Of fixed and portfolio weights")
    category: Slug | None = Field(default=None, description="What the contributions may be summed by")


class Parameters(Declaration):
    """The components, how they are scored and weighted, and what becomes of those that are missing."""

    components: tuple[Component, ...] = Field(min_length=1)
    min_history_months: int = Field(gt=1, strict=True, description="Figures of a component before its first score")
    min_components: int = Field(gt=0, strict=True, description="With a score of their own or carried, for an index")
    coverage: float = Field(default=0, ge=0, le=1, description="Share of the weight that these must have")
    score: Literal["zscore", "rolling_zscore", "empirical"] = Field(
        default="zscore", description="Empirical: the share of figures so far that are not worse, in (0, 1]"
    )
    window: int | None = Field(default=None, gt=1, strict=True, description="Months of the rolling z-score")
    neutral: Literal["mean", "zero"] | float = Field(default="mean", description="The figure whose z-score is zero")
    winsor: float | None = Field(default=None, gt=0, description="Bound of a z-score, either side of zero")
    leave_out: LeftOut = Field(default=(), description="Spans of months on which nothing is estimated")
    weights: Literal["fixed", "equal", "factor", "pca", "portfolio"] = Field(
        default="fixed", description="Factor, pca: loadings; portfolio: fixed ones, and correlations as the CISS has"
    )
    anchor: Slug | None = Field(default=None, description="Component whose sign is as declared, of loadings")
    refit_months: int = Field(default=12, gt=0, strict=True, description="Months from one estimate to the next")
    decay: float | None = Field(default=None, gt=0, lt=1, description="Of the correlations of portfolio weights")
    lag_months: int = Field(default=0, ge=0, strict=True, description="Age of the estimates that weigh a month")
    missing: Literal["renormalize", "carry", "factor_fill"] = Field(
        default="renormalize", description="The others' weights are rescaled; or the latest score, or the factor's"
    )
    carry_months: int | None = Field(default=None, gt=0, strict=True, description="How long a component may be missing")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = [c.name for c in self.components]
        if repeated := sorted({n for n in named if named.count(n) > 1}):
            raise ValueError(f"components have one name: {', '.join(repeated)}")
        if self.min_components > len(self.components):
            raise ValueError(
                f"min_components is {self.min_components}, but there are {len(self.components)} components"
            )
        self._check_weights()
        self._check_scores()
        return self

    def _check_weights(self) -> None:
        told = [c.weight for c in self.components if c.weight is not None]
        if self.weights not in _DECLARED and told:
            raise ValueError(f"{self.weights} weights: expected components without a weight")
        if self.weights in _DECLARED:
            if len(told) < len(self.components):
                raise ValueError(f"{self.weights} weights: expected a weight of each component")
            if abs(sum(told) - 1) > 1e-9:
                raise ValueError(f"weights of the components must add up to 1, they add up to {sum(told):g}")
        _asked("anchor", self.anchor, self.weights in _ESTIMATED, "of factor and pca weights")
        if self.anchor is not None and self.anchor not in (c.name for c in self.components):
            raise ValueError(f"anchor: {self.anchor!r} is no component")
        if self.weights == "factor" and len(self.components) < 3:
            raise ValueError("factor weights: expected three components at least, fewer do not identify a factor")
        _asked("decay", self.decay, self.weights == "portfolio", "of portfolio weights")
        if self.weights == "portfolio" and self.score != "empirical":
            raise ValueError("portfolio weights: expected empirical scores, which are above zero")
        if self.lag_months and self.weights not in (*_ESTIMATED, "portfolio"):
            raise ValueError(f"lag_months: {self.weights} weights have no age")

    def _check_scores(self) -> None:
        _asked("window", self.window, self.score == "rolling_zscore", "of rolling z-scores")
        if self.window is not None and self.min_history_months > self.window:
            raise ValueError("min_history_months must not be above window")
        if self.score == "empirical" and (self.winsor is not None or self.neutral != "mean"):
            raise ValueError("neutral and winsor are of z-scores: an empirical score is bounded and has a middle")
        _asked(
            "carry_months", self.carry_months, self.missing != "renormalize", "where what is missing is stood in for"
        )


def _asked(field: str, told: object, needed: bool, where: str) -> None:
    if (told is not None) != needed:
        raise ValueError(f"{field}: expected {where}, and nowhere else")


def check(parameters: Parameters, facts: pl.DataFrame) -> None:
    """Refuse components that cannot be made of the inputs, and inputs that no component is made of.

    Raises
    ------
    ValueError
        With the field, what was expected and what came.
    """
    units = dict(facts.select("series_id", "unit").iter_rows())
    adjustments = dict(facts.select("series_id", "seasonal_adjustment").iter_rows())
    for number, component in enumerate(parameters.components):
        field = f"parameters.components.{number}"
        if strangers := [s for s in component.of if s not in units]:
            raise ValueError(f"{field}.of: {', '.join(strangers)}: expected some of the inputs {', '.join(units)}")
        try:
            of = component.of
            check_steps(component.steps, [units[s] for s in of], _MONTHLY, [adjustments[s] for s in of])
        except ValueError as error:
            raise ValueError(f"{field}.steps: {error}") from None
    used = {s for c in parameters.components for s in c.of}
    if idle := [s for s in units if s not in used]:
        raise ValueError(f"inputs: no component is made of {', '.join(idle)}")


class _Scored(NamedTuple):
    """Of the months by component: figures, signed scores, whether a score stands in, or has been filled."""

    dates: pl.Series
    values: Numbers
    scores: Numbers
    carried: Numbers
    filled: Numbers


class Judged(NamedTuple):
    """The table, and of portfolio weights the correlations between its components."""

    table: pl.DataFrame
    correlations: pl.DataFrame | None


def compute(given: Given, parameters: Parameters) -> pl.DataFrame:
    """The index, decomposed.

    A component's score at month t is of its figures up to t: a z-score, or of its signed figures the share not above
    its own. Its weight is declared, or the size of its loading on one factor or the first component of the scores
    before the latest month of estimating; weights are rescaled over the components of the month (as macrosynergy's
    `linear_composite(normalize_weights=True)` does). It contributes `sign * weight * zscore`; with portfolio weights
    these parts s contribute `s_i (C s)_i / index`, of an index `sqrt(s' C s)`, as in the CISS (Hollo, Kremer and Lo
    Duca, 2012, ECB working paper 1426).

    A month with too few components, or with none that is observed, has no index.

    Returns
    -------
    DataFrame
        One row per month and component: `observation_date`, `component`, `category`, `component_value` (unit that its
        steps give; null where it was filled), `zscore` (the score, whatever its kind), `sign`, `weight`,
        `contribution`, `index_value`, `component_state`, `is_composition_changed`. A month's contributions add up to
        its index_value.
    """
    return judged(given, parameters).table


def correlations(given: Given, parameters: Parameters) -> pl.DataFrame | None:
    """Of portfolio weights: `observation_date`, `component`, `other`, `correlation`, as the index has them."""
    return judged(given, parameters).correlations if parameters.weights == "portfolio" else None


def judged(given: Given, parameters: Parameters) -> Judged:
    """The index with what it was made by."""
    scored = _scored(given.monthly(), parameters)
    months = scored.dates.dt.year().to_numpy() * 12 + scored.dates.dt.month().to_numpy() - 1
    refits = np.flatnonzero(months % parameters.refit_months == 0)
    estimated_on = _estimated_on(scored.dates, parameters)[:, None] & ~scored.carried
    sample = np.where(estimated_on, scored.scores, np.nan)
    moments = weighting.moments_before(sample, refits, parameters.min_history_months)
    factor = weighting.one_factor(moments.correlations) if _has_factor(parameters) else None
    if parameters.missing == "factor_fill" and factor is not None:
        scored = _filled(scored, moments, factor, refits, parameters)
    known = np.isfinite(scored.scores)
    loadings, matrices = _weighed(sample, moments, factor, refits, parameters)
    present = known & np.isfinite(loadings)
    size = np.where(np.isfinite(loadings), np.abs(loadings), 0.0)
    told = present & ~scored.filled
    total, own = size.sum(axis=1), np.where(told, size, 0.0).sum(axis=1)
    has_index = (
        (told.sum(axis=1) >= parameters.min_components)
        & (told & ~scored.carried).any(axis=1)
        & (own > 0)
        & (own >= parameters.coverage * total - 1e-9)
    )
    shown = present & has_index[:, None]
    weight = np.where(shown, size, 0.0) / np.where(has_index, np.where(shown, size, 0.0).sum(axis=1), 1.0)[:, None]
    turned = np.where(loadings < 0, -1.0, 1.0)
    parts = np.where(shown, turned * weight * scored.scores, 0.0)
    contributions = parts if matrices is None else weighting.portfolio(parts, matrices)
    return Judged(
        _table(scored, shown, weight, contributions, turned, parameters),
        None if matrices is None else _pairs(scored.dates, shown, matrices, parameters),
    )


# --- scores --------------------------------------------------------------------------------------------------------


def _scored(wide: pl.DataFrame, parameters: Parameters) -> _Scored:
    parts = parameters.components
    made = wide.select(
        "observation_date",
        *(expression(c.steps, [pl.col(s) for s in c.of], _MONTHLY).alias(c.name) for c in parts),
    )
    score = _score(parameters)
    scores = made.select("observation_date", *(score(pl.col(c.name) * c.sign, c.sign).alias(c.name) for c in parts))
    values, x = (_array(frame, parameters) for frame in (made, scores))
    carried = np.zeros_like(x, dtype=bool)
    if parameters.missing == "carry":
        latest, carried = latest_of(x, parameters.carry_months or 0)
        x, values = (np.where(carried, np.take_along_axis(a, np.maximum(latest, 0), 0), a) for a in (x, values))
    return _Scored(made["observation_date"], values, x, carried, np.zeros_like(carried))


def _score(parameters: Parameters) -> Callable[[pl.Expr, int], pl.Expr]:
    """What makes scores of signed figures: more is more of what the index says."""
    calendar, least = Calendar(_MONTHLY), parameters.min_history_months
    if parameters.score == "empirical":
        sample = Sample(min_obs=least, leave_out=parameters.leave_out)
        return lambda x, sign: pl.when(x.is_finite()).then(ordered(x, sample, calendar, share_of))
    zscore, neutral = TRANSFORMS["zscore"], parameters.neutral
    level = 0.0 if isinstance(neutral, str) else neutral
    told = zscore.parameters.model_validate(
        {
            "min_obs": least,
            "window": parameters.window,
            "leave_out": parameters.leave_out,
            "neutral": neutral if isinstance(neutral, str) else "zero",
        }
    )
    bound = parameters.winsor or float("inf")
    return lambda x, sign: zscore.function([x - level * sign], told, calendar).clip(-bound, bound)


def _array(frame: pl.DataFrame, parameters: Parameters) -> Numbers:
    columns = [frame[c.name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for c in parameters.components]
    return np.column_stack(columns)


def _filled(
    scored: _Scored, moments: weighting.Moments, factor: Numbers, refits: Numbers, parameters: Parameters
) -> _Scored:
    n = len(scored.scores)
    held = weighting.Moments(*(weighting.held_from(m, refits, n) for m in moments))
    made = factor_fill(scored.scores, weighting.held_from(factor, refits, n), held)
    _, missing = latest_of(scored.scores, parameters.carry_months or 0)
    has_history = np.nan_to_num(held.counts) >= parameters.min_history_months
    filled = missing & has_history & np.isfinite(made)
    if parameters.score == "empirical":
        made = np.clip(made, LEAST_SCORE, 1)
    return scored._replace(
        scores=np.where(filled, made, scored.scores),
        values=np.where(missing, np.nan, scored.values),
        filled=filled,
    )


def _estimated_on(dates: pl.Series, parameters: Parameters) -> Numbers:
    """Months on which weights are estimated."""
    sample = Sample(min_obs=2, leave_out=parameters.leave_out)
    one = sample.of(pl.lit(1.0), Calendar(_MONTHLY))
    kept = pl.DataFrame({"observation_date": dates}).with_columns(one.alias("kept"))["kept"].is_not_null()
    return kept.to_numpy()


# --- weights -------------------------------------------------------------------------------------------------------


def _has_factor(parameters: Parameters) -> bool:
    return parameters.weights == "factor" or parameters.missing == "factor_fill"


def _weighed(
    sample: Numbers, moments: weighting.Moments, factor: Numbers | None, refits: Numbers, parameters: Parameters
) -> tuple[Numbers, Numbers | None]:
    """Signed loadings by month and component, NaN where there are none yet; correlations of portfolio weights."""
    n, parts = len(sample), parameters.components
    lag, least = parameters.lag_months, parameters.min_history_months
    if parameters.weights == "portfolio":
        counts = _late(np.isfinite(sample).cumsum(axis=0).astype(float), lag)
        matrices = _late(weighting.ewma_correlations(sample, parameters.decay or 0), lag)
        return np.where(counts >= least, [c.weight or 0.0 for c in parts], np.nan), matrices
    if parameters.weights not in _ESTIMATED:
        return np.tile([c.weight or 1.0 for c in parts], (n, 1)), None
    if parameters.weights == "factor" and factor is not None:
        found = factor / weighting.uniqueness(factor)
    else:
        found = weighting.first_component(moments.correlations)
    anchor = [c.name for c in parts].index(parameters.anchor or "")
    are_known = (moments.counts >= least) & (moments.counts[:, anchor : anchor + 1] >= least)
    found = np.where(are_known, weighting.oriented(found, anchor), np.nan)
    return _late(weighting.held_from(found, refits, n), lag), None


def _late(estimates: Numbers, months: int) -> Numbers:
    """Estimates as they were some months before; NaN before the first."""
    if not months:
        return estimates
    return np.concatenate([np.full_like(estimates[:months], np.nan), estimates[:-months]])


# --- the table -----------------------------------------------------------------------------------------------------


def _table(
    scored: _Scored, shown: Numbers, weight: Numbers, contributions: Numbers, turned: Numbers, parameters: Parameters
) -> pl.DataFrame:
    parts = parameters.components
    row, column = np.nonzero(shown)
    declared = np.array([c.sign for c in parts])
    is_zscore = parameters.score != "empirical"
    state = np.where(scored.filled, 2, np.where(scored.carried, 1, 0))[row, column]
    index = np.where(shown, contributions, 0.0).sum(axis=1)
    months = np.flatnonzero(shown.any(axis=1))
    changed = np.zeros(len(shown), dtype=bool)
    changed[months[1:]] = (shown[months[1:]] != shown[months[:-1]]).any(axis=1)
    sign = turned[row, column] * (declared[column] if is_zscore else 1)
    return pl.DataFrame(
        {
            "observation_date": scored.dates.gather(row),
            "component": pl.Series([c.name for c in parts]).gather(column),
            "category": pl.Series([c.category for c in parts], dtype=pl.String).gather(column),
            "component_value": pl.Series(scored.values[row, column]).fill_nan(None),
            "zscore": scored.scores[row, column] * (declared[column] if is_zscore else 1),
            "sign": pl.Series(sign).cast(pl.Int64),
            "weight": weight[row, column],
            "contribution": contributions[row, column],
            "index_value": index[row],
            "component_state": pl.Series(["observed", "carried", "filled"]).gather(state),
            "is_composition_changed": changed[row],
        }
    ).sort("observation_date", "component")


def _pairs(dates: pl.Series, shown: Numbers, matrices: Numbers, parameters: Parameters) -> pl.DataFrame:
    names = pl.Series([c.name for c in parameters.components])
    row, one, other = np.nonzero(shown[:, :, None] & shown[:, None, :])
    return pl.DataFrame(
        {
            "observation_date": dates.gather(row),
            "component": names.gather(one),
            "other": names.gather(other),
            "correlation": matrices[row, one, other],
        }
    )
