"""Transforms of 250 series of 6,000 days, one after the other in a long table (R6), against NumPy and pandas.

Change over a year (252 days), z-score of 252 days, EWMA, drawdown, and five weighted sums of the series. NumPy has the
series side by side and takes rolling moments from cumulative sums of centred data; pandas groups the same long table.
Reported beside them: pandas with the series side by side, and Numba where it is installed. Before anything is timed all
answers are held to a reference of two passes, and the z-score once more at level 1e6 with a deviation of 0.01.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
from measure import ROOT, Ratio, interleaved, show

sys.path.insert(0, str(ROOT))

from macro_assets.catalog.kinds.step import Step
from macro_assets.transforms.steps import expression

SERIES, DAYS, WINDOW, SPAN, SUMS, ROUNDS = 250, 6_000, 252, 20, 5, 5
Outputs = dict[str, np.ndarray]
"""By name: an array of days and series, or of days and sums."""

STEPS = {
    "yoy": Step(name="pch", parameters={"periods": WINDOW}),
    "zscore": Step(name="zscore", parameters={"window": WINDOW, "min_obs": WINDOW}),
    "ewma": Step(name="ewma", parameters={"span": SPAN}),
    "drawdown": Step(name="drawdown"),
}


def table(values: np.ndarray) -> pl.DataFrame:
    """A long table of series side by side, sorted by series and date as all tables of observations are."""
    first = date(2000, 1, 1)
    days = pl.date_range(first, first + timedelta(days=DAYS - 1), eager=True)
    return pl.DataFrame(
        {
            "series_id": np.repeat(np.arange(SERIES), DAYS),
            "observation_date": pl.concat([days] * SERIES, rechunk=True),
            "value": np.ascontiguousarray(values.T).ravel(),
        }
    ).sort("series_id", "observation_date")


def weights() -> np.ndarray:
    """Of each series in each sum."""
    drawn: np.ndarray = np.random.default_rng(1).random((SERIES, SUMS))
    return drawn / drawn.sum(axis=0)


WEIGHTS = weights()
NAMES = [f"sum_{k}" for k in range(SUMS)]


def ours(long: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The transforms of the house over series, and sums over days."""
    value = pl.col("value")
    each = (expression((s,), [value], "D").alias(n) for n, s in STEPS.items())
    made = long.group_by("series_id", maintain_order=True).agg(each).explode(*STEPS)
    share = {name: pl.lit(pl.Series(column)).gather("series_id") for name, column in zip(NAMES, WEIGHTS.T, strict=True)}
    sums = (
        long.lazy()
        .select("observation_date", *((value * weight).alias(name) for name, weight in share.items()))
        .group_by("observation_date")
        .agg(pl.col(NAMES).sum())
        .sort("observation_date")
        .collect(engine="streaming")
    )
    return made, sums


def numpy(values: np.ndarray) -> Outputs:
    """Side by side, rolling moments from cumulative sums of centred data."""
    found = {name: np.full_like(values, np.nan) for name in ("yoy", "zscore", "ewma")}
    found["yoy"][WINDOW:] = 100 * (values[WINDOW:] / values[:-WINDOW] - 1)
    centred = values - values.mean(axis=0)
    sums, squares = np.zeros((2, DAYS + 1, SERIES))
    np.cumsum(centred, axis=0, out=sums[1:])
    np.cumsum(centred * centred, axis=0, out=squares[1:])
    mean = (sums[WINDOW:] - sums[:-WINDOW]) / WINDOW
    variance = (squares[WINDOW:] - squares[:-WINDOW] - WINDOW * mean * mean) / (WINDOW - 1)
    found["zscore"][WINDOW - 1 :] = (centred[WINDOW - 1 :] - mean) / np.sqrt(variance)
    average, share = found["ewma"], 2 / (SPAN + 1)
    average[0] = values[0]
    for day in range(1, DAYS):
        average[day] = average[day - 1] + share * (values[day] - average[day - 1])
    found["drawdown"] = 100 * (1 - values / np.maximum.accumulate(values, axis=0))
    return {**found, "sums": values @ WEIGHTS}


def two_passes(values: np.ndarray) -> Outputs:
    """The reference: as NumPy's, but each window by itself."""
    windows = np.lib.stride_tricks.sliding_window_view(values, WINDOW, axis=0)
    score = np.full_like(values, np.nan)
    for column in range(SERIES):  # one at a time, lest the windows be copied as a whole
        own = windows[:, column]
        score[WINDOW - 1 :, column] = (own[:, -1] - own.mean(axis=1)) / own.std(axis=1, ddof=1)
    return {**numpy(values), "zscore": score}


def pandas_long(long: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same long table, grouped."""
    grouped = long.groupby("series_id", sort=False)["value"]
    rolling = grouped.rolling(WINDOW)
    score = (long["value"] - rolling.mean().to_numpy()) / rolling.std().to_numpy()
    average = grouped.ewm(span=SPAN, adjust=False).mean().to_numpy()
    yoy = 100 * grouped.pct_change(WINDOW, fill_method=None)
    drawdown = 100 * (1 - long["value"] / grouped.cummax())
    made = pd.DataFrame({"yoy": yoy, "zscore": score, "ewma": average, "drawdown": drawdown})
    own = WEIGHTS[long["series_id"].to_numpy()]
    weighed = pd.DataFrame(own * long[["value"]].to_numpy(), columns=NAMES)
    return made, weighed.groupby(long["observation_date"], sort=False).sum()


def pandas_wide(wide: pd.DataFrame) -> Outputs:
    """Side by side."""
    rolling = wide.rolling(WINDOW)
    return {
        "yoy": (100 * wide.pct_change(WINDOW, fill_method=None)).to_numpy(),
        "zscore": ((wide - rolling.mean()) / rolling.std()).to_numpy(),
        "ewma": wide.ewm(span=SPAN, adjust=False).mean().to_numpy(),
        "drawdown": (100 * (1 - wide / wide.cummax())).to_numpy(),
        "sums": wide.to_numpy() @ WEIGHTS,
    }


def side_by_side(told: tuple[pl.DataFrame | pd.DataFrame, pl.DataFrame | pd.DataFrame]) -> Outputs:
    """Columns of a long table and of the sums as arrays of days."""
    made, sums = told
    found = {name: np.asarray(made[name], dtype=float).reshape(SERIES, DAYS).T for name in STEPS}
    return {**found, "sums": np.asarray(sums[NAMES], dtype=float)}


def hold(found: Outputs, expected: Outputs, within: float, who: str) -> None:
    """Stop unless all outputs are the same."""
    for name, values in expected.items():
        if not np.allclose(found[name], values, rtol=within, atol=within, equal_nan=True):
            worst = np.nanmax(np.abs(found[name] - values))
            raise AssertionError(f"{who}: {name} differs from the reference by up to {worst:.3g}")


def numba_zscore() -> Callable[[np.ndarray], np.ndarray] | None:
    """The z-score alone, compiled; None where Numba is not installed."""
    try:
        from numba import njit
    except ImportError:
        return None

    @njit  # type: ignore[untyped-decorator]
    def score(values: np.ndarray) -> np.ndarray:
        made = np.full(values.shape, np.nan)
        for k in range(values.shape[1]):
            origin, total, squares = values[0, k], 0.0, 0.0
            for i in range(values.shape[0]):
                x = values[i, k] - origin
                total, squares = total + x, squares + x * x
                if i >= WINDOW:
                    old = values[i - WINDOW, k] - origin
                    total, squares = total - old, squares - old * old
                if i >= WINDOW - 1:
                    mean = total / WINDOW
                    made[i, k] = (x - mean) / np.sqrt((squares - WINDOW * mean * mean) / (WINDOW - 1))
        return made

    return score  # type: ignore[no-any-return]


def run() -> list[Ratio]:
    drawn = np.random.default_rng(0).normal(size=(DAYS, SERIES))
    high = 1e6 + 0.01 * drawn
    score = {"zscore": two_passes(high)["zscore"]}
    hold(side_by_side(ours(table(high))), score, 1e-6, "ours at level 1e6")
    values = 100 * np.exp((0.01 * drawn).cumsum(axis=0))
    long, expected = table(values), two_passes(values)
    long_pandas, wide = long.to_pandas(), pd.DataFrame(values)
    hold(side_by_side(ours(long)), expected, 1e-9, "ours")
    hold(numpy(values), expected, 1e-6, "NumPy")
    hold(side_by_side(pandas_long(long_pandas)), expected, 1e-6, "pandas")
    hold(pandas_wide(wide), expected, 1e-6, "pandas, side by side")

    title = "kernels, long table"
    sides: list[tuple[str, Callable[[], object], float]] = [
        ("NumPy, side by side", lambda: numpy(values), 2.0),
        ("pandas, long table", lambda: pandas_long(long_pandas), 0.5),
        ("pandas, side by side (reported)", lambda: pandas_wide(wide), float("inf")),
    ]
    ratios = [Ratio(title, *_raced(lambda: ours(long), other, name), at_most) for name, other, at_most in sides]
    if compiled := numba_zscore():
        hold({"zscore": compiled(values)}, {"zscore": expected["zscore"]}, 1e-6, "Numba")
        one = expression((STEPS["zscore"],), [pl.col("value")], "D").over("series_id")
        raced = _raced(lambda: long.select(one), lambda: compiled(values), "Numba, side by side (reported)")
        ratios.append(Ratio("z-score, long table", *raced, float("inf")))
    return ratios


def _raced(mine: Callable[[], object], other: Callable[[], object], name: str) -> tuple[float, str, float]:
    a, b = interleaved(mine, other, ROUNDS)
    return a, name, b


if __name__ == "__main__":
    found = run()
    show(found)
    sys.exit(0 if all(r.met for r in found) else 1)
