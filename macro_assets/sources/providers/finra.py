"""FINRA's daily files of short sales: text with bars between the columns, one file per business day.

`/equity/regsho/daily/CNMSshvolYYYYMMDD.txt` (shares of the national market system reported to FINRA's facilities: what
trades off the exchanges) has a row per share and, as its last line, the count of rows alone. A holiday has no file.
Documentation: https://www.finra.org/finra-data/browse-catalog/short-sale-volume-data/daily-short-sale-volume-files
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import needed, read_csv
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import SchemaError, SourceError, explain_status
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.rows import select

_COLUMNS = ("Date", "Symbol", "ShortVolume", "ShortExemptVolume", "TotalVolume", "Market")
_DATE_FORM = "%Y%m%d"
_DAY = timedelta(days=1)
_SATURDAY = 5


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One file per weekday and `code`, which is how its name begins, as CNMS; all series of a code read it."""
    for code in dict.fromkeys(s.code for s in series):
        wanted = tuple(s for s in series if s.code == code)
        yield Ask(wanted, _steps(code, wanted, window))


def _steps(code: str, series: tuple[Series, ...], window: Window) -> Steps:
    answers = []
    day = min(window.begin(s) for s in series)
    while day <= window.end:
        if day.weekday() < _SATURDAY:
            response = yield Request(f"/equity/regsho/daily/{code}shvol{day:%Y%m%d}.txt")
            if _is_there(response):
                answers.append(_read(response, series, day))
        day += _DAY
    return answers


def _read(response: Response, series: tuple[Series, ...], day: date) -> Answer:
    table = read_volumes(response)
    if not table.is_empty() and table["Date"][0] != f"{day:%Y%m%d}":
        raise SchemaError(f"expected the file of {day:%Y%m%d}, got that of {table['Date'][0]}")
    return read_each(response, series, lambda one: read_volume(table, one))


def read_volume(table: pl.DataFrame, series: Series) -> pl.DataFrame:
    """One series of a file by its selector, summed over all shares where that has no `where`."""
    selector = series.selector
    if selector is None or selector.where:
        return select(table, series, date_form=_DATE_FORM)
    total = numbers(needed(table, [selector.value])[selector.value]).sum()
    days = dates(table[selector.date].head(1), _DATE_FORM)
    return pl.DataFrame(
        {"observation_date": days, "value": [total] * len(days)}, schema_overrides={"value": pl.Float64}
    )


def _is_there(response: Response) -> bool:
    """Whether there is a file. The store refuses what it does not have with HTTP 403 and a code of its own."""
    missing = response.http_status == 404 or (response.http_status == 403 and b"AccessDenied" in response.body)
    return not missing


def explain(response: Response) -> SourceError | None:
    """A day without a file is no error."""
    return explain_status(response) if _is_there(response) else None


def read_volumes(response: Response) -> pl.DataFrame:
    """The rows of a file as text, in shares.

    Raises
    ------
    SchemaError
        When the count at the end is not that of the rows (the file is cut off), or the rows are of several dates.
    """
    table = read_csv(response, _COLUMNS, separator="|")
    last = table.tail(1)
    count = last["Date"][0] if last.height and last["Symbol"].null_count() else None
    if count is None or count.strip() != str(table.height - 1):
        raise SchemaError(f"expected the count {table.height - 1} alone on the last line, got {count!r}: cut off")
    rows = table.head(-1)
    if rows["Date"].n_unique() > 1:
        raise SchemaError(f"expected rows of one date, got {sorted(rows['Date'].unique())[:3]}")
    return rows
