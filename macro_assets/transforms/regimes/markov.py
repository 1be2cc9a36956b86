"""Figures whose mean, or variance, follows a hidden Markov chain, by maximum likelihood with `statsmodels`.

Hamilton (1989, Econometrica 57). With an order it is his autoregression about a mean that switches. Regimes are told
apart by their mean or their variance, in rising order, never by the number that an optimiser gave them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.transforms.regimes.errors import RegimeError

Array = np.ndarray

STAYING = 0.9
"""Probability of staying in a regime from which the search starts."""
EM_STEPS = 50
"""Of expectation and maximization, before the likelihood is climbed by its slope."""
LEAST = 5
"""Observations that a regime must have: a likelihood with a variance of its own has no bound at a single one."""


class Markov(Declaration, strict=True):
    """Which model is estimated."""

    regimes: int = Field(default=2, ge=2, le=3)
    order: int = Field(default=0, ge=0, le=4, description="Lags of an autoregression about the regime's mean")
    switching_variance: bool = Field(default=False, description="Whether each regime has a variance of its own")
    label_by: Literal["mean", "variance"] = Field(default="mean", description="What the regimes are in order of")

    @model_validator(mode="after")
    def _labelled(self) -> Self:
        if self.label_by == "variance" and not self.switching_variance:
            raise ValueError("label_by: regimes of one variance are not told apart by it; say switching_variance: true")
        return self


@dataclass(frozen=True, eq=False)
class Fit:
    """Estimates: `means`, `variances` and `staying` (probability of staying) by regime, in the order of the labels.

    `params` are those of `statsmodels`, whose regimes stand at the places `order`.
    """

    model: Markov
    params: Array
    order: tuple[int, ...]
    means: tuple[float, ...]
    variances: tuple[float, ...]
    staying: tuple[float, ...]
    loglikelihood: float
    observations: int


def fit(values: Array, model: Markov, start: Array | None = None) -> Fit:
    """The model of some figures.

    Parameters
    ----------
    values
        In order of time, none missing.
    start
        Regime of each figure from which the search starts, as integers from 0; by default by size of the figure, or of
        its distance from the mean. The same figures and the same start always give the same estimates.

    Raises
    ------
    RegimeError
        Of too few figures, of missing, infinite or constant ones, and where the likelihood has no maximum with
        :data:`LEAST` figures in each regime.
    """
    values = np.ascontiguousarray(values, dtype=float)
    chosen = _start(values, model) if start is None else np.asarray(start, dtype=np.int64)
    return _fit(values.tobytes(), chosen.tobytes(), model)


def _start(values: Array, model: Markov) -> Array:
    """Equal shares by size of what the regimes are labelled by."""
    size = values if model.label_by == "mean" else np.abs(values - np.mean(values))
    ranks = np.argsort(np.argsort(size, kind="stable"), kind="stable")
    return ranks * model.regimes // max(values.size, 1)


@lru_cache(maxsize=256)
def _fit(told: bytes, start: bytes, model: Markov) -> Fit:
    values, groups = np.frombuffer(told), np.frombuffer(start, dtype=np.int64)
    _refuse(values, groups, model)
    asked = _asked(values, model)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            first = _parameters(values, groups, model, asked.param_names)
            found = asked.fit(start_params=first, em_iter=EM_STEPS, cov_type="none", disp=False)
            share = np.asarray(found.smoothed_marginal_probabilities).sum(axis=0)
        except (np.linalg.LinAlgError, RuntimeError, ValueError) as error:
            raise RegimeError(f"the likelihood of {values.size} figures has no maximum that is found") from error
    named = dict(zip(asked.param_names, map(float, found.params), strict=True))
    if not np.isfinite([*named.values(), found.llf]).all() or share.min() < LEAST:
        raise RegimeError(
            f"expected {model.regimes} regimes with at least {LEAST} figures each, the likelihood of {values.size} "
            f"figures is highest with {', '.join(f'{s:.1f}' for s in share)}"
        )
    regimes = range(model.regimes)
    means = [named[f"const[{k}]"] for k in regimes]
    variances = [named[f"sigma2[{k}]" if model.switching_variance else "sigma2"] for k in regimes]
    staying = np.diag(found.regime_transition[..., 0])
    order = tuple(sorted(regimes, key=lambda k: (means if model.label_by == "mean" else variances)[k]))
    return Fit(
        model,
        np.asarray(found.params, dtype=float),
        order,
        means=tuple(float(means[k]) for k in order),
        variances=tuple(float(variances[k]) for k in order),
        staying=tuple(float(staying[k]) for k in order),
        loglikelihood=float(found.llf),
        observations=values.size,
    )


def _refuse(values: Array, groups: Array, model: Markov) -> None:
    least = LEAST * model.regimes + model.order
    if values.size < least:
        raise RegimeError(f"expected at least {least} figures, got {values.size}")
    if not np.isfinite(values).all():
        raise RegimeError("expected figures that are numbers, some are missing or infinite")
    if np.ptp(values) <= 1e-9 * max(1.0, float(np.abs(values).max())):
        raise RegimeError(f"expected figures that differ, all are {values[0]:g}")
    if groups.size != values.size or {*groups.tolist()} != {*range(model.regimes)}:
        raise RegimeError(f"start: expected a regime from 0 to {model.regimes - 1} of each figure, and each regime")


def _asked(values: Array, model: Markov) -> Any:
    told = {"k_regimes": model.regimes, "switching_variance": model.switching_variance}
    if model.order == 0:
        from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

        return MarkovRegression(values, **told)
    from statsmodels.tsa.regime_switching.markov_autoregression import MarkovAutoregression

    return MarkovAutoregression(values, order=model.order, switching_ar=False, **told)


def _parameters(values: Array, groups: Array, model: Markov, names: list[str]) -> Array:
    """Parameters of `statsmodels` for figures in groups."""
    parts = [values[groups == k] for k in range(model.regimes)]
    pooled = float(np.mean([np.var(p) for p in parts])) or float(np.var(values))
    told = {f"p[{i}->{j}]": (1 - STAYING) / (model.regimes - 1) for i in range(3) for j in range(3) if i != j}
    told |= {f"p[{k}->{k}]": STAYING for k in range(3)} | {"sigma2": pooled}
    for k, part in enumerate(parts):
        told |= {f"const[{k}]": float(part.mean()), f"sigma2[{k}]": float(part.var()) or pooled}
    return np.array([told.get(name, 0.0) for name in names])


def filtered(values: Array, estimates: Fit) -> Array:
    """Probability of each regime given the figures up to its own: a row a figure, a column a regime by label.

    NaN in the first rows, as many as the order of the autoregression.
    """
    return _probabilities(values, estimates, "filtered_marginal_probabilities", _asked(values, estimates.model).filter)


def smoothed(values: Array, estimates: Fit) -> Array:
    """As :func:`filtered`, but given all figures, those after its own too: for history, no signal of its time."""
    return _probabilities(values, estimates, "smoothed_marginal_probabilities", _asked(values, estimates.model).smooth)


def _probabilities(values: Array, estimates: Fit, which: str, run: Any) -> Array:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = np.asarray(getattr(run(estimates.params, cov_type="none"), which))[:, list(estimates.order)]
    blank = np.full((len(values) - len(found), found.shape[1]), np.nan)
    return np.vstack([blank, np.clip(found, 0, 1)])
