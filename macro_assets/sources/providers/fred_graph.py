"""The CSV behind FRED's charts: the latest values of a series, without a key and without vintages.

FRED neither documents nor supports it for programs; it stands in where the API fails. The header is
`observation_date,ID` since late 2024, before it was `DATE,ID`. A missing figure is an empty cell, in older files a '.'.
Source: the download button of https://fred.stlouisfed.org/series/UNRATE
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
    """One file per series: its `code` is FRED's series ID."""
    for one in series:
        yield Ask((one,), _steps(one, window))


def _steps(series: Series, window: Window) -> Steps:
    params = {"id": series.code, "cosd": str(window.begin(series))}
    if not (series.projections and window.last is None):
        params["coed"] = str(window.end)
    response = yield Request("/graph/fredgraph.csv", tuple(params.items()))
    return [Answer(response, read_chart(response, series.code))]


def read_chart(response: Response, code: str) -> pl.DataFrame:
    """The figures of one series: `observation_date`, and `value` in FRED's unit."""
    table = needed(read_csv(response), [code])
    day = table.columns[0]
    if day not in ("observation_date", "DATE"):
        raise SchemaError(f"expected 'observation_date' or 'DATE' as the first column, the answer has {table.columns}")
    return pl.DataFrame({"observation_date": dates(table[day]), "value": numbers(table[code], ("", "."))})
