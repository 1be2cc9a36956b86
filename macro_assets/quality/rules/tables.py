"""Rules on the rows of one table: bounds, texts, fits, contributions, forecasts and news."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Self

import polars as pl
from pydantic import Field, model_validator

from macro_assets.catalog.kinds.declaration import Slug
from macro_assets.quality.report import CheckReport
from macro_assets.quality.rules.registry import TOLERANCE, Arguments, report_of, rule

# --- any column ----------------------------------------------------------------------------------------------------


class Within(Arguments):
    """Bounds of a column, both of which are admitted."""

    column: Slug
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("expected 'low', 'high' or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low:g}) must not be above high ({self.high:g})")
        return self

    def numbers(self) -> tuple[str, ...]:
        return (self.column,)


@rule(
    arguments=Within,
    example={"column": "value", "low": -2, "high": 15},
    passes=lambda: pl.DataFrame({"value": [-2.0, 15.0, None]}),
    rejects=lambda: pl.DataFrame({"value": [-2.0, 15.1, None]}),
)
def within(frame: pl.DataFrame, subject: str, arguments: Within) -> CheckReport:
    """No value of a column is below `low` or above `high`; one that is missing is neither."""
    value = pl.col(arguments.column)
    low, high = arguments.low, arguments.high
    limits = [*([value < low] if low is not None else []), *([value > high] if high is not None else [])]
    off = frame.with_row_index("row").filter(pl.any_horizontal(limits)).select("row", value=value)
    said = " ".join([*([f">= {low:g}"] if low is not None else []), *([f"<= {high:g}"] if high is not None else [])])
    return report_of(frame, subject, off, off["row"].to_list(), arguments.column, said)


class OneOf(Arguments):
    """The texts that a column may hold."""

    column: Slug
    values: list[str] = Field(min_length=1)

    def texts(self) -> tuple[str, ...]:
        return (self.column,)


@rule(
    arguments=OneOf,
    example={"column": "statistic", "values": ["mean", "q05"]},
    passes=lambda: pl.DataFrame({"statistic": ["q05", "mean", None]}),
    rejects=lambda: pl.DataFrame({"statistic": ["p05", "mean", None]}),
)
def one_of(frame: pl.DataFrame, subject: str, arguments: OneOf) -> CheckReport:
    """A column holds the given texts and no other; one that is missing is no other."""
    value = pl.col(arguments.column)
    off = frame.with_row_index("row").filter(~value.is_in(arguments.values)).select("row", value=value)
    said = f"one of {', '.join(arguments.values)}"
    return report_of(frame, subject, off, off["row"].to_list(), arguments.column, said)


class Closeness(Arguments):
    """What a fit may leave, in the unit of the column, and which share of the fits may leave more."""

    column: Slug
    high: float = Field(gt=0)
    share: float = Field(ge=0, lt=1)

    def numbers(self) -> tuple[str, ...]:
        return (self.column,)


@rule(
    arguments=Closeness,
    example={"column": "rmse_bp", "high": 20, "share": 0.25},
    passes=lambda: pl.DataFrame({"rmse_bp": [5.0, 20.0, 90.0, 4.0, None]}),
    rejects=lambda: pl.DataFrame({"rmse_bp": [5.0, 21.0, 90.0, 4.0, None]}),
)
def fits_are_close(frame: pl.DataFrame, subject: str, arguments: Closeness) -> CheckReport:
    """No more than `share` of the fits leave over `high`: single days do, a wrong tenor or unit does on most."""
    column = pl.col(arguments.column)
    off = frame.with_row_index("row").filter(column > arguments.high).select("row", value=column)
    if off.height <= arguments.share * frame[arguments.column].count():
        off = off.clear()
    said = f"<= {arguments.high:g}, but for {arguments.share:.0%} of the fits"
    return report_of(frame, subject, off, off["row"].to_list(), arguments.column, said)


# --- contributions -------------------------------------------------------------------------------------------------


def _months(contributions: Sequence[float]) -> pl.DataFrame:
    """Two components of a month, of which the index is 1."""
    day = [date(2020, 1, 1)] * 2
    return pl.DataFrame(
        {"observation_date": day, "contribution": contributions, "index_value": [1.0, 1.0], "weight": [0.25, 0.75]}
    )


@rule(
    reads=("observation_date", "contribution", "index_value", "weight"),
    passes=lambda: _months([0.4, 0.6]),
    rejects=lambda: _months([0.4, 0.7]),
)
def contributions_add_up(frame: pl.DataFrame, subject: str, arguments: Arguments) -> CheckReport:
    """A month's contributions add up to its index, and its weights to one (to 1e-9)."""
    rows = frame.with_row_index("row")
    month = [c for c in ("as_of_month", "observation_date", "market") if c in frame.columns]
    months = rows.group_by(month).agg(
        row=pl.col("row").first(),
        gap=pl.col("contribution").sum() - pl.col("index_value").first(),
        weights=pl.col("weight").sum() - 1,
        spread=pl.col("index_value").max() - pl.col("index_value").min(),
    )
    off = months.filter(pl.any_horizontal(pl.col("gap", "weights", "spread").abs() > TOLERANCE)).sort(month)
    told = [
        f"{m['observation_date']}: {m['gap']:g} off, weights {m['weights']:g} off, index varies by {m['spread']:g}"
        for m in off.iter_rows(named=True)
    ]
    failed = rows.join(off, on=month, how="semi")["row"].sort().to_list()
    said = "contributions add up to index_value, weights to 1"
    return report_of(
        frame, subject, off.with_columns(value=pl.Series(told, dtype=pl.String)), failed, "contribution", said
    )


def _terms(data: float) -> pl.DataFrame:
    """Two terms of a change by 1.5."""
    month = ["2020-01"] * 2
    return pl.DataFrame(
        {"as_of_month": month, "index_before": [-0.5] * 2, "index_after": [1.0] * 2, "value": [0.25, data]}
    )


@rule(
    reads=("as_of_month", "index_before", "index_after", "value"),
    passes=lambda: _terms(1.25),
    rejects=lambda: _terms(1.5),
)
def changes_add_up(frame: pl.DataFrame, subject: str, arguments: Arguments) -> CheckReport:
    """The terms of a change add up to what lies between the index before and after (to 1e-9)."""
    rows, month = frame.with_row_index("row"), ["as_of_month"]
    before, after = pl.col("index_before"), pl.col("index_after")
    off = (
        rows.group_by(month)
        .agg(
            row=pl.col("row").first(),
            value=pl.col("value").sum() - (after.first() - before.first()),
            spread=(before.max() - before.min()) + (after.max() - after.min()),
        )
        .filter(pl.any_horizontal(pl.col("value", "spread").abs() > TOLERANCE))
        .sort("row")
    )
    failed = rows.join(off, on=month, how="semi")["row"].sort().to_list()
    return report_of(frame, subject, off, failed, "value", "terms add up to index_after - index_before")


# --- forecasts -----------------------------------------------------------------------------------------------------

FORECAST = ("as_of", "model_version", "series_id", "target_date", "scenario")
"""Columns that tell one forecast from another; its rows differ in the statistic."""


def _quantiles(median: float) -> pl.DataFrame:
    """Two forecasts, of which the second has three quantiles with a median between 1 and 3."""
    n = 6
    told = {"as_of": [date(2020, 1, 1)] * n, "model_version": ["1"] * n, "series_id": ["GDPC1"] * n}
    return pl.DataFrame(
        {
            **told,
            "target_date": [date(2020, 1, 1)] * 2 + [date(2020, 4, 1)] * 4,
            "scenario": pl.Series([None] * n, dtype=pl.String),
            "statistic": ["q05", "q95", "q95", "mean", "q50", "q05"],
            "value": [-9.0, 9.0, 3.0, 0.0, median, 1.0],
        }
    )


@rule(reads=(*FORECAST, "statistic", "value"), passes=lambda: _quantiles(1.0), rejects=lambda: _quantiles(3.5))
def quantiles_in_order(frame: pl.DataFrame, subject: str, arguments: Arguments) -> CheckReport:
    """No quantile of a forecast is below a lower one: q05 <= q25 <= q50 <= q75 <= q95, of those that it has."""
    quantiles = (
        frame.with_row_index("row")
        .filter(pl.col("statistic").str.contains(r"^q\d\d$"))
        .sort(*FORECAST, "statistic", nulls_last=True)
    )
    before = (pl.col(c).shift(1).over(FORECAST).alias(f"{c}_before") for c in ("row", "statistic", "value"))
    off = quantiles.with_columns(before).filter(pl.col("value") < pl.col("value_before"))
    told = [
        f"{o['series_id']} {o['target_date']}: {o['statistic']} {o['value']:g} below {o['statistic_before']} "
        f"{o['value_before']:g}"
        for o in off.iter_rows(named=True)
    ]
    failed = sorted({*off["row"], *off["row_before"]})
    off = off.with_columns(value=pl.Series(told, dtype=pl.String))
    return report_of(frame, subject, off, failed, "value", "quantiles in order")


# --- news ----------------------------------------------------------------------------------------------------------

_SURPRISE = (
    "effect",
    "series_id",
    "observation_date",
    "release_forecast",
    "release_actual",
    "release_weight",
    "impact",
)


def _news(impact: float) -> pl.DataFrame:
    """A release 0.5 above what was expected, with a weight of 0.2, and a revision."""
    day = date(2020, 1, 1)
    rows = [("news", "PAYEMS", day, 1.0, 1.5, 0.2, impact), ("revision", None, None, None, None, None, 0.3)]
    return pl.DataFrame(rows, schema=_SURPRISE, orient="row")


@rule(reads=_SURPRISE, passes=lambda: _news(0.1), rejects=lambda: _news(0.2))
def news_is_weighted_surprise(frame: pl.DataFrame, subject: str, arguments: Arguments) -> CheckReport:
    """The impact of a release is its weight times what it was above its forecast (to 1e-9 of the figures)."""
    actual, forecast, weight = pl.col("release_actual"), pl.col("release_forecast"), pl.col("release_weight")
    expected = weight * (actual - forecast)
    tolerance = TOLERANCE * (1 + weight.abs() * (actual.abs() + forecast.abs()))
    holds = ((pl.col("impact") - expected).abs() <= tolerance).fill_null(False)
    rows = frame.with_row_index("row").with_columns(expected=expected)
    off = rows.filter((pl.col("effect") == "news") & ~holds)
    told = [
        f"{o['series_id']} {o['observation_date']}: {o['impact']}, expected {o['expected']}"
        for o in off.iter_rows(named=True)
    ]
    off = off.with_columns(value=pl.Series(told, dtype=pl.String))
    return report_of(frame, subject, off, off["row"].to_list(), "impact", "weight times surprise")
