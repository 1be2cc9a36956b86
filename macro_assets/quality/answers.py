"""What is wrong with an answer as a whole, next to what is stored: each rule gives the reason, or None.

A row may pass every bound and the answer still be no good: it holds nothing, lacks what it had, speaks of the future,
or has come to be in another unit. Frames in, reasons out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

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
_OVERLAP_OF_SAME = 3
"""So few figures that are the same factor of others, to the last digit, are no chance."""

_LEVEL_FROM, _OVERLAP_OF_LEVEL, _MANY = 0.05, 4, 8
"""From which change of level on, and with how many figures, a factor need not be the same for all of them; of how many
on they may lie farther apart."""

_NEARLY_ALL = 0.95

_MOST_DECIMALS = 6

_LATELY = timedelta(days=1)

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
    lacking, of = _lacking(rows, held), held.drop_nulls("value")["observation_date"].n_unique()
    if not lacking:
        return None
    return (
        f"{subject(series)}: the answer lacks {len(lacking)} of {of} dates that are stored for the asked "
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


def older(rows: pl.DataFrame, held: pl.DataFrame, series: Series) -> str | None:
    """An answer that lacks the end of what its provider had said already, and that alone: an older state.

    Parameters
    ----------
    held
        Rows in force of the asked window: `observation_date`, `value`.
    """
    lacking, came = _lacking(rows, held), rows["observation_date"].max()
    if not lacking or not isinstance(came, date) or lacking[0] < came:
        return None
    return (
        f"{subject(series)}: the answer ends with {came}, and {lacking[-1]} is stored of it already. Expected that "
        f"date too: this is an older state than the stored one, as of a cache. {KEPT}; fetch again."
    )


def retold(edge: date, series: Series) -> str:
    """Why a part of a history is not stored by itself."""
    return (
        f"{subject(series)}: the answer changes the stored figure of {edge}, where it ends, or has none in common with "
        f"the stored ones. Expected a part that agrees there with the rest; all of its history was asked for. {KEPT}."
    )


def beyond(rows: pl.DataFrame, held: pl.DataFrame) -> date | None:
    """The outermost date of an answer of which it changes the stored figure, though figures lie beyond it.

    What was revised may go on there: a part of a history that is told anew is no part to be stored. So it is where
    nothing that is stored tells whether the answer is in the same base.

    Parameters
    ----------
    held
        Rows in force: `observation_date`, `value`.
    """
    stated = held.drop_nulls("value")
    low, high = rows["observation_date"].min(), rows["observation_date"].max()
    if stated.is_empty() or low is None:
        return None
    both = rows.select("observation_date", "value").join(
        stated.select("observation_date", stored="value"), on="observation_date"
    )
    changed = both.sort("observation_date").with_columns(pl.col("value").ne_missing(pl.col("stored")).alias("changed"))
    if (stated["observation_date"] < low).any() and (both.is_empty() or changed["changed"][0]):
        return changed["observation_date"].first() or low  # type: ignore[return-value]
    if (stated["observation_date"] > high).any() and (both.is_empty() or changed["changed"][-1]):
        return changed["observation_date"].last() or high  # type: ignore[return-value]
    return None


def _lacking(rows: pl.DataFrame, held: pl.DataFrame) -> list[date]:
    """Dates of stored values that an answer does not have, in order."""
    stated = held.drop_nulls("value")["observation_date"].unique()
    return stated.filter(~stated.is_in(rows["observation_date"].to_list())).sort().to_list()


@dataclass(frozen=True)
class Rebase:
    """Figures that are a factor of the stored ones.

    Parameters
    ----------
    factor
        Median of the figures' ratios.
    figures
        How many were compared.
    is_exact
        Whether each is that factor of the stored one to the last digit, or only about.
    """

    factor: float
    figures: int
    is_exact: bool

    def __str__(self) -> str:
        about = "" if self.is_exact else "about "
        return f"each of {self.figures} figures is {about}{self.factor:.6g} times the stored one"


def rebased(rows: pl.DataFrame, held: pl.DataFrame) -> Rebase | None:
    """What an answer is of the stored figures if all of it is another level of them: another unit or base year.

    Three figures are enough where each is the same factor of the stored one, but for the rounding of both. Where new
    seasonal factors came with the base, nearly all must lie closer together than to the stored level, early ones and
    late ones alike. A revision that grows with time, as of a benchmark, is none.

    Parameters
    ----------
    rows, held
        Latest figure of each date: `observation_date`, `value`.
    """
    pairs = _pairs(rows, held).sort("observation_date")
    if pairs.height < _OVERLAP_OF_SAME:
        return None
    ratio = pairs["value"] / pairs["stored"]
    factor = ratio.median()
    assert isinstance(factor, float)
    if factor <= 0 or abs(factor - 1) < _FACTOR_FROM:
        return None
    if _is_multiple(pairs):
        return Rebase(factor, pairs.height, is_exact=True)
    if pairs.height < _OVERLAP_OF_LEVEL or abs(factor - 1) < _LEVEL_FROM:
        return None
    third = max(2, pairs.height // 3)
    near = abs(factor - 1) / (2 if pairs.height >= _MANY else 4)
    same = all(abs(part.median() - factor) <= near / 2 for part in (ratio.head(third), ratio.tail(third)))  # type: ignore[operator]
    is_level = same and ((ratio - factor).abs() <= near).mean() >= _NEARLY_ALL  # type: ignore[operator]
    return Rebase(factor, pairs.height, is_exact=False) if is_level else None


def another_level(found: Rebase, series: Series) -> str:
    """Why figures in another unit or base year are refused, and what can be done."""
    return (
        f"{subject(series)}: {found}. Expected the unit of the catalog ({series.provider_unit}); the provider changed "
        f"its unit or base year. {KEPT}. If the new figures are right, `macro accept {series.id} --reason ...` takes "
        "them as a whole, after the catalog's unit and bounds of the series are those of the new ones."
    )


def _is_multiple(pairs: pl.DataFrame) -> bool:
    """Whether every figure is the same factor of its stored one, but for the rounding of both.

    Figures that are hardly larger than what they are rounded to are a factor of any others: these tell nothing.
    """
    new, stored = pairs["value"], pairs["stored"]
    factor = float((new * stored).sum()) / float((stored * stored).sum())
    rounding = _half_a_digit(new) + abs(factor) * _half_a_digit(stored)
    apart = (new - factor * stored).abs()
    allowed = (new.abs() * (_SAME_FACTOR / 2)).clip(lower_bound=2 * rounding)
    return bool((apart <= allowed).all()) and float((new - stored).abs().median()) >= 5 * rounding  # type: ignore[arg-type]


def _half_a_digit(figures: pl.Series) -> float:
    """Half of what the last decimal of rounded figures stands for."""
    for decimals in range(_MOST_DECIMALS + 1):
        if ((figures - figures.round(decimals)).abs() <= 1e-9 * figures.abs()).all():
            return 0.5 * 10.0**-decimals
    return 0.0


def multiplied(rows: pl.DataFrame, held: pl.DataFrame, series: Series, other: str) -> str | None:
    """Figures of which each is the same factor of another holder's, where they are declared to be the very same.

    Parameters
    ----------
    rows, held
        `observation_date`, `value`, `release_time`, of the series' source and of the other, of the same vintage.
    """
    pairs = _pairs(_latest(rows), _latest(held))
    factor = _factor(pairs) if pairs.height >= _OVERLAP_OF_SAME else None
    if factor is None or abs(factor - 1) <= _SAME_FACTOR:
        return None
    day, value, stored = pairs.sort("observation_date").row(-1)
    return (
        f"{subject(series)}: each of {pairs.height} figures is {factor:.6g} times that of {other}: of {day}, "
        f"{series.source} says {value:.10g} and {other} {stored:.10g}. Expected the very same figures, as the catalog "
        "declares them (`same`). Correct there the holder's unit, its `factor`, or that its figures are the same."
    )


def is_same_vintage(rows: pl.DataFrame, held: pl.DataFrame, lately: bool = True) -> bool:
    """Whether two holders' figures are of one state: they end with the same date, or came within a day if `lately`.

    Parameters
    ----------
    rows, held
        `observation_date`, `value`, `ingested_at` of each.
    """
    ends = [f.drop_nulls("value")["observation_date"].max() for f in (rows, held)]
    if None in ends:
        return False
    came, had = (f["ingested_at"].max() for f in (rows, held))
    assert isinstance(came, datetime)
    assert isinstance(had, datetime)
    return ends[0] == ends[1] or (lately and abs(came - had) <= _LATELY)


def _latest(rows: pl.DataFrame) -> pl.DataFrame:
    """The latest value of each observation."""
    return rows.sort("release_time").unique("observation_date", keep="last", maintain_order=True)


def _pairs(rows: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Figures of the same dates, but for zeros: `observation_date`, `value`, `stored`."""
    stated = held.select("observation_date", stored="value")
    both = rows.select("observation_date", "value").join(stated, on="observation_date")
    return both.filter(pl.col("value") != 0, pl.col("stored") != 0).drop_nulls()


def _factor(pairs: pl.DataFrame) -> float | None:
    """What every figure is of its stored one, if that is the same for all."""
    ratio = (pairs["value"] / pairs["stored"]).sort()
    low, middle, high = ratio[0], ratio[ratio.len() // 2], ratio[-1]
    return middle if high - low <= _SAME_FACTOR * abs(middle) else None
