"""What is wrong with an answer as a whole, next to what is stored: each rule gives the reason, or None.

A row may pass every bound and the answer still be no good: it holds nothing, lacks what it had, speaks of the future,
or has come to be in another unit. Frames in, reasons out.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from macro_assets.catalog import Frequency, Series
from macro_assets.catalog.periods import estimated_release, period_end, period_start

_GRACE_DAYS: dict[Frequency, int] = {"D": 10, "W": 14, "M": 31, "Q": 92, "A": 366}
"""How much later than usual a first figure may come before its absence is an error: holidays, a shutdown."""

_AHEAD_DAYS = 7
"""How far ahead of the fetch an observation date may lie: the last day of the running week, another time zone."""

_ROLLING = timedelta(days=365)
"""What a provider that drops old observations still has, whichever provider it is."""

_SAME_FACTOR = 1e-3
_FACTOR_FROM = 0.02
_OVERLAP = 8

KEPT = "The stored rows were kept"


def subject(series: Series) -> str:
    """How a message names a series."""
    return f"series {series.id} of source {series.source}"


def empty(
    rows: pl.DataFrame, series: Series, first: date | None, last: date | None, today: date, rolling: bool = False
) -> str | None:
    """An answer without observations where the catalog says that there must be some.

    Parameters
    ----------
    first, last
        The observation dates asked for; None = open.
    today
        The day of the fetch.
    rolling
        Whether the provider drops old observations: then nothing is due but figures of the last year.
    """
    if rolling:
        first = max(first or date.min, today - _ROLLING)
    since = expected_since(series, first, last, today)
    if not rows.is_empty() or since is None:
        return None
    return (
        f"{subject(series)}: the answer holds no observations from {first or 'the beginning'} to {last or today}. "
        f"Expected figures from {since} on, by the series' first year and publication lag in the catalog. {KEPT}; "
        "look at the payload in landing, and correct the catalog if the series ended."
    )


def expected_since(series: Series, first: date | None, last: date | None, today: date) -> date | None:
    """The first observation date in a window whose figure must be out; None where nothing is due."""
    if series.irregular:
        return None
    begun = date(series.first_year + 1, 1, 1)  # a series may begin late in its first year
    start = period_start(max(first or begun, begun), series.frequency)
    if first is not None and start < first:
        start = period_end(start, series.frequency) + timedelta(days=1)
    end = min(last or today, today, date(series.last_year - 1, 12, 31) if series.last_year else today)
    grace = timedelta(days=_GRACE_DAYS[series.frequency])
    span = grace if series.frequency in ("D", "W") else timedelta(0)
    is_due = estimated_release(series, start).date() + grace <= today
    return start if is_due and start + span <= end else None


def shrunk(rows: pl.DataFrame, held: pl.DataFrame, series: Series) -> str | None:
    """An answer that lacks dates we hold: a provider withdraws a value by saying that it is missing.

    Parameters
    ----------
    held
        Rows in force of the asked window: `observation_date`, `value`.
    """
    stated = held.filter(pl.col("value").is_not_null())["observation_date"].unique()
    lacking = stated.filter(~stated.is_in(rows["observation_date"].to_list())).sort().to_list()
    if not lacking:
        return None
    return (
        f"{subject(series)}: the answer lacks {len(lacking)} of {stated.len()} dates that are stored for the asked "
        f"window, {lacking[0]} to {lacking[-1]}. Expected every stored date, with a missing value where it was "
        f"withdrawn. {KEPT}; look at the payload in landing, and fetch again."
    )


def ahead(rows: pl.DataFrame, series: Series, today: date) -> str | None:
    """Observation dates in the future, of a series that is no projection."""
    if series.projections or rows.is_empty():
        return None
    latest = rows["observation_date"].max()
    assert isinstance(latest, date)
    if latest <= today + timedelta(days=_AHEAD_DAYS):
        return None
    return (
        f"{subject(series)}: the answer has an observation of {latest}, in the future. Expected none after {today}. "
        f"{KEPT}; look at the payload in landing. If the series holds projections, the catalog must say so."
    )


def rebased(rows: pl.DataFrame, held: pl.DataFrame, series: Series) -> str | None:
    """An answer whose every figure is the stored one times the same factor: another unit or base year.

    Parameters
    ----------
    held
        Rows in force: `observation_date`, `value`.
    """
    both = rows.select("observation_date", "value").join(
        held.select("observation_date", stored="value"), on="observation_date"
    )
    pairs = both.filter(pl.col("value") != 0, pl.col("stored") != 0).drop_nulls()
    if pairs.height < _OVERLAP:
        return None
    ratio = (pairs["value"] / pairs["stored"]).sort()
    low, middle, high = ratio[0], ratio[ratio.len() // 2], ratio[-1]
    if middle <= 0 or abs(middle - 1) < _FACTOR_FROM or high - low > _SAME_FACTOR * middle:
        return None
    return (
        f"{subject(series)}: each of {pairs.height} figures is {middle:.6g} times the stored one. Expected the unit of "
        f"the catalog ({series.provider_unit}); the provider changed its unit or base year. {KEPT}; declare the "
        "series in its new unit as a series of its own."
    )
