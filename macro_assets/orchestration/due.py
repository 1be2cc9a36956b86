"""Which series of a live source are worth asking for now, and from which year on: each with the reason in words.

Frames in, reasons out, without Dagster: `macro fetch` and the `refresh` schedule select by it. A series is due when it
was never fetched or failed; when its release calendar brought a release since it was last had; when the next
figure should be out by the publication lag; and once a week to see what was revised, however far back. All of it is
about the first of its holders that is on: of a source without its key, the one that serves in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from macro_assets.catalog import Series, Source, names
from macro_assets.catalog.periods import estimated_release, next_period, release_instant
from macro_assets.intake.calendars import CALENDAR
from macro_assets.intake.fetch import askable
from macro_assets.intake.windows import is_look_due
from macro_assets.lakehouse.handle import Lakehouse
from macro_assets.lakehouse.raw import read_raw

ASK_AGAIN = timedelta(hours=20)
"""After how long a figure that should be out and was not is asked for again."""


@dataclass(frozen=True)
class Due:
    """A series to ask for: why, and the first year of observations that is wanted (None = all of its history)."""

    series: Series
    reason: str
    first_year: int | None


def due_series(lake: Lakehouse, source: Source, now: datetime | None = None, everything: bool = False) -> list[Due]:
    """Series of a source that are due at an instant, in catalog order; of those of which a holder is on.

    Parameters
    ----------
    now
        Default: the present. In UTC.
    everything
        Name the others too, as asked for.

    Raises
    ------
    LakeError
        When the raw table, the fetch log or the calendar cannot be read.
    """
    now = now or datetime.now(UTC)
    log = lake.read(names.fetch_log(source.name))
    last = {(r["series_id"], r["provider"]): r for r in log.iter_rows(named=True)}
    stored = read_raw(lake, source.name).drop_nulls("value")
    ends = stored.group_by("series_id", "provider").agg(pl.col("observation_date").max())
    latest: dict[tuple[str, str], date] = {(i, provider): day for i, provider, day in ends.iter_rows()}
    calendar = lake.read(CALENDAR).filter(pl.col("source") == source.name)
    releases: dict[str, list[date]] = dict(calendar.group_by("release").agg(pl.col("release_date").sort()).iter_rows())
    found = []
    for series in lake.catalog.series_of(source.name):
        for holder in askable(lake.catalog, series)[:1]:
            there, key = holder.series, (series.id, holder.provider)
            provider, end = lake.catalog.sources[holder.provider], latest.get(key)
            due = _due(there, last.get(key), end, releases, provider, now)
            if due is None and everything and not _has_ended(there, end):
                due = "asked for", _wanted_year(there, end, now)
            if due is not None:
                found.append(Due(series, *due))
    return found


def _due(
    series: Series,
    fetch: Mapping[str, object] | None,
    latest: date | None,
    releases: Mapping[str, list[date]],
    provider: Source,
    now: datetime,
) -> tuple[str, int | None] | None:
    """Why a series, as its provider has it, is due, and from which year on."""
    had = fetch["last_success"] if fetch else None
    if fetch is None or not isinstance(had, datetime):
        return "never fetched", None
    if provider.vintages == "changes" and not fetch["is_whole"]:
        return "its history was never asked for whole", None
    upcoming = next_period(latest, series.frequency) if latest else None
    year = _wanted_year(series, latest, now)
    if fetch["status"] != "ok":
        return "the last fetch failed" if fetch["status"] == "failed" else "the key of its source was missing", year
    if _has_ended(series, latest):
        return None
    if (release := _released_since(series, releases, had, now)) is not None:
        return f"release {series.release} of {release}", year
    if upcoming is not None and not series.irregular:
        expected = estimated_release(series, upcoming)
        if expected <= now and (had < expected or now - had >= ASK_AGAIN):
            return f"the figure of {upcoming} was expected by {expected:%Y-%m-%d}", year
    if series.irregular and now - had >= ASK_AGAIN:
        return "its dates follow no rhythm: looked for daily", year
    looked = fetch["last_look"]
    if is_look_due(looked if isinstance(looked, datetime) else None, now):
        return "a weekly look for revisions", year
    return None


def _has_ended(series: Series, latest: date | None) -> bool:
    """Whether the last observation of a series that ended is stored."""
    return series.last_year is not None and latest is not None and latest.year >= series.last_year


def _wanted_year(series: Series, latest: date | None, now: datetime) -> int | None:
    """The year of the next figure, of projections the present one; None where there is no figure yet."""
    return min(next_period(latest, series.frequency).year, now.year) if latest else None


def _released_since(series: Series, releases: Mapping[str, list[date]], had: datetime, now: datetime) -> date | None:
    """The latest release of the calendar that came out after the series was had."""
    for day in reversed(releases.get(series.release or "", [])):
        moment = release_instant(series, day)
        if moment <= now:
            return day if had < moment else None
    return None
