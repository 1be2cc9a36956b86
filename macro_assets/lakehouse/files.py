"""Files of the lake that are not tables (chart pages), and files that are moved."""

from __future__ import annotations

import os
from pathlib import Path

from macro_assets.lakehouse import s3
from macro_assets.lakehouse.delta import LakeError
from macro_assets.lakehouse.paths import Root, S3Root, filesystem


def write_file(folder: Root, name: str, content: bytes) -> None:
    """Write a file whole or not at all: readers see the old content or the new.

    Raises
    ------
    LakeError
        When it cannot be written; the old content is still there.
    """
    try:
        if isinstance(folder, Path):
            _replace(folder, name, content)
        else:
            with filesystem(folder).open_output_stream(name, compression=None) as out:
                out.write(content)
    except OSError as error:
        raise LakeError(
            f"file {folder / name} cannot be written: {error.strerror or error}. The one that was there is as it was. "
            "Make room or change the permissions, then run it again."
        ) from error


def _replace(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.{os.getpid()}"
    try:
        partial.write_bytes(content)
        partial.replace(folder / name)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read_file(folder: Root, name: str) -> bytes | None:
    """The content of a file, or None where there is none."""
    try:
        with filesystem(folder).open_input_stream(name, compression=None) as file:
            content: bytes = file.read()
    except (FileNotFoundError, IsADirectoryError):
        return None
    return content


def move_file(source: Root, target: Root) -> None:
    """Move a file within the lake. On S3 it is copied, then removed.

    Raises
    ------
    OSError
        When it cannot be moved.
    """
    if isinstance(source, S3Root) and isinstance(target, S3Root):
        s3.move(source.bucket, source.prefix, target.prefix)
    elif isinstance(source, Path) and isinstance(target, Path):
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
