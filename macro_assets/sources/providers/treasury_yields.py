"""The Treasury's daily interest rates: par and real yield curves, bills, long-term averages.

One CSV file per curve and year: `Date` (MM/DD/YYYY) and a column per tenor, in percent per annum, newest day first.
A tenor has a column only in the years it was quoted, and in its first year only since it was. The archive of many
years writes MM/DD/YY. The XML feeds, today's and the retired OData service's, hold the same figures as Atom entries
with tags such as BC_10YEAR, not in date order; long-term rates have an entry per day and kind.

A series' `dataset` is the curve, as daily_treasury_yield_curve, its `code` the heading of the CSV column, as '10 Yr'.
Source: https://home.treasury.gov/treasury-daily-interest-rate-xml-feed
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import needed, read_csv, read_xml
from macro_assets.sources.cells import dates, numbers
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Answer, Ask, Request, Response, Steps, Window, read_each

_PATH = "/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/{year}/all"
_NOT_QUOTED = {("daily_treasury_yield_curve", "30 Yr"): range(2003, 2006)}
"""Years in which a tenor had no column: no 30-year bond was sold from 2002-02-19 to 2006-02-08."""

_BILL = re.compile(r"round_b1_(yield|close)_(\d+)wk_2")
_TENOR = re.compile(r"(?:[bt]c_)?(\d+(?:[._]\d+)?) ?(mo|month|yr|year)")
_LONG_TERM = {"bc_20year": "TREASURY 20-Yr CMT", "over_10_years": "LT COMPOSITE", "real_rate": "LT Real Average"}
"""The headings of the CSV files for what the feed of long-term rates calls its kinds of rate."""

_DATES = ("new_date", "index_date", "quote_date")
_FEED = "{http://www.w3.org/2005/Atom}feed"
_ENTRY = "{http://www.w3.org/2005/Atom}entry"
_PROPERTIES = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}properties"
_NULL = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}null"
_FIRST_DAY = date(1990, 1, 2)


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per curve, one request per year in which one of its tenors was quoted."""
    for dataset in dict.fromkeys(s.dataset for s in series):
        wanted = tuple(s for s in series if s.dataset == dataset)
        yield Ask(wanted, _steps(str(dataset), wanted, window))


def _steps(dataset: str, series: Sequence[Series], window: Window) -> Steps:
    answers: list[Answer] = []
    for year in range(min(window.begin(s) for s in series).year, window.end.year + 1):
        quoted = [s for s in series if _is_quoted(s, year)]
        if not quoted:
            continue
        params = (("type", dataset), ("field_tdr_date_value", str(year)), ("_format", "csv"))
        response = yield Request(_PATH.format(year=year), params)
        if not response.body.strip() and window.end < date(year, 1, 8):
            continue  # the file gets its header with the year's first quotations
        table = read_rates(response)
        if (table["date"].dt.year() != year).any():
            day = table["date"].filter(table["date"].dt.year() != year)[0]
            raise SchemaError(f"expected days of {year}, the answer has {day}: the year was not heeded")
        begun = [s for s in quoted if s.first_year < year or rate_name(s.code) in table.columns]
        answers.append(read_each(response, begun, partial(one_rate, table)))
    return answers


def _is_quoted(series: Series, year: int) -> bool:
    gap = _NOT_QUOTED.get((str(series.dataset), series.code), ())
    return series.first_year <= year <= (series.last_year or year) and year not in gap


def one_rate(table: pl.DataFrame, series: Series) -> pl.DataFrame:
    """A rate in percent per annum: `observation_date`, `value`; null where a day has no quotation of it."""
    column = rate_name(series.code)
    needed(table, [column])
    # Two decimals are published; the retired service wrote them as 32-bit floats, as 7.9600000381469727.
    return pl.DataFrame({"observation_date": table["date"], "value": numbers(table[column], ("", "N/A")).round(2)})


def rate_name(heading: str) -> str:
    """One name for what the CSV and the XML forms call a rate: BC_1_5MONTH and '1.5 Month' are '1.5 mo'."""
    text = heading.strip().lower().split(" (")[0]
    if bill := _BILL.fullmatch(text):
        return f"{bill[2]} weeks {'coupon equivalent' if bill[1] == 'yield' else 'bank discount'}"
    if tenor := _TENOR.fullmatch(text):
        return f"{tenor[1].replace('_', '.')} {'mo' if tenor[2].startswith('mo') else 'yr'}"
    return text


def read_rates(response: Response) -> pl.DataFrame:
    """Any of the forms as a table: `date`, and the text of each rate under its `rate_name`."""
    is_xml = response.body.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
    table = _from_xml(response) if is_xml else _from_csv(response)
    if (early := table["date"].filter(table["date"] < _FIRST_DAY)).len():
        raise SchemaError(f"expected days since {_FIRST_DAY}, got {early[0]}")
    if (twice := table["date"].filter(table["date"].is_duplicated())).len():
        raise SchemaError(f"expected one row a day, got several of {twice[0]}")
    return table


def _from_csv(response: Response) -> pl.DataFrame:
    table = read_csv(response)
    table.columns = [rate_name(c) for c in table.columns]
    needed(table, ["date"])
    text = table["date"].str.strip_chars()
    form = "%m/%d/%y" if text.str.contains(r"/\d{2}$").all() else "%m/%d/%Y"
    return table.with_columns(date=dates(text.alias("Date"), form))


def _from_xml(response: Response) -> pl.DataFrame:
    root = read_xml(response)
    if root.tag == _FEED and root.find(_ENTRY) is None:  # a month without a quotation yet, or the page after the last
        return pl.DataFrame(schema={"date": pl.Date})
    entries = [
        {cell.tag.rpartition("}")[2]: _text(cell.tag, cell.text, cell.get(_NULL)) for cell in properties}
        for properties in root.iter(_PROPERTIES)
    ]
    if any("RATE_TYPE" in entry for entry in entries):
        entries = _one_a_day(entries)
    tags = {rate_name(tag): tag for entry in entries for tag in entry}
    table = pl.DataFrame({n: [e.get(t) for e in entries] for n, t in tags.items()}, dict.fromkeys(tags, pl.String))
    day = next((d for d in _DATES if d in table.columns), None)
    if day is None:
        raise SchemaError(f"expected entries with NEW_DATE, INDEX_DATE or QUOTE_DATE, the answer has {table.columns}")
    return table.with_columns(date=dates(table[day]))


def _one_a_day(entries: list[dict[str, str | None]]) -> list[dict[str, str | None]]:
    days: dict[str | None, dict[str, str | None]] = {}
    for entry in entries:
        day, kind = entry.get("QUOTE_DATE"), entry.get("RATE_TYPE") or ""
        name = _LONG_TERM.get(kind.lower(), kind)
        row = days.setdefault(day, {"QUOTE_DATE": day})
        if not name or name in row or "RATE" not in entry:
            raise SchemaError(f"expected one RATE of each RATE_TYPE a day, got {entry}")
        row[name] = entry["RATE"]
    return list(days.values())


def _text(tag: str, text: str | None, null: str | None) -> str | None:
    if text is None and null != "true":
        raise SchemaError(f"expected a value or a null in {tag.rpartition('}')[2]!r}, got an empty element")
    return text
