"""What the modules of curves share: the type of a table of rates, and its rows by which tenors they have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = NDArray[np.intp]


def grid(maturities: ArrayLike) -> Array:
    """Maturities as an array.

    Raises
    ------
    ValueError
        Where they are not positive, finite and increasing.
    """
    given = np.atleast_1d(np.asarray(maturities, dtype=float))
    if given.ndim != 1 or not np.isfinite(given).all() or (given <= 0).any() or (np.diff(given) <= 0).any():
        raise ValueError(f"maturities must be positive and increasing, in years: {given.tolist()}")
    return given


def table(rates: ArrayLike, columns: int) -> Array:
    """Rates as one row a date, with NaN for all that is no number; one date alone is one row.

    Raises
    ------
    ValueError
        Where a row has not one rate for each maturity.
    """
    given = np.atleast_2d(np.asarray(rates, dtype=float))
    if given.ndim != 2 or given.shape[1] != columns:
        raise ValueError(f"{given.shape[-1]} rates a date for {columns} maturities")
    return np.where(np.isfinite(given), given, np.nan)


def by_known(rates: Array, least: int) -> Iterator[tuple[Rows, Flags]]:
    """Rows that have the same tenors, with which these are; rows with fewer than the least are left out.

    Yields
    ------
    tuple
        The numbers of the rows, and for each tenor whether they have it.
    """
    known = np.isfinite(rates)
    packed = np.packbits(known, axis=1)
    keys = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    for number, row in enumerate(first):
        if known[row].sum() >= least:
            yield np.flatnonzero(which == number), known[row]
