"""Which observations of an answer may be stored, and why the others may not.

Of a provider without vintages, a changed history is stored as a whole or not at all: a part of it is not taken, and
figures in another base only where that was accepted or the provider tells the split that they come of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from operator import mul

import polars as pl

from macro_assets.catalog import Holding, Series
from macro_assets.intake.fetch import Asked
from macro_assets.lakehouse.acceptances import Acceptance
from macro_assets.lakehouse.holders import ESTIMATED
from macro_assets.lakehouse.vintages import REBASED
from macro_assets.quality import CheckReport, check_series
from macro_assets.quality.answers import (
    Rebase,
    ahead,
    another_level,
    beyond,
    empty,
    is_same_vintage,
    multiplied,
    older,
    rebased,
    retold,
    shrunk,
)
from macro_assets.sources.protocol import NO_OBSERVATIONS

_STATED = ("value", "release_time", "release_basis", "ingested_at")

_SAME_BASE = 0.05
"""How far the factor of a change of base may be from the accepted one."""

_SAME_SPLIT = 0.005
_SPLIT_BEFORE = timedelta(days=31)
"""How long before the last stored date a split may be that the stored figures do not have yet."""

Held = Mapping[tuple[object, ...], pl.DataFrame]
"""Rows in force by series and provider."""


@dataclass(frozen=True)
class Verdict:
    """What an answer about one series is worth.

    With a `failure`, the stored rows of the series stay as they were.

    Parameters
    ----------
    asked
        The question, and who was asked.
    series
        The series as that provider has it.
    is_answered
        Whether it was had at all.
    is_whole
        Whether that was all there is of it, and may be stored.
    level
        What its figures are of the stored ones, where they are in another base.
    """

    asked: Asked
    series: Series
    report: CheckReport
    failure: str | None
    is_answered: bool
    is_whole: bool
    level: Rebase | None = None

    @property
    def provider(self) -> str:
        """Who was asked."""
        return self.asked.provider.name


def judge(
    asked: Asked, held: pl.DataFrame, home: str, accepted: Sequence[Acceptance] = ()
) -> tuple[list[Verdict], pl.DataFrame]:
    """Which observations of an answer may be stored, and why the others may not.

    Rows that fail their check are left out; a failure that no single row is guilty of condemns the series' rows, and so
    does an answer that is no good next to what is stored (`quality/answers.py`): what the provider itself had said, and
    of a holder with the very same figures what the home has. Of such a holder, figures of dates that the home did not
    have became known when they were seen: an estimate of their release would be a guess.

    Parameters
    ----------
    held
        Stored rows of the series asked for, of all their providers.
    home
        The source in whose table they are.
    accepted
        Changes of base that may be taken.
    """
    own = {k[0]: f for k, f in asked.fetched.observations.group_by("series_id", maintain_order=True)}
    before = _in_force(held)
    verdicts, good_ones = [], []
    for holding in asked.holdings:
        series, fetched = holding.series, asked.fetched
        rows = own.get(series.id, NO_OBSERVATIONS)
        lost = fetched.failures.get(series.id)
        has_news = lost is None and series.id not in fetched.unchanged
        known = before.get((series.id, asked.provider.name))
        level, taken = None, False
        if has_news and known is not None and _overwrites(asked) and (level := rebased(rows, known)):
            taken = _may_change(level, rows, known, asked, accepted)
            rows = _told_anew(rows, known) if taken else rows
        report = check_series(rows, series, known)
        wrong = _wrong(rows, holding, asked, before, home, level, taken) if has_news else None
        condemned = wrong or (not report.passed and (taken or not report.failed_rows))
        refused = lost or wrong or (None if report.passed else str(report))
        failure = refused or _disagreement(rows, series, before)
        is_whole = asked.window.is_whole and refused is None
        verdicts.append(Verdict(asked, series, report, failure, lost is None, is_whole, level))
        good = rows.with_row_index("_row").filter(~pl.col("_row").is_in(report.failed_rows)).drop("_row")
        if holding.same and (there := before.get((series.id, home))) is not None:
            good = _as_seen(good, there["observation_date"].max())  # type: ignore[arg-type]
        good_ones.append(good.clear() if condemned else good)
    return verdicts, pl.concat(good_ones)


def to_ask_whole(asked: Asked, held: pl.DataFrame) -> list[Holding]:
    """Those series of a question for a part of their history of which the whole must be had: see `answers.beyond`."""
    if not _is_part(asked) or asked.fetched.observations.is_empty():
        return []
    of_provider = held.filter(pl.col("provider") == asked.provider.name)
    before = _in_force(of_provider)
    own = {k[0]: f for k, f in asked.fetched.observations.group_by("series_id", maintain_order=True)}
    found = []
    for holding in asked.holdings:
        i = holding.series.id
        known = before.get((i, asked.provider.name))
        if i in own and known is not None and beyond(own[i], known) is not None:
            found.append(holding)
    return found


def _overwrites(asked: Asked) -> bool:
    return asked.provider.vintages == "none"


def _is_part(asked: Asked) -> bool:
    """Whether a provider that overwrites was asked for a part of what it serves, and can be asked for all of it."""
    is_by_day = asked.provider.api is not None and asked.provider.api.per_day
    return _overwrites(asked) and asked.provider.is_live and not asked.window.is_whole and not is_by_day


def _may_change(
    level: Rebase, rows: pl.DataFrame, known: pl.DataFrame, asked: Asked, accepted: Sequence[Acceptance]
) -> bool:
    """Whether figures in another base may be taken: somebody accepted it and it did not come yet, or it is a split."""
    if not asked.window.is_whole:
        return False
    series_id, came = rows["series_id"][0], rows["ingested_at"].max()
    changed = known.filter(pl.col("release_basis") == REBASED)["release_time"].max()
    licences = (
        a
        for a in accepted
        if (a.series_id, a.provider) == (series_id, asked.provider.name)
        and a.decided_at <= came  # type: ignore[operator]
        and not (isinstance(changed, datetime) and changed >= a.decided_at)
        and abs(level.factor / a.factor - 1) <= _SAME_BASE
    )
    return any(licences) or _is_split(level, asked.fetched.splits.get(series_id, ()), known)


def _is_split(level: Rebase, splits: Sequence[tuple[date, float]], known: pl.DataFrame) -> bool:
    """Whether a change of level is that of the latest splits, by which prices are divided and volumes multiplied."""
    last = known["observation_date"].max()
    assert isinstance(last, date)
    recent = [ratio for day, ratio in sorted(splits, reverse=True) if day >= last - _SPLIT_BEFORE]
    return any(
        min(abs(level.factor * ratio - 1), abs(level.factor / ratio - 1)) <= _SAME_SPLIT
        for ratio in accumulate(recent, mul)
    )


def _told_anew(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Rows in another base: all known from when the last came, with nothing where they lack what was known."""
    gone = known.drop_nulls("value").join(rows, on="observation_date", how="anti").select("observation_date")
    blank = rows.head(1).select(pl.exclude("observation_date", "value")).join(gone, how="cross")
    blank = blank.with_columns(value=pl.lit(None, pl.Float64)).select(rows.columns)
    came = pl.lit(rows["ingested_at"].max())
    return pl.concat([rows, blank]).with_columns(ingested_at=came, release_time=came, release_basis=pl.lit(REBASED))


def _in_force(held: pl.DataFrame) -> Held:
    key = ["series_id", "provider", "observation_date"]
    latest = held.sort("release_time").unique(key, keep="last", maintain_order=True)
    return dict(latest.select(*key, *_STATED).group_by("series_id", "provider", maintain_order=True))


def _wrong(
    rows: pl.DataFrame,
    holding: Holding,
    asked: Asked,
    before: Held,
    home: str,
    level: Rebase | None,
    taken: bool,
) -> str | None:
    """Why an answer that came is no good as a whole; one in another base is good where it is taken."""
    series, provider, window = holding.series, asked.provider, asked.window
    held = before.get((series.id, provider.name))
    reason = ahead(rows, series, window.today)
    if provider.is_live:
        of_dates = rows.filter(window.contains(pl.col("observation_date")))
        reason = reason or empty(of_dates, series, window.first, window.last, window.today, provider.rolling)
    if held is None and holding.same:
        reason = reason or _other_figures(rows, series, home, before)
    if reason or held is None or taken:
        return reason
    if _is_part(asked) and (edge := beyond(rows, held)) is not None:
        return retold(edge, series)
    if level is not None:
        return another_level(level, series)
    of_window = held.filter(window.contains(pl.col("observation_date")))
    if not provider.rolling and not provider.speaks_of_what_it_lists:
        if provider.vintages != "whole":
            reason = older(rows, of_window, series)
        reason = reason or shrunk(rows, of_window, series)
    return reason


def _other_figures(rows: pl.DataFrame, series: Series, home: str, before: Held) -> str | None:
    """Why a holder that was to have the home's figures has not, by its first answer."""
    there = before.get((series.id, home))
    if there is None or not is_same_vintage(rows, there):
        return None
    return multiplied(rows, there, series, home)


def _disagreement(rows: pl.DataFrame, series: Series, before: Held) -> str | None:
    """Why the home, which answered now, has other figures than are stored of holders that were to have the same."""
    same = [(series.id, h.source) for h in series.holders if h.same]
    others = {name: before[i, name] for i, name in same if (i, name) in before}
    if not others:
        return None
    had = before.get((series.id, series.source), NO_OBSERVATIONS)
    now = pl.concat([f.select("observation_date", *_STATED) for f in (had, rows)])
    reasons = (multiplied(now, f, series, o) for o, f in others.items() if is_same_vintage(now, f, lately=False))
    return next(filter(None, reasons), None)


def _as_seen(rows: pl.DataFrame, last: date) -> pl.DataFrame:
    """Rows of which those after the home's last date are known from when they were fetched."""
    seen = (pl.col("observation_date") > last) & (pl.col("release_basis") == ESTIMATED)
    return rows.with_columns(
        release_time=pl.when(seen).then("ingested_at").otherwise("release_time"),
        release_basis=pl.when(seen).then(pl.lit("ingested")).otherwise("release_basis"),
    )
