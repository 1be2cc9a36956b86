"""The Financial Stress Index of the Office of Financial Research: one CSV file with the whole history.

`Date` (ISO, business days) and a column each for the index, its five categories and its three regions. The index is
zero when stress is average; the categories add up to it, and so do the regions.
Source: https://www.financialresearch.gov/financial-stress-index/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import needed, read_csv
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.protocol import Ask, Request, Response, Steps, Window, read_each


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask for all series: a series' `code` is the heading of its column."""
    yield Ask(tuple(series), _steps(series))


def _steps(series: Sequence[Series]) -> Steps:
    response = yield Request("/financial-stress-index/data/fsi.csv")
    return [read_each(response, series, partial(one_column, read_table(response)))]


def read_table(response: Response) -> pl.DataFrame:
    """The file: `Date` and the text of the other columns."""
    table = read_csv(response, ["Date"])
    return table.with_columns(dates(table["Date"]))


def one_column(table: pl.DataFrame, series: Series) -> pl.DataFrame:
    """The index or a contribution to it: `observation_date`, `value` in index points."""
    needed(table, [series.code])
    return pl.DataFrame({"observation_date": table["Date"], "value": numbers(table[series.code])})
