"""Rules on tables of observations, a row per series and date: whether they are all there, and whether they add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl
from pydantic import Field, NonNegativeInt

from macro_assets.catalog.holidays import federal_holidays
from macro_assets.catalog.kinds.declaration import Slug
from macro_assets.catalog.kinds.series import Frequency
from macro_assets.quality.report import CheckReport
from macro_assets.quality.rules.facts import IDENTITY
from macro_assets.quality.rules.registry import Arguments, report_of, rule


class Whole(Arguments):
    """A column, what its rows are told apart by, and which share of them may lack a figure."""

    column: Slug
    by: Slug | None = None
    share: float = Field(default=0.0, ge=0, lt=1)

    def numbers(self) -> tuple[str, ...]:
        return (self.column,)

    def texts(self) -> tuple[str, ...]:
        return (self.by,) if self.by else ()


@rule(
    arguments=Whole,
    example={"column": "value", "by": "series_id", "share": 0.4},
    passes=lambda: pl.DataFrame({"series_id": [*"aaab"], "value": [1.0, None, 2.0, 3.0]}),
    rejects=lambda: pl.DataFrame({"series_id": [*"aaab"], "value": [1.0, 2.0, 3.0, None]}),
)
def complete(frame: pl.DataFrame, subject: str, arguments: Whole) -> CheckReport:
    """No more than `share` of the figures of a column are missing, of each series where `by` names it."""
    by = pl.col(arguments.by) if arguments.by else pl.lit("all")
    rows = frame.with_row_index("row").with_columns(group=by, lacking=pl.col(arguments.column).is_null())
    of_each = rows.group_by("group", maintain_order=True).agg(pl.col("lacking").mean(), of=pl.len())
    off = of_each.filter(pl.col("lacking") > arguments.share)
    failed = rows.filter("lacking").join(off, on="group", how="semi")
    first = failed.group_by("group").agg(pl.col("row").first())
    told = (
        off.join(first, on="group")
        .sort("row")
        .with_columns(value=pl.format("{}: {}% of {}", "group", (100 * pl.col("lacking")).round(1), "of"))
    )
    said = f"<= {arguments.share:.1%} missing"
    return report_of(frame, subject, told, failed["row"].to_list(), arguments.column, said)


# --- gaps ----------------------------------------------------------------------------------------------------------


class Rhythm(Arguments):
    """How many periods in a row may lack, by frequency; of those not named none."""

    admitted: dict[Frequency, NonNegativeInt] = Field(default_factory=dict)


_MONTHS = {"M": 1, "Q": 3, "A": 12}


def _dated(frequency: str, days: list[date], **facts: Any) -> pl.DataFrame:
    told = {"frequency": frequency, "is_regular": True, "holidays": "US", **facts}
    return pl.DataFrame({"series_id": "a", "observation_date": days, "value": 1.0}).with_columns(
        pl.lit(v).alias(k) for k, v in told.items()
    )


@rule(
    arguments=Rhythm,
    reads=("series_id", "observation_date", "value"),
    facts=("frequency", "is_regular", "holidays"),
    example={"admitted": {"M": 1}},
    passes=lambda: _dated("D", [date(2020, 7, 2), date(2020, 7, 6), date(2020, 7, 7)]),
    rejects=lambda: _dated("D", [date(2020, 7, 2), date(2020, 7, 7), date(2020, 7, 8)]),
)
def no_gaps(frame: pl.DataFrame, subject: str, arguments: Rhythm) -> CheckReport:
    """No series lacks periods between two figures: days but for weekends and holidays, weeks, months, quarters, years.

    Holidays are those of the United States, of series that keep them; elsewhere a country's own are periods that lack.
    """
    day, before, frequency = pl.col("observation_date"), pl.col("before"), pl.col("frequency")
    rows = (
        frame.with_row_index("row")
        .filter(pl.col("is_regular") & frequency.is_not_null() & pl.col("value").is_not_null())
        .sort("series_id", "observation_date")
        .with_columns(before=day.shift(1).over("series_id"))
        .filter(before.is_not_null(), (day - before) > _DAY)
    )
    months = 12 * (day.dt.year() - before.dt.year()) + day.dt.month().cast(pl.Int32) - before.dt.month()
    every = frequency.replace_strict(_MONTHS, default=1, return_dtype=pl.Int32)
    weeks = ((day - before).dt.total_days() + 3) // 7
    after = before + _DAY
    days = pl.business_day_count(after, day)
    kept = pl.business_day_count(after, day, holidays=_holidays(rows))
    lacking = (
        pl.when(frequency == "D")
        .then(pl.when(pl.col("holidays") == "US").then(kept).otherwise(days))
        .when(frequency == "W")
        .then(weeks - 1)
        .otherwise((months + every - 1) // every - 1)
    )
    most = frequency.replace_strict(arguments.admitted, default=0, return_dtype=pl.Int64)
    off = rows.with_columns(lacking=lacking.cast(pl.Int64)).filter(pl.col("lacking") > most)
    value = pl.format("{}: {} {} lack between {} and {}", "series_id", "lacking", _named(), "before", day)
    off = off.with_columns(value=value)
    return report_of(frame, subject, off, off["row"].to_list(), "observation_date", "no gap")


_DAY = timedelta(days=1)
_NAMES = {"D": "days", "W": "weeks", "M": "months", "Q": "quarters", "A": "years"}


def _named() -> pl.Expr:
    return pl.col("frequency").replace_strict(_NAMES, default="periods", return_dtype=pl.String)


def _holidays(rows: pl.DataFrame) -> list[date]:
    first, last = rows["before"].min(), rows["observation_date"].max()
    if not isinstance(first, date) or not isinstance(last, date):
        return []
    return sorted({day for year in range(first.year, last.year + 1) for day in federal_holidays(year)})


# --- identities ----------------------------------------------------------------------------------------------------


class Sum(Arguments):
    """Columns that add up to another, less others, but for a tolerance."""

    total: Slug
    plus: list[Slug] = Field(min_length=1)
    minus: list[Slug] = Field(default_factory=list)
    tolerance: float = Field(gt=0)

    def numbers(self) -> tuple[str, ...]:
        return (self.total, *self.plus, *self.minus)


@rule(
    arguments=Sum,
    example={"total": "c", "plus": ["a"], "minus": ["b"], "tolerance": 0.01},
    passes=lambda: pl.DataFrame({"a": [3.0, 5.0], "b": [1.0, None], "c": [2.005, 9.0]}),
    rejects=lambda: pl.DataFrame({"a": [3.0, 5.0], "b": [1.0, None], "c": [2.011, 9.0]}),
)
def adds_up(frame: pl.DataFrame, subject: str, arguments: Sum) -> CheckReport:
    """A column is the sum of others less others, in rows in which all are there."""
    parts = [*(pl.col(c) for c in arguments.plus), *(-pl.col(c) for c in arguments.minus)]
    gap = pl.col(arguments.total) - sum(parts[1:], parts[0])
    off = frame.with_row_index("row").with_columns(value=gap).filter(pl.col("value").abs() > arguments.tolerance)
    said = " + ".join(arguments.plus) + "".join(f" - {c}" for c in arguments.minus)
    return report_of(frame, subject, off, off["row"].to_list(), arguments.total, f"= {said}; off by")


def _parts(total: float) -> pl.DataFrame:
    """A day of an index and its two parts, of which it is the difference."""
    of_index = [{"plus": ["a"], "minus": ["b"], "tolerance": 0.01}]
    stated = {
        "series_id": ["i", "a", "b"],
        "observation_date": [date(2020, 1, 1)] * 3,
        "value": [total, 3.0, 1.0],
    }
    identities = pl.Series("identities", [of_index, None, None], dtype=pl.List(IDENTITY))
    return pl.DataFrame(stated).with_columns(identities)


@rule(
    reads=("series_id", "observation_date", "value"),
    facts=("identities",),
    passes=lambda: _parts(2.005),
    rejects=lambda: _parts(2.011),
)
def identities_hold(frame: pl.DataFrame, subject: str, arguments: Arguments) -> CheckReport:
    """Each series that the catalog says to be a sum of others is, on the dates of which all have a figure."""
    found = list(_breaches(frame.with_row_index("row")))
    off = pl.DataFrame(found, schema={"row": pl.Int64, "value": pl.String}, orient="row").sort("row", "value")
    return report_of(frame, subject, off, off["row"].unique().sort().to_list(), "value", "the sum of its parts")


def _breaches(rows: pl.DataFrame) -> Iterator[tuple[int, str]]:
    """Rows of sums that are off, and by how much."""
    stated = rows.filter(pl.col("identities").is_not_null()).unique("series_id").sort("series_id")
    for series_id, identities in stated.select("series_id", "identities").iter_rows():
        for identity in identities:
            signs = {**dict.fromkeys(identity["plus"], 1.0), **dict.fromkeys(identity["minus"], -1.0)}
            parts = (
                rows.filter(pl.col("series_id").is_in(list(signs)))
                .drop_nulls("value")
                .with_columns(sign=pl.col("series_id").replace_strict(signs, return_dtype=pl.Float64))
                .group_by("observation_date")
                .agg(of=(pl.col("value") * pl.col("sign")).sum(), n=pl.col("series_id").n_unique())
                .filter(pl.col("n") == len(signs))
            )
            sums = rows.filter(pl.col("series_id") == series_id).join(parts, on="observation_date")
            off = sums.with_columns(gap=pl.col("value") - pl.col("of"))
            off = off.filter(pl.col("gap").abs() > identity["tolerance"]).sort("observation_date")
            named = " + ".join(identity["plus"]) + "".join(f" - {m}" for m in identity["minus"])
            for row, day, gap in off.select("row", "observation_date", "gap").iter_rows():
                yield row, f"{series_id} {day}: {gap:+.4g} off {named}"
