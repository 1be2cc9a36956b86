"""Why an index moved: the change between two of its dates by terms and components, which add up to it exactly.

In the order of the terms: what the components that are gone leave behind (exit), what is said otherwise today of the
first date (revision), the move of the scores from there (data), that of weights and correlations (weights), and what
those that are new bring (entry).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

Numbers = np.ndarray[Any, Any]

TERMS = ("exit", "revision", "data", "weights", "entry")


class Reading(NamedTuple):
    """An index at a date.

    Attributes
    ----------
    rows
        One row per component: `component`, `zscore`, `sign`, `weight`.
    correlations
        `component`, `other`, `correlation`, of an index that is the root of `s' C s` of the parts `sign * weight *
        zscore`; None: of one that is their sum.
    """

    rows: pl.DataFrame
    correlations: pl.DataFrame | None = None


def decompose(before: Reading, after: Reading, revised: Reading | None = None) -> pl.DataFrame:
    """The change of an index from one reading to another.

    Parameters
    ----------
    revised
        What is known with `after` of the date of `before`; None: the same, and there is no revision. Revised weights
        and correlations of that date are part of the term of the weights.

    Returns
    -------
    DataFrame
        `term` (in the order of TERMS), `component` and `value`, which add up to the change. A term without a component
        has one row in which it is null and the value zero.
    """
    revised = revised or before
    names = sorted({*before.rows["component"], *after.rows["component"]})
    has, had = (np.isin(names, r.rows["component"].to_list()) for r in (after, before))
    common, gone, new = had & has, had & ~has, has & ~had
    first, last = (_signed(r, names) for r in (before, after))
    score, score_now = (_column(r, names, "zscore") for r in (before, after))
    score_then = np.where(np.isin(names, revised.rows["component"].to_list()), _column(revised, names, "zscore"), score)
    old, now = _matrix(before, names), _matrix(after, names)

    kept, kept_now = _rescaled(first, common), _rescaled(last, common)
    moves = {
        "exit": _shifted(_moved(first * score, kept * score, old), gone, first),
        "revision": _moved(kept * score, kept * score_then, old),
        "data": _moved(kept * score_then, kept * score_now, old),
        "weights": _moved(kept * score_now, kept_now * score_now, old) + _tightened(kept_now * score_now, old, now),
        "entry": _shifted(_moved(kept_now * score_now, last * score_now, now), new, last),
    }
    concerned = {"exit": gone, "entry": new}
    rows = [row for term in TERMS for row in _rows(term, moves[term], concerned.get(term, common), names)]
    return pl.DataFrame(rows, {"term": pl.String, "component": pl.String, "value": pl.Float64}, orient="row")


def _rows(term: str, moves: Numbers, concerned: Numbers, names: list[str]) -> list[tuple[str, str | None, float]]:
    found = zip(names, moves, concerned, strict=True)
    told: list[tuple[str, str | None, float]] = [(term, n, float(v)) for n, v, is_in in found if is_in]
    return told or [(term, None, 0.0)]


# --- moves of the index --------------------------------------------------------------------------------------------


def _index(parts: Numbers, matrix: Numbers | None) -> float:
    if matrix is None:
        return float(parts.sum())
    return float(np.sqrt(np.maximum(parts @ matrix @ parts, 0)))


def _moved(parts: Numbers, then: Numbers, matrix: Numbers | None) -> Numbers:
    """What each part adds to the move of the index from some parts to others: the difference of two squares, shared."""
    if matrix is None:
        return then - parts
    total = _index(parts, matrix) + _index(then, matrix)
    return (then - parts) * (matrix @ (parts + then)) / total if total else np.zeros_like(parts)


def _tightened(parts: Numbers, matrix: Numbers | None, then: Numbers | None) -> Numbers:
    """What each part adds to the move of the index from some correlations to others."""
    if matrix is None or then is None:
        return np.zeros_like(parts)
    total = _index(parts, matrix) + _index(parts, then)
    return parts * ((then - matrix) @ parts) / total if total else np.zeros_like(parts)


def _rescaled(weights: Numbers, common: Numbers) -> Numbers:
    """Weights of the components that stay, which add up to one."""
    own = np.where(common, weights, 0.0)
    total = np.abs(own).sum()
    return own / total if total else own


def _shifted(moves: Numbers, concerned: Numbers, weights: Numbers) -> Numbers:
    """The moves with those of the others, whose weights make room, in the ones that come or go, by their weight."""
    own = np.where(concerned, np.abs(weights), 0.0)
    others = moves[~concerned].sum()
    total = own.sum()
    share = own / total if total else concerned / max(concerned.sum(), 1)
    return np.where(concerned, moves + share * others, 0.0)


# --- readings as arrays --------------------------------------------------------------------------------------------


def _column(reading: Reading, names: list[str], column: str) -> Numbers:
    told: Mapping[str, float] = dict(reading.rows.select("component", column).iter_rows())
    return np.array([told.get(n, 0.0) for n in names], dtype=float)


def _signed(reading: Reading, names: list[str]) -> Numbers:
    return _column(reading, names, "weight") * _column(reading, names, "sign")


def _matrix(reading: Reading, names: list[str]) -> Numbers | None:
    if reading.correlations is None:
        return None
    place, matrix = {n: i for i, n in enumerate(names)}, np.eye(len(names))
    for one, other, value in reading.correlations.select("component", "other", "correlation").iter_rows():
        if one in place and other in place:
            matrix[place[one], place[other]] = value
    return matrix
