"""GARCH, GJR and TARCH of order one, by quasi maximum likelihood with `arch`; as of each year on the years before.

s(t)^d = omega + alpha |e(t-1)|^d + gamma |e(t-1)|^d [e(t-1) < 0] + beta s(t-1)^d, where e is the return less its mean:
d = 2 is GARCH (Bollerslev 1986, Journal of Econometrics 31) and with gamma GJR (Glosten, Jagannathan and Runkle 1993,
Journal of Finance 48), d = 1 with gamma TARCH (Zakoian 1994, Journal of Economic Dynamics and Control 18). The first
day is that of `arch`: as if those before it had been as large as the first 75 of the estimates, the later the less.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.transforms.estimation import estimated_by_period
from macro_assets.transforms.volatility.errors import VolatilityError

MIN_OBS = 250
"""Returns below which nothing is estimated: a year of days."""

Array = np.ndarray


class Garch(Declaration, strict=True):
    """Which model is estimated."""

    leverage: bool = Field(default=True, description="Whether falls count for more than rises (GJR, TARCH)")
    power: Literal[1, 2] = Field(default=2, description="2: of variances; 1: of standard deviations (TARCH)")
    distribution: Literal["normal", "t"] = Field(default="normal", description="Of the standardized returns")


@dataclass(frozen=True)
class Fit:
    """Estimates, of returns in percent.

    `nu`: degrees of freedom of a t distribution; `before`: |e|^d of the days before the first.
    """

    model: Garch
    mu: float
    omega: float
    alpha: float
    gamma: float
    beta: float
    nu: float | None
    before: float
    loglikelihood: float
    observations: int

    @property
    def persistence(self) -> float:
        """What is left of a variance's distance from its long run after a day: alpha + gamma / 2 + beta."""
        if self.model.power != 2:
            raise VolatilityError(f"persistence is that of a variance: expected power 2, got {self.model.power}")
        return self.alpha + self.gamma / 2 + self.beta


def fit(returns: Array, model: Garch = Garch()) -> Fit:  # noqa: B008  # frozen
    """The model of some returns.

    Parameters
    ----------
    returns
        Daily returns in percent, in order of time, none missing.

    Raises
    ------
    VolatilityError
        Of fewer than :data:`MIN_OBS` returns, of missing, infinite or constant ones, and where the likelihood has no
        maximum that is found.
    """
    from arch import arch_model

    values = np.asarray(returns, dtype=float)
    _refuse(values)
    asked = arch_model(values, o=int(model.leverage), power=float(model.power), dist=model.distribution, rescale=False)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = asked.fit(disp="off", show_warning=False)
    told = {str(k).removesuffix("[1]"): float(v) for k, v in found.params.items()}
    if found.convergence_flag != 0 or not np.isfinite([*told.values(), found.loglikelihood]).all():
        raise VolatilityError(f"the likelihood of {values.size} returns has no maximum that is found")
    return Fit(
        model,
        **{n: told[n] for n in ("mu", "omega", "alpha", "beta")},
        gamma=told.get("gamma", 0.0),
        nu=told.get("nu"),
        before=_before(values - values.mean(), model.power),
        loglikelihood=float(found.loglikelihood),
        observations=values.size,
    )


def _refuse(returns: Array) -> None:
    if returns.ndim != 1 or returns.size < MIN_OBS:
        raise VolatilityError(f"expected at least {MIN_OBS} returns, got {returns.size}")
    if not np.isfinite(returns).all():
        raise VolatilityError("expected returns that are numbers, some are missing or infinite")
    if np.ptp(returns) <= 1e-9 * max(1.0, float(np.abs(returns).max())):
        raise VolatilityError(f"expected returns that differ, all are {returns[0]:g}")


def _before(shocks: Array, power: int) -> float:
    """What `arch` begins with: a mean of the first 75, of which each has 0.94 of the weight of the one before."""
    weights = 0.94 ** np.arange(min(75, shocks.size))
    return float(np.sum(np.abs(shocks[:75]) ** power * weights) / weights.sum())


def conditional(returns: Array, estimates: Fit) -> Array:
    """Standard deviation of each day's return given the days before, and of the day after the last: n + 1 numbers."""
    power, beta = estimates.model.power, estimates.beta
    shocks = np.asarray(returns, dtype=float) - estimates.mu
    pushes = estimates.omega + (estimates.alpha + estimates.gamma * (shocks < 0)) * np.abs(shocks) ** power
    first = estimates.omega + (estimates.alpha + estimates.gamma / 2 + beta) * estimates.before
    path = accumulate(pushes.tolist(), lambda state, push: push + beta * state, initial=first)
    return np.array(list(path)) ** (1 / power)


def mean_forecast(next_day: Array, estimates: Fit, horizon: int) -> Array:
    """Root of the mean variance expected over the next days, of that of the first of them.

    Raises
    ------
    VolatilityError
        Of a model of standard deviations, whose expected variance has no closed form.
    """
    persistence = estimates.persistence
    variance = np.asarray(next_day, dtype=float) ** 2
    total = np.zeros_like(variance)
    for _ in range(horizon):
        total += variance
        variance = estimates.omega + persistence * variance
    return np.sqrt(total / horizon)


def as_of_each(returns: pl.DataFrame, model: Garch, *, min_obs: int, every: str, horizon: int) -> pl.DataFrame:
    """Volatility by day, with estimates of each period from the returns before it and filtered within it.

    Parameters
    ----------
    returns
        `observation_date`, `value`: daily returns in percent, none missing, by date.
    min_obs
        Returns before the first estimates.
    every
        Periods, as Polars names them: '1y' estimates each January on the returns up to December.
    horizon
        Days ahead of the mean forecast.

    Returns
    -------
    DataFrame
        `observation_date`, `conditional_volatility` (of the day, given those before), `next_volatility` (of the next
        trading day), `expected_volatility` (mean over the horizon), all daily, in percent; `persistence`,
        `estimated_through` (last day of the estimates). Where no maximum is found the estimates before stand; days
        before the first have no row.
    """
    values, days = returns["value"].to_numpy(), returns["observation_date"]
    found = estimated_by_period(days, every, min_obs, lambda n: fit(values[:n], model), VolatilityError)
    rows = [
        _rows(values[:end], days, begin, estimates, horizon).with_columns(estimated_through=pl.lit(days[size - 1]))
        for begin, end, size, estimates in found
    ]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *rows])


_SCHEMA = {
    "observation_date": pl.Date,
    "conditional_volatility": pl.Float64,
    "next_volatility": pl.Float64,
    "expected_volatility": pl.Float64,
    "persistence": pl.Float64,
    "estimated_through": pl.Date,
}


def _rows(returns: Array, days: pl.Series, begin: int, estimates: Fit, horizon: int) -> pl.DataFrame:
    """Rows of a period, from `begin` to the end of the returns."""
    path = conditional(returns, estimates)
    return pl.DataFrame(
        {
            "observation_date": days[begin : returns.size],
            "conditional_volatility": path[begin:-1],
            "next_volatility": path[begin + 1 :],
            "expected_volatility": mean_forecast(path[begin + 1 :], estimates, horizon),
            "persistence": np.full(returns.size - begin, estimates.persistence),
        }
    )
