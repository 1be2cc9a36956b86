"""Foreign holders of US securities, and what they buy, from the Treasury International Capital (TIC) system.

Holdings of Treasury securities: two text files with tabs, in billions of dollars at the month's end. Table 5 of the SLT
release has the latest 13 months, named 2026-07, newest first. The history has a block per year: a row of month names
over a row of years, newest first, and rows of holders; in a year of a benchmark survey a month stands there twice, the
new series first. Names may be quoted and end in a footnote's number, "n.a." and "*" stand for no figure. Table 5 is the
later word: the history is read only for the months before it. A series' `code` is the name of its row.

Net sales of long-term securities to foreigners (`dataset: slt_table1`): one text file with tabs, in millions of
dollars, a row per country and month, newest first, under a row of names as country, country_code, date (2026-05) and
for_lt_treas_net. Titles stand above, notes below; "n.a." stands for no figure, as of all sales before February 2023.
Series are cells of it by their selectors.
Source: https://home.treasury.gov/data/treasury-international-capital-tic-system
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, partial

import polars as pl

from macro_assets.catalog import Series
from macro_assets.sources.bodies import text_body
from macro_assets.sources.cells import numbers
from macro_assets.sources.errors import NotFoundError, SchemaError, quoted
from macro_assets.sources.protocol import Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.rows import select

_FOLDER = "/resource-center/data-chart-center/tic/Documents"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NO_FIGURE = ("n.a.", "*", "")
_SAME = {"for. official": "of which: foreign official"}
"""What the history calls a row of Table 5."""


SALES = "slt_table1"
"""Data set of net sales, by the name of its file."""


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask for the holdings, as both files hold every series, and one for the sales."""
    sales = tuple(s for s in series if s.dataset == SALES)
    if holdings := tuple(s for s in series if s.dataset != SALES):
        yield Ask(holdings, _holdings(holdings, window))
    if sales:
        yield Ask(sales, _sales(sales))


def _sales(series: Sequence[Series]) -> Steps:
    response = yield Request(f"{_FOLDER}/{SALES}.txt")
    table = read_sales(response)
    return [read_each(response, series, partial(select, table, missing=_NO_FIGURE))]


def read_sales(response: Response) -> pl.DataFrame:
    """The table of sales as text, `date` as the month's first day."""
    lines = text_body(response, "text", "latin-1").splitlines()
    rows = [[cell.strip() for cell in line.split("\t")] for line in lines]
    names = next((row for row in rows if row[:3] == ["country", "country_code", "date"]), None)
    if names is None:
        raise SchemaError(f"expected a table headed 'country', 'country_code', 'date', got {quoted(response.body)}")
    if "Millions of dollars" not in (row[0] for row in rows[: rows.index(names)]):
        raise SchemaError("expected 'Millions of dollars' above the table of sales")
    told = [row for row in rows[rows.index(names) + 1 :] if len(row) > 1 and row[1]]
    if cut := [row for row in told if len(row) != len(names)]:
        raise SchemaError(f"expected {len(names)} cells of {cut[0][0]!r}, got {len(cut[0])}")
    table = pl.DataFrame(told, dict.fromkeys(names, pl.String), orient="row")
    return table.with_columns(pl.col("date") + "-01")


def _holdings(series: Sequence[Series], window: Window) -> Steps:
    response = yield Request(f"{_FOLDER}/slt_table5.txt")
    latest = read_holdings(response)
    answers = [read_each(response, series, partial(one_holder, latest))]
    since = min(latest["month"].to_list())
    if min(window.begin(s) for s in series) < since:
        response = yield Request(f"{_FOLDER}/mfhhis01.txt")
        earlier = read_holdings(response).filter(pl.col("month") < since)
        answers.append(read_each(response, series, partial(one_holder, earlier)))
    return answers


def one_holder(table: pl.DataFrame, series: Series) -> pl.DataFrame:
    """The holdings of one row: `observation_date` (the month's first day), `value` in billions of dollars."""
    rows = table.filter(pl.col("holder") == _holder(series.code))
    if rows.is_empty() and not table.is_empty():
        has = table["holder"].unique(maintain_order=True).to_list()
        raise NotFoundError(f"series {series.id}: no row is named {series.code!r}; there are {has[:12]}")
    return pl.DataFrame({"observation_date": rows["month"], "value": numbers(rows["value"], _NO_FIGURE, thousands=",")})


@cache
def _holder(name: str) -> str:
    """A row's name without quotes, footnotes and capitals."""
    plain = re.sub(r"(\s*\d+/)+$", "", " ".join(name.replace('"', "").split())).lower()
    return _SAME.get(plain, plain)


def read_holdings(response: Response) -> pl.DataFrame:
    """Either file as a table: `holder`, `month` (its first day), `value` as text."""
    holders: list[str] = []
    months: list[str] = []
    values: list[str] = []
    above: list[str] = []
    columns: dict[int, str] = {}
    for line in text_body(response, "text", "latin-1").splitlines():
        cells = line.split("\t")
        name = _holder(cells[0])
        if name == "country":
            columns = _columns(cells, above)
        elif name and columns and not name.startswith("---"):
            held = [cells[i] for i in columns if i < len(cells)]
            if any(v.lstrip()[:1].isdigit() for v in held):  # notes and headings have no figures
                if len(held) < len(columns):
                    raise SchemaError(f"expected {len(columns)} figures of {cells[0].strip()!r}, got {len(held)}")
                holders += [name] * len(held)
                months += columns.values()
                values += held
        if line.strip():
            above = cells
    if not holders:
        raise SchemaError(f"expected a table of holders headed 'Country', got {quoted(response.body)}")
    table = pl.DataFrame({"holder": holders, "month": months, "value": values})
    return table.with_columns(pl.col("month").str.to_date("%Y-%m-%d"))


def _columns(cells: Sequence[str], above: Sequence[str]) -> dict[int, str]:
    """Where the months of a block stand: 2026-07 in one row, or a row of years under a row of month names."""
    found: dict[str, int] = {}
    for i, cell in enumerate(map(str.strip, cells[1:]), start=1):
        name = above[i].strip()[:3].lower() if i < len(above) else ""
        if len(cell) == 7 and re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", cell):
            found.setdefault(f"{cell}-01", i)
        elif len(cell) == 4 and cell.isdecimal() and name in _MONTHS:
            found.setdefault(f"{cell}-{_MONTHS.index(name) + 1:02}-01", i)
        elif cell:
            raise SchemaError(f"expected months like 2026-07 or 'Jul' over 2026, got {cell!r} under {name!r}")
    return {i: month for month, i in found.items()}
