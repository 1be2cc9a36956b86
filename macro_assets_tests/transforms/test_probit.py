"""The probit: published estimates, and events of which none can be estimated."""

from __future__ import annotations

import numpy as np
import pytest

from macro_assets.transforms.probit import ProbitError, fit, probability


def test_published_estimates() -> None:
    """Spector and Mazzeo (1980), as in Greene: grades and a new way of teaching."""
    from statsmodels.datasets import spector

    data = spector.load_pandas()
    found = fit(data.endog.to_numpy(), data.exog.to_numpy())
    assert found.coefficients == pytest.approx((-7.45231965, 1.62581004, 0.05172895, 1.42633234), abs=1e-7)
    assert found.standard_errors == pytest.approx((2.54247, 0.69388, 0.08389, 0.59504), abs=1e-5)
    assert found.loglikelihood == pytest.approx(-12.81880407, abs=1e-8)
    assert found.pseudo_r2 == pytest.approx(0.37747803, abs=1e-8)
    assert found.observations == 32


def test_estimates_without_a_slope_by_hand() -> None:
    """With x balanced between both outcomes the slope is 0, and the constant is the quantile of the frequency."""
    found = fit([1, 0, 0, 0, 1, 0, 0, 0], [1, 1, 1, 1, 2, 2, 2, 2])
    assert found.coefficients == pytest.approx((-0.6744897502, 0), abs=1e-8), "a quarter of the normal distribution"
    assert found.probability([1, 5]) == pytest.approx([0.25, 0.25])


def test_units_of_a_regressor_change_its_slope_alone() -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=200)
    y = (0.5 + x + draw.normal(size=200) > 0).astype(float)
    one, other = fit(y, x), fit(y, x * 1e6)
    assert other.coefficients == pytest.approx((one.coefficients[0], one.coefficients[1] / 1e6), rel=1e-9)


def test_probability_of_a_line() -> None:
    assert probability([0.0], (-0.5333, -0.6330)) == pytest.approx([0.2969130], abs=1e-6)


@pytest.mark.parametrize(
    ("events", "regressors", "said"),
    [
        ([0, 0, 1, 1], [1, 2, 3, 4], "separated"),
        ([1, 1, 0, 0], [1, 2, 3, 4], "separated"),
        ([0, 0, 1, 0, 1, 1], [1, 2, 3, 3, 4, 5], "separated"),  # but for two on the line itself
        ([0, 0, 1, 1], [1e8, 2e8, 3e8, 4e8], "separated"),
        ([0] * 50 + [1], [0] * 50 + [1], "separated"),
        ([0, 1, 1, *[0] * 9, *[1] * 9], [3, 3, 3, *[1, 2, 2.9] * 3, *[4, 5, 3.1] * 3], "separated"),
        ([0, 0, 0], [1, 2, 3], "got 0 of 3"),
        ([1, 1, 1], [1, 2, 3], "got 3 of 3"),
        ([], [], "got 0 of 0"),
        ([0, 1, 0, 1], [5, 5, 5, 5], "collinear"),
        ([0, 1, 1, 0], [[1, 2], [2, 4], [3, 6], [4, 8]], "collinear"),
        ([0, 1, float("nan")], [1, 2, 3], "missing"),
        ([0, 1, 0.5], [1, 2, 3], "0 or 1"),
        ([0, 1, 1], [1, float("nan"), 3], "missing"),
        ([0, 1], [[1, 2], [2, 1]], "more than 3 observations, got 2"),
        ([0, 1], [1, 2, 3], "2 events and 3 observations"),
    ],
)
def test_what_cannot_be_estimated_is_refused(events: list[float], regressors: list[float], said: str) -> None:
    with pytest.raises(ProbitError, match=said):
        fit(events, regressors)
