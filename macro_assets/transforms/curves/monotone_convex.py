"""Zero curves by the monotone convex method of Hagan and West, the method of the Treasury's par curve since 2021.

The forward rate is a continuous curve, of quadratic pieces between the knots, whose mean between two knots is the
discrete forward rate there. Without `clip` it may be negative, as rates may; with it the forward rate is held between
zero and twice the discrete forwards beside it, so that it is nowhere negative where they are not.

Nothing is extrapolated: after the last knot of a date its curve is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from macro_assets.transforms.curves.arrays import Array, Rows, by_known, grid, table

LEAST_TENORS = 3
"""Tenors a date must have for a curve of par yields."""

_STEPS = 100
_PRECISION = 1e-11
"""Largest last step of a zero rate, in percent."""
_SHARES = (0.1, 2.0)
"""Least and greatest share of a step that is taken."""


class NoCurveError(ValueError):
    """No curve was found that prices what it should: rates of hundreds of percent do that.

    Attributes
    ----------
    rows
        The numbers of the dates.
    """

    def __init__(self, rows: Sequence[int]) -> None:
        self.rows = tuple(rows)
        super().__init__(f"no zero curve was found for {len(self.rows)} of the dates, the first at row {self.rows[0]}")


@dataclass(frozen=True)
class _Pieces:
    """The forward curves of dates with the same knots, a column a piece between two.

    In a piece the forward rate is the mean and, of the place `x` in it from 0 to 1, either a single quadratic
    (`whole`) or `base + left ((turn - x)+ / turn)^2 + right ((x - turn)+ / (1 - turn))^2`.
    """

    rows: Rows
    knots: Array
    totals: Array
    mean: Array
    start: Array
    end: Array
    whole: Array
    base: Array
    left: Array
    right: Array
    turn: Array

    @classmethod
    def of(cls, rows: Rows, times: Array, zeros: Array, *, clip: bool) -> _Pieces:
        knots = np.concatenate([[0.0], times])
        totals = np.concatenate([np.zeros((len(zeros), 1)), zeros * times], axis=1)
        mean = np.diff(totals, axis=1) / np.diff(knots)
        at_knots = _at_knots(knots, mean, clip=clip)
        g0, g1 = at_knots[:, :-1] - mean, at_knots[:, 1:] - mean
        same = g0 * g1 > 0
        whole = ~same & (np.abs(g1) <= 2 * np.abs(g0)) & (np.abs(g0) <= 2 * np.abs(g1))
        late = ~same & ~whole & (np.abs(g1) > np.abs(g0))  # level first, then to the end
        with np.errstate(divide="ignore", invalid="ignore"):
            floor = np.where(same, -g0 * g1 / (g0 + g1), np.where(late, g0, g1))
            turn = np.where(same, g1 / (g0 + g1), np.where(late, (g1 + 2 * g0) / (g1 - g0), 3 * g1 / (g1 - g0)))
        broken = ~whole
        base = np.where(broken, floor, 0.0)
        return cls(
            rows,
            knots,
            totals,
            mean,
            g0,
            g1,
            whole.astype(float),
            base,
            np.where(broken, g0 - base, 0.0),
            np.where(broken, g1 - base, 0.0),
            np.where(broken, turn, 0.5),
        )

    def forward(self, times: Array) -> Array:
        piece, x = self._places(times)
        g0, g1 = self.start[:, piece], self.end[:, piece]
        single = g0 * (1 - 4 * x + 3 * x**2) + g1 * (-2 * x + 3 * x**2)
        before, after = self._sides(piece, x)
        bent = self.base[:, piece] + self.left[:, piece] * before**2 + self.right[:, piece] * after**2
        return self._within(times, self.mean[:, piece] + self.whole[:, piece] * single + bent)

    def total(self, times: Array) -> Array:
        """The forward rate added up from 0: the zero rate times the time."""
        piece, x = self._places(times)
        g0, g1, turn = self.start[:, piece], self.end[:, piece], self.turn[:, piece]
        single = g0 * (x - 2 * x**2 + x**3) + g1 * (-(x**2) + x**3)
        before, after = self._sides(piece, x)
        bent = (
            self.base[:, piece] * x
            + self.left[:, piece] * turn / 3 * (1 - before**3)
            + self.right[:, piece] * (1 - turn) / 3 * after**3
        )
        inside = self.mean[:, piece] * x + self.whole[:, piece] * single + bent
        return self._within(times, self.totals[:, piece] + inside * np.diff(self.knots)[piece])

    def _places(self, times: Array) -> tuple[Rows, Array]:
        piece = np.clip(np.searchsorted(self.knots, times) - 1, 0, len(self.knots) - 2)
        return piece, (times - self.knots[piece]) / np.diff(self.knots)[piece]

    def _sides(self, piece: Rows, x: Array) -> tuple[Array, Array]:
        turn = self.turn[:, piece]
        before = np.maximum(turn - x, 0) / np.where(turn > 0, turn, 1.0)
        after = np.maximum(x - turn, 0) / np.where(turn < 1, 1 - turn, 1.0)
        return before, after

    def _within(self, times: Array, rates: Array) -> Array:
        return np.where((times >= 0) & (times <= self.knots[-1]), rates, np.nan)


def _at_knots(knots: Array, mean: Array, *, clip: bool) -> Array:
    """Forward rates at the knots: between two means by how long these last, at both ends drawn on by half."""
    length = np.diff(knots)
    share = length[:-1] / (length[:-1] + length[1:])
    inner = mean[:, 1:] * share + mean[:, :-1] * (1 - share)
    if clip:
        inner = _held(inner, np.minimum(mean[:, 1:], mean[:, :-1]))
    beside = inner if inner.shape[1] else mean
    edges = mean[:, [0, -1]]
    ends = edges - 0.5 * (beside[:, [0, -1]] - edges)
    if clip:
        ends = _held(ends, edges)
    return np.concatenate([ends[:, :1], inner, ends[:, 1:]], axis=1)


def _held(forwards: Array, mean: Array) -> Array:
    return np.clip(forwards, 0, np.maximum(2 * mean, 0))


@dataclass(frozen=True)
class Curves:
    """Zero curves, one a date; NaN where a date has none, and after its last knot."""

    dates: int
    pieces: tuple[_Pieces, ...]

    def zero(self, times: ArrayLike) -> Array:
        """Zero rates, continuously compounded, in percent: a row a date, a column a time."""
        at = np.atleast_1d(np.asarray(times, dtype=float))
        beyond = np.where(at > 0, at, 1.0)
        return self._filled(at, lambda part: np.where(at > 0, part.total(at) / beyond, part.forward(at)))

    def forward(self, times: ArrayLike) -> Array:
        """Instantaneous forward rates, continuously compounded, in percent."""
        at = np.atleast_1d(np.asarray(times, dtype=float))
        return self._filled(at, lambda part: part.forward(at))

    def discount(self, times: ArrayLike) -> Array:
        """What one to be had at a time is worth now."""
        at = np.atleast_1d(np.asarray(times, dtype=float))
        return self._filled(at, lambda part: np.exp(-part.total(at) / 100))

    def _filled(self, times: Array, rates: Callable[[_Pieces], Array]) -> Array:
        filled = np.full((self.dates, len(times)), np.nan)
        for part in self.pieces:
            filled[part.rows] = rates(part)
        return filled


def from_zero(maturities: ArrayLike, zero: ArrayLike, *, clip: bool = False) -> Curves:
    """Curves through zero rates.

    Parameters
    ----------
    maturities
        Years, increasing.
    zero
        Continuously compounded, percent: a row a date, a column a maturity, NaN where there is none.
    clip
        Whether forward rates are held at or above zero.
    """
    times = grid(maturities)
    rates = table(zero, len(times))
    pieces = (_Pieces.of(rows, times[has], rates[np.ix_(rows, has)], clip=clip) for rows, has in by_known(rates, 1))
    return Curves(len(rates), tuple(pieces))


def from_forwards(maturities: ArrayLike, forwards: ArrayLike, *, clip: bool = False) -> Curves:
    """Curves through discrete forward rates, each from the maturity before (from now, the first) to its own.

    A date on which one is missing has no curve from there on.
    """
    times = grid(maturities)
    rates = table(forwards, len(times))
    return from_zero(times, np.cumsum(rates * np.diff(times, prepend=0.0), axis=1) / times, clip=clip)


Knots: TypeAlias = Callable[[Array, Rows], Array]
"""The discount factors at the knots that price everything, given those at the payments before, and which dates."""


def _solved(start: Array, times: Array, payments: Array, knots: Knots, *, clip: bool) -> Array:
    """Zero rates at the knots of dates, found step by step; NaN where no step comes to rest.

    Over a long last piece the steps go to and fro around the rate and hardly come nearer, so each date takes the share
    of a step that the turn of its last one suggests (Aitken's relaxation).
    """
    zero, open_ = start.copy(), np.arange(len(start))
    share, before = np.ones((len(start), 1)), np.full_like(start, np.nan)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for _ in range(_STEPS):
            part = _Pieces.of(open_, times, zero[open_], clip=clip)
            step = -100 * np.log(knots(np.exp(-part.total(payments) / 100), open_)) / times - zero[open_]
            turned = step - before
            better = -share * (before * turned).sum(axis=1, keepdims=True) / (turned**2).sum(axis=1, keepdims=True)
            share = np.where(np.isfinite(better), np.clip(better, *_SHARES), share)
            zero[open_] += share * step
            far = np.abs(step).max(axis=1) > _PRECISION  # what is NaN stays so, and is left
            open_, share, before = open_[far], share[far], step[far]
            if not len(open_):
                break
    zero[open_] = np.nan
    zero[np.isnan(zero).any(axis=1)] = np.nan
    return zero


def par_to_zero(
    maturities: ArrayLike, par: ArrayLike, *, frequency: int = 2, clip: bool = False, unsolved: str = "raise"
) -> Curves:
    """Zero curves of which bonds at par have the yields given.

    Parameters
    ----------
    maturities
        Years, increasing. Above one coupon period they must be whole periods.
    par
        Par yields in percent, compounded `frequency` times a year: a row a date, NaN where there is none. Up to one
        period they are simple rates of a single payment, as bond-equivalent yields of bills are.
    frequency
        Coupons a year.
    clip
        Whether forward rates are held at or above zero.
    unsolved
        'raise', or 'null': a date for which no curve is found has none.

    Returns
    -------
    Curves
        NaN on dates with fewer than :data:`LEAST_TENORS` tenors.

    Raises
    ------
    NoCurveError
        Where no curve is found.
    ValueError
        Where a maturity is not whole periods.
    """
    times = grid(maturities)
    rates = table(par, len(times))
    periods = times * frequency
    bond = periods > 1
    if (np.abs(periods - np.round(periods))[bond] > 1e-9).any():
        raise ValueError(
            f"maturities above a coupon period must be whole periods, {frequency} a year: {times.tolist()}"
        )
    payments = np.arange(1, max(int(np.round(periods[-1])), 2)) / frequency
    paid = (payments[:, None] < times - 1e-9) & bond
    zero = np.full_like(rates, np.nan)
    for rows, has in by_known(rates, LEAST_TENORS):
        coupon = rates[np.ix_(rows, has)] / 100 * np.where(bond, 1 / frequency, times)[has]
        at = payments[payments < times[has][-1] - 1e-9]
        before = paid[: len(at), has].astype(float)

        def knots(discount: Array, which: Rows, coupon: Array = coupon, before: Array = before) -> Array:
            return (1 - coupon[which] * (discount @ before)) / (1 + coupon[which])

        with np.errstate(invalid="ignore", divide="ignore"):
            start = 100 * np.log(1 + coupon) / np.where(bond, 1 / frequency, times)[has]
        zero[np.ix_(rows, has)] = _solved(start, times[has], at, knots, clip=clip)
    _refuse(zero, rates, LEAST_TENORS, unsolved)
    return from_zero(times, zero, clip=clip)


def bootstrap(
    payments: Sequence[tuple[ArrayLike, ArrayLike]], prices: ArrayLike, *, clip: bool = False, unsolved: str = "raise"
) -> Curves:
    """Zero curves that give bonds their prices.

    Parameters
    ----------
    payments
        Of each bond the times of its payments and what is paid; the last payments of the bonds are in order of time.
    prices
        With interest accrued: a row a date, a column a bond, NaN where there is none.
    clip, unsolved
        As of :func:`par_to_zero`.

    Raises
    ------
    NoCurveError
        Where no curve is found.
    """
    when = [grid(times) for times, _ in payments]
    what = [np.asarray(paid, dtype=float) for _, paid in payments]
    times = grid([t[-1] for t in when])
    given = table(prices, len(times))
    at = np.unique(np.concatenate([t[:-1] for t in when]))
    before = np.zeros((len(at), len(times)))
    for bond, (t, paid) in enumerate(zip(when, what, strict=True)):
        before[np.searchsorted(at, t[:-1]), bond] = paid[:-1]
    last, sums = np.array([paid[-1] for paid in what]), np.array([paid.sum() for paid in what])
    zero = np.full_like(given, np.nan)
    for rows, has in by_known(given, 1):
        price = given[np.ix_(rows, has)]
        early = at <= times[has][-1]

        def knots(
            discount: Array,
            which: Rows,
            price: Array = price,
            paid: Array = before[early][:, has],
            final: Array = last[has],
        ) -> Array:
            return (price[which] - discount @ paid) / final

        with np.errstate(invalid="ignore", divide="ignore"):
            start = 100 * np.log(sums[has] / price) / times[has]
        zero[np.ix_(rows, has)] = _solved(start, times[has], at[early], knots, clip=clip)
    _refuse(zero, given, 1, unsolved)
    return from_zero(times, zero, clip=clip)


def _refuse(zero: Array, given: Array, least: int, unsolved: str) -> None:
    if unsolved not in ("raise", "null"):
        raise ValueError(f"unsolved is 'raise' or 'null', not {unsolved!r}")
    lost = np.flatnonzero((np.isfinite(given).sum(axis=1) >= least) & ~np.isfinite(zero).any(axis=1))
    if unsolved == "raise" and len(lost):
        raise NoCurveError(lost.tolist())
