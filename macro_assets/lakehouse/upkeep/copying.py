"""Copying files between roots, a folder or S3 on either side: whole or not at all, and with their SHA-256.

What is copied, and why, is in `backup.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from macro_assets.lakehouse import s3
from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.paths import Root, S3Root, filesystem

if TYPE_CHECKING:
    import pyarrow.fs

_CHUNK = 2**20
_IN_MEMORY = 2**26
_WORKERS = 8
_LOCK = "lock"
_LEASE = timedelta(minutes=10)

Item = TypeVar("Item")
Result = TypeVar("Result")


class MissingFileError(Exception):
    """There is no such file, or no longer."""


@dataclass(frozen=True)
class Target:
    """A place that files are copied to; `partials` is a folder below it for the lock and for files that still grow."""

    root: Root
    partials: str
    client: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Content:
    """What a file held, beside the target until it is placed there."""

    spool: IO[bytes] = field(repr=False)
    sha256: str
    size: int


def open_target(root: Root, partials: str) -> Target:
    """The place to copy to; a folder is made."""
    if isinstance(root, S3Root):
        return Target(root, partials, s3.settings().client())
    with storing(root):
        (root / partials).mkdir(parents=True, exist_ok=True)
    return Target(root, partials)


def listing(root: Root, below: str = "") -> dict[str, pyarrow.fs.FileInfo]:
    """The files below a folder of a root by their path relative to the root; none where there is no such folder.

    Raises
    ------
    LakeError
        When the root cannot be read.
    """
    from pyarrow.fs import FileSelector, FileType

    try:
        found = filesystem(root).get_file_info(FileSelector(below, allow_not_found=True, recursive=True))
    except OSError as error:
        raise LakeError(f"{root} cannot be read: {error}. Check the place and the permissions.") from None
    return {info.path: info for info in found if info.type == FileType.File}


def chunks(files: pyarrow.fs.FileSystem, path: str) -> Iterator[bytes]:
    """The bytes of a file, as they are.

    Raises
    ------
    MissingFileError
        When there is no such file.
    LakeError
        When it cannot be read.
    """
    try:
        # by default Arrow unpacks what is called .gz or .zst
        with files.open_input_stream(path, compression=None) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except FileNotFoundError:
        raise MissingFileError(path) from None
    except OSError as error:
        raise LakeError(f"file {path} cannot be read: {error}. Nothing was lost; mend that and run it again.") from None


def read_whole(files: pyarrow.fs.FileSystem, path: str) -> bytes:
    """The content of a small file; errors as :func:`chunks`."""
    return b"".join(chunks(files, path))


def digest_of(files: pyarrow.fs.FileSystem, path: str) -> str:
    """SHA-256 of a file; errors as :func:`chunks`."""
    digest = hashlib.sha256()
    for chunk in chunks(files, path):
        digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def fetched(files: pyarrow.fs.FileSystem, path: str, target: Target) -> Iterator[Content]:
    """The content of a file, read once and hashed on the way; it is gone at the end unless it was placed."""
    digest, size = hashlib.sha256(), 0
    with _spool(target) as spool:
        for chunk in chunks(files, path):
            digest.update(chunk)
            size += len(chunk)
            with storing(target.root):
                spool.write(chunk)
        yield Content(spool, digest.hexdigest(), size)


@contextmanager
def _spool(target: Target) -> Iterator[IO[bytes]]:
    """Where content grows: for a folder in a file on the same disk, so that it can be moved into place."""
    if isinstance(target.root, S3Root):
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            yield spool
        return
    partial = target.root / target.partials / f"{uuid4().hex}.partial"
    with storing(target.root):
        file = partial.open("xb")
    try:
        yield file
    finally:
        file.close()
        partial.unlink(missing_ok=True)


def place(target: Target, content: Content, path: str, mtime_ns: int | None = None) -> None:
    """Make content the file of that name, at once; on a disk with its time, and written through."""
    with storing(target.root):
        content.spool.seek(0)
        if isinstance(target.root, S3Root):
            target.client.upload_fileobj(content.spool, target.root.bucket, _key(target.root, path))
            return
        content.spool.flush()
        os.fsync(content.spool.fileno())
        if mtime_ns is not None:
            os.utime(content.spool.fileno(), ns=(mtime_ns, mtime_ns))
        final = target.root / path
        final.parent.mkdir(parents=True, exist_ok=True)
        Path(content.spool.name).replace(final)


def put(target: Target, path: str, content: bytes) -> None:
    """Write a small file whole or not at all."""
    with _spool(target) as spool:
        with storing(target.root):
            spool.write(content)
        place(target, Content(spool, "", len(content)), path)


def remove(target: Target, path: str) -> None:
    """Remove a file; nothing happens where there is none."""
    with storing(target.root):
        if isinstance(target.root, S3Root):
            target.client.delete_object(Bucket=target.root.bucket, Key=_key(target.root, path))
        else:
            (target.root / path).unlink(missing_ok=True)


def remove_folder(target: Target, path: str) -> None:
    """Remove a folder with all that is in it."""
    if isinstance(target.root, S3Root):
        for file in listing(target.root, path):
            remove(target, file)
        return
    with storing(target.root):
        shutil.rmtree(target.root / path)


def settle(target: Target, below: str = "") -> None:
    """Wait until the names of the files placed below a folder are on the disk, as their content is."""
    if isinstance(target.root, S3Root):
        return
    with storing(target.root):
        for folder, _, _ in os.walk(target.root / below):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _key(root: S3Root, path: str) -> str:
    return f"{root.prefix}/{path}".lstrip("/")


def for_each(items: Iterable[Item], work: Callable[[Item], Result], done: Callable[[Result], None]) -> None:
    """Do work on several items at a time and tell each result, in the calling thread; the first error ends it all."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in as_completed(futures):
                done(future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def storing(root: Root) -> Iterator[None]:
    """Errors of the store become one that names the place."""
    try:
        yield
    except _store_errors(root) as error:
        raise LakeError(
            f"{root} cannot be written: {error}. Make room or change the permissions, then run it again: what was "
            "copied so far is kept and not copied twice."
        ) from None


def _store_errors(root: Root) -> tuple[type[Exception], ...]:
    if isinstance(root, Path):
        return (OSError,)
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return OSError, Boto3Error, BotoCoreError, ClientError


# --- one at a time -------------------------------------------------------------------------------------------------


@contextmanager
def alone(target: Target) -> Iterator[Callable[[], None]]:
    """Hold the target alone: one process must not tidy away what another is about to name.

    On a disk the lock ends with the process. On S3 it is a file that says until when, and a killed process leaves it
    behind for ten minutes; what this yields prolongs it and is to be called now and then.

    Raises
    ------
    LakeError
        When another process holds it.
    """
    if isinstance(target.root, S3Root):
        with _leased(target, target.root) as prolong:
            yield prolong
        return
    folder = target.root / target.partials
    with _locked(target.root, folder):
        with storing(target.root):
            for left_over in folder.glob("*.partial"):
                left_over.unlink()
        yield lambda: None


@contextmanager
def _locked(root: Path, folder: Path) -> Iterator[None]:
    import fcntl

    with storing(root):
        file = (folder / _LOCK).open("a")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LakeError(f"another backup or restore is writing to {root}. Try again when it has ended.") from None
        except OSError:  # a network disk without locks: as safe as the operator's timetable
            pass
        yield


@contextmanager
def _leased(target: Target, root: S3Root) -> Iterator[Callable[[], None]]:
    mine = _take_lease(target, root)
    renewed = time.monotonic()

    def prolong() -> None:
        nonlocal mine, renewed
        if time.monotonic() - renewed > _LEASE.total_seconds() / 10:
            mine, renewed = _write_lease(target, root, IfMatch=mine), time.monotonic()
            if mine is None:
                raise LakeError(
                    f"another backup or restore took {root} over, because this one stood still for {_LEASE}. What was "
                    "copied is kept; run it again."
                )

    try:
        yield prolong
    finally:
        if mine is not None:
            remove(target, _lock(target))


def _lock(target: Target) -> str:
    return f"{target.partials}/{_LOCK}"


def _take_lease(target: Target, root: S3Root) -> str | None:
    taken = _write_lease(target, root, IfNoneMatch="*")
    if taken is None:
        with storing(root):
            held = target.client.get_object(Bucket=root.bucket, Key=_key(root, _lock(target)))
            until = datetime.fromisoformat(json.loads(held["Body"].read())["until"])
        if until < datetime.now(UTC):
            taken = _write_lease(target, root, IfMatch=held["ETag"])
        if taken is None:
            raise LakeError(
                f"another backup or restore is writing to {root}, or was killed: its lock {root / _lock(target)} ends "
                f"at {until:%H:%M:%S} UTC unless it is prolonged. Try again then."
            )
    return taken


def _write_lease(target: Target, root: S3Root, **condition: str | None) -> str | None:
    """Write the lock if the condition holds; its tag, or None when it does not."""
    from botocore.exceptions import ClientError

    body = json.dumps({"until": (datetime.now(UTC) + _LEASE).isoformat(), "nonce": uuid4().hex}).encode()
    with storing(root):
        try:
            done = target.client.put_object(Bucket=root.bucket, Key=_key(root, _lock(target)), Body=body, **condition)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (404, 409, 412):
                if error.response["Error"]["Code"] == "NoSuchBucket":
                    raise
                return None
            raise
    tag: str = done["ETag"]
    return tag
