"""Reads one file of a folder, CSV or Parquet, into a table; the connector is ``connector.py``.

Strict as ``bodies.py`` and ``cells.py``: a row that is cut off, a date in another form, NaN and infinity are a
:class:`SchemaError`.
"""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import polars as pl

from macro_assets.catalog import Folder
from macro_assets.catalog.folders import MAX_COLUMNS
from macro_assets.sources.bodies import needed, read_csv
from macro_assets.sources.cells import dates, finite, numbers
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Response

MAX_ROWS = 5_000_000
"""Rows of one file."""
MAX_CELLS = 50_000_000
"""Cells of one file: Parquet packs so well that its bytes bound nothing."""


def read_table(response: Response, folder: Folder) -> pl.DataFrame:
    """A file's rows that are observations, with `observation_date`: some day of the period of each.

    Columns of text that are numbers throughout are numbers; those that are not are left as they came, so that only
    their own series fail.
    """
    table = _parquet(response) if response.request.endswith(".parquet") else _csv(response, folder)
    needed(table, [c for c in (folder.date, folder.series, folder.value) if c])
    if table.width > MAX_COLUMNS or table.height > MAX_ROWS:
        raise SchemaError(f"expected at most {MAX_ROWS:,} rows and {MAX_COLUMNS} columns, got {table.shape}")
    day = pl.col(folder.date).cast(pl.String).str.strip_chars().fill_null("")
    passed = [*folder.skip, *([folder.transforms] if folder.transforms else [])]
    table = table.filter(~day.is_in(passed)) if passed else table
    if (undated := table.filter(day == "")).height:
        if undated.select((pl.all().cast(pl.String).str.strip_chars().fill_null("") != "").any()).row(0).count(True):
            raise SchemaError(f"expected a date in {folder.date!r} of every row, one with values has none")
        table = table.filter(day != "")
    table = table.with_columns(observation_date=_dates(table[folder.date], folder.date_form))
    if folder.layout == "wide" and table["observation_date"].is_duplicated().any():
        twice = table.filter(table["observation_date"].is_duplicated())["observation_date"][0]
        raise SchemaError(f"expected one row for {twice}, got several")
    if folder.series is not None:
        table = table.with_columns(pl.col(folder.series).cast(pl.String).str.strip_chars())
    return _parsed(table, folder)


def values(cells: pl.Series, folder: Folder) -> pl.Series:
    """Cells of one column as finite numbers; a blank is null.

    Raises
    ------
    SchemaError
        When one is no number.
    """
    if cells.dtype == pl.String:
        return numbers(cells, ("", *folder.missing), decimal=folder.decimal)
    if not (cells.dtype.is_numeric() or cells.dtype == pl.Null):
        raise SchemaError(f"expected numbers in {cells.name!r}, got {cells.dtype}")
    floats = cells.cast(pl.Float64)
    return floats if floats.is_finite().all() else finite(floats.to_list(), cells.name)


def _parsed(table: pl.DataFrame, folder: Folder) -> pl.DataFrame:
    """Columns of text as numbers, all at once, where every cell is one: column by column takes five times as long."""
    names = [c for c, t in table.schema.items() if t == pl.String and c not in (folder.date, folder.series)]
    if not names:
        return table
    blank = dict.fromkeys(["", *folder.missing])
    text = table.select(pl.col(names).str.strip_chars().replace(blank))
    point = text if folder.decimal == "." else text.select(pl.all().str.replace(folder.decimal, ".", literal=True))
    floats = point.select(pl.all().cast(pl.Float64, strict=False))
    finite_all = floats.select(pl.all().is_finite().all()).row(0)
    same_nulls = [a == b for a, b in zip(text.null_count().row(0), floats.null_count().row(0), strict=True)]
    good = [n for n, whole, same in zip(names, finite_all, same_nulls, strict=True) if whole and same]
    return table.with_columns(floats.select(good))


def _csv(response: Response, folder: Folder) -> pl.DataFrame:
    """A CSV whose rows are all as wide as its header, which one that is cut off is not."""
    table = read_csv(response, (), folder.separator, folder.encoding)
    if b'"' in response.body:
        rows = csv.reader(StringIO(response.body.decode(folder.encoding)), delimiter=folder.separator)
        widths = {len(row) for row in rows if row}
    else:
        separator = folder.separator.encode(folder.encoding)
        widths = {line.count(separator) + 1 for line in response.body.splitlines() if line.strip()}
    if len(widths) > 1:
        raise SchemaError(f"expected {table.width} cells in every row, got {sorted(widths)}: is the file cut off?")
    if twice := [c for c in table.columns if f"{c}_duplicated_0" in table.columns]:
        raise SchemaError(f"expected every column once, {twice[0]!r} is there twice")
    return table


def _parquet(response: Response) -> pl.DataFrame:
    try:
        file = pl.scan_parquet(BytesIO(response.body))
        rows, columns = file.select(pl.len()).collect().item(), len(file.collect_schema())
        if rows > MAX_ROWS or rows * columns > MAX_CELLS:
            raise SchemaError(f"expected at most {MAX_ROWS:,} rows and {MAX_CELLS:,} cells, got {rows:,} rows")
        return file.collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise SchemaError(f"expected Parquet, it cannot be read: {str(error).splitlines()[0]}") from None


def _dates(column: pl.Series, form: str) -> pl.Series:
    if column.dtype == pl.Date:
        return column
    if isinstance(column.dtype, pl.Datetime) and (column == column.dt.truncate("1d")).all():
        return column.dt.date()
    if column.dtype == pl.String:
        return dates(column, form)
    raise SchemaError(f"expected dates in {column.name!r}, got {column.dtype}")
