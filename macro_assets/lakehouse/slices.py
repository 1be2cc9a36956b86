"""Versions of what is in force: whether anything that was known of a series at an instant has changed since.

Pure functions on rows of the raw layer; the law of what is in force is in `vintages.py`. A row is in force from its
release until the next of its observation. So one pass over the rows gives the versions at any number of instants:
hashes are added where rows begin and taken away where they end.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl

from macro_assets.lakehouse.hashing import Hashes, row_hashes, version
from macro_assets.lakehouse.vintages import (
    STATEMENT,
    as_of,
    instant,
    microseconds,
    without_estimates,
    without_invalid,
)

Numbers = np.ndarray[Any, np.dtype[np.int64]]

_TOLD = (*STATEMENT, "value", "release_basis")
_DAY = ["series_id", "observation_date"]


def versions_in_force(
    rows: pl.DataFrame,
    instants: Sequence[date | datetime | str | None],
    primary: str,
    decisions: pl.DataFrame | None = None,
) -> list[dict[str, str]]:
    """For each instant, by series, the version of the rows that :func:`~macro_assets.lakehouse.vintages.as_of` gives.

    Equal versions mean equal rows: series, provider, date, value, release time and basis. What changes nothing that is
    in force at an instant leaves its version as it was.

    Parameters
    ----------
    rows
        All rows of some series in a raw table, in key order: by series, date, release time and provider.
    instants
        In any order; None is everything known.
    primary, decisions
        As in `as_of`.

    Returns
    -------
    list of dict
        16 hex digits by series; a series of which nothing is in force is absent.
    """
    if rows.is_empty() or not instants:
        return [{} for _ in instants]
    asked = np.array([microseconds(i) for i in instants], np.int64)
    moments, given, places = np.unique(asked, return_index=True, return_inverse=True)
    series = rows["series_id"].rle().struct.field("value").cast(pl.String).to_list()
    sums = _Sums(len(series), len(moments))
    rows = rows.with_columns(number=pl.col("series_id").rle_id())
    undisputed = rows
    if decisions is not None and not decisions.is_empty():
        undisputed = rows.join(decisions, on=_DAY, how="anti", maintain_order="left")
        if undisputed.height < rows.height:
            _add_disputed(sums, rows, decisions, primary, [instants[i] for i in given])
    _add_undisputed(sums, without_estimates(undisputed, rows.lazy()), primary, moments)
    return [
        {s: version(h) for s, h, n in zip(series, hashes, counts, strict=True) if n}
        for hashes, counts in zip(sums.hashes.T[places].tolist(), sums.counts.T[places].tolist(), strict=True)
    ]


class _Sums:
    """Of the rows in force, by series and instant: the sum of their hashes, and how many they are."""

    def __init__(self, series: int, instants: int) -> None:
        self.hashes: Hashes = np.zeros((series, instants), np.uint64)
        self.counts: Numbers = np.zeros((series, instants), np.int64)

    def add(self, rows: pl.DataFrame, first: Numbers, end: Numbers) -> None:
        """Add rows that are in force from the instant numbered `first` until before the one numbered `end`."""
        lasting = first < end
        rows, first, end = rows.filter(lasting), first[lasting], end[lasting]
        series, instants = self.hashes.shape
        offset = rows["number"].to_numpy().astype(np.int64) * (instants + 1)
        begun, ended = offset + first, offset + end
        hashes = row_hashes(rows, _TOLD)
        changes = np.zeros(series * (instants + 1), np.uint64)
        np.add.at(changes, begun, hashes)
        np.subtract.at(changes, ended, hashes)
        more = np.bincount(begun, minlength=len(changes)) - np.bincount(ended, minlength=len(changes))
        self.hashes += changes.reshape(series, -1).cumsum(axis=1)[:, :-1]
        self.counts += more.reshape(series, -1).cumsum(axis=1)[:, :-1]


def _add_undisputed(sums: _Sums, rows: pl.DataFrame, primary: str, moments: Numbers) -> None:
    """Add rows of which no decision and no estimate has to be left out, in key order."""
    if rows.is_empty():
        return
    series, day = rows["number"].to_numpy(), rows["observation_date"].to_physical().to_numpy()
    about = np.append(0, ((series[1:] != series[:-1]) | (day[1:] != day[:-1])).cumsum())
    first = np.searchsorted(moments, rows["release_time"].to_physical().to_numpy())
    own = (rows["provider"] == primary).to_numpy()
    # whatever a fallback says ends where the primary first speaks
    spoken = np.full(about[-1] + 1, len(moments))
    np.minimum.at(spoken, about[own], first[own])
    end = np.empty_like(first)
    end[own] = _followed(about[own], first[own], len(moments))
    end[~own] = np.minimum(_followed(about[~own], first[~own], len(moments)), spoken[about[~own]])
    sums.add(rows, first, end)


def _followed(about: Numbers, first: Numbers, never: int) -> Numbers:
    """The instant from which the next row about the same observation is in force."""
    following = np.append(first[1:], never)[: len(first)]
    following[:-1][about[1:] != about[:-1]] = never
    return following


def _add_disputed(
    sums: _Sums,
    rows: pl.DataFrame,
    decisions: pl.DataFrame,
    primary: str,
    instants: Sequence[date | datetime | str | None],
) -> None:
    """Add the few observations that were decided about, at instants in order.

    What holds of them changes only with a release of theirs or a decision, and is read once for all instants between.
    """
    disputed = rows.join(decisions, on=_DAY, how="semi", maintain_order="left")
    decided_at = decisions.join(disputed, on=_DAY, how="semi")["decided_at"]
    changes = pl.concat([disputed["release_time"], decided_at]).to_physical().unique().sort().to_numpy()
    past = np.searchsorted(changes, [microseconds(i) for i in instants], side="right")
    firsts = np.flatnonzero(np.append(True, past[1:] != past[:-1]))
    for first, end in itertools.pairwise([*firsts.tolist(), len(past)]):
        moment = instants[first]
        until = disputed.lazy() if moment is None else disputed.lazy().filter(pl.col("release_time") <= instant(moment))
        valid = without_invalid(until, decisions, moment).collect()
        known = as_of(without_estimates(valid, rows.lazy()), moment, primary)
        sums.add(known, np.full(known.height, first), np.full(known.height, end))
