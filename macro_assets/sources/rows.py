"""The rows of a series: chosen out of a table of many columns, one per date, without what is not due yet."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

import polars as pl

from macro_assets.catalog import Frequency, Selector, Series
from macro_assets.catalog.kinds.source import Dated
from macro_assets.catalog.periods import PeriodError, estimated_release, first_days
from macro_assets.sources.bodies import needed
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import NotFoundError, SchemaError


def select(
    table: pl.DataFrame,
    series: Series,
    missing: Collection[str] = ("",),
    date_form: str = "%Y-%m-%d",
    thousands: str = "",
    decimal: str = ".",
) -> pl.DataFrame:
    """The cells of a table of text that make up a series, by its selector: `observation_date` and `value`.

    Raises
    ------
    SchemaError
        When the table lacks a column of the selector, or several rows are of one date and the selector does not say
        what to do with them.
    NotFoundError
        When the table has rows, but none that the selector is after.
    """
    selector = series.selector
    if selector is None:
        raise SchemaError(f"series {series.id} needs a `selector` in the catalog: the answer has many columns")
    needed(table, [*selector.where, selector.date, selector.value])
    tests = [pl.col(c).str.strip_chars() == wanted for c, wanted in selector.where.items()]
    chosen = table.filter(tests) if tests else table
    if chosen.is_empty() and not table.is_empty() and selector.where:
        raise NotFoundError(
            f"series {series.id}: no row of the answer has {selector.where}. Check the selector in the catalog."
        )
    rows = pl.DataFrame(
        {
            "observation_date": dates(chosen[selector.date], date_form),
            "value": numbers(chosen[selector.value], missing, thousands, decimal),
        }
    )
    return combined(rows, selector, series.id)


def combined(rows: pl.DataFrame, selector: Selector, series_id: str) -> pl.DataFrame:
    """One row per date by the selector's rule; null only where every row of a date is."""
    if rows["observation_date"].n_unique() == rows.height:
        return rows
    if selector.combine == "only":
        if rows.unique()["observation_date"].is_duplicated().any():
            day = rows.filter(rows["observation_date"].is_duplicated())["observation_date"][0]
            raise SchemaError(f"series {series_id}: expected one row for {day}, got several. Check its selector.")
        return rows.unique(maintain_order=True)
    value = pl.col("value")
    rule = pl.when(value.count() > 0).then(value.sum()) if selector.combine == "sum" else value.drop_nulls().last()
    return rows.group_by("observation_date", maintain_order=True).agg(rule)


def one_a_date(rows: pl.DataFrame, keep: Literal["first", "last"]) -> pl.DataFrame:
    """The first or last row with a value of each date; a null only where every row of a date is."""
    if rows["observation_date"].n_unique() == rows.height:
        return rows
    blank = pl.col("value").is_null()
    rows = rows.sort("observation_date", blank if keep == "first" else ~blank, maintain_order=True)
    return rows.unique("observation_date", keep=keep, maintain_order=True)


def of_periods(rows: pl.DataFrame, frequency: Frequency, dated: Dated) -> pl.DataFrame:
    """Rows dated by the first day of their period; a blank beside the figure of its period is left out.

    Raises
    ------
    SchemaError
        When a date is another day of its period than `dated` says, or two figures are of one period.
    """
    try:
        starts = first_days(rows["observation_date"], frequency, dated)
    except PeriodError as error:
        raise SchemaError(
            f"{error}. If figures are dated by another day of their period, state `dated: end` or `any` of the source "
            "in the catalog; else the series' `frequency` is wrong."
        ) from None
    moved = rows.with_columns(starts.alias("observation_date"))
    if dated != "any" or moved["observation_date"].n_unique() == moved.height:
        return moved
    key = [c for c in ("observation_date", "release_time") if c in rows.columns]
    released = moved.drop_nulls("value")
    twice = released.filter(released.select(key).is_duplicated())
    if not twice.is_empty():
        day = twice["observation_date"][0]
        raise SchemaError(f"expected one value for the period of {day}, got several. Is its frequency right?")
    blank = moved.filter(moved["value"].is_null()).unique(maintain_order=True)
    return pl.concat([released, blank.join(released, on=key, how="anti")])


def due(rows: pl.DataFrame, series: Series, at: datetime) -> pl.DataFrame:
    """Rows without the blanks of periods whose figure is not due yet: a blank there is no missing figure.

    Parameters
    ----------
    rows
        With `observation_date` and `value`.
    at
        When the provider answered.
    """
    if not rows["value"].null_count():
        return rows
    blank = pl.col("value").is_null()
    pending = [d for d in rows.filter(blank)["observation_date"] if estimated_release(series, d) > at]
    return rows.filter(~(blank & pl.col("observation_date").is_in(pending))) if pending else rows
