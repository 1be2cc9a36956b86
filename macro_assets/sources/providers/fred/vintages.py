"""FRED's real-time periods as dated changes: pure functions of what `connector.py` asked and was answered.

FRED states, for each value of an observation, the first and last day on which it was in force (`realtime_start`,
`realtime_end`), both clipped to the period that was asked for: a border of a request looks like a release. Source of
the rules: https://fred.stlouisfed.org/docs/api/fred/realtime_period.html
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from macro_assets.catalog import Series
from macro_assets.catalog.periods import release_instant
from macro_assets.sources.errors import SchemaError

VINTAGES_PER_REQUEST = 2_000
"""Most vintage dates that FRED lets a request for observations span."""

BEGINNING = date(1776, 7, 4)
"""FRED's first real-time day."""

OPEN = date(9999, 12, 31)
"""FRED's end of a period that goes on; the one real-time date after today that it takes."""

ONE_DAY = timedelta(days=1)

_IN_FORCE = ("realtime_start", "realtime_end")


def latest_vintage(series: Series, known: date) -> date:
    """The vintage date behind the UTC day of the latest stored release.

    A clock time in the US evening is the next day in UTC. Where two vintages come to be on one UTC day, as when summer
    time begins, it is the earlier: what is asked again does no harm, what is skipped is lost.
    """
    around = (known - ONE_DAY, known, known + ONE_DAY)
    return next((d for d in around if release_instant(series, d).date() == known), around[0])


def spans(vintages: pl.Series) -> list[tuple[date, date]]:
    """Real-time periods that cover vintage dates, the last one open.

    A period begins on the vintage date on which the one before ends, so that a value that is withdrawn at the border
    is seen to end.
    """
    step = VINTAGES_PER_REQUEST - 1
    starts = range(0, max(len(vintages) - 1, 1), step)
    return [(vintages[i], vintages[i + step] if i + step < len(vintages) - 1 else OPEN) for i in starts]


def changes(rows: pl.DataFrame, listed: pl.Series, since: date | None) -> pl.DataFrame:
    """What became known on which day, from values with the days they were in force.

    Parameters
    ----------
    rows
        `observation_date`, `value`, `realtime_start`, `realtime_end` (days, both included), and `asked_from`,
        `asked_to`, the real-time period of the request that brought the row. Further columns are kept.
    listed
        Vintage dates, ascending.
    since
        Latest vintage that is known already; None where nothing is.

    Returns
    -------
    pl.DataFrame
        The columns of `rows` without the days, and `vintage`. Equal values of one observation do not follow each
        other. A value that ceased to be in force with nothing in its place is a null on the day after. Of vintages
        that are known, only what still held on the first new one is told, as known then: it is a true statement, and
        the store drops it where it is no news.

    Raises
    ------
    SchemaError
        When the answers contradict each other or the list of vintage dates: a release time would be invented.
    """
    rows = rows.sort("observation_date", *_IN_FORCE, "asked_from", maintain_order=True)
    start, end, value = pl.col("realtime_start"), pl.col("realtime_end"), pl.col("value")
    same = pl.col("observation_date") == pl.col("observation_date").shift(-1)
    following = pl.when(same).then(start.shift(-1))
    marks = rows.select(
        inside=(pl.col("asked_from") <= start) & (start <= end) & (end <= pl.col("asked_to")),
        listed=start.is_in(listed.implode()) | (start == pl.col("asked_from")) | (start > listed[-1]),
        alone=~((following <= end) & value.ne_missing(value.shift(-1))),
        ended=(end < pl.col("asked_to")) & (following.is_null() | (following > end + ONE_DAY)),
    )
    _expect(marks["inside"], rows, "real-time dates within the period that was asked for")
    _expect(marks["listed"], rows, "a `realtime_start` that is a vintage date of the series")
    _expect(marks["alone"], rows, "one value in force on a day")

    kept = pl.exclude(*_IN_FORCE, "asked_from", "asked_to")
    if since is None:
        found = rows.select(kept, vintage=start)
    else:
        first_new = listed.filter(listed > since)[0]
        found = rows.filter(end >= first_new).select(kept, vintage=pl.max_horizontal(start, first_new))
    if marks["ended"].any():
        withdrawn = rows.filter(marks["ended"]).with_columns(value=pl.lit(None, pl.Float64))
        found = pl.concat([found, withdrawn.select(kept, vintage=end + ONE_DAY)])
        found = found.sort("observation_date", "vintage", maintain_order=True)
    if (rows["realtime_start"] > listed[-1]).any():  # published since the list was had: left to the next fetch
        found = found.filter(pl.col("vintage") <= listed[-1])
    first = (pl.col("observation_date") != pl.col("observation_date").shift(1)).fill_null(True)
    return found.filter(first | value.ne_missing(value.shift(1)))


def released(found: pl.DataFrame, series: Series, snapshot: date | None) -> pl.DataFrame:
    """Changes with `release_time` and `release_basis` for their `vintage`.

    Parameters
    ----------
    snapshot
        The first vintage of all: what it has was known by then, not released then. None where it was not asked for.
    """
    lag = series.publication_lag
    local = (
        pl.col("vintage")
        .dt.combine(lag.time, "us")
        .dt.replace_time_zone(lag.time_zone, ambiguous="earliest", non_existent="null")
    )
    basis = (
        pl.when(pl.col("vintage") == pl.lit(snapshot, pl.Date)).then(pl.lit("snapshot")).otherwise(pl.lit("provider"))
    )
    times = {"release_time": local.dt.convert_time_zone("UTC"), "release_basis": basis}
    dated = found.select(pl.exclude("vintage"), **times)
    if dated["release_time"].null_count():  # a clock time that summer time leaves out
        instants = pl.Series([release_instant(series, d) for d in found["vintage"]], dtype=pl.Datetime("us", "UTC"))
        dated = dated.with_columns(release_time=instants)
    return dated


def _expect(right: pl.Series, rows: pl.DataFrame, expected: str) -> None:
    if not right.all():
        row = rows.filter(~right).row(0, named=True)
        raise SchemaError(
            f"expected {expected}; {row['observation_date']} has {row['value']} from {row['realtime_start']} to "
            f"{row['realtime_end']}, asked from {row['asked_from']} to {row['asked_to']}. Fetch again; if it stays, "
            "FRED's vintage dates and observations disagree."
        )
