"""Tests for a unit root, and of stationarity, by `arch`: what may be regressed on what.

References: Dickey and Fuller (1979), Elliott, Rothenberg and Stock (1996), Phillips and Perron (1988), Kwiatkowski,
Phillips, Schmidt and Shin (1992), Zivot and Andrews (1992).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

if TYPE_CHECKING:
    import numpy as np

Test = Literal["adf", "df_gls", "pp", "kpss", "zivot_andrews"]
Trend = Literal["c", "ct"]

_CLASSES = {
    "adf": "ADF",
    "df_gls": "DFGLS",
    "pp": "PhillipsPerron",
    "kpss": "KPSS",
    "zivot_andrews": "ZivotAndrews",
}

_EXACT = 1e-20
"""Sum of squared deviations from a line, relative to that of the figures, which rounding leaves of none."""


class UntestableError(ValueError):
    """Figures of which a test says nothing."""


@dataclass(frozen=True)
class Tested:
    """What a test found.

    Attributes
    ----------
    statistic, p_value
        Of the null hypothesis `null`, which is a unit root for all but `kpss`.
    lags, observations
        With how many lags (or the bandwidth), and of how many periods.
    """

    test: Test
    trend: Trend
    statistic: float
    p_value: float
    lags: int
    observations: int
    null: Literal["unit root", "stationary"]


def unit_root(values: pl.Series, test: Test, trend: Trend = "c", *, lags: int | None = None) -> Tested:
    """Test the figures of one series.

    Parameters
    ----------
    values
        In order of time on a regular calendar. What is missing at either end is left out.
    test, trend
        Which test, about a constant or a line ("ct").
    lags
        By default those that the test chooses: by AIC, or by the rule of its authors.

    Raises
    ------
    UntestableError
        A gap, figures on a line (a constant too), or too few of them.
    ValueError
        No such test or trend.
    """
    from arch import unitroot

    if test not in _CLASSES:
        raise ValueError(f"test: expected one of {', '.join(_CLASSES)}, got {test!r}")
    if trend not in ("c", "ct"):
        raise ValueError(f"trend: expected 'c' or 'ct', got {trend!r}")
    x = _whole(values)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that its bandwidth is chosen otherwise than once
            found = getattr(unitroot, _CLASSES[test])(x, lags=lags, trend=trend)
            statistic, p_value = float(found.stat), float(found.pvalue)
    except RuntimeError as error:  # arch's own, of figures of which its regression is singular
        raise UntestableError(f"{test} of {len(x)} figures: {str(error).splitlines()[0]}") from None
    null: Literal["unit root", "stationary"] = "stationary" if test == "kpss" else "unit root"
    return Tested(test, trend, statistic, p_value, int(found.lags), int(found.nobs), null)


def _whole(values: pl.Series) -> np.ndarray:
    """The figures from the first to the last."""
    import numpy as np

    x = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    known = np.flatnonzero(np.isfinite(x))
    if len(known) < 3:
        raise UntestableError(f"expected a series of figures, got {len(known)}")
    x = x[known[0] : known[-1] + 1]
    if gaps := len(x) - len(known):
        raise UntestableError(f"expected figures without a gap, {gaps} of {len(x)} are missing")
    line = np.column_stack([np.ones(len(x)), np.linspace(-1, 1, len(x))])
    errors = x - line @ np.linalg.lstsq(line, x, rcond=None)[0]
    if errors @ errors <= _EXACT * (x @ x):
        raise UntestableError(f"expected figures that vary, all {len(x)} lie on one line")
    return x
