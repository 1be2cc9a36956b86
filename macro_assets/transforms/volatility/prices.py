"""Prices by trading day and their returns."""

from __future__ import annotations

import polars as pl

TRADING_DAYS = 252
"""Days of a year by which a daily variance is made annual, unless it is said otherwise."""


def positive(price: pl.Expr) -> pl.Expr:
    """The price, or null where it is no number above zero: it has no logarithm."""
    return pl.when((price > 0) & price.is_finite()).then(price)


def log_return(price: pl.Expr) -> pl.Expr:
    """Logarithm of a price over that of the row before; null where either is missing or not above zero."""
    return positive(price).log().diff()
