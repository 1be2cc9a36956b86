"""Why an index moved between what was known a month earlier and what is known now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import polars as pl

from macro_assets.graph.compute.indicator import Link, along, given_to, stamped
from macro_assets.graph.derivation import Frames, Moment
from macro_assets.models.protocol import Knowledge, NotKnownError, refuse_other_holders, refuse_stale
from macro_assets.transforms.change_terms import Reading, decompose


class _Index(NamedTuple):
    """An index as known at an instant: its rows, and its correlations where it is made by some."""

    rows: pl.DataFrame
    correlations: pl.DataFrame | None

    def at(self, period: object) -> Reading:
        own = pl.col("observation_date") == period
        return Reading(self.rows.filter(own), None if self.correlations is None else self.correlations.filter(own))


def changes(frames: Frames, moment: Moment, *, table: str, chain: Sequence[Link], limits: Mapping[str, int]) -> Frames:
    """The change from the last period known a month earlier to the last one known now, by term and component.

    Parameters
    ----------
    frames
        `known` and `before`: the observations of all series of the chain at the end of the month and of the one before.
    chain, limits
        As of :func:`macro_assets.graph.compute.indicator.real_time`.

    Raises
    ------
    NotKnownError, StaleInputError, OtherHolderError
        See :mod:`macro_assets.models.protocol`; `NotKnownError` where there is no index at either instant, too.
    """
    now, before = (Knowledge(moment.instants[key], frames[key]) for key in ("known", "before"))
    refuse_stale(table, now, limits)
    refuse_other_holders(table, before, now)
    then, today = (_index(table, chain, known) for known in (before, now))
    first, last = (index.rows["observation_date"].max() for index in (then, today))
    revised, after = today.at(first), today.at(last)
    terms = decompose(then.at(first), after, None if revised.rows.is_empty() else revised)
    told = terms.with_columns(
        previous_as_of=pl.lit(before.as_of),
        previous_date=pl.lit(first, pl.Date),
        observation_date=pl.lit(last, pl.Date),
        index_before=pl.lit(then.at(first).rows["index_value"][0]),
        index_after=pl.lit(after.rows["index_value"][0]),
    )
    return {table: stamped(told, moment, now)}


def _index(table: str, chain: Sequence[Link], known: Knowledge) -> _Index:
    made, link = along(chain, known), chain[-1]
    rows = made[link.table]
    if rows.is_empty():
        raise NotKnownError(f"{table}: no index could be made by {known.as_of.date()}", tuple(link.facts["series_id"]))
    of = getattr(import_module(link.method), "correlations", None)
    return _Index(rows, None if of is None else of(given_to(link, made, known.as_of), link.parameters))
