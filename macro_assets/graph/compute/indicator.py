"""An indicator or a score by its method, and an indicator as of each month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import cast

import polars as pl

from macro_assets.catalog import Recession
from macro_assets.catalog.kinds.declaration import Declaration
from macro_assets.graph.derivation import Frames, Moment
from macro_assets.indicators.protocol import Given
from macro_assets.models.protocol import Knowledge, refuse_stale
from macro_assets.transforms.recessions import announced


@dataclass(frozen=True)
class Link:
    """How a table is computed: module of the method, its parameters, the facts of its series, tables that it reads."""

    table: str
    method: str
    parameters: Declaration
    facts: pl.DataFrame
    tables: tuple[str, ...] = ()
    recessions: tuple[Recession, ...] | None = None
    """The chronology, of one that asks for it."""


def indicator(frames: Frames, as_of: datetime | None = None, *, link: Link) -> Frames:
    """The table of an indicator or a score; as of a past instant with the contractions announced by then.

    Parameters
    ----------
    frames
        `known`: the observations of its series, if it has some; the tables that it reads, by name.
    """
    return {link.table: _computed(link, frames, as_of)}


def real_time(
    frames: Frames, moment: Moment, *, table: str, chain: Sequence[Link], limits: Mapping[str, int], periods: int
) -> Frames:
    """The latest periods of an indicator as computed from what was known at an instant.

    Parameters
    ----------
    frames
        `known`: the observations of all series of the chain.
    chain
        The indicators that it is made of, and itself last.
    limits
        Staleness limit in days of each series that must be known.
    periods
        How many.

    Raises
    ------
    NotKnownError, StaleInputError
        See :func:`macro_assets.models.protocol.refuse_stale`.
    """
    known = Knowledge(moment.instants["known"], frames["known"])
    refuse_stale(table, known, limits)
    made = along(chain, known, periods)
    return {table: stamped(_latest(made[chain[-1].table], periods), moment, known)}


def along(chain: Sequence[Link], known: Knowledge, periods: int | None = None) -> dict[str, pl.DataFrame]:
    """The table of each indicator of a chain, as computed from what was known; `known`: the observations.

    Of the last one no more than its latest `periods` are asked for.
    """
    made: dict[str, pl.DataFrame] = {"known": known.observations}
    for link in chain:
        asked = periods if link is chain[-1] else None
        made[link.table] = _computed(link, made, known.as_of, asked)
    return made


def _computed(
    link: Link, frames: Mapping[str, pl.DataFrame], as_of: datetime | None, periods: int | None = None
) -> pl.DataFrame:
    given = given_to(link, frames, as_of, periods)
    return cast("pl.DataFrame", import_module(link.method).compute(given, link.parameters))


def given_to(
    link: Link, frames: Mapping[str, pl.DataFrame], as_of: datetime | None, periods: int | None = None
) -> Given:
    """What a method is given of the frames of a chain."""
    own = link.facts["series_id"]
    known = frames["known"].filter(pl.col("series_id").is_in(own.to_list())) if own.len() else pl.DataFrame()
    recessions = None if link.recessions is None else announced(link.recessions, as_of)
    return Given(known, link.facts, {t: frames[t] for t in link.tables}, recessions, periods)


def _latest(rows: pl.DataFrame, periods: int) -> pl.DataFrame:
    last = rows["observation_date"].unique().sort().tail(periods)
    return rows.filter(pl.col("observation_date").is_in(last.implode()))


def stamped(rows: pl.DataFrame, moment: Moment, known: Knowledge) -> pl.DataFrame:
    """Rows with the month, the instant, when they were computed, and who served the figures."""
    return rows.with_columns(
        as_of_month=pl.lit(moment.month),
        as_of=pl.lit(known.as_of),
        computed_at=pl.lit(moment.computed_at),
        providers=pl.lit(known.providers),
    )
