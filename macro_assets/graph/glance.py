"""One series at a glance: its figures and what changed, how it was revised, who has it, when the next figure is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from macro_assets.catalog import Series
from macro_assets.catalog.derive import holdings_frame
from macro_assets.catalog.periods import estimated_release, next_period, release_instant, utc_now
from macro_assets.lakehouse.absent import never_fetched
from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.holders import ESTIMATED, chosen, serving
from macro_assets.lakehouse.raw import read_decisions, read_series
from macro_assets.lakehouse.releases import numbered, with_revisions
from macro_assets.lakehouse.vintages import day_of, in_force, instant
from macro_assets.transforms.changes import PERCENT, unit_over_year, with_changes


@dataclass(frozen=True)
class Glance:
    """A series as known at an instant.

    Parameters
    ----------
    series
        As who serves it has it, whose unit the figures are in; as its home where nobody does.
    over_year
        Unit of the change over a year: 'percent', or that of a difference of the standard unit.
    figures
        In the unit published: `observation_date`, `value`, `change`, `over_year`, `release_time`, `release_basis`,
        `provider`, `revision` (the last one of the figure); by date.
    revisions
        As :func:`macro_assets.lakehouse.releases.with_revisions` gives them, by the time of the release.
    holders
        Everyone who has it, in the order in which they count: `provider`, `serves`, `same`, `first`, `last` (with a
        value in force), `rows`, `vintages` (release times that are no estimates).
    first_release
        When anything of it became known; may be after the instant.
    """

    series: Series
    over_year: str
    figures: pl.DataFrame
    revisions: pl.DataFrame
    holders: pl.DataFrame
    first_release: datetime


def glance(lake: Lakehouse, series_id: str, moment: date | datetime | str | None = None) -> Glance:
    """A series as known at an instant, or now; read once.

    Raises
    ------
    UnknownNameError
        When the catalog has no such series.
    LakeError
        When nothing of it was ever fetched, or a table cannot be read.
    """
    home = lake.catalog.one_series(series_id)
    raw, decisions = read_series(lake, [series_id]), read_decisions(lake)
    if raw.is_empty():
        raise LakeError(never_fetched(lake.catalog, series_id))
    holdings = holdings_frame(lake.catalog, [series_id])
    known, day = in_force(raw, moment, decisions), day_of(moment)
    counting = serving(known, holdings, day)
    serves = chosen(known, holdings, day)["provider"].to_list()
    series = next((h.series for h in lake.catalog.holdings(series_id) if h.provider in serves), home)
    unit = unit_over_year(series.unit, series.transform)
    revised = with_revisions(numbered(raw, serves[0] if serves else "", decisions, moment)).sort("release_time")
    latest = revised.unique("observation_date", keep="last").select("observation_date", "revision")
    told = ("observation_date", "value", "release_time", "release_basis", "provider")
    figures = with_changes(counting.select(told), series.frequency, percent=unit == PERCENT)
    return Glance(
        series=series,
        over_year=unit,
        figures=figures.join(latest, on="observation_date", how="left", maintain_order="left"),
        revisions=revised,
        holders=_holders(holdings, raw if moment is None else _until(raw, moment), known, serves),
        first_release=raw["release_time"].min(),  # type: ignore[arg-type]
    )


def _until(raw: pl.DataFrame, moment: date | datetime | str) -> pl.DataFrame:
    return raw.filter(pl.col("release_time") <= instant(moment))


def _holders(holdings: pl.DataFrame, told: pl.DataFrame, known: pl.DataFrame, serves: list[str]) -> pl.DataFrame:
    """What is stored of everyone who has a series."""
    dated = pl.col("release_time").filter(pl.col("release_basis") != ESTIMATED)
    stored = told.group_by("provider").agg(rows=pl.len(), vintages=dated.n_unique())
    date_ = pl.col("observation_date")
    spans = known.drop_nulls("value").group_by("provider").agg(first=date_.min(), last=date_.max())
    return (
        holdings.join(stored, on="provider", how="left")
        .join(spans, on="provider", how="left")
        .sort("rank")
        .select(
            "provider",
            pl.col("provider").is_in(serves).alias("serves"),
            "same",
            "first",
            "last",
            pl.col("rows", "vintages").fill_null(0),
        )
    )


@dataclass(frozen=True)
class NextFigure:
    """When the figure after the latest one is due, in words, and whether it should have been there."""

    said: str
    is_late: bool = False


def next_figure(
    series: Series, latest: date | None, releases: Sequence[date] = (), moment: datetime | None = None
) -> NextFigure:
    """When the figure after the latest one is due.

    Parameters
    ----------
    series
        As its home has it.
    latest
        Date of the latest observation with a value; None where there is none.
    releases
        Days on which the release that brings it comes out, in order; one to come counts before the publication lag.
    moment
        The instant at which it is asked; by default now.
    """
    now = moment or utc_now()
    if series.last_year is not None and latest is not None and latest.year >= series.last_year:
        return NextFigure(f"none: the series ended in {series.last_year}")
    coming = next((day for day in releases if release_instant(series, day) > now), None)
    on_the_day = f"with the release of {coming}, by the calendar" if coming else ""
    if latest is None or series.irregular or (series.projections and latest > now.date()):
        return NextFigure(on_the_day or "on no day that could be told")
    upcoming = next_period(latest, series.frequency)
    expected, label = estimated_release(series, upcoming), period(upcoming, series.frequency)
    if expected > now:
        return NextFigure(f"{label}, {on_the_day or f'expected by {expected:%Y-%m-%d}'}")
    late = f"{label} was expected by {expected:%Y-%m-%d}"
    return NextFigure(f"{late}; the next comes {on_the_day}" if on_the_day else late, is_late=True)


def period(day: date, frequency: str) -> str:
    """A period as people write it: 2016, 2016 Q2, 2016-06; of days and weeks the date."""
    match frequency:
        case "A":
            return f"{day:%Y}"
        case "Q":
            return f"{day:%Y} Q{(day.month + 2) // 3}"
        case "M":
            return f"{day:%Y-%m}"
    return day.isoformat()
