"""Volatility of prices by their open, high, low and close.

All are rolling, in percent per annum. Close to close and Yang-Zhang have the night in them; Parkinson and Garman-Klass
are of the trading session alone, and of a price without drift. References: Parkinson (1980, Journal of Business 53);
Garman and Klass (1980, Journal of Business 53), the estimator of their equation 20 without its cross terms; Rogers and
Satchell (1991, Annals of Applied Probability 1); Yang and Zhang (2000, Journal of Business 73).
"""

from __future__ import annotations

import math

import polars as pl

from macro_assets.transforms.volatility.prices import TRADING_DAYS, log_return, positive

PRICES = ("open", "high", "low", "close")

WHOLE, NO_RANGE, REFUSED, INCOMPLETE = STATES = ("whole", "no_range", "refused", "incomplete")
"""What a day is: its range counts; all four prices are one; high and low contradict open and close; one is missing."""

ROUNDING = 1e-6
"""By how much of itself a high may be below the close, a low above: providers round each price to 7 digits."""


def day_state() -> pl.Expr:
    """What the prices of a row are, one of :data:`STATES`; a price that is not above zero is missing."""
    first, high, low, last = (positive(pl.col(p)) for p in PRICES)
    contradicts = (high < pl.max_horizontal(first, last) * (1 - ROUNDING)) | (
        low > pl.min_horizontal(first, last) * (1 + ROUNDING)
    )
    return (
        pl.when(pl.any_horizontal(p.is_null() for p in (first, high, low, last)))
        .then(pl.lit(INCOMPLETE))
        .when(contradicts)
        .then(pl.lit(REFUSED))
        .when(high == low)
        .then(pl.lit(NO_RANGE))
        .otherwise(pl.lit(WHOLE))
    )


def range_volatility(
    prices: pl.DataFrame, window: int, min_obs: int | None = None, days: int = TRADING_DAYS
) -> pl.DataFrame:
    """Four estimates of volatility over trailing windows.

    The range of a day that contradicts its open or close, that has none or that lacks a price is not used: such days
    have their state said, and a window counts the days that are left. Close to close needs closes alone.

    Parameters
    ----------
    prices
        `observation_date`, `open`, `high`, `low`, `close`; one row per trading day, by date.
    window
        Rows of the window, which ends with the row itself.
    min_obs
        Days of it that must count, at least 2; all by default.
    days
        Trading days of a year.

    Returns
    -------
    DataFrame
        `observation_date`, `close_to_close`, `parkinson`, `garman_klass`, `yang_zhang` (percent per annum; null where
        too few days of the window count), `day_state`.
    """
    least = max(2, window if min_obs is None else min_obs)
    terms = prices.with_columns(day_state=day_state()).with_columns(_terms())

    def mean(name: str) -> pl.Expr:
        return pl.col(name).rolling_mean(window, min_samples=least)

    def variance(name: str) -> pl.Expr:
        return pl.col(name).rolling_var(window, min_samples=least)

    n = pl.col("_night").is_not_null().cast(pl.Float64).rolling_sum(window, min_samples=1)
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    found = {
        "close_to_close": variance("_return"),
        "parkinson": mean("_squared_range") / (4 * math.log(2)),
        "garman_klass": mean("_squared_range") / 2 - (2 * math.log(2) - 1) * mean("_squared_session"),
        "yang_zhang": variance("_night") + k * variance("_session") + (1 - k) * mean("_rogers_satchell"),
    }
    annual = [_percent(v * days).alias(name) for name, v in found.items()]
    return terms.select("observation_date", *annual, "day_state")


def _terms() -> list[pl.Expr]:
    """What the estimators are made of, null on days whose range does not count."""
    first, high, low, last = (positive(pl.col(p)).log() for p in PRICES)
    night = first - last.shift(1)
    counts = pl.col("day_state") == WHOLE
    up, down, session = high - first, low - first, last - first
    of_a_whole_day = {
        "_squared_range": (high - low).pow(2),
        "_squared_session": session.pow(2),
    }
    of_a_night_and_a_day = {
        "_night": night,
        "_session": session,
        "_rogers_satchell": up * (up - session) + down * (down - session),
    }
    return [
        log_return(pl.col("close")).alias("_return"),
        *(pl.when(counts).then(term).alias(name) for name, term in of_a_whole_day.items()),
        *(pl.when(counts & night.is_not_null()).then(term).alias(n) for n, term in of_a_night_and_a_day.items()),
    ]


def realized_volatility(price: pl.Expr, window: int, min_obs: int | None = None, days: int = TRADING_DAYS) -> pl.Expr:
    """Root of the mean squared daily log return of a trailing window, in percent per annum.

    No mean is taken off: Andersen, Bollerslev, Diebold and Labys (2003, Econometrica 71). Null before `min_obs` returns
    (all of the window by default).
    """
    squared = log_return(price).pow(2)
    return _percent(squared.rolling_mean(window, min_samples=min_obs) * days)


def _percent(variance: pl.Expr) -> pl.Expr:
    """A volatility of an annual variance, which rounding may leave a hair below zero."""
    volatility = variance.clip(lower_bound=0).sqrt() * 100
    return pl.when(volatility.is_finite()).then(volatility)
