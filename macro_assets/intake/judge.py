"""Which observations of an answer may be stored, and why the others may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from macro_assets.catalog import Holding, Series
from macro_assets.intake.fetch import Asked
from macro_assets.lakehouse.holders import ESTIMATED
from macro_assets.quality import CheckReport, check_series
from macro_assets.quality.answers import ahead, empty, is_same_vintage, multiplied, older, rebased, shrunk
from macro_assets.sources.protocol import NO_OBSERVATIONS

_STATED = ("value", "release_time", "ingested_at")

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
    """

    asked: Asked
    series: Series
    report: CheckReport
    failure: str | None
    is_answered: bool
    is_whole: bool

    @property
    def provider(self) -> str:
        """Who was asked."""
        return self.asked.provider.name


def judge(asked: Asked, held: pl.DataFrame, home: str) -> tuple[list[Verdict], pl.DataFrame]:
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
    """
    own = {k[0]: f for k, f in asked.fetched.observations.group_by("series_id", maintain_order=True)}
    before = _in_force(held)
    verdicts, accepted = [], []
    for holding in asked.holdings:
        series, fetched = holding.series, asked.fetched
        rows = own.get(series.id, NO_OBSERVATIONS)
        report = check_series(rows, series)
        lost = fetched.failures.get(series.id)
        has_news = lost is None and series.id not in fetched.unchanged
        wrong = _wrong(rows, holding, asked, before, home) if has_news else None
        condemned = wrong or (not report.passed and not report.failed_rows)
        refused = lost or wrong or (None if report.passed else str(report))
        failure = refused or _disagreement(rows, series, before)
        is_whole = asked.window.is_whole and refused is None
        verdicts.append(Verdict(asked, series, report, failure, lost is None, is_whole))
        good = rows.with_row_index("_row").filter(~pl.col("_row").is_in(report.failed_rows)).drop("_row")
        if holding.same and (there := before.get((series.id, home))) is not None:
            good = _as_seen(good, there["observation_date"].max())  # type: ignore[arg-type]
        accepted.append(good.clear() if condemned else good)
    return verdicts, pl.concat(accepted)


def _in_force(held: pl.DataFrame) -> Held:
    key = ["series_id", "provider", "observation_date"]
    latest = held.sort("release_time").unique(key, keep="last", maintain_order=True)
    return dict(latest.select(*key, *_STATED).group_by("series_id", "provider", maintain_order=True))


def _wrong(rows: pl.DataFrame, holding: Holding, asked: Asked, before: Held, home: str) -> str | None:
    """Why an answer that came is no good as a whole."""
    series, provider, window = holding.series, asked.provider, asked.window
    held = before.get((series.id, provider.name))
    reason = ahead(rows, series, window.today)
    if provider.is_live:
        reason = reason or empty(rows, series, window.first, window.last, window.today, provider.rolling)
    if held is None and holding.same:
        reason = reason or _other_figures(rows, series, home, before)
    if reason or held is None:
        return reason
    of_window = held.filter(window.contains(pl.col("observation_date")))
    if not provider.rolling:
        if provider.vintages != "whole":
            reason = older(rows, of_window, series)
        reason = reason or shrunk(rows, of_window, series)
    if provider.vintages == "none":
        reason = reason or rebased(rows, held, series)
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
