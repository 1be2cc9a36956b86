"""The chronology of contractions as it was known at an instant, and months of recession out of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from macro_assets.catalog.kinds.recession import Recession
from macro_assets.catalog.periods import last_whole_day

SCHEMA = dict.fromkeys(("peak", "trough", "peak_announced", "trough_announced"), pl.Date)


def announced(recessions: Sequence[Recession], as_of: datetime | None = None) -> pl.DataFrame:
    """What had been announced of contractions by an instant, by peak; all that is declared without one.

    Returns
    -------
    DataFrame
        `peak`, `trough` (first of month; null while it is not announced), `peak_announced`, `trough_announced`.
    """
    known = recessions if as_of is None else [r.known_on(last_whole_day(as_of)) for r in recessions]
    rows = [r.model_dump() for r in known if r is not None]
    return pl.DataFrame(rows, schema=SCHEMA).sort("peak")


def known_by(recessions: pl.DataFrame, day: date) -> pl.DataFrame:
    """What of the contractions had been announced by the end of a day.

    Parameters
    ----------
    recessions
        As :func:`announced` gives them.
    """
    trough = pl.when(pl.col("trough_announced") <= day)
    return recessions.filter(pl.col("peak_announced") <= day).with_columns(
        trough=trough.then(pl.col("trough")), trough_announced=trough.then(pl.col("trough_announced"))
    )


def recession_months(recessions: pl.DataFrame, months: pl.Series) -> pl.Series:
    """Whether months are in recession, as far as it was known.

    A recession begins in the month after the peak and ends with that of the trough, as FRED's USREC has it
    (https://fred.stlouisfed.org/series/USREC). Nobody knows of a month after the last announced turning point whether
    it is in recession or not: it is missing, and no expansion. Where that point is a peak, the months after it are so
    too, as the trough may have been.

    Parameters
    ----------
    recessions
        As :func:`announced` gives them.
    months
        Dates, each the first of its month.

    Returns
    -------
    Series
        1.0, 0.0 or null, by month; null too before the first peak there is.
    """
    if recessions.is_empty():
        return pl.Series(months.name, [None] * len(months), dtype=pl.Float64)
    last = pl.concat([recessions["peak"], recessions["trough"].drop_nulls()]).max()
    month = pl.col("month")
    within = [
        (month > peak) & (month <= trough)
        for peak, trough in recessions.drop_nulls("trough").select("peak", "trough").iter_rows()
    ]
    known = (month <= last) & (month >= recessions["peak"].min())
    label = pl.when(known).then(pl.any_horizontal(*within, pl.lit(False)).cast(pl.Float64))
    return pl.DataFrame({"month": months}).select(label.alias(months.name)).to_series()


def in_recession(recessions: pl.DataFrame, ends: pl.Series, months: int = 1, least: int = 1) -> pl.Series:
    """Whether at least so many of some months in a row are in recession; missing unless it is known of all of them.

    Where some were known and counted, and the rest left out, recessions would be counted before expansions are.

    Parameters
    ----------
    ends
        Of each row the last month, by its first day.
    months
        How many months, that one included.
    """
    each = pl.DataFrame(
        {str(back): recession_months(recessions, ends.dt.offset_by(f"-{back}mo")) for back in range(months)}
    )
    known = ~pl.any_horizontal(pl.all().is_null())
    return each.select(pl.when(known).then((pl.sum_horizontal(pl.all()) >= least).cast(pl.Float64))).to_series()
