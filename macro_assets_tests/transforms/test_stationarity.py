"""Unit roots: the figures of R-19, and what cannot be tested."""

from __future__ import annotations

import math
from typing import get_args

import polars as pl
import pytest
import statsmodels.api as sm
from arch.data import default

from macro_assets.transforms.stationarity import Test, Trend, UntestableError, unit_root

DATA = sm.datasets.macrodata.load_pandas().data
SPREAD = default.load()
SERIES = {
    "gdp": pl.Series(DATA["realgdp"].to_numpy()),
    "inflation": pl.Series(DATA["infl"].to_numpy()),
    "spread": pl.Series((SPREAD["BAA"] - SPREAD["AAA"]).to_numpy()),
}


@pytest.mark.parametrize(
    ("series", "test", "trend", "lags", "statistic"),
    [
        ("gdp", "adf", "c", 4, 0.97505161),
        ("gdp", "adf", "ct", 4, -1.85663841),
        ("inflation", "adf", "c", 1, -4.33469899),
        ("gdp", "kpss", "c", 4, 4.03301),
        ("gdp", "kpss", "ct", 4, 0.952883),
        ("spread", "adf", "c", None, -3.3561564),
        ("spread", "adf", "c", 5, -3.5821648),
        ("spread", "df_gls", "c", None, -2.3221734),
        ("spread", "pp", "c", None, -3.8981801),
        ("spread", "kpss", "c", None, 1.0875363),
        ("spread", "zivot_andrews", "c", None, -4.9004329),
    ],
)
def test_published_statistics(series: str, test: Test, trend: Trend, lags: int | None, statistic: float) -> None:
    found = unit_root(SERIES[series], test, trend, lags=lags)
    assert found.statistic == pytest.approx(statistic, abs=2e-6)
    assert found.null == ("stationary" if test == "kpss" else "unit root")


def test_p_values_and_lags() -> None:
    assert unit_root(SERIES["gdp"], "adf", lags=4).p_value == pytest.approx(0.993996, abs=1e-6)
    assert unit_root(SERIES["gdp"], "adf", "ct", lags=4).p_value == pytest.approx(0.676829, abs=1e-6)
    spread = unit_root(SERIES["spread"], "adf")
    assert spread.p_value == pytest.approx(0.0125, abs=5e-5)
    assert (spread.lags, spread.observations) == (21, 1178)


def test_what_is_missing_at_the_ends_is_left_out() -> None:
    padded = pl.concat([pl.Series([None, math.nan]), SERIES["gdp"], pl.Series([None], dtype=pl.Float64)])
    assert unit_root(padded, "adf", lags=4) == unit_root(SERIES["gdp"], "adf", lags=4)


@pytest.mark.parametrize("test", get_args(Test))
@pytest.mark.parametrize(
    "values",
    [[], [1.0], [None] * 30, [5.0] * 30, [0.0] * 30, [1.0, -2.0, 4.0], [0.1 * n for n in range(40)],
     [1.0, 3.0, None, 2.0] * 10, [math.inf, 1.0, 2.0, 5.0] * 10],
)  # fmt: skip
def test_what_cannot_be_tested_is_refused(test: Test, values: list[float | None]) -> None:
    with pytest.raises(UntestableError):
        unit_root(pl.Series(values, dtype=pl.Float64), test)


def test_an_unknown_test_is_refused() -> None:
    with pytest.raises(ValueError, match="test: expected one of adf, df_gls"):
        unit_root(SERIES["gdp"], "dickey")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="trend: expected 'c' or 'ct', got 'n'"):
        unit_root(SERIES["gdp"], "adf", "n")  # type: ignore[arg-type]
