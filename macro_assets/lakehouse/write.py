"""Writing Delta tables: append rows, replace rows, one commit each.

Every write passes one boundary (:func:`conform`): the catalog's columns in the catalog's types, no NaN or infinity,
sorted by the table's key. Rows that were computed from what a table held are committed only if it still holds that;
otherwise they are computed again from what it holds now. Compaction, checkpoints and the record of what the new files
hold (`fingerprints.py`) come after the commit and are not part of it: a write whose rows are stored has not failed.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import polars as pl
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError

from macro_assets.catalog import Table
from macro_assets.catalog.derive import polars_schema
from macro_assets.lakehouse import fingerprints
from macro_assets.lakehouse.delta import (
    LakeError,
    check_writable,
    logged_files,
    open_any,
    open_table,
    reading,
    reason,
)
from macro_assets.lakehouse.handle import Held, Lakehouse
from macro_assets.lakehouse.layout import BOOKKEEPING, arrow_schema
from macro_assets.lakehouse.paths import Root, storage_options

_LOG = logging.getLogger(__name__)

MAX_FILES = 20
"""Data files of a table above which a writing step compacts it."""

COMPACTED_BYTES = 16 * 2**20
"""Files of this size are left alone by the compaction inside a writing step."""

WRITER = WriterProperties(compression="ZSTD", max_row_group_size=2**17)
"""Row groups small enough that one series reads a few of many: 1 ms against 14 of a whole group of a million rows."""

CHECKPOINT_EVERY = 10
"""Versions between checkpoints: commits are 2.6x cheaper than at Delta's default of 100."""

_ATTEMPTS, _LONGEST_WAIT = 50, 0.1
# Versions stay readable as long as they are listed.
_CONFIGURATION: dict[str, str | None] = {
    "delta.checkpointInterval": str(CHECKPOINT_EVERY),
    "delta.logRetentionDuration": "interval 30 days",
    "delta.deletedFileRetentionDuration": "interval 30 days",
}
# Inside the write, a checkpoint that finds no room would be told as a write that failed, though it is committed.
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
# Two appends that both read the table name the same application transaction, so that the second is refused; a
# compaction in between does not. The same of two overwrites: Delta refuses the second only where there are files to
# remove, and of a table that was empty would keep the rows of both.
_APPENDER, _REPLACER = "macro_assets.append", "macro_assets.overwrite"
_WRITE_ID = "macro_assets.write_id"


class WriteConflictError(LakeError):
    """Another process changed the same rows meanwhile; nothing was written."""


@dataclass(frozen=True)
class Appended:
    """Version of the table after an append, and the rows that were added.

    `before` is the version whose rows they were computed from, `latest` the one after the upkeep of the table.
    """

    version: int
    rows: pl.DataFrame
    before: int
    latest: int


def conform(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The frame as it may be stored: catalog columns and types, nulls for NaN and infinity, sorted by key.

    Raises
    ------
    LakeError
        When columns are missing or unknown, a type does not fit, a required value is null or a key repeats.
    """
    schema = polars_schema(table.columns)
    if missing := [c for c in schema if c not in frame.columns]:
        raise LakeError(f"table {table.name}: columns missing from the data: {', '.join(missing)}")
    if unknown := [c for c in frame.columns if c not in schema]:
        raise LakeError(f"table {table.name}: columns the catalog does not have: {', '.join(unknown)}")
    try:
        frame = frame.select(pl.col(n).cast(t) for n, t in schema.items())
    except pl.exceptions.PolarsError as error:
        raise LakeError(f"table {table.name}: the data does not fit the catalog's types: {error}") from error
    floats = pl.col(pl.Float64)
    frame = frame.with_columns(pl.when(floats.is_finite()).then(floats))
    for column in table.columns:
        if not column.nullable and (nulls := frame[column.name].null_count()):
            raise LakeError(f"table {table.name}: column {column.name} must not be null, {nulls} rows are")
    keys = frame.select(table.key)
    if keys.is_duplicated().any():
        example = keys.filter(keys.is_duplicated()).row(0, named=True)
        raise LakeError(f"table {table.name}: two rows have the same key {example}")
    return frame.sort(table.key, nulls_last=True)


def append(lake: Lakehouse, name: str, rows: pl.DataFrame, commit: Mapping[str, str]) -> int:
    """Append rows in one commit and return the table's version. Nothing to append, nothing committed."""
    return append_computed(lake, name, lambda _: rows, commit).version


def append_computed(
    lake: Lakehouse,
    name: str,
    compute: Callable[[pl.LazyFrame], pl.DataFrame],
    commit: Mapping[str, str],
    held: Held | None = None,
) -> Appended:
    """Append the rows that `compute` makes of the stored ones, in one commit.

    When another append was faster, the table is opened again and the rows are computed again from what it holds then.
    Rows that are held already are not read again while the table is at their version.

    Raises
    ------
    LakeError
        When the rows do not fit the catalog, or the table cannot be read or written; it is then as it was.
    """
    table, write_id = lake.table(name), uuid4().hex
    for attempt in range(_ATTEMPTS):
        target = open_or_create(lake, name)
        before = target.version()
        with reading(name, before):
            stored = held.rows.lazy() if held is not None and held.is_of(before) else lake.rows(name, target)
            rows = conform(compute(stored), table)
        if rows.is_empty():
            return Appended(before, rows, before, before)
        try:
            with _writing(lake.root, name), _on_record(lake.root, name, target):
                write_deltalake(
                    target,
                    rows.to_arrow().cast(arrow_schema(table, target)),
                    mode="append",
                    writer_properties=WRITER,
                    commit_properties=CommitProperties(
                        custom_metadata={**commit, _WRITE_ID: write_id},
                        app_transactions=[Transaction(_APPENDER, target.version() + 1)],
                    ),
                    post_commithook_properties=_NO_HOOKS,
                )
        except CommitFailedError:
            if (own := _own_commit(lake.root, name, target, write_id)) is not None:
                return Appended(own, rows, before, own)
            _give_way(attempt)
            continue
        version = target.version()
        _tidy(lake.root, name, target)
        return Appended(version, rows, before, target.version())
    raise WriteConflictError(
        f"table {name}: other processes were faster {_ATTEMPTS} times; nothing was written. Try again."
    )


def _give_way(attempt: int) -> None:
    """Wait a random while, longer with each of the first: on a busy machine a slow writer lost twenty in a row."""
    time.sleep(random.uniform(0, min(0.03 * attempt, _LONGEST_WAIT)))


def overwrite(
    lake: Lakehouse,
    name: str,
    frame: pl.DataFrame,
    commit: Mapping[str, str],
    partitions: Sequence[str] | None = None,
) -> int:
    """Replace all rows, or those of the given as-of months, and return the table's version.

    What says the same as the stored rows makes no new version. When another process wrote meanwhile, the write is tried
    again only if the rows to be replaced are the same as before (another month was written, or the table compacted).

    Raises
    ------
    LakeError
        When the data does not fit the catalog, or has rows outside the partitions it is to replace.
    WriteConflictError
        When another process changed the same rows meanwhile: compute the frame again from fresh inputs.
    """
    seen: list[pl.DataFrame] = []

    def given(stored: pl.DataFrame) -> pl.DataFrame:
        if seen and not stored.equals(seen[0]):
            raise WriteConflictError(
                f"table {name}: another process changed the same rows meanwhile; nothing was written. "
                "Run it again, so that it is computed from what is stored now."
            )
        seen[:] = [stored]
        return frame

    return overwrite_computed(lake, name, given, commit, partitions)


def overwrite_computed(
    lake: Lakehouse,
    name: str,
    compute: Callable[[pl.DataFrame], pl.DataFrame],
    commit: Mapping[str, str],
    partitions: Sequence[str] | None = None,
    held: Held | None = None,
) -> int:
    """Replace rows by what `compute` makes of the stored ones, again if another process was faster.

    `compute` gets the rows that are to be replaced, in key order. See :func:`overwrite`, and :func:`append_computed` of
    rows that are held already.
    """
    predicate = None
    if partitions is not None:
        predicate = "as_of_month IN ({})".format(", ".join(f"'{_month(p)}'" for p in partitions))
    table, write_id = lake.table(name), uuid4().hex
    for attempt in range(_ATTEMPTS):
        target = open_or_create(lake, name)
        if partitions is not None:  # what the same files hold of other months is written anew
            fingerprints.refuse_changed(lake.root, name, _files(target))
        with reading(name, target.version()):
            is_held = held is not None and held.is_of(target.version())
            rows = held.rows.lazy() if held is not None and is_held else lake.rows(name, target)
            if partitions is not None:
                rows = rows.filter(pl.col("as_of_month").is_in(list(partitions)))
            stored = rows.collect().sort(table.key, nulls_last=True)
        frame = conform(compute(stored), table)
        if partitions is not None and (strays := set(frame["as_of_month"]) - set(partitions)):
            raise LakeError(f"table {name}: rows of {sorted(strays)} do not belong to partitions {list(partitions)}")
        said = [c for c in frame.columns if c not in BOOKKEEPING]
        if stored.select(said).equals(frame.select(said)):
            return target.version()
        try:
            with _writing(lake.root, name), _on_record(lake.root, name, target):
                write_deltalake(
                    target,
                    frame.to_arrow().cast(arrow_schema(table, target if predicate else None)),
                    mode="overwrite",
                    predicate=predicate,
                    # columns are those of the catalog, whatever was stored
                    schema_mode="overwrite" if predicate is None else None,
                    writer_properties=WRITER,
                    commit_properties=CommitProperties(
                        custom_metadata={**commit, _WRITE_ID: write_id},
                        app_transactions=[Transaction(_REPLACER, target.version() + 1)] if predicate is None else None,
                    ),
                    post_commithook_properties=_NO_HOOKS,
                )
        except CommitFailedError:
            if (own := _own_commit(lake.root, name, target, write_id)) is not None:
                return own
            _give_way(attempt)
            continue
        version = target.version()
        _tidy(lake.root, name, target)
        return version
    raise WriteConflictError(
        f"table {name}: other processes were faster {_ATTEMPTS} times; nothing was written. Try again."
    )


def replace_rows(
    lake: Lakehouse, name: str, target: DeltaTable, frame: pl.DataFrame, commit: Mapping[str, str]
) -> None:
    """Replace all rows of an opened table, and its columns by the catalog's, unless it changed since it was opened.

    For tables that are otherwise appended to: a migration, a rebuild. The version before stays in the history.

    Raises
    ------
    LakeError
        When the rows do not fit the catalog, or another process wrote meanwhile; the table is then as it was.
    """
    table, write_id = lake.table(name), uuid4().hex
    rows = conform(frame, table)
    try:
        with _writing(lake.root, name), _on_record(lake.root, name, target):
            write_deltalake(
                target,
                rows.to_arrow().cast(arrow_schema(table)),
                mode="overwrite",
                schema_mode="overwrite",
                writer_properties=WRITER,
                commit_properties=CommitProperties({**commit, _WRITE_ID: write_id}, max_commit_retries=0),
                post_commithook_properties=_NO_HOOKS,
            )
    except CommitFailedError:
        if _own_commit(lake.root, name, target, write_id) is not None:
            return
        raise WriteConflictError(f"table {name} was written meanwhile; it was left as it is. Try again.") from None


@contextmanager
def _on_record(root: Root, name: str, target: DeltaTable) -> Iterator[None]:
    """What the files hold that a commit adds is put on record."""
    had = _files(target)
    yield
    _take(root, name, target, had)


def _files(stored: DeltaTable) -> set[str]:
    """Data files of a table of the catalog, none of which is partitioned on the disk. An eighth of `logged_files`."""
    return {uri.rpartition("/")[2] for uri in stored.file_uris()}


def _take(root: Root, name: str, stored: DeltaTable, had: set[str]) -> None:
    try:
        fingerprints.take(root, name, _files(stored) - had)
    except (LakeError, DeltaError, OSError) as error:
        told = "table %s: version %d is stored, but what its new files hold is not on record: %s"
        _LOG.warning(told, name, stored.version(), reason(error))


def _own_commit(root: Root, name: str, before: DeltaTable, write_id: str) -> int | None:
    """The version that a write made although it was told that it lost the race; None when it did not.

    When S3 carries out the PUT of a commit and the answer is lost, delta-rs puts it again and is refused: by its own
    entry.
    """
    stored = open_any(root, name)
    if stored is None or stored.version() <= before.version():
        return None
    commits = stored.history(stored.version() - before.version())
    own = next((int(c["version"]) for c in commits if c.get(_WRITE_ID) == write_id), None)
    if own is not None:
        _take(root, name, stored, _files(before))
    return own


def compact(root: Root, name: str, target: DeltaTable, max_files: int, target_bytes: int = COMPACTED_BYTES) -> bool:
    """Merge small files and write a checkpoint when the table has more than `max_files`; returns whether it did.

    A writer that is faster wins: the next write compacts.

    Raises
    ------
    LakeError
        When a file that would be merged is damaged.
    """
    if len(target.file_uris()) <= max_files:
        return False
    small = [file for file, size in logged_files(target).items() if size < target_bytes]
    fingerprints.refuse_changed(root, name, small)
    try:
        with _on_record(root, name, target):
            target.optimize.compact(target_size=target_bytes, writer_properties=WRITER)
        target.create_checkpoint()
    except CommitFailedError:
        return False
    return True


def _tidy(root: Root, name: str, target: DeltaTable) -> None:
    """What a table needs now and then after a commit; what fails here is tried again by the next write."""
    version = target.version()
    try:
        if not compact(root, name, target, MAX_FILES) and version % CHECKPOINT_EVERY == 0:
            target.create_checkpoint()
            target.cleanup_metadata()
    except (LakeError, DeltaError, OSError) as error:
        _LOG.warning("table %s: version %d is stored, but was not compacted: %s", name, version, reason(error))


def open_or_create(lake: Lakehouse, name: str) -> DeltaTable:
    """The table, made with the catalog's columns when there is none."""
    table, existing = lake.table(name), open_table(lake.root, name)
    if existing is not None:
        return existing
    check_writable(lake.root)
    with _writing(lake.root, name):
        return DeltaTable.create(
            str(lake.root / name),
            arrow_schema(table),
            mode="ignore",
            name=name,
            description=table.description,
            configuration=_CONFIGURATION,
            storage_options=storage_options(lake.root),
        )


@contextmanager
def _writing(root: Root, name: str) -> Iterator[None]:
    """Errors of the store (no space, no permission) become one that names the table; a lost race passes through."""
    try:
        yield
    except CommitFailedError:
        raise
    except (DeltaError, OSError) as error:
        raise LakeError(
            f"table {name} at {root / name} cannot be written: {reason(error)}. Nothing was committed and the stored "
            "version stays readable. Make room or change the permissions, then run it again."
        ) from error


def _month(key: str) -> str:
    """A partition key, proven to be 'YYYY-MM' before it enters a predicate."""
    year, _, month = key.partition("-")
    if not (len(key) == 7 and year.isdigit() and month.isdigit()):
        raise LakeError(f"partition key {key!r} is not a month 'YYYY-MM'")
    return key
