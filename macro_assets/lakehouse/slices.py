"""Versions of what is in force: whether anything that was known of a series at an instant has changed since.

Pure functions on rows of the raw layer; the law of what is in force is in `vintages.py`, whose rows count in
`holders.py`. A row is in force from its release until the next of its holder about the observation. So one pass over
the rows gives the versions at any number of instants: hashes are added where rows begin and taken away where they end.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl

from macro_assets.lakehouse.hashing import Hashes, row_hashes, version
from macro_assets.lakehouse.holders import ESTIMATED
from macro_assets.lakehouse.vintages import (
    STATEMENT,
    as_of,
    day_of,
    in_force,
    instant,
    microseconds,
    without_estimates,
    without_invalid,
)

Numbers = np.ndarray[Any, np.dtype[np.int64]]

_TOLD = (*STATEMENT, "value", "release_basis")
_HOLDER = ["series_id", "provider"]
_STATED = [*_HOLDER, "observation_date"]
_EPOCH = date(1970, 1, 1)
_NEVER = -(2**40)
"""The latest date of a holder that has none, in days: before all others."""


def versions_in_force(
    rows: pl.DataFrame,
    instants: Sequence[date | datetime | str | None],
    holdings: pl.DataFrame,
    decisions: pl.DataFrame | None = None,
    now: datetime | None = None,
) -> list[dict[str, str]]:
    """For each instant, by series, the version of the rows that :func:`~macro_assets.lakehouse.vintages.as_of` gives.

    Equal versions mean equal rows: series, provider, date, value, release time and basis. What changes nothing that is
    in force at an instant leaves its version as it was.

    Parameters
    ----------
    rows
        All rows of some series, sorted by series, provider, date and release time.
    instants
        In any order; None is everything known.
    holdings, decisions, now
        As in `as_of`.

    Returns
    -------
    list of dict
        16 hex digits by series; a series of which nothing is in force is absent.
    """
    rows, holders = _of_holders(rows, holdings)
    if rows.is_empty() or not instants:
        return [{} for _ in instants]
    asked = np.array([microseconds(i) for i in instants], np.int64)
    moments, given, places = np.unique(asked, return_index=True, return_inverse=True)
    in_turn = [instants[i] for i in given]
    sums = _Sums(holders.select(pl.len().over("series_id") > 1).to_series().to_numpy(), len(moments))
    undisputed = rows
    if decisions is not None and not decisions.is_empty():
        undisputed = rows.join(decisions, on=_STATED, how="anti", maintain_order="left")
        if undisputed.height < rows.height:
            _add_disputed(sums, rows, decisions, in_turn)
    _add_undisputed(sums, without_estimates(undisputed, rows.lazy()), moments)
    days = np.array([(day_of(i, now) - _EPOCH).days for i in in_turn])
    found: dict[str, list[str | None]] = {}
    start = 0
    for length, name in holders["series_id"].rle().struct.unnest().iter_rows():
        own, numbers = holders.slice(start, length), slice(start, start + length)
        start += length
        won = _won(sums, numbers, own, days) if length > 1 else np.zeros(len(moments), np.int64)
        hashes, counts = (np.take_along_axis(told[numbers], won[None], 0)[0] for told in (sums.hashes, sums.counts))
        found[name] = [version(h) if n else None for h, n in zip(hashes.tolist(), counts.tolist(), strict=True)]
        with_added: dict[bytes, str] = {}
        for i in _added_to(sums, numbers, own, won).tolist():
            said = sums.hashes[numbers, i].tobytes()
            if said not in with_added:
                of_series = rows.filter(pl.col("number").is_between(numbers.start, numbers.stop, closed="left"))
                known = as_of(of_series, in_turn[i], own, decisions, now)
                with_added[said] = version(int(row_hashes(known, _TOLD).sum()))
            found[name][i] = with_added[said]
    return [{s: v for s, by_moment in found.items() if (v := by_moment[i]) is not None} for i in places.tolist()]


def _of_holders(rows: pl.DataFrame, holdings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of holders with the `number` of theirs, and the holders in that order with what `holdings` says."""
    told = rows.select(told=pl.struct(_HOLDER).rle()).unnest("told").unnest("value")
    told = told.with_columns(pl.col(_HOLDER).cast(pl.String))
    holders = told.join(holdings, on=_HOLDER, how="left", maintain_order="left")
    if holders["rank"].null_count():
        rows = rows.filter(np.repeat(holders["rank"].is_not_null().to_numpy(), holders["len"]))
        holders = holders.drop_nulls("rank")
    number = pl.Series("number", np.repeat(np.arange(holders.height), holders["len"]), pl.Int64)
    return rows.with_columns(number), holders


def _won(sums: _Sums, numbers: slice, holders: pl.DataFrame, days: Numbers) -> Numbers:
    """Which of several holders of a series counts at each instant, as `holders.serving` chooses."""
    rank, limit = (holders[c].to_numpy()[:, None] for c in ("rank", "staleness_days"))
    age = days - sums.latest[numbers]
    valued = sums.latest[numbers] != _NEVER
    fresh = valued & (age <= limit)
    absent, dated = sums.counts[numbers] == 0, sums.dated[numbers] > 0
    preference = np.select([absent, fresh & dated, fresh, valued], [4, 0, 1, 2], 3)
    order = np.lexsort((np.broadcast_to(rank, age.shape), np.where(preference == 2, age, 0), preference), axis=0)
    best: Numbers = order[0]
    return best


def _added_to(sums: _Sums, numbers: slice, holders: pl.DataFrame, won: Numbers) -> Numbers:
    """Instants at which the home counts and a holder of the very same figures may add later dates: these are few."""
    home, same = np.flatnonzero(holders["rank"].to_numpy() == 0), np.flatnonzero(holders["same"].to_numpy())
    if not len(home) or not len(same):
        return np.zeros(0, np.int64)
    last, dated = sums.last[numbers], sums.dated[numbers]
    further = ((last[same] > last[home]) & (dated[same] > 0)).any(axis=0)
    return np.flatnonzero(further & (won == home[0]))


class _Sums:
    """Of the rows in force, by holder of a series and instant: the sum of their hashes, and how many they are.

    Of series with `several` holders also how many rows are dated (no estimate), the latest date with a
    value and the last one without regard to it, in days.
    """

    def __init__(self, several: np.ndarray[Any, np.dtype[np.bool_]], instants: int) -> None:
        shape = (len(several), instants)
        self.hashes: Hashes = np.zeros(shape, np.uint64)
        self.counts: Numbers = np.zeros(shape, np.int64)
        self.dated: Numbers = np.zeros(shape, np.int64)
        self.latest: Numbers = np.full(shape, _NEVER)
        self.last: Numbers = np.full(shape, _NEVER)
        self._several = several

    def add(self, rows: pl.DataFrame, first: Numbers, end: Numbers) -> None:
        """Add rows that are in force from the instant numbered `first` until before the one numbered `end`."""
        lasting = first < end
        rows, first, end = rows.filter(lasting), first[lasting], end[lasting]
        holders, instants = self.hashes.shape
        number = rows["number"].to_numpy()
        begun, ended = number * (instants + 1) + first, number * (instants + 1) + end
        hashes = row_hashes(rows, _TOLD)
        changes = np.zeros(holders * (instants + 1), np.uint64)
        np.add.at(changes, begun, hashes)
        np.subtract.at(changes, ended, hashes)
        self.hashes += changes.reshape(holders, -1).cumsum(axis=1)[:, :-1]
        self.counts += self._present(begun, ended)
        if not (several := self._several[number]).any():
            return
        dated = several & (rows["release_basis"] != ESTIMATED).to_numpy()
        self.dated += self._present(begun[dated], ended[dated])
        day = rows["observation_date"].to_physical().to_numpy().astype(np.int64)
        valued = several & rows["value"].is_not_null().to_numpy()
        _raise_to(self.latest, number[valued], day[valued], first[valued], end[valued])
        _raise_to(self.last, number[several], day[several], first[several], end[several])

    def _present(self, begun: Numbers, ended: Numbers) -> Numbers:
        holders, instants = self.counts.shape
        size = holders * (instants + 1)
        more = np.bincount(begun, minlength=size) - np.bincount(ended, minlength=size)
        present: Numbers = more.reshape(holders, -1).cumsum(axis=1)[:, :-1]
        return present


def _raise_to(latest: Numbers, number: Numbers, day: Numbers, first: Numbers, end: Numbers) -> None:
    """Raise the latest dates to those of rows while they are in force.

    Spans of a date that follow each other are one; those to the end are added in one pass, the few others one by one.
    """
    follows = (number[1:] == number[:-1]) & (day[1:] == day[:-1]) & (first[1:] == end[:-1])
    begins = np.flatnonzero(np.append(True, ~follows)[: len(day)])
    ends = np.append(begins[1:], len(day))[: len(begins)] - 1
    number, day, first, end = number[begins], day[begins], first[begins], end[ends]
    lasting = end == latest.shape[1]
    onward = np.full_like(latest, _NEVER)
    np.maximum.at(onward, (number[lasting], first[lasting]), day[lasting])
    np.maximum(latest, np.maximum.accumulate(onward, axis=1), out=latest)
    for i in np.flatnonzero(~lasting).tolist():
        span = latest[number[i], first[i] : end[i]]
        np.maximum(span, day[i], out=span)


def _add_undisputed(sums: _Sums, rows: pl.DataFrame, moments: Numbers) -> None:
    """Add rows of which no decision and no estimate has to be left out, in key order."""
    if rows.is_empty():
        return
    holder, day = rows["number"].to_numpy(), rows["observation_date"].to_physical().to_numpy()
    same = (holder[1:] == holder[:-1]) & (day[1:] == day[:-1])
    first = np.searchsorted(moments, rows["release_time"].to_physical().to_numpy())
    end = np.append(np.where(same, first[1:], len(moments)), len(moments))
    sums.add(rows, first, end)


def _add_disputed(
    sums: _Sums, rows: pl.DataFrame, decisions: pl.DataFrame, instants: Sequence[date | datetime | str | None]
) -> None:
    """Add the few observations that were decided about, at instants in order.

    What holds of them changes only with a release of theirs or a decision, and is read once for all instants between.
    """
    disputed = rows.join(decisions, on=_STATED, how="semi", maintain_order="left")
    decided_at = decisions.join(disputed, on=_STATED, how="semi")["decided_at"]
    changes = pl.concat([disputed["release_time"], decided_at]).to_physical().unique().sort().to_numpy()
    past = np.searchsorted(changes, [microseconds(i) for i in instants], side="right")
    firsts = np.flatnonzero(np.append(True, past[1:] != past[:-1]))
    for first, end in itertools.pairwise([*firsts.tolist(), len(past)]):
        moment = instants[first]
        until = disputed.lazy() if moment is None else disputed.lazy().filter(pl.col("release_time") <= instant(moment))
        valid = without_invalid(until, decisions, moment).collect()
        known = in_force(without_estimates(valid, rows.lazy()), moment)
        sums.add(known, np.full(known.height, first), np.full(known.height, end))
