"""Reads one file of a folder, CSV or Parquet, into a table; the connector is ``connector.py``.

Strict as ``bodies.py`` and ``cells.py``: a row that is cut off, a date in another form, NaN and infinity are a
:class:`SchemaError`.
"""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import polars as pl

from macro_assets.catalog import Folder
from macro_assets.catalog.date_forms import DAYS, ISO, LABELS, ClockError, Written, names_no_frequency, read_date
from macro_assets.catalog.folders import MAX_COLUMNS
from macro_assets.sources.bodies import needed, read_csv, text_body
from macro_assets.sources.cells import finite, floats, numbers, plain_days
from macro_assets.sources.errors import SchemaError
from macro_assets.sources.protocol import Response

MAX_ROWS = 5_000_000
"""Rows of one file."""
MAX_CELLS = 50_000_000
"""Cells of one file: Parquet packs so well that its bytes bound nothing."""

LABELLED = "__labelled"
"""Column of the frequency of what a date names: 'D' for a day, which may be of any period."""


def read_table(response: Response, folder: Folder) -> pl.DataFrame:
    """A file's rows that are observations, with `observation_date`, some day of the period of each, and `LABELLED`.

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
    table = table.with_columns(*_dates(table[folder.date], folder))
    dates = table.select("observation_date", LABELLED)
    if folder.layout == "wide" and dates.is_duplicated().any():
        twice = dates.filter(dates.is_duplicated())["observation_date"][0]
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
        try:
            return numbers(cells, ("", *folder.missing), folder.thousands or "", folder.decimal)
        except SchemaError as error:
            marks = f"the folder's `decimal` is {folder.decimal!r}, its `thousands` {folder.thousands!r}"
            raise SchemaError(f"{error} ({marks})") from None
    if not (cells.dtype.is_numeric() or cells.dtype == pl.Null):
        raise SchemaError(f"expected numbers in {cells.name!r}, got {cells.dtype}")
    figures = cells.cast(pl.Float64)
    return figures if figures.is_finite().all() else finite(figures.to_list(), cells.name)


def _parsed(table: pl.DataFrame, folder: Folder) -> pl.DataFrame:
    """Columns of text as numbers, all at once, where every cell is one: column by column takes five times as long."""
    names = [c for c, t in table.schema.items() if t == pl.String and c not in (folder.date, folder.series, LABELLED)]
    if not names:
        return table
    blank = dict.fromkeys(["", *folder.missing])
    text = table.select(pl.col(names).str.strip_chars().replace(blank))
    figures = text.select(floats(pl.all(), folder.thousands or "", folder.decimal))
    finite_all = figures.select(pl.all().is_finite().all()).row(0)
    same_nulls = [a == b for a, b in zip(text.null_count().row(0), figures.null_count().row(0), strict=True)]
    good = [n for n, whole, same in zip(names, finite_all, same_nulls, strict=True) if whole and same]
    if len(good) < len(names):
        _refuse_other_marks(text, folder)
    return table.with_columns(figures.select(good))


def _refuse_other_marks(text: pl.DataFrame, folder: Folder) -> None:
    """Refuse a file of the other decimal mark, where the stated one is found between thousands alone.

    Its '1.234' would be read as a number below two, while its '7,5' is none and fails no series but its own.
    """
    mark, other = (".", ",") if folder.decimal == "." else (",", ".")
    if other == folder.thousands:
        return
    wanted = [folder.value] if folder.value else [c for c in text.columns if c not in folder.ignore]
    cells = text.select(pl.col(c) for c in wanted if c in text.columns).unpivot()["value"].drop_nulls()
    one_group = rf"^[+-]?[1-9]\d?\d?[{mark}]\d\d\d$"
    grouped = cells.filter(cells.str.contains(one_group))
    fractions = cells.filter(cells.str.contains(rf"^[+-]?\d+(?:[{mark}]\d\d\d)*[{other}]\d+$"))
    fractions = fractions.filter(~fractions.str.contains(one_group.replace(mark, other)))
    plain = cells.str.contains(rf"^[+-]?\d*[{mark}]\d*$") & ~cells.str.contains(one_group)
    if len(grouped) and len(fractions) and not plain.any():
        raise SchemaError(
            f"expected the decimal mark {mark!r}, got {fractions[0]!r}, and {grouped[0]!r} as with thousands. State "
            "the file's `decimal` and `thousands`."
        )


def _csv(response: Response, folder: Folder) -> pl.DataFrame:
    """A CSV whose rows are all as wide as its header, which one that is cut off is not."""
    table = read_csv(response, (), folder.separator, folder.encoding)
    if b'"' in response.body:
        rows = csv.reader(StringIO(text_body(response, "CSV", folder.encoding)), delimiter=folder.separator)
        try:
            widths = {len(row) for row in rows if row}
        except csv.Error as error:
            raise SchemaError(f"expected CSV, its line {rows.line_num} cannot be read: {error}") from None
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
        schema = file.collect_schema()
        rows, columns = file.select(pl.len()).collect().item(), len(schema)
        if rows > MAX_ROWS or rows * columns > MAX_CELLS:
            raise SchemaError(f"expected at most {MAX_ROWS:,} rows and {MAX_CELLS:,} cells, got {rows:,} rows")
        text = pl.col(c for c, t in schema.items() if isinstance(t, (pl.Categorical, pl.Enum)))
        return file.with_columns(text.cast(pl.String)).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise SchemaError(f"expected Parquet, it cannot be read: {str(error).splitlines()[0]}") from None


def _dates(column: pl.Series, folder: Folder) -> tuple[pl.Series, pl.Series]:
    """`observation_date` and `LABELLED` of dates as they stand in a file."""
    forms = (*DAYS, *LABELS) if folder.date_form == ISO else (folder.date_form,)
    if isinstance(column.dtype, pl.Datetime):
        column, forms = column.dt.to_string("iso:strict"), DAYS
    elif column.dtype.is_integer():
        column = column.cast(pl.String)
    if column.dtype not in (pl.Date, pl.String):
        raise SchemaError(f"expected dates in {column.name!r}, got {column.dtype}")
    plain = column if column.dtype == pl.Date else None
    if plain is None and forms[0] == DAYS[0] and folder.time_zone is None:
        plain = plain_days(column)  # nearly always: no need to look at each
    if plain is not None:
        return plain.alias("observation_date"), pl.repeat("D", len(plain), eager=True).alias(LABELLED)
    known = {cell: _written(cell, forms, column.name, folder) for cell in column.unique(maintain_order=True)}
    days = column.replace_strict({c: w.day for c, w in known.items()}, return_dtype=pl.Date)
    frequencies = column.replace_strict({c: w.frequency for c, w in known.items()}, return_dtype=pl.String)
    return days.alias("observation_date"), frequencies.alias(LABELLED)


def _written(cell: str, forms: tuple[str, ...], column: str, folder: Folder) -> Written:
    expected = f"expected a date like {folder.date_form} in {column!r}, got {cell!r}"
    try:
        found = read_date(cell, forms, folder.time_zone)
    except ClockError as error:
        hint = "" if folder.time_zone else ". State `time_zone` under `folder`: the zone whose days the dates are"
        raise SchemaError(f"{expected}: {error}{hint}") from None
    if found is None:
        why = ": no frequency is of half-years and the like" if names_no_frequency(cell) else ""
        raise SchemaError(expected + why)
    return found
