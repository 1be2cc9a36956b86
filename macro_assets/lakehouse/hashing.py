"""Hashes of rows that do not depend on their order, and the versions of tables' parts made of them.

A row has a 64-bit hash, a set of rows the sum of theirs: what is added and taken away over time needs no second look at
the rest. The hashes are stored and compared later, so that they lean on nothing a library may change: SHA-256 of texts,
bits of numbers, splitmix64. Against accidents, not against forgers. Numpy takes a tenth of a second to import: import
this module where it is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from macro_assets.catalog import Table
from macro_assets.lakehouse.layout import BOOKKEEPING

Hashes = np.ndarray[Any, np.dtype[np.uint64]]

_GAMMA, _FIRST, _SECOND = (np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_NULL = np.uint64(0xD6E8FEB86659FD93)
"""Stands for a null; any number that no date, count or value has as its bits."""

_BLOCK = 1 << 14
"""Words mixed at a time: they stay in the processor's cache, which takes a third of the time."""


def row_hashes(frame: pl.DataFrame, columns: Sequence[str]) -> Hashes:
    """A hash of each row, by the columns named, in that order.

    Equal for equal values in every process and version of the libraries. Zero has no sign, NaN is one value, null is
    unlike any other; times count to the microsecond, texts as texts, be they categories or not.

    Raises
    ------
    TypeError
        When a column is neither text, number, truth value, date nor timestamp.
    """
    hashes = np.zeros(frame.height, np.uint64)
    for column in columns:
        hashes ^= _words(frame[column])
        _mix(hashes)
    return hashes


def month_versions(frame: pl.DataFrame, table: Table) -> dict[str, str]:
    """By month, the version of the rows of an as-of table: 16 hex digits, whatever the order of rows.

    Columns that only record how rows came do not count.
    """
    said = [c.name for c in table.columns if c.name in frame.columns and c.name not in BOOKKEEPING]
    return _versions(frame["as_of_month"], row_hashes(frame, said))


def series_versions(frame: pl.DataFrame) -> dict[str, str]:
    """By series, the version of its rows in a long frame: 16 hex digits of all columns, whatever the order of rows."""
    return _versions(frame["series_id"], row_hashes(frame, frame.columns))


def version(rows: int) -> str:
    """The sum of hashes as a version."""
    return f"{rows:016x}"


def _versions(names: pl.Series, hashes: Hashes) -> dict[str, str]:
    """The sum of hashes by name."""
    codes, found = _coded(names)
    sums = np.zeros(len(found), np.uint64)
    np.add.at(sums, codes, hashes)
    return {name: version(total) for name, total in sorted(zip(found, sums.tolist(), strict=True))}


def _mix(words: Hashes) -> None:
    """Scatter the bits in place: the step and finalizer of splitmix64 (Steele, Lea and Flood 2014), one to one."""
    for start in range(0, len(words), _BLOCK):
        block = words[start : start + _BLOCK]
        block += _GAMMA
        block ^= block >> np.uint64(30)
        block *= _FIRST
        block ^= block >> np.uint64(27)
        block *= _SECOND
        block ^= block >> np.uint64(31)


def _words(values: pl.Series) -> Hashes:
    """A column as 64-bit words."""
    words: Hashes
    dtype = values.dtype
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        codes, found = _coded(values)
        digests = [hashlib.sha256(text.encode()).digest()[:8] for text in found]
        words = np.array([int.from_bytes(d, "little") for d in [*digests, b""]], np.uint64)[codes]
    elif dtype.is_float():
        numbers = values.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0  # -0.0 becomes 0.0
        numbers[np.isnan(numbers)] = np.nan
        words = numbers.view(np.uint64)
    elif dtype.is_integer() or dtype in (pl.Boolean, pl.Date, pl.Datetime):
        whole = values.dt.cast_time_unit("us") if dtype == pl.Datetime else values
        whole = whole.cast(pl.Int8) if dtype == pl.Boolean else whole.to_physical()
        words = whole.fill_null(0).to_numpy().astype(np.uint64)
    else:
        raise TypeError(f"column {values.name!r} has type {dtype}: no hash is defined for its values")
    if values.null_count():
        words[values.is_null().to_numpy()] = _NULL
    return words


def _coded(texts: pl.Series) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Texts as numbers, and the text of each number; of a null the number that comes after all others."""
    found = texts.unique().drop_nulls()
    if texts.dtype == pl.String:
        texts, found = texts.cast(pl.Enum(found)), found.cast(pl.Enum(found))
    of_category = np.zeros(int(found.to_physical().max() or 0) + 1, np.int64)  # type: ignore[arg-type]
    of_category[found.to_physical().to_numpy()] = np.arange(len(found))
    codes = of_category[texts.to_physical().fill_null(0).to_numpy()]
    if texts.null_count():
        codes[texts.is_null().to_numpy()] = len(found)
    return codes, found.cast(pl.String).to_list()
