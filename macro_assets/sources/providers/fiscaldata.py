"""Fiscal Data of the US Treasury: the debt, the Daily Treasury Statement, auctions, average interest rates.

JSON: `data` holds the rows, every value as text ("null" where there is none), `meta` the fields' types and the number
of rows and pages. At most 10,000 rows a page; `links` are fragments of a query and are not followed. Series are cells
of these tables: `dataset` is the end point, the selector says which cells. Amounts are dollars or millions, by table.
Source: https://fiscaldata.treasury.gov/api-documentation/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl

from macro_assets.catalog import Selector, Series
from macro_assets.catalog.periods import period_end
from macro_assets.sources.bodies import member, read_json, records
from macro_assets.sources.errors import NotFoundError, SchemaError
from macro_assets.sources.protocol import Answer, Ask, Request, Steps, Window, read_each
from macro_assets.sources.rows import select

PAGE = 10_000
"""Rows of a page: the most that are served."""

AUCTIONS = "v1/accounting/od/auctions_query"
CASH = "v1/accounting/dts/operating_cash_balance"
_CLOSING = "Treasury General Account (TGA) Closing Balance"
_CLOSING_BEFORE = ("Federal Reserve Account", "Treasury General Account (TGA)")
"""Names of the same account until 2021-09-30 and 2022-04-15; the statement then had a column for closing balances."""


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per end point."""
    for dataset in dict.fromkeys(s.dataset for s in series):
        wanted = tuple(s for s in series if s.dataset == dataset)
        yield Ask(wanted, _steps(str(dataset), wanted, window))


def _steps(dataset: str, series: Sequence[Series], window: Window) -> Steps:
    wanted = [s for s in series if window.begin(s) <= window.end]
    if not wanted:
        return []
    day = _selector(wanted[0]).date
    first = min(window.begin(s) for s in wanted)
    last = max(period_end(window.end, s.frequency) for s in wanted)
    order = "cusip" if dataset == AUCTIONS else "src_line_nbr"  # within a day, lest a row falls between two pages
    columns = dict.fromkeys([day, order, *(c for s in wanted for c in _cells(_selector(s)))])
    if dataset == CASH:
        columns |= dict.fromkeys(["account_type", "close_today_bal", "open_today_bal"])
    answers: list[Answer] = []
    number = pages = 1
    rows = total = 0
    while number <= pages:
        params = {
            "fields": ",".join(columns),
            "filter": f"{day}:gte:{first},{day}:lte:{last}",
            "sort": f"{day},{order}",
            "page[number]": str(number),
            "page[size]": str(PAGE),
        }
        response = yield Request(f"/{dataset}", tuple(params.items()))
        document = read_json(response)
        table = read_table(document, columns, day)
        answers.append(read_each(response, wanted, partial(_series, table, dataset)))
        pages = member(document, "meta", "total-pages", of=int)
        total = member(document, "meta", "total-count", of=int)
        rows += table.height
        number = number + 1 if table.height else pages + 1
    if rows != total:
        raise SchemaError(f"expected {total} rows on {pages} pages, got {rows}: the table changed while it was read")
    return _without_false_alarms(answers)


def _selector(series: Series) -> Selector:
    if series.selector is None:
        raise SchemaError(f"series {series.id} needs a `selector` in the catalog: the answer has many columns")
    return series.selector


def _cells(selector: Selector) -> list[str]:
    return [selector.date, selector.value, *selector.where]


def read_table(document: Any, columns: Mapping[str, None], day: str) -> pl.DataFrame:
    """The rows of an answer as text; the column of dates must be one of dates.

    Parameters
    ----------
    columns
        Names of the columns, in order.
    day
        The column of the observation date.
    """
    types = member(document, "meta", "dataTypes", of=dict)
    if types.get(day) != "DATE":
        raise SchemaError(f"expected {day!r} to be of type DATE, the answer says {types.get(day)!r}")
    return records(member(document, "data", of=list), columns)


def _series(table: pl.DataFrame, dataset: str, series: Series) -> pl.DataFrame:
    named = {CASH: _with_todays_names, AUCTIONS: _with_whole_terms}.get(dataset)
    try:
        found = select(named(table) if named else table, series, missing=("null",))
    except NotFoundError:
        if dataset != AUCTIONS:
            raise
        return pl.DataFrame(schema={"observation_date": pl.Date, "value": pl.Float64})  # none of this kind was held
    if dataset == AUCTIONS:  # an auction is listed when announced, its result is null until it was held
        found = found.drop_nulls("value")
    return found


def _with_todays_names(table: pl.DataFrame) -> pl.DataFrame:
    """Closing balances of older statements under the account's present name and in its present column."""
    before = pl.col("account_type").is_in(_CLOSING_BEFORE)
    return table.with_columns(
        account_type=pl.when(before).then(pl.lit(_CLOSING)).otherwise("account_type"),
        open_today_bal=pl.when(before).then("close_today_bal").otherwise("open_today_bal"),
    )


def _with_whole_terms(table: pl.DataFrame) -> pl.DataFrame:
    """Auctions by the term of the security: a reopening of 9-Year 10-Month is one of 10-Year."""
    years = pl.col("security_term").str.extract(r"^(\d+)-Year \d+-Month$").cast(pl.Int64) + 1
    return table.with_columns(security_term=pl.coalesce(pl.format("{}-Year", years), "security_term"))


def _without_false_alarms(answers: Sequence[Answer]) -> list[Answer]:
    """A series that is on one page need not be on every page."""
    found = {i for a in answers for i in a.rows["series_id"].unique()}
    return [
        replace(a, failures={i: e for i, e in a.failures.items() if i not in found or not isinstance(e, NotFoundError)})
        for a in answers
    ]
