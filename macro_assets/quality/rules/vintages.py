"""Rules on raw tables: rows are statements of a provider, and a later one of an observation revises it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
from pydantic import Field

from macro_assets.quality.report import CheckReport
from macro_assets.quality.rules.registry import Arguments, report_of, rule


class Usual(Arguments):
    """How many times the median of a series' earlier revisions the latest may be, and how many tell what is usual."""

    times: float = Field(default=20.0, gt=1)
    min_revisions: int = Field(default=24, ge=2)


def _revised(by: float) -> pl.DataFrame:
    """Three vintages of which the second revises by 1, the third one date by something else."""
    days = [date(2020, month, 1) for month in (1, 2, 3)]
    rows = [(day, v, v.month) for v in (datetime(2020, m, 1, tzinfo=UTC) for m in (4, 5)) for day in days]
    rows.append((days[0], datetime(2020, 6, 1, tzinfo=UTC), 5 + by))  # type: ignore[arg-type]
    told = pl.DataFrame(
        [(day, known, float(value)) for day, known, value in rows],
        schema={"observation_date": pl.Date, "release_time": pl.Datetime("us", "UTC"), "value": pl.Float64},
        orient="row",
    )
    return told.with_columns(series_id=pl.lit("a"), provider=pl.lit("fred"))


@rule(
    arguments=Usual,
    reads=("series_id", "provider", "observation_date", "release_time", "value"),
    example={"times": 10, "min_revisions": 3},
    passes=lambda: _revised(10.0),
    rejects=lambda: _revised(11.0),
)
def revisions_are_usual(frame: pl.DataFrame, subject: str, arguments: Usual) -> CheckReport:
    """The latest revision of a series is no more than `times` the median size of those before it."""
    holder, about = ["series_id", "provider"], ["series_id", "provider", "observation_date"]
    rows = (
        frame.with_row_index("row")
        .drop_nulls("value")
        .sort(*about, "release_time")
        .with_columns(size=(pl.col("value") - pl.col("value").shift(1).over(about)).abs())
        .filter(pl.col("size") > 0)
        .with_columns(is_latest=pl.col("release_time") == pl.col("release_time").max().over(holder))
    )
    before = rows.filter(~pl.col("is_latest")).group_by(holder).agg(usual=pl.col("size").median(), n=pl.len())
    off = (
        rows.filter("is_latest")
        .join(before.filter(pl.col("n") >= arguments.min_revisions), on=holder)
        .filter(pl.col("size") > arguments.times * pl.col("usual"))
        .sort(*about)
    )
    value = pl.format("{} {}: by {}, usual {}", "series_id", "observation_date", "size", "usual")
    off = off.with_columns(value=value)
    return report_of(frame, subject, off, off["row"].to_list(), "value", f"<= {arguments.times:g} usual revisions")
