"""A folder of the user's own files: which files it has, whether they may be read, which series their columns are.

Belongs here: names, headers, and the rules of safety: regular files of the folder alone, of a bounded size. Reading
observations is done in ``sources/providers/folder/``.
"""

from __future__ import annotations

import csv
import os
import re
import stat
import unicodedata
from calendar import monthrange
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from macro_assets.catalog.kinds.source import Folder

MAX_BYTES = 50_000_000
"""Bytes of one file."""
MAX_FILES = 5_000
"""Files of one folder."""
MAX_COLUMNS = 500
"""Columns of one file; FRED-MD has 128, FRED-QD 246."""
_HEAD = 1_000_000
"""Bytes of a file within which its header ends."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_STALE = {"D": 10, "W": 28, "M": 120, "Q": 250, "A": 800}
_UNSTATED: dict[str, Any] = {
    "unit": "unknown",
    "provider_unit": "Not stated",
    "scale": 1.0,
    "bounds": {"low": None, "high": None},
    "transform": 1,
    "aggregation": "last",
    "first_year": 1700,
}
"""What a series is where its file does not say: claims nothing about its numbers, changes none, refuses none.

`last` because it gives a number that was published, whatever the unit; a mean or a sum may have no sense.
"""


class FolderError(ValueError):
    """A folder or one of its files is not there or may not be read. The message names it."""


def file_names(folder: Folder) -> list[str]:
    """Names of the files that the folder's pattern takes in, sorted."""
    try:
        names = [e.name for e in os.scandir(folder.path) if fnmatchcase(e.name, folder.files)]
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise FolderError(f"{folder.path} cannot be read: {reason}") from None
    if not names:
        raise FolderError(f"{folder.path} has no file that matches {folder.files!r}")
    if len(names) > MAX_FILES:
        raise FolderError(f"{folder.path} has {len(names):,} files, more than {MAX_FILES:,}. Narrow `files`.")
    if odd := [n for n in names if not _NAME.fullmatch(n)]:
        raise FolderError(f"{odd[0]!r} in {folder.path}: expected a name of letters, digits and '._+-'. Rename it.")
    return sorted(names)


def in_order(folder: Folder, names: Iterable[str]) -> list[tuple[date | None, str]]:
    """Files by vintage, the day each was known at the end of; None for the one file of a folder without vintages."""
    names = list(names)
    if folder.vintage is None:
        if len(names) != 1:
            raise FolderError(f"expected one file that matches {folder.files!r}, got {names[:5]}; or state `vintage`")
        return [(None, names[0])]
    dated: dict[date, str] = {}
    for name in names:
        day = _vintage(folder.vintage, name)
        if day in dated:
            raise FolderError(f"{name} and {dated[day]} are of the same vintage, {day}")
        dated[day] = name
    return sorted(dated.items())


def _vintage(form: str, name: str) -> date:
    try:
        day = datetime.strptime(name.rpartition(".")[0], form).date()
    except ValueError:
        raise FolderError(f"{name}: expected a name like {form}. Narrow `files`, or rename it.") from None
    return day if "%d" in form else day.replace(day=monthrange(day.year, day.month)[1])


def contents(folder: Path, name: str, most: int = MAX_BYTES, whole: bool = True) -> bytes:
    """Bytes of a file of a folder.

    Parameters
    ----------
    most
        Bytes that it may have; with `whole` False, bytes that are read of it.

    Raises
    ------
    FolderError
        When it is not there, is larger, is no regular file, or is a link that leads out of the folder.
    """
    try:
        root = folder.resolve(strict=True)
        path = (root / name).resolve(strict=True)
        if not _NAME.fullmatch(name) or path.parent != root:
            raise FolderError(f"{name} leads out of {folder}. Only files of the folder itself are read.")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would block without
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise FolderError(f"{name} in {folder} is no regular file")
            if whole and found.st_size > most:
                raise FolderError(f"{name} in {folder} has {found.st_size:,} bytes, more than {most:,}. Split it.")
            return file.read(most)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        reason = error.strerror if isinstance(error, OSError) else error
        raise FolderError(f"{name} in {folder} cannot be read: {reason}") from None


def fingerprint(folder: Folder) -> str:
    """A text that changes when files of a folder do: their names, sizes and times."""
    try:
        found = [(n, (Path(folder.path) / n).stat()) for n in file_names(folder)]
    except (FolderError, OSError):
        return "unreadable"
    return sha256(repr([(n, s.st_size, s.st_mtime_ns) for n, s in found]).encode()).hexdigest()


def series_of_folder(
    folder: Folder,
    common: Mapping[str, Any],
    stated: Sequence[Mapping[str, Any]],
    taken: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Entries of a folder's series: those stated, and where every column is one, all others of any of its files.

    Parameters
    ----------
    common
        What all of them share; over what is assumed where nothing is stated, under what a file says.
    stated
        What single series have of their own; `code`, by default the id, is the column.
    taken
        Columns that are copies of other sources' series.
    """
    columns = _columns(folder) if folder.prefix else {}
    own = {_code(entry): entry for entry in stated}
    if len(own) < len(stated):
        raise FolderError(f"the code {_repeated(str(e.get('code')) for e in stated)!r} is declared twice")
    entries = []
    for code in [*own, *(c for c in columns if c not in own and c not in taken)]:
        entry = {**_UNSTATED, "title": code, **common, "code": code, **columns.get(code, {}), **own.get(code, {})}
        if folder.prefix:
            entry.setdefault("id", series_id(folder.prefix, code))
        entry.setdefault("staleness_days", _STALE.get(str(entry.get("frequency")), 120))
        entries.append({**entry, "folder": folder})
    if twice := _repeated(str(e["id"]) for e in entries if "id" in e):
        same = [e["code"] for e in entries if e.get("id") == twice]
        raise FolderError(f"the columns {same} would all be {twice}. Give them ids of their own under `series`.")
    return entries


def _code(entry: Mapping[str, Any]) -> str:
    return str(entry.get("code", entry.get("id")))


def _repeated(texts: Iterable[str]) -> str | None:
    """The first text that is there more than once."""
    return next((t for t, count in Counter(texts).items() if count > 1), None)


def series_id(prefix: str, column: str) -> str:
    """A column's name as an id: upper case without accents, one '_' for anything that is no letter or digit."""
    plain = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode().upper()
    return prefix + re.sub(r"[^A-Z0-9]+", "_", plain).strip("_")


def _columns(folder: Folder) -> dict[str, dict[str, int]]:
    """Columns of any of a folder's files that are series, with the `transform` of the newest that states one.

    A file that cannot be read is left to the fetch, which fails and says so: it must not take the catalog down.
    """
    names = file_names(folder)
    with suppress(FolderError):  # names that are no vintages are left to the fetch too
        names = [name for _, name in in_order(folder, names)]
    found: dict[str, dict[str, int]] = {}
    reason = None
    for name in names:
        try:
            header, codes = _header(folder, name)
        except FolderError as error:
            reason = error
            continue
        for column in header:
            if column not in ("", folder.date, *folder.ignore):
                found[column] = {**found.get(column, {}), **codes.get(column, {})}
    if not found:
        raise reason or FolderError(f"the files of {folder.path} have no columns beside {folder.date!r}")
    return found


def _header(folder: Folder, name: str) -> tuple[list[str], dict[str, dict[str, int]]]:
    """Columns of a file, and the transformation codes that its row of them states."""
    if name.endswith(".parquet"):
        import polars as pl

        try:
            return list(pl.read_parquet_schema(BytesIO(contents(Path(folder.path), name)))), {}
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise FolderError(f"{name} in {folder.path} is no Parquet: {error}") from None
    head = contents(Path(folder.path), name, _HEAD, whole=False)
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise FolderError(f"{name} in {folder.path} is in UTF-16 by its byte order mark. Save it as UTF-8.")
    lines = head if len(head) < _HEAD else head[: head.rfind(b"\n") + 1]
    try:
        text = lines.decode("utf-8-sig" if lines.startswith(BOM_UTF8) else folder.encoding)
    except UnicodeDecodeError:
        raise FolderError(f"{name} in {folder.path} is not in {folder.encoding}") from None
    try:
        rows = csv.reader(StringIO(text), delimiter=folder.separator)
        header = [c.strip() for c in next(rows, [])]
        first = [row for row, _ in zip(rows, range(10), strict=False)]
    except csv.Error as error:
        raise FolderError(f"{name} in {folder.path} is no CSV: {error}") from None
    if folder.date not in header or len(header) > MAX_COLUMNS:
        raise FolderError(
            f"{name} in {folder.path}: expected a column {folder.date!r} and at most {MAX_COLUMNS} others"
        )
    day = header.index(folder.date)
    coded = next((r for r in first if len(r) == len(header) and r[day].strip() == folder.transforms), [])
    pairs = zip(header, coded, strict=False)
    return header, {c: {"transform": int(t)} for c, t in pairs if c != folder.date and t.strip().isdigit()}
