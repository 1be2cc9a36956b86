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
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One file per series: its `code` is the index, as VIX or VVIX."""
    for one in series:
        yield Ask((one,), _steps(one))


def _steps(series: Series) -> Steps:
    response = yield Request(f"/api/global/us_indices/daily_prices/{series.code}_History.csv")
    return [Answer(response, read_closes(response))]


def read_closes(response: Response) -> pl.DataFrame:
    """Daily closes of one index: `observation_date`, `value` in index points (percent per annum for volatilities)."""
    table = needed(read_csv(response), ["DATE"])
    if "CLOSE" not in table.columns and table.width != 2:
        raise SchemaError(f"expected the column 'CLOSE', or a date and one value; the answer has {table.columns}")
    closes = table["CLOSE"] if "CLOSE" in table.columns else table[table.columns[1]]
    return pl.DataFrame({"observation_date": dates(table["DATE"], "%m/%d/%Y"), "value": numbers(closes)})
