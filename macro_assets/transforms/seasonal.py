"""Seasonal factors, one-sided: the factor of a date comes from a fit on the figures up to that date, or before it.

STL (Cleveland, Cleveland, McRae and Terpenning, 1990, Journal of Official Statistics 6), robust, by statsmodels. The
factors of publishers are two-sided: they use the years after a date too, and move when these come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np

MIN_YEARS = 3
"""Years of figures before the first factor. STL itself asks for two."""

_PASSES = 2
"""Fits where figures are missing: the first on lines drawn across the gaps, the next on what it says of them."""


def one_sided_adjusted(
    values: pl.Series, period: int, *, multiplicative: bool = False, each: bool = False, min_years: int = MIN_YEARS
) -> pl.Series:
    """The figures without their season, by :func:`one_sided_factors`; null where there is no factor yet."""
    factors = one_sided_factors(values, period, multiplicative=multiplicative, each=each, min_years=min_years)
    return without(values, factors, multiplicative=multiplicative)


def without(values: pl.Series, factors: pl.Series, *, multiplicative: bool = False) -> pl.Series:
    """Figures less their factors, or divided by them."""
    return values / factors if multiplicative else values - factors


def one_sided_factors(
    values: pl.Series, period: int, *, multiplicative: bool = False, each: bool = False, min_years: int = MIN_YEARS
) -> pl.Series:
    """Seasonal factors of which none knows a later figure.

    Parameters
    ----------
    values
        In order of time on a regular calendar, null where a figure is missing.
    period
        Figures in a year: 12 of months, 4 of quarters.
    multiplicative
        Whether the season is a ratio: the fit is one of logarithms, and a figure that is not positive is missing.
    each
        Whether to fit again with each figure, the figure itself among those of the fit. Else once a year: the fit ends
        with a whole number of years since the first figure, and its last factors are those of the year to come.
    min_years
        How many years of figures, gaps not counted, a fit needs.

    Returns
    -------
    Series
        A number in the unit of the figures, or a ratio; null before the first fit, and where the figure is missing. A
        gap within a fit takes the trend and the season of a fit without it. Of constant figures it is 0, or 1.

    Raises
    ------
    ValueError
        Fewer than two figures in a year have no season, and fewer than two years do not show one.
    """
    import numpy as np

    if period < 2:
        raise ValueError(f"period: expected at least two figures in a year, got {period}")
    if min_years < 2:
        raise ValueError(f"min_years: expected at least 2, got {min_years}")
    x = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    x = np.where(np.isfinite(x), x, np.nan)
    if multiplicative:
        x = np.log(np.where(x > 0, x, np.nan))
    known = np.flatnonzero(~np.isnan(x))
    factors = np.full(len(x), np.nan)
    if len(known):
        first, needed = int(known[0]), min_years * period
        own = x[first:]
        factors[first:] = _of_each(own, period, needed) if each else _of_years(own, period, needed)
    factors[np.isnan(x)] = np.nan
    return pl.Series(values.name, np.exp(factors) if multiplicative else factors).fill_nan(None)


def _of_each(x: np.ndarray, period: int, needed: int) -> np.ndarray:
    """The last factor of a fit that ends with each figure."""
    import numpy as np

    factors = np.full(len(x), np.nan)
    for end in range(1, len(x) + 1):
        if not np.isnan(x[end - 1]) and np.count_nonzero(~np.isnan(x[:end])) >= needed:
            factors[end - 1] = _season(x[:end], period)[-1]
    return factors


def _of_years(x: np.ndarray, period: int, needed: int) -> np.ndarray:
    """The last year's factors of the fit that ends before each year."""
    import numpy as np

    factors = np.full(len(x), np.nan)
    for end in range(2 * period, len(x), period):
        if np.count_nonzero(~np.isnan(x[:end])) >= needed:
            ahead = min(period, len(x) - end)
            factors[end : end + ahead] = _season(x[:end], period)[-period:][:ahead]
    return factors


def _season(x: np.ndarray, period: int) -> np.ndarray:
    """The seasonal part of some figures, of which the first is known."""
    import numpy as np
    from statsmodels.tsa.seasonal import STL

    missing, at = np.isnan(x), np.arange(len(x))
    filled = np.interp(at, at[~missing], x[~missing])
    fit = STL(filled, period=period, robust=True).fit()
    for _ in range(_PASSES - 1 if missing.any() else 0):
        filled[missing] = (fit.trend + fit.seasonal)[missing]
        fit = STL(filled, period=period, robust=True).fit()
    season: np.ndarray = fit.seasonal
    return season
