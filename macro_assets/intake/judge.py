"""Which observations of an answer may be stored, and why the others may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from macro_assets.catalog import Series, Source
from macro_assets.quality import CheckReport, check_series
from macro_assets.quality.answers import ahead, empty, rebased, shrunk
from macro_assets.sources.protocol import NO_OBSERVATIONS, Fetched, Window


@dataclass(frozen=True)
class Outcome:
    """What became of one series of an answer.

    With a `failure`, the stored rows of the series stay as they were. `warning` says what is not as it should be though
    rows came: a fallback served them.
    """

    series: Series
    report: CheckReport
    failure: str | None
    warning: str | None = None


def judge(
    fetched: Fetched, selected: Sequence[Series], window: Window, held: pl.DataFrame, source: Source
) -> tuple[list[Outcome], pl.DataFrame]:
    """Which observations of an answer may be stored, and why the others may not.

    Rows that fail their check are left out; a failure that no single row is guilty of condemns the series' rows, and so
    does an answer that is no good next to what is stored (`quality/answers.py`).

    Parameters
    ----------
    held
        Stored rows of the selected series.
    """
    own = {k[0]: f for k, f in fetched.observations.group_by("series_id", maintain_order=True)}
    in_force = (
        held.filter(pl.col("provider") == source.name)
        .sort("release_time")
        .group_by("series_id", "observation_date", maintain_order=True)
        .last()
        .select("series_id", "observation_date", "value")
    )
    before = {k[0]: f for k, f in in_force.group_by("series_id")}
    outcomes, accepted = [], []
    for series in selected:
        rows = own.get(series.id, NO_OBSERVATIONS)
        report = check_series(rows, series)
        wrong = None if series.id in fetched.failures else _wrong(rows, series, source, fetched, window, before)
        failure = fetched.failures.get(series.id) or wrong or (None if report.passed else str(report))
        outcomes.append(Outcome(series, report, failure, fetched.substituted.get(series.id)))
        condemned = wrong or (not report.passed and not report.failed_rows)
        good = rows.with_row_index("_row").filter(~pl.col("_row").is_in(report.failed_rows)).drop("_row")
        accepted.append(good.clear() if condemned else good)
    return outcomes, pl.concat(accepted)


def _wrong(
    rows: pl.DataFrame,
    series: Series,
    source: Source,
    fetched: Fetched,
    window: Window,
    before: Mapping[object, pl.DataFrame],
) -> str | None:
    """Why an answer that came is no good as a whole."""
    if series.id in fetched.unchanged:
        return None
    held = before.get(series.id)
    reason = ahead(rows, series, window.today)
    if source.is_live:
        reason = reason or empty(rows, series, window.first, window.last, window.today, source.rolling)
    if reason or held is None or series.id in fetched.substituted:
        return reason
    asked = held.filter(window.contains(pl.col("observation_date")))
    if not source.rolling:
        reason = shrunk(rows, asked, series)
    if source.vintages == "none":
        reason = reason or rebased(rows, held, series)
    return reason
