"""Filters: figures of Stata and of the papers (R-17), no look ahead unless asked for, gaps, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from macro_assets.transforms.filters import baxter_king, hamilton, hodrick_prescott

Filter = Callable[[pl.Series], pl.Series]


@pytest.fixture(scope="module")
def macrodata() -> pl.DataFrame:
    data = sm.datasets.macrodata.load_pandas().data
    return pl.DataFrame({name: data[name].to_numpy() for name in ("realgdp", "realinv")})


def test_hodrick_prescott_of_real_gdp(macrodata: pl.DataFrame) -> None:
    gdp = macrodata["realgdp"]
    cycle = hodrick_prescott(gdp, 1600, full_sample=True)
    assert [cycle[0], cycle[1], cycle[-1]] == pytest.approx([39.51191484, 80.08853246, -333.11524281], abs=1e-5)
    assert [gdp[0] - cycle[0], gdp[-1] - cycle[-1]] == pytest.approx([2670.83708516, 13323.45624281], abs=1e-5)


def test_baxter_king_of_real_investment(macrodata: pl.DataFrame) -> None:
    cycle = baxter_king(macrodata["realinv"], 6, 32, 12)
    assert cycle.null_count() == 24
    assert [*cycle[12:15], cycle[-13]] == pytest.approx([7.320813, 2.886914, -6.818976, 154.6432], abs=1e-5, rel=1e-6)


def test_hamilton_of_real_gdp(macrodata: pl.DataFrame) -> None:
    cycle = hamilton(100 * macrodata["realgdp"].log(), 8, 4, full_sample=True)
    assert cycle.null_count() == 11
    assert [cycle[11], cycle[-1]] == pytest.approx([-1.51418621, -6.98323485], abs=1e-5)


@pytest.mark.parametrize(
    ("one_sided", "of_all"),
    [
        (lambda x: hodrick_prescott(x, 1600), lambda x: hodrick_prescott(x, 1600, full_sample=True)),
        (lambda x: hamilton(x, 8, 4, min_obs=20), lambda x: hamilton(x, 8, 4, min_obs=20, full_sample=True)),
    ],
)
def test_a_one_sided_cycle_is_the_end_of_that_of_the_figures_so_far(
    one_sided: Filter, of_all: Filter, macrodata: pl.DataFrame
) -> None:
    gdp = macrodata["realgdp"]
    cycle = one_sided(gdp)
    for end in (40, 90, gdp.len()):
        assert cycle[end - 1] == pytest.approx(of_all(gdp[:end])[-1], rel=1e-9)
    planted = pl.concat([gdp[:90], gdp[90:] * 1e6])
    assert one_sided(planted)[:90].equals(cycle[:90], null_equal=True)
    assert not of_all(planted)[:90].equals(of_all(gdp)[:90], null_equal=True)


def test_baxter_king_knows_no_more_than_its_leads(macrodata: pl.DataFrame) -> None:
    x = macrodata["realinv"]
    planted = pl.concat([x[:90], x[90:] * 1e6])
    found, expected = baxter_king(planted, 6, 32, 12), baxter_king(x, 6, 32, 12)
    assert found[:78].equals(expected[:78], null_equal=True)
    assert found[78] != expected[78]


def test_a_trend_runs_on_through_a_gap_and_a_line_has_no_cycle() -> None:
    line = pl.Series([None, *(2.0 * n for n in range(10)), None, None, *(2.0 * n for n in range(12, 20))])
    for full_sample in (False, True):
        cycle = hodrick_prescott(line, 1600, full_sample=full_sample)
        assert cycle.null_count() == (3 if full_sample else 5)
        assert cycle.drop_nulls().to_list() == pytest.approx([0.0] * cycle.drop_nulls().len(), abs=1e-7)


EVERY: list[Filter] = [
    lambda x: hodrick_prescott(x, 1600),
    lambda x: hodrick_prescott(x, 1600, full_sample=True),
    lambda x: baxter_king(x, 6, 32, 3),
    lambda x: hamilton(x, 4, 2),
    lambda x: hamilton(x, 4, 2, full_sample=True),
]


@pytest.mark.parametrize("of", EVERY)
@pytest.mark.parametrize(
    "values", [[], [1.0], [None] * 30, [5.0] * 30, [0.0] * 30, [-3.0, 500.0] * 15, [1.0, math.inf, math.nan] * 10]
)
def test_no_figures_are_no_crash_and_nothing_is_infinite(of: Filter, values: list[float | None]) -> None:
    cycle = of(pl.Series("x", values, dtype=pl.Float64))
    assert cycle.len() == len(values)
    assert cycle.drop_nulls().is_finite().all()
    if len({*values}) == 1:
        assert np.abs(cycle.drop_nulls().to_numpy()).max(initial=0) < 1e-8


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: hodrick_prescott(x, 0), "smoothing: expected a positive number, got 0"),
        (lambda x: hodrick_prescott(x, 1600, min_obs=2), "min_obs: expected at least 3, got 2"),
        (lambda x: baxter_king(x, 6, 32, 0), "leads: expected at least 1, got 0"),
        (lambda x: baxter_king(x, 32, 6, 12), "shortest, longest: expected"),
        (lambda x: hamilton(x, 0, 4), "horizon, lags: expected at least 1"),
        (lambda x: hamilton(x, 8, 4, min_obs=5), "min_obs: expected more than the 5 coefficients"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Callable[[pl.Series], Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call(pl.Series([1.0] * 40))
