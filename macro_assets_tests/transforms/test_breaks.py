"""Breaks and drifts: against statsmodels, by hand, and of figures that say nothing."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from statsmodels.stats.diagnostic import breaks_cusumolsresid

from macro_assets.transforms.breaks import chow, cusum, drift
from macro_assets.transforms.stationarity import UntestableError

NOISE = np.random.default_rng(7).standard_normal(200)
INFLATION = pl.Series(sm.datasets.macrodata.load_pandas().data["infl"].to_numpy())
"""US, quarterly, 1959-2009: it rose with the seventies and came down after 1982."""


@pytest.mark.parametrize("x", [NOISE, NOISE + np.repeat([0.0, 1.0], 100), INFLATION.to_numpy()])
def test_cusum_without_lags_is_that_of_statsmodels(x: np.ndarray) -> None:
    found = cusum(pl.Series(x), lags=0)
    statistic, p_value, _ = breaks_cusumolsresid(x - x.mean())
    assert found.statistic == pytest.approx(statistic, rel=1e-12)
    assert found.p_value == pytest.approx(p_value, rel=1e-9)


def test_a_change_of_mean_is_found_where_it_is() -> None:
    assert cusum(pl.Series(NOISE)).p_value > 0.1
    found = cusum(pl.Series(NOISE + np.repeat([0.0, 1.5], [120, 80])))
    assert found.p_value < 1e-4
    assert abs(found.at - 120) <= 5


def test_persistent_figures_are_no_break_by_the_long_run_variance() -> None:
    """Without it, three in four of these series would be said to break."""
    x = np.zeros((200, 300))
    for t in range(1, 200):
        x[t] = 0.7 * x[t - 1] + np.random.default_rng(t).standard_normal(300)
    found = [cusum(pl.Series(x[:, n])) for n in range(100)]
    without = [cusum(pl.Series(x[:, n]), lags=0) for n in range(100)]
    assert sum(f.p_value < 0.05 for f in found) <= 20
    assert sum(f.p_value < 0.05 for f in without) >= 60


def test_chow_is_the_f_test_of_two_regressions_against_one() -> None:
    x, at = INFLATION.to_numpy(), 95
    y, before = x[1:], x[:-1]
    late = (np.arange(len(y)) >= at - 1).astype(float)
    one = sm.OLS(y, sm.add_constant(before)).fit()
    two = sm.OLS(y, np.column_stack([np.ones(len(y)), before, late, late * before])).fit()
    statistic, p_value, _ = two.compare_f_test(one)
    found = chow(INFLATION, at)
    assert (found.statistic, found.p_value) == pytest.approx((statistic, p_value), rel=1e-9)
    assert chow(pl.Series(NOISE), 100).p_value > 0.05
    assert chow(pl.Series(NOISE + np.repeat([0.0, 3.0], 100)), 100).p_value < 1e-6


def test_psi_by_hand() -> None:
    """Quarters of 1 to 8 hold 25 % each; of the later four, one is in the first, three are in the last."""
    found = drift(pl.Series([float(n) for n in range(1, 9)]), pl.Series([1.0, 8.0, 9.0, 10.0]), bins=4)
    empty = 0.5 / 4  # of no figure, half of one
    by_hand = (0.75 - 0.25) * math.log(3) + 2 * (empty - 0.25) * math.log(empty / 0.25)
    assert found.psi == pytest.approx(by_hand)


def test_figures_of_the_same_kind_do_not_drift_and_others_do() -> None:
    earlier, later = pl.Series(NOISE[:140]), pl.Series(NOISE[140:])
    assert drift(earlier, later).psi < 0.25
    assert drift(earlier, later + 1.5).psi > 0.25
    assert drift(earlier, later + 1.5).p_value < 1e-6
    assert drift(earlier, later * 4).p_value < 1e-2
    assert drift(earlier, earlier).psi == 0


@pytest.mark.parametrize(
    "ask",
    [
        lambda: cusum(pl.Series([1.0] * 50)),
        lambda: cusum(pl.Series([1.0, 2.0, None, 3.0])),
        lambda: chow(pl.Series([1.0] * 50), 25),
        lambda: chow(pl.Series(NOISE), 4),
        lambda: chow(pl.Series(NOISE), 198),
        lambda: drift(pl.Series([1.0] * 50), pl.Series([2.0])),
        lambda: drift(pl.Series(NOISE), pl.Series([], dtype=pl.Float64)),
        lambda: drift(pl.Series([1.0, 2.0]), pl.Series([2.0])),
    ],
)
def test_figures_that_say_nothing_are_refused(ask: object) -> None:
    with pytest.raises(UntestableError, match="expected"):
        ask()  # type: ignore[operator]
