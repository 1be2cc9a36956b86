"""Monotone convex curves: published numbers, what they must price, and rates no curve has."""

from __future__ import annotations

import numpy as np
import pytest

from macro_assets.transforms.curves import monotone_convex as convex

BONDS = [
    ([0.25, 0.5, 0.75, 1], [12.5, 12.5, 12.5, 1012.5]),
    (np.arange(1, 5) / 2, [30, 30, 30, 1030]),
    (np.arange(1, 7) / 2, [40] * 5 + [1040]),
    (np.arange(1, 9) / 2, [15] * 7 + [1015]),
]
"""A year 5 % quarterly; two 6 %, three 8 % and four years 3 % semi-annually."""

TENORS = [0.25, 0.5, 1, 2, 3, 5, 10]


def test_forward_rates_through_discrete_forwards_are_the_published() -> None:
    curves = convex.from_forwards([0.25, 0.5, 1, 2, 3], [5, 5.1, 5.2, 5.3, 5.5])
    published = [5.05, 5.133333333, 5.233333333, 5.4, 5.55, 5.241]
    assert curves.forward([0.25, 0.5, 1, 2, 3, 1.1])[0] == pytest.approx(published, abs=1e-6)
    assert curves.zero(1.1) * 1.1 - curves.zero(1) == pytest.approx(0.5237, abs=1e-6)


def test_forward_rates_through_zero_rates_are_those_of_hagan_and_west() -> None:
    curves = convex.from_zero([1, 2, 3, 4, 5], [2.75, 4, 4.75, 5, 4.75])
    assert curves.forward([0.3, 1.3, 2.1, 4.5])[0] == pytest.approx([2.29375, 5.010625, 6.09, 3.625], abs=1e-6)


def test_zero_rates_through_discrete_forwards_are_the_published() -> None:
    times = [0.25, 0.5, 1, 2, 3, 1.1, 2.5, 2.9, 3.6, 4]
    published = [5.1171875, 5.09375, 5, 4.75, 4.533333, 4.974591, 4.624082, 4.535422, 4.661778, 4.775]
    assert convex.from_forwards([1, 2, 3, 4], [5, 4.5, 4.1, 5.5]).zero(times)[0] == pytest.approx(published, abs=1e-6)


def test_the_bootstrap_finds_the_published_zero_rates() -> None:
    prices = [999.68155223943393, 1022.322872470043, 1093.9894418810143, 934.20885689015677]
    zero = convex.bootstrap(BONDS, prices).zero([1, 2, 3, 4])[0]
    assert zero == pytest.approx([5.0, 4.75, 4.53333333, 4.775], abs=1e-4)  # 1e-6 of a fraction


def test_the_bootstrap_finds_negative_rates_and_clips_none() -> None:
    prices = [1029.54933442, 1097.95320227, 1268.65376174, 1249.84175959]
    curves = convex.bootstrap(BONDS, prices)
    assert curves.zero([1, 2, 3, 4])[0] / 100 == pytest.approx([0.02, 0.01, -0.01, -0.03], abs=1e-4)
    assert curves.forward(4)[0, 0] < 0


def test_bonds_have_their_prices_again() -> None:
    prices = np.array([[999.0, 1022.0, 1093.0, 934.0], [1029.5, 1097.9, np.nan, 1249.8]])
    curves = convex.bootstrap(BONDS, prices)
    again = np.stack([curves.discount(times) @ paid for times, paid in BONDS], axis=1)
    assert again[np.isfinite(prices)] == pytest.approx(prices[np.isfinite(prices)], abs=1e-8)


def test_rates_of_hundreds_of_percent_are_refused_by_row() -> None:
    plain = [999.68155223943393, 1022.322872470043, 1093.9894418810143, 934.20885689015677]
    high = [11.561316110080888, 2.6491572753698067, 3.4340789041846866, 1.28732090544209]  # 500 %
    with pytest.raises(convex.NoCurveError) as refused:
        convex.bootstrap(BONDS, [plain, high])
    assert refused.value.rows == (1,)
    left = convex.bootstrap(BONDS, [plain, high], unsolved="null").zero([1, 2, 3, 4])
    assert np.isnan(left).tolist() == [[False] * 4, [True] * 4]
    with pytest.raises(convex.NoCurveError, match="the first at row 0"):
        convex.par_to_zero(TENORS, [5, 500, 5, 500, 5, 500, 5])


@pytest.mark.parametrize("clip", [False, True])
def test_bonds_at_par_are_worth_a_hundred(clip: bool) -> None:
    par = np.array([[5.4, 5.3, 4.8, 4.2, 4.0, 3.8, 3.9], [0.05, 0.1, 0.1, np.nan, 0.3, 0.9, 2.0]])
    curves = convex.par_to_zero(TENORS, par, clip=clip)
    coupons = np.arange(1, 21) / 2
    for column, maturity in enumerate(TENORS[2:], start=2):
        bond = par[:, column] / 2 * curves.discount(coupons[coupons <= maturity]).sum(axis=1)
        worth = bond + 100 * curves.discount(maturity)[:, 0]
        assert worth[np.isfinite(par[:, column])] == pytest.approx(100, abs=1e-8)
    assert curves.discount(0.25)[:, 0] == pytest.approx(1 / (1 + par[:, 0] / 400), abs=1e-12)


def test_a_last_piece_of_twenty_years_comes_to_rest() -> None:
    """1993-08-06, without the 20 years that came in October: plain steps go to and fro around the last rate."""
    tenors, par = [0.25, 0.5, 1, 2, 3, 5, 7, 10, 30], [3.11, 3.28, 3.52, 4.09, 4.48, 5.16, 5.52, 5.86, 6.53]
    curves = convex.par_to_zero(tenors, par)
    coupons = np.arange(1, 61) / 2
    assert 6.53 / 2 * curves.discount(coupons).sum() + 100 * curves.discount(30)[0, 0] == pytest.approx(100, abs=1e-8)


def test_forwards_are_continuous_and_add_up_to_the_zero_rates() -> None:
    """Curves of all shapes: each of the four kinds of pieces is among them."""
    zero = np.random.default_rng(1).normal(3, 2, (200, len(TENORS)))
    curves = convex.from_zero(TENORS, zero)
    inner = np.array(TENORS[:-1])
    assert curves.forward(inner - 1e-9) == pytest.approx(curves.forward(inner + 1e-9), abs=1e-4)
    assert curves.zero(TENORS) == pytest.approx(zero, abs=1e-12)
    at, step = np.linspace(0.013, 9.987, 400), 1e-6
    above, below = at + step, at - step
    slope = (curves.zero(above) * above - curves.zero(below) * below) / (2 * step)
    assert curves.forward(at) == pytest.approx(slope, abs=1e-4)


def test_clipped_forwards_are_not_negative_where_discrete_forwards_are_not() -> None:
    steep = [9, 0.1, 9, 0.1, 0.1]
    at = np.linspace(0, 5, 501)
    assert convex.from_forwards([1, 2, 3, 4, 5], steep).forward(at).min() < 0
    clipped = convex.from_forwards([1, 2, 3, 4, 5], steep, clip=True)
    assert clipped.forward(at).min() >= 0
    assert clipped.zero(5)[0, 0] == pytest.approx(np.mean(steep))


def test_what_is_not_known_is_not_made_up() -> None:
    gaps = [[np.nan] * 7, [4, 4.1] + [np.nan] * 5, [4, np.nan, 4, 4, np.nan, 4, np.nan], [4, np.inf, 4, 4, 4, 4, 4]]
    zero = convex.par_to_zero(TENORS, gaps).zero([-1, 0, 1, 5, 5.1, 10, 10.1])
    known = [[False] * 7, [False] * 7, [False, True, True, True, False, False, False], [False] + [True] * 5 + [False]]
    assert np.isfinite(zero).tolist() == known


def test_a_flat_curve_is_flat() -> None:
    curves = convex.par_to_zero([0.5, 1, 2, 10], [[4] * 4, [0] * 4, [-0.5] * 4])
    level = 200 * np.log1p(np.array([4, 0, -0.5]) / 200)
    at = [0, 0.1, 0.7, 4, 10]
    assert curves.zero(at) == pytest.approx(np.repeat(level[:, None], 5, axis=1), abs=1e-9)
    assert curves.forward(at) == pytest.approx(curves.zero(at), abs=1e-9)


@pytest.mark.parametrize(
    ("maturities", "message"),
    [
        ([1, 2, 2.25], "whole periods"),
        ([1, 1, 2], "increasing"),
        ([0, 1, 2], "positive"),
        ([1, 2, np.nan], "positive"),
        ([1, 2], "3 rates a date for 2 maturities"),
    ],
)
def test_maturities_that_make_no_curve_are_refused(maturities: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        convex.par_to_zero(maturities, [4, 4, 4])
    with pytest.raises(ValueError, match="'raise' or 'null'"):
        convex.par_to_zero([1, 2, 3], [4, 4, 4], unsolved="skip")
