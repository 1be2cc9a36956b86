"""HAR: the published estimates of the VIX, a recursion by hand, and forecasts that know no later figure."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from macro_assets.transforms.volatility.errors import VolatilityError
from macro_assets.transforms.volatility.har import as_of_each, fit, trailing_means


@pytest.fixture(scope="module")
def vix() -> pl.DataFrame:
    """The VIX of the arch package, 2014-2019."""
    from arch.data import vix

    values = vix.load()["vix"].dropna()
    return pl.DataFrame({"observation_date": [d.date() for d in values.index], "value": values.to_numpy()})


def test_published_estimates(vix: pl.DataFrame) -> None:
    """As arch's HARX documents them: 0.6335, 0.9287, -0.0318, 0.0612."""
    from arch.univariate import HARX

    found = fit(vix["value"].to_numpy())
    assert [found.constant, *found.slopes] == pytest.approx([0.6335, 0.9287, -0.0318, 0.0612], abs=5e-5)
    theirs = HARX(vix["value"].to_numpy(), lags=[1, 5, 22]).fit(disp="off").params.to_numpy()[:4]
    assert [found.constant, *found.slopes] == pytest.approx(theirs, rel=1e-8)


def test_trailing_means_by_hand() -> None:
    assert trailing_means(np.array([1.0, 3.0, 8.0]), (1, 2)).tolist()[1:] == [[3, 2], [8, 5.5]]
    assert np.isnan(trailing_means(np.array([1.0]), (2,))).all()


def test_a_recursion_is_found_again_at_any_horizon() -> None:
    """x(t+1) = 1 + .5 x(t) + .2 mean of two, without noise; the mean of the next two is linear in the same."""
    values = [3.0, 9.0]
    for _ in range(60):
        values.append(1 + 0.5 * values[-1] + 0.2 * (values[-1] + values[-2]) / 2)
    found = fit(np.array(values[:26]), (1, 2))
    assert [found.constant, *found.slopes] == pytest.approx([1, 0.5, 0.2], abs=1e-8)
    assert found.observations == 24
    ahead = fit(np.array(values[:27]), (1, 2), horizon=2)
    assert ahead.forecasts(np.array(values[:27]))[-1] == pytest.approx((values[27] + values[28]) / 2, abs=1e-8)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.arange(20.0), "expected at least 52 values for lags"),
        (np.ones(200), "expected values that differ"),
        (np.arange(200.0), "do not tell the slopes apart"),
        (np.where(np.arange(200) == 5, np.nan, np.arange(200.0)), "missing or infinite"),
    ],
)
def test_values_that_say_nothing_are_refused(values: np.ndarray, said: str) -> None:
    with pytest.raises(VolatilityError, match=said):
        fit(values)


def test_estimates_of_a_horizon_know_no_value_after_their_day(vix: pl.DataFrame) -> None:
    """Those of January are of targets that end in December; the values of the new year change none of them."""
    asked = {"lags": (1, 5, 22), "horizon": 5, "min_obs": 200, "every": "1y"}
    cut = pl.col("observation_date") >= date(2016, 1, 1)
    found = as_of_each(vix, **asked)
    changed = as_of_each(vix.with_columns(value=pl.when(cut).then(pl.col("value") * 3).otherwise("value")), **asked)
    assert found.filter(~cut).equals(changed.filter(~cut))
    known = vix.filter(~cut)["value"].to_numpy()
    first = found.filter(cut).row(0, named=True)
    assert first["estimated_through"] == date(2015, 12, 31)
    upto = vix.filter(pl.col("observation_date") <= first["observation_date"])["value"].to_numpy()
    assert first["expected_value"] == pytest.approx(fit(known, horizon=5).forecasts(upto)[-1], rel=1e-12)
    assert as_of_each(vix.head(100), **asked).is_empty()
