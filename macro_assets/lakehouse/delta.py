"""Delta tables at a place: find, open and scan them. Writing is in `write.py`, layout in `layout.py`.

Only "table not found" means that there is none; any other error names the table, its version and the way out.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from macro_assets.catalog import Table
from macro_assets.lakehouse import s3
from macro_assets.lakehouse.layout import BOOKKEEPING, SCHEMA_VERSION, is_due, written_version
from macro_assets.lakehouse.paths import Root, S3Root, filesystem, storage_options

_LOG = "/_delta_log/"
_SNAPSHOT_LOOKS = 5
_NOISE = re.compile(r"\x1b\[\d*m|↳|^\s*\d+: .*$|^\s+at .*$")  # colours, arrows, and the frames of a native stack


class LakeError(Exception):
    """The lake refuses: the message says which table, what was expected, what came, and what to do."""


class PanicError(DeltaError):
    """A library broke down over what it read; `Exception` does not hold what it raises then, this does."""


@contextmanager
def no_panic() -> Iterator[None]:
    """A panic becomes a :class:`PanicError`. Each library in Rust has a `PanicException` of its own."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise PanicError(f"the reader broke down: {error}") from error


def check_writable(root: Root) -> None:
    """Raise a :class:`LakeError` unless files can be made under `root` (a folder is created)."""
    probe = f".writable.{os.getpid()}"
    try:
        if isinstance(root, Path):
            root.mkdir(parents=True, exist_ok=True)
            (root / probe).touch()
            (root / probe).unlink()
        else:
            s3.check_writable(root.bucket, (root / probe).prefix)
    except OSError as error:
        raise LakeError(
            f"the lake root {root} cannot be written ({error.strerror or error}). "
            "Set MACRO_LAKE to a place you may write to, or change its permissions."
        ) from None


def open_table(root: Root, name: str) -> DeltaTable | None:
    """The Delta table, or None when there is none yet.

    Raises
    ------
    LakeError
        When the table cannot be read, was written by a newer version of macro_assets, or by an older one whose
        layout must be migrated first.
    """
    stored = open_any(root, name)
    if stored is None:
        return None
    written = written_version(stored)
    if written > SCHEMA_VERSION:
        raise LakeError(
            f"table {name} at {root / name} has schema version {written}, this macro_assets reads up to "
            f"{SCHEMA_VERSION}. Upgrade macro_assets, or point MACRO_LAKE at another lake. The table was left as it is."
        )
    if is_due(name, written):
        raise LakeError(
            f"table {name} at {root / name} has schema version {written}, this macro_assets needs {SCHEMA_VERSION}. "
            "`macro migrate` brings it there, `macro migrate --dry-run` shows what it would do. "
            "The table was left as it is."
        )
    return stored


def open_any(root: Root, name: str) -> DeltaTable | None:
    """The Delta table of whatever schema version, ours or another program's; None when there is none."""
    if isinstance(root, Path) and not (root / name).exists():  # a tenth of the time that delta-rs needs to say so
        return None
    try:
        with no_panic():
            stored = DeltaTable(str(root / name), storage_options=storage_options(root))
    except TableNotFoundError:
        return None
    except (DeltaError, OSError, ValueError) as error:
        _refuse_unreachable(root)
        raise _unusable(root, name, _newest(root, name), reason(error)) from error
    if isinstance(root, Path):
        _refuse_empty_entries(root, name, stored.version())
    return stored


def _refuse_unreachable(root: Root) -> None:
    """When something failed: raise the reason if it is the store and not the table."""
    if isinstance(root, S3Root):
        try:
            s3.check_reachable(root.bucket)
        except OSError as error:
            raise LakeError(f"the lake at {root} cannot be reached: {error}.") from None


def _refuse_empty_entries(root: Path, name: str, version: int) -> None:
    """Refuse a table with an empty log entry, as a power cut leaves one.

    It reads as a version that changed nothing: the rows of the one before, or those of both. On S3 an object is there
    whole or not at all.
    """
    log = root / name / "_delta_log"
    for v in range(version, -1, -1):
        if _size(log / f"{v:020d}.checkpoint.parquet"):
            return
        entry = log / f"{v:020d}.json"
        if _size(entry) == 0:
            raise _unusable(root, name, v, f"its log entry {entry.name} is empty")


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return None


def _newest(root: Root, name: str) -> int | None:
    """The newest version by the names in a table's log; None where they cannot be listed."""
    from pyarrow.fs import FileSelector

    try:
        found = filesystem(root / name).get_file_info(FileSelector("_delta_log"))
    except OSError:
        return None
    names = [f.base_name for f in found if f.extension in ("json", "parquet")]
    return max((int(n[:20]) for n in names if n[:20].isdigit()), default=None)


def _unusable(root: Root, name: str, version: int | None, why: str) -> LakeError:
    which = "" if version is None else f", version {version},"
    return LakeError(
        f"table {name}{which} at {root / name} cannot be opened: {why}. `macro doctor` says what is wrong; where a "
        "table is damaged, `macro doctor --repair` goes back to its last good version."
    )


def reason(error: Exception) -> str:
    """An error of the storage libraries on one line, without colours and stack."""
    lines = (_NOISE.sub("", line).strip() for line in str(error).splitlines())
    return " ".join(line for line in lines if line).rstrip(". ")


class Entry(NamedTuple):
    """The newest entry of a table's log: the version it made, its size, and when it was written (ns since 1970)."""

    version: int
    size: int
    written: int


def table_versions(root: Root) -> dict[str, int]:
    """Latest version of every Delta table below the root, as :func:`newest_entries` finds them."""
    return {name: entry.version for name, entry in newest_entries(root).items()}


def newest_entries(root: Root) -> dict[str, Entry]:
    """Newest log entry of every Delta table below the root, other programs' included, by name 'layer/table'.

    Read from file names alone. Looks again until two looks agree: versions only grow, so that all of them were
    current together between the two.
    """
    entries = _look_for_entries(root)
    for _ in range(_SNAPSHOT_LOOKS):
        before, entries = entries, _look_for_entries(root)
        if before == entries:
            break
    return entries


def _look_for_entries(root: Root) -> dict[str, Entry]:
    return _look_in_folder(root) if isinstance(root, Path) else _look_in_bucket(root)


def _look_in_folder(root: Path) -> dict[str, Entry]:
    """The entries by the file system alone: importing pyarrow takes longer than all else of a first answer."""

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # there is none, or it was removed meanwhile
            raise _unlistable(root, error)

    found: dict[str, Entry] = {}
    for folder, _, names in os.walk(root, onerror=refuse, followlinks=True):
        table, log, deeper = f"/{os.path.relpath(folder, root)}/".partition(_LOG)
        versions = {int(stem): n for n in names if (stem := n.removesuffix(".json")) != n and stem.isdigit()}
        if table and log and not deeper and versions:
            version, name = max(versions.items())
            with suppress(FileNotFoundError):
                said = os.stat(os.path.join(folder, name))
                found[table[1:]] = Entry(version, said.st_size, said.st_mtime_ns)
    return found


def _unlistable(root: Root, error: OSError) -> LakeError:
    return LakeError(f"the lake at {root} cannot be listed: {reason(error)}. `macro doctor` says more.")


def _look_in_bucket(root: S3Root) -> dict[str, Entry]:
    from pyarrow.fs import FileSelector

    found: dict[str, Entry] = {}
    try:
        listed = filesystem(root).get_file_info(FileSelector("", allow_not_found=True, recursive=True))
    except OSError as error:
        _refuse_unreachable(root)
        raise _unlistable(root, error) from None
    for info in listed:
        table, log, entry = info.path.partition(_LOG)
        stem, _, suffix = entry.partition(".")
        if log and suffix == "json" and stem.isdigit() and (table not in found or int(stem) > found[table].version):
            found[table] = Entry(int(stem), info.size, info.mtime_ns)
    return found


def data_files(root: Root, stored: DeltaTable) -> list[str]:
    """Places of the data files of a table's version: paths, or addresses on S3."""
    # of a local table delta-rs gives the path as in an address, a blank as %20
    return [unquote(f) for f in stored.file_uris()] if isinstance(root, Path) else stored.file_uris()


def logged_files(stored: DeltaTable) -> dict[str, int]:
    """The data files of a table's version, by their path below it, with their sizes in its log.

    Without those of another table, as a shallow clone has them.
    """
    with no_panic():
        actions = stored.get_add_actions()
    paths, sizes = (actions.column(c).to_pylist() for c in ("path", "size_bytes"))
    return {unquote(path): size for path, size in zip(paths, sizes, strict=True) if "://" not in path}


@contextmanager
def reading(name: str, version: int) -> Iterator[None]:
    """Errors while reading data files become one that names the table and its version."""
    try:
        with no_panic():
            yield
    except _reader_errors() as error:
        raise LakeError(
            f"table {name}, version {version}, cannot be read: {reason(error)}. A data file is missing or damaged: "
            "`macro doctor --deep` says which, and `macro doctor --repair`, or `--deep --repair` where its content was "
            "changed, goes back to the last good version."
        ) from error


def _reader_errors() -> tuple[type[Exception], ...]:
    import pyarrow as pa  # not before something failed: it takes a tenth of a second

    return pl.exceptions.PolarsError, pa.ArrowException, DeltaError, OSError


def scan(root: Root, stored: DeltaTable | None, schema: pl.Schema) -> pl.LazyFrame:
    """The rows of an opened table with the columns of a schema; no rows when it is None.

    Columns that the stored table lacks (a series added since) come as nulls. Collect it under :func:`reading`.
    """
    files = data_files(root, stored) if stored is not None else []
    if not files:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(
        files,
        schema=schema,
        missing_columns="insert",
        extra_columns="ignore",
        glob=False,
        storage_options=storage_options(root),
    )


def content_hash(frame: pl.DataFrame) -> str:
    """SHA-256 (16 hex digits) of a frame's rows: equal for equal tables whatever their history."""
    # what memory holds under a null, and how it shares out long texts and bits, depends on how a frame was made
    frame = frame.rechunk()
    nulls = frame.select(pl.col(c).is_null().cast(pl.UInt8) for c in frame.columns if frame[c].null_count())
    values = frame.with_columns(map(_without_mask, frame)).fill_null(strategy="zero")
    values = values.with_columns(pl.col(pl.Boolean).cast(pl.UInt8))
    digest = hashlib.sha256()
    for part in (values, nulls):
        buffer = io.BytesIO()
        part.rechunk().write_ipc(buffer, compression="uncompressed", compat_level=pl.CompatLevel.oldest())
        digest.update(buffer.getbuffer())
    return digest.hexdigest()[:16]


def _without_mask(column: pl.Series) -> pl.Series:
    """A column without the mask that an aggregation may leave where nothing is missing: a stored one has none."""
    if column.null_count() or not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        return column
    return pl.Series(column.name, column.to_physical().to_numpy()).cast(column.dtype)


def data_version(frame: pl.DataFrame, table: Table) -> str:
    """Hash of what a table says: its rows in key order, without the columns that only record how they came."""
    said = [c for c in frame.columns if c not in BOOKKEEPING]
    return content_hash(frame.select(said).sort([k for k in table.key if k in said], nulls_last=True))
