"""Nelson-Siegel and Svensson: published numbers, known curves found again, and what is not identified."""

from __future__ import annotations

import numpy as np
import pytest

from macro_assets.transforms.curves import nelson_siegel as ns
from macro_assets.transforms.curves.arrays import Array

TENORS = np.array([1 / 12, 0.25, 0.5, 1, 2, 3, 5, 7, 10, 20, 30])


def curve(beta: list[float], tau: list[float]) -> ns.Fits:
    """One curve with the parameters given."""
    one = np.ones(1)
    return ns.Fits(np.array([beta]), np.array([tau]), 0 * one, one > 0, one)


def sample(number: int, svensson: bool = False) -> tuple[Array, Array, Array]:
    """Yields of curves with known betas and taus."""
    draw = np.random.default_rng(7)
    beta = np.stack([draw.uniform(2, 8, number), draw.uniform(-4, -1, number), draw.uniform(1, 4, number)], axis=1)
    tau = draw.uniform(0.6, 4, (number, 1))
    if svensson:
        beta = np.concatenate([beta, draw.uniform(2, 5, (number, 1))], axis=1)
        tau = np.concatenate([tau / 2, draw.uniform(8, 14, (number, 1))], axis=1)
    fits = ns.Fits(beta, tau, np.zeros(number), np.ones(number, bool), np.ones(number))
    return ns.yields(fits, TENORS), beta, tau


def test_yields_of_known_parameters_are_the_published() -> None:
    found = ns.yields(curve([0.017, -0.023, 0.24], [2]), [0, 1, 2, 3])[0]
    assert found == pytest.approx([-0.006, 0.04219834, 0.0658791, 0.07583593], abs=1e-8)


def test_the_published_levels_are_those_at_the_taus_their_fit_began_with_and_ours_fits_better() -> None:
    times = [0, 0.5, 1, 2, 3, 4, 5, 10, 15, 20, 25, 30]
    rates = [1, 1.1, 1.3, 1.6, 1.9, 2.1, 2.6, 3, 3.5, 3.7, 3.8, 4]
    assert ns.betas(times, rates, 2)[0, 0] == pytest.approx(4.257, abs=5e-4)
    assert ns.betas(times, rates, [2, 5])[0, 0] == pytest.approx(4.518, abs=5e-4)
    later = [1e-6, *times[1:]]
    assert ns.fit(later, rates).rmse_bp[0] < 8.419
    assert ns.fit(later, rates, svensson=True).rmse_bp[0] < 7.542


@pytest.mark.parametrize(("beta", "tau"), [([1.7, -2.3, 24.0], [2.2]), ([1.7, -2.3, 24.0, 10.0], [2.2, 3.1])])
def test_betas_at_known_taus_are_found_to_twelve_places(beta: list[float], tau: list[float]) -> None:
    times = np.arange(0, 30, 0.5)
    rates = ns.yields(curve(beta, tau), times)
    assert ns.betas(times, rates, tau)[0] / 100 == pytest.approx(np.array(beta) / 100, abs=1e-12)
    assert rates[0, 0] == pytest.approx(beta[0] + beta[1])
    if len(tau) == 2:  # a hundredth off in tau, and two places are left
        off = ns.betas(times, rates, [2.2 * 1.01, 3.1])[0]
        assert off / 100 != pytest.approx(np.array(beta) / 100, abs=1e-3)
    assert np.isnan(ns.betas(times[:2], rates[:, :2], tau)).all()


@pytest.mark.parametrize(("rate", "peak"), [(0.0609, 29.45), (0.0597761, 30.0)])
def test_the_loading_of_curvature_peaks_where_published(rate: float, peak: float) -> None:
    """Months; rate is Diebold and Li's lambda."""
    months = np.arange(10, 60, 0.001)
    curvature = ns.loadings(months, np.array([1 / rate]))[:, 2]
    assert months[curvature.argmax()] == pytest.approx(peak, abs=0.005)


def test_known_curves_are_found_again() -> None:
    rates, beta, tau = sample(200)
    fits = ns.fit(TENORS, rates)
    assert fits.tau == pytest.approx(tau, rel=1e-4)
    assert fits.beta == pytest.approx(beta, abs=1e-3)
    assert fits.identified.all()
    assert fits.rmse_bp.max() < 1e-3
    assert ns.yields(fits, TENORS) == pytest.approx(rates, abs=1e-4)


def test_known_svensson_curves_are_fitted_and_better_than_by_nelson_and_siegel() -> None:
    rates, _, _ = sample(100, svensson=True)
    two, one = ns.fit(TENORS, rates, svensson=True), ns.fit(TENORS, rates)
    assert np.median(two.rmse_bp) < 0.001
    assert (two.rmse_bp < one.rmse_bp).all()
    assert two.beta.shape == (100, 4)
    assert (two.tau[:, 1] > two.tau[:, 0]).all()


def test_a_fit_has_the_residuals_of_least_squares_at_its_tau() -> None:
    rates = sample(20)[0] + np.random.default_rng(3).normal(0, 0.05, (20, len(TENORS)))
    fits = ns.fit(TENORS, rates)
    for row in range(20):
        design = ns.loadings(TENORS, fits.tau[row])
        beta = np.linalg.lstsq(design, rates[row], rcond=None)[0]
        assert fits.beta[row] == pytest.approx(beta, abs=1e-8)
        left = rates[row] - design @ beta
        assert fits.rmse_bp[row] == pytest.approx(100 * np.sqrt((left**2).mean()), abs=1e-8)
        assert fits.condition[row] == pytest.approx(np.linalg.cond(design), rel=1e-6)


@pytest.mark.parametrize("svensson", [False, True])
@pytest.mark.parametrize("level", [4.0, 0.0, -0.5, 500.0])
def test_a_flat_curve_is_a_level_without_tau(level: float, svensson: bool) -> None:
    fits = ns.fit(TENORS, np.full((2, len(TENORS)), level), svensson=svensson)
    assert fits.beta.tolist() == [[level] + [0.0] * (2 + svensson)] * 2
    assert np.isnan(fits.tau).all()
    assert not fits.identified.any()
    assert ns.yields(fits, [1, 40]).tolist() == [[level, level]] * 2
    assert ns.forwards(fits, [1, 40]).tolist() == [[level, level]] * 2


def test_what_the_figures_do_not_tell_is_flagged() -> None:
    """Of the last digit alone, and a straight line, whose tau has no end."""
    digits = 4 + np.array([0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0]) / 10_000
    fits = ns.fit(TENORS, [digits, 2 + TENORS / 10])
    assert not fits.identified.any()
    assert fits.tau[1, 0] == pytest.approx(ns.BOUNDS[1], rel=0.01)
    assert np.isfinite(fits.rmse_bp).all()


def test_missing_tenors_are_left_out_by_date_and_too_few_give_none() -> None:
    rates = sample(5)[0]
    gone = rates.copy()
    gone[1, [0, 9]] = np.nan
    gone[2, 5:] = np.nan
    gone[3, 4:] = np.inf
    gone[4] = np.nan
    fits, whole = ns.fit(TENORS, gone), ns.fit(TENORS, rates)
    kept = np.isfinite(gone[1])
    alone = ns.fit(TENORS[kept], gone[1, kept])
    assert fits.beta[0] == pytest.approx(whole.beta[0], abs=1e-9)
    assert fits.beta[1] == pytest.approx(alone.beta[0], abs=1e-9)
    assert np.isfinite(fits.rmse_bp).tolist() == [True, True, True, False, False]
    assert not fits.identified[3:].any()
    assert np.isnan(ns.yields(fits, [1])[3:]).all()


def test_a_row_is_fitted_as_if_alone() -> None:
    """As of a date nothing but its own figures counts."""
    rates = sample(6)[0]
    other = rates.copy()
    other[3:] *= 1e6
    assert ns.fit(TENORS, rates).beta[:3] == pytest.approx(ns.fit(TENORS, other).beta[:3], abs=1e-9)


@pytest.mark.parametrize("rates", [[4.0] * 10, [[[4.0] * 11]]])
def test_a_table_of_another_shape_is_refused(rates: list[float]) -> None:
    with pytest.raises(ValueError, match="rates a date for 11 maturities"):
        ns.fit(TENORS, rates)
