"""Nelson-Siegel and Svensson curves fitted to all dates at once.

Given tau the curve is linear in its betas. So tau is looked for, first on a grid, in one product of matrices for all
dates, then between the neighbours of the best; the betas follow by least squares. The two taus of Svensson have many
valleys: three searches are made, and now and then there is a lower one still, some tenths of a basis point better.

What the figures of a date do not tell is not made up. On a flat curve every tau fits as well: the betas are the level
and zeros, tau is NaN. `identified` is false there, where tau ends at a bound, where no tau of the grid fits
:data:`TOLD_BP` worse, and where the loadings are nearly dependent (:data:`WORST_CONDITION`): the curve may be used,
its tau and single betas not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from macro_assets.transforms.curves.arrays import Array, Flags, by_known, grid, table

BOUNDS = (0.005, 50.0)
"""Least and greatest tau, in years."""

SVENSSON_BOUNDS = (0.05, 50.0)
"""The same for both taus of Svensson: a hump of days is not looked for."""

TOLD_BP = 0.1
"""What the worst tau of the grid must fit worse than the best, in basis points of the root mean square."""

WORST_CONDITION = 1e4
"""Condition number of the loadings from which betas are not identified."""

FLAT_BP = 1e-3
"""Root mean square about its mean, in basis points, up to which a curve is flat."""

_GRID, _PAIRS = 80, 24
_NEAR = 1.01
_GOLDEN_STEPS = 22
_SEARCH_STEPS = 40
_APART = 1.15
"""How many times the first tau of Svensson the second is, at least."""
_FIELDS = ((0.0, 0.7), (0.7, 2.5), (2.5, np.inf))
"""Ranges of the first tau of Svensson, from the best of each of which the search sets out."""


@dataclass(frozen=True)
class Fits:
    """The curves of all dates.

    Attributes
    ----------
    beta
        Level, slope, curvature (and second curvature), percent: a row a date; NaN where there are too few tenors.
    tau
        Years, one column or two; NaN where the curve is flat, too.
    rmse_bp
        Root mean square of what is left, in basis points.
    identified
        Whether the figures of the date tell tau and the betas.
    condition
        Condition number of the loadings at tau, at most 7e7; NaN where tau is.
    """

    beta: Array
    tau: Array
    rmse_bp: Array
    identified: Flags
    condition: Array


def loadings(maturities: Array, tau: Array) -> Array:
    """Loadings of the betas at maturities: of level, slope and one curvature a tau.

    Parameters
    ----------
    maturities
        Years.
    tau
        One or two taus in the last dimension. One that is not positive, or NaN, has loadings of 0.

    Returns
    -------
    ndarray
        The shape of `tau` without its last dimension, then maturities, then loadings.
    """
    used = tau > 0
    ratio = maturities[:, None] / np.where(used, tau, 1.0)[..., None, :]
    decay = np.exp(-ratio)
    mean = np.where(ratio > 0, -np.expm1(-ratio) / np.where(ratio > 0, ratio, 1.0), 1.0)
    on = used[..., None, :]
    slope, curvature = np.where(on, mean, 0.0), np.where(on, mean - decay, 0.0)
    return np.concatenate([np.ones_like(slope[..., :1]), slope[..., :1], curvature], axis=-1)


def yields(fits: Fits, maturities: ArrayLike) -> Array:
    """Yields of fitted curves, percent: a row a date, a column a maturity."""
    at = np.atleast_1d(np.asarray(maturities, dtype=float))
    found: Array = np.einsum("nmk,nk->nm", loadings(at, fits.tau), fits.beta)
    return found


def forwards(fits: Fits, maturities: ArrayLike) -> Array:
    """Instantaneous forward rates of fitted curves of zero rates, percent."""
    at = np.atleast_1d(np.asarray(maturities, dtype=float))
    used = fits.tau > 0
    ratio = at[None, :, None] / np.where(used, fits.tau, 1.0)[:, None, :]
    decay = np.where(used[:, None, :], np.exp(-ratio), 0.0)
    level, slope = fits.beta[:, [0]], fits.beta[:, [1]]
    found: Array = level + slope * decay[:, :, 0] + ((ratio * decay) * fits.beta[:, None, 2:]).sum(axis=2)
    return found


def betas(maturities: ArrayLike, yields: ArrayLike, tau: ArrayLike) -> Array:
    """The betas of each date at a known tau (two for Svensson), by least squares.

    NaN where a date has fewer tenors than there are betas. Maturities may begin at 0, where the yield is the sum of
    the first two betas.
    """
    times = np.atleast_1d(np.asarray(maturities, dtype=float))
    given = table(yields, len(times))
    design = loadings(times, np.atleast_1d(np.asarray(tau, dtype=float)))
    found = np.full((len(given), design.shape[1]), np.nan)
    for rows, has in by_known(given, design.shape[1]):
        found[rows] = np.linalg.lstsq(design[has], given[np.ix_(rows, has)].T, rcond=None)[0].T
    return found


def fit(maturities: ArrayLike, yields: ArrayLike, svensson: bool = False) -> Fits:
    """Fit a curve to the yields of each date.

    Parameters
    ----------
    maturities
        Years, increasing.
    yields
        Percent: a row a date, NaN where a tenor is missing.
    svensson
        Whether there is a second curvature.

    Returns
    -------
    Fits
        NaN where a date has fewer than five tenors, with `svensson` seven: one more than there are parameters.
    """
    times = grid(maturities)
    given = table(yields, len(times))
    number, taus = len(given), 2 if svensson else 1
    beta, tau = np.full((number, 2 + taus), np.nan), np.full((number, taus), np.nan)
    rmse, condition = np.full(number, np.nan), np.full(number, np.nan)
    identified = np.zeros(number, dtype=bool)
    for rows, has in by_known(given, 3 + 2 * taus):
        part = _fitted(times[has], given[np.ix_(rows, has)], svensson=svensson)
        beta[rows], tau[rows], rmse[rows] = part.beta, part.tau, part.rmse_bp
        identified[rows], condition[rows] = part.identified, part.condition
    return Fits(beta, tau, rmse, identified, condition)


def _fitted(times: Array, given: Array, *, svensson: bool) -> Fits:
    """Fits of dates with the same tenors. Inside, a row is a tenor and a column a date: sums over tenors are fast."""
    level = given.mean(axis=1)
    rates = np.ascontiguousarray(given.T) - level
    tried = _pairs() if svensson else np.geomspace(*BOUNDS, _GRID)[None, :]
    sse = _on_grid(times, rates, tried)
    told = _rmse(sse.max(axis=0), times) - _rmse(sse.min(axis=0), times)
    search = _best_pairs if svensson else _golden_section
    tau = search(times, rates, tried, sse)
    design = _columns(times, tau)
    beta, left = _regressed(design, rates)
    beta[0] += level
    gram = np.einsum("kmn,lmn->nkl", design, design)
    spread = np.linalg.eigvalsh(gram)
    condition = np.sqrt(spread[:, -1] / np.maximum(spread[:, 0], np.finfo(float).eps * spread[:, -1]))
    flat = _rmse((rates**2).sum(axis=0), times) <= FLAT_BP
    beta[:, flat], tau[:, flat], condition[flat], left[:, flat] = 0.0, np.nan, np.nan, rates[:, flat]
    beta[0, flat] = level[flat]
    low, high = SVENSSON_BOUNDS if svensson else BOUNDS
    inside = ((tau > low * _NEAR) & (tau < high / _NEAR)).all(axis=0)
    if svensson:
        inside &= tau[1] > tau[0] * _APART * _NEAR
    identified = inside & (told > TOLD_BP) & (condition < WORST_CONDITION)
    return Fits(beta.T, tau.T, _rmse((left**2).sum(axis=0), times), identified, condition)


def _rmse(sse: Array, times: Array) -> Array:
    return 100 * np.sqrt(np.maximum(sse, 0) / len(times))


def _pairs() -> Array:
    """Pairs of taus, the second the greater."""
    one = np.geomspace(*SVENSSON_BOUNDS, _PAIRS)
    first, second = np.meshgrid(one, one, indexing="ij")
    return np.stack([first[second > first], second[second > first]])


def _columns(times: Array, tau: Array) -> Array:
    """Loadings, a table each of the level, the slope and the curvatures: rows are maturities, columns dates."""
    ratio = times[:, None] / tau[:, None, :]
    decay = np.exp(-ratio)
    mean = (1 - decay) / ratio
    return np.concatenate([np.ones_like(mean[:1]), mean[:1], mean - decay])


def _on_grid(times: Array, rates: Array, tried: Array) -> Array:
    """Squared residuals of each date (a column) with each tau of the grid (a row)."""
    basis = np.linalg.qr(_columns(times, tried).transpose(2, 1, 0))[0]
    explained = (basis.transpose(0, 2, 1).reshape(-1, len(times)) @ rates) ** 2
    found: Array = (rates**2).sum(axis=0) - explained.reshape(len(basis), basis.shape[2], -1).sum(axis=1)
    return found


def _regressed(design: Array, rates: Array) -> tuple[Array, Array]:
    """Least squares of each date by Gram and Schmidt: betas, a row each, and residuals."""
    left = rates
    axes: list[tuple[Array, Array]] = []
    shares: dict[tuple[int, int], Array] = {}
    found: list[Array] = []
    for number, column in enumerate(design):
        axis = column
        for before, (other, length) in enumerate(axes):
            shares[before, number] = np.einsum("mn,mn->n", axis, other) / length
            axis = axis - shares[before, number] * other
        length = np.maximum(np.einsum("mn,mn->n", axis, axis), np.finfo(float).tiny)
        axes.append((axis, length))
        found.append(np.einsum("mn,mn->n", axis, left) / length)
        left = left - found[-1] * axis
    for number in reversed(range(len(found))):
        for later in range(number + 1, len(found)):
            found[number] = found[number] - shares[number, later] * found[later]
    return np.stack(found), left


def _sse(times: Array, rates: Array, tau: Array) -> Array:
    left = _regressed(_columns(times, tau), rates)[1]
    found: Array = np.einsum("mn,mn->n", left, left)
    return found


def _golden_section(times: Array, rates: Array, tried: Array, sse: Array) -> Array:
    """The tau of each date between the neighbours on the grid of its best there, to a millionth of it."""
    step = np.log(BOUNDS[1] / BOUNDS[0]) / (_GRID - 1)
    low, high = (np.clip(np.log(tried[0, sse.argmin(axis=0)]) + side * step, *np.log(BOUNDS)) for side in (-1, 1))

    def at(place: Array) -> Array:
        return _sse(times, rates, np.exp(place)[None, :])

    ratio = (np.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = at(left), at(right)
    for _ in range(_GOLDEN_STEPS):
        first = at_left < at_right
        low, high = np.where(first, low, left), np.where(first, right, high)
        new = np.where(first, high - ratio * (high - low), low + ratio * (high - low))
        at_new = at(new)
        left, right = np.where(first, new, right), np.where(first, left, new)
        at_left, at_right = np.where(first, at_new, at_right), np.where(first, at_left, at_new)
    found: Array = np.exp((low + high) / 2)[None, :]
    return found


def _best_pairs(times: Array, rates: Array, tried: Array, sse: Array) -> Array:
    """Both taus of each date: the best of searches that set out from the best of each field of the grid."""
    best, found = np.full(rates.shape[1], np.inf), np.ones((2, rates.shape[1]))
    for low, high in _FIELDS:
        field = (tried[0] >= low) & (tried[0] < high)
        place, left = _pattern_search(times, rates, tried[:, field][:, sse[field].argmin(axis=0)])
        better = left < best
        best, found = np.where(better, left, best), np.where(better, place, found)
    return found


def _pattern_search(times: Array, rates: Array, start: Array) -> tuple[Array, Array]:
    """Taus and squared residuals: steps to the best of eight neighbours, halved where none is better."""
    place, best = np.log(start), _sse(times, rates, start)
    low, high = np.log(SVENSSON_BOUNDS)
    step = np.full(len(best), (high - low) / (_PAIRS - 1) / 2)
    ways = [np.array(way)[:, None] for way in product((-1, 0, 1), repeat=2) if way != (0, 0)]
    for _ in range(_SEARCH_STEPS):
        here, before = place, best
        for way in ways:
            there = np.clip(here + step * way, low, high)
            apart = there[1] - there[0] >= np.log(_APART)
            sse = np.where(apart, _sse(times, rates, np.exp(there)), np.inf)
            better = sse < best
            best, place = np.where(better, sse, best), np.where(better, there, place)
        step = np.where(best < before, step, step / 2)
    return np.exp(place), best
