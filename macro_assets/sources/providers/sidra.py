"""IBGE, SIDRA: cells of the statistics office's tables, as a JSON list whose first element is the header.

Every column has a code (V, MN, D1C, D1N, ...) that the header translates into a label; which dimension is D2 or D4
varies by table, so columns are found by label. V is text: a number, "-" for zero, ".." (does not apply), "..." (not
available) or "X" (withheld). A request of more than 50,000 values is refused with HTTP 400.
Source: https://apisidra.ibge.gov.br/home/ajuda
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from math import prod

import polars as pl

from macro_assets.catalog import Selector, Series
from macro_assets.sources.bodies import member, needed, read_json, records
from macro_assets.sources.cells import numbers
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.gateways import explain as explain
from macro_assets.sources.protocol import Ask, Request, Response, Steps, Window, read_each
from macro_assets.sources.rows import combined

_CAP = 50_000
"""Values of one answer."""

_MONTHS = {"M": 1, "Q": 3, "A": 12}
_PERIODS = {"Mês": (1, "M"), "Trimestre Móvel": (1, "M"), "Trimestre": (3, "Q"), "Semestre": (6, ""), "Ano": (12, "A")}
"""By label: months of a period and the catalog's frequency. A rolling quarter is dated by its last month."""

_MISSING = ("...", "..", "X")


def plan(series: Sequence[Series], window: Window) -> Iterator[Ask]:
    """One ask per table query: a series' `code` is the path without periods, as t/1737/n1/all/v/2266.

    Series of the same query are told apart by the selector's `where`, from column labels to codes.
    """
    queries: dict[str, list[Series]] = {}
    for one in series:
        queries.setdefault(one.code, []).append(one)
    for query, same in queries.items():
        yield Ask(tuple(same), _steps(query, same, window))


def _steps(query: str, series: Sequence[Series], window: Window) -> Steps:
    answers = []
    for span in _spans(query, series, window):
        response = yield Request(f"/values/{query}/p/{span}")
        table = read_table(response)
        answers.append(read_each(response, series, lambda one, table=table: _cell(table, one)))  # type: ignore[misc]
    return answers


def _spans(query: str, series: Sequence[Series], window: Window) -> list[str]:
    """Periods to ask for. A range that begins before a table is refused, so from the first year on it is all."""
    months = _MONTHS[series[0].frequency]
    first, last = (_number(day, months) for day in (min(map(window.begin, series)), window.end))
    cells = _cells(query)
    from_the_start = first <= _number(date(min(one.first_year for one in series), 1, 1), months)
    if first <= last and from_the_start and cells * (last - first + 1) <= _CAP:
        return ["all"]
    step = _CAP // cells
    pieces = [(start, min(start + step - 1, last)) for start in range(first, last + 1, step)]
    return [f"{_named(start, months)}-{_named(stop, months)}" for start, stop in pieces]


def _cells(query: str) -> int:
    """Values that a query has of each period."""
    parts = query.split("/")
    pairs = list(zip(parts[::2], parts[1::2], strict=False))
    if unbounded := [key for key, codes in pairs if "all" in codes and key != "n1"]:
        raise SchemaError(f"the query {query!r} asks for all of {unbounded[0]!r}: name the codes in the catalog")
    cells = prod(len(codes.split(",")) for key, codes in pairs if key != "t")
    if cells > _CAP:
        raise SchemaError(f"the query {query!r} has {cells} values of one period, more than {_CAP}: split it")
    return cells


def _number(day: date, months: int) -> int:
    return (day.year * 12 + day.month - 1) // months


def _named(number: int, months: int) -> str:
    year, part = divmod(number, 12 // months)
    return str(year) if months == 12 else f"{year}{part + 1:02d}"


def read_table(response: Response) -> pl.DataFrame:
    """The cells of a table, columns by their labels.

    Returns
    -------
    pl.DataFrame
        All columns as text, and `observation_date` (first day; of a rolling quarter that of its last month),
        `frequency` ('' for half years) and `value`, in the unit that "Unidade de Medida" names.
    """
    header, *rows = member(read_json(response), of=list) or [None]
    if not isinstance(header, dict) or header.get("V") != "Valor" or not all(type(v) is str for v in header.values()):
        raise SchemaError(f"expected a header with 'V' = 'Valor' as the first element, got {header!r}"[:300])
    if len(set(header.values())) != len(header):
        raise SchemaError(f"expected columns with labels of their own, got {sorted(header.values())}")
    by_label = {label: key for key, label in header.items()}
    label = next((name for name in _PERIODS if f"{name} (Código)" in by_label), None)
    if label is None:
        raise SchemaError(f"expected a column of periods ({', '.join(_PERIODS)}), the header has {sorted(by_label)}")
    table = records(rows, list(header)).rename(header)
    if odd := [row["V"] for row in rows if type(row["V"]) is not str]:
        raise SchemaError(f"expected text in 'V', got {odd[0]!r}")
    months, frequency = _PERIODS[label]
    text = table["Valor"].str.strip_chars()
    return table.with_columns(
        observation_date=_first_days(table[f"{label} (Código)"], months),
        frequency=pl.lit(frequency),
        value=numbers(text.set(text == "-", "0"), missing=_MISSING),
    )


def _first_days(codes: pl.Series, months: int) -> pl.Series:
    """Codes of periods (2020, 202002) as first days; 202002 is a month, a quarter or a half year by the dimension."""
    known: dict[str, date] = {}
    example = _named(2020 * 12 // months, months)
    for code in codes.unique().drop_nulls():
        year, part = code[:4], code[4:] or "1"
        fits = code.isascii() and code.isdigit() and len(code) == len(example)
        if not fits or not 1 <= int(part) <= 12 // months:
            raise SchemaError(f"expected a period like {example} in {codes.name!r}, got {code!r}")
        known[code] = date(int(year), (int(part) - 1) * months + 1, 1)
    if codes.null_count():
        raise SchemaError(f"expected a period in {codes.name!r}, got null")
    return codes.replace_strict(known, return_dtype=pl.Date) if known else codes.cast(pl.Date)


def _cell(table: pl.DataFrame, series: Series) -> pl.DataFrame:
    """The rows of one series, which must be in the catalog's unit and frequency."""
    selector = series.selector or Selector(date="observation_date", value="Valor", meaning="the period")
    needed(table, selector.where)
    chosen = table.filter(pl.lit(True), *(pl.col(label) == code for label, code in selector.where.items()))
    if (odd := chosen.filter(pl.col("frequency") != series.frequency)).height:
        raise SchemaError(f"series {series.id}: expected frequency {series.frequency}, got {odd['frequency'][0]!r}")
    unit = pl.col("Unidade de Medida").str.strip_chars().str.to_lowercase()
    if (odd := chosen.filter(pl.col("value").is_not_null(), unit.ne_missing(series.provider_unit.lower()))).height:
        raise SchemaError(
            f"series {series.id}: expected the unit {series.provider_unit!r}, got {odd['Unidade de Medida'][0]!r}. "
            "Check the code and `provider_unit` in the catalog."
        )
    return combined(chosen.select("observation_date", "value"), selector, series.id)
