"""CBOE's files of daily index prices, e.g. VIX_History.csv: one file per index, the whole history each.

The older files have DATE, OPEN, HIGH, LOW, CLOSE; those of indices without intraday prices have DATE and the index's
name. Dates are MM/DD/YYYY. Source: https://www.cboe.com/tradable_products/vix/vix_historical_data/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import needed, read_csv
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Ask, Request, Response, Steps, Window, read_each


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One file per index: `code`, as VIX or VVIX; `dataset` of a series says which price, 'close' by default."""
    for code in dict.fromkeys(s.code for s in series):
        wanted = tuple(s for s in series if s.code == code)
        yield Ask(wanted, _steps(code, wanted))


def _steps(code: str, series: tuple[Series, ...]) -> Steps:
    response = yield Request(f"/api/global/us_indices/daily_prices/{code}_History.csv")
    return [read_each(response, series, lambda one: read_prices(response, one.dataset or "close"))]


def read_prices(response: Response, price: str = "close") -> pl.DataFrame:
    """A price of each day of one index: `observation_date`, `value` in index points (percent for volatilities)."""
    table = needed(read_csv(response), ["DATE"])
    column = price.upper()
    if column not in table.columns and not (price == "close" and table.width == 2):
        raise SchemaError(f"expected the column {column!r}, or a date and one value; the answer has {table.columns}")
    prices = table[column] if column in table.columns else table[table.columns[1]]
    return pl.DataFrame({"observation_date": dates(table["DATE"], "%m/%d/%Y"), "value": numbers(prices)})
